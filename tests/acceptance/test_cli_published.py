"""`penstock pipelines` and `penstock endpoints`, as a user types them."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.parts.homes import own_home

from azureml.core import Dataset, Experiment, Workspace
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import Pipeline, PipelineEndpoint, PipelineParameter, PublishedPipeline
from azureml.pipeline.steps import PythonScriptStep
from penstock.cli.main import main

SAY = """
import os, sys
print("said", sys.argv[1], *[name for folder in sys.argv[2:] for name in os.listdir(folder)])
sys.exit(sys.argv[1] == "fail")
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedPipeline]:
    """A pipeline with a text, a data path and a dataset as parameters, published twice under one name, and behind an endpoint."""
    with own_home(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")  # however wide the terminal of these tests is
        folder = tmp_path_factory.mktemp("source")
        (folder / "say.py").write_text(SAY)
        workspace = Workspace.get("typed", subscription_id="sub", resource_group="group")
        store = workspace.get_default_datastore()
        for name in ("one", "two"):
            (folder / f"{name}.csv").write_text(f"a\n{name}\n")
            store.upload_files([str(folder / f"{name}.csv")], target_path=name, show_progress=False)
            Dataset.File.from_files((store, f"{name}/*.csv")).register(workspace, name)
        where = (PipelineParameter("where", DataPath(store, "one")), DataPathComputeBinding())
        files = DatasetConsumptionConfig("files", PipelineParameter("files", Dataset.get_by_name(workspace, "one"))).as_download()
        arguments = [PipelineParameter("word", "hello"), where, files]
        step = PythonScriptStep("say.py", "say", arguments, "local", inputs=[where, files], source_directory=str(folder), allow_reuse=False)
        pipeline = Pipeline(workspace, [step])
        old, new = (pipeline.publish("Say it", "says it", version) for version in ("1", "2"))
        PipelineEndpoint.publish(workspace, "main", "the one", old).add(new)
        yield new


def penstock(*words: str, status: int = 0) -> str:
    """Return what a command prints: its message, where it fails before it has anything to print."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main(list(words))
    printed, message = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    assert found == status, printed + message
    return printed or message


def load(*words: str) -> Any:
    return json.loads(penstock(*words, "--json"))


def said(run_id: str) -> str:
    return penstock("logs", run_id).strip()


def test_pipelines_are_listed_and_shown(published: PublishedPipeline) -> None:
    heads, first, second = penstock("pipelines").splitlines()
    assert heads.split() == ["ID", "NAME", "VERSION", "STATUS", "STEPS", "CREATED", "DESCRIPTION"]
    assert first.split()[0] == published.id[:8]
    assert re.search(r"Say it +1 +Active +1 ", second)
    assert [item["version"] for item in load("pipelines", "list", "--name", "Say it")] == ["2", "1"]
    text = penstock("pipelines", "show", published.id[:8])
    for line in (r"Pipeline: +Say it", r"Version: +2", r"Steps: +1: say", r"word +str +hello", r"where +datapath +workspaceblobstore/one"):
        assert re.search(line, text)
    assert "Address:" not in text
    shown = load("pipelines", "show", "Say it", "--address")
    assert (shown["id"], shown["steps"], shown["address"]) == (published.id, ["say"], published.endpoint)


def test_pipelines_are_submitted_with_values(published: PublishedPipeline) -> None:
    name = "Say it"
    run = load(
        "pipelines", "submit", name, "-P", "word=a=b", "-P", "where=workspaceblobstore/two", "-P", "files=two:1", "--tag", "x=y", "--wait"
    )
    assert (run["status"], run["experiment_name"], run["tags"], run["pipeline_id"]) == ("Completed", "Say-it", {"x": "y"}, published.id)
    assert said(run["id"]) == "said a=b two.csv two.csv"
    told = penstock("pipelines", "submit", published.id, "--experiment", "typed")
    assert re.match(r"Submitted run \S+ \(typed \d+\)\. 'penstock show \w{8}' tells how it goes", told)
    history = load("pipelines", "history", name, "--limit", "2")
    assert [item["experiment_name"] for item in history] == ["typed", "Say-it"]
    assert load("pipelines", "submit", name, "--wait")["experiment_name"] == "typed", "that of its newest run"
    assert "ended: Failed" in penstock("pipelines", "submit", name, "-P", "word=fail", "--wait", status=1)


def test_pipelines_are_disabled_and_enabled(published: PublishedPipeline) -> None:
    assert penstock("pipelines", "disable", "Say it") == f"Disabled the published pipeline 'Say it' ({published.id}).\n"
    assert [item["version"] for item in load("pipelines")] == ["1"]
    assert [item["status"] for item in load("pipelines", "--all")] == ["Disabled", "Active"]
    assert load("pipelines", "show", "Say it")["version"] == "1", "the newest active one has the name"
    assert "is Disabled" in penstock("pipelines", "submit", published.id, status=1)
    assert load("pipelines", "enable", published.id)["status"] == "Active"


def test_endpoints_are_listed_switched_and_submitted(published: PublishedPipeline) -> None:
    heads, line = penstock("endpoints").splitlines()
    assert heads.split() == ["ID", "NAME", "STATUS", "VERSIONS", "DEFAULT", "CREATED", "DESCRIPTION"]
    assert re.search(r"main +Active +2 +0 ", line)
    assert re.search(r"0 +default +\S+ +Say it +Active", penstock("endpoints", "versions", "main"))
    assert penstock("endpoints", "set-default", "main", "1") == "Version 1 of 'main' now runs when none is named.\n"
    shown = load("endpoints", "show", "main", "--address")
    assert (shown["default_version"], [item["pipeline"]["version"] for item in shown["versions"]]) == ("1", ["1", "2"])
    assert f"PipelineEndpointSubmit/Id/{shown['id']}" in penstock("endpoints", "show", "main", "--address")
    runs = [
        load("endpoints", "submit", "main", "--experiment", "calls", *more, "--wait") for more in ([], ["--version", "0"], ["-P", "word=w"])
    ]
    assert [run["pipeline_id"] == published.id for run in runs] == [True, False, True]
    assert said(runs[2]["id"]) == "said w one.csv one.csv"
    assert [run["id"] for run in load("endpoints", "history", "main", "--limit", "2")] == [runs[2]["id"], runs[1]["id"]]
    assert "calls" in penstock("endpoints", "history", shown["id"][:8])
    assert penstock("endpoints", "disable", "main").startswith("Disabled the pipeline endpoint 'main'")
    assert penstock("endpoints", "list").strip().endswith("Disabled ones are listed with --all.")
    assert "is Disabled" in penstock("endpoints", "submit", "main", status=1)
    assert load("endpoints", "enable", "main")["status"] == "Active"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pipelines", "show", "say it"], "There is no published pipeline 'say it'. Did you mean 'Say it'?"),
        (["pipelines", "submit", "Say it", "-P", "word"], "'-P word' names no value. Write -P NAME=VALUE."),
        (["pipelines", "submit", "Say it", "-P", "wrod=x"], "The pipeline has no parameter 'wrod'. Did you mean 'word'?"),
        (["pipelines", "submit", "Say it", "-P", "files=tow"], "tow"),
        (["pipelines", "submit", "Say it", "-P", "where=nowhere/x"], "nowhere"),
        (["pipelines", "history", "Say it", "--workspace", "type"], "There is no workspace 'type'. Did you mean 'typed'?"),
        (["endpoints", "show", "mian"], "There is no pipeline endpoint 'mian'. Did you mean 'main'?"),
        (["endpoints", "set-default", "main", "7"], "There is no version '7' in the pipeline endpoint 'main'. There are: 0, 1."),
        (["endpoints", "submit", "main", "--version", "7"], "There is no version '7' in the pipeline endpoint 'main'."),
    ],
)
def test_mistakes_are_told_in_a_sentence(published: PublishedPipeline, words: list[str], message: str) -> None:
    assert message in penstock(*words, status=1)


def test_a_name_in_two_workspaces_must_be_told_apart(published: PublishedPipeline, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("")
    other = Workspace.get("other", subscription_id="sub", resource_group="group")
    step = PythonScriptStep("x.py", "x", compute_target="local", source_directory=str(tmp_path))
    far = Pipeline(other, [step]).publish("Say it")
    assert "Choose one with --workspace NAME." in penstock("pipelines", "show", "Say it", status=1)
    assert load("pipelines", "show", "Say it", "--workspace", "OTHER")["id"] == far.id
    assert penstock("pipelines").startswith("WORKSPACE")
    assert penstock("pipelines", "history", far.id).strip() == "It has not been run yet."
    far.disable()
    assert Experiment.list(other) == []
