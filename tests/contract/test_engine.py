"""The scheduler with real rows and an executor of which the worst is to be expected."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.client.home import Home
from penstock.compile.manifests import Entry, manifest_digest
from penstock.engine.executors import Handle, Outcome, StepOrder
from penstock.engine.orders import StepReader
from penstock.engine.scheduler import MOST_ATTEMPTS, Scheduler
from penstock.model.errors import Unavailable
from penstock.model.graph import Argument, PipelineGraph, StepNode, format_graph
from penstock.operations import runs, submit, workspaces
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.settings import Settings


@dataclass
class WorstExecutor:
    """Ends every attempt well, but for the steps of `trouble`: there it does what is said."""

    trouble: dict[str, Exception | Outcome] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def start(self, order: StepOrder) -> Handle:
        name = order.arguments[0]
        self.started.append(name)
        if isinstance(self.trouble.get(name), Exception):
            raise self.trouble[name]
        return {"name": name}

    def find(self, step_run_id: str, attempt: int) -> Handle:
        return {"name": None}

    def poll(self, handle: Handle, thorough: bool = False) -> Outcome | None:
        if handle["name"] is None:
            return Outcome(began=False, lost="it was never handed over")
        told = self.trouble.get(handle["name"])
        return told if isinstance(told, Outcome) else Outcome(exit_code=0, ended_at=1.0)

    def stop(self, handle: Handle, force: bool) -> bool:
        return True


@pytest.fixture
def context(home: Path) -> Iterator[Context]:
    place = Home(home)
    place.create()
    database = Database(place.database)
    yield Context(database, place, Settings(step_slots=2))
    database.close()


@pytest.fixture
def executor() -> WorstExecutor:
    return WorstExecutor()


@pytest.fixture
def scheduler(context: Context, executor: WorstExecutor) -> Scheduler:
    return Scheduler(context, executor, StepReader(context, "/library"))


def start(context: Context, *names: str, **members: object) -> str:
    """Submit a pipeline of steps that do not wait for each other; return its run id."""
    workspace = workspaces.resolve_workspace(context, "sub", "group", "testing")
    digest = hashlib.sha256(b"pass").hexdigest()
    entries = [Entry("step.py", 4, digest)]
    with context.change() as change:
        change.rows.execute(
            "insert or ignore into snapshots values (?, ?, ?)",
            [manifest_digest(entries), json.dumps([list(entry) for entry in entries]), change.at],
        )
    nodes = [
        StepNode(
            id=f"n{number}",
            name=name,
            script="step.py",
            snapshot=manifest_digest(entries),
            arguments=(Argument("literal", name),),
            **members,
        )
        for number, name in enumerate(names)
    ]
    document = {"graph": format_graph(PipelineGraph(steps=tuple(nodes))), "interpreter": sys.executable, "continue_on_step_failure": True}
    return str(submit.submit_pipeline(context, workspace["id"], "engine", document)["run"]["id"])


def turn(scheduler: Scheduler, times: int = 5) -> None:
    for _ in range(times):
        scheduler.turn(thorough=True)


def statuses(context: Context, run_id: str) -> dict[str, str]:
    return {step["name"]: step["status"] for step in runs.list_children(context, run_id)}


@pytest.mark.parametrize("trouble", [RuntimeError("a bug of ours"), TypeError("unhashable"), KeyError("gone")])
def test_a_bug_met_by_one_step_keeps_no_other_waiting(context, executor, scheduler, trouble):
    executor.trouble["bad"] = trouble
    run_id = start(context, "bad", "good")
    turn(scheduler)
    assert statuses(context, run_id) == {"bad": "Failed", "good": "Completed"}
    error = runs.get_run(context, run_id)["error"]
    assert error["code"] == "SystemError"
    assert "penstock service logs" in error["message"]
    other = start(context, "later")
    turn(scheduler)
    assert statuses(context, other) == {"later": "Completed"}


def test_what_will_pass_is_tried_again(context, executor, scheduler):
    executor.trouble["held"] = Unavailable("The disk is full.")
    run_id = start(context, "held")
    turn(scheduler, 2)
    assert runs.get_run(context, run_id)["status"] == "Running"
    executor.trouble.clear()
    turn(scheduler)
    assert runs.get_run(context, run_id)["status"] == "Completed"


@pytest.mark.parametrize("thorough", [False, True])
def test_what_is_held_up_does_not_keep_the_engine_busy(context, executor, scheduler, thorough):
    executor.trouble["held"] = Unavailable("The disk is full.")
    run_id = start(context, "held", "other")
    for _ in range(5):
        scheduler.turn(thorough)
    (held,) = [step for step in runs.list_children(context, run_id) if step["name"] == "held"]
    assert (held["status"], held["attempt"]) == ("Queued", 0), "what was not handed over does not count"
    assert statuses(context, run_id)["other"] == "Completed"
    assert executor.started.count("held") == (5 if thorough else 1), "once for each sweep"


def test_what_never_begins_fails_in_the_end(context, executor, scheduler):
    executor.trouble["never"] = Outcome(began=False, lost="nobody took it")
    run_id = start(context, "never")
    turn(scheduler, 3 * MOST_ATTEMPTS)
    assert statuses(context, run_id) == {"never": "Failed"}
    assert executor.started == ["never"] * MOST_ATTEMPTS
    assert "nobody took it" in runs.get_run(context, run_id)["error"]["message"]


def test_late_words_of_an_old_attempt_are_refused(context, scheduler, executor):
    from penstock.operations.steps import Ending, settle

    executor.trouble["slow"] = Outcome(began=False, lost="its line was lost")
    run_id = start(context, "slow")
    turn(scheduler, 4)
    (step,) = runs.list_children(context, run_id)
    assert step["attempt"] >= 2
    assert not settle(context, step["id"], 1, Ending("Completed", "too late"))
    executor.trouble.clear()
    turn(scheduler)
    (step,) = runs.list_children(context, run_id)
    assert not settle(context, step["id"], step["attempt"], Ending("Failed", "twice"))
    assert runs.get_run(context, run_id)["status"] == "Completed"


def test_no_more_steps_than_slots_and_nodes(context, executor, scheduler):
    from penstock.model.graph import ComputeRef
    from penstock.operations import compute_targets

    workspace = workspaces.resolve_workspace(context, "sub", "group", "testing")
    compute_targets.put_compute_target(context, workspace["id"], "one", "AmlCompute", {"max_nodes": 1})
    executor.poll = lambda handle, thorough=False: None  # type: ignore[method-assign]
    start(context, *[f"s{number}" for number in range(4)], compute=ComputeRef("one"))
    turn(scheduler)
    assert len(executor.started) == 1, "the target has one node"
    start(context, *[f"t{number}" for number in range(4)])
    turn(scheduler)
    assert len(executor.started) == 2, "the machine has two slots"
