"""Routes of transfers: what the service does with many files for a client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations.transfers import RUNNING
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_LONGEST_WAIT = 60.0
_HANDFUL_SECONDS = 0.05  # news that come this close together travel together; the end itself does not wait
_TOUCH_SECONDS = 1.0  # a client that waits is a client: the service does not grow idle under it


@table.add("POST", "/workspaces/{workspace_id}/transfers", Role.CONTRIBUTOR, answer="TransferStarted")
def start_transfer(call: Call) -> Verb:
    """Begin to copy files to or from a datastore, to list them, or to bring a dataset's files here."""
    about = {
        "datastore": call.body.text("datastore", None),
        "files": call.body.items("files", None),
        "prefix": call.body.text("prefix", None),
        "overwrite": call.body.flag("overwrite"),
        "dataset": call.body.mapping("dataset", None),
    }
    return partial(call.service.transfers.start, call.path["workspace_id"], call.body.text("kind"), about)


@table.add("POST", "/transfers/{transfer_id}/cancel", Role.CONTRIBUTOR, answer="Transfer")
def cancel_transfer(call: Call) -> Verb:
    """Ask a transfer to end."""
    return partial(call.service.transfers.cancel, call.path["transfer_id"])


@table.add("GET", "/transfers/{transfer_id}/events", Role.READER, answer="Transfer")
async def follow_transfer(call: Call) -> dict[str, Any]:
    """Give the events after one, at once or as soon as there are any, and how the transfer stands."""
    after, seconds = call.query.number("after", 0), call.query.seconds("wait_seconds", 0.0, _LONGEST_WAIT)
    call.reject_others()
    read = partial(call.service.transfers.read, call.path["transfer_id"], after)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with call.service.bulletin.listen(call.path["transfer_id"]) as listener:
        answer: dict[str, Any] = await call.run(read)
        while not answer["events"] and answer["state"] == RUNNING and not listener.is_dismissed and loop.time() < deadline:
            call.service.touch()
            if await listener.wait(min(_TOUCH_SECONDS, max(deadline - loop.time(), 0))):
                await listener.wait_for_end(call.path["transfer_id"], _HANDFUL_SECONDS)
                answer = await call.run(read)
        return answer
