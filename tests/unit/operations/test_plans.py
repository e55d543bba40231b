"""Plans of stored graphs: worked out once, and kept in bounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.model.errors import NotFound
from penstock.model.graph import PipelineGraph, StepNode, format_graph
from penstock.operations import plans
from penstock.persistence.database import Database


def test_the_plans_asked_for_last_are_kept_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_MOST_STEPS", 7)
    plans.forget_plans()
    database = Database(tmp_path / "rows.db")
    steps = tuple(StepNode(id=f"s{number}", name="s", command=("true",)) for number in range(3))
    try:
        with database.transaction() as rows:
            for name in ("a", "b", "c", "large"):
                graph = PipelineGraph(name=name, steps=_many(8) if name == "large" else steps)
                rows.insert("graphs", {"id": name, "document": json.dumps(format_graph(graph)), "created_at": ""})
        for name in ("a", "b", "a", "c"):  # of three, two fit: b was asked for longest ago
            assert plans.plan_of(database, name).graph.name == name
        with database.transaction() as rows:
            rows.execute("delete from graphs where id <> 'large'")
        assert [plans.plan_of(database, name).order for name in ("a", "c")] == [("s0", "s1", "s2")] * 2
        with pytest.raises(NotFound, match="no graph with the id 'b'"):
            plans.plan_of(database, "b")
        assert len(plans.plan_of(database, "large").order) == 8
        with pytest.raises(NotFound):  # it took the room of all others
            plans.plan_of(database, "a")
    finally:
        database.close()
        plans.forget_plans()


def _many(count: int) -> tuple[StepNode, ...]:
    return tuple(StepNode(id=f"m{number}", name="m", command=("true",)) for number in range(count))
