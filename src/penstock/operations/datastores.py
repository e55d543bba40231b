"""Datastores: named roots under which data lies."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from penstock.model.errors import AlreadyExists, Invalid, NotFound, Refused
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_name, check_request_id
from penstock.operations.workspaces import get_workspace


def list_datastores(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return the datastores of a workspace, oldest first."""
    get_workspace(context, workspace_id)
    rows = context.database.all("select * from datastores where workspace_id = ? order by created_at, rowid", (workspace_id,))
    return [_document(row) for row in rows]


def get_datastore(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return one datastore.

    Raises:
        NotFound: The workspace has none of this name; the message gives the nearest.
    """
    row = context.database.first("select * from datastores where workspace_id = ? and name = ?", (workspace_id, name))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        known = [item["name"] for item in list_datastores(context, workspace_id)]
        raise NotFound.named("datastore", name, known, f"workspace '{workspace['name']}'")
    return _document(row)


def get_default_datastore(context: Context, workspace_id: str) -> dict[str, Any]:
    """Return the datastore that is used where a script names none."""
    row = context.database.first("select * from datastores where workspace_id = ? and is_default = 1", (workspace_id,))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        raise NotFound(f"The workspace '{workspace['name']}' has no default datastore; set one with Workspace.set_default_datastore.")
    return _document(row)


def register_datastore(
    context: Context,
    workspace_id: str,
    name: str,
    type: str,  # the word of v1 and of the row
    root: str | None = None,
    definition: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Register a datastore. Its root is made when it does not exist yet. Sent twice with the same `request_id`, it is one registration.

    Raises:
        AlreadyExists: The name is taken, and `overwrite` is False.
        Invalid: The root is not an absolute path, or is a file, or can't be made.
    """
    check_name("datastore", name)
    request_id = check_request_id(request_id) if request_id else None
    folder = _prepare_root(name, root) if root is not None else None
    with context.change() as change:
        workspace = get_workspace(context, workspace_id)
        old = change.rows.first("select * from datastores where workspace_id = ? and name = ?", (workspace_id, name))
        if old and request_id and old["request_id"] == request_id:
            return _document(old)  # the first try arrived after all
        if old and not overwrite:
            raise AlreadyExists(f"The workspace '{workspace['name']}' has a datastore '{name}' already. Pass overwrite=True to replace it.")
        row = {"type": type, "root": folder, "definition": as_json(definition or {}), "request_id": request_id}
        if old:
            change.rows.execute(
                "update datastores set type = :type, root = :root, definition = :definition, request_id = :request_id"
                " where workspace_id = :workspace and name = :name",
                {**row, "workspace": workspace_id, "name": name},
            )
        else:
            change.rows.insert("datastores", {**row, "workspace_id": workspace_id, "name": name, "created_at": change.at})
        return get_datastore(context, workspace_id, name)


def _prepare_root(name: str, root: str) -> str:
    if "\0" in root or not os.path.isabs(root):
        raise Invalid(f"The root of the datastore '{name}' must be an absolute path, not {root!r}.")
    try:
        os.makedirs(root, exist_ok=True)
    except OSError as error:
        raise Invalid(f"The folder {root} of the datastore '{name}' can't be used: {error.strerror}.") from error
    return os.path.normpath(root)


def set_default_datastore(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Make a datastore the one that is used where a script names none."""
    with context.change() as change:
        get_datastore(context, workspace_id, name)
        change.rows.execute("update datastores set is_default = (name = ?) where workspace_id = ?", (name, workspace_id))
        return get_datastore(context, workspace_id, name)


def unregister_datastore(context: Context, workspace_id: str, name: str) -> None:
    """Forget a datastore; what lies in it stays.

    Raises:
        Refused: It is the default one.
    """
    with context.change() as change:
        if get_datastore(context, workspace_id, name)["is_default"]:
            raise Refused(f"'{name}' is the default datastore of its workspace. Make another one the default first.")
        change.rows.execute("delete from datastores where workspace_id = ? and name = ?", (workspace_id, name))


def roots_of(change: Change, workspace_id: str) -> dict[str, str | None]:
    """Return name -> root of a workspace's datastores."""
    rows = change.rows.all("select name, root from datastores where workspace_id = ?", (workspace_id,))
    return {row["name"]: row["root"] for row in rows}


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("name", "type", "root", "created_at")},
        "definition": json.loads(row["definition"]),
        "is_default": bool(row["is_default"]),
    }
