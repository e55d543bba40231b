"""What lies below a run, and what becomes of it when the run ends.

A step's script, or an interactive run, may make child runs and drive them itself. When the process that drives them is gone, nobody else
can end them.
"""

from __future__ import annotations

import json
from typing import Any

from penstock.model import status as words
from penstock.operations.context import Change, Context
from penstock.persistence.database import sql_list

_BECAME = {words.CANCELED: "was cancelled", words.FAILED: "failed before it ended", words.COMPLETED: "ended before it did"}
_ACTIVE = sql_list(words.ACTIVE)

# A run and everything below it.
TREE = """
    with recursive tree (id) as (
        select id from runs where id = :run
        union all select runs.id from runs join tree on runs.parent_run_id = tree.id
    )"""

# The same, but for pipeline runs below it and what belongs to them: those have steps of their own, and live on without their parent.
_OWN_TREE = """
    with recursive tree (id) as (
        select id from runs where id = :run
        union all select runs.id from runs join tree on runs.parent_run_id = tree.id
         where not exists (select 1 from pipeline_runs where pipeline_runs.run_id = runs.id)
    )"""

_CLIENT_RUNS = f"""{_OWN_TREE}
    select runs.id, runs.root_run_id from tree join runs on runs.id = tree.id
     where runs.id <> :run and runs.status in {_ACTIVE}
       and not exists (select 1 from step_runs where step_runs.run_id = runs.id)"""


def list_descendants(context: Context, run_id: str) -> list[str]:
    """Return the ids of a run and all runs below it."""
    return [row["id"] for row in context.database.all(f"{TREE} select id from tree", {"run": run_id})]


def list_active_pipelines_below(context: Context, run_id: str) -> list[str]:
    """Return the ids of the pipeline runs below a run, however deep, that go on."""
    rows = context.database.all(
        f"{TREE} select runs.id from tree join runs on runs.id = tree.id join pipeline_runs on pipeline_runs.run_id = runs.id"
        f" where runs.id <> :run and runs.status in {_ACTIVE}",
        {"run": run_id},
    )
    return [row["id"] for row in rows]


def end_client_runs_below(change: Change, run_id: str, parent_status: str, actor: str) -> None:
    """End the runs below a run that a client drives and that go on, however deep: their parent has ended, or is asked to.

    They end as their parent did: Completed, Failed, or Canceled. Steps follow from their processes, and pipeline runs from their steps:
    both are left alone.

    Args:
        change: The transaction.
        run_id: The parent: a step run, a pipeline run, or one that a client drives.
        parent_status: What the parent became, or is asked to become.
        actor: Who ends it.
    """
    status = words.CANCELED if parent_status == words.CANCEL_REQUESTED else parent_status
    reason = f"Its parent run {run_id} {_BECAME[status]}."
    details = {"parent_run_id": run_id}
    error = json.dumps({"code": "UserError", "message": reason, "details": details}) if status == words.FAILED else None
    for row in change.rows.all(_CLIENT_RUNS, {"run": run_id}):
        change.rows.execute(
            "update runs set status = ?, ended_at = ?, error = coalesce(?, error) where id = ?", [status, change.at, error, row["id"]]
        )
        change.tell(row["id"], row["root_run_id"], status, actor, reason, _detail(error))


def _detail(error: str | None) -> dict[str, Any] | None:
    return {"error": json.loads(error)} if error else None
