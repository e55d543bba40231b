"""Record batches become files: all of them appear in a folder, or none."""

from __future__ import annotations

import csv
import io
import os
import shutil
import uuid
from collections import OrderedDict
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union
from urllib.parse import quote

from penstock.model.datasets import DELIMITED, PARQUET
from penstock.model.errors import Invalid, Unavailable
from penstock.tabular.conversion import as_text

EXTENSIONS = {DELIMITED: "csv", PARQUET: "parquet"}
NULL_SEGMENT = "__null__"

_GROUP_ROWS = 2**17  # of a Parquet row group; small batches are collected
_MOST_OPEN = 100  # files of partitions at a time
_HELD_BYTES = 64 * 2**20  # rows of partitions that wait to be written


def write_parts(rows: Iterable[Tuple[int, Any]], schema: Any, kind: str, folder: str, separator: str) -> List[str]:
    """Write batches as part-0, part-1 and so on, one for each file that they come from; return their names.

    Raises:
        Invalid: There is no such kind of file.
        Unavailable: The disk is full, or can't be written to.
    """
    if kind not in EXTENSIONS:
        raise Invalid(f"Rows are written as {' or '.join(EXTENSIONS)}, not as {kind!r}.")
    names: List[str] = []
    with _appearing(folder) as hidden:
        writer: Optional[Union[_CsvWriter, _ParquetWriter]] = None
        last = None
        try:
            for number, batch in rows:
                if writer is None or number != last:
                    if writer is not None:
                        writer.close()
                    writer, last = _new_part(names, hidden, kind, schema, separator), number
                writer.write(batch)
            if writer is None:  # no rows: one file that says which columns there are
                writer = _new_part(names, hidden, kind, schema, separator)
        finally:
            if writer is not None:
                writer.close()
    return names


def _new_part(names: List[str], folder: str, kind: str, schema: Any, separator: str) -> Union[_CsvWriter, _ParquetWriter]:
    names.append(f"part-{len(names)}.{EXTENSIONS[kind]}")
    path = os.path.join(folder, names[-1])
    return _CsvWriter(path, schema, separator) if kind == DELIMITED else _ParquetWriter(path, schema)


@contextmanager
def _appearing(folder: str) -> Iterator[str]:
    """Give a hidden folder inside of another one; what is written there appears at the end, or goes when something fails."""
    hidden = os.path.join(folder, f".penstock-{uuid.uuid4().hex}")
    try:
        os.makedirs(hidden)
        yield hidden
        for base, _, names in os.walk(hidden):
            place = os.path.join(folder, os.path.relpath(base, hidden))
            os.makedirs(place, exist_ok=True)
            for name in names:
                os.replace(os.path.join(base, name), os.path.join(place, name))
    except OSError as error:
        raise Unavailable(f"The rows can't be written to {folder}: {error.strerror or error}. Nothing was left there.") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


class _CsvWriter:
    """Delimited text: quotes where they are needed, nothing for null, times as ISO 8601 in UTC."""

    def __init__(self, path: str, schema: Any, separator: str) -> None:
        self._separator = separator
        self._file = open(path, "wb")  # noqa: SIM115  closed by close
        self._file.write(_header(schema.names, separator))

    def write(self, batch: Any) -> None:
        """Add rows."""
        if batch.num_columns and batch.num_rows:
            self._file.write(format_rows(batch, self._separator))

    def close(self) -> None:
        """End the file."""
        self._file.close()


def _header(names: Sequence[str], separator: str) -> bytes:
    if not names:
        return b""
    if len(separator) == 1:
        line = io.StringIO()
        csv.writer(line, delimiter=separator, lineterminator="\n").writerow(names)
        return line.getvalue().encode("utf-8", "surrogatepass")
    return (separator.join(_quoted(name, separator) for name in names) + "\n").encode("utf-8", "surrogatepass")


def _quoted(text: str, separator: str) -> str:
    needs = text == "" or any(letter in text for letter in f'{separator}"\n\r')
    return '"' + text.replace('"', '""') + '"' if needs else text


def format_rows(batch: Any, separator: str) -> memoryview:
    """Return the lines of a batch's rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [_field_text(column, separator) for column in batch.columns]
    if len(columns) == 1:  # an empty line would be no row
        columns[0] = pc.fill_null(columns[0], '""')
    columns[-1] = pc.binary_join_element_wise(pc.fill_null(columns[-1], ""), "", "\n")
    lines = (
        pc.binary_join_element_wise(*columns, separator, null_handling="replace", null_replacement="") if len(columns) > 1 else columns[0]
    )
    lines = pa.concat_arrays(lines.chunks) if isinstance(lines, pa.ChunkedArray) else lines
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _field_text(values: Any, separator: str) -> Any:
    """A column as it stands in the file; null where nothing stands."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = as_text(values)
    has_plain_text = pa.types.is_primitive(values.type) and not any(part in _IN_PLAIN_TEXT for part in separator)
    if has_plain_text:
        return texts
    needs = pc.or_(pc.match_substring_regex(texts, pattern=_NEEDS.format(_escaped(separator))), pc.equal(texts, ""))
    if not pc.any(needs).as_py():
        return texts
    doubled = pc.replace_substring(texts, pattern='"', replacement='""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


_IN_PLAIN_TEXT = "0123456789.:-+TZtruefalsinf"  # letters of numbers, times, true and false
# Any letter of a longer separator: a value that ends with one would be read as the begin of the separator behind it.
_NEEDS = '[{}"\r\n]'


def _escaped(separator: str) -> str:
    """A separator for a regular expression."""
    return "".join(f"\\x{{{ord(letter):x}}}" for letter in separator)


class _ParquetWriter:
    """Parquet, with row groups of some size however small the batches are."""

    def __init__(self, path: str, schema: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema = pa.schema([pa.field(field.name, field.type) for field in schema])
        self._writer = pq.ParquetWriter(path, self._schema, version="2.6")  # times to the nanosecond
        self._held: List[Any] = []
        self._rows = 0

    def write(self, batch: Any) -> None:
        """Add rows."""
        import pyarrow as pa

        self._held.append(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
        self._rows += batch.num_rows
        if self._rows >= _GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait, as a row group."""
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held), row_group_size=_GROUP_ROWS)
            self._held, self._rows = [], 0

    def close(self) -> None:
        """End the file."""
        try:
            self.flush()
        finally:
            self._writer.close()


# ---- partitions ----


def write_by_keys(rows: Iterable[Tuple[int, Any]], schema: Any, folder: str, keys: Sequence[str]) -> List[str]:
    """Write batches as Parquet below one folder for each value of each key; return the files' paths.

    The files keep the columns of the keys: a folder's name is text, and not every value can be one.

    Raises:
        Unavailable: The disk is full, or can't be written to.
    """
    with _appearing(folder) as hidden:
        writers = _Partitions(hidden, schema)
        try:
            for _, batch in rows:
                for segments, part in _split_by_keys(batch, keys):
                    writers.write(segments, part)
        finally:
            writers.close()
        return sorted(writers.names)


class _Partitions:
    """Writes rows into the folders of their keys. Few files are open at a time, and few rows wait."""

    def __init__(self, folder: str, schema: Any) -> None:
        self._folder = folder
        self._schema = schema
        self._open: OrderedDict[str, _ParquetWriter] = OrderedDict()
        self._counts: Dict[str, int] = {}
        self._held: Dict[str, List[Any]] = {}
        self._bytes = 0
        self.names: List[str] = []

    def write(self, segments: str, batch: Any) -> None:
        self._held.setdefault(segments, []).append(batch)
        self._bytes += batch.nbytes
        if self._bytes > _HELD_BYTES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        for segments, batches in self._held.items():
            for batch in pa.Table.from_batches(batches).combine_chunks().to_batches():
                self._writer(segments).write(batch)
            self._writer(segments).flush()
        self._held, self._bytes = {}, 0

    def _writer(self, segments: str) -> _ParquetWriter:
        if segments in self._open:
            self._open.move_to_end(segments)
            return self._open[segments]
        if len(self._open) >= _MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        number = self._counts[segments] = self._counts.get(segments, -1) + 1
        name = f"{segments}/part-{number}.parquet"
        path = os.path.join(self._folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.names.append(name)
        self._open[segments] = _ParquetWriter(path, self._schema)
        return self._open[segments]

    def close(self) -> None:
        """End the file."""
        try:
            self._flush()
        finally:
            while self._open:
                self._open.popitem()[1].close()


def _split_by_keys(batch: Any, keys: Sequence[str]) -> Iterator[Tuple[str, Any]]:
    """Yield (folder, rows) for each combination of values in a batch; rows keep their order."""
    import numpy as np
    import pyarrow as pa

    codes = np.zeros(batch.num_rows, np.int64)
    segments: List[List[str]] = []
    for key in keys:
        column = batch.column(batch.schema.get_field_index(key))
        encoded = column.dictionary_encode()
        names = [*(path_segment(value) for value in encoded.dictionary.to_pylist()), NULL_SEGMENT]
        places = encoded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)
        codes = codes * len(names) + places
        segments.append(names)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    for start, end in zip(starts, [*starts[1:], len(order)]):
        rows = order[start:end]
        yield _folder_of(int(codes[rows[0]]), segments), batch.take(pa.array(rows))


def _folder_of(code: int, segments: Sequence[Sequence[str]]) -> str:
    parts = []
    for names in reversed(segments):
        code, place = divmod(code, len(names))
        parts.append(names[place])
    return "/".join(reversed(parts))


def path_segment(value: Any) -> str:
    """Return a value as the name of a folder: no '.', '/' or '\\' in it, and different for different values."""
    if value is None:
        return NULL_SEGMENT
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d-%H-%M-%S").zfill(19)
        return text[:-9] if text.endswith("-00-00-00") else text
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    safe = "".join(letter if letter > "\x7f" else quote(letter, safe=" !#$&'()+,;=@[]{}^`~") for letter in text).replace(".", "%2E")
    return safe or "%00"
