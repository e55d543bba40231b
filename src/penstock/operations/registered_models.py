"""Names of models: what is said of a name rather than of one of its versions. A name outlives its versions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.errors import AlreadyExists, Invalid, NotFound
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_description, merge_tags
from penstock.operations.workspaces import get_workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
_SHOWN = "select * from registered_models where workspace_id = ? and deleted_at is null"


def check_model_name(name: Any) -> str:
    """Return `name` when a model may have it; raise Invalid otherwise."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise Invalid(
        f"{str(name)[:100]!r} can't be the name of a model: use 1 to 255 letters, digits, '-', '.' or '_', the first a letter or a digit."
    )


def create_registered_model(
    context: Context,
    workspace_id: str,
    name: str,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a name that has no versions yet.

    Raises:
        AlreadyExists: There is one.
        Invalid: No model may have this name.
    """
    with context.change() as change:
        get_workspace(context, workspace_id)
        if change.rows.first(f"{_SHOWN} and name = ?", (workspace_id, check_model_name(name))):
            raise AlreadyExists(f"There is already a model with the name '{name}'. Register a version of it, or choose another name.")
        ensure_within(change, workspace_id, name)
        return update_registered_model(context, workspace_id, name, description, tags, details=details)


def ensure_within(change: Change, workspace_id: str, name: str) -> None:
    """See that there is a name, as a part of a transaction. One that was deleted begins anew, but for its numbers."""
    change.rows.execute(
        "insert into registered_models (workspace_id, name, created_at, modified_at) values (:workspace, :name, :at, :at)"
        " on conflict do update set description = null, tags = '{}', details = '{}', created_at = :at, modified_at = :at,"
        " deleted_at = null where deleted_at is not null",
        {"workspace": workspace_id, "name": name, "at": change.at},
    )


def take_version(change: Change, workspace_id: str, name: str) -> int:
    """Return the next version of a name, which nobody else will get."""
    ensure_within(change, workspace_id, name)
    row = change.rows.first(
        "update registered_models set last_version = last_version + 1, modified_at = ? where workspace_id = ? and name = ?"
        " returning last_version",
        (change.at, workspace_id, name),
    )
    assert row is not None, name
    return int(row["last_version"])


def get_registered_model(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return what is said of a name; NotFound when there is none."""
    row = context.database.first(f"{_SHOWN} and name = ?", (workspace_id, name))
    if row is None:
        known = [item["name"] for item in context.database.all(_SHOWN, (workspace_id,))]
        raise NotFound.named("model", name, known, f"workspace '{get_workspace(context, workspace_id)['name']}'")
    return _document(row)


def list_registered_models(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return all names of models, in order."""
    get_workspace(context, workspace_id)
    return [_document(row) for row in context.database.all(f"{_SHOWN} order by name", (workspace_id,))]


def update_registered_model(
    context: Context,
    workspace_id: str,
    name: str,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe a name, merge tags and details into it, remove tags from it."""
    check_description(description)
    with context.change() as change:
        old = get_registered_model(context, workspace_id, name)
        left = merge_tags(old["tags"], tags, remove_tags)
        change.rows.execute(
            "update registered_models set description = coalesce(?, description), tags = ?, details = ?, modified_at = ?"
            " where workspace_id = ? and name = ?",
            (description, as_json(left), as_json({**old["details"], **(details or {})}), change.at, workspace_id, name),
        )
        return get_registered_model(context, workspace_id, name)


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("name", "last_version", "description", "created_at", "modified_at")},
        "tags": json.loads(row["tags"]),
        "details": json.loads(row["details"]),
    }
