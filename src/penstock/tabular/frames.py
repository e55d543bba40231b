"""Record batches become a pandas frame, with the types that v1's frames have.

int64, float64, bool, object and datetime64[ns]: whole numbers with nulls are float64, true and false with nulls are objects. Texts have the
type that this pandas gives texts: objects, with None, before pandas 3, and its `str` since then; a column without any text holds None.
Batches are released as they come, so that memory holds the rows once.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Sequence

from penstock.model.errors import Invalid
from penstock.tabular.sources import memory

_NANOSECONDS = (2**63 - 1) // 1000  # microseconds that pandas' times can be away from 1970


def build_frame(batches: Iterable[Any], schema: Any, about_rows: int, refuses_times: bool) -> Any:
    """Return the frame of some record batches.

    Args:
        batches: The batches; they have the columns of `schema`, of texts perhaps as dictionaries.
        schema: Names and types.
        about_rows: About how many rows there are; 0 when nobody knows.
        refuses_times: Whether a time that pandas can't hold is an error; else it becomes NaT.

    Raises:
        Invalid: There is a time that pandas can't hold.
    """
    import pandas as pd

    growing = [_growing(field, refuses_times, about_rows) for field in schema]
    for batch in batches:
        for place, column in enumerate(growing):
            column.add(batch.column(place))
    columns: Dict[str, Any] = {}
    while growing:
        column = growing.pop(0)
        columns[column.name] = pd.Series(column.finish(), copy=False)
    return pd.DataFrame(columns, copy=False)


def has_own_texts() -> bool:
    """Return whether this pandas has a type for texts; else they are objects."""
    import pandas as pd

    return int(pd.__version__.partition(".")[0]) >= 3


def set_time_index(frame: Any, column: Any) -> Any:
    """Return a frame with the values of a time column as its index; the column stays."""
    import pandas as pd

    if column in frame.columns and len(frame):
        frame.index = pd.Index(frame[column].to_numpy())
    return frame


class _Growing:
    """A numpy array to which rows are added."""

    def __init__(self, name: str, read: Callable[[Any], Any], about_rows: int) -> None:
        self.name = name
        self._read = read
        self._about = about_rows
        self._array: Any = None
        self._count = 0

    def add(self, values: Any) -> None:
        """Add the values of a batch's column."""
        import numpy as np

        found = self._read(values)
        need = self._count + len(found)
        if self._array is None:
            self._array = np.empty(max(need, self._about + self._about // 50), _kept(found.dtype))
        dtype = np.promote_types(self._array.dtype, found.dtype)
        if dtype != self._array.dtype:
            self._change(dtype, need)
        if need > len(self._array):
            self._change(dtype, need + need // 4)
        self._array[self._count : need] = found
        self._count = need

    def _change(self, dtype: Any, size: int) -> None:
        import numpy as np

        changed = np.empty(max(size, len(self._array)), dtype)
        changed[: self._count] = self._array[: self._count]
        self._array = changed

    def finish(self) -> Any:
        """Return the array."""
        import numpy as np

        if self._array is None:
            found = self._read(None)
            self._array = found.astype(_kept(found.dtype))
        array = self._array[: self._count]
        # Memory that was never written to costs nothing; what was, goes with the array.
        return array if 2 * self._count >= len(self._array) or array.dtype == object else np.array(array)


def _kept(dtype: Any) -> Any:
    """Return the type of the frame's column: all times are nanoseconds."""
    import numpy as np

    return np.dtype("datetime64[ns]") if dtype.kind == "M" else dtype


class _GrowingTexts:
    """A column of pandas' own texts, which are Arrow's: they are kept as they come."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._arrays: List[Any] = []

    def add(self, values: Any) -> None:
        """Add the values of a batch's column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._arrays.append(pc.cast(values, pa.large_string(), memory_pool=memory()))

    def finish(self) -> Any:
        """Return the array."""
        import pandas as pd
        import pyarrow as pa

        texts = pa.chunked_array(self._arrays, pa.large_string())
        return _objects([None] * len(texts)) if 0 < len(texts) == texts.null_count else pd.array(texts, dtype="str")


def _growing(field: Any, refuses_times: bool, about_rows: int) -> Any:
    import pyarrow as pa

    from penstock.tabular.json_lines import is_nested

    if has_own_texts() and pa.types.is_string(field.type) and not is_nested(field):
        return _GrowingTexts(field.name)
    return _Growing(field.name, _reader(field, refuses_times), about_rows)


def _reader(field: Any, refuses_times: bool) -> Callable[[Any], Any]:
    """Return what makes numpy arrays of a column's values; of None, the empty array."""
    import pyarrow as pa

    from penstock.tabular.json_lines import is_nested

    kind = field.type

    def read(values: Any) -> Any:
        values = pa.array([], kind) if values is None else values
        if pa.types.is_dictionary(values.type):
            return _repeated(values)
        if pa.types.is_timestamp(kind):
            return _times(field.name, values, refuses_times)
        if pa.types.is_string(kind):
            return _nested(values) if is_nested(field) else values.to_numpy(zero_copy_only=False)
        if pa.types.is_nested(kind):
            return _objects(values.to_pandas().tolist())
        return values.to_numpy(zero_copy_only=False)

    return read


def _repeated(values: Any) -> Any:
    """Texts of a dictionary: each different one is one object."""
    import numpy as np

    texts = _objects([*values.dictionary.to_pylist(), None])
    indices = values.indices
    if indices.null_count:
        indices = indices.fill_null(len(texts) - 1)
    return texts.take(np.asarray(indices))


def _nested(values: Any) -> Any:
    import json

    return _objects([None if text is None else json.loads(text) for text in values.to_pylist()])


def _objects(values: Sequence[Any]) -> Any:
    import numpy as np

    array: Any = np.empty(len(values), object)
    items: List[Any] = list(values)
    for place, item in enumerate(items):  # numpy would make two dimensions of lists of one length
        array[place] = item
    return array


def _times(name: str, values: Any, refuses: bool) -> Any:
    """Times that pandas can hold, in micro- or nanoseconds."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = values.to_numpy(zero_copy_only=False)
    if found.dtype == np.dtype("datetime64[ns]"):
        return found
    found = found.astype("datetime64[us]", copy=False)
    ends = pc.min_max(values.cast(pa.timestamp("us")).cast(pa.int64()))
    if all(end.is_valid and abs(end.as_py()) <= _NANOSECONDS for end in ends.values()):
        return found
    numbers = found.view(np.int64)
    is_far = (np.abs(numbers) > _NANOSECONDS) & ~np.isnat(found)
    if is_far.any():
        if refuses:
            raise Invalid(
                f"The column '{name}' holds {found[is_far][0]}, which is beyond the times that pandas can hold (1677 to 2262). "
                "Read with out_of_range_datetime='null', or read the column as text with set_column_types."
            )
        found = np.where(is_far, np.datetime64("NaT", "us"), found)
    return found
