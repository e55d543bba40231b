"""Environments that are built: the rows of builds, the steps that wait for them, and what a person asked to have built.

A build is known by its key, a hash of all that decides it. The engine builds; these verbs are how everybody else hears of it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.client.home import Home
from penstock.model import status as words
from penstock.model.errors import Invalid, NotFound, Refused
from penstock.model.ids import new_id
from penstock.operations.context import Change, Context
from penstock.operations.environments import get_environment
from penstock.operations.names import check_request_id
from penstock.persistence.database import Row
from penstock.storage.files import OpenFile

ENGINE = "engine"
QUEUED, RUNNING, SUCCEEDED, FAILED = "Queued", "Running", "Succeeded", "Failed"

_ACTIVE = "(" + ", ".join(f"'{word}'" for word in words.ACTIVE) + ")"
_LEAST_KEY = 4  # so much of a key, at least, says which one is meant


# Steps that wait for a build


def hold(context: Context, run_id: str, key: str, reason: str) -> bool:
    """Let a queued step wait for the build of its environment; return False when it is not queued any more."""
    with context.change() as change:
        row = change.rows.first("update runs set status = 'Preparing' where id = ? and status = 'Queued' returning root_run_id", [run_id])
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


def note_environment(change: Change, run_id: str, key: str | None) -> None:
    """Write down in which built environment a step runs."""
    change.rows.execute("update step_runs set environment_key = ? where run_id = ?", [key, run_id])


# Builds


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
    folder = context.home.environments / row["key"]
    return {
        **row,
        "specification": json.loads(row["specification"]),
        "notes": json.loads(row["notes"]),
        "folder": str(folder) if folder.is_dir() else None,
    }


def log_path(home: Home, key: str) -> Path:
    """Return where the log of a build lies; it is there from the build's beginning on, and stays when the build fails."""
    return home.environments / f"{key}.log"


def open_log(context: Context, key: str, offset: int = 0) -> OpenFile:
    """Open the log of a build, from an offset on; what is behind the end gives no bytes, so that it can be followed.

    Raises:
        NotFound: There is no such build, or it has written nothing yet.
    """
    row = _find(context, key)
    try:
        return OpenFile(log_path(context.home, row["key"]).open("rb"), offset)
    except FileNotFoundError:
        raise NotFound(f"The build {row['key'][:12]} has no log: it has not begun, or its environment was removed.") from None


def remove_build(context: Context, key: str) -> dict[str, Any]:
    """Remove a built environment and its row; return what it was. Who asks for it later builds it again.

    Raises:
        NotFound: There is none of this key.
        Refused: It is being built, or a step runs in it.
    """
    found = get_build(context, key)
    with context.change() as change:
        _check_unused(change, found["key"])
        change.rows.execute("delete from environment_builds where key = ?", [found["key"]])
        change.rows.execute("update environment_requests set key = null where key = ?", [found["key"]])
        doomed = _set_aside(context.home.environments / found["key"])
        log_path(context.home, found["key"]).unlink(missing_ok=True)
    if doomed is not None:
        shutil.rmtree(doomed, ignore_errors=True)
    return found


def _check_unused(change: Change, key: str) -> None:
    build = change.rows.first("select status from environment_builds where key = ?", [key])
    if build and build["status"] in (QUEUED, RUNNING):
        raise Refused(f"The environment {key[:12]} is being built; remove it when that has ended.")
    user = change.rows.first(
        f"select r.name from runs r join step_runs s on s.run_id = r.id where s.environment_key = ? and r.status in {_ACTIVE}", [key]
    )
    if user:
        raise Refused(f"The environment {key[:12]} is in use by step '{user['name']}'; remove it when that has ended, or cancel the run.")


def _set_aside(folder: Path) -> Path | None:
    """Give a folder another name, so that nobody finds half of it; return that, None where there is no folder.

    Without its marker it is cleared away at the next start, should this service be killed now.
    """
    (folder / "complete").unlink(missing_ok=True)
    doomed = folder.with_name(f"{folder.name}.removed-{new_id()[:8]}")
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, doomed)
        return doomed
    return None


# What a person asks to have built


def request_build(
    context: Context,
    workspace_id: str,
    name: str,
    version: str | None = None,
    interpreter: str | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Ask for a registered environment to be built; return the request. The engine answers it.

    Args:
        context: The surroundings.
        workspace_id: Where it is registered.
        name: Its name.
        version: Its version; the newest by default.
        interpreter: The interpreter that asks: where it provides all that is wanted, nothing is built.
        request_id: Sent twice, it finds its own work.

    Raises:
        NotFound: There is no such environment.
    """
    request = check_request_id(request_id) if request_id else new_id()
    environment = get_environment(context, workspace_id, name, version)
    with context.change() as change:
        if not change.rows.first("select 1 from environment_requests where id = ?", [request]):
            change.rows.insert(
                "environment_requests",
                {
                    "id": request,
                    "workspace_id": workspace_id,
                    "name": name,
                    "version": environment["version"],
                    "definition": json.dumps(environment["definition"]),
                    "interpreter": interpreter,
                    "status": QUEUED,
                    "requested_at": change.at,
                },
            )
            change.for_engine = True
    return get_request(context, request)


def get_request(context: Context, request_id: str) -> dict[str, Any]:
    """Return a request, with what has become of it.

    Raises:
        NotFound: There is none with this id.
    """
    row = context.database.first("select * from environment_requests where id = ?", [request_id])
    if row is None:
        raise NotFound(f"There is no request to build an environment with the id '{request_id}'.", request_id=request_id)
    return {**row, "definition": json.loads(row["definition"]), "notes": json.loads(row["notes"])}


def list_requests(context: Context, workspace_id: str, name: str, version: str | None = None) -> list[dict[str, Any]]:
    """Return the requests for an environment, the newest first."""
    rows = context.database.all(
        "select id from environment_requests where workspace_id = ? and name = ? and (? is null or version = ?)"
        " order by requested_at desc limit 100",
        [workspace_id, name, version, version],
    )
    return [get_request(context, row["id"]) for row in rows]


def list_open_requests(context: Context) -> list[Row]:
    """Return the requests that have not been answered, the oldest first."""
    return context.database.all("select * from environment_requests where status in ('Queued', 'Running') order by requested_at")


def note_request(context: Context, request_id: str, key: str, python: str) -> None:
    """Write down which build serves a request."""
    with context.change() as change:
        change.rows.execute(
            "update environment_requests set status = 'Running', key = ?, python = ? where id = ? and status in ('Queued', 'Running')",
            [key, python, request_id],
        )


def answer_request(
    context: Context,
    request_id: str,
    python: str | None = None,
    interpreter: str | None = None,
    key: str | None = None,
    notes: Sequence[str] = (),
    error: str | None = None,
) -> None:
    """Write down how a request ended."""
    with context.change() as change:
        change.rows.execute(
            "update environment_requests set status = ?, python = coalesce(?, python), key = coalesce(?, key), chosen_interpreter = ?,"
            " notes = ?, error = ?, ended_at = ? where id = ?",
            [FAILED if error else SUCCEEDED, python, key, interpreter, json.dumps(list(notes)), error, change.at, request_id],
        )


def open_request_log(context: Context, request_id: str, offset: int = 0) -> OpenFile:
    """Open the log of the build that serves a request; a request that needs no build has one line.

    Raises:
        NotFound: There is no such request, or its build has written nothing yet.
    """
    request = get_request(context, request_id)
    if request["key"]:
        return open_log(context, request["key"], offset)
    return OpenFile(io.BytesIO(_say(request).encode()), offset)


def _say(request: Mapping[str, Any]) -> str:
    if request["status"] == FAILED:
        return f"{request['error']}\n"
    if request["status"] == SUCCEEDED:
        return f"Nothing need be built: steps of this environment run on {request['chosen_interpreter']} ({request['python']}).\n"
    return ""
