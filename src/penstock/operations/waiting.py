"""Steps and their built environments: those that wait for one, those that will, and which one a step runs in.

The engine calls these verbs; losing a race is a normal answer, as in `penstock.operations.steps`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from penstock.model import status as words
from penstock.model.errors import Unavailable
from penstock.operations.context import Change, Context
from penstock.persistence.database import Row, sql_list
from penstock.storage.built import is_complete

ENGINE = "engine"

_ACTIVE = sql_list(words.ACTIVE)
_MAY_PREPARE = sql_list(words.BEFORE[words.PREPARING])


def hold(context: Context, run_id: str, key: str, reason: str) -> bool:
    """Let a queued step wait for the build of its environment; return False when it is not queued any more."""
    with context.change() as change:
        row = change.rows.first(
            f"update runs set status = 'Preparing' where id = ? and status in {_MAY_PREPARE} returning root_run_id", [run_id]
        )
        if row is None:
            return False
        change.rows.execute("update step_runs set environment_key = ?, reason = ? where run_id = ?", [key, reason, run_id])
        change.tell(run_id, row["root_run_id"], words.PREPARING, ENGINE, reason)
        return True


def release(context: Context, run_ids: Iterable[str], reason: str) -> None:
    """Put steps that waited for an environment back in the queue, in their old turn."""
    with context.change() as change:
        rows = change.rows.all(
            "update runs set status = 'Queued' where status = 'Preparing' and id in (select value from json_each(?))"
            " returning id, root_run_id",
            [json.dumps(list(run_ids))],
        )
        for row in rows:
            change.tell(row["id"], row["root_run_id"], words.QUEUED, ENGINE, reason)


def list_waiting(context: Context) -> list[Row]:
    """Return the steps that wait for an environment."""
    return context.database.all(
        "select r.id, r.name, r.status, r.workspace_id, r.root_run_id, s.attempt, s.pipeline_run_id, s.environment_key"
        " from runs r join step_runs s on s.run_id = r.id where r.status = 'Preparing'"
    )


def list_not_started(context: Context, pipeline_run_id: str, node_ids: Sequence[str]) -> list[Row]:
    """Return those of a pipeline run's steps that wait for others."""
    return context.database.all(
        "select r.id, r.name, r.type, r.status, r.workspace_id, r.root_run_id, s.attempt, s.pipeline_run_id from runs r"
        " join step_runs s on s.run_id = r.id where s.pipeline_run_id = ? and r.status = 'NotStarted'"
        " and s.node_id in (select value from json_each(?))",
        [pipeline_run_id, json.dumps(node_ids)],
    )


def find_active(context: Context, run_ids: Iterable[str]) -> set[str]:
    """Return those of these runs that have not ended."""
    found = context.database.all(
        f"select id from runs where id in (select value from json_each(?)) and status in {_ACTIVE}", [json.dumps(list(run_ids))]
    )
    return {row["id"] for row in found}


def note_environment(context: Context, change: Change, run_id: str, key: str) -> None:
    """Write down in which built environment a step runs, in the transaction of its claim.

    Raises:
        Unavailable: It was removed since it was looked for. Who removes one does so in a transaction, and looks for steps in it first.
    """
    if not is_complete(context.home, key):
        raise Unavailable(f"The environment {key[:12]} was removed; it is built again.")
    change.rows.execute("update step_runs set environment_key = ? where run_id = ?", [key, run_id])
