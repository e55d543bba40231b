"""Environments: specifications with a name and versions; the same content keeps its version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from penstock.model.errors import NotFound
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_name
from penstock.operations.workspaces import get_workspace

# The newest version: the highest number, or what was registered last where versions are words.
_NEWEST = "order by cast(version as integer) desc, created_at desc, rowid desc limit 1"


def register_environment(
    context: Context, workspace_id: str, name: str, definition: Mapping[str, Any], version: str | None = None
) -> dict[str, Any]:
    """Keep an environment. The same content keeps its version; other content gets the version asked for, or the next number.

    A version that exists already with other content counts as not asked for.
    """
    check_name("environment", name)
    if version is not None:
        check_name("environment version", version)
    content = content_hash(definition)
    with context.change() as change:
        get_workspace(context, workspace_id)
        found = _find(context, workspace_id, name, version)
        if found and found["hash"] == content:
            return _document(found)
        if found:
            version = None  # a version never changes: what was fetched, changed and registered again is the next one
        row = {
            "workspace_id": workspace_id,
            "name": name,
            "version": version or _next_version(change, workspace_id, name),
            "definition": as_json(definition),
            "hash": content,
            "created_at": change.at,
        }
        change.rows.insert("environments", row)
        return _document(row)


def content_hash(definition: Mapping[str, Any]) -> str:
    """Return the sha256 of what an environment holds, whatever it is called."""
    content = {key: value for key, value in definition.items() if key not in ("name", "version", "assetId", "asset_id")}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _next_version(change: Change, workspace_id: str, name: str) -> str:
    rows = change.rows.all("select version from environments where workspace_id = ? and name = ?", (workspace_id, name))
    numbers = [int(row["version"]) for row in rows if row["version"].isascii() and row["version"].isdigit()]
    return str(max(numbers, default=0) + 1)


def get_environment(context: Context, workspace_id: str, name: str, version: str | None = None) -> dict[str, Any]:
    """Return one version of an environment, the newest when none is named.

    Raises:
        NotFound: There is no such environment or version; the message gives the nearest.
    """
    found = _find(context, workspace_id, name, version)
    if found:
        return _document(found)
    workspace = get_workspace(context, workspace_id)
    rows = context.database.all("select name, version from environments where workspace_id = ?", (workspace_id,))
    versions = [row["version"] for row in rows if row["name"] == name]
    if versions:
        raise NotFound.named("version", str(version), versions, f"environment '{name}'")
    raise NotFound.named("environment", name, {row["name"] for row in rows}, f"workspace '{workspace['name']}'")


def list_environments(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return the newest version of each environment, by name."""
    get_workspace(context, workspace_id)
    names = context.database.all("select distinct name from environments where workspace_id = ? order by name", (workspace_id,))
    return [get_environment(context, workspace_id, row["name"]) for row in names]


def _find(context: Context, workspace_id: str, name: str, version: str | None) -> dict[str, Any] | None:
    if version is None:
        return context.database.first(f"select * from environments where workspace_id = ? and name = ? {_NEWEST}", (workspace_id, name))
    return context.database.first(
        "select * from environments where workspace_id = ? and name = ? and version = ?", (workspace_id, name, version)
    )


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: row[key] for key in ("name", "version", "hash", "created_at")}, "definition": json.loads(row["definition"])}
