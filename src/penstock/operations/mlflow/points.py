"""MLflow's metrics: points of a name, each a number at a time and a step; ours are the records of the run's own file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model import metrics as kinds
from penstock.operations import metrics
from penstock.operations.context import Context
from penstock.operations.mlflow import words

_RECENT_BYTES = 16 * 1024
_BYTES_OF_POINT = 200


@dataclass(frozen=True)
class Point:
    """One number that was logged. `model_id` says which logged model it is a metric of, too."""

    name: str
    value: float
    timestamp: int
    step: int = 0
    model_id: str | None = None

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return what makes two points the same one, sent twice; a value that is no number equals itself here."""
        return self.name, repr(self.value), self.timestamp, self.step

    def document(self) -> dict[str, Any]:
        """Return the point as MLflow knows it. JSON has no words for what is no finite number; MLflow reads these as texts."""
        return {"key": self.name, "value": number_text(self.value), "timestamp": self.timestamp, "step": self.step}


def number_text(value: float) -> Any:
    """Return a number as JSON can hold it: what is not finite as a text."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


# Reading


def history(context: Context, run_id: str) -> dict[str, list[Point]]:
    """Return name -> points, in the order in which they were logged.

    A list is a point for each element. What was logged without a step is numbered, so that it makes a curve. Texts, rows, tables and
    images are none of MLflow's metrics.
    """
    found: dict[str, list[Point]] = {}
    for record in metrics.list_metrics(context, run_id).get(run_id, ()):
        name = record["name"]
        for value in _numbers(record):
            points = found.setdefault(name, [])
            step = record.get("step")
            points.append(Point(name, value, _timestamp(record), len(points) if step is None else step))
    return found


def _numbers(record: Mapping[str, Any]) -> list[float]:
    if record["kind"] not in (kinds.SCALAR, kinds.LIST):
        return []
    values = record["value"] if record["kind"] == kinds.LIST else [record["value"]]
    return [float(value) for value in values if isinstance(value, (int, float))]


def _timestamp(record: Mapping[str, Any]) -> int:
    try:
        return words.milliseconds(record.get("at")) or 0
    except (ValueError, TypeError):  # a step may write what it likes into its own file
        return 0


def latest(context: Context, run_id: str) -> dict[str, Point]:
    """Return name -> the point that counts: that of the last step, of these the newest."""
    return {name: max(points, key=_lateness) for name, points in history(context, run_id).items()}


def _lateness(point: Point) -> tuple[Any, ...]:
    return point.step, point.timestamp, -math.inf if math.isnan(point.value) else point.value


def latest_documents(context: Context, run_id: str) -> list[dict[str, Any]]:
    """Return the points that count as MLflow knows them."""
    return [point.document() for _, point in sorted(latest(context, run_id).items())]


# Writing


def _known(context: Context, run_id: str, new: Sequence[Point]) -> set[tuple[Any, ...]]:
    """Return the points that `new` may repeat: those of a moment ago, and all of them where the metrics of a model are logged.

    MLflow 3 logs these when the model is, and they are those of its run again.
    """
    if any(point.model_id for point in new):
        return {point.identity for earlier in history(context, run_id).values() for point in earlier}
    records = metrics.list_last_metrics(context, run_id, _RECENT_BYTES + len(new) * _BYTES_OF_POINT)
    return {Point(one["name"], value, _timestamp(one), one.get("step") or 0).identity for one in records for value in _numbers(one)}


def append(context: Context, run_id: str, points: Sequence[Point]) -> None:
    """Log points. One that is there already was sent twice: the service went away before it could answer, say."""
    new = list({point.identity: point for point in points}.values())
    if not new:
        return
    known = _known(context, run_id, new)
    records = [
        kinds.record(point.name, kinds.SCALAR, point.value, words.our_time(point.timestamp), point.step)
        for point in new
        if point.identity not in known
    ]
    metrics.log_metrics(context, run_id, records)
