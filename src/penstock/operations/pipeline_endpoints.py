"""Pipeline endpoints: one address with numbered versions, each a published pipeline, and a default among them.

A version never changes and its number is not given again. Each change is one verb in one transaction, so that two at once both count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock.model.entity_status import ACTIVE
from penstock.model.errors import AlreadyExists, Invalid, NotFound
from penstock.model.ids import new_id
from penstock.operations import runs
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_description, check_request_id, check_title, current_user, texts
from penstock.operations.pipelines import check_status, get_row
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row

_PLAIN = ("id", "workspace_id", "name", "description", "status", "created_at", "modified_at", "created_by")
_SELECT = """
    select pipeline_endpoints.*,
           (select json_group_array(json_object('version', cast(version as text), 'pipeline_id', pipeline_id))
              from (select * from pipeline_endpoint_versions where endpoint_id = pipeline_endpoints.id order by version)) as versions
      from pipeline_endpoints"""


# Making


def create_endpoint(
    context: Context,
    workspace_id: str,
    name: str,
    pipeline_id: str,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Make an endpoint whose version 0, the default, is a published pipeline. Sent twice with the same `request_id`, it makes one.

    Raises:
        AlreadyExists: The name is taken.
        NotFound: There is no such workspace, or no such pipeline in it.
        Invalid: The name can't be one, or tags or properties hold more than texts.
    """
    row: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": check_title("pipeline endpoint", name),
        "description": check_description(description),
        "default_version": 0,
        "tags": as_json(texts("tags", tags or {})),
        "properties": as_json(texts("properties", properties or {})),
        "created_by": current_user(),
        "request_id": check_request_id(request_id),
    }
    with context.change() as change:
        get_workspace(context, workspace_id)
        sent = _find_sent(change, row)
        if sent:
            return _read(change, sent["id"])
        _refuse_taken(change, workspace_id, name)
        get_row(change, workspace_id, pipeline_id)
        change.rows.insert("pipeline_endpoints", {**row, "created_at": change.at, "modified_at": change.at})
        change.rows.insert("pipeline_endpoint_versions", _version(change, row["id"], 0, pipeline_id))
        return _read(change, row["id"])


def _find_sent(change: Change, row: Row) -> Row | None:
    if row["request_id"] is None:
        return None
    place = (row["workspace_id"], row["request_id"])
    return change.rows.first("select id from pipeline_endpoints where workspace_id = ? and request_id = ?", place)


def _version(change: Change, endpoint_id: str, version: int, pipeline_id: str, request_id: str | None = None) -> Row:
    named = {"endpoint_id": endpoint_id, "version": version, "pipeline_id": pipeline_id}
    return {**named, "created_at": change.at, "request_id": request_id}


def _refuse_taken(change: Change, workspace_id: str, name: str) -> None:
    if change.rows.first("select 1 from pipeline_endpoints where workspace_id = ? and name = ?", (workspace_id, name)):
        raise AlreadyExists(
            f"There is a pipeline endpoint '{name}' already. Add a version to it, "
            f"PipelineEndpoint.get(workspace, name='{name}').add_default(pipeline), or choose another name."
        )


# Reading


def get_endpoint(context: Context, workspace_id: str, endpoint_id: str) -> dict[str, Any]:
    """Return one endpoint with its versions.

    Raises:
        NotFound: There is none with this id.
    """
    row = context.database.first(f"{_SELECT} where workspace_id = ? and id = ?", (workspace_id, endpoint_id))
    if row is None:
        raise _not_found(endpoint_id)
    return _document(row)


def _not_found(endpoint_id: str) -> NotFound:
    hint = "PipelineEndpoint.list(workspace) lists them."
    return NotFound(f"There is no pipeline endpoint with the id '{endpoint_id}' in this workspace. {hint}", kind="pipeline endpoint")


def get_endpoint_by_name(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return the endpoint of a name.

    Raises:
        NotFound: There is none; the message gives the nearest name.
    """
    row = context.database.first(f"{_SELECT} where workspace_id = ? and name = ?", (workspace_id, name))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        known = context.database.all("select name from pipeline_endpoints where workspace_id = ?", (workspace_id,))
        raise NotFound.named("pipeline endpoint", name, [item["name"] for item in known], f"workspace '{workspace['name']}'")
    return _document(row)


def list_endpoints(
    context: Context, workspace_id: str, active_only: bool = False, name: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the endpoints of a workspace with their versions, newest first.

    Args:
        context: The surroundings.
        workspace_id: Where.
        active_only: Without those that are disabled.
        name: Only the one with this name.
        limit: At most so many.

    Raises:
        NotFound: There is no such workspace.
    """
    get_workspace(context, workspace_id)
    rows = context.database.all(
        f"{_SELECT} where workspace_id = ? and (status = ? or not ?) and name = coalesce(?, name)"
        " order by created_at desc, rowid desc limit ?",
        (workspace_id, ACTIVE, active_only, name, -1 if limit is None else limit),
    )
    return [_document(row) for row in rows]


def list_runs(context: Context, workspace_id: str, endpoint_id: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the runs that were asked of an endpoint, newest first; at most `limit`.

    Raises:
        NotFound: There is no such endpoint.
    """
    get_endpoint(context, workspace_id, endpoint_id)
    return runs.list_published_runs(context, endpoint_id=endpoint_id, limit=limit)


# Changing


def update_endpoint(
    context: Context,
    workspace_id: str,
    endpoint_id: str,
    name: str | None = None,
    description: str | None = None,
    status: str | None = None,
) -> dict[str, Any]:
    """Rename, describe, enable or disable an endpoint, all at once or not at all.

    Raises:
        AlreadyExists: Another endpoint has the name.
        Invalid: The name can't be one, or there is no such status.
        NotFound: There is no such endpoint.
    """
    new = {
        "name": None if name is None else check_title("pipeline endpoint", name),
        "description": check_description(description),
        "status": None if status is None else check_status(status),
    }
    with context.change() as change:
        old = _get_row(change, workspace_id, endpoint_id)
        if name is not None and name != old["name"]:
            _refuse_taken(change, workspace_id, name)
        return _write(change, endpoint_id, {column: value for column, value in new.items() if value is not None})


def add_version(
    context: Context, workspace_id: str, endpoint_id: str, pipeline_id: str, default: bool = False, request_id: str | None = None
) -> dict[str, Any]:
    """Give a published pipeline the next number of an endpoint, and make it the default one where `default` is True.

    Sent twice with the same `request_id`, it is added once.

    Raises:
        AlreadyExists: The endpoint has a version of this pipeline.
        NotFound: There is no such endpoint or pipeline.
    """
    own_id = check_request_id(request_id)
    with context.change() as change:
        _get_row(change, workspace_id, endpoint_id)
        get_row(change, workspace_id, pipeline_id)
        there = _find_version(change, endpoint_id, pipeline_id)
        if there and (own_id is None or there["request_id"] != own_id):
            raise AlreadyExists(
                f"The pipeline {pipeline_id} is version {there['version']} of this endpoint already. Publish it anew for another version."
            )
        if there:
            return _read(change, endpoint_id)  # the first try arrived after all
        last = change.rows.first("select max(version) as version from pipeline_endpoint_versions where endpoint_id = ?", (endpoint_id,))
        number = last["version"] + 1 if last else 0
        change.rows.insert("pipeline_endpoint_versions", _version(change, endpoint_id, number, pipeline_id, own_id))
        return _write(change, endpoint_id, {"default_version": number} if default else {})


def set_default_version(
    context: Context, workspace_id: str, endpoint_id: str, version: str | None = None, pipeline_id: str | None = None
) -> dict[str, Any]:
    """Make a version the default one: that of a number, or the one that a published pipeline is.

    Raises:
        NotFound: The endpoint has no such version.
        Invalid: Neither is given, or both.
    """
    if (version is None) == (pipeline_id is None):
        raise Invalid("The default version of an endpoint is named by its 'version' or by its 'pipeline_id'. Give one of them.")
    with context.change() as change:
        row = _get_row(change, workspace_id, endpoint_id)
        where = f"the pipeline endpoint '{row['name']}'"
        versions = {str(item["version"]): item["pipeline_id"] for item in _list_versions(change, endpoint_id)}
        if pipeline_id is not None:
            found = next((number for number, item in versions.items() if item == pipeline_id), None)
            if found is None:
                raise NotFound(
                    f"No version of {where} is the published pipeline '{pipeline_id}'. Add it first: endpoint.add_default(pipeline)."
                )
        elif version in versions:
            found = version
        else:
            raise NotFound.named("version", str(version), versions, where)
        return _write(change, endpoint_id, {"default_version": int(str(found))})


def _get_row(change: Change, workspace_id: str, endpoint_id: str) -> Row:
    row = change.rows.first("select * from pipeline_endpoints where workspace_id = ? and id = ?", (workspace_id, endpoint_id))
    if row is None:
        raise _not_found(endpoint_id)
    return row


def _find_version(change: Change, endpoint_id: str, pipeline_id: str) -> Row | None:
    return next((item for item in _list_versions(change, endpoint_id) if item["pipeline_id"] == pipeline_id), None)


def _list_versions(change: Change, endpoint_id: str) -> list[Row]:
    return change.rows.all("select * from pipeline_endpoint_versions where endpoint_id = ? order by version", (endpoint_id,))


def _write(change: Change, endpoint_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    sets = ", ".join(f"{column} = ?" for column in (*changes, "modified_at"))
    change.rows.execute(f"update pipeline_endpoints set {sets} where id = ?", (*changes.values(), change.at, endpoint_id))
    return _read(change, endpoint_id)


def _read(change: Change, endpoint_id: str) -> dict[str, Any]:
    row = change.rows.first(f"{_SELECT} where id = ?", (endpoint_id,))
    assert row is not None, endpoint_id
    return _document(row)


def _document(row: Row) -> dict[str, Any]:
    return {
        **{key: row[key] for key in _PLAIN},
        "default_version": str(row["default_version"]),
        **{key: json.loads(row[key]) for key in ("versions", "tags", "properties")},
    }
