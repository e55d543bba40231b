"""What a stored graph says of every run of it: its order, and what each step is. A graph never changes, so this is worked out once."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass

from penstock.compile import checks, fingerprints
from penstock.model.errors import NotFound
from penstock.model.graph import PipelineGraph, parse_graph
from penstock.persistence.database import Database

_MOST_STEPS = 50_000  # of all plans that are kept in memory together: some 150 MB


@dataclass(frozen=True)
class Plan:
    """A graph, the order of its steps, and node id -> the id of the step's definition."""

    graph: PipelineGraph
    order: tuple[str, ...]
    definitions: dict[str, str]


def make_plan(graph: PipelineGraph) -> Plan:
    """Return the plan of a checked graph."""
    return Plan(graph, checks.order(graph), {step.id: fingerprints.definition_id(step) for step in graph.steps})


class _Kept:
    """The plans that were asked for last, as many as have not too many steps together. Threads share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: OrderedDict[tuple[Database, str], Plan] = OrderedDict()
        self._steps = 0

    def find(self, key: tuple[Database, str]) -> Plan | None:
        with self._lock:
            if key in self._plans:
                self._plans.move_to_end(key)
            return self._plans.get(key)

    def keep(self, key: tuple[Database, str], plan: Plan) -> None:
        with self._lock:
            if key not in self._plans:
                self._plans[key] = plan
                self._steps += len(plan.order)
            while self._steps > _MOST_STEPS and len(self._plans) > 1:  # the one that is worked with stays, whatever its size
                _, oldest = self._plans.popitem(last=False)
                self._steps -= len(oldest.order)

    def clear(self) -> None:
        with self._lock:
            self._plans.clear()
            self._steps = 0


_kept = _Kept()


def plan_of(database: Database, graph_id: str) -> Plan:
    """Return the plan of a stored graph; those that were asked for last are kept in memory.

    Raises:
        NotFound: There is no such graph.
    """
    plan = _kept.find((database, graph_id))
    if plan is None:
        row = database.first("select document from graphs where id = ?", (graph_id,))
        if row is None:
            raise NotFound(f"There is no graph with the id '{graph_id}'.")
        plan = make_plan(parse_graph(json.loads(row["document"])))
        _kept.keep((database, graph_id), plan)
    return plan


def forget_plans() -> None:
    """Let no plan be in memory, so that each is read anew."""
    _kept.clear()
