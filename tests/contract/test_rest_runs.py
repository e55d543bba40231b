from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from penstock.model import status as words
from penstock.model.errors import AlreadyExists, Invalid, NotFound, Refused
from penstock.operations.descendants import end_client_runs_below


def test_run_that_its_client_drives(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e", name="try", tags={"a": 1}, properties={"p": "1"}, description="d")
    assert (run["status"], run["type"], run["name"], run["tags"], run["number"]) == ("Running", None, "try", {"a": "1"}, 1)
    assert run["started_at"] == run["created_at"]
    assert run["root_run_id"] == run["id"]
    ended = rest.client.set_run_status(run["id"], "Failed", {"code": "UserError", "message": "no", "details": {"line": 3}})
    assert ended["error"] == {"code": "UserError", "message": "no", "details": {"line": 3}}
    assert ended["ended_at"] > run["started_at"]
    assert rest.client.set_run_status(run["id"], "Failed") == ended
    with pytest.raises(Refused, match="is Failed; it can't become Running"):
        rest.client.set_run_status(run["id"], "Running")


@pytest.mark.parametrize("before", [word for word in words.ACTIVE if word not in ("Finalizing", "CancelRequested")])
@pytest.mark.parametrize("after", words.ALL)
def test_status_follows_the_table(rest: Any, before: str, after: str) -> None:
    run = rest.client.create_run(rest.workspace_id, "e", status=before)
    if after in words.NEXT[before] or after == before:
        assert rest.client.set_run_status(run["id"], after)["status"] == after
    else:
        with pytest.raises(Refused):
            rest.client.set_run_status(run["id"], after)


def test_runs_of_pipelines_are_not_driven_by_hand(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(1))
    for run in (answer["run"], answer["steps"][0]):
        with pytest.raises(Refused, match="follows from its process"):
            rest.client.set_run_status(run["id"], "Completed")
    with pytest.raises(Refused, match="submitting a pipeline"):
        rest.client.create_run(rest.workspace_id, "e", type="azureml.StepRun")


def test_run_ids(rest: Any) -> None:
    run_id = f"work_1700000000_{rest.workspace_id[:8]}"
    assert rest.client.create_run(rest.workspace_id, "e", run_id=run_id)["id"] == run_id
    with pytest.raises(AlreadyExists):
        rest.client.create_run(rest.workspace_id, "e", run_id=run_id)
    for odd in ("../x", "", ".x", "a b", "x" * 256):
        with pytest.raises(Invalid, match="can't be a run id"):
            rest.client.create_run(rest.workspace_id, "e", run_id=odd)


def test_properties_are_written_once(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e", properties={"p": "1"})
    assert rest.client.update_run(run["id"], properties={"p": "1", "q": "2"})["properties"] == {"p": "1", "q": "2"}
    with pytest.raises(Refused, match="written once"):
        rest.client.update_run(run["id"], properties={"p": "2"}, tags={"t": "1"})
    assert rest.client.get_run(run["id"])["tags"] == {}


def test_tags_come_and_go(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e", tags={"a": "1", "b": "2"})
    changed = rest.client.update_run(run["id"], tags={"c": None, "b": "3"}, remove_tags=["a"], display_name="n", description="d")
    assert (changed["tags"], changed["display_name"], changed["description"]) == ({"b": "3", "c": None}, "n", "d")
    with pytest.raises(Invalid, match="must be a text"):
        rest.client.update_run(run["id"], tags={"a": [1]})


def test_missing_run(rest: Any) -> None:
    for call in ("get_run", "list_children", "list_files", "list_metrics", "list_outputs", "get_graph", "follow_run", "cancel_run"):
        with pytest.raises(NotFound, match="no run"):
            getattr(rest.client, call)("nobody")


# Lists


def ids(runs: list[dict[str, Any]]) -> list[str]:
    return [run["id"] for run in runs]


def test_runs_are_listed_newest_first(rest: Any, chain: Any) -> None:
    made = [rest.client.create_run(rest.workspace_id, name)["id"] for name in ("e", "f", "e")]
    pipeline = rest.submit(chain(2), "e")["run"]["id"]
    everything = ids(rest.client.list_runs(rest.workspace_id))
    assert everything == [pipeline, *reversed(made)]
    assert ids(rest.client.list_runs(rest.workspace_id, "e")) == [pipeline, made[2], made[0]]
    assert ids(rest.client.list_runs(rest.workspace_id, limit=2)) == everything[:2]
    assert ids(rest.client.list_runs(rest.workspace_id, limit=2, before=everything[1])) == everything[2:]
    assert len(rest.client.list_runs(rest.workspace_id, include_children=True)) == 6
    assert ids(rest.client.list_runs(rest.workspace_id, type="azureml.PipelineRun")) == [pipeline]


def test_runs_are_found_by_tags_properties_and_status(rest: Any) -> None:
    a = rest.client.create_run(rest.workspace_id, "e", tags={"k": "1", "only": None}, properties={"p.q": 'x"y'})["id"]
    b = rest.client.create_run(rest.workspace_id, "e", tags={"k": "2"}, properties={"azureml.runsource": "mine"}, status="NotStarted")["id"]

    def found(**filters: Any) -> list[str]:
        return ids(rest.client.list_runs(rest.workspace_id, **filters))

    assert found(tags="k") == [b, a]
    assert found(tags={"k": "1"}) == [a]
    assert found(tags={"k": "1", "only": None}) == [a]
    assert found(tags={"k": "1", "other": "2"}) == []
    assert found(properties={"p.q": 'x"y'}) == [a]
    assert found(properties="p.q") == [a]
    assert found(type="mine") == [b]
    assert found(status="NotStarted") == [b]


def test_children_by_start(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(4))
    run_id, steps = answer["run"]["id"], [step["id"] for step in answer["steps"]]
    rest.execute("update runs set started_at = '2026-01-01T00:00:01.000000Z', status = 'Running' where id = ?", steps[0])
    rest.execute("update runs set started_at = '2026-01-01T00:00:02.000000Z', status = 'Running' where id = ?", steps[1])
    assert ids(rest.client.list_children(run_id)) == [steps[1], steps[0], steps[2], steps[3]]
    assert ids(rest.client.list_children(run_id, status="Running")) == [steps[1], steps[0]]
    assert ids(rest.client.list_children(run_id, tags={"azureml.nodeid": "node3"})) == [steps[3]]


def test_children_of_children(rest: Any, chain: Any) -> None:
    parent = rest.client.create_run(rest.workspace_id, "e")["id"]
    pipeline = rest.submit(chain(2), parent_run_id=parent)["run"]["id"]
    assert ids(rest.client.list_children(parent)) == [pipeline]
    assert len(rest.client.list_children(parent, recursive=True)) == 3
    assert len(rest.client.list_children(parent, recursive=True, type="azureml.StepRun")) == 2


# Following


def test_events_of_the_whole_tree(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(2))
    news = rest.client.follow_run(answer["run"]["id"])
    assert [(event["run_id"], event["status"], event["actor"]) for event in news["events"]] == [
        (answer["run"]["id"], "Running", "client"),
        (answer["steps"][0]["id"], "Queued", "client"),
        (answer["steps"][1]["id"], "NotStarted", "client"),
    ]
    assert news["last"] == news["events"][-1]["sequence"]
    assert rest.client.follow_run(answer["run"]["id"], after=news["last"])["events"] == []
    of_step = rest.client.follow_run(answer["steps"][1]["id"])
    assert [event["status"] for event in of_step["events"]] == ["NotStarted"]


def test_news_come_at_once(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")
    seen = rest.client.follow_run(run["id"])["last"]
    ended_at: list[float] = []

    def end() -> None:
        rest.client.set_run_status(run["id"], "Completed")
        ended_at.append(time.monotonic())

    timer = threading.Timer(0.2, end)
    timer.start()
    news = rest.client.follow_run(run["id"], after=seen, wait_seconds=20)
    heard_at = time.monotonic()
    timer.join()
    assert (news["run"]["status"], [event["status"] for event in news["events"]]) == ("Completed", ["Completed"])
    assert heard_at - ended_at[0] < 5  # far less than the wait: it was news that ended it


def test_ended_run_is_not_waited_for(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")
    rest.client.set_run_status(run["id"], "Completed")
    started = time.monotonic()
    assert rest.client.follow_run(run["id"], after=10**9, wait_seconds=30)["events"] == []
    assert time.monotonic() - started < 10


def test_wait_ends_and_keeps_the_service_awake(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")
    rest.touched.clear()
    news = rest.client.follow_run(run["id"], after=10**9, wait_seconds=1.2)
    assert (news["events"], news["last"], news["run"]["status"]) == ([], 10**9, "Running")
    assert len(rest.touched) > 2


def test_all_events_of_a_large_graph_are_told(rest: Any, chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from azureml.core._follow import follow

    monkeypatch.setattr("penstock.operations.runs._MOST_EVENTS", 3)
    run = rest.submit(chain(7))["run"]["id"]
    rest.client.cancel_run(run)
    told: list[Any] = []
    assert follow(rest.client, run, told.append)["status"] == "Canceled"
    assert [event["sequence"] for event in told] == sorted({event["sequence"] for event in told})
    assert len(told) == 8 + 9  # made; asked to cancel, each step skipped, ended


# Cancel


def test_cancel(rest: Any, chain: Any) -> None:
    parent = rest.client.create_run(rest.workspace_id, "e")
    pipeline = rest.submit(chain(2), parent_run_id=parent["id"])["run"]
    assert rest.client.cancel_run(parent["id"])["status"] == "Canceled"
    assert rest.client.get_run(pipeline["id"])["status"] == "Canceled"
    assert rest.client.cancel_run(parent["id"])["status"] == "Canceled"


def start_step(rest: Any, chain: Any, **more: Any) -> dict[str, Any]:
    """Submit a pipeline run; return its step, which runs."""
    step = rest.submit(chain(1), **more)["steps"][0]
    rest.execute("update runs set status = 'Running' where id = ?", step["id"])
    return dict(step)


def statuses(rest: Any, *runs: str) -> list[str]:
    return [rest.client.get_run(run)["status"] for run in runs]


def make_child(rest: Any, parent: str, **more: Any) -> str:
    return str(rest.client.create_run(rest.workspace_id, "e", parent_run_id=parent, **more)["id"])


def test_cancel_reaches_the_runs_that_a_script_made(rest: Any, chain: Any) -> None:
    step = start_step(rest, chain)
    child = make_child(rest, step["id"])
    below = make_child(rest, child, status="NotStarted")
    ended = make_child(rest, child)
    rest.client.set_run_status(ended, "Completed")
    inner = start_step(rest, chain, parent_run_id=below)
    innermost = make_child(rest, inner["id"])
    assert rest.client.cancel_run(step["pipeline_run_id"])["status"] == "CancelRequested"
    assert statuses(rest, child, below, ended, innermost) == ["Canceled", "Canceled", "Completed", "Canceled"]
    assert statuses(rest, step["id"], inner["id"], inner["pipeline_run_id"]) == ["CancelRequested"] * 3
    event = [item for item in rest.client.follow_run(child)["events"] if item["run_id"] == child][-1]
    assert (event["status"], event["actor"], event["reason"]) == (
        "Canceled",
        "user",
        f"Its parent run {step['pipeline_run_id']} was cancelled.",
    )


def test_cancel_of_a_step_leaves_its_neighbours_alone(rest: Any, chain: Any) -> None:
    step = start_step(rest, chain)
    child, neighbour = make_child(rest, step["id"]), make_child(rest, step["pipeline_run_id"])
    rest.client.cancel_run(step["id"])
    assert statuses(rest, child, neighbour, step["id"]) == ["Canceled", "Running", "CancelRequested"]


@pytest.mark.parametrize("ending", ["Completed", "Failed", "Canceled"])
def test_ended_step_ends_the_runs_that_its_script_made(rest: Any, chain: Any, ending: str) -> None:
    step = start_step(rest, chain)
    child = make_child(rest, step["id"])
    below = make_child(rest, child)
    inner = start_step(rest, chain, parent_run_id=child)
    innermost = make_child(rest, inner["id"])
    with rest.context.change() as change:
        end_client_runs_below(change, step["id"], ending, "engine")
    assert statuses(rest, child, below) == [ending, ending]
    assert statuses(rest, step["id"], inner["id"], inner["pipeline_run_id"], innermost) == ["Running"] * 4  # they live on
    run = rest.client.get_run(below)
    assert bool(run["error"]) == (ending == "Failed")
    assert run["ended_at"]


# Metrics


def test_metrics_of_a_tree(rest: Any) -> None:
    parent = rest.client.create_run(rest.workspace_id, "e")["id"]
    child = rest.client.create_run(rest.workspace_id, "e", parent_run_id=parent)["id"]
    rest.client.log_metrics(child, [{"name": "loss", "kind": "scalar", "value": 1.5, "step": 2, "at": "then"}])
    rest.client.log_metrics(child, [{"name": "loss", "kind": "scalar", "value": float("inf")}])
    assert rest.client.list_metrics(parent) == {}
    records = rest.client.list_metrics(parent, recursive=True)[child]
    assert records[0] == {"name": "loss", "kind": "scalar", "value": 1.5, "step": 2, "at": "then"}
    assert records[1]["value"] == float("inf")
    assert records[1]["at"].endswith("Z")


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"name": "", "kind": "scalar", "value": 1},
        {"name": "a", "kind": "odd", "value": 1},
        {"name": "a", "kind": [], "value": 1},
        {"name": "a", "kind": "list", "value": 1},
        {"name": "a", "kind": "scalar", "value": 1, "step": "x"},
    ],
)
def test_metric_that_is_none(rest: Any, record: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    with pytest.raises(Invalid):
        rest.client.log_metrics(run, [{"name": "good", "kind": "scalar", "value": 1}, record])
    assert rest.client.list_metrics(run) == {}


def test_torn_line_is_skipped(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    rest.client.log_metrics(run, [{"name": "a", "kind": "scalar", "value": 1}])
    with (rest.home.run_folder(run) / "metrics.jsonl").open("ab") as file:
        file.write(b'{"name": "b", "kind": "sca')
    rest.client.log_metrics(run, [{"name": "c", "kind": "scalar", "value": 3}])
    assert [record["name"] for record in rest.client.list_metrics(run)[run]] == ["a", "c"]
