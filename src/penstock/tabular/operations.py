"""What is done to rows, in order: a plan of which columns are read, and steps through which batches go."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from penstock.model.datasets import Operation
from penstock.model.errors import NotFound
from penstock.model.expressions import check, columns_of, error_columns_of
from penstock.tabular.filters import select

POSITIONAL = ("take", "skip", "sample", "split")  # which rows stay depends on their place


class Plan(NamedTuple):
    """What a table's operations need and leave.

    Attributes:
        names: The columns that are left, in the source's order.
        read: The columns that are read.
        errors_of: Columns for which it matters where they could not be read.
        filters: The conditions that hold for every row that is left, and that depend on the row alone.
        operations: What is done to rows.
    """

    names: Tuple[str, ...]
    read: FrozenSet[str]
    errors_of: FrozenSet[str]
    filters: Tuple[Any, ...]
    operations: Tuple[Operation, ...]


def make_plan(operations: Sequence[Operation], names: Sequence[str]) -> Plan:
    """Return the plan for operations on columns.

    Raises:
        NotFound: A filter asks for a column that is not there, or was dropped before.
        Invalid: A filter's expression is none.
    """
    left = list(names)
    used: Set[str] = set()
    errors: Set[str] = set()
    filters: List[Any] = []
    rows: List[Operation] = []
    for operation in operations:
        if operation.kind == "time_range":
            operation = Operation("filter", {"expression": _range(operation.settings)})
        if operation.kind == "filter":
            expression = operation.settings["expression"]
            _check(expression, left)
            used |= columns_of(expression)
            errors |= error_columns_of(expression)
            if not any(earlier.kind in POSITIONAL for earlier in rows):
                filters.append(expression)
        left = _columns_after(operation, left)
        if operation.kind in (*POSITIONAL, "filter"):
            rows.append(operation)
    return Plan(tuple(left), frozenset(left) | used, frozenset(errors), tuple(filters), tuple(rows))


def _check(expression: Any, names: Sequence[str]) -> None:
    check(expression)
    for name in sorted(columns_of(expression)):
        if name not in names:
            raise NotFound.named("column", name, names)


def _columns_after(operation: Operation, names: List[str]) -> List[str]:
    if operation.kind == "keep_columns":
        return [name for name in names if name in _named(operation)]
    if operation.kind == "drop_columns":
        return [name for name in names if name not in _named(operation)]
    # No rows have no columns: v1 learns them from the rows.
    return [] if operation.kind == "take" and operation.settings["count"] == 0 else names


def _named(operation: Operation) -> Sequence[str]:
    columns = operation.settings["columns"]
    return [columns] if isinstance(columns, str) else list(columns)


def _range(settings: Mapping[str, Any]) -> Dict[str, Any]:
    """The expression of a time range; a row without a time is outside."""
    column = {"column": settings["column"]}
    sides = (("start", "ge", "gt"), ("end", "le", "lt"))
    bounds: List[Dict[str, Any]] = [
        {"call": inclusive if settings[f"{side}_inclusive"] is not False else exclusive, "arguments": [column, {"time": settings[side]}]}
        for side, inclusive, exclusive in sides
        if settings[side] is not None
    ]
    if not bounds:
        return {"call": "not", "arguments": [{"call": "is_null", "arguments": [column]}]}
    return bounds[0] if len(bounds) == 1 else {"call": "and", "arguments": bounds}


# ---- steps ----


class Steps:
    """The row operations of one reading; each remembers how many rows it saw."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._steps = [_STEPS[operation.kind](operation.settings) for operation in operations]

    @property
    def is_done(self) -> bool:
        """Whether no further row will be left."""
        return any(step.is_done for step in self._steps)

    def apply(self, batch: Any) -> Any:
        """Return the rows of a batch that are left."""
        for step in self._steps:
            if batch.num_rows == 0:
                break
            batch = step.apply(batch)
        return batch


class _Take:
    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._left = int(settings["count"])

    @property
    def is_done(self) -> bool:
        return self._left <= 0

    def apply(self, batch: Any) -> Any:
        taken = batch.slice(0, max(self._left, 0))
        self._left -= taken.num_rows
        return taken


class _Skip:
    is_done = False

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._left = int(settings["count"])

    def apply(self, batch: Any) -> Any:
        skipped = min(self._left, batch.num_rows)
        self._left -= skipped
        return batch.slice(skipped)


class _Share:
    """Rows whose random number lies in a range. The number follows from the seed and the row's place, and from nothing else."""

    is_done = False

    def __init__(self, start: float, end: float, seed: Any) -> None:
        self._start, self._end, self._seed = start, end, seed
        self._place = 0

    def apply(self, batch: Any) -> Any:
        import pyarrow as pa

        numbers = random_numbers(self._seed, self._place, batch.num_rows)
        self._place += batch.num_rows
        return batch.filter(pa.array((numbers >= self._start) & (numbers < self._end)))


def random_numbers(seed: Any, first: int, count: int) -> Any:
    """Return numbers in [0, 1) for rows, by their places from `first` on: evenly spread, and the same for the same seed."""
    import numpy as np

    def mixed(values: Any, shift: int, factor: int) -> Any:
        return (values ^ (values >> np.uint64(shift))) * np.uint64(factor)

    values = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(_seed_number(seed))
    values = mixed(mixed(values, 30, 0xBF58476D1CE4E5B9), 27, 0x94D049BB133111EB)
    return ((values ^ (values >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


def _seed_number(seed: Any) -> int:
    from hashlib import blake2b

    return int.from_bytes(blake2b(str(seed).encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big")


class _Filter:
    is_done = False

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._expression = settings["expression"]

    def apply(self, batch: Any) -> Any:
        return select(batch, self._expression)


_STEPS: Dict[str, Any] = {
    "take": _Take,
    "skip": _Skip,
    "sample": lambda settings: _Share(0.0, settings["probability"], settings["seed"]),
    "split": lambda settings: _Share(settings["start"], settings["end"], settings["seed"]),
    "filter": _Filter,
}


def is_outside(filters: Sequence[Any], constants: Mapping[str, Any]) -> bool:
    """Return whether filters rule out every row of a file, by the columns that are the same in all its rows."""
    from penstock.model.expressions import evaluate

    parts = [part for item in filters for part in _all_of(item)]
    return any(columns_of(part) <= set(constants) and evaluate(part, constants) is not True for part in parts)


def _all_of(expression: Any) -> List[Any]:
    """The conditions that `and` joins."""
    if expression.get("call") != "and":
        return [expression]
    return [part for argument in expression["arguments"] for part in _all_of(argument)]


def row_count(operations: Sequence[Operation], count: int) -> Optional[int]:
    """Return how many of `count` rows are left, where that follows from the number alone."""
    for operation in operations:
        if operation.kind == "take":
            count = min(count, operation.settings["count"])
        elif operation.kind == "skip":
            count = max(count - operation.settings["count"], 0)
        else:
            return None
    return count
