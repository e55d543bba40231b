"""One block of delimited text becomes a record batch.

pyarrow's CSV reader does it, with the columns' types declared. Where a value does not fit, its column is read as text and cast, with nulls;
rows that are too short or too long are split alone and put into their places; and a block that pyarrow would split in another way than v1
is split by `records`. So one bad value costs one block's column, and not the speed of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from penstock.model.datasets import Parsing
from penstock.model.errors import Invalid
from penstock.tabular.blocks import Block, Cut, cut_at_line_end, find_undecodable, first_line_of
from penstock.tabular.conversion import arrow_type, convert, direct_type
from penstock.tabular.filters import ERRORS_OF
from penstock.tabular.kinds import FALSE, STRING, TRUE, Kind
from penstock.tabular.records import Record, cut_at_record_end, first_record_end, split_records
from penstock.tabular.sources import Reading, SourceFile, Widened, memory

_MISFIT = re.compile(r"CSV column #(\d+)")
_NO_TEXT = "invalid UTF8"
_OFTEN = 3  # blocks in which a column did not fit; then it is read as text at once
_FEW = 8  # rows of other lengths are exceptions while they are fewer than one in so many
_LOOKED_AT = 200
_ENOUGH = 1000  # texts that tell whether a column's texts repeat


class Layout(NamedTuple):
    """The columns of one file by their places; rows may have more values than that."""

    names: Tuple[str, ...] = ()
    has_header: bool = False


class Form:
    """What is known about a dataset's files; all blocks share it."""

    def __init__(self, files: Sequence[SourceFile], parsing: Parsing) -> None:
        self.files = files
        self.parsing = parsing
        self.kinds: Dict[str, Kind] = {}  # every column
        self.layouts: Dict[int, Layout] = {}  # by file
        self.extra: Dict[int, str] = {}  # place -> column, for values beyond a file's own names
        self.widths: Dict[int, int] = {}  # how many values most rows of a file have
        self.misfits: Counter[str] = Counter()  # blocks in which a column held what did not fit
        self.repeated: Dict[str, bool] = {}  # columns of texts -> whether few of them are different

    @property
    def cut(self) -> Cut:
        """Where blocks may end."""
        if not self.parsing.support_multi_line:
            return cut_at_line_end
        separator = self.parsing.separator.encode()
        return lambda data: cut_at_record_end(data, separator)

    def split(self, block: Block) -> Iterator[Record]:
        """Yield the records of a block.

        Raises:
            Invalid: The file is no text, or its last record has a quote that is never closed.
        """
        try:
            text = block.text()
        except UnicodeDecodeError:
            raise find_undecodable(self.files[block.file], self.parsing.encoding) from None
        for record in split_records(text, self.parsing.separator, self.parsing.support_multi_line):
            if record.is_open and self.parsing.support_multi_line:
                raise self.problem(block, record.line, "a quote is opened and never closed")
            yield record

    def problem(self, block: Block, line: int, what: str) -> Invalid:
        """Return the error for a line of a block, counted from 0."""
        file = self.files[block.file]
        number = first_line_of(block, file, self.parsing.encoding, self.cut) + block.skipped + line
        return Invalid(f"The file '{file.path}', line {number}: {what}.", path=file.path, line=number)

    def end_of_first(self, block: Block) -> int:
        """Return where the first record of a block ends, its line end included."""
        size = 256
        while True:
            size = min(4 * size, block.end)
            end = first_record_end(block.data[:size], self.parsing.separator, self.parsing.support_multi_line)
            if end or size == block.end:
                return end or block.end


class BlockParser:
    """Turns one block into a record batch."""

    def __init__(self, form: Form, block: Block, layout: Layout, reading: Reading) -> None:
        self._form = form
        self._parsing = form.parsing
        self._block = block
        self._reading = reading
        self._own = len(layout.names)
        self._wanted = [name for name in form.kinds if name in reading.columns]
        where = {name: place for place, name in enumerate(layout.names)}
        for place, name in form.extra.items():
            if place >= self._own:
                where.setdefault(name, place)
        self._places: Dict[str, Optional[int]] = {name: where.get(name) for name in self._wanted}
        self._ragged: List[Tuple[int, str]] = []
        self._width = form.widths.get(block.file) or self._own
        self._errors: Dict[str, Any] = {}

    def parse(self) -> Any:
        """Return the wanted columns as a record batch.

        Raises:
            Invalid: The block is no text, or a value does not fit and `fails` is set.
            Widened: A row has values beyond the known columns.
        """
        import pyarrow as pa

        table = self._quickly()
        if any(place not in self._form.extra for place in range(self._own, self._width if table is not None else 0)):
            raise Widened
        columns = self._of_records(list(self._form.split(self._block))) if table is None else self._of_table(table)
        asked = [name for name in self._wanted if name in self._reading.errors_of]
        arrays = [*columns.values(), *(self._errors[name] for name in asked)]
        return pa.RecordBatch.from_arrays(arrays, names=[*self._wanted, *(ERRORS_OF + name for name in asked)])

    def look_beyond(self, found: Dict[int, List[Optional[str]]]) -> None:
        """Add values beyond the file's own names to what was found, by their places."""
        table = self._quickly()
        rows: Iterable[Sequence[str]] = (record.values for record in self._form.split(self._block))
        if table is not None:
            rows = [*(self._split(text) for _, text in self._ragged), *(islice(rows, _LOOKED_AT) if self._width > self._own else ())]
        for row in rows:
            for place in range(self._own, len(row)):
                values = found.setdefault(place, [])
                if len(values) < _LOOKED_AT:
                    values.append(row[place])

    # ---- by pyarrow ----

    def _quickly(self) -> Optional[Any]:
        """Return the block as pyarrow splits it; None where that is not how v1 does."""
        import pyarrow as pa

        if len(self._parsing.separator.encode()) != 1 or self._parsing.separator in '"\r\n' or not self._is_closed():
            return None
        as_text = {name for name in self._wanted if self._is_text_at_once(name)}
        while True:
            self._ragged = []
            try:
                table = self._read(as_text)
            except pa.ArrowInvalid as error:
                if not self._learn_from(str(error), as_text):
                    return None
                continue
            if self._has_other_width(table):
                continue
            return table if self._is_split_right(table) else None

    def _is_closed(self) -> bool:
        """Tell whether the last record closes its quotes; pyarrow does not mind when it does not."""
        block = self._block
        if not block.has(b'"'):
            return True
        if self._parsing.support_multi_line:
            if not block.is_last:
                return True
            data = block.data[: block.end].rstrip(b"\r\n") + b"\n"
            return self._form.cut(data) == len(data)
        end = block.end
        while end and block.data[end - 1] in b"\r\n":
            end -= 1
        begin = block.data.rfind(b"\n", 0, end) + 1
        begin = max(begin, block.data.rfind(b"\r", begin, end) + 1)  # returns are rare: the whole block is not searched for one
        last = block.data[begin:end].decode("utf-8", "replace")
        return not any(record.is_open for record in split_records(last, self._parsing.separator, False))

    def _is_text_at_once(self, name: str) -> bool:
        kind = self._form.kinds[name]
        if kind.name == STRING:
            return False
        return direct_type(kind) is None or name in self._reading.errors_of or self._form.misfits[name] >= _OFTEN

    def _read(self, as_text: Set[str]) -> Any:
        import pyarrow as pa
        from pyarrow import csv

        width, block = self._width, self._block
        types = {str(place): self._read_type(name, as_text) for name, place in self._places.items() if place is not None and place < width}
        return csv.read_csv(
            pa.BufferReader(block.buffer()),
            csv.ReadOptions(use_threads=False, block_size=block.end + 1, column_names=[str(place) for place in range(width)]),
            csv.ParseOptions(
                delimiter=self._parsing.separator,
                quote_char='"' if block.has(b'"') else False,
                newlines_in_values=self._parsing.support_multi_line,
                invalid_row_handler=self._keep_ragged,
            ),
            csv.ConvertOptions(
                column_types=types or {"0": pa.string()},
                include_columns=list(types) or ["0"],
                strings_can_be_null=not self._parsing.empty_as_string,
                null_values=[""],
                true_values=_spellings(TRUE),
                false_values=_spellings(FALSE),
            ),
            memory_pool=memory() if self._reading.kept else None,
        )

    def _read_type(self, name: str, as_text: Set[str]) -> Any:
        import pyarrow as pa

        kind = self._form.kinds[name]
        if kind.name == STRING and self._reading.repeated and self._form.repeated.get(name):
            return pa.dictionary(pa.int32(), pa.string())
        return pa.string() if name in as_text else direct_type(kind)

    def _keep_ragged(self, row: Any) -> str:
        self._ragged.append((row.number - 1, row.text))
        return "skip"

    def _learn_from(self, message: str, as_text: Set[str]) -> bool:
        """Read as text the column that an error names; return whether that helps."""
        found = _MISFIT.search(message)
        if found is None:
            return False
        if _NO_TEXT in message:
            raise find_undecodable(self._form.files[self._block.file], self._parsing.encoding)
        name = next((name for name, place in self._places.items() if place == int(found[1])), None)
        if name is None or name in as_text:
            return False
        as_text.add(name)
        self._form.misfits[name] += 1
        return True

    def _has_other_width(self, table: Any) -> bool:
        """Tell whether most rows have another width than was thought. It is used from now on."""
        if len(self._ragged) * _FEW <= table.num_rows:
            return False
        looked_at = self._ragged[:1000]
        width, count = Counter(len(self._split(text)) for _, text in looked_at).most_common(1)[0]
        if width == self._width or count * len(self._ragged) <= table.num_rows * len(looked_at):
            return False
        self._width = self._form.widths[self._block.file] = width
        return True

    def _split(self, text: str) -> List[str]:
        return next(split_records(text, self._parsing.separator, self._parsing.support_multi_line)).values

    def _is_split_right(self, table: Any) -> bool:
        """Tell whether each line became a row: pyarrow goes on over line ends within quotes, allowed or not."""
        block = self._block
        if self._parsing.support_multi_line or not block.has(b'"'):
            return True
        rows = table.num_rows + len(self._ragged)
        if rows == block.line_count() + (not block.data.endswith((b"\n", b"\r"), 0, block.end)):
            return True
        return bool(rows == sum(1 for line in re.split(b"[\r\n]", block.data[: block.end]) if line))

    # ---- to columns ----

    def _of_table(self, table: Any) -> Dict[str, Any]:
        """Return the wanted columns of what pyarrow read, with the rows that it left out."""
        records = [Record(self._split(text), line, False) for line, text in self._ragged]
        exceptional = self._of_records(records) if records else {}
        rows_errors = self._errors if records else {}
        self._errors = {}
        columns = {name: self._column(table, name, place) for name, place in self._places.items()}
        if not records:
            return columns
        order = _order(table.num_rows, [line for line, _ in self._ragged])
        self._errors = {name: _merge(values, rows_errors[name], order) for name, values in self._errors.items()}
        return {name: _merge(values, exceptional[name], order) for name, values in columns.items()}

    def _column(self, table: Any, name: str, place: Optional[int]) -> Any:
        import pyarrow as pa

        if place is None or place >= self._width:
            return self._cast(name, pa.nulls(table.num_rows, pa.string()), None)
        values = table.column(str(place))
        values = values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays(values.chunks) if values.num_chunks else None
        if values is None:
            return self._cast(name, pa.array([], pa.string()), None)
        kind = self._form.kinds[name]
        if pa.types.is_string(values.type) and kind.name != STRING:
            return self._cast(name, values, None)
        if self._reading.repeated and kind.name == STRING and len(values) >= _ENOUGH:
            self._form.repeated.setdefault(name, 2 * len(values.unique()) <= len(values))
        if name in self._reading.errors_of:
            self._errors[name] = pa.array([False] * len(values), pa.bool_())
        return values.cast(pa.int64()).cast(arrow_type(kind)) if kind.is_zoned else values

    def _of_records(self, records: Sequence[Record]) -> Dict[str, Any]:
        """Return the wanted columns of records that were split one by one."""
        import pyarrow as pa

        widest = max((len(record.values) for record in records), default=0)
        if any(place not in self._form.extra for place in range(self._own, widest)):
            raise Widened
        if self._reading.fails:
            self._refuse_open(records)
        self._errors = {}
        columns = {}
        for name, place in self._places.items():
            texts = [_at(record.values, place) for record in records]
            columns[name] = self._cast(name, pa.array(texts, pa.string()), [record.line for record in records])
        return columns

    def _refuse_open(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.is_open:
                raise self._form.problem(self._block, record.line, "a quote is opened and not closed on the same line")

    def _cast(self, name: str, texts: Any, lines: Optional[Sequence[int]]) -> Any:
        import pyarrow.compute as pc

        kind = self._form.kinds[name]
        values, is_bad = convert(texts, kind, self._parsing.empty_as_string)
        if name in self._reading.errors_of:
            self._errors[name] = pc.fill_null(is_bad, False)
        if self._reading.fails and pc.any(is_bad).as_py():
            raise self._misfit(name, texts, is_bad, lines)
        return values

    def _misfit(self, name: str, texts: Any, is_bad: Any, lines: Optional[Sequence[int]]) -> Invalid:
        row = is_bad.to_pylist().index(True)
        text = texts[row].as_py()
        if lines is None:
            records = list(self._form.split(self._block))
            place = self._places[name]
            line = next((record.line for record in records if _at(record.values, place) == text), 0)
        else:
            line = lines[row]
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        return self._form.problem(
            self._block,
            line,
            f"'{shown}' in the column '{name}' can't be read as {self._form.kinds[name].name}. "
            "Set the column's type with set_column_types, or read with on_error='null'",
        )


def _at(values: Sequence[str], place: Optional[int]) -> Optional[str]:
    return values[place] if place is not None and place < len(values) else None


def _order(quick: int, others: Sequence[int]) -> Any:
    """Return for each row of a block where it is: in the quick rows, or behind them in those that were split alone."""
    import numpy as np

    order: Any = np.empty(quick + len(others), np.int64)
    is_other: Any = np.zeros(len(order), bool)
    is_other[np.asarray(others, np.int64)] = True
    order[is_other] = np.arange(quick, len(order))
    order[~is_other] = np.arange(quick)
    return order


def _merge(quick: Any, others: Any, order: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(quick.type):
        quick = quick.dictionary_decode()
    return pa.concat_arrays([quick, others]).take(pa.array(order))


def _spellings(words: FrozenSet[str]) -> List[str]:
    """Return words in small and capital letters in every mixture."""
    found = [""]
    result: List[str] = []
    for word in sorted(words):
        found = [""]
        for letter in word:
            found = [begin + form for begin in found for form in (letter, letter.upper())]
        result += found
    return result
