"""Lineage: which run read or wrote which dataset, asked from both ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.datasets import list_places
from penstock.model.errors import Invalid, NotFound
from penstock.operations.context import Change, Context
from penstock.operations.datasets import get_dataset, get_dataset_version
from penstock.operations.descendants import TREE
from penstock.operations.names import check_name
from penstock.operations.runs import get_row
from penstock.operations.versions import LATEST, parse_version
from penstock.operations.workspaces import get_workspace

INPUT, OUTPUT = "input", "output"
MODES = ("direct", "mount", "download", "upload", "link", "hdfs")
_MOST_PLACES = 20  # of one dataset, in one row

_SELECT = """
    select lineage.*, runs.name as run_name, runs.type as run_type, runs.status, experiments.name as experiment_name,
           step_runs.pipeline_run_id, step_runs.reused_run_id, datasets.definition
      from lineage join runs on runs.id = lineage.run_id
      join experiments on experiments.id = runs.experiment_id
      join datasets on datasets.id = lineage.dataset_id
      left join step_runs on step_runs.run_id = runs.id"""

# All datasets that have, or had when a run used them, a name and a version.
_NAMED = """
    select dataset_id from dataset_versions
     where workspace_id = :workspace and name = :name and (:version is null or version = :version)
     union select lineage.dataset_id from lineage join datasets on datasets.id = lineage.dataset_id
     where lineage.name = :name and (:version is null or lineage.version = :version) and datasets.workspace_id = :workspace"""


def record_lineage(
    context: Context,
    run_id: str,
    direction: str,
    dataset_id: str,
    port: str = "",
    mode: str | None = None,
    name: str | None = None,
    version: int | None = None,
) -> None:
    """Note that a run read or wrote a dataset; said twice, it is noted once.

    Args:
        context: The surroundings.
        run_id: The run.
        direction: 'input' or 'output'.
        dataset_id: The id of a saved dataset.
        port: The name under which the run knows it.
        mode: How the run got it, or gave it.
        name: The name under which it is registered at this moment.
        version: The version of that name.

    Raises:
        NotFound: There is no such run, or no such dataset.
        Invalid: A word is none of ours.
    """
    if direction not in (INPUT, OUTPUT):
        raise Invalid(f"The direction of lineage is '{INPUT}' or '{OUTPUT}', not {direction[:40]!r}.")
    if mode is not None and mode not in MODES:
        raise Invalid(f"The mode must be one of {', '.join(MODES)}, not {mode[:40]!r}.")
    for kind, text in (("port", port or None), ("dataset", name)):
        if text is not None:
            check_name(kind, text)
    with context.change() as change:
        run = get_row(context, run_id)
        get_dataset(context, run["workspace_id"], dataset_id)
        record_lineage_within(change, run_id, direction, dataset_id, port, mode, name, version)


def record_lineage_within(
    change: Change,
    run_id: str,
    direction: str,
    dataset_id: str,
    port: str = "",
    mode: str | None = None,
    name: str | None = None,
    version: int | None = None,
) -> None:
    """Note that a run read or wrote a dataset, as a part of a transaction.

    What a script says without a port and what is known of a port of its step are one, where they hold the same dataset.
    """
    same = (run_id, direction, dataset_id)
    if port:
        said = change.rows.first(
            "delete from lineage where run_id = ? and direction = ? and dataset_id = ? and port = '' returning name, version", same
        )
        name, version = (said["name"], said["version"]) if said and name is None else (name, version)
    else:
        known = change.rows.first("select port from lineage where run_id = ? and direction = ? and dataset_id = ? and port <> ''", same)
        port, mode = (known["port"], None) if known else (port, mode)
    change.rows.execute(
        "insert into lineage (run_id, direction, port, dataset_id, mode, name, version, at) values (?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict do update set mode = coalesce(excluded.mode, mode), version = iif(excluded.name is null, version, excluded.version),"
        " name = coalesce(excluded.name, name)",
        (run_id, direction, port, dataset_id, mode, name, version, change.at),
    )


def list_lineage(
    context: Context,
    workspace_id: str,
    run_id: str | None = None,
    dataset_id: str | None = None,
    name: str | None = None,
    version: int | str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return what runs read and wrote, newest first: of one run and all below it, of one dataset, or of all that bear a name.

    A dataset is its definition: what was read under one name and written under another is found under both.

    Args:
        context: The surroundings.
        workspace_id: Where the run and the datasets are.
        run_id: A run of any kind; of a pipeline run, its steps tell.
        dataset_id: The id of a saved dataset.
        name: The name of a registered dataset, or of one that was when a run used it.
        version: One version of that name; 'latest' is its newest.
        limit: At most so many.

    Raises:
        NotFound: There is no such run, dataset, name or version.
        Invalid: Neither a run nor a dataset is named, or more than one of them.
    """
    get_workspace(context, workspace_id)
    if sum(item is not None for item in (run_id, dataset_id, name)) != 1:
        raise Invalid("Lineage is asked of a run_id, of a dataset_id, or of a name with or without a version: of one of them.")
    if run_id is not None:
        return _list_of_run(context, workspace_id, run_id, limit)
    if name is not None:
        return _list_of_name(context, workspace_id, name, version, limit)
    assert dataset_id is not None
    get_dataset(context, workspace_id, dataset_id)
    return _list(context, "where lineage.dataset_id = :dataset", {"dataset": dataset_id, "limit": limit})


def _list_of_run(context: Context, workspace_id: str, run_id: str, limit: int | None) -> list[dict[str, Any]]:
    if get_row(context, run_id)["workspace_id"] != workspace_id:
        raise NotFound(f"There is no run with the id '{run_id}' in this workspace.")
    return _list(context, "where lineage.run_id in (select id from tree)", {"run": run_id, "limit": limit}, TREE)


def _list_of_name(context: Context, workspace_id: str, name: str, version: int | str | None, limit: int | None) -> list[dict[str, Any]]:
    number = parse_version("dataset", version)
    if version == LATEST:
        number = get_dataset_version(context, workspace_id, name)["version"]
    wanted = {"workspace": workspace_id, "name": name, "version": number, "limit": limit}
    if context.database.first(f"select 1 as found from ({_NAMED}) limit 1", wanted) is None:
        get_dataset_version(context, workspace_id, name, number)  # tells what there is instead
    return _list(context, f"where lineage.dataset_id in ({_NAMED})", wanted)


def _list(context: Context, where: str, values: Mapping[str, Any], tree: str = "") -> list[dict[str, Any]]:
    order = "order by lineage.at desc, lineage.rowid desc limit coalesce(:limit, -1)"
    rows = context.database.all(f"{tree} {_SELECT} {where} {order}", values)
    about = _Definitions(context, rows)
    return [_document(row, about) for row in rows]


class _Definitions:
    """What a listing tells of its datasets; each is read once, however many runs used it."""

    def __init__(self, context: Context, rows: Sequence[Mapping[str, Any]]) -> None:
        self._context = context
        definitions = {row["dataset_id"]: row["definition"] for row in rows}
        self.told = {key: _describe(json.loads(text)) for key, text in definitions.items()}
        self.names = {key: self._find_name(key) for key in definitions}

    def _find_name(self, dataset_id: str) -> Mapping[str, Any]:
        """The name that it has now, for runs that knew it by none: a dataset may be registered after it was used."""
        row = self._context.database.first(
            "select name, version from dataset_versions where dataset_id = ? order by created_at, name limit 1", (dataset_id,)
        )
        return row or {"name": None, "version": None}


def _document(row: Mapping[str, Any], about: _Definitions) -> dict[str, Any]:
    named = row if row["name"] is not None else about.names[row["dataset_id"]]
    return {
        **{key: row[key] for key in ("run_id", "run_name", "run_type", "experiment_name", "pipeline_run_id", "reused_run_id", "status")},
        **{key: row[key] for key in ("direction", "port", "mode", "dataset_id")},
        "name": named["name"],
        "version": named["version"],
        **about.told[row["dataset_id"]],
        "at": row["at"],
    }


def _describe(definition: Mapping[str, Any]) -> dict[str, Any]:
    places = list_places(definition)
    more = [f"and {len(places) - _MOST_PLACES} more"] if len(places) > _MOST_PLACES else []
    return {"type": definition["type"], "places": [*places[:_MOST_PLACES], *more]}
