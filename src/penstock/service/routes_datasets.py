"""Routes of datasets and of lineage: save, register, find their files, tell which run read and wrote them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from penstock.operations import datasets, lineage, selection
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_WORKSPACE = "/workspaces/{workspace_id}"
_NAMED = _WORKSPACE + "/datasets/{name}"
# Looking for files may take a far store minutes; other verbs must not wait for a thread meanwhile.
_SEARCHES = ThreadPoolExecutor(4, "search")


@table.add("POST", _WORKSPACE + "/saved-datasets", Role.CONTRIBUTOR, answer="SavedDataset")
def save_dataset(call: Call) -> Verb:
    """Keep the definition of a dataset; the same definition has the same id."""
    return partial(datasets.save_dataset, call.context, call.path["workspace_id"], call.body.mapping("dataset"))


@table.add("GET", _WORKSPACE + "/saved-datasets/{dataset_id}", Role.READER, answer="SavedDataset")
def get_dataset(call: Call) -> Verb:
    """Read a saved dataset, registered or not."""
    return partial(datasets.get_dataset, call.context, call.path["workspace_id"], call.path["dataset_id"])


@table.add(
    "POST", _WORKSPACE + "/resolved-datasets", Role.CONTRIBUTOR, answer="ResolvedDataset"
)  # a definition may name any place that the service can read
async def resolve_dataset(call: Call) -> Any:
    """Find the files of a dataset."""
    verb = partial(selection.resolve_document, call.context, call.path["workspace_id"], call.body.mapping("dataset"))
    call.reject_others()
    return await asyncio.get_running_loop().run_in_executor(_SEARCHES, verb)


@table.add("GET", _WORKSPACE + "/datasets", Role.READER, answer=("Dataset",))
def list_datasets(call: Call) -> Verb:
    """List the newest version of each registered dataset."""
    return partial(datasets.list_datasets, call.context, call.path["workspace_id"])


@table.add("GET", _NAMED, Role.READER, answer="Dataset")
def get_dataset_version(call: Call) -> Verb:
    """Read a version of a registered dataset, the newest when none is named."""
    version = call.query.text("version", None)
    return partial(datasets.get_dataset_version, call.context, call.path["workspace_id"], call.path["name"], version)


@table.add("POST", _NAMED, Role.CONTRIBUTOR, answer="Dataset")
def register_dataset(call: Call) -> Verb:
    """Register a dataset; what is there already keeps its version."""
    return partial(
        datasets.register_dataset,
        call.context,
        call.path["workspace_id"],
        call.body.mapping("dataset"),
        call.path["name"],
        description=call.body.text("description", None),
        tags=call.body.mapping("tags", None),
        create_new_version=call.body.flag("create_new_version"),
        request_id=call.body.text("request_id", None),
    )


@table.add("DELETE", _NAMED, Role.CONTRIBUTOR, answer="Nothing")
def unregister_dataset(call: Call) -> Verb:
    """Forget a registered dataset with all of its versions."""
    return partial(datasets.unregister_dataset, call.context, call.path["workspace_id"], call.path["name"])


@table.add("GET", _NAMED + "/versions", Role.READER, answer=("Dataset",))
def list_dataset_versions(call: Call) -> Verb:
    """List all versions of a registered dataset."""
    return partial(datasets.list_dataset_versions, call.context, call.path["workspace_id"], call.path["name"])


@table.add("PATCH", _NAMED + "/versions/{version}", Role.CONTRIBUTOR, answer="Dataset")
def update_dataset_version(call: Call) -> Verb:
    """Describe or tag a version of a registered dataset."""
    return partial(
        datasets.update_dataset_version,
        call.context,
        call.path["workspace_id"],
        call.path["name"],
        call.path["version"],
        description=call.body.text("description", None),
        tags=call.body.mapping("tags", None),
        remove_tags=call.body.texts("remove_tags", None),
    )


# Lineage


@table.add("GET", _WORKSPACE + "/lineage", Role.READER, answer=("Lineage",))
def list_lineage(call: Call) -> Verb:
    """List what runs read and wrote, newest first: of a run, of a dataset, of a name."""
    return partial(
        lineage.list_lineage,
        call.context,
        call.path["workspace_id"],
        run_id=call.query.text("run_id", None),
        dataset_id=call.query.text("dataset_id", None),
        name=call.query.text("name", None),
        version=call.query.text("version", None),
        limit=call.query.number("limit"),
    )


@table.add("POST", "/runs/{run_id}/lineage", Role.CONTRIBUTOR, answer="Nothing")
def record_lineage(call: Call) -> Verb:
    """Note that a run read or wrote a dataset."""
    return partial(
        lineage.record_lineage,
        call.context,
        call.path["run_id"],
        call.body.text("direction"),
        call.body.text("dataset_id"),
        port=call.body.text("port", ""),
        mode=call.body.text("mode", None),
        name=call.body.text("name", None),
        version=call.body.number("version"),
    )
