"""A tabular dataset whose files are on this machine."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar

from penstock.model.datasets import DELIMITED, JSON_LINES, TABULAR, Dataset, Parsing
from penstock.model.errors import Invalid, NotFound
from penstock.model.partitions import parse_partition_format, plain_value
from penstock.model.selection import FOR_FILES_OF_TABLES
from penstock.tabular.operations import Plan, Steps, is_outside, make_plan, row_count
from penstock.tabular.sources import Reading, Source, SourceFile, Widened

PATH = "Path"
_CHOICES = ("null", "fail")

Made = TypeVar("Made")


class Table:
    """The rows of a tabular dataset. Nothing is read before a method asks for it, and every method reads anew.

    Args:
        dataset: A tabular dataset.
        files: Its files, in their order.
    """

    def __init__(self, dataset: Dataset, files: Sequence[SourceFile]) -> None:
        if dataset.type != TABULAR or dataset.parsing is None:
            raise Invalid("Only a tabular dataset has rows; this is one of files.")
        self._dataset = dataset
        self._files = tuple(files)
        self._source = _source_of(dataset.parsing, self._files)
        self._operations = tuple(item for item in dataset.operations if item.kind not in FOR_FILES_OF_TABLES)
        self._constants = _Constants(dataset, self._files)

    # ---- what users get ----

    def column_names(self) -> List[str]:
        """Return the names of the columns, as the first rows show them."""
        return list(self._plan().names)

    def to_pandas(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """Return all rows as a pandas frame.

        Args:
            on_error: "null": a value that can't be read as its column's type is null; "fail": it is an error.
            out_of_range_datetime: The same for times that pandas can't hold.

        Raises:
            NotFound: A file, or a column of a filter, is not there.
            Invalid: A file can't be read, or a filter can't be computed.
        """
        from penstock.tabular.frames import build_frame, set_time_index

        _check_choice("on_error", on_error)
        _check_choice("out_of_range_datetime", out_of_range_datetime)

        def build() -> Any:
            plan = self._plan()
            batches = (batch for _, batch in self._rows(plan, on_error == "fail", kept=True))
            return build_frame(batches, self._schema(plan), self._source.about_rows(), out_of_range_datetime == "fail")

        return set_time_index(self._completely(build), self._dataset.timestamp)

    def batches(self) -> Iterator[Any]:
        """Yield all rows as record batches, in bounded memory.

        Raises:
            Invalid: A later file or row has columns that the first ones lack; `to_pandas` and `write_files` can read them.
        """
        has_begun = False
        try:
            for _, batch in self._rows(self._plan()):
                has_begun = True
                yield batch
        except Widened:
            if has_begun:
                raise Invalid("Later rows have columns that the first ones lack. Write the rows to files, and read these.") from None
            self._source.survey()
            yield from self.batches()

    def count_rows(self) -> int:
        """Return how many rows there are."""
        from penstock.tabular.parquet import ParquetSource

        if isinstance(self._source, ParquetSource):
            known = row_count(self._operations, self._source.about_rows())
            if known is not None:
                return known

        def count() -> int:
            plan = self._plan()
            needed = frozenset().union(*(part for part in (plan.read - frozenset(plan.names), *_filter_columns(plan))))
            return sum(batch.num_rows for _, batch in self._rows(plan._replace(names=(), read=needed), counts=True))

        return self._completely(count)

    def write_files(self, kind: str, folder: str, separator: str = ",") -> List[str]:
        """Write the rows as files into a folder: all of them, or none.

        Args:
            kind: "delimited" or "parquet".
            folder: Where they go; it is made if need be.
            separator: What stands between the values of delimited files.

        Returns:
            The files' names: part-0.csv and so on, one for each source file that has rows.
        """
        from penstock.tabular.writing import write_parts

        return self._completely(lambda: write_parts(self._rows(self._plan()), self._schema(self._plan()), kind, folder, separator))

    def write_partitioned(self, folder: str, keys: Sequence[str]) -> List[str]:
        """Write the rows as Parquet files, those with equal values of some columns together: <folder>/<value>/<value>/part-0.parquet.

        Returns:
            The files' paths below the folder.

        Raises:
            Invalid: No key is given, or one twice.
            NotFound: A key is no column.
        """
        from penstock.tabular.writing import write_by_keys

        def write() -> List[str]:
            plan = self._plan()
            self._check_keys(plan, keys)
            return write_by_keys(self._rows(plan), self._schema(plan), folder, keys)

        return self._completely(write)

    def partition_values(self, keys: Sequence[str]) -> List[Dict[str, Any]]:
        """Return the different combinations of values of some columns, in the order of their first appearance."""

        def find() -> List[Dict[str, Any]]:
            plan = self._plan()
            self._check_keys(plan, keys)
            needed = frozenset(keys) | plan.read - frozenset(plan.names) | frozenset().union(*_filter_columns(plan))
            found: Dict[Tuple[Any, ...], None] = {}
            for _, batch in self._rows(plan._replace(names=tuple(keys), read=needed)):
                found.update(dict.fromkeys(_distinct(batch, keys)))
            return [dict(zip(keys, values)) for values in found]

        return self._completely(find)

    def profile(self) -> Dict[str, Any]:
        """Return figures about the columns, as JSON: {"row_count": ..., "columns": {name: {...}}}; see `penstock.tabular.profiles`."""
        from penstock.tabular.profiles import profile_batches

        return self._completely(lambda: profile_batches((batch for _, batch in self._rows(self._plan())), self._schema(self._plan())))

    # ---- how ----

    def _completely(self, work: Callable[[], Made]) -> Made:
        """Do some reading; once more where a file has columns that were not known when it began."""
        try:
            return work()
        except (Widened, NotFound) as error:
            before = list(self._source.types())
            self._source.survey()
            if isinstance(error, NotFound) and list(self._source.types()) == before:
                raise
        try:
            return work()
        except Widened:
            raise Invalid("The files changed while they were read. Read them again.") from None

    def _names(self) -> List[str]:
        """All columns: the path, then what paths say, then the files' own."""
        own = list(self._source.types())
        first = self._constants.names()
        return [*first, *(name for name in own if name not in first)]

    def _plan(self) -> Plan:
        return make_plan(self._operations, self._names())

    def _schema(self, plan: Plan) -> Any:
        import pyarrow as pa

        from penstock.tabular.json_lines import JsonLinesSource, nested_field

        types = {**self._constants.types(), **self._source.types()}
        nested = self._source.nested() if isinstance(self._source, JsonLinesSource) else []
        return pa.schema([nested_field(name) if name in nested else pa.field(name, types[name]) for name in plan.names])

    def _rows(self, plan: Plan, fails: bool = False, kept: bool = False, counts: bool = False) -> Iterator[Tuple[int, Any]]:
        """Yield (number of the file, record batch) of the rows that the operations leave, with the plan's columns."""
        from penstock.tabular.filters import bounds_of
        from penstock.tabular.frames import has_own_texts

        own = frozenset(self._source.types())
        constants = self._constants
        without = frozenset(number for number in range(len(self._files)) if is_outside(plan.filters, constants.values(number, own)))
        bounds = tuple(bound for item in plan.filters for bound in bounds_of(item) if bound[0] in own)
        needed = plan.read & own or frozenset(list(self._source.types())[:1])  # a batch without columns does not know its length
        repeated = kept and not plan.operations and not has_own_texts()
        reading = Reading(needed, plan.errors_of & own, fails, bounds, repeated, kept, without)
        steps = Steps(plan.operations)
        if steps.is_done:
            return
        shared = [name for name in constants.names() if name in plan.read and name not in own]
        for number, batch in self._source.batches(reading):
            left = steps.apply(constants.add(batch, number, shared))
            if left.num_rows:
                yield number, left if counts else _chosen(left, plan.names)
            if steps.is_done:
                return

    def _check_keys(self, plan: Plan, keys: Sequence[str]) -> None:
        if not keys or len(set(keys)) != len(keys):
            raise Invalid("Rows are partitioned by one or more columns, each named once.")
        for key in keys:
            if key not in plan.names:
                raise NotFound.named("column", key, plan.names)


def _filter_columns(plan: Plan) -> Iterator[Any]:
    from penstock.model.expressions import columns_of

    return (columns_of(item.settings["expression"]) for item in plan.operations if item.kind == "filter")


def _check_choice(name: str, value: str) -> None:
    if value not in _CHOICES:
        raise Invalid(f"{name} is one of {', '.join(_CHOICES)}, not {value!r}.")


def _source_of(parsing: Parsing, files: Sequence[SourceFile]) -> Source:
    from penstock.tabular.delimited import DelimitedSource
    from penstock.tabular.json_lines import JsonLinesSource
    from penstock.tabular.parquet import ParquetSource

    if parsing.kind == DELIMITED:
        return DelimitedSource(files, parsing)
    return JsonLinesSource(files, parsing) if parsing.kind == JSON_LINES else ParquetSource(files, parsing)


def _chosen(batch: Any, names: Sequence[str]) -> Any:
    import pyarrow as pa

    if batch.schema.names == list(names):
        return batch
    places = [batch.schema.get_field_index(name) for name in names]
    return pa.RecordBatch.from_arrays(
        [batch.column(place) for place in places], schema=pa.schema([batch.schema.field(place) for place in places])
    )


def _distinct(batch: Any, keys: Sequence[str]) -> List[Tuple[Any, ...]]:
    columns = [batch.column(batch.schema.get_field_index(key)).to_pylist() for key in keys]
    return list(dict.fromkeys(zip(*columns)))


class _Constants:
    """Columns that are the same for all rows of a file: its path, and what the path says."""

    def __init__(self, dataset: Dataset, files: Sequence[SourceFile]) -> None:
        assert dataset.parsing is not None
        self._files = files
        self._said = dataset.parsing.column_types
        form = parse_partition_format(dataset.partition_format) if dataset.partition_format else None
        self._date = form.date_column if form else None
        columns = form.columns if form else tuple(dict.fromkeys(name for file in files for name in file.partition))
        dates = [name for name in columns if name == self._date]
        self._names = [*([PATH] if dataset.parsing.include_path else []), *(name for name in columns if name not in dates), *dates]

    def names(self) -> List[str]:
        """Return their names, in order: the path first, a date last."""
        return self._names

    def types(self) -> Dict[str, Any]:
        """Return column -> Arrow type."""
        return {name: self._array(name, None).type for name in self._names}

    def values(self, number: int, without: Any) -> Mapping[str, Any]:
        """Return column -> value for one file, as Python has them."""
        return {name: self._value(name, number) for name in self._names if name not in without and name not in self._said}

    def _value(self, name: str, number: int) -> Any:
        file = self._files[number]
        return file.path if name == PATH and PATH not in file.partition else plain_value(file.partition.get(name))

    def _array(self, name: str, value: Any) -> Any:
        """An array with one value, of the column's type."""
        import pyarrow as pa

        from penstock.tabular.conversion import convert
        from penstock.tabular.kinds import said_kind

        if name == self._date or isinstance(value, datetime):
            return pa.array([value.replace(tzinfo=None) if value else None], pa.timestamp("us"))
        texts = pa.array([None if value is None else str(value)], pa.string())
        return convert(texts, said_kind(self._said[name], texts.to_pylist())).values if name in self._said else texts

    def add(self, batch: Any, number: int, names: Sequence[str]) -> Any:
        """Return a batch of a file with these columns before its own."""
        import pyarrow as pa

        if not names:
            return batch
        arrays = [_repeat(self._array(name, self._value(name, number)), batch.num_rows) for name in names]
        fields = [*(pa.field(name, array.type) for name, array in zip(names, arrays)), *batch.schema]
        return pa.RecordBatch.from_arrays([*arrays, *batch.columns], schema=pa.schema(fields))


def _repeat(array: Any, count: int) -> Any:
    import pyarrow as pa

    value: Optional[Any] = array[0]
    return pa.nulls(count, array.type) if not array[0].is_valid else pa.repeat(value, count)
