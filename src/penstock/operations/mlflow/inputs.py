"""What a run read and made, as MLflow says it: datasets and models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.model.errors import Invalid
from penstock.operations.context import Context
from penstock.operations.names import as_json

DATASET, MODEL_INPUT, MODEL_OUTPUT = "dataset", "model input", "model output"
_LONGEST = 2_000_000
# Kind -> where a run's document shows it.
_PLACES = {
    DATASET: ("inputs", "dataset_inputs"),
    MODEL_INPUT: ("inputs", "model_inputs"),
    MODEL_OUTPUT: ("outputs", "model_outputs"),
}


def log(context: Context, run_id: str, kind: str, documents: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a run read or made; the same thing once.

    Raises:
        Invalid: It has no name and digest, or no id; or it is too long.
    """
    rows = [(run_id, kind, _key(kind, item), _text(item)) for item in documents]
    if not rows:
        return
    with context.change() as change:
        change.rows.execute_many(
            "insert into mlflow_items (run_id, kind, key, document) values (?, ?, ?, ?)"
            " on conflict (run_id, kind, key) do update set document = excluded.document",
            rows,
        )


def _key(kind: str, item: Mapping[str, Any]) -> str:
    about = item.get("dataset") if kind == DATASET else item
    names = ("name", "digest") if kind == DATASET else ("model_id",)
    parts = [about.get(name) for name in names] if isinstance(about, Mapping) else []
    if not parts or not all(isinstance(part, str) and part for part in parts):
        raise Invalid(f"A {kind} must have {' and '.join(repr(name) for name in names)}, which are texts.")
    return as_json(parts)


def _text(item: Mapping[str, Any]) -> str:
    text = as_json(item)
    if len(text) > _LONGEST:
        raise Invalid(f"What is said of an input has {len(text)} characters; at most {_LONGEST} are kept.")
    return text


def of_run(context: Context, run_id: str) -> dict[str, Any]:
    """Return what a run read and made, where MLflow's document of a run has it."""
    found: dict[str, Any] = {"inputs": {}, "outputs": {}}
    rows = context.database.all("select kind, document from mlflow_items where run_id = ? order by rowid", (run_id,))
    for row in rows:
        side, name = _PLACES[row["kind"]]
        found[side].setdefault(name, []).append(json.loads(row["document"]))
    return found
