"""What a person asks to have built: `Environment.build` and `penstock environments build`. The engine answers."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.errors import NotFound
from penstock.model.ids import new_id
from penstock.operations.context import Change, Context
from penstock.operations.environment_builds import FAILED, QUEUED, SUCCEEDED, open_log
from penstock.operations.environments import get_environment
from penstock.operations.names import check_request_id
from penstock.persistence.database import Row
from penstock.storage.files import OpenFile

_KEPT = 100  # answered requests of one environment


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
    request = check_request_id(request_id) or new_id()
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
            _forget_oldest(change, workspace_id, name)
            change.for_engine = True
    return get_request(context, request)


def _forget_oldest(change: Change, workspace_id: str, name: str) -> None:
    """A request that was answered long ago is asked for by nobody; each holds a whole definition."""
    change.rows.execute(
        "delete from environment_requests where id in (select id from environment_requests where workspace_id = ? and name = ?"
        " and status in ('Succeeded', 'Failed') order by requested_at desc limit -1 offset ?)",
        [workspace_id, name, _KEPT],
    )


def get_request(context: Context, request_id: str) -> dict[str, Any]:
    """Return a request, with what has become of it.

    Raises:
        NotFound: There is none with this id.
    """
    row = context.database.first("select * from environment_requests where id = ?", [request_id])
    if row is None:
        raise NotFound(f"There is no request to build an environment with the id '{request_id}'.", request_id=request_id)
    return _document(row)


def _document(row: Row) -> dict[str, Any]:
    return {**row, "definition": json.loads(row["definition"]), "notes": json.loads(row["notes"])}


def list_requests(context: Context, workspace_id: str, name: str, version: str | None = None) -> list[dict[str, Any]]:
    """Return the requests for an environment, the newest first."""
    rows = context.database.all(
        "select * from environment_requests where workspace_id = ? and name = ? and (? is null or version = ?)"
        " order by requested_at desc limit ?",
        [workspace_id, name, version, version, _KEPT],
    )
    return [_document(row) for row in rows]


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
