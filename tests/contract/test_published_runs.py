"""Runs of published pipelines: accepted as one row, laid out by the engine when there is room."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_engine import WorstExecutor

from penstock.client.home import Home
from penstock.compile.manifests import Entry, manifest_digest
from penstock.engine.orders import StepReader
from penstock.engine.scheduler import LAID_OUT_AT_ONCE, Scheduler
from penstock.model.errors import AlreadyExists, Invalid, InvalidGraph, NotFound, Refused, Unavailable
from penstock.model.graph import Argument, ComputeRef, DataNode, InputPort, Parameter, PipelineGraph, PortRef, StepNode, StepParameter
from penstock.model.graph import format_graph as formatted
from penstock.model.ids import new_id
from penstock.operations import compute_targets, layout, pipeline_endpoints, pipelines, published_runs, runs, workspaces
from penstock.operations.context import Context
from penstock.operations.plans import forget_plans
from penstock.persistence.database import Database
from penstock.settings import Settings

ENTRIES = [Entry("step.py", 4, hashlib.sha256(b"pass").hexdigest())]
SOURCE = manifest_digest(ENTRIES)


def chain(length: int, **more: Any) -> PipelineGraph:
    """Steps one after another, each with its name as its argument and the parameter `n`."""
    return PipelineGraph(
        name="chain",
        steps=tuple(
            StepNode(
                id=f"s{index}",
                name=f"step{index}",
                script="step.py",
                snapshot=SOURCE,
                arguments=(Argument("literal", f"step{index}"),),
                parameters=(StepParameter("n", pipeline_parameter="n"),),
                run_after=(f"s{index - 1}",) if index else (),
                allow_reuse=False,
                **more,
            )
            for index in range(length)
        ),
        parameters=(Parameter("n", "int", 1),),
    )


@pytest.fixture
def context(home: Path) -> Iterator[Context]:
    place = Home(home)
    place.create()
    database = Database(place.database)
    yield Context(database, place, Settings(step_slots=2))
    database.close()


@pytest.fixture
def workspace(context: Context) -> str:
    with context.change() as change:
        manifest = json.dumps([list(entry) for entry in ENTRIES])
        change.rows.insert("snapshots", {"digest": SOURCE, "manifest": manifest, "created_at": change.at})
    return str(workspaces.default_workspace(context)["id"])


@pytest.fixture
def published(context: Context, workspace: str) -> str:
    return publish(context, workspace, chain(3))


def publish(context: Context, workspace: str, graph: PipelineGraph, **more: Any) -> str:
    wanted = {"graph": formatted(graph), "name": "chained", "interpreter": sys.executable, **more}
    return str(pipelines.publish(context, workspace, wanted)["id"])


def submit(context: Context, workspace: str, pipeline: str, **wanted: Any) -> dict[str, Any]:
    return published_runs.submit_published(context, workspace, pipeline, {"experiment_name": "called", **wanted})


def engine(context: Context) -> Scheduler:
    return Scheduler(context, WorstExecutor(), StepReader(context, ""))


def turn_until_idle(scheduler: Scheduler) -> None:
    for _ in range(500):
        if not scheduler.turn(True):
            return
    raise AssertionError("the engine never came to rest")


def test_an_accepted_run_is_one_row_and_ends_well(context: Context, workspace: str, published: str) -> None:
    run = submit(
        context, workspace, published, parameters={"n": "7"}, tags={"a": "b"}, step_tags={"c": "d"}, run_source="API", run_type="HTTP"
    )
    assert (run["status"], run["parameters"], run["pipeline_id"]) == ("NotStarted", {"n": 7}, published)
    assert run["tags"] == {"a": "b"}
    assert {key: run["properties"][key] for key in ("runSource", "runType", "azureml.pipelineid")} == {
        "runSource": "API",
        "runType": "HTTP",
        "azureml.pipelineid": published,
    }
    assert runs.list_children(context, run["id"]) == []
    turn_until_idle(engine(context))
    steps = runs.list_children(context, run["id"])
    assert runs.get_run(context, run["id"])["status"] == "Completed"
    assert sorted(step["number"] for step in steps) == [run["number"] + 1, run["number"] + 2, run["number"] + 3]
    assert all(step["tags"]["c"] == "d" and step["status"] == "Completed" for step in steps)


def test_what_was_accepted_is_found_by_its_origin(context: Context, workspace: str, published: str) -> None:
    other = publish(context, workspace, chain(1))
    mine = [submit(context, workspace, published, schedule_id="tick")["id"] for _ in range(3)]
    submit(context, workspace, other)
    assert [run["id"] for run in runs.list_published_runs(context, pipeline_id=published)] == mine[::-1]
    assert [run["id"] for run in runs.list_published_runs(context, schedule_id="tick", limit=2)] == mine[:0:-1]
    assert runs.list_published_runs(context, pipeline_id=other, schedule_id="tick") == []


def test_runs_are_laid_out_in_their_turn_and_only_while_there_is_room(context: Context, workspace: str, published: str) -> None:
    accepted = [submit(context, workspace, published)["id"] for _ in range(LAID_OUT_AT_ONCE + 4)]
    scheduler = engine(context)
    assert scheduler.turn()
    laid_out = [run_id for run_id in accepted if runs.list_children(context, run_id)]
    assert laid_out == accepted[:2]  # two slots, and each run has one step to begin with
    turn_until_idle(scheduler)
    assert {runs.get_run(context, run_id)["status"] for run_id in accepted} == {"Completed"}


def test_a_full_compute_target_keeps_nobody_else_waiting(context: Context, workspace: str, published: str) -> None:
    compute_targets.put_compute_target(context, workspace, "narrow", "AmlCompute", {"max_nodes": 1})
    narrow = publish(context, workspace, chain(1, compute=ComputeRef("narrow")))
    first, second = (submit(context, workspace, narrow)["id"] for _ in range(2))
    third = submit(context, workspace, published)["id"]
    engine(context).turn()
    children = [runs.list_children(context, run_id) for run_id in (first, second, third)]
    assert [items[-1]["status"] if items else None for items in children[:2]] == ["Running", "Queued"]
    assert "Running" in {step["status"] for step in children[2]}


def test_a_waiting_run_is_cancelled_at_once(context: Context, workspace: str, published: str) -> None:
    run = submit(context, workspace, published)
    assert runs.cancel_run(context, run["id"])["status"] == "Canceled"
    turn_until_idle(engine(context))
    assert runs.list_children(context, run["id"]) == []


def test_a_request_that_is_sent_again_starts_one_run(context: Context, workspace: str, published: str) -> None:
    request_id = new_id()
    first, again = (submit(context, workspace, published, request_id=request_id)["id"] for _ in range(2))
    assert first == again == request_id
    turn_until_idle(engine(context))
    assert submit(context, workspace, published, request_id=request_id)["status"] == "Completed"
    with pytest.raises(AlreadyExists, match="make a new one"):
        submit(context, workspace, published, request_id=runs.list_children(context, first)[0]["id"])
    with pytest.raises(AlreadyExists, match="make a new one"):
        submit(context, workspace, publish(context, workspace, chain(1)), request_id=request_id)


def test_a_request_to_an_endpoint_finds_its_run_whatever_the_endpoint_runs_now(context: Context, workspace: str, published: str) -> None:
    endpoint = pipeline_endpoints.create_endpoint(context, workspace, "called", published)["id"]
    request_id, order = new_id(), {"experiment_name": "called"}
    published_runs.submit_endpoint(context, workspace, endpoint, None, {**order, "request_id": request_id})
    pipeline_endpoints.add_version(context, workspace, endpoint, publish(context, workspace, chain(1)), default=True)
    again = published_runs.submit_endpoint(context, workspace, endpoint, None, {**order, "request_id": request_id})
    assert (again["id"], again["pipeline_id"]) == (request_id, published)
    with pytest.raises(AlreadyExists, match="make a new one"):
        submit(context, workspace, published, request_id=request_id)


def test_an_engine_that_begins_anew_lays_out_what_waited(context: Context, workspace: str, published: str) -> None:
    accepted = [submit(context, workspace, published)["id"] for _ in range(3)]
    engine(context).turn()  # and dies
    turn_until_idle(engine(context))
    assert {runs.get_run(context, run_id)["status"] for run_id in accepted} == {"Completed"}


def test_what_is_wrong_is_refused_before_anything_is_written(context: Context, workspace: str, published: str) -> None:
    with pytest.raises(Invalid, match="Did you mean 'n'") as caught:
        submit(context, workspace, published, parameters={"N": 1})
    assert caught.value.details["parameters"] == ["N"]
    with pytest.raises(Invalid, match="experiment"):
        published_runs.submit_published(context, workspace, published, {})
    with pytest.raises(NotFound, match="no published pipeline"):
        submit(context, workspace, "nothing")
    with pytest.raises(NotFound, match="no run"):
        submit(context, workspace, published, parent_run_id="nobody")
    with pytest.raises(Invalid, match="step tags"):
        submit(context, workspace, published, step_tags={"a": []})
    pipelines.set_status(context, workspace, published, "Disabled")
    with pytest.raises(Refused, match="is Disabled"):
        submit(context, workspace, published)
    assert runs.list_runs(context) == []


def test_a_long_value_is_not_told_in_full(context: Context, workspace: str) -> None:
    [step] = chain(1).steps
    graph = replace(chain(1), steps=(replace(step, allow_reuse=True),), parameters=(Parameter("n", "str", "x"),))
    published = publish(context, workspace, graph)
    for value in ("x", "y" * 100_000):
        run = submit(context, workspace, published, parameters={"n": value})
        turn_until_idle(engine(context))
    reason = runs.list_children(context, run["id"])[0]["reason"]
    assert "changed from 'x' to 'yyyy" in reason
    assert reason.count("y") < 1000
    assert "(100000 characters)" in reason


def test_a_run_whose_datastore_is_gone_is_refused(context: Context, workspace: str) -> None:
    reading = PipelineGraph(
        steps=(StepNode(id="s", name="s", command=("true",), inputs=(InputPort("in", PortRef("d", "data")),)),),
        data=(DataNode("d", "d", parameter="where"),),
        parameters=(Parameter("where", "datapath", {"datastore": "workspaceblobstore", "path": "in"}),),
    )
    published = publish(context, workspace, reading)
    with pytest.raises(InvalidGraph, match="'nowhere'"):
        submit(context, workspace, published, parameters={"where": {"datastore": "nowhere", "path": "in"}})
    assert layout.count_waiting(context) == 0


def test_a_run_that_cannot_be_laid_out_fails_with_the_reason(context: Context, workspace: str, published: str) -> None:
    run = submit(context, workspace, published)
    with context.change() as change:
        change.rows.execute("update graphs set document = '{\"format\": 99}'")
    forget_plans()
    turn_until_idle(engine(context))
    ended = runs.get_run(context, run["id"])
    assert (ended["status"], "format 99" in ended["error"]["message"]) == ("Failed", True)


def test_a_run_that_no_code_foresaw_fails_alone(context: Context, workspace: str, published: str) -> None:
    broken, good = (submit(context, workspace, published)["id"] for _ in range(2))
    with context.change() as change:
        change.rows.execute("update pipeline_runs set step_tags = '5' where run_id = ?", (broken,))
    turn_until_idle(engine(context))
    ended = runs.get_run(context, broken)
    assert (ended["status"], "penstock service logs" in ended["error"]["message"]) == ("Failed", True)
    assert runs.get_run(context, good)["status"] == "Completed"


def test_a_run_waits_while_there_is_no_room_for_its_rows(context: Context, workspace: str) -> None:
    run = submit(context, workspace, publish(context, workspace, chain(500)))
    scheduler = engine(context)
    with full_disk(context), pytest.raises(Unavailable, match="is full"):
        scheduler.turn()
    assert runs.get_run(context, run["id"])["status"] == "NotStarted"
    scheduler.turn()
    assert len(runs.list_children(context, run["id"])) == 500


@contextlib.contextmanager
def full_disk(context: Context) -> Iterator[None]:
    """Let the database grow no further."""
    with context.change() as change:
        change.rows.all("pragma max_page_count = 1")  # it keeps what it has
    yield
    with context.change() as change:
        change.rows.all(f"pragma max_page_count = {2**31}")
