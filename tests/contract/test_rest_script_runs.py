"""POST .../script-runs: one run from one request, and what is no script's run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.contract.conftest import Rest

from penstock.model.errors import AlreadyExists, Invalid, InvalidGraph, NotFound, Refused
from penstock.model.graph import Argument, ComputeRef, Parameter, PipelineGraph, StepNode, format_graph
from penstock.model.ids import new_id

STEP = StepNode(
    id="script",
    name="train.py",
    step_type="ScriptRun",
    script="train.py",
    arguments=(Argument("literal", "--rate"), Argument("literal", "0.5")),
    run_config={"data": {"d": {"mechanism": "mount"}}},
    allow_reuse=False,
)


def submit(rest: Rest, step: StepNode = STEP, experiment: str = "work", **more: Any) -> dict[str, Any]:
    return rest.client.submit_script(rest.workspace_id, experiment, {"graph": format_graph(PipelineGraph(steps=(step,))), **more})


def test_a_run_is_one_row_of_each_kind(rest: Rest) -> None:
    run = submit(rest, tags={"a": "b"}, properties={"p": "q"}, description="why", display_name="nice")
    assert run["id"].startswith("work_")
    assert (run["type"], run["status"], run["name"], run["target"]) == ("azureml.scriptrun", "Queued", "train.py", "local")
    assert (run["parent_run_id"], run["root_run_id"], run["pipeline_run_id"]) == (None, run["id"], run["id"])
    assert (run["tags"], run["description"], run["display_name"], run["number"]) == ({"a": "b"}, "why", "nice", 1)
    assert run["properties"]["p"] == "q"
    assert run["run_definition"]["arguments"] == ["--rate", "0.5"]
    assert run["run_definition"]["data"]["d"]["mechanism"] == "Mount"
    for table in ("runs", "pipeline_runs", "step_runs"):
        column = "id" if table == "runs" else "run_id"
        assert rest.context.database.first(f"select count(*) as n from {table} where {column} = ?", [run["id"]]) == {"n": 1}
    assert rest.client.list_children(run["id"]) == []
    assert [item["id"] for item in rest.client.list_runs(rest.workspace_id)] == [run["id"]]
    events = rest.client.follow_run(run["id"])["events"]
    assert [(event["status"], event["actor"]) for event in events] == [("Queued", "client")]


def test_a_request_that_is_sent_twice_starts_one_run(rest: Rest) -> None:
    again = {"request_id": new_id(), "run_id": f"mine-{new_id()}"}
    assert submit(rest, **again)["id"] == submit(rest, **again)["id"] == again["run_id"]
    assert len(rest.client.list_runs(rest.workspace_id)) == 1
    with pytest.raises(AlreadyExists, match=again["run_id"]):
        submit(rest, run_id=again["run_id"])
    other = rest.client.create_workspace(f"ws-{new_id()}", "sub", "group")["id"]
    with pytest.raises(AlreadyExists):
        rest.client.submit_script(other, "work", {"graph": format_graph(PipelineGraph(steps=(STEP,))), **again})


@pytest.mark.parametrize("name", ["work", "two words", "a.b", "Ünï", "_x", "e" * 255])
def test_every_experiment_gives_an_id(rest: Rest, name: str) -> None:
    run = submit(rest, experiment=name)
    assert run["experiment_name"] == name
    assert rest.client.get_run(run["id"])["id"] == run["id"]


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (PipelineGraph(), "one step"),
        (PipelineGraph(steps=(STEP, replace(STEP, id="other"))), "one step"),
        (PipelineGraph(steps=(STEP,), parameters=(Parameter("rate", "float", 0.1),)), "no parameters"),
        (PipelineGraph(steps=(replace(STEP, allow_reuse=True),)), "not reused"),
        (PipelineGraph(steps=(replace(STEP, step_type="PythonScriptStep"),)), "ScriptRun"),
        (PipelineGraph(steps=(replace(STEP, script=None),)), "script or of a command"),
        (PipelineGraph(steps=(replace(STEP, command=("ls",)),)), "script or of a command"),
    ],
)
def test_what_is_no_script_is_refused(rest: Rest, graph: PipelineGraph, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        rest.client.submit_script(rest.workspace_id, "work", {"graph": format_graph(graph)})
    assert rest.client.list_runs(rest.workspace_id) == []


def test_what_is_not_there_is_named(rest: Rest) -> None:
    with pytest.raises(InvalidGraph, match="gpu"):
        submit(rest, replace(STEP, compute=ComputeRef("gpu")))
    with pytest.raises(InvalidGraph, match="was not sent"):
        submit(rest, replace(STEP, snapshot="0" * 64))
    with pytest.raises(NotFound, match="nobody"):
        submit(rest, parent_run_id="nobody")
    with pytest.raises(Invalid, match="run id"):
        submit(rest, run_id="../up")
    with pytest.raises(Invalid, match="run_id"):
        submit(rest, run_id=3)


def test_commands_travel(rest: Rest) -> None:
    run = submit(rest, replace(STEP, script=None, command=("/bin/sh", "-c", "ls | wc"), name="ls"))
    assert run["run_definition"]["script"] is None
    with pytest.raises(Invalid):
        submit(rest, replace(STEP, script=None, command=("ls", 3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["ls -l", {"ls": 1}, 5])
def test_a_command_is_a_list_and_no_letters_of_a_text(rest: Rest, command: Any) -> None:
    graph = format_graph(PipelineGraph(steps=(replace(STEP, script=None, command=("ls",)),)))
    graph["steps"][0]["command"] = command
    with pytest.raises(Invalid, match="'command' must be a list"):
        rest.client.submit_script(rest.workspace_id, "work", {"graph": graph})


def test_who_submitted_is_kept_where_it_is_known(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def submitter(run: dict[str, Any]) -> Any:
        row = rest.context.database.first("select submitter_run_id from runs where id = ?", [run["id"]])
        assert row is not None
        return row["submitter_run_id"]

    first = submit(rest)
    assert submitter(first) is None
    monkeypatch.setenv("AZUREML_RUN_ID", first["id"])
    assert submitter(submit(rest)) == first["id"]
    graph = PipelineGraph(steps=(replace(STEP, step_type="PythonScriptStep"),))
    assert submitter(rest.submit(graph)["run"]) == first["id"]
    monkeypatch.setenv("AZUREML_RUN_ID", "a run of another home")
    assert submitter(submit(rest)) is None


def test_its_status_follows_from_its_process(rest: Rest) -> None:
    run = submit(rest)
    with pytest.raises(Refused, match="a script"):
        rest.client.set_run_status(run["id"], "Completed")
    with pytest.raises(Refused, match="submitting a script"):
        rest.client.create_run(rest.workspace_id, "work", type="azureml.scriptrun")
    with pytest.raises(NotFound, match="no graph"):
        rest.client.get_graph(run["id"])


def test_cancel(rest: Rest) -> None:
    waiting, running = submit(rest), submit(rest)
    assert rest.client.cancel_run(waiting["id"])["status"] == "Canceled"
    rest.execute("update runs set status = 'Running' where id = ?", running["id"])
    child = submit(rest, parent_run_id=running["id"])
    driven = rest.client.create_run(rest.workspace_id, "work", parent_run_id=running["id"])
    assert rest.client.cancel_run(running["id"])["status"] == "CancelRequested"
    assert rest.client.get_run(child["id"])["status"] == "Canceled"
    assert rest.client.get_run(driven["id"])["status"] == "Canceled"
    assert rest.client.cancel_run(waiting["id"])["status"] == "Canceled"


def test_whatever_run_configuration_was_taken_can_be_read_again(rest: Rest) -> None:
    taken = 0
    for odd in (None, 1, "x", [], [1], {}, {"a": 1}, {"a": None}, {"a": {"mechanism": 3, "mode": []}}):
        for section in ("data", "outputData", "dataReferences", "environmentVariables", "environment", "command", "history"):
            try:
                run = submit(rest, replace(STEP, run_config={section: odd}))
            except Invalid:
                continue
            taken += 1
            assert rest.client.get_run(run["id"])["run_definition"]["script"] == "train.py"
    assert taken > 40
