"""Registered models: files under a name and a version, with what is said of them.

A version is a row; its bytes are kept by their sha256, so that the same bytes are stored once. Bytes come first and the row last: a
registration that is killed leaves no half model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.errors import Invalid, NotFound, Refused
from penstock.operations import blobs, runs
from penstock.operations.context import Change, Context
from penstock.operations.model_files import check_model_files, keep_files_of_run, require_bytes
from penstock.operations.names import as_json, check_description, check_request_id, current_user, merge_tags, texts
from penstock.operations.registered_models import check_model_name, get_registered_model, take_version
from penstock.operations.versions import parse_version, tell_names, tell_versions
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row
from penstock.storage.files import OpenFile

_THIS = "workspace_id = ? and name = ? and version = ?"
# Details are the client's JSON, and Python's JSON may hold a NaN, which SQL can't read.
_USES_DATASET = """
    exists (select 1 from json_each(iif(json_valid(models.details), models.details, '{}'), '$.datasets') as used
             where iif(used.type = 'object', json_extract(used.value, '$.id'), null) = ?)"""


# Registering


def register_model(
    context: Context,
    workspace_id: str,
    name: str,
    files: Sequence[Any] | None = None,
    run_id: str | None = None,
    path: str | None = None,
    unpack: bool = False,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    experiment_name: str | None = None,
    framework: str | None = None,
    framework_version: str | None = None,
    details: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Register files as the next version of a model. Sent twice with the same `request_id`, it is one registration.

    Args:
        context: The surroundings.
        workspace_id: Where.
        name: The model's name; its first version is 1, and no version is ever given twice.
        files: [path, size, sha256] of each file; the bytes are here already. None to take them from the run.
        run_id: The run that it comes from.
        path: A file or a folder of that run, when `files` is None; the model's name when it is None, too.
        unpack: Whether `files` are those of a folder.
        description: What it is.
        tags: Its tags.
        properties: Its properties, which never change.
        experiment_name: The experiment; that of the run when None.
        framework: What it was made with.
        framework_version: In which version.
        details: JSON: datasets, sample inputs and outputs, resources.
        request_id: A UUID of the client's.

    Raises:
        NotFound: Bytes were not sent (`details` lists them), there is no such run, or nothing in it under this path.
        Invalid: The name can't be a model's, a path leaves the model, or tags or properties hold more than texts.
        Refused: A file of the run changes while it is read.
    """
    row = {
        "workspace_id": workspace_id,
        "name": check_model_name(name),
        "description": check_description(description),
        "tags": as_json(texts("tags", tags or {})),
        "properties": as_json(texts("properties", properties or {})),
        "run_id": run_id,
        "experiment_name": experiment_name or _experiment_of(context, workspace_id, run_id),
        "framework": framework,
        "framework_version": framework_version,
        "details": as_json(dict(details or {})),
        "created_by": current_user(),
        "request_id": check_request_id(request_id),
    }
    sent = _find_sent(context, row)
    if sent:
        return _whole(sent)  # the first try arrived after all
    if files is not None:
        kept = check_model_files(files)
    elif run_id is not None:
        kept, unpack = keep_files_of_run(context, run_id, name if path is None else path)
    else:
        raise Invalid("A model is made of files, or of a path in a run. Name either.")
    return _insert(context, {**row, "unpack": int(unpack)}, kept)


def _experiment_of(context: Context, workspace_id: str, run_id: str | None) -> str | None:
    """Return the name of the experiment that a run belongs to."""
    if run_id is None:
        return None
    run = runs.get_row(context, run_id)
    if run["workspace_id"] != workspace_id:
        workspace = get_workspace(context, workspace_id)
        raise NotFound(f"There is no run '{run_id}' in the workspace '{workspace['name']}'.")
    return str(run["experiment_name"])


def _find_sent(context: Context, row: Row) -> Row | None:
    place = (row["workspace_id"], row["request_id"])
    return context.database.first("select * from models where workspace_id = ? and request_id = ?", place) if row["request_id"] else None


def _insert(context: Context, row: Row, files: list[Any]) -> dict[str, Any]:
    with context.change() as change:
        get_workspace(context, row["workspace_id"])
        sent = _find_sent(context, row)
        if sent:
            return _whole(sent)
        require_bytes(context, files)  # in here: who deletes a model removes bytes that nobody needs in a transaction, too
        version = take_version(change, row["workspace_id"], row["name"])
        facts = {"files": as_json(files), "file_count": len(files), "size": sum(size for _, size, _ in files)}
        change.rows.insert("models", {**row, **facts, "version": version, "created_at": change.at, "modified_at": change.at})
        return get_model(context, row["workspace_id"], row["name"], version)


# Reading


def get_model(context: Context, workspace_id: str, name: str, version: int | str | None = None) -> dict[str, Any]:
    """Return one version of a model, its files included; the newest for None and 'latest'.

    Raises:
        NotFound: There is no such name or version; the message gives the nearest.
        Invalid: The version is neither a number nor 'latest'.
    """
    number = parse_version("model", version)
    row = context.database.first(
        "select * from models where workspace_id = :workspace and name = :name and (:version is null or version = :version)"
        " order by version desc limit 1",
        {"workspace": workspace_id, "name": name, "version": number},
    )
    if row is None:
        raise _not_found(context, workspace_id, name, number)
    return _whole(row)


def _not_found(context: Context, workspace_id: str, name: str, version: int | None) -> NotFound:
    workspace = get_workspace(context, workspace_id)
    rows = context.database.all("select version from models where workspace_id = ? and name = ? order by version", (workspace_id, name))
    asked = f"ModelNotFound: Model with name {name}"  # scripts look for these words
    if rows:
        versions = tell_versions([row["version"] for row in rows])
        return NotFound(f"{asked} and version {version} not found in workspace '{workspace['name']}'. {versions}")
    known = context.database.all("select distinct name from models where workspace_id = ?", (workspace_id,))
    hint = tell_names("model", name, (row["name"] for row in known))
    return NotFound(f"{asked} not found in workspace '{workspace['name']}'. {hint}", kind="model", name=name)


def list_models(
    context: Context,
    workspace_id: str,
    name: str | None = None,
    tags: Sequence[Any] | None = None,
    properties: Sequence[Any] | None = None,
    run_id: str | None = None,
    dataset_id: str | None = None,
    framework: str | None = None,
    latest: bool = False,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return versions of models, newest first, without their files.

    Args:
        context: The surroundings.
        workspace_id: Where.
        name: Only versions of this model.
        tags: Keys that the tags must have, or [key, value] pairs; all must match.
        properties: The same for properties.
        run_id: Only models that come from this run.
        dataset_id: Only models that were registered with this dataset.
        framework: Only models made with this framework.
        latest: Of each name only the newest version that matches.
        limit: At most so many.

    Raises:
        Invalid: A filter is neither a key nor a pair.
    """
    get_workspace(context, workspace_id)
    equal = {"workspace_id": workspace_id, "name": name, "run_id": run_id, "framework": framework}
    conditions = [(f"{column} = ?", [value]) for column, value in equal.items() if value is not None]
    conditions += [_has(kind, pair) for kind, pairs in (("tags", tags), ("properties", properties)) for pair in pairs or ()]
    if dataset_id is not None:
        conditions.append((_USES_DATASET, [dataset_id]))
    place = "row_number() over (partition by name order by version desc) as place"
    found = f"select models.*, {place} from models where {' and '.join(condition for condition, _ in conditions)}"
    rows = context.database.all(
        f"with found as ({found}) select * from found where place = 1 or not ? order by created_at desc, name, version desc limit ?",
        (*(value for _, values in conditions for value in values), latest, -1 if limit is None else limit),
    )
    return [_document(row) for row in rows]


def _has(kind: str, pair: Any) -> tuple[str, list[str]]:
    """Return the condition that tags or properties have a key, or a key with a value."""
    wanted = _check_filter(kind, pair)
    which = " and ".join(("pair.key = ?", "pair.value = ?")[: len(wanted)])
    return f"exists (select 1 from json_each(models.{kind}) as pair where {which})", wanted


def _check_filter(kind: str, pair: Any) -> list[str]:
    """Return [key] or [key, value]; values are compared as the texts that they are kept as."""
    parts = [pair] if isinstance(pair, str) else pair
    if not isinstance(parts, (list, tuple)) or not 1 <= len(parts) <= 2 or not isinstance(parts[0], str):
        raise Invalid(f"A filter of {kind} is a key, or a pair of a key and a value, not {str(pair)[:60]!r}.")
    return [parts[0]] if len(parts) == 1 else [parts[0], str(parts[1])]


def open_model_file(context: Context, workspace_id: str, name: str, version: int | str | None, path: str, offset: int = 0) -> OpenFile:
    """Open one file of a model, from an offset on.

    Raises:
        NotFound: There is no such model, or no such file in it.
    """
    model = get_model(context, workspace_id, name, version)
    digests = {known: digest for known, _, digest in model["files"]}
    if path not in digests:
        raise NotFound.named("file", path, digests, f"the model {model['name']}:{model['version']}")
    try:
        return OpenFile(blobs.blob_path(context, digests[path]).open("rb"), offset)
    except FileNotFoundError:
        raise NotFound(
            f"The bytes of '{path}' of the model {model['name']}:{model['version']} are gone from {context.home.blobs}. "
            "Restore that folder from a backup, or register the model again."
        ) from None


# Changing


def update_model(
    context: Context,
    workspace_id: str,
    name: str,
    version: int | str | None,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] | None = None,
    properties: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe a version, merge tags and details into it, remove tags, add properties.

    Raises:
        Refused: A property has another value already; nothing is changed.
    """
    check_description(description)
    with context.change() as change:
        old = get_model(context, workspace_id, name, version)
        added = texts("properties", properties or {})
        changed = sorted(key for key, value in added.items() if key in old["properties"] and old["properties"][key] != value)
        if changed:
            raise Refused(
                f"The property '{changed[0]}' of the model {name}:{old['version']} is {old['properties'][changed[0]]!r}, "
                "and a property stays as it was first set. Use a tag for what changes."
            )
        changes = {
            "description": old["description"] if description is None else description,
            "tags": as_json(merge_tags(old["tags"], tags, remove_tags)),
            "properties": as_json({**old["properties"], **added}),
            "details": as_json({**old["details"], **(details or {})}),
        }
        _write(change, workspace_id, name, old["version"], changes)
        return get_model(context, workspace_id, name, old["version"])


def _write(change: Change, workspace_id: str, name: str, version: int, changes: Mapping[str, Any]) -> None:
    sets = ", ".join(f"{column} = ?" for column in (*changes, "modified_at"))
    change.rows.execute(f"update models set {sets} where {_THIS}", (*changes.values(), change.at, workspace_id, name, version))


def delete_model(context: Context, workspace_id: str, name: str, version: int | str | None) -> None:
    """Forget a version of a model, and the bytes that nothing else needs. Its number is not given again.

    Raises:
        NotFound: There is no such version.
    """
    with context.change() as change:
        model = get_model(context, workspace_id, name, version)
        change.rows.execute(f"delete from models where {_THIS}", (workspace_id, name, model["version"]))
    blobs.remove_unused(context, [digest for _, _, digest in model["files"]])


def delete_registered_model(context: Context, workspace_id: str, name: str) -> None:
    """Forget a name of models with all of its versions; see `delete_model`.

    Raises:
        NotFound: There is no such name.
    """
    with context.change() as change:
        get_registered_model(context, workspace_id, name)
        rows = change.rows.all("delete from models where workspace_id = ? and name = ? returning files", (workspace_id, name))
        change.rows.execute(
            "update registered_models set deleted_at = ? where workspace_id = ? and name = ?", (change.at, workspace_id, name)
        )
    blobs.remove_unused(context, [digest for row in rows for _, _, digest in json.loads(row["files"])])


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("name", "version", "description", "run_id", "experiment_name", "framework", "framework_version")
    return {
        **{key: row[key] for key in (*plain, "file_count", "size", "created_at", "modified_at", "created_by")},
        "unpack": bool(row["unpack"]),
        **{key: json.loads(row[key]) for key in ("tags", "properties", "details")},
    }


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**_document(row), "files": json.loads(row["files"])}
