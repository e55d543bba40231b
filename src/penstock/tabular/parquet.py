"""Parquet files as one table. Row groups whose statistics rule out a filter are left out."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from penstock.model.datasets import Parsing
from penstock.model.errors import Invalid
from penstock.tabular.conversion import arrow_type, plain, plain_type, set_type
from penstock.tabular.filters import ERRORS_OF
from penstock.tabular.kinds import Kind, said_kind
from penstock.tabular.sources import Reading, SourceFile, Widened, read_ahead, unreadable

_ROWS = 2**16  # of a batch


class ParquetSource:
    """Parquet files; rows of SQL queries too."""

    def __init__(self, files: Sequence[SourceFile], parsing: Parsing) -> None:
        self._files = files
        self._said = parsing.column_types
        self._types: Optional[Dict[str, Any]] = None
        self._kinds: Dict[str, Kind] = {}
        self._is_surveyed = False

    def types(self) -> Dict[str, Any]:
        """Return column -> Arrow type; see `Source`."""
        if self._types is None:
            self._types = {}
            for number in range(len(self._files)):
                self._add(number, self._schema(number))
                if self._types:
                    break
        return dict(self._types)

    def survey(self) -> None:
        """Look at the columns of all files."""
        if not self._is_surveyed:
            self.types()
            for number in range(len(self._files)):
                self._add(number, self._schema(number))
            self._is_surveyed = True

    def _schema(self, number: int) -> Any:
        with _opened(self._files[number]) as file:
            return file.schema_arrow

    def _add(self, number: int, schema: Any) -> None:
        """Add a file's columns to those known; where files have different types, both fit into the one that is kept."""
        assert self._types is not None
        for field in schema:
            found = plain_type(field.type)
            if field.name in self._said:
                self._kinds[field.name] = self._kinds.get(field.name) or self._said_kind(number, field)
                found = arrow_type(self._kinds[field.name])
            self._types[field.name] = common_type(self._types.get(field.name), found)

    def _said_kind(self, number: int, field: Any) -> Kind:
        """The type that the user gave a column; texts tell how their times are written."""
        import pyarrow as pa

        sample: List[Optional[str]] = []
        if pa.types.is_string(plain_type(field.type)) and not pa.types.is_null(field.type):
            with _opened(self._files[number]) as file:
                first = next(iter(file.iter_batches(200, columns=[field.name])), None)
                sample = [] if first is None else plain(first.column(0)).to_pylist()
        return said_kind(self._said[field.name], sample)

    def about_rows(self) -> int:
        """Return how many rows there are, by what the files say about themselves."""
        count = 0
        for file in self._files:
            with _opened(file) as opened:
                count += opened.metadata.num_rows
        return count

    def batches(self, reading: Reading) -> Iterator[Tuple[int, Any]]:
        """Yield (number of the file, record batch); see `Source`."""
        types = self.types()
        for number, file in enumerate(self._files):
            if number in reading.without:
                continue
            with _opened(file, reading.repeated) as opened:
                schema = opened.schema_arrow
                if any(common_type(types.get(field.name), self._type_of(field)) != types.get(field.name) for field in schema):
                    raise Widened
                names = [name for name in schema.names if name in reading.columns]
                read = names or schema.names[:1]
                groups = _groups(opened, reading.bounds, types)
                if not groups:
                    continue
                with closing(read_ahead(opened.iter_batches(_ROWS, row_groups=groups, columns=read, use_threads=True))) as batches:
                    for batch in batches:
                        if batch.num_rows:
                            yield number, self._shaped(file, batch, types, reading)

    def _type_of(self, field: Any) -> Any:
        return arrow_type(self._kinds[field.name]) if field.name in self._kinds else plain_type(field.type)

    def _shaped(self, file: SourceFile, batch: Any, types: Mapping[str, Any], reading: Reading) -> Any:
        """The wanted columns, each with its type; those that this file lacks are null."""
        import pyarrow as pa

        columns: Dict[str, Any] = {}
        for name, wanted in types.items():
            if name not in reading.columns:
                continue
            place = batch.schema.get_field_index(name)
            if place < 0:
                columns[name] = pa.nulls(batch.num_rows, wanted)
                continue
            values = batch.column(place)
            if name in self._kinds:
                values = self._converted(file, name, plain(values), reading, columns)
            elif not (reading.repeated and pa.types.is_dictionary(values.type)):
                values = as_type(plain(values), wanted)
            columns[name] = values
        ordered = sorted(columns, key=lambda name: name.startswith(ERRORS_OF))
        if not ordered:  # only the number of rows is wanted
            return batch
        return pa.RecordBatch.from_arrays([columns[name] for name in ordered], names=ordered)

    def _converted(self, file: SourceFile, name: str, values: Any, reading: Reading, columns: Dict[str, Any]) -> Any:
        import pyarrow.compute as pc

        made, is_bad = set_type(values, self._kinds[name])
        if reading.fails and pc.any(is_bad).as_py():
            value = values[is_bad.to_pylist().index(True)].as_py()
            raise Invalid(
                f"The file '{file.path}': {value!r} in the column '{name}' can't be read as {self._kinds[name].name}. "
                "Set another type with set_column_types, or read with on_error='null'."
            )
        if name in reading.errors_of:
            columns[ERRORS_OF + name] = pc.fill_null(is_bad, False)
        return made


@contextmanager
def _opened(file: SourceFile, repeated: bool = False) -> Iterator[Any]:
    """Open a Parquet file; say which one when it is none. Texts that repeat can come as dictionaries."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(file.local) as stream:
            opened = pq.ParquetFile(stream)
            names = _repeated(opened) if repeated else []
            yield pq.ParquetFile(stream, metadata=opened.metadata, read_dictionary=names) if names else opened
    except pa.ArrowException as error:
        raise Invalid(f"The file '{file.path}' can't be read as Parquet: {str(error).rstrip('.')}.", path=file.path) from error
    except OSError as error:
        raise unreadable(file, error) from error


def _repeated(file: Any) -> List[str]:
    """Return the columns of texts that are stored as numbers of a small dictionary."""
    import pyarrow as pa

    metadata = file.metadata
    if metadata.num_row_groups == 0:
        return []
    group = metadata.row_group(0)
    columns = (group.column(place) for place in range(metadata.num_columns))
    small = {
        column.path_in_schema
        for column in columns
        if column.has_dictionary_page and column.total_uncompressed_size <= 2 * column.num_values
    }
    return [field.name for field in file.schema_arrow if field.name in small and pa.types.is_string(field.type)]


def common_type(left: Any, right: Any) -> Any:
    """Return the type that holds the values of two of a dataset's types; text holds all."""
    import pyarrow as pa

    if left is None or left == right:
        return right
    numbers = (pa.int64(), pa.float64())
    if left in numbers and right in numbers:
        return pa.float64()
    if pa.types.is_timestamp(left) and pa.types.is_timestamp(right):
        return pa.timestamp("us")
    return pa.string()


def as_type(values: Any, wanted: Any) -> Any:
    """Return values as the type that their column has in all files."""
    import pyarrow as pa

    from penstock.tabular.conversion import as_text

    if values.type == wanted:
        return values
    return as_text(values) if pa.types.is_string(wanted) else values.cast(wanted, safe=False)


def _groups(file: Any, bounds: Sequence[Tuple[str, str, Any]], types: Mapping[str, Any]) -> List[int]:
    """Return the row groups that may hold rows within some bounds."""
    places = {file.schema.column(place).path: place for place in range(len(file.schema))}
    metadata = file.metadata
    tests = [(places[name], sign, value) for name, sign, value in bounds if name in places and _has_order(types[name], value)]
    return [group for group in range(metadata.num_row_groups) if all(_may_hold(metadata.row_group(group), *test) for test in tests)]


def _has_order(kind: Any, value: Any) -> bool:
    """Tell whether statistics of a column can be compared with a constant: numbers with numbers."""
    import pyarrow as pa

    return (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and isinstance(value, (int, float)) and not isinstance(value, bool)


def _may_hold(group: Any, place: int, sign: str, value: Any) -> bool:
    statistics = group.column(place).statistics
    if statistics is None or not statistics.has_min_max or not isinstance(statistics.min, (int, float)):
        return True
    least, most = statistics.min, statistics.max
    return bool({"eq": least <= value <= most, "lt": least < value, "le": least <= value, "gt": most > value, "ge": most >= value}[sign])
