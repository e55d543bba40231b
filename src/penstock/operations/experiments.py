"""Experiments: names under which runs are kept and numbered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.errors import NotFound, Refused
from penstock.model.ids import new_id
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_name, merge_tags
from penstock.operations.workspaces import get_workspace


def ensure_experiment(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return the experiment of this name, made on first use."""
    found = _find(context, workspace_id, name)
    if found:
        return found
    with context.change() as change:
        return ensure_in(context, change, workspace_id, name)


def ensure_in(context: Context, change: Change, workspace_id: str, name: str) -> dict[str, Any]:
    """Return the experiment of this name inside a transaction that does more."""
    found = _find(context, workspace_id, name)
    if found:
        return found
    get_workspace(context, workspace_id)
    row = {"id": new_id(), "workspace_id": workspace_id, "name": check_name("experiment", name), "created_at": change.at}
    change.rows.insert("experiments", row)
    return get_experiment(context, row["id"])


def take_numbers(change: Change, experiment_id: str, count: int) -> int:
    """Reserve `count` run numbers of an experiment; return the first."""
    row = change.rows.first("update experiments set run_count = run_count + ? where id = ? returning run_count", (count, experiment_id))
    if row is None:
        raise NotFound(f"There is no experiment with the id '{experiment_id}'.")
    return int(row["run_count"]) - count + 1


def get_experiment(context: Context, experiment_id: str) -> dict[str, Any]:
    """Return one experiment; NotFound when there is none with this id."""
    row = context.database.first("select * from experiments where id = ?", (experiment_id,))
    if row is None:
        raise NotFound(f"There is no experiment with the id '{experiment_id}'.")
    return _document(row)


def list_experiments(context: Context, workspace_id: str, include_archived: bool = False) -> list[dict[str, Any]]:
    """Return the experiments of a workspace by name."""
    get_workspace(context, workspace_id)
    rows = context.database.all(
        "select * from experiments where workspace_id = ? and (archived_at is null or ?) order by name", (workspace_id, include_archived)
    )
    return [_document(row) for row in rows]


def update_experiment(
    context: Context,
    experiment_id: str,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] | None = None,
    archived: bool | None = None,
) -> dict[str, Any]:
    """Merge and remove tags; archive or bring back an experiment."""
    with context.change() as change:
        found = get_experiment(context, experiment_id)
        merged = merge_tags(found["tags"], tags, remove_tags)
        archived_at = found["archived_at"] if archived is None else (found["archived_at"] or change.at) if archived else None
        change.rows.execute("update experiments set tags = ?, archived_at = ? where id = ?", (as_json(merged), archived_at, experiment_id))
        return get_experiment(context, experiment_id)


def delete_experiment(context: Context, experiment_id: str) -> None:
    """Delete an experiment without runs.

    Raises:
        Refused: It has runs.
    """
    with context.change() as change:
        found = get_experiment(context, experiment_id)
        row = change.rows.first("select count(*) as runs from runs where experiment_id = ?", (experiment_id,))
        if row and row["runs"]:
            raise Refused(
                f"The experiment '{found['name']}' has {row['runs']} runs; only one without runs can be deleted. Archive it instead."
            )
        change.rows.execute("delete from experiments where id = ?", (experiment_id,))


def _find(context: Context, workspace_id: str, name: str) -> dict[str, Any] | None:
    row = context.database.first("select * from experiments where workspace_id = ? and name = ?", (workspace_id, name))
    return _document(row) if row else None


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: row[key] for key in ("id", "workspace_id", "name", "created_at", "archived_at")}, "tags": json.loads(row["tags"])}
