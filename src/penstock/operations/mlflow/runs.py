"""MLflow's runs: created, read, ended, hidden; their params and tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.model import status as ours
from penstock.model.errors import Invalid, NotFound, Refused
from penstock.operations import runs
from penstock.operations.context import Context
from penstock.operations.mlflow import experiments, inputs, points, words
from penstock.operations.mlflow.artifacts import Client, run_address
from penstock.operations.names import texts
from penstock.operations.tokens import Grant
from penstock.persistence.database import Row
from penstock.storage.paths import clean_relative

_LONGEST_KEY = 250
_LONGEST_PARAM = 65_536

SELECT = """
    select runs.*, pipeline_runs.run_id as is_pipeline, step_runs.run_id as is_step
      from runs left join pipeline_runs on pipeline_runs.run_id = runs.id left join step_runs on step_runs.run_id = runs.id"""


# Reading


def find_row(context: Context, grant: Grant, run_id: str) -> Row:
    """Return the row of a run; NotFound when the workspace has none with this id."""
    row = context.database.first(f"{SELECT} where runs.id = ? and runs.workspace_id = ?", (run_id, grant.workspace_id))
    if row is None:
        raise NotFound(f"Run with id={run_id[:255]} not found.")
    return row


def get_run(context: Context, grant: Grant, run_id: str, client: Client) -> dict[str, Any]:
    """Return a run with all that was logged."""
    return {"run": documents(context, [find_row(context, grant, run_id)], client)[0]}


def documents(context: Context, rows: Sequence[Row], client: Client) -> list[dict[str, Any]]:
    """Return runs as MLflow knows them."""
    params = params_of(context, [row["id"] for row in rows])
    return [
        {
            "info": _info(context, row, client),
            "data": {
                "metrics": points.latest_documents(context, row["id"]),
                "params": words.pairs(params.get(row["id"], {})),
                "tags": words.pairs(tags_of(row)),
            },
            **inputs.of_run(context, row["id"]),
        }
        for row in rows
    ]


def _info(context: Context, row: Row, client: Client) -> dict[str, Any]:
    ended_at = words.milliseconds(row["ended_at"])
    return {
        "run_id": row["id"],
        "run_uuid": row["id"],
        "run_name": name_of(row),
        "experiment_id": row["experiment_id"],
        "user_id": row["created_by"] or "",
        "status": words.mlflow_status(row["status"]),
        "start_time": words.milliseconds(row["started_at"] or row["created_at"]),
        **({"end_time": ended_at} if ended_at is not None else {}),
        "artifact_uri": run_address(context, row["id"], client),
        "lifecycle_stage": words.lifecycle(row["deleted_at"]),
    }


def name_of(row: Row) -> str:
    """Return the name of a run that people read."""
    return str(row["display_name"] or row["name"] or row["id"])


def tags_of(row: Row) -> dict[str, str | None]:
    """Return the tags of a run, with those by which MLflow says what are columns and properties here."""
    known = {
        words.RUN_NAME: name_of(row),
        words.NOTE: row["description"],
        words.USER: row["created_by"],
        words.PARENT: row["parent_run_id"],
    }
    if row["parent_run_id"]:
        known[words.ROOT] = row["root_run_id"]
    properties = {key: value for key, value in json.loads(row["properties"]).items() if key.startswith("mlflow.")}
    return {**{key: value for key, value in known.items() if value}, **properties, **json.loads(row["tags"])}


def params_of(context: Context, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return run id -> its params; those of a reused step are the original's, as its metrics and files are."""
    rows = context.database.all(
        "select asked.value as run_id, run_params.name, run_params.value from json_each(?) as asked"
        " left join step_runs on step_runs.run_id = asked.value"
        " join run_params on run_params.run_id = coalesce(step_runs.reused_run_id, asked.value) order by asked.value, run_params.name",
        (json.dumps(list(run_ids)),),
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["run_id"], {})[row["name"]] = row["value"]
    return found


def metric_history(context: Context, grant: Grant, run_id: str, name: str, size: int | None, token: str | None) -> dict[str, Any]:
    """Return the points of one metric, all of them where no size is asked for."""
    find_row(context, grant, run_id)
    shown, after = points.history(context, run_id, name, size, token)
    return {"metrics": [point.document() for point in shown], **({"next_page_token": after} if after else {})}


# Creating and ending


def create_run(
    context: Context, grant: Grant, experiment_id: str, client: Client, run_name: str | None, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Create a run that its client drives. It goes below the run that a tag names, else below the one that the client is a part of."""
    experiment = experiments.find(context, grant, experiment_id)
    parent = find_row(context, grant, tags[words.PARENT])["id"] if tags.get(words.PARENT) else grant.run_id
    kept = {key: value for key, value in tags.items() if key not in (*words.OF_COLUMNS, words.PARENT)}
    run = runs.create_run(
        context,
        grant.workspace_id,
        experiment["name"],
        parent_run_id=parent,
        tags=kept,
        display_name=run_name or tags.get(words.RUN_NAME) or None,
        description=tags.get(words.NOTE) or None,
    )
    return get_run(context, grant, run["id"], client)


def update_run(context: Context, grant: Grant, run_id: str, client: Client, status: str | None, run_name: str | None) -> dict[str, Any]:
    """Name a run, and end it where its client drives it.

    A run that has a process of its own goes on: its exit decides. One that has ended stays as it is, as MLflow's clients begin it anew
    to log more.
    """
    row = find_row(context, grant, run_id)
    if run_name:
        runs.update_run(context, run_id, display_name=run_name)
    wanted = words.our_status(status) if status else row["status"]
    is_driven = not row["is_pipeline"] and not row["is_step"]
    if is_driven and wanted in ours.NEXT[row["status"]]:
        runs.set_status(context, run_id, wanted)
    return {"run_info": _info(context, find_row(context, grant, run_id), client)}


def set_deleted(context: Context, grant: Grant, run_id: str, is_deleted: bool) -> None:
    """Hide a run from MLflow's searches, or show it again. Nothing of it is removed."""
    find_row(context, grant, run_id)
    with context.change() as change:
        change.rows.execute("update runs set deleted_at = ? where id = ?", (change.at if is_deleted else None, run_id))


# Params and tags


def log(
    context: Context,
    grant: Grant,
    run_id: str,
    metrics: Sequence[points.Point] = (),
    params: Iterable[tuple[str, str]] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Keep params, then metrics, then tags.

    Raises:
        Invalid: A param has another value already, or a key can't be one. Then no param, metric or tag of this call is kept.
    """
    find_row(context, grant, run_id)
    for point in metrics:
        _check_key("metric", point.name)
        words.our_time(point.timestamp)
    wanted = dict(tags or {})
    texts("tags", wanted)
    _log_params(context, run_id, list(params))
    points.append(context, run_id, metrics)
    if wanted:
        set_tags(context, run_id, wanted)


def _log_params(context: Context, run_id: str, params: Sequence[tuple[str, str]]) -> None:
    if not params:
        return
    for name, value in params:
        _check_key("param", name)
        if len(value) > _LONGEST_PARAM:
            raise Invalid(f"The param '{name}' has {len(value)} characters; at most {_LONGEST_PARAM} are kept.")
    with context.change() as change:
        change.rows.execute_many(
            "insert into run_params (run_id, name, value) values (?, ?, ?) on conflict do nothing",
            [(run_id, name, value) for name, value in params],
        )
        kept = {row["name"]: row["value"] for row in change.rows.all("select name, value from run_params where run_id = ?", (run_id,))}
        for name, value in params:
            if kept[name] != value:
                raise Invalid(
                    f"Changing param values is not allowed. Param with key='{name}' was already logged with value='{kept[name][:200]}'"
                    f" for run ID='{run_id}'. Attempted logging new value '{value[:200]}'."
                )


def _check_key(kind: str, key: str) -> None:
    """Refuse a key that can't be a name in MLflow's files either."""
    if not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        raise Invalid(f"The {kind} has the key {key[:60]!r}; a key has 1 to {_LONGEST_KEY} characters that can be printed.")
    if clean_relative(key) != key:
        raise Invalid(f"The {kind} has the key {key[:60]!r}; a key is no path that leads elsewhere.")


def set_tags(context: Context, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags; those that stand for the name and the description set these."""
    columns = {column: tags[key] for key, column in words.OF_COLUMNS.items() if key in tags}
    kept = {key: value for key, value in tags.items() if key not in words.OF_COLUMNS}
    runs.update_run(context, run_id, tags=kept, display_name=columns.get("display_name"), description=columns.get("description"))


def set_tag(context: Context, grant: Grant, run_id: str, key: str, value: str) -> None:
    """Set one tag of a run."""
    find_row(context, grant, run_id)
    set_tags(context, run_id, {key: value})


def delete_tag(context: Context, grant: Grant, run_id: str, key: str) -> None:
    """Remove a tag; NotFound when the run has none of this name."""
    row = find_row(context, grant, run_id)
    if key not in json.loads(row["tags"]):
        if key in tags_of(row):
            raise Refused(f"The tag '{key}' of run {run_id} says what is no tag here; it can't be removed.")
        raise NotFound(f"No tag with name: {key[:255]} in run with id {run_id}.")
    runs.update_run(context, run_id, remove_tags=[key])
