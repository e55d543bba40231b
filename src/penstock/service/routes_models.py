"""Routes of registered models: register, find, read their files, describe, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from penstock.operations import blobs, models
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable
from penstock.service.routes_files import take

table = RouteTable()
Verb = Callable[[], Any]

_MODELS = "/workspaces/{workspace_id}/models"
_NAMED = _MODELS + "/{name}"
_VERSION = _NAMED + "/versions/{version}"
# A large file of a run takes seconds to keep; other verbs must not wait for a thread meanwhile.
_KEEPING = ThreadPoolExecutor(2, "keep")


@table.add("PUT", "/model-files/{digest}", Role.CONTRIBUTOR, takes_json=False, answer="Stored")
async def put_model_file(call: Call) -> dict[str, Any]:
    """Store bytes of a model under their sha256; they may be of any size."""
    call.reject_others()
    await take(call, await call.run(blobs.receive_blob, call.context, call.path["digest"]))
    return {"digest": call.path["digest"]}


@table.add("POST", "/model-files", Role.CONTRIBUTOR, takes_json=False, answer="Count")
async def put_model_files(call: Call) -> dict[str, Any]:
    """Store many files of models in one body: for each a line `sha256 length`, then its bytes."""
    call.reject_others()
    incoming = blobs.IncomingBlobs(call.context)
    await take(call, incoming)
    return {"count": incoming.count}


@table.add("POST", _NAMED, Role.CONTRIBUTOR, answer="Model")
async def register_model(call: Call) -> Any:
    """Register files, or a path of a run, as the next version of a model."""
    body = call.body
    verb = partial(
        models.register_model,
        call.context,
        call.path["workspace_id"],
        call.path["name"],
        files=body.items("files", None),
        run_id=body.text("run_id", None),
        path=body.text("path", None),
        unpack=body.flag("unpack"),
        description=body.text("description", None),
        tags=body.mapping("tags", None),
        properties=body.mapping("properties", None),
        experiment_name=body.text("experiment_name", None),
        framework=body.text("framework", None),
        framework_version=body.text("framework_version", None),
        details=body.mapping("details", None),
        request_id=body.text("request_id", None),
    )
    call.reject_others()
    return await asyncio.get_running_loop().run_in_executor(_KEEPING, verb)


@table.add("GET", _MODELS, Role.READER, answer=("ModelSummary",))
def list_models(call: Call) -> Verb:
    """List versions of models, newest first: of a name, of a run, with tags."""
    return partial(
        models.list_models,
        call.context,
        call.path["workspace_id"],
        name=call.query.text("name", None),
        tags=_pairs(call.query.filter("tags")),
        properties=_pairs(call.query.filter("properties")),
        run_id=call.query.text("run_id", None),
        dataset_id=call.query.text("dataset_id", None),
        framework=call.query.text("framework", None),
        latest=call.query.flag("latest"),
        limit=call.query.number("limit"),
    )


def _pairs(wanted: Any) -> list[list[Any]] | None:
    """Return a filter of the query as the verb takes it: a value that is null means any."""
    if wanted is None or isinstance(wanted, str):
        return None if wanted is None else [[wanted]]
    return [[key] if value is None else [key, value] for key, value in wanted.items()]


@table.add("GET", _NAMED, Role.READER, answer="Model")
def get_model(call: Call) -> Verb:
    """Read a version of a model with its files, the newest when none is named."""
    return partial(models.get_model, call.context, call.path["workspace_id"], call.path["name"], call.query.text("version", None))


@table.add("GET", _VERSION + "/files/{path:path}", Role.READER, answer="Bytes")
def read_model_file(call: Call) -> Verb:
    """Read a file of a model, from an offset on."""
    workspace_id, name, version = _version(call)
    return partial(models.open_model_file, call.context, workspace_id, name, version, call.path["path"], call.query.number("offset", 0))


@table.add("PATCH", _VERSION, Role.CONTRIBUTOR, answer="Model")
def update_model(call: Call) -> Verb:
    """Describe a version of a model, tag it, add properties, which are written once."""
    workspace_id, name, version = _version(call)
    return partial(
        models.update_model,
        call.context,
        workspace_id,
        name,
        version,
        description=call.body.text("description", None),
        tags=call.body.mapping("tags", None),
        remove_tags=call.body.texts("remove_tags", None),
        properties=call.body.mapping("properties", None),
        details=call.body.mapping("details", None),
    )


@table.add("DELETE", _VERSION, Role.CONTRIBUTOR, answer="Nothing")
def delete_model(call: Call) -> Verb:
    """Forget a version of a model, and the bytes that nothing else needs."""
    workspace_id, name, version = _version(call)
    return partial(models.delete_model, call.context, workspace_id, name, version)


def _version(call: Call) -> tuple[str, str, str]:
    return call.path["workspace_id"], call.path["name"], call.path["version"]
