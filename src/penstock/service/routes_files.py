"""Routes that carry bytes: source folders, and the files of runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import blobs, files
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable
from penstock.storage.files import IncomingFile

table = RouteTable()
Verb = Callable[[], Any]
_BLOCK = 1 << 20


@table.add("POST", "/blobs/missing", Role.CONTRIBUTOR, answer=("Digest",))
def missing_blobs(call: Call) -> Verb:
    """Tell which bytes are not stored yet."""
    return partial(blobs.missing_blobs, call.context, call.body.texts("digests"))


@table.add("PUT", "/blobs/{digest}", Role.CONTRIBUTOR, takes_json=False, answer="Stored")
async def put_blob(call: Call) -> dict[str, Any]:
    """Store bytes under their sha256."""
    call.reject_others()
    await take(call, await call.run(blobs.receive_blob, call.context, call.path["digest"], call.context.settings.snapshot_bytes))
    return {"digest": call.path["digest"]}


@table.add("POST", "/blobs", Role.CONTRIBUTOR, takes_json=False, answer="Count")
async def put_blobs(call: Call) -> dict[str, Any]:
    """Store many files in one body: for each a line `sha256 length`, then its bytes."""
    call.reject_others()
    incoming = blobs.IncomingBlobs(call.context, call.context.settings.snapshot_bytes)
    await take(call, incoming)
    return {"count": incoming.count}


@table.add("PUT", "/snapshots/{digest}", Role.CONTRIBUTOR, answer="Snapshot")
def put_snapshot(call: Call) -> Verb:
    """Keep the list of a source folder's files."""
    return partial(blobs.put_snapshot, call.context, call.path["digest"], call.body.items("entries"))


@table.add("GET", "/snapshots/{digest}", Role.READER, answer=("SnapshotEntry",))
def list_snapshot(call: Call) -> Verb:
    """List the files of a source folder."""
    return partial(blobs.list_snapshot, call.context, call.path["digest"])


@table.add("GET", "/blobs/{digest}", Role.READER, answer="Bytes")
def read_blob(call: Call) -> Verb:
    """Read bytes by their sha256."""
    return partial(blobs.open_blob, call.context, call.path["digest"])


@table.add("GET", "/runs/{run_id}/files", Role.READER, answer=("RunFile",))
def list_files(call: Call) -> Verb:
    """List the files of a run."""
    return partial(files.list_files, call.context, call.path["run_id"])


@table.add("GET", "/runs/{run_id}/files/{name:path}", Role.READER, answer="Bytes")
def read_file(call: Call) -> Verb:
    """Read a file of a run, from an offset on."""
    return partial(files.open_file, call.context, call.path["run_id"], call.path["name"], call.query.number("offset", 0))


@table.add("PUT", "/runs/{run_id}/files/{name:path}", Role.CONTRIBUTOR, takes_json=False, answer="RunFile")
async def put_file(call: Call) -> dict[str, Any]:
    """Keep a file with a run."""
    call.reject_others()
    incoming = await call.run(files.receive_file, call.context, call.path["run_id"], call.path["name"])
    await take(call, incoming)
    return {"name": call.path["name"], "size": incoming.size}


async def take(call: Call, incoming: IncomingFile | blobs.IncomingBlobs) -> None:
    """Write a request's bytes as they come; a file appears whole or not at all."""
    with incoming:
        chunks, size = [], 0
        async for chunk in call.request.stream():
            chunks.append(chunk)
            size += len(chunk)
            if size >= _BLOCK:  # to go to a thread and back costs more than to write what comes in at once
                await call.run(incoming.write, b"".join(chunks))
                chunks, size = [], 0
        await call.run(incoming.write, b"".join(chunks))
        await call.run(incoming.finish)
