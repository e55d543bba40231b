"""How many steps start at once: by the slots of this machine, and by the nodes of compute targets that fit on it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.client.home import Home
from penstock.compile.manifests import Entry, manifest_digest
from penstock.engine.executors import Handle, Outcome, StepOrder
from penstock.engine.orders import StepReader
from penstock.engine.scheduler import Scheduler
from penstock.model.graph import Argument, ComputeRef, PipelineGraph, StepNode, format_graph
from penstock.model.vm_sizes import nodes_at_once
from penstock.operations import compute_targets, runs, submit, workspaces
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.settings import Settings

SLOTS = 8


@dataclass
class Patient:
    """Starts what it is told to and keeps it going until the test ends it."""

    running: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def start(self, order: StepOrder) -> Handle:
        self.running.append(order.arguments[0])
        return {"name": order.arguments[0]}

    def find(self, step_run_id: str, attempt: int) -> Handle:
        return {"name": None}

    def poll(self, handle: Handle, thorough: bool = False) -> Outcome | None:
        return Outcome(exit_code=0, ended_at=1.0) if handle["name"] in self.ended else None

    def stop(self, handle: Handle, force: bool) -> bool:
        return True

    def end(self, *names: str) -> None:
        self.ended.update(names)
        self.running = [name for name in self.running if name not in names]


class Cluster:
    """A scheduler over real rows, and the verbs of the tests."""

    def __init__(self, home: Path, slots: int = SLOTS) -> None:
        place = Home(home)
        place.create()
        self.context = Context(Database(place.database), place, Settings(step_slots=slots))
        self.executor = Patient()
        self.scheduler = Scheduler(self.context, self.executor, StepReader(self.context, "/library"))
        self.workspace_id = str(workspaces.resolve_workspace(self.context, "sub", "group", "testing")["id"])

    def target(self, name: str, kind: str = "AmlCompute", **definition: Any) -> dict[str, Any]:
        return compute_targets.put_compute_target(self.context, self.workspace_id, name, kind, definition, overwrite=True)

    def submit(self, *steps: tuple[str, str | None]) -> str:
        """Submit steps that do not wait for each other: (name, compute target)."""
        nodes = [
            StepNode(
                id=name,
                name=name,
                script="step.py",
                snapshot=self._snapshot(),
                arguments=(Argument("literal", name),),
                compute=ComputeRef(target) if target else None,
                allow_reuse=False,
            )
            for name, target in steps
        ]
        document = {"graph": format_graph(PipelineGraph(steps=tuple(nodes))), "interpreter": sys.executable}
        return str(submit.submit_pipeline(self.context, self.workspace_id, "room", document)["run"]["id"])

    def _snapshot(self) -> str:
        entries = [Entry("step.py", 4, hashlib.sha256(b"pass").hexdigest())]
        manifest = json.dumps([list(entry) for entry in entries])
        with self.context.change() as change:
            change.rows.execute("insert or ignore into snapshots values (?, ?, ?)", [manifest_digest(entries), manifest, change.at])
        return manifest_digest(entries)

    def turn(self) -> list[str]:
        for _ in range(4):
            self.scheduler.turn(thorough=True)
        return sorted(self.executor.running)


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute_targets, "_usable_cores", lambda: 4)


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    made = Cluster(home)
    yield made
    made.context.database.close()


def test_a_size_that_fits_twice_runs_twice(cluster: Cluster) -> None:
    assert cluster.target("cpu", max_nodes=4, vm_size="STANDARD_DS3_V2")["nodes_at_once"] == 2
    run_id = cluster.submit(*((f"s{number}", "cpu") for number in range(4)))
    assert len(cluster.turn()) == 2
    first = list(cluster.executor.running)
    cluster.executor.end(first[0])
    assert len(cluster.turn()) == 2
    assert compute_targets.get_compute_target(cluster.context, cluster.workspace_id, "cpu")["active_runs"] == 2
    cluster.executor.end("s0", "s1", "s2", "s3")
    cluster.turn()
    cluster.executor.end("s0", "s1", "s2", "s3")
    cluster.turn()
    assert runs.get_run(cluster.context, run_id)["status"] == "Completed"


def test_a_size_without_room_runs_one_at_a_time(cluster: Cluster) -> None:
    cluster.target("big", max_nodes=4, vm_size="Standard_M128s")
    cluster.submit(("a", "big"), ("b", "big"))
    assert len(cluster.turn()) == 1


def test_a_definition_that_sql_can_not_read_counts_too(cluster: Cluster) -> None:
    assert cluster.target("odd", max_nodes=4, vm_size="STANDARD_DS3_V2", ratio=float("nan"))["nodes_at_once"] == 2
    cluster.submit(*((f"s{number}", "odd") for number in range(4)))
    assert len(cluster.turn()) == 2


def test_what_waits_for_its_target_keeps_no_other_target_waiting(cluster: Cluster) -> None:
    cluster.target("big", max_nodes=1, vm_size="Standard_M128s")
    cluster.target("small", max_nodes=2)
    cluster.submit(("a", "big"), ("b", "big"), ("c", "small"), ("d", None))
    assert cluster.turn() in (["a", "c", "d"], ["b", "c", "d"])


def test_more_nodes_let_waiting_steps_start(cluster: Cluster) -> None:
    cluster.target("cpu", max_nodes=1)
    cluster.submit(("a", "cpu"), ("b", "cpu"), ("c", "cpu"))
    assert len(cluster.turn()) == 1
    cluster.target("cpu", max_nodes=3)
    assert len(cluster.turn()) == 3


def test_a_target_that_is_gone_runs_one_at_a_time(cluster: Cluster) -> None:
    cluster.target("cpu", max_nodes=3)
    cluster.submit(("a", "cpu"), ("b", "cpu"))
    compute_targets.delete_compute_target(cluster.context, cluster.workspace_id, "cpu")
    assert len(cluster.turn()) == 1


@pytest.mark.parametrize(("kind", "at_once"), [("ComputeInstance", 1), ("VirtualMachine", 1), ("Kubernetes", SLOTS), ("AKS", SLOTS)])
def test_kinds_without_a_limit_of_their_own(cluster: Cluster, kind: str, at_once: int) -> None:
    assert cluster.target("x", kind)["nodes_at_once"] == at_once


SIZES = st.sampled_from([None, "Standard_D1_v2", "STANDARD_D2_V2", "Standard_DS3_v2", "Standard_NC6", "Standard_D14_v2", "odd"])
TARGETS = st.lists(st.tuples(st.integers(1, 10), SIZES), min_size=1, max_size=3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TARGETS, st.integers(0, 12), st.integers(1, SLOTS))
def test_never_more_than_there_is_room_for(tmp_path_factory: Any, targets: list[tuple[int, str | None]], count: int, slots: int) -> None:
    cluster = Cluster(tmp_path_factory.mktemp("room"), slots)
    try:
        for number, (nodes, size) in enumerate(targets):
            cluster.target(f"t{number}", max_nodes=nodes, **({"vm_size": size} if size else {}))
        steps = [(f"s{number}", f"t{number % len(targets)}") for number in range(count)]
        if steps:
            cluster.submit(*steps)
        machine, left = compute_targets.this_machine(cluster.context), {name for name, _ in steps}
        while left:
            running = cluster.turn()
            used = Counter(dict(steps)[name] for name in running)
            limits = {f"t{number}": nodes_at_once(nodes, size, machine) for number, (nodes, size) in enumerate(targets)}
            assert len(running) <= slots
            assert all(used[name] <= limits[name] for name in used)
            waiting = Counter(target for name, target in steps if name in left - set(running))
            assert len(running) == slots or all(used[name] == limits[name] for name in waiting), "nobody waits without a reason"
            cluster.executor.end(running[0])
            left.discard(running[0])
    finally:
        cluster.context.database.close()
