"""Workspaces: opaque triples of subscription, group and name, compared without regard to case."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from penstock.model import status
from penstock.model.errors import AlreadyExists, NotFound, Refused, Unavailable
from penstock.model.ids import new_id
from penstock.operations.blobs import remove_unused
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_name, check_request_id, merge_tags, texts
from penstock.storage.discards import discard

DEFAULT_NAME, DEFAULT_GROUP, DEFAULT_LOCATION = "default", "local", "local"
DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

# The runs of a workspace, and what lies below them wherever it belongs: it goes with its parent.
_GONE = """
    with recursive gone (id) as (
        select id from runs where workspace_id = ?
        union select runs.id from runs join gone on runs.parent_run_id = gone.id
    ) """
_DELETE_EVENTS = """
    delete from events
     where root_run_id in (select root_run_id from runs where id in (select id from gone)) and run_id in (select id from gone)"""

BUILT_IN_DATASTORES = {
    "workspaceblobstore": "AzureBlob",  # the default one; many scripts name it
    "workspacefilestore": "AzureFile",
    "workspaceartifactstore": "AzureBlob",
    "workspaceworkingdirectory": "AzureFile",
}


def resolve_workspace(context: Context, subscription_id: str, resource_group: str, name: str, create: bool = True) -> dict[str, Any]:
    """Return the workspace that a triple names, made on first use unless `create` is False.

    Raises:
        NotFound: There is none, and none is to be made.
    """
    found = _find(context, subscription_id, resource_group, name)
    if found is None and not create:
        known = [row["name"] for row in context.database.all("select name from workspaces")]
        raise NotFound.named("workspace", name, known, f"subscription {subscription_id}, resource group {resource_group}")
    return found or create_workspace(context, name, subscription_id, resource_group, exist_ok=True)


def default_workspace(context: Context) -> dict[str, Any]:
    """Return the workspace of scripts that name none."""
    return resolve_workspace(context, DEFAULT_SUBSCRIPTION, DEFAULT_GROUP, DEFAULT_NAME)


def create_workspace(
    context: Context,
    name: str,
    subscription_id: str | None = None,
    resource_group: str | None = None,
    location: str | None = None,
    tags: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    exist_ok: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Create a workspace with its built-in datastores. Sent twice with the same `request_id`, it creates one.

    Raises:
        AlreadyExists: The triple is taken, and `exist_ok` is False.
        Unavailable: The folders of its datastores can't be made.
    """
    subscription_id, resource_group = subscription_id or DEFAULT_SUBSCRIPTION, resource_group or DEFAULT_GROUP
    for kind, text in (("workspace", name), ("resource group", resource_group), ("subscription", subscription_id)):
        check_name(kind, text)
    row = {
        "id": check_request_id(request_id) or new_id(),
        "name": name,
        "subscription_id": subscription_id,
        "resource_group": resource_group,
        "identity": _identity(subscription_id, resource_group, name),
        "location": location or DEFAULT_LOCATION,
        "tags": as_json(texts("tags", tags or {})),
        "details": as_json(details or {}),
    }
    found = _find_taken(context, row, exist_ok)
    if found:
        return found
    _make_folders(context, row)  # before the transaction: a slow disk must not keep other writers waiting
    with context.change() as change:
        found = _find_taken(context, row, exist_ok)  # somebody was quicker
        if found is None:
            row["created_at"] = change.at
            change.rows.insert("workspaces", row)
            _insert_datastores(context, change, row)
        return found or _document(context, row)


def _find_taken(context: Context, row: Mapping[str, Any], exist_ok: bool) -> dict[str, Any] | None:
    """Return the workspace that has the triple already, where it may; one with the new id was made by the first try of this request."""
    found = _find(context, row["subscription_id"], row["resource_group"], row["name"])
    if found and not exist_ok and found["id"] != row["id"]:
        raise AlreadyExists(
            f"The workspace '{row['name']}' exists already in subscription {row['subscription_id']}, "
            f"resource group {row['resource_group']}. Pass exist_ok=True to use it."
        )
    return found


def _make_folders(context: Context, workspace: Mapping[str, Any]) -> None:
    folder = context.home.workspaces / workspace_folder_name(workspace)
    try:
        for name in BUILT_IN_DATASTORES:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder {folder} of the workspace '{workspace['name']}' can't be made: {error.strerror}. Nothing was changed."
        ) from error


def _insert_datastores(context: Context, change: Change, workspace: Mapping[str, Any]) -> None:
    folder = context.home.workspaces / workspace_folder_name(workspace)
    for name, kind in BUILT_IN_DATASTORES.items():
        change.rows.insert(
            "datastores",
            {
                "workspace_id": workspace["id"],
                "name": name,
                "type": kind,
                "root": str(folder / name),
                "is_default": int(name == "workspaceblobstore"),
                "created_at": change.at,
            },
        )


def workspace_folder_name(workspace: Mapping[str, Any]) -> str:
    """Return the name of a workspace's folder: readable, and unique by the start of its id."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', workspace['name'])[:64]}-{workspace['id'][:8]}"


def list_workspaces(context: Context, subscription_id: str | None = None, resource_group: str | None = None) -> list[dict[str, Any]]:
    """Return all workspaces by name, or those of one subscription, or of one resource group."""
    rows = context.database.all(
        "select * from workspaces where (:subscription is null or lower(subscription_id) = lower(:subscription))"
        " and (:group is null or lower(resource_group) = lower(:group)) order by name, created_at",
        {"subscription": subscription_id, "group": resource_group},
    )
    return [_document(context, row) for row in rows]


def get_workspace(context: Context, workspace_id: str) -> dict[str, Any]:
    """Return one workspace; NotFound when there is none with this id."""
    row = context.database.first("select * from workspaces where id = ?", (workspace_id,))
    if row is None:
        raise NotFound(f"There is no workspace with the id '{workspace_id}'.")
    return _document(context, row)


def update_workspace(
    context: Context, workspace_id: str, tags: Mapping[str, Any] | None = None, details: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Merge tags and details (friendly name, description, ...) into a workspace."""
    with context.change() as change:
        found = get_workspace(context, workspace_id)
        merged = as_json(merge_tags(found["tags"], tags)), as_json({**found["details"], **(details or {})})
        change.rows.execute("update workspaces set tags = ?, details = ? where id = ?", (*merged, workspace_id))
        return get_workspace(context, workspace_id)


def delete_workspace(context: Context, workspace_id: str) -> None:
    """Forget a workspace, its experiments, its runs and their folders. The datastores' folders stay: the data is the user's.

    Raises:
        Refused: Runs of it are going on.
    """
    with context.change() as change:
        found = get_workspace(context, workspace_id)
        runs = change.rows.all(_GONE + "select runs.id, runs.status from gone join runs on runs.id = gone.id", (workspace_id,))
        active = sum(not status.is_final(run["status"]) for run in runs)
        if active:
            raise Refused(f"The workspace '{found['name']}' has {active} runs that go on. Cancel them or wait for them, then delete it.")
        models = change.rows.all("select files from models where workspace_id = ?", (workspace_id,))
        change.rows.execute(_GONE + _DELETE_EVENTS, (workspace_id,))
        change.rows.execute("delete from workspaces where id = ?", (workspace_id,))
    remove_unused(context, [digest for model in models for _, _, digest in json.loads(model["files"])])
    discard(context.home.discarded, [context.home.run_folder(run["id"]) for run in runs])


def _find(context: Context, subscription_id: str, resource_group: str, name: str) -> dict[str, Any] | None:
    row = context.database.first("select * from workspaces where identity = ?", (_identity(subscription_id, resource_group, name),))
    return _document(context, row) if row else None


def _identity(subscription_id: str, resource_group: str, name: str) -> str:
    return f"{subscription_id}/{resource_group}/{name}".lower()


def _document(context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("id", "name", "subscription_id", "resource_group", "location", "created_at")},
        "tags": json.loads(row["tags"]),
        "details": json.loads(row["details"]),
        "folder": str(context.home.workspaces / workspace_folder_name(row)),
    }
