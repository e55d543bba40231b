"""What a stored graph says of every run of it: its order, and what each step is. A graph never changes, so this is worked out once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from penstock.compile import checks, fingerprints
from penstock.model.errors import NotFound
from penstock.model.graph import PipelineGraph, parse_graph
from penstock.persistence.database import Database

_KEPT = 32


@dataclass(frozen=True)
class Plan:
    """A graph, the order of its steps, and node id -> the id of the step's definition."""

    graph: PipelineGraph
    order: tuple[str, ...]
    definitions: dict[str, str]


def make_plan(graph: PipelineGraph) -> Plan:
    """Return the plan of a checked graph."""
    return Plan(graph, checks.order(graph), {step.id: fingerprints.definition_id(step) for step in graph.steps})


@lru_cache(maxsize=_KEPT)
def plan_of(database: Database, graph_id: str) -> Plan:
    """Return the plan of a stored graph; the last few are kept in memory.

    Raises:
        NotFound: There is no such graph.
    """
    row = database.first("select document from graphs where id = ?", (graph_id,))
    if row is None:
        raise NotFound(f"There is no graph with the id '{graph_id}'.")
    return make_plan(parse_graph(json.loads(row["document"])))
