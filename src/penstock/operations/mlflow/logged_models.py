"""MLflow 3's logged models: a folder of a run's files with a name, an id and params."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model import status as ours
from penstock.model.errors import Invalid, NotFound
from penstock.operations import runs as our_runs
from penstock.operations.context import Context
from penstock.operations.mlflow import experiments, filters, inputs, points, runs, words
from penstock.operations.mlflow.artifacts import logged_model_address
from penstock.operations.names import as_json, texts
from penstock.operations.tokens import Grant
from penstock.persistence.database import Row
from penstock.storage.paths import clean_relative

PENDING = "LOGGED_MODEL_PENDING"
_STATUSES = {"1": PENDING, "2": "LOGGED_MODEL_READY", "3": "LOGGED_MODEL_UPLOAD_FAILED"}
_MOST_METRICS = 1000


def create(
    context: Context,
    grant: Grant,
    experiment_id: str,
    name: str | None,
    run_id: str | None,
    model_type: str | None,
    params: Mapping[str, str],
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """Make a model whose files are to come. They are files of its run, under the model's name.

    A model that is logged outside of any run gets one, which has ended.

    Raises:
        Invalid: The name can't be a folder's.
    """
    experiment = experiments.find(context, grant, experiment_id)
    model_id = f"m-{uuid.uuid4().hex}"
    name = name or f"model-{model_id[2:10]}"
    if clean_relative(name) != name or "/" in name:
        raise Invalid(f"'{name[:80]}' can't name a logged model: a name is not empty and has no '/'.")
    source = runs.find_row(context, grant, run_id)["id"] if run_id else grant.run_id or _own_run(context, experiment, name)
    with context.change() as change:
        taken = change.rows.first("select 1 from logged_models where run_id = ? and path = ?", (source, name))
        change.rows.insert(
            "logged_models",
            {
                "id": model_id,
                "workspace_id": grant.workspace_id,
                "experiment_id": experiment["id"],
                "run_id": source,
                "name": name,
                "path": f"{name}-{model_id[2:10]}" if taken else name,
                "status": PENDING,
                "model_type": model_type,
                "params": as_json(dict(params)),
                "tags": as_json(texts("tags", tags)),
                "created_at": change.at,
                "modified_at": change.at,
            },
        )
        return get(context, grant, model_id)


def _own_run(context: Context, experiment: Mapping[str, Any], name: str) -> str:
    run = our_runs.create_run(context, experiment["workspace_id"], experiment["name"], display_name=name)
    return str(our_runs.set_status(context, run["id"], ours.COMPLETED)["id"])


def find_row(context: Context, grant: Grant, model_id: str) -> Row:
    """Return the row of a logged model; NotFound when the workspace has none with this id."""
    row = context.database.first("select * from logged_models where id = ? and workspace_id = ?", (model_id, grant.workspace_id))
    if row is None:
        raise NotFound(f"Logged model with ID '{model_id[:80]}' not found.")
    return row


def get(context: Context, grant: Grant, model_id: str, allow_deleted: bool = False) -> dict[str, Any]:
    """Return a logged model; NotFound when there is none, or when it was deleted."""
    row = find_row(context, grant, model_id)
    if row["deleted_at"] and not allow_deleted:
        raise NotFound(f"Logged model with ID '{model_id}' was deleted.")
    return {"model": _document(row)}


def _document(row: Row) -> dict[str, Any]:
    return {
        "info": {
            "model_id": row["id"],
            "experiment_id": row["experiment_id"],
            "name": row["name"],
            "creation_timestamp_ms": words.milliseconds(row["created_at"]),
            "last_updated_timestamp_ms": words.milliseconds(row["modified_at"]),
            "artifact_uri": logged_model_address(row["id"]),
            "status": row["status"],
            **({"model_type": row["model_type"]} if row["model_type"] else {}),
            "source_run_id": row["run_id"],
            "tags": words.pairs(json.loads(row["tags"])),
        },
        "data": {"params": words.pairs(json.loads(row["params"])), "metrics": json.loads(row["metrics"])},
    }


def search(
    context: Context,
    grant: Grant,
    experiment_ids: Sequence[str],
    filter: str,
    size: int,
    token: str | None,
    orders: Sequence[filters.Order],
) -> dict[str, Any]:
    """Return the logged models that a filter leaves, a page at a time, the newest first."""
    comparisons = filters.parse_filter(filter)
    rows = context.database.all(
        "select * from logged_models where workspace_id = ? and deleted_at is null"
        " and experiment_id in (select value from json_each(?)) order by created_at desc, id",
        (grant.workspace_id, as_json(list(experiment_ids))),
    )
    found = [row for row in rows if filters.matches(comparisons, lambda kind, name, row=row: _value(row, kind, name))]  # type: ignore[misc]
    shown, after = filters.page(filters.ordered(found, orders, _value), token, size)
    return {"models": [_document(row) for row in shown], **({"next_page_token": after} if after else {})}


def _value(row: Row, kind: str, name: str) -> Any:
    if kind in (filters.TAG, filters.PARAM):
        return json.loads(row["tags" if kind == filters.TAG else "params"]).get(name)
    if kind == filters.METRIC:
        values = [item["value"] for item in json.loads(row["metrics"]) if item["key"] == name]
        return float(values[-1]) if values else None
    info = _document(row)["info"]
    known = {
        "creation_timestamp": info["creation_timestamp_ms"],
        "last_updated_timestamp": info["last_updated_timestamp_ms"],
        **{key: info.get(key) for key in ("name", "model_id", "model_type", "status", "source_run_id", "experiment_id", "artifact_uri")},
    }
    return known[filters.check_attribute(name, known)]


# Changing


def _change(context: Context, grant: Grant, model_id: str, column: str, value: str | None) -> dict[str, Any]:
    with context.change() as change:
        find_row(context, grant, model_id)
        change.rows.execute(f"update logged_models set {column} = ?, modified_at = ? where id = ?", (value, change.at, model_id))
        return {"model": _document(find_row(context, grant, model_id))}


def finalize(context: Context, grant: Grant, model_id: str, status: str) -> dict[str, Any]:
    """Say that the files of a model are all there, or will never be."""
    word = _STATUSES.get(status, status)
    if word not in _STATUSES.values():
        raise Invalid(f"There is no status '{status[:40]}' of a logged model. There are: {', '.join(_STATUSES.values())}.")
    return _change(context, grant, model_id, "status", word)


def delete(context: Context, grant: Grant, model_id: str) -> None:
    """Hide a logged model. Its files stay with its run."""
    _change(context, grant, model_id, "deleted_at", context.now())


def merge(context: Context, grant: Grant, model_id: str, column: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Add tags or params: `column` is 'tags' or 'params'."""
    with context.change():
        old = json.loads(find_row(context, grant, model_id)[column])
        return _change(context, grant, model_id, column, as_json({**old, **texts(column, values)}))


def delete_tag(context: Context, grant: Grant, model_id: str, key: str) -> None:
    """Remove a tag; NotFound when the model has none of this name."""
    with context.change():
        old = json.loads(find_row(context, grant, model_id)["tags"])
        if key not in old:
            raise NotFound(f"No tag with key {key[:255]!r} found for model with ID {model_id!r}.")
        _change(context, grant, model_id, "tags", as_json({name: value for name, value in old.items() if name != key}))


def log_metrics(context: Context, grant: Grant, run_id: str, logged: Sequence[points.Point]) -> None:
    """Keep with a model the last metrics that were logged for it, beside those of its run, which has all of them."""
    for model_id in dict.fromkeys(point.model_id for point in logged if point.model_id):
        new = [{**point.document(), "model_id": model_id, "run_id": run_id} for point in logged if point.model_id == model_id]
        with context.change():
            known = json.loads(find_row(context, grant, model_id)["metrics"])
            both = [*known, *(item for item in new if item not in known)]
            _change(context, grant, model_id, "metrics", as_json(both[-_MOST_METRICS:]))


def log_model(context: Context, grant: Grant, run_id: str, text: str) -> None:
    """Note in a tag of the run that a model lies among its files, as MLflow 1 and 2 say it."""
    row = runs.find_row(context, grant, run_id)
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        model = None
    if not isinstance(model, dict) or not {"artifact_path", "flavors"} <= set(model):
        raise Invalid("'model_json' must be a JSON object with 'artifact_path' and 'flavors'.")
    tag = "mlflow.log-model.history"
    try:
        earlier = json.loads(json.loads(row["tags"]).get(tag) or "[]")
    except ValueError:  # somebody set this tag to something else
        earlier = []
    our_runs.update_run(context, run_id, tags={tag: as_json([*earlier, model])})


def log_outputs(context: Context, grant: Grant, run_id: str, kind: str, models: Sequence[Mapping[str, Any]]) -> None:
    """Note which models a run read or made."""
    runs.find_row(context, grant, run_id)
    for item in models:
        find_row(context, grant, str(item.get("model_id")))
    inputs.log(context, run_id, kind, models)
