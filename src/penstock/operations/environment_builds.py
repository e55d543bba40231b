"""Environments that are built: the rows of builds, their logs, and how they are removed.

A build is known by its key, a hash of all that decides it. The engine builds; these verbs are how everybody else hears of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.model import status as words
from penstock.model.errors import Invalid, NotFound, Refused
from penstock.operations.context import Change, Context
from penstock.persistence.database import Row, sql_list
from penstock.storage import built
from penstock.storage.files import OpenFile

QUEUED, RUNNING, SUCCEEDED, FAILED = "Queued", "Running", "Succeeded", "Failed"

_ACTIVE = sql_list(words.ACTIVE)
_LEAST_KEY = 4  # so much of a key, at least, says which one is meant


def record_wanted(context: Context, key: str, specification: Mapping[str, Any] | None) -> None:
    """Write down a build that is about to begin; one of this key that failed is forgotten."""
    with context.change() as change:
        change.rows.execute(
            "insert into environment_builds (key, specification, status, requested_at) values (?, ?, 'Queued', ?)"
            " on conflict (key) do update set specification = excluded.specification, status = 'Queued',"
            " requested_at = excluded.requested_at, started_at = null, ended_at = null, interpreter = null, notes = '[]', error = null",
            [key, json.dumps(specification or {}, sort_keys=True), change.at],
        )


def record_started(context: Context, key: str) -> None:
    """Write down that a build has begun."""
    with context.change() as change:
        change.rows.execute("update environment_builds set status = 'Running', started_at = ? where key = ?", [change.at, key])


def record_built(context: Context, key: str, interpreter: str, notes: Sequence[str]) -> None:
    """Write down that an environment is there."""
    with context.change() as change:
        change.rows.execute(
            "update environment_builds set status = 'Succeeded', ended_at = ?, interpreter = ?, notes = ?, error = null where key = ?",
            [change.at, interpreter, json.dumps(list(notes)), key],
        )


def record_held_up(context: Context, key: str, reason: str) -> None:
    """Write down why a build could not be done now; it is tried again."""
    with context.change() as change:
        change.rows.execute("update environment_builds set status = 'Queued', started_at = null, error = ? where key = ?", [reason, key])


def record_unwanted(context: Context, wanted: Iterable[str]) -> None:
    """Let no build wait for its next try that nobody waits for any more."""
    if not context.database.first("select 1 from environment_builds where status = 'Queued' limit 1"):
        return
    with context.change() as change:
        change.rows.execute(
            "update environment_builds set status = 'Failed', ended_at = ?, error = ?"
            " where status = 'Queued' and key not in (select value from json_each(?))",
            [change.at, "Given up, as nobody waits for it any more.", json.dumps(list(wanted))],
        )


def record_failed(context: Context, key: str, error: str) -> None:
    """Write down that an environment could not be built."""
    with context.change() as change:
        change.rows.execute(
            "update environment_builds set status = 'Failed', ended_at = ?, error = ? where key = ?", [change.at, error, key]
        )


def forget_killed(context: Context) -> None:
    """Let no row say that a build goes on which ended with the service that was killed."""
    with context.change() as change:
        change.rows.execute(
            "update environment_builds set status = 'Failed', ended_at = ?, error = ? where status in ('Queued', 'Running')",
            [change.at, "The service ended meanwhile; who still waits for it has it built again."],
        )


def list_builds(context: Context) -> list[dict[str, Any]]:
    """Return all builds, the newest first, each with its size and how many steps have run in it."""
    rows = context.database.all(f"{_SELECT} order by requested_at desc, key")
    return [_document(context, row) for row in rows]


def get_build(context: Context, key: str) -> dict[str, Any]:
    """Return the build whose key begins with `key`.

    Raises:
        NotFound: There is none.
        Invalid: The beginning is too short, or fits several.
    """
    return _document(context, _find(context, key))


_SELECT = """
    select environment_builds.*,
           (select count(*) from step_runs where environment_key = environment_builds.key) as steps,
           (select max(coalesce(runs.started_at, runs.created_at)) from step_runs join runs on runs.id = step_runs.run_id
             where environment_key = environment_builds.key) as used_at
      from environment_builds"""


def _find(context: Context, key: str) -> Row:
    if len(key) < _LEAST_KEY:
        raise Invalid(f"'{key}' is too short for the key of a built environment; give at least {_LEAST_KEY} letters.")
    rows = context.database.all(f"{_SELECT} where substr(key, 1, ?) = ?", [len(key), key])
    if not rows:
        raise NotFound(f"There is no built environment '{key}'. 'penstock environments' lists them.", key=key)
    if len(rows) > 1:
        raise Invalid(f"'{key}' fits several built environments: {', '.join(row['key'][:12] for row in rows[:5])}. Give more letters.")
    return rows[0]


def _document(context: Context, row: Row) -> dict[str, Any]:
    folder = built.folder(context.home, row["key"])
    return {
        **row,
        "specification": json.loads(row["specification"]),
        "notes": json.loads(row["notes"]),
        "folder": str(folder) if folder.is_dir() else None,
    }


def open_log(context: Context, key: str, offset: int = 0) -> OpenFile:
    """Open the log of a build, from an offset on; what is behind the end gives no bytes, so that it can be followed.

    Raises:
        NotFound: There is no such build, or it has written nothing yet.
    """
    row = _find(context, key)
    try:
        return OpenFile(built.log_path(context.home, row["key"]).open("rb"), offset)
    except FileNotFoundError:
        raise NotFound(f"The build {row['key'][:12]} has no log: it has not begun, or its environment was removed.") from None


def remove_build(context: Context, key: str) -> dict[str, Any]:
    """Remove a built environment and its row; return what it was. Who asks for it later builds it again.

    Raises:
        NotFound: There is none of this key.
        Refused: It is being built, or a step runs in it.
    """
    found = get_build(context, key)
    with built.try_lock(context.home, found["key"]) as lock:
        if lock is None:
            raise _being_built(found["key"])
        with context.change() as change:
            _check_unused(change, found["key"])
            change.rows.execute("delete from environment_builds where key = ?", [found["key"]])
            change.rows.execute("update environment_requests set key = null where key = ?", [found["key"]])
            built.invalidate(context.home, found["key"])  # a step that is claimed after this looks for it, and finds none
        built.remove(context.home, found["key"])
    return found


def _check_unused(change: Change, key: str) -> None:
    build = change.rows.first("select status from environment_builds where key = ?", [key])
    if build and build["status"] in (QUEUED, RUNNING):
        raise _being_built(key)
    user = change.rows.first(
        f"select r.name from runs r join step_runs s on s.run_id = r.id where s.environment_key = ? and r.status in {_ACTIVE}", [key]
    )
    if user:
        raise Refused(f"The environment {key[:12]} is in use by step '{user['name']}'; remove it when that has ended, or cancel the run.")


def _being_built(key: str) -> Refused:
    return Refused(f"The environment {key[:12]} is being built; remove it when that has ended.")
