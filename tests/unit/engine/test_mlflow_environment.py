"""What a step's environment tells MLflow."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from penstock.bootstrap import make_library
from penstock.client.home import Home
from penstock.engine import step_environment
from penstock.operations import tokens
from penstock.operations.mlflow.addresses import find_token, step_variables

RUN = {"id": "run", "workspace_id": "workspace"}
EXPERIMENT = {"id": "e", "name": "name"}


def test_a_step_logs_into_its_own_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.port.write_text("23456\n")
    found = step_variables(home, RUN, EXPERIMENT)
    assert found["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:23456/mlflow/workspace"
    assert found["MLFLOW_TRACKING_TOKEN"] == tokens.run_token(home, "workspace", "run") == find_token(home, RUN)
    assert [found[f"MLFLOW_{name}"] for name in ("RUN_ID", "EXPERIMENT_ID", "EXPERIMENT_NAME")] == ["run", "e", "name"]


def test_a_step_runs_where_mlflow_can_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert step_variables(home, RUN, EXPERIMENT) == {}  # nobody listens
    home.port.write_text("23456\n")
    home.token_key.mkdir()
    assert step_variables(home, RUN, EXPERIMENT) == {}  # no token can be made
    assert find_token(home, RUN) is None


def test_what_the_service_was_started_with_does_not_reach_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    of_others = {"MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME"}
    for name in (*of_others, "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "x")
    found = step_environment.inherited("/usr/bin/python3")
    assert not of_others & set(found)
    assert found["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "x"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"no_proxy": "a"}, {"no_proxy": "a"}),
        ({"http_proxy": "p"}, {"http_proxy": "p", "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}),
        ({"ALL_PROXY": "p", "no_proxy": "a,b"}, {"ALL_PROXY": "p", "no_proxy": "a,b,127.0.0.1"}),
    ],
)
def test_no_proxy_stands_between_a_step_and_its_service(before: dict[str, str], after: dict[str, str]) -> None:
    assert step_environment.directly(before) == after


def test_a_service_that_starts_leaves_what_steps_read_as_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    library = make_library(home)
    (found,) = distributions(path=[str(library)])
    assert [(point.group, point.name) for point in found.entry_points] == [("mlflow.request_header_provider", "penstock")]
    about = library / "penstock_steps-0.dist-info"
    before = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in about.iterdir()}
    make_library(home)
    assert {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in about.iterdir()} == before
    text = (about / "entry_points.txt").read_text()
    (about / "entry_points.txt").write_text("[mlflow")
    make_library(home)
    assert (about / "entry_points.txt").read_text() == text
    assert {path.name for path in about.iterdir()} == set(before)
