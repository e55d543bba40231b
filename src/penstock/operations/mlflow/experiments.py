"""MLflow's experiments: ours, one with the id 0 that is there without being asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.errors import AlreadyExists, NotFound
from penstock.operations import experiments
from penstock.operations.context import Context
from penstock.operations.mlflow import filters, words
from penstock.operations.names import check_name
from penstock.operations.tokens import Grant
from penstock.operations.workspaces import get_workspace

_DEFAULT_ID, _DEFAULT_NAME = "0", "Default"
ACTIVE_ONLY, DELETED_ONLY, ALL = "ACTIVE_ONLY", "DELETED_ONLY", "ALL"


def find(context: Context, grant: Grant, experiment_id: str) -> dict[str, Any]:
    """Return an experiment of the workspace to change it or to add to it; '0' is the one named Default, made when it is needed first.

    Raises:
        NotFound: The workspace has none with this id.
    """
    if experiment_id == _DEFAULT_ID:
        return experiments.ensure_experiment(context, grant.workspace_id, _DEFAULT_NAME)
    if not existing_ids(context, grant, [experiment_id]):
        raise NotFound(f"No Experiment with id={experiment_id[:80]} exists.")
    return experiments.get_experiment(context, experiment_id)


def existing_ids(context: Context, grant: Grant, experiment_ids: Sequence[str]) -> list[str]:
    """Return which of these experiments the workspace has, by the ids that they have here."""
    rows = context.database.all(
        "select id from experiments where workspace_id = ? and (id in (select value from json_each(?)) or (name = ? and ?))",
        (grant.workspace_id, json.dumps(list(experiment_ids)), _DEFAULT_NAME, _DEFAULT_ID in experiment_ids),
    )
    return [row["id"] for row in rows]


def _document(experiment: Mapping[str, Any]) -> dict[str, Any]:
    created = words.milliseconds(experiment["created_at"])
    return {
        "experiment_id": experiment["id"],
        "name": experiment["name"],
        "artifact_location": f"mlflow-artifacts:/experiments/{experiment['id']}",
        "lifecycle_stage": words.lifecycle(experiment["archived_at"]),
        "creation_time": created,
        "last_update_time": words.milliseconds(experiment["archived_at"]) or created,
        "tags": words.pairs(experiment["tags"]),
    }


def create_experiment(context: Context, grant: Grant, name: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Create an experiment; AlreadyExists when the name is taken, also by one that was deleted."""
    with context.change() as change:
        taken = change.rows.first("select 1 from experiments where workspace_id = ? and name = ?", (grant.workspace_id, name))
        if taken:
            raise AlreadyExists(f"Experiment '{name[:255]}' already exists.")
        experiment = experiments.ensure_in(context, change, grant.workspace_id, name)
        experiments.update_experiment(context, experiment["id"], tags=tags)
    return {"experiment_id": experiment["id"]}


def get_experiment(context: Context, grant: Grant, experiment_id: str) -> dict[str, Any]:
    """Return one experiment. '0' is one in every workspace, even before it has a run; see `find` for the errors."""
    if experiment_id == _DEFAULT_ID and not existing_ids(context, grant, [experiment_id]):
        workspace = get_workspace(context, grant.workspace_id)
        unmade = {"id": _DEFAULT_ID, "name": _DEFAULT_NAME, "created_at": workspace["created_at"], "archived_at": None, "tags": {}}
        return {"experiment": _document(unmade)}
    return {"experiment": _document(find(context, grant, experiment_id))}


def get_by_name(context: Context, grant: Grant, name: str) -> dict[str, Any]:
    """Return the experiment of this name; NotFound when there is none."""
    row = context.database.first("select id from experiments where workspace_id = ? and name = ?", (grant.workspace_id, name))
    if row is None:
        raise NotFound(f"Could not find experiment with name '{name[:255]}'.")
    return get_experiment(context, grant, row["id"])


def search(context: Context, grant: Grant, view: str, size: int, token: str | None, filter: str, order_by: Sequence[str]) -> dict[str, Any]:
    """Return the experiments that a filter leaves, a page at a time, the newest first where no order is asked for."""
    comparisons, orders = filters.parse_filter(filter), filters.parse_orders(order_by)
    known = experiments.list_experiments(context, grant.workspace_id, include_archived=view != ACTIVE_ONLY)
    newest = sorted(known, key=lambda item: str(item["created_at"]), reverse=True)
    wanted = [item for item in newest if view != DELETED_ONLY or item["archived_at"]]
    found = [item for item in wanted if filters.matches(comparisons, lambda kind, name, item=item: _value(item, kind, name))]  # type: ignore[misc]
    shown, after = filters.page(filters.ordered(found, orders, _value), token, size)
    return {"experiments": [_document(item) for item in shown], **({"next_page_token": after} if after else {})}


def _value(experiment: Mapping[str, Any], kind: str, name: str) -> Any:
    if kind == filters.TAG:
        return experiment["tags"].get(name)
    shown = _document(experiment)
    known = {"creation_timestamp": shown["creation_time"], **{key: shown[key] for key in ("name", "experiment_id", "last_update_time")}}
    return known.get(name) if kind == filters.ATTRIBUTE else None


def rename(context: Context, grant: Grant, experiment_id: str, name: str) -> None:
    """Give an experiment another name; AlreadyExists when it is taken."""
    with context.change() as change:
        found = find(context, grant, experiment_id)
        taken = change.rows.first(
            "select 1 from experiments where workspace_id = ? and name = ? and id <> ?", (grant.workspace_id, name, found["id"])
        )
        if taken:
            raise AlreadyExists(f"Experiment '{name[:255]}' already exists.")
        change.rows.execute("update experiments set name = ? where id = ?", (check_name("experiment", name), found["id"]))


def set_archived(context: Context, grant: Grant, experiment_id: str, archived: bool) -> None:
    """Archive an experiment, which MLflow calls to delete it, or bring it back."""
    experiments.update_experiment(context, find(context, grant, experiment_id)["id"], archived=archived)


def set_tag(context: Context, grant: Grant, experiment_id: str, key: str, value: str) -> None:
    """Set a tag of an experiment."""
    experiments.update_experiment(context, find(context, grant, experiment_id)["id"], tags={key: value})


def delete_tag(context: Context, grant: Grant, experiment_id: str, key: str) -> None:
    """Remove a tag of an experiment; NotFound when it has none of this name."""
    found = find(context, grant, experiment_id)
    if key not in found["tags"]:
        raise NotFound(f"No tag with name: {key[:255]} in experiment with id {found['id']}.")
    experiments.update_experiment(context, found["id"], remove_tags=[key])
