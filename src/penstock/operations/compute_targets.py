"""Compute targets: a name, a kind, and how many steps at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from penstock.model import status
from penstock.model.errors import AlreadyExists, Invalid, NotFound, Refused
from penstock.model.graph import LOCAL
from penstock.model.vm_sizes import Machine, nodes_at_once, vm_size_of
from penstock.operations.context import Context
from penstock.operations.names import as_json, check_name, check_request_id
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import sql_list

_MOST_NODES = 100_000
_CLUSTERS = ("AKS", "Kubernetes")  # their nodes are not counted: this machine's slots bound them

_SELECT = f"""
    select compute_targets.*, (
        select count(*) from runs join step_runs on step_runs.run_id = runs.id
         where runs.status in {sql_list(status.ON_A_NODE)}
           and runs.workspace_id = compute_targets.workspace_id and step_runs.compute_name = compute_targets.name
    ) as active_runs
    from compute_targets where workspace_id = ?"""


def list_compute_targets(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return the compute targets of a workspace by name."""
    get_workspace(context, workspace_id)
    return [_document(context, row) for row in context.database.all(f"{_SELECT} order by name", (workspace_id,))]


def get_compute_target(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return one compute target.

    Raises:
        NotFound: The workspace has none of this name; the message gives the nearest.
    """
    row = context.database.first(f"{_SELECT} and name = ?", (workspace_id, name))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        known = [item["name"] for item in context.database.all("select name from compute_targets where workspace_id = ?", (workspace_id,))]
        raise NotFound.named("compute target", name, known, f"workspace '{workspace['name']}'")
    return _document(context, row)


def list_node_limits(context: Context) -> dict[tuple[str, str], int]:
    """Return (workspace id, name) -> how many steps a compute target runs at once on this machine."""
    rows = context.database.all("select workspace_id, name, max_nodes, definition from compute_targets")
    return {(row["workspace_id"], row["name"]): _nodes_at_once(context, row["max_nodes"], json.loads(row["definition"])) for row in rows}


def _nodes_at_once(context: Context, max_nodes: int, definition: Mapping[str, Any]) -> int:
    return nodes_at_once(max_nodes, vm_size_of(definition), this_machine(context))


def this_machine(context: Context) -> Machine:
    """Return what this machine has. Who sets more slots than it has cores says that it has room for so many."""
    return Machine(max(_usable_cores(), context.settings.step_slots), _gpus())


@lru_cache(maxsize=1)
def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _gpus() -> int:
    try:
        return len(list(Path("/proc/driver/nvidia/gpus").iterdir()))
    except OSError:
        return 0


def put_compute_target(
    context: Context,
    workspace_id: str,
    name: str,
    type: str,
    definition: Mapping[str, Any],
    overwrite: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Create or replace a compute target; `max_nodes` of the definition says how many steps run on it at once.

    Sent twice with the same `request_id`, it is put once.

    Raises:
        AlreadyExists: The name is taken, and `overwrite` is False.
        Invalid: The name is reserved, or `max_nodes` is no number of nodes.
    """
    if check_name("compute target", name).lower() == LOCAL:
        raise Invalid("The name 'local' is reserved: it is this machine, which every workspace has.")
    nodes = _max_nodes(name, type, definition)
    request_id = check_request_id(request_id)
    with context.change() as change:
        workspace = get_workspace(context, workspace_id)
        place = (workspace_id, name)
        exists = change.rows.first("select request_id from compute_targets where workspace_id = ? and name = ?", place)
        if exists and request_id and exists["request_id"] == request_id:
            return get_compute_target(context, workspace_id, name)  # the first try arrived after all
        if exists and not overwrite:
            raise AlreadyExists(f"The workspace '{workspace['name']}' has a compute target '{name}' already.")
        change.rows.execute(
            "insert into compute_targets (workspace_id, name, type, definition, max_nodes, created_at, modified_at, request_id)"
            " values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (workspace_id, name) do update set type = excluded.type,"
            " definition = excluded.definition, max_nodes = excluded.max_nodes, modified_at = excluded.modified_at,"
            " request_id = excluded.request_id",
            (*place, type, as_json(definition), nodes, change.at, change.at, request_id),
        )
        change.for_engine = True  # more nodes: waiting steps may start
        return get_compute_target(context, workspace_id, name)


def _max_nodes(name: str, type: str, definition: Mapping[str, Any]) -> int:
    nodes = definition.get("max_nodes")
    if nodes is None:
        return _MOST_NODES if type in _CLUSTERS else 1
    if isinstance(nodes, bool) or not isinstance(nodes, int) or not 1 <= nodes <= _MOST_NODES:
        raise Invalid(f"max_nodes of the compute target '{name}' must be a whole number from 1 to {_MOST_NODES}, not {nodes!r}.")
    return nodes


def delete_compute_target(context: Context, workspace_id: str, name: str) -> None:
    """Forget a compute target.

    Raises:
        Refused: Steps run on it.
    """
    with context.change() as change:
        found = get_compute_target(context, workspace_id, name)
        if found["active_runs"]:
            raise Refused(
                f"The compute target '{name}' can't be deleted: steps that run on it: {found['active_runs']}. Cancel them or wait for them."
            )
        change.rows.execute("delete from compute_targets where workspace_id = ? and name = ?", (workspace_id, name))


def _document(context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    definition = json.loads(row["definition"])  # not SQL's to read: it knows no NaN, which JSON of Python's may hold
    return {
        **{key: row[key] for key in ("name", "type", "created_at", "modified_at", "active_runs")},
        "nodes_at_once": _nodes_at_once(context, row["max_nodes"], definition),
        "definition": definition,
    }
