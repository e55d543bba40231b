"""Datasets: saved definitions, and the names and versions under which they are registered.

A definition is one dataset of its workspace, whoever saves it and how often: its id follows from its text.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.datasets import FILE, definition_hash
from penstock.model.errors import AlreadyExists, NotFound, PenstockError
from penstock.operations.context import Change, Context
from penstock.operations.definitions import read_definition
from penstock.operations.names import as_json, check_description, check_name, check_request_id, merge_tags, texts
from penstock.operations.selection import resolve
from penstock.operations.versions import parse_version, tell_names, tell_versions
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row

_NAMESPACE = uuid.UUID("5c1b7a0e-2f0b-4b0b-8a43-0d2f6f6c9a11")

_VERSION = """
    select dataset_versions.*, datasets.definition
      from dataset_versions join datasets on datasets.id = dataset_versions.dataset_id"""


# Saved definitions


def save_dataset(context: Context, workspace_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a definition; return it with its id. The same definition has the same id.

    Raises:
        Invalid: The document describes no dataset.
        TooLarge: It is too long.
    """
    with context.change() as change:
        get_workspace(context, workspace_id)
        return get_dataset(context, workspace_id, save_within(change, workspace_id, document))


def save_within(change: Change, workspace_id: str, document: Mapping[str, Any]) -> str:
    """Keep a definition as a part of a transaction; return its id."""
    _, definition = read_definition(document)
    found = dataset_id_of(workspace_id, definition)
    row = {
        "id": found,
        "workspace": workspace_id,
        "hash": definition_hash(definition),
        "definition": as_json(definition),
        "at": change.at,
    }
    change.rows.execute(
        "insert into datasets (id, workspace_id, hash, definition, created_at) values (:id, :workspace, :hash, :definition, :at)"
        " on conflict do nothing",
        row,
    )
    return found


def dataset_id_of(workspace_id: str, definition: Mapping[str, Any]) -> str:
    """Return the id that a definition, as `format_dataset` writes it, has in a workspace."""
    return str(uuid.uuid5(_NAMESPACE, f"{workspace_id}/{definition_hash(definition)}"))


def get_dataset(context: Context, workspace_id: str, dataset_id: str) -> dict[str, Any]:
    """Return a saved dataset, registered or not.

    Raises:
        NotFound: The workspace has none with this id.
    """
    row = context.database.first("select * from datasets where id = ? and workspace_id = ?", (dataset_id, workspace_id))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        raise NotFound(
            f"Cannot find dataset with id '{dataset_id}' in workspace '{workspace['name']}'. "
            "A dataset has an id once it is registered or passed to a run; 'penstock datasets' lists those with a name."
        )
    registrations = context.database.all(
        "select name, version from dataset_versions where dataset_id = ? order by created_at, name, version", (dataset_id,)
    )
    definition = json.loads(row["definition"])
    return {"id": row["id"], "definition": definition, "created_at": row["created_at"], "registrations": registrations}


# Registering


def register_dataset(
    context: Context,
    workspace_id: str,
    document: Mapping[str, Any],
    name: str,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    create_new_version: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Register a definition under a name; return the version. Sent twice with the same `request_id`, it is one registration.

    Args:
        context: The surroundings.
        workspace_id: Where.
        document: The definition.
        name: The name; its first version is 1.
        description: What it is about.
        tags: Its tags.
        create_new_version: Whether the name may have versions already. A definition that is one of them stays that version, but for files
            that were written since: a file dataset is its files, a tabular one a way of reading.
        request_id: A UUID of the client's.

    Raises:
        AlreadyExists: The name is taken, and `create_new_version` is False.
        Invalid: The document describes no dataset, or the name can't be one.
    """
    request_id = check_request_id(request_id)
    is_new = create_new_version and _was_written_since(context, workspace_id, document, name)
    with context.change() as change:
        get_workspace(context, workspace_id)
        sent = change.rows.first(
            f"{_VERSION} where dataset_versions.workspace_id = ? and name = ? and request_id = ?", (workspace_id, name, request_id)
        )
        if sent:
            return _document(sent)  # the first try arrived after all
        found = register_within(change, workspace_id, document, name, description, tags, create_new_version, is_new)
        change.rows.execute(
            "update dataset_versions set request_id = ? where workspace_id = ? and name = ? and version = ?",
            (request_id, workspace_id, name, found["version"]),
        )
        return found


def _was_written_since(context: Context, workspace_id: str, document: Mapping[str, Any], name: str) -> bool:
    """Tell whether this file dataset is a version of the name, and one of its files was written after it became one."""
    dataset, definition = read_definition(document)
    last = context.database.first(
        "select max(created_at) as at from dataset_versions where workspace_id = ? and name = ? and dataset_id = ?",
        (workspace_id, name, dataset_id_of(workspace_id, definition)),
    )
    if dataset.type != FILE or last is None or last["at"] is None:
        return False
    try:
        files = resolve(context, workspace_id, dataset).files
    except PenstockError:  # nothing there now, or out of reach: then nobody has written it
        return False
    return any(file.found.modified_at is not None and file.found.modified_at > last["at"] for file in files)


def register_within(
    change: Change,
    workspace_id: str,
    document: Mapping[str, Any],
    name: str,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    create_new_version: bool = False,
    is_new: bool = False,
) -> dict[str, Any]:
    """Register a definition as a part of a transaction; see `register_dataset`. `is_new`: the next version, even of an equal definition."""
    check_name("dataset", name)
    check_description(description)
    dataset_id = save_within(change, workspace_id, document)
    versions = change.rows.all(
        "select version, dataset_id from dataset_versions where workspace_id = ? and name = ? order by version", (workspace_id, name)
    )
    if versions and not create_new_version:
        raise AlreadyExists(
            f"There is already a dataset registered under the name '{name}'. Pass create_new_version=True to register this one as its next "
            "version; update() changes the description and the tags of the one that is there."
        )
    same = None if is_new else next((row["version"] for row in reversed(versions) if row["dataset_id"] == dataset_id), None)
    if same is not None:
        _update(change, workspace_id, name, same, description, tags, ())
    else:
        row = {
            "workspace_id": workspace_id,
            "name": name,
            "version": max((row["version"] for row in versions), default=0) + 1,
            "dataset_id": dataset_id,
            "description": description,
            "tags": as_json(texts("tags", tags or {})),
            "created_at": change.at,
            "modified_at": change.at,
        }
        change.rows.insert("dataset_versions", row)
        same = row["version"]
    return _document(_read_version(change, workspace_id, name, same))


def _read_version(change: Change, workspace_id: str, name: str, version: Any) -> Row:
    row = change.rows.first(
        f"{_VERSION} where dataset_versions.workspace_id = ? and name = ? and version = ?", (workspace_id, name, version)
    )
    assert row is not None, (name, version)
    return row


def _update(
    change: Change,
    workspace_id: str,
    name: str,
    version: int,
    description: str | None,
    tags: Mapping[str, Any] | None,
    remove_tags: Sequence[str],
) -> None:
    old = _read_version(change, workspace_id, name, version)
    left = merge_tags(json.loads(old["tags"]), tags, remove_tags)
    if description in (None, old["description"]) and as_json(left) == old["tags"]:
        return
    change.rows.execute(
        "update dataset_versions set description = coalesce(?, description), tags = ?, modified_at = ?"
        " where workspace_id = ? and name = ? and version = ?",
        (description, as_json(left), change.at, workspace_id, name, version),
    )


# Versions


def get_dataset_version(context: Context, workspace_id: str, name: str, version: int | str | None = None) -> dict[str, Any]:
    """Return one version of a registered dataset; the newest for None and 'latest'.

    Raises:
        NotFound: There is no such name or version; the message gives the nearest.
        Invalid: The version is neither a number nor 'latest'.
    """
    number = parse_version("dataset", version)
    row = context.database.first(
        f"{_VERSION} where dataset_versions.workspace_id = :workspace and name = :name and (:version is null or version = :version)"
        " order by version desc limit 1",
        {"workspace": workspace_id, "name": name, "version": number},
    )
    if row is None:
        raise _not_found(context, workspace_id, name, number)
    return _document(row)


def _not_found(context: Context, workspace_id: str, name: str, version: int | None) -> NotFound:
    workspace = get_workspace(context, workspace_id)
    rows = context.database.all("select distinct name from dataset_versions where workspace_id = ?", (workspace_id,))
    names = [row["name"] for row in rows]
    asked = f'Cannot find dataset registered with name "{name}"'  # scripts look for these words
    if name in names:
        versions = [item["version"] for item in list_dataset_versions(context, workspace_id, name)]
        return NotFound(f"{asked} (version: {version}) in workspace '{workspace['name']}'. {tell_versions(versions)}")
    hint = tell_names("dataset", name, names)
    return NotFound(f"{asked} in workspace '{workspace['name']}'. {hint}", kind="dataset", name=name)


def list_datasets(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return the newest version of each registered dataset, by name."""
    get_workspace(context, workspace_id)
    rows = context.database.all(
        f"{_VERSION} where dataset_versions.workspace_id = ? and version = (select max(version) from dataset_versions as others"
        " where others.workspace_id = dataset_versions.workspace_id and others.name = dataset_versions.name) order by name",
        (workspace_id,),
    )
    return [_document(row) for row in rows]


def list_dataset_versions(context: Context, workspace_id: str, name: str) -> list[dict[str, Any]]:
    """Return all versions of a registered dataset, oldest first; NotFound when there is no such name."""
    rows = context.database.all(f"{_VERSION} where dataset_versions.workspace_id = ? and name = ? order by version", (workspace_id, name))
    if not rows:
        raise _not_found(context, workspace_id, name, None)
    return [_document(row) for row in rows]


def update_dataset_version(
    context: Context,
    workspace_id: str,
    name: str,
    version: int | str | None,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Describe a version, merge tags into it, remove tags from it."""
    check_description(description)
    with context.change() as change:
        found = get_dataset_version(context, workspace_id, name, version)
        _update(change, workspace_id, name, found["version"], description, tags, tuple(remove_tags or ()))
        return get_dataset_version(context, workspace_id, name, found["version"])


def unregister_dataset(context: Context, workspace_id: str, name: str) -> None:
    """Forget a name with all of its versions. The definitions stay, and so does what is told of runs; the name may be used anew.

    Raises:
        NotFound: There is no such name.
    """
    with context.change() as change:
        list_dataset_versions(context, workspace_id, name)
        change.rows.execute("delete from dataset_versions where workspace_id = ? and name = ?", (workspace_id, name))


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("name", "version", "description", "created_at", "modified_at")},
        "id": row["dataset_id"],
        "definition": json.loads(row["definition"]),
        "tags": json.loads(row["tags"]),
    }
