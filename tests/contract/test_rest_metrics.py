"""Metrics through the front door: what a run logs is what `get_metrics` returns, and files that nobody foresaw."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azureml.core import Experiment, Workspace
from penstock.model.errors import Invalid, NotFound
from penstock.model.metrics import shape

VALUES = st.one_of(st.none(), st.booleans(), st.text(max_size=4), st.integers(-(2**70), 2**70), st.floats(allow_nan=False))
ROWS = st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1)
CALLS = st.one_of(
    st.tuples(st.just("log"), VALUES), st.tuples(st.just("log_list"), st.lists(VALUES, max_size=3)), st.tuples(st.just("log_row"), ROWS)
)
NAMED_CALLS = st.lists(st.tuples(st.sampled_from(["m", "n", "Größe/x y"]), CALLS), max_size=8)


@pytest.fixture
def experiment(rest: Any, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setenv("PENSTOCK_HOME", str(rest.home.path))
    return Experiment(Workspace.get("metrics", subscription_id="sub", resource_group="group"), "e")


def write(rest: Any, run_id: str, data: bytes) -> None:
    rest.write(run_id, "metrics.jsonl", data)


def line(name: str, value: Any, kind: str = "scalar") -> bytes:
    return json.dumps({"name": name, "kind": kind, "value": value, "step": None, "at": "then"}).encode() + b"\n"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMED_CALLS)
def test_what_is_logged_is_what_comes_back(experiment: Experiment, calls: list[tuple[str, tuple[str, Any]]]) -> None:
    run = experiment.start_logging(snapshot_directory=None)
    for name, (call, value) in calls:
        run.log_row(name, **value) if call == "log_row" else getattr(run, call)(name, value)
    assert run.get_metrics() == expected(calls)
    for name in ("m", "n"):
        assert run.get_metrics(name) == {key: value for key, value in expected(calls).items() if key == name}
    run.complete()


def expected(calls: list[tuple[str, tuple[str, Any]]]) -> dict[str, Any]:
    """The same by a rule of the test's own: the first call that leaves a trace says what a name holds."""
    found: dict[str, Any] = {}
    for name, (call, value) in calls:
        if call == "log_row" and isinstance(found.setdefault(name, {}), dict):
            for column, cell in value.items():
                found[name].setdefault(column, []).append(cell)
        elif call != "log_row" and value != [] and isinstance(found.setdefault(name, []), list):
            found[name] += value if call == "log_list" else [value]
    return {name: {key: one(cells) for key, cells in held.items()} if isinstance(held, dict) else one(held) for name, held in found.items()}


def one(values: list[Any]) -> Any:
    numbers = [value for value in values if type(value) in (int, float)]
    are_floats = any(type(value) is float for value in numbers) and all(type(value) in (int, float, type(None)) for value in values)
    shown = [float(value) if are_floats and value is not None else value for value in values]
    return shown[0] if len(shown) == 1 else shown


def test_a_tree_of_runs(experiment: Experiment) -> None:
    parent = experiment.start_logging(snapshot_directory=None)
    child, idle = parent.child_run("c"), parent.child_run("idle")
    child.log("x", 1)
    assert parent.get_metrics() == {}
    assert parent.get_metrics(recursive=True) == {child.id: {"x": 1}}
    assert parent.get_metrics("y", recursive=True) == {}
    assert idle.get_metrics(recursive=True) == {}
    parent.complete()


@pytest.mark.parametrize(
    "torn", [b'{"name": "t"', b'{"name": "t", "kind": "list", "value": [1, 2', b"[", b"{}]", b"\xff\xfe", b"\0" * 50, b"1,2", b"[" * 9_000]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_torn_lines_cost_nothing_but_themselves(rest: Any, torn: bytes, place: int) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    lines = [line("a", 1), line("b", 2)]
    lines.insert(place, torn + b"\n")
    write(rest, run, b"".join(lines))
    assert rest.client.list_metric_values(run)[run]["values"] == {"a": 1, "b": 2}
    write(rest, run, b"".join(lines) + torn)
    assert [record["name"] for record in rest.client.list_metrics(run)[run]] == ["a", "b"]


def test_two_torn_lines_do_not_make_a_value(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    write(rest, run, b'{"name": "x", "kind": "list", "value": [1\n2]}\n' + line("a", 1))
    assert rest.client.list_metric_values(run)[run]["values"] == {"a": 1}


@pytest.mark.parametrize(
    "odd",
    [
        line("x", 5, "list"),
        line("x", [1], "row"),
        line("x", 1, "table"),
        line("x", 1, "odd"),
        b'{"name": 5, "kind": "scalar", "value": 1}\n',
        b'{"name": "x", "kind": ["scalar"], "value": 1}\n',
        b'{"name": "x", "kind": "scalar"}\n',
        b"null\n",
        b"5\n",
        b"\n\n",
    ],
)
def test_records_that_are_none_are_passed_over(rest: Any, odd: bytes) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    write(rest, run, odd + line("a", 1))
    assert rest.client.list_metric_values(run)[run]["values"] == {"a": 1}
    assert len(rest.client.list_metrics(run)[run]) == 1


def test_both_ways_of_reading_agree(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    records = [("a", number, "scalar") for number in range(3000)] + [("t", {"x": number, "y": "é" * 40}, "row") for number in range(30_000)]
    write(rest, run, b"".join(line(*record) for record in records))  # more than is read at once
    values = rest.client.list_metric_values(run)[run]["values"]
    assert values == shape(rest.client.list_metrics(run)[run])
    assert values["a"] == list(range(3000))
    assert values["t"]["x"] == list(range(30_000))


def test_images_come_back_as_addresses_or_bytes(experiment: Experiment, tmp_path: Any) -> None:
    run = experiment.start_logging(snapshot_directory=None)
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n data")
    run.log_image("plot", path=str(tmp_path / "plot.png"))
    run.log_confusion_matrix("matrix", {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {"matrix": [[1]]}})
    run.log("x", 1)
    address = f"aml://artifactId/ExperimentRun/dcid.{run.id}/"
    assert run.get_metrics() == {"plot": f"{address}plot.png", "matrix": f"{address}matrix", "x": 1}
    populated = run.get_metrics(populate=True)
    assert populated["plot"].content == b"\x89PNG\r\n\x1a\n data"
    assert json.loads(populated["matrix"].content)["data"] == {"matrix": [[1]]}
    assert populated["x"] == 1
    run.complete()


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_a_scalar_is_one_value(rest: Any, value: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    with pytest.raises(Invalid, match="'x' is a scalar"):
        rest.client.log_metrics(run, [{"name": "x", "kind": "scalar", "value": value}])


@pytest.mark.parametrize("length", [1, 40_000])
def test_metrics_that_are_sent_twice_are_kept_once(rest: Any, length: int) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    body = {"records": [{"name": "a", "kind": "scalar", "value": 1}, {"name": "x", "kind": "list", "value": list(range(length))}]}
    for _ in range(2):
        rest.client._transport.call("POST", f"/runs/{run}/metrics", document={**body, "request_id": "0" * 31 + "1"})
    rest.client.log_metrics(run, body["records"])
    assert [set(record) for record in rest.client.list_metrics(run)[run]] == [{"name", "kind", "value", "step", "at"}] * 4
    with pytest.raises(Invalid, match="UUID"):
        rest.client._transport.call("POST", f"/runs/{run}/metrics", document={**body, "request_id": "mine"})


@pytest.mark.parametrize("name", ["", "n" * 1001])
def test_a_name_has_a_length(rest: Any, name: str) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    with pytest.raises(Invalid, match=f"The name of a metric has 1 to 1000 characters, not {len(name)}"):
        rest.client.log_metrics(run, [{"name": name, "kind": "scalar", "value": 1}])


def test_a_run_that_is_not_there(rest: Any) -> None:
    with pytest.raises(NotFound):
        rest.client.list_metric_values("nobody")
