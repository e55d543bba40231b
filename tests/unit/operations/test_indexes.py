"""Questions that are asked often find their rows through an index, whatever the number of runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from penstock.client.home import Home
from penstock.operations import layout, reuse, runs, schedule_polls, schedule_ticks, steps, workspaces
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.settings import Settings


class Watched(Database):
    """A database that remembers how it looked for the rows of each question."""

    def __init__(self, path: Path) -> None:
        self.plans: list[str] = []
        super().__init__(path)

    def _explain(self, sql: str, values: Any) -> None:
        self.plans += [row["detail"] for row in super().all(f"explain query plan {sql}", values)]

    def all(self, sql: str, values: Any = ()) -> list[dict[str, Any]]:
        self._explain(sql, values)
        return super().all(sql, values)

    def each(self, sql: str, values: Any = ()) -> Iterator[dict[str, Any]]:
        self._explain(sql, values)
        return super().each(sql, values)

    def first(self, sql: str, values: Any = ()) -> dict[str, Any] | None:
        self._explain(sql, values)
        return super().first(sql, values)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    home = Home(tmp_path)
    home.create()
    database = Watched(home.database)
    yield Context(database, home, Settings())
    database.close()


QUESTIONS = {
    "the queue": (lambda context: list(steps.each_ready_step(context)), "runs_by_status"),
    "one of the queue": (lambda context: steps.list_ready_steps(context, {"a"}), "INDEX"),
    "steps under way": (steps.list_steps_under_way, "runs_by_status"),
    "pipelines to close": (steps.list_pipelines_to_close, "runs_by_status"),
    "the last run of a name": (lambda context: reuse.find_similar(context, "w", "n", "e"), "runs_by_name"),
    "a result": (lambda context: reuse.find_result(context, "w", "key"), "reuse"),
    "a short id": (
        lambda context: runs.list_runs(context, id_prefix="abc", include_children=True, limit=6),
        "autoindex_runs_1 (id>? AND id<?)",
    ),
    "the newest of all runs": (lambda context: runs.list_runs(context, include_children=True, limit=20), "runs_by_time"),
    "runs of a pipeline": (lambda context: runs.list_published_runs(context, pipeline_id="p", limit=20), "pipeline_runs_by_pipeline"),
    "runs of an endpoint": (lambda context: runs.list_published_runs(context, endpoint_id="e", limit=20), "pipeline_runs_by_endpoint"),
    "runs of a schedule": (lambda context: runs.list_published_runs(context, schedule_id="s", limit=20), "pipeline_runs_by_schedule"),
    "runs that wait": (layout.count_waiting, "pipeline_runs_waiting"),
    "the run that waits longest": (layout.lay_out_next, "pipeline_runs_waiting"),
    "the next schedule": (schedule_ticks.next_due, "schedules_due"),
    "schedules that are due": (schedule_ticks.fire_due, "schedules_due"),
    "looks that are due": (lambda context: schedule_polls.claim_due(context, datetime.now(timezone.utc)), "schedules_due"),
    "runs of some status": (lambda context: runs.list_runs(context, "w", status=["Failed"], limit=20), "runs_by_workspace"),
}

NO_SCAN = ("json_each", "CONSTANT ROW", "runs_by_time")  # the last is read from its end, as far as a page goes
SORTED = (  # the few that were chosen
    *("a short id", "the newest of all runs", "runs of some status"),
    *("runs of a pipeline", "runs of an endpoint", "runs of a schedule"),
)


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_table_is_read_whole(context: Context, name: str) -> None:
    ask, index = QUESTIONS[name]
    ask(context)
    assert isinstance(context.database, Watched)
    plan = context.database.plans
    assert any(index in line for line in plan), plan
    assert not [line for line in plan if line.startswith("SCAN") and not any(word in line for word in NO_SCAN)], plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan or name in SORTED, plan


def test_many_runs_are_deleted_in_no_time(context: Context) -> None:
    count = 3_000
    workspace = workspaces.create_workspace(context, "w")["id"]
    with context.change() as change:
        change.rows.insert("experiments", {"id": "e", "workspace_id": workspace, "name": "e", "created_at": change.at})
        row = {"workspace_id": workspace, "experiment_id": "e", "number": 1, "status": "Completed", "created_at": change.at}
        change.rows.insert_many("runs", [{**row, "id": f"r{number}", "root_run_id": f"r{number}"} for number in range(count)])
        kept = {"workspace_id": workspace, "created_at": change.at}
        change.rows.insert_many("reuse", [{**kept, "key": f"k{number}", "run_id": f"r{number % count}"} for number in range(20 * count)])
    began = time.monotonic()
    with context.change() as change:
        change.rows.execute("delete from runs where workspace_id = ?", [workspace])
    assert time.monotonic() - began < 2  # 0.4 s, and many times that when each run reads the whole table
    assert context.database.first("select count(*) as left from reuse") == {"left": 0}
