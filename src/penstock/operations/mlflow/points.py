"""MLflow's metrics: points of a name, each a number at a time and a step; ours are the records of the run's own file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model import metrics as kinds
from penstock.operations import metrics
from penstock.operations.context import Context
from penstock.operations.mlflow import filters, words

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


_Value = tuple[str, float, int, Any]  # name, number, step, when


def _values(records: Iterable[Mapping[str, Any]]) -> Iterator[_Value]:
    """Yield the numbers that records hold, in the order in which they were logged.

    A list is a number for each element. What was logged without a step is numbered, so that it makes a curve. Texts, rows, tables and
    images are none of MLflow's metrics.
    """
    counts: dict[str, int] = {}
    for record in records:
        name, step = record["name"], record.get("step")
        for value in _numbers(record):
            number = counts.get(name, 0)
            counts[name] = number + 1
            yield name, value, step if isinstance(step, int) else number, record.get("at")


def _numbers(record: Mapping[str, Any]) -> list[float]:
    if record["kind"] not in (kinds.SCALAR, kinds.LIST):
        return []
    values = record["value"] if record["kind"] == kinds.LIST else [record["value"]]
    return [_number(value) for value in values if isinstance(value, (int, float))]


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer that no float can hold
        return math.inf if value > 0 else -math.inf


def _point(value: _Value) -> Point:
    name, number, step, at = value
    return Point(name, number, _timestamp(at), step)


def _timestamp(at: Any) -> int:
    try:
        return words.milliseconds(at) or 0
    except (ValueError, TypeError, AttributeError):  # a step may write what it likes into its own file
        return 0


def history(context: Context, run_id: str, name: str, size: int | None, token: str | None) -> tuple[list[Point], str | None]:
    """Return a page of the points of one metric in the order in which they were logged, and the token of the next; see `filters.page`."""
    records = metrics.read_metrics(context, run_id)
    found = list(_values(record for record in records if record["name"] == name))
    shown, after = filters.page(found, token, size or max(len(found), 1))
    return [_point(value) for value in shown], after


def latest(context: Context, run_id: str) -> dict[str, Point]:
    """Return name -> the point that counts: that of the last step, of these the newest. Nothing else is kept of what is read."""
    found: dict[str, _Value] = {}
    for value in _values(metrics.read_metrics(context, run_id)):
        name, _, step, _ = value
        known = found.get(name)
        if known is None or step > known[2] or (step == known[2] and _lateness(value) > _lateness(known)):
            found[name] = value
    return {name: _point(value) for name, value in found.items()}


def _lateness(value: _Value) -> tuple[int, float]:
    _, number, _, at = value
    return _timestamp(at), -math.inf if math.isnan(number) else number


def latest_documents(context: Context, run_id: str) -> list[dict[str, Any]]:
    """Return the points that count as MLflow knows them."""
    return [point.document() for _, point in sorted(latest(context, run_id).items())]


# Writing


def _known(context: Context, run_id: str, new: Sequence[Point]) -> set[tuple[Any, ...]]:
    """Return which points of `new` are repeated: those of a moment ago, and any of them where the metrics of a model are logged.

    MLflow 3 logs these when the model is, and they are those of its run again.
    """
    recent = metrics.list_last_metrics(context, run_id, _RECENT_BYTES + len(new) * _BYTES_OF_POINT)
    reaches_back = any(_timestamp(one.get("at")) < min(point.timestamp for point in new) for one in recent)
    is_of_model = any(point.model_id for point in new)
    records = metrics.read_metrics(context, run_id) if is_of_model and not reaches_back else recent
    wanted = {point.identity for point in new}
    logged = (Point(one["name"], value, _timestamp(one.get("at")), one.get("step") or 0) for one in records for value in _numbers(one))
    return {point.identity for point in logged if point.identity in wanted}


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
