"""Figures about columns, gathered batch by batch."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime
from typing import Any, Dict, Iterable, List, Optional

QUANTILES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)

_SAMPLE = 100_000  # values from which quantiles are taken; up to so many they are exact
_TRACKED = 10_000  # different values that are counted at a time
_SHOWN = 20


def profile_batches(batches: Iterable[Any], schema: Any) -> Dict[str, Any]:
    """Return {"row_count": n, "columns": {name: figures}}, JSON values only.

    Figures of each column: type, count, not_missing_count, missing_count, percent_missing, min, max, distinct_count (None where there are
    too many to count) and top_values. Of numbers also mean, standard_deviation, variance, skewness, kurtosis and quantiles; of texts also
    empty_count and the lengths of the shortest and the longest.
    """
    columns = [_Column(field) for field in schema]
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        for place, column in enumerate(columns):
            column.add(batch.column(place))
    return {"row_count": rows, "columns": {column.name: column.figures(rows) for column in columns}}


class _Column:
    """The figures of one column so far."""

    def __init__(self, field: Any) -> None:
        import numpy as np
        import pyarrow as pa

        self.name = field.name
        self._type = field.type
        self._is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        self._is_text = pa.types.is_string(field.type)
        self._missing = self._empty = self._count = 0
        self._least: Any = None
        self._most: Any = None
        self._lengths: List[int] = []
        self._moments = _Moments()
        self._counts: Counter[Any] = Counter()
        self._is_cut = False
        self._sample: Any = np.empty(0)
        self._dice = np.random.default_rng(0)

    def add(self, values: Any) -> None:
        """Add the values of a batch."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._is_number:
            values = pc.if_else(pc.fill_null(pc.is_nan(values.cast(pa.float64(), safe=False)), False), pa.scalar(None, values.type), values)
        self._missing += values.null_count
        values = values.drop_null()
        self._count += len(values)
        if len(values) == 0:
            return
        if not pa.types.is_nested(values.type) and not pa.types.is_binary(values.type):
            self._note_range(values)
            self._note_counts(values)
        if self._is_number:
            numbers = values.cast(pa.float64(), safe=False).to_numpy()
            self._moments.add(numbers)
            self._note_sample(numbers)

    def _note_range(self, values: Any) -> None:
        import pyarrow.compute as pc

        ends = pc.min_max(values)
        least, most = ends["min"].as_py(), ends["max"].as_py()
        self._least = least if self._least is None else min(self._least, least)
        self._most = most if self._most is None else max(self._most, most)
        if self._is_text:
            lengths = pc.min_max(pc.utf8_length(values))
            self._empty += pc.sum(pc.equal(values, "")).as_py() or 0
            self._lengths = [min([*self._lengths[:1], lengths["min"].as_py()]), max([*self._lengths[1:], lengths["max"].as_py()])]

    def _note_counts(self, values: Any) -> None:
        counted = values.value_counts()
        if self._is_cut and len(counted) > _TRACKED:
            return
        for value, count in zip(counted.field(0).to_pylist(), counted.field(1).to_pylist()):
            self._counts[value] += count
        if len(self._counts) > _TRACKED:
            self._is_cut = True
            self._counts = Counter(dict(self._counts.most_common(_TRACKED // 2)))

    def _note_sample(self, numbers: Any) -> None:
        """Keep a sample in which each value has the same chance."""
        import numpy as np

        room = _SAMPLE - len(self._sample)
        before = self._count - len(numbers)
        self._sample = np.concatenate([self._sample, numbers[:room]]) if room > 0 else self._sample
        rest = numbers[max(room, 0) :]
        if len(rest):
            places = self._dice.integers(0, np.arange(before + max(room, 0) + 1, self._count + 1))
            chosen = places < _SAMPLE
            self._sample[places[chosen]] = rest[chosen]

    def figures(self, rows: int) -> Dict[str, Any]:
        """Return what was found."""
        found: Dict[str, Any] = {
            "type": _TYPE_NAMES.get(str(self._type).partition("[")[0], "object"),
            "count": rows,
            "not_missing_count": self._count,
            "missing_count": self._missing,
            "percent_missing": self._missing / rows if rows else 0.0,
            "error_count": 0,
            "min": _json(self._least),
            "max": _json(self._most),
            "distinct_count": None if self._is_cut else len(self._counts),
            "top_values": [{"value": _json(value), "count": count} for value, count in self._counts.most_common(_SHOWN)],
        }
        if self._is_number:
            found.update(self._moments.figures(), quantiles=self._quantiles())
        if self._is_text:
            shortest, longest = self._lengths or (None, None)
            found.update(empty_count=self._empty, shortest=shortest, longest=longest)
        return found

    def _quantiles(self) -> Dict[str, Optional[float]]:
        import numpy as np

        if not len(self._sample):
            return {str(part): None for part in QUANTILES}
        values: Any = np.quantile(self._sample, QUANTILES)
        return {str(part): _json(float(value)) for part, value in zip(QUANTILES, values)}


_TYPE_NAMES = {"int64": "long", "double": "float", "bool": "bool", "string": "string", "timestamp": "datetime"}


class _Moments:
    """Count, mean and central moments, joined batch by batch without losing digits."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._second = self._third = self._fourth = 0.0

    def add(self, numbers: Any) -> None:
        """Add some numbers."""
        import numpy as np

        with np.errstate(all="ignore"):
            count, mean = len(numbers), float(numbers.mean())
            away = numbers - mean
            second, third, fourth = (float((away**power).sum()) for power in (2, 3, 4))
        n, total, step = self._count, self._count + count, mean - self._mean
        self._fourth += (
            fourth
            + step**4 * n * count * (n * n - n * count + count * count) / total**3
            + 6 * step**2 * (n * n * second + count * count * self._second) / total**2
            + 4 * step * (n * third - count * self._third) / total
        )
        self._third += third + step**3 * n * count * (n - count) / total**2 + 3 * step * (n * second - count * self._second) / total
        self._second += second + step**2 * n * count / total
        self._mean += step * count / total
        self._count = total

    def figures(self) -> Dict[str, Any]:
        """Return what follows from the moments; None where there are too few values."""
        n = self._count
        variance = self._second / (n - 1) if n > 1 else None
        spread = self._second / n if n else 0.0
        return {
            "mean": _json(self._mean) if n else None,
            "variance": _json(variance),
            "standard_deviation": _json(math.sqrt(variance)) if variance is not None and variance >= 0 else None,
            "skewness": _json(self._third / n / spread**1.5) if spread**1.5 > 0 else None,
            "kurtosis": _json(self._fourth / n / spread**2 - 3) if spread**2 > 0 else None,
        }


def _json(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601, no infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, datetime) or hasattr(value, "isoformat") else value
