"""The event stream: what becomes of runs, as it happens, for whoever listens: a page, or a script with curl.

Each event has its sequence for an id, so a client that lost its connection goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from starlette.responses import Response, StreamingResponse

from penstock.model.errors import Invalid, NotFound
from penstock.operations import events
from penstock.service.bulletin import EVERYTHING, Listener
from penstock.service.requests import LARGEST_NUMBER, Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()

_HEARTBEAT_TURNS = 15  # of waiting in vain: proxies and clients learn that the connection lives, we that the client does
_WAIT_SECONDS = 1.0  # a client that listens is a client: the service does not grow idle under it
_HANDFUL_SECONDS = 0.05  # news that come this close together travel together
_RETRY = "retry: 1000\n"  # milliseconds until a client that lost its connection comes again


@table.add("GET", "/events", Role.READER, answer="EventStream")
async def stream_events(call: Call) -> Response:
    """Stream the events of runs: after the one named, else from now on. `Last-Event-ID` comes before `after`."""
    wanted = {"workspace_id": call.query.text("workspace_id", None), "run_id": call.query.text("run_id", None)}
    after = _sequence(call.header("last-event-id"), call.query.number("after"))
    call.reject_others()
    begin = await call.run(partial(events.open_events, call.context, after=after, **wanted))
    return StreamingResponse(_stream(call, wanted, **begin), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _sequence(header: str | None, after: int | None) -> int | None:
    if not header:
        return after
    if not header.isascii() or not header.isdigit() or len(header) > len(str(LARGEST_NUMBER)) or int(header) > LARGEST_NUMBER:
        raise Invalid(f"'Last-Event-ID' must be the id of an event, a whole number, not '{header[:40]}'.")
    return int(header)


async def _stream(call: Call, wanted: dict[str, Any], after: int, root_run_id: str | None) -> AsyncIterator[str]:
    """Yield events as they come, until the client or the service leaves, or what was asked for is gone."""
    with call.service.bulletin.listen(root_run_id or EVERYTHING) as listener:
        yield f"{_RETRY}id: {after}\n\n"  # no event, but a client that is cut off before the first one comes again from here
        while not listener.is_dismissed:
            try:
                found = await call.run(partial(events.read_events, call.context, after=after, **wanted))
            except NotFound:
                return
            after = found["last"]
            if found["events"]:
                yield "".join(map(_format, found["events"]))
            if not found["is_full"] and not await _wait_for_news(call, listener):
                yield ": still here\n\n"


async def _wait_for_news(call: Call, listener: Listener) -> bool:
    """Wait for news, or for the time of a heartbeat; tell whether there are any."""
    for _ in range(_HEARTBEAT_TURNS):
        call.service.touch()
        if await listener.wait(_WAIT_SECONDS):
            await asyncio.sleep(_HANDFUL_SECONDS)
            return True
    return False


def _format(event: dict[str, Any]) -> str:
    return f"id: {event['sequence']}\nevent: run\ndata: {json.dumps(event, separators=(',', ':'))}\n\n"
