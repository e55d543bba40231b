"""Modules: steps that are shared under a name. What a version holds never changes; its status and description do.

The source folder of a version is a snapshot that the service already has, so who uses a module needs no folder.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.compile import checks
from penstock.model.entity_status import ACTIVE, DISABLED, STATUSES
from penstock.model.errors import AlreadyExists, Invalid, InvalidGraph, NotFound, Refused
from penstock.model.graph import DataNode, InputPort, OutputPort, PipelineGraph, PortRef, StepNode, StepParameter
from penstock.model.ids import new_id
from penstock.model.modules import (
    ASKED,
    DEFAULT,
    HIGHEST,
    NEWEST,
    ModuleDefinition,
    format_module,
    parse_module,
)
from penstock.operations import runs
from penstock.operations.context import Change, Context
from penstock.operations.graph_shapes import check_members, check_shape
from penstock.operations.names import as_json, check_description, check_name, check_request_id, check_title, current_user
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row

_log = logging.getLogger(__name__)

_DOTTED = re.compile(r"\d{1,18}(\.\d{1,18})*", re.ASCII)
_NODE = "module"
_VERSIONS = "select v.*, m.name as module_name, m.status as module_status from module_versions v join modules m on m.id = v.module_id"


# Modules


def create_module(
    context: Context, workspace_id: str, name: str, description: str | None = None, request_id: str | None = None
) -> dict[str, Any]:
    """Make a module that has no versions yet. Sent twice with the same `request_id`, it is made once.

    Raises:
        AlreadyExists: The workspace has a module of this name.
        Invalid: No module may have this name.
    """
    row = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": check_name("module", name),
        "description": check_description(description),
        "created_by": current_user(),
        "request_id": check_request_id(request_id),
    }
    with context.change() as change:
        get_workspace(context, workspace_id)
        known = _find_named(change, workspace_id, name)
        if known is None:
            change.rows.insert("modules", {**row, "created_at": change.at, "modified_at": change.at})
        elif request_id is None or known["request_id"] != row["request_id"]:
            raise AlreadyExists(f"There is already a module named '{name}'. Publish a version of it: Module.get(workspace, name='{name}').")
        return get_module(context, workspace_id, known["id"] if known else str(row["id"]))


def _find_named(change: Change, workspace_id: str, name: str) -> Row | None:
    return change.rows.first("select * from modules where workspace_id = ? and name = ?", (workspace_id, name))


def get_module(context: Context, workspace_id: str, module: str) -> dict[str, Any]:
    """Return a module with its versions, by its id or else by its name.

    Raises:
        NotFound: The workspace has none; the message gives the nearest name.
    """
    row = _get_row(context, workspace_id, module)
    return {**_module_document(row), "versions": [_summary(item) for item in _version_rows(context, row["id"])]}


def _get_row(context: Context, workspace_id: str, module: str) -> Row:
    row = context.database.first(
        "select * from modules where workspace_id = :workspace and (id = :module or name = :module) order by id = :module desc",
        {"workspace": workspace_id, "module": module},
    )
    if row is None:
        workspace = get_workspace(context, workspace_id)
        names = [item["name"] for item in context.database.all("select name from modules where workspace_id = ?", (workspace_id,))]
        raise NotFound.named("module", module, names, f"workspace '{workspace['name']}'")
    return row


def list_modules(context: Context, workspace_id: str, active_only: bool = False) -> list[dict[str, Any]]:
    """Return the modules of a workspace by name, each with its versions; NotFound when there is no such workspace."""
    get_workspace(context, workspace_id)
    rows = context.database.all(
        "select * from modules where workspace_id = ? and (status = ? or not ?) order by name", (workspace_id, ACTIVE, active_only)
    )
    versions: dict[str, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    for item in context.database.all(f"{_VERSIONS} where m.workspace_id = ? order by v.created_at, v.rowid", (workspace_id,)):
        if item["module_id"] in versions:
            versions[item["module_id"]].append(_summary(item))
    return [{**_module_document(row), "versions": versions[row["id"]]} for row in rows]


def update_module(
    context: Context,
    workspace_id: str,
    module: str,
    name: str | None = None,
    description: str | None = None,
    status: str | None = None,
    default_version: str | None = None,
) -> dict[str, Any]:
    """Rename or describe a module, enable, deprecate or disable it, or point its default at another version; None changes nothing.

    Raises:
        NotFound: There is no such module or version.
        AlreadyExists: Another module has the name.
        Refused: The version that is to be the default is disabled.
        Invalid: A value is wrong.
    """
    with context.change() as change:
        row = _get_row(context, workspace_id, module)
        if name is not None:
            _check_free(change, row, check_name("module", name))
        if default_version is not None:
            _check_default(context, row, default_version)
        changes = {
            "name": name,
            "description": check_description(description),
            "status": check_status(status),
            "default_version": default_version,
        }
        _write(change, "modules", row["id"], changes)
        return get_module(context, workspace_id, row["id"])


def check_status(status: str | None) -> str | None:
    """Return a status of a module or of a version; raise Invalid when there is none such."""
    if status is not None and status not in STATUSES:
        raise Invalid(f"There is no status '{status[:40]}' of modules. There are: {', '.join(STATUSES)}.")
    return status


def _check_free(change: Change, row: Row, name: str) -> None:
    known = _find_named(change, row["workspace_id"], name)
    if known and known["id"] != row["id"]:
        raise AlreadyExists(f"There is already a module named '{name}'; '{row['name']}' keeps its name.")


def _check_default(context: Context, row: Row, version: str) -> None:
    known = {item["version"]: item["status"] for item in _version_rows(context, row["id"])}
    if version not in known:
        raise NotFound.named("version", version, known, f"the module '{row['name']}'")
    if known[version] == DISABLED:
        raise Refused(f"Version '{version}' of the module '{row['name']}' is disabled, so it can't be the default. Enable it first.")


def _write(change: Change, table: str, row_id: str, changes: Mapping[str, Any]) -> None:
    given = {column: value for column, value in changes.items() if value is not None}
    sets = ", ".join(f"{column} = ?" for column in (*given, "modified_at"))
    change.rows.execute(f"update {table} set {sets} where id = ?", (*given.values(), change.at, row_id))


# Versions


def publish_version(
    context: Context,
    workspace_id: str,
    module: str,
    definition: Mapping[str, Any],
    version: str | None = None,
    description: str | None = None,
    category: str | None = None,
    is_default: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Add a version to a module. Sent twice with the same `request_id`, it is added once.

    Args:
        context: The surroundings.
        workspace_id: Where.
        module: The module, by id or name.
        definition: What it is; see penstock.model.modules.
        version: Its name; None takes the next whole number.
        description: A text for people.
        category: A word for people.
        is_default: Whether the module's default points at it from now on.
        request_id: A UUID of the client's.

    Raises:
        AlreadyExists: The module has this version. Versions never change, so the new one needs another name.
        Invalid: The definition is wrong; every problem is listed.
        NotFound: There is no such module.
    """
    parsed = parse_module(definition)
    check_definition(parsed)
    request_id = check_request_id(request_id)
    wanted = None if version is None else check_name("module's version", version)
    about = {"description": check_description(description), "category": check_title("category", category) if category else None}
    with context.change() as change:
        row = _get_row(context, workspace_id, module)
        known = _version_rows(context, row["id"])
        sent = next((item for item in known if request_id and item["request_id"] == request_id), None)
        if sent is None:
            _check_snapshot(change, parsed)
            new: Row = {**about, "id": new_id(), "version": _new_version(row, known, wanted), "request_id": request_id}
            _insert(change, row, {**new, "definition": as_json(format_module(parsed))}, is_default)
    if sent is None:
        _log.info("module.published module_id=%s version=%s", row["id"], new["version"])
    return get_version(context, workspace_id, (sent or new)["id"])


def _insert(change: Change, module: Row, row: Row, is_default: bool) -> None:
    made = {"module_id": module["id"], "created_at": change.at, "modified_at": change.at, "created_by": current_user()}
    change.rows.insert("module_versions", {**row, **made})
    _write(change, "modules", module["id"], {"default_version": row["version"] if is_default else None})


def check_definition(definition: ModuleDefinition) -> None:
    """Do nothing for a definition of which steps can be made.

    Raises:
        Invalid: It is not; every problem is listed.
    """
    check_members(definition, "the definition of a module")
    graph = _as_graph(definition)
    check_shape(graph)
    problems = [*_twice(definition), *checks.find_problems(graph)]
    if problems:
        raise InvalidGraph([problem.replace(f" of step '{_NODE}'", "").replace(f"Step '{_NODE}'", "The module") for problem in problems])


def _twice(definition: ModuleDefinition) -> list[str]:
    names = [item.name for item in definition.parameters]
    return [f"The parameter '{name}' is defined twice." for name in dict.fromkeys(names) if names.count(name) > 1]


def _as_graph(definition: ModuleDefinition) -> PipelineGraph:
    """Return the graph of one step of a module, each of its ports connected to something: what holds for steps holds for modules."""
    step = StepNode(
        id=_NODE,
        name=_NODE,
        step_type=definition.step_type,
        script=definition.script,
        snapshot=definition.snapshot,
        arguments=definition.arguments,
        parameters=tuple(StepParameter(item.name, item.default) for item in definition.parameters),
        inputs=tuple(
            InputPort(port.name, PortRef(f"data{index}", "data"), port.mode or "mount", port.path_on_compute, port.overwrite, {})
            for index, port in enumerate(definition.inputs)
        ),
        outputs=tuple(
            OutputPort(port.name, port.datastore or "any", port.mode or "mount", port.path_on_compute, port.overwrite)
            for port in definition.outputs
        ),
        run_config=definition.run_config,
    )
    data = tuple(DataNode(f"data{index}", port.name, "any") for index, port in enumerate(definition.inputs))
    return PipelineGraph(_NODE, (step,), data)


def _check_snapshot(change: Change, definition: ModuleDefinition) -> None:
    if not change.rows.first("select 1 from snapshots where digest = ?", (definition.snapshot,)):
        raise Invalid(f"The source folder of the module (snapshot {definition.snapshot[:12]}) was not sent.")


def _new_version(module: Row, known: Sequence[Row], wanted: str | None) -> str:
    names = [item["version"] for item in known]
    if wanted is None:
        return str(1 + max((_numbers(name)[0] for name in names if _DOTTED.fullmatch(name)), default=0))
    if wanted in names:
        raise AlreadyExists(
            f"The module '{module['name']}' already has a version '{wanted}', and a version never changes. "
            f"It has: {', '.join(names)}. Give the new one another name, or version=None for the next number."
        )
    return wanted


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _version_rows(context: Context, module_id: str) -> list[Row]:
    """Return the versions of a module, the oldest first."""
    return context.database.all(f"{_VERSIONS} where v.module_id = ? order by v.created_at, v.rowid", (module_id,))


def get_version(context: Context, workspace_id: str, version_id: str) -> dict[str, Any]:
    """Return a version of a module by its id, with its definition; NotFound when there is none."""
    row = context.database.first(f"{_VERSIONS} where v.id = ? and m.workspace_id = ?", (version_id, workspace_id))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        raise NotFound(
            f"The workspace '{workspace['name']}' has no version of a module with the id '{version_id}'. "
            "Module.get_versions(workspace, name) lists those of a module."
        )
    return _version_document(row)


def update_version(
    context: Context, workspace_id: str, version_id: str, description: str | None = None, status: str | None = None
) -> dict[str, Any]:
    """Describe a version, or enable, deprecate or disable it; None changes nothing.

    Raises:
        NotFound: There is no such version.
        Invalid: A value is wrong.
    """
    changes = {"description": check_description(description), "status": check_status(status)}
    with context.change() as change:
        get_version(context, workspace_id, version_id)
        _write(change, "module_versions", version_id, changes)
        return get_version(context, workspace_id, version_id)


def resolve_version(context: Context, workspace_id: str, module: str, version: str | None = None) -> dict[str, Any]:
    """Return the version that a step takes: the one asked for; else the default; else the highest number; else the newest.

    A disabled version is taken only by its name. `chosen` says which of the four it was: asked, default, highest, newest.

    Raises:
        NotFound: There is no such module, or it has no version that is not disabled.
    """
    row = _get_row(context, workspace_id, module)
    known = _version_rows(context, row["id"])
    asked = next((item for item in known if item["version"] == version), None)
    if asked:
        return {**_version_document(asked), "chosen": ASKED}
    able = [item for item in known if item["status"] != DISABLED]
    if not able:
        why = "has no versions yet. Publish one" if not known else "has only disabled versions. Enable one, or publish another"
        raise NotFound(f"The module '{row['name']}' {why}: module.publish_python_script(...).")
    found, chosen = _choose(able, row["default_version"])
    return {**_version_document(found), "chosen": chosen}


def _choose(versions: Sequence[Row], default: str | None) -> tuple[Row, str]:
    for item in versions:
        if item["version"] == default:
            return item, DEFAULT
    if all(_DOTTED.fullmatch(item["version"]) for item in versions):
        return max(versions, key=lambda item: _numbers(item["version"])), HIGHEST
    return max(versions, key=lambda item: str(item["modified_at"])), NEWEST


# What became of it


def list_runs(context: Context, workspace_id: str, module: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the pipeline runs that have a step of a module, newest first; at most `limit`."""
    row = _get_row(context, workspace_id, module)
    # The id stands nowhere else in a graph: looking for the text is enough, and needs no reading of JSON.
    found = context.database.all(
        "select r.id from runs r join pipeline_runs p on p.run_id = r.id where r.workspace_id = ?"
        " and p.graph_id in (select id from graphs where instr(document, ?) > 0) order by r.created_at desc, r.number desc limit ?",
        (workspace_id, f'"id":"{row["id"]}"', -1 if limit is None else limit),
    )
    return [runs.get_run(context, item["id"]) for item in found]


def _module_document(row: Row) -> dict[str, Any]:
    return _pick(row, ("id", "workspace_id", "name", "description", "status", "default_version", "created_at", "modified_at", "created_by"))


_SUMMARY = ("id", "version", "description", "status", "category", "created_at", "modified_at", "created_by")


def _summary(row: Row) -> dict[str, Any]:
    return _pick(row, _SUMMARY)


def _version_document(row: Row) -> dict[str, Any]:
    return {**_pick(row, (*_SUMMARY, "module_id", "module_name", "module_status")), "definition": json.loads(row["definition"])}


def _pick(row: Row, names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}
