"""What the database can tell of a filter for runs, so that few of them need to be looked into.

Each condition holds for every run that the filter leaves, and maybe for others: whoever uses them still asks the filter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from penstock.model import status as ours
from penstock.operations.mlflow import filters, words

Condition = tuple[str, list[Any]]  # SQL over runs and step_runs, and its values

_LAST_MILLISECOND = 253_402_300_799_000  # of the year 9999
_OF_OTHER_COLUMNS = (words.RUN_NAME, words.NOTE, words.USER, words.ROOT)
_HAS_TAG = " or ".join(
    f"exists (select 1 from json_each(runs.{column}) as pair where pair.key = ? and pair.value = ?)" for column in ("tags", "properties")
)
_HAS_PARAM = """exists (select 1 from run_params
    where run_params.run_id = coalesce(step_runs.reused_run_id, runs.id) and run_params.name = ? and run_params.value = ?)"""


def narrow(comparisons: Iterable[filters.Comparison]) -> tuple[str, list[Any]]:
    """Return one condition for all comparisons that the database understands, and its values."""
    found = [condition for condition in map(_condition, comparisons) if condition]
    return " and ".join(["1 = 1", *(f"({sql})" for sql, _ in found)]), [value for _, values in found for value in values]


def _condition(wanted: filters.Comparison) -> Condition | None:
    if wanted.kind == filters.ATTRIBUTE:
        rule = _ATTRIBUTES.get(wanted.name)
        return rule(wanted) if rule else None
    if wanted.operator != "=" or wanted.name in _OF_OTHER_COLUMNS:
        return None
    pair = [wanted.name, wanted.value]
    if wanted.kind == filters.PARAM:
        return _HAS_PARAM, pair
    if wanted.kind == filters.TAG and wanted.name == words.PARENT:
        return f"runs.parent_run_id = ? or {_HAS_TAG}", [wanted.value, *pair, *pair]
    return (_HAS_TAG, pair * 2) if wanted.kind == filters.TAG else None


def _is_run(wanted: filters.Comparison) -> Condition | None:
    if wanted.operator not in ("=", "in"):
        return None
    return _is_one_of("runs.id", [str(wanted.value)] if wanted.operator == "=" else wanted.value)


def _has_status(wanted: filters.Comparison) -> Condition:
    def is_wanted(status: str) -> bool:
        return filters.matches([wanted], lambda kind, name: words.mlflow_status(status))

    return _is_one_of("runs.status", list(filter(is_wanted, ours.ALL)))


def _is_one_of(column: str, values: Sequence[str]) -> Condition:
    return f"{column} in (select value from json_each(?))", [json.dumps(values)]


def _started(wanted: filters.Comparison) -> Condition | None:
    """Compare with whole milliseconds, which is all that MLflow sees of our times."""
    if not isinstance(wanted.value, int) or not 0 <= wanted.value < _LAST_MILLISECOND:
        return None
    time, first, after = "coalesce(runs.started_at, runs.created_at)", words.our_time(wanted.value), words.our_time(wanted.value + 1)
    bounds = {
        "=": (f"{time} >= ? and {time} < ?", [first, after]),
        ">": (f"{time} >= ?", [first]),
        ">=": (f"{time} >= ?", [first]),
        "<": (f"{time} < ?", [after]),
        "<=": (f"{time} < ?", [after]),
    }
    return bounds.get(wanted.operator)


_ATTRIBUTES: dict[str, Callable[[filters.Comparison], Condition | None]] = {
    "run_id": _is_run,
    "status": _has_status,
    "start_time": _started,
}
