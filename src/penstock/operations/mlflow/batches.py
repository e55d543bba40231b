"""What MLflow logs at once: to a run, and to the models that its metrics are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.operations.context import Context
from penstock.operations.mlflow import inputs, logged_models, points, runs
from penstock.operations.tokens import Grant


def log(
    context: Context,
    grant: Grant,
    run_id: str,
    metrics: Sequence[points.Point] = (),
    params: Sequence[tuple[str, str]] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Keep params, then metrics, then tags; and with each model the metrics that are its own. See `runs.log` for the errors.

    Raises:
        NotFound: There is no such run, or no such model; nothing is kept.
    """
    for model_id in {point.model_id for point in metrics if point.model_id}:
        logged_models.find_row(context, grant, model_id)
    runs.log(context, grant, run_id, metrics, params, tags)
    logged_models.log_metrics(context, grant, run_id, metrics)


def log_inputs(
    context: Context, grant: Grant, run_id: str, datasets: Sequence[Mapping[str, Any]], models: Sequence[Mapping[str, Any]]
) -> None:
    """Note which datasets and models a run read."""
    runs.find_row(context, grant, run_id)
    inputs.log(context, run_id, inputs.DATASET, datasets)
    logged_models.log_outputs(context, grant, run_id, inputs.MODEL_INPUT, models)
