"""Events of all runs, in the order in which they were written: what a stream of them reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock.operations import runs
from penstock.operations.context import Context
from penstock.operations.descendants import TREE
from penstock.operations.workspaces import get_workspace

_AT_ONCE = 1_000  # looked at in one turn, fitting or not: so no turn takes long

_ALL = """
    with found as (select * from events where sequence > :after order by sequence limit :most)
    select found.*, runs.workspace_id from found left join runs on runs.id = found.run_id order by found.sequence"""
_BELOW = f"""{TREE}
    select events.*, runs.workspace_id from events join runs on runs.id = events.run_id
     where events.root_run_id = :root and sequence > :after and run_id in (select id from tree) order by sequence limit :most"""


def open_events(context: Context, workspace_id: str | None = None, run_id: str | None = None, after: int | None = None) -> dict[str, Any]:
    """Return where a stream begins, and whose news concern it.

    Args:
        context: The surroundings.
        workspace_id: Only events of runs in this workspace.
        run_id: Only those of this run and the runs below it.
        after: The event after which to begin; None for the last there is.

    Returns:
        `after`, and `root_run_id`, which is None where all runs are meant.

    Raises:
        NotFound: There is no such workspace, or no such run.
    """
    if workspace_id is not None:
        get_workspace(context, workspace_id)
    root = None if run_id is None else runs.get_row(context, run_id)["root_run_id"]
    if after is None:
        row = context.database.first("select max(sequence) as last from events")
        after = (row and row["last"]) or 0
    return {"after": after, "root_run_id": root}


def read_events(context: Context, workspace_id: str | None = None, run_id: str | None = None, after: int = 0) -> dict[str, Any]:
    """Return the next events after one.

    Args:
        context: The surroundings.
        workspace_id: Only those of runs in this workspace.
        run_id: Only those of this run and the runs below it.
        after: The event after which to begin.

    Returns:
        `events`, `last`, after which to go on, and `is_full`, which says that there may be more at once.

    Raises:
        NotFound: There is no such run.
    """
    values = {"after": after, "most": _AT_ONCE}
    if run_id is None:
        rows = context.database.all(_ALL, values)
    else:
        rows = context.database.all(_BELOW, {**values, "run": run_id, "root": runs.get_row(context, run_id)["root_run_id"]})
    fitting = [row for row in rows if row["workspace_id"] is not None and workspace_id in (None, row["workspace_id"])]
    last = rows[-1]["sequence"] if rows else after
    return {"events": [_document(row) for row in fitting], "last": last, "is_full": len(rows) == _AT_ONCE}


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("sequence", "workspace_id", "run_id", "root_run_id", "at", "status", "actor", "reason")
    return {**{key: row[key] for key in plain}, "detail": json.loads(row["detail"]) if row["detail"] else None}
