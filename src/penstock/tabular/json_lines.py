"""Files of JSON objects, one on each line, as one table.

Columns with plain values are read by pyarrow. Lines that it can't read so, and nested values, are read by Python, one by one.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from penstock.model.datasets import Parsing
from penstock.model.errors import Invalid
from penstock.tabular.blocks import Block, find_undecodable, first_line_of, read_blocks, split_lines
from penstock.tabular.conversion import arrow_type, set_type
from penstock.tabular.filters import ERRORS_OF
from penstock.tabular.kinds import LOOKED_AT, Kind, said_kind
from penstock.tabular.parquet import as_type
from penstock.tabular.sources import Reading, SourceFile, Widened, in_order

# The type of a column whose values are objects or lists: the batches hold them as JSON, and frames as Python has them.
NESTED = "nested"

_MARK = b"penstock.json"


def nested_field(name: str) -> Any:
    """Return the field of a column of JSON texts that stand for nested values."""
    import pyarrow as pa

    return pa.field(name, pa.string(), metadata={_MARK: b"1"})


def is_nested(field: Any) -> bool:
    """Return whether a field is one of nested values."""
    return _MARK in (field.metadata or {})


class JsonLinesSource:
    """JSON lines, by the rules of a dataset's parsing."""

    def __init__(self, files: Sequence[SourceFile], parsing: Parsing) -> None:
        self._files = files
        self._parsing = parsing
        self._found: Optional[Dict[str, str]] = None  # column -> long, float, bool, string, nested
        self._said: Dict[str, Kind] = {}
        self._is_surveyed = False

    # ---- columns ----

    def types(self) -> Dict[str, Any]:
        """Return column -> Arrow type; see `Source`."""
        if self._found is None:
            self._found = {}
            self._look(LOOKED_AT)
        return {name: arrow_type(self._said[name]) if name in self._said else _arrow(found) for name, found in self._found.items()}

    def nested(self) -> List[str]:
        """Return the columns that hold nested values."""
        self.types()
        return [name for name, found in (self._found or {}).items() if found == NESTED and name not in self._said]

    def survey(self) -> None:
        """Look at every line."""
        if not self._is_surveyed:
            self.types()
            self._look(None)
            self._is_surveyed = True

    def _look(self, count: Optional[int]) -> None:
        """Learn the columns of some lines, or of all."""
        samples: Dict[str, List[Optional[str]]] = {name: [] for name in self._parsing.column_types}
        seen = 0
        for number, file in enumerate(self._files):
            for block in read_blocks(number, file, self._parsing.encoding):
                for row in self._objects(block):
                    self._note(row, samples)
                    seen += 1
                    if count is not None and seen >= count:
                        self._settle(samples)
                        return
        self._settle(samples)

    def _note(self, row: Dict[str, Any], samples: Dict[str, List[Optional[str]]]) -> None:
        assert self._found is not None
        for name, value in row.items():
            self._found[name] = _common(self._found.get(name), _found(value))
            if name in samples and len(samples[name]) < LOOKED_AT:
                samples[name].append(value if isinstance(value, str) else None)

    def _settle(self, samples: Dict[str, List[Optional[str]]]) -> None:
        assert self._found is not None
        for name, about in self._parsing.column_types.items():
            if name in self._found and name not in self._said:
                self._said[name] = said_kind(about, samples[name])

    # ---- rows ----

    def batches(self, reading: Reading) -> Iterator[Tuple[int, Any]]:
        """Yield (number of the file, record batch); see `Source`."""
        self.types()

        def parse(block: Block) -> Tuple[int, Any]:
            return block.file, self._parse(block, reading)

        for number, batch in in_order(parse, self._blocks(reading)):
            if batch.num_rows:
                yield number, batch

    def _blocks(self, reading: Reading) -> Iterator[Block]:
        for number, file in enumerate(self._files):
            if number not in reading.without:
                yield from (block for block in read_blocks(number, file, self._parsing.encoding) if block.end)

    def about_rows(self) -> int:
        """Return 0: nobody knows."""
        return 0

    def _parse(self, block: Block, reading: Reading) -> Any:
        import pyarrow as pa

        assert self._found is not None
        raw = self._quickly(block)
        if raw is None:
            raw = self._slowly(block)
        fields, columns = [], []
        for name, wanted in self.types().items():
            if name in reading.columns:
                values, is_bad = self._typed(name, raw[name], wanted)
                self._refuse_bad(block, name, raw[name], is_bad, reading)
                fields.append(nested_field(name) if name in self.nested() else pa.field(name, wanted))
                columns.append(values)
        for name in sorted(reading.errors_of):
            if name in raw:
                fields.append(pa.field(ERRORS_OF + name, pa.bool_()))
                columns.append(self._typed(name, raw[name], self.types()[name])[1])
        if not columns:  # only the number of rows is wanted
            return pa.RecordBatch.from_arrays([next(iter(raw.values()))] if raw else [], names=list(raw)[:1])
        return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))

    def _typed(self, name: str, values: Any, wanted: Any) -> Tuple[Any, Any]:
        import pyarrow.compute as pc

        if name in self._said:
            made = set_type(values, self._said[name])
            return made.values, pc.fill_null(made.is_bad, False)
        return as_type(values, wanted), pc.and_(values.is_null(), values.is_valid())

    def _refuse_bad(self, block: Block, name: str, values: Any, is_bad: Any, reading: Reading) -> None:
        import pyarrow.compute as pc

        if reading.fails and pc.any(is_bad).as_py():
            row = is_bad.to_pylist().index(True)
            kind = self._said[name].name
            raise self._problem(block, None, f"{values[row].as_py()!r} in the column '{name}' can't be read as {kind}")

    # ---- by pyarrow ----

    def _quickly(self, block: Block) -> Optional[Dict[str, Any]]:
        """Return the block's columns as pyarrow reads them; None where Python has to."""
        import pyarrow as pa
        from pyarrow import json as reader

        assert self._found is not None
        if NESTED in self._found.values() or not self._found or block.has(b"\r"):
            return None
        schema = pa.schema([pa.field(name, _arrow(found)) for name, found in self._found.items()])
        try:
            table = reader.read_json(
                pa.BufferReader(block.buffer()),
                reader.ReadOptions(use_threads=False, block_size=block.end + 1),
                reader.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
            )
        except pa.ArrowException:
            return None
        lines = block.line_count() + (not block.data.endswith(b"\n", 0, block.end))
        if table.num_rows != lines:
            return None
        return {
            name: pa.concat_arrays(table.column(name).chunks) if table.num_rows else pa.nulls(0, schema.field(name).type)
            for name in self._found
        }

    # ---- by Python ----

    def _slowly(self, block: Block) -> Dict[str, Any]:
        import pyarrow as pa

        assert self._found is not None
        rows = list(self._objects(block))
        for row in rows:
            for name, value in row.items():
                if name not in self._found or _common(self._found[name], _found(value)) != self._found[name]:
                    raise Widened
        return {name: pa.array([_plain(row.get(name), found) for row in rows], _arrow(found)) for name, found in self._found.items()}

    def _objects(self, block: Block) -> Iterator[Dict[str, Any]]:
        """Yield the objects of a block's lines; empty lines are none."""
        try:
            text = block.text()
        except UnicodeDecodeError:
            raise find_undecodable(self._files[block.file], self._parsing.encoding) from None
        for number, line in enumerate(split_lines(text)):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                row = error
            if isinstance(row, dict):
                yield row
            elif self._parsing.invalid_lines != "drop":
                reason = str(row) if isinstance(row, Exception) else f"it holds {type(row).__name__}"
                raise self._problem(
                    block, number, f"this is not a JSON object: {reason}. Read with invalid_lines='drop' to leave such lines out"
                )

    def _problem(self, block: Block, line: Optional[int], what: str) -> Invalid:
        file = self._files[block.file]
        if line is None:
            return Invalid(f"The file '{file.path}': {what}.", path=file.path)
        number = first_line_of(block, file, self._parsing.encoding) + line
        return Invalid(f"The file '{file.path}', line {number}: {what}.", path=file.path, line=number)


def _found(value: Any) -> Optional[str]:
    """The kind of one JSON value; None for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "long" if -(2**63) <= value < 2**63 else "float"
    if isinstance(value, float):
        return "float"
    return "string" if isinstance(value, str) else NESTED


def _common(left: Optional[str], right: Optional[str]) -> str:
    """The kind that holds values of two kinds. What is nested, or of several kinds, is kept as JSON."""
    if left is None or right is None or left == right:
        return left or right or "unknown"
    if "unknown" in (left, right):
        return right if left == "unknown" else left
    return "float" if {left, right} == {"long", "float"} else NESTED


def _plain(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == NESTED:
        return json.dumps(value, ensure_ascii=False)
    return float(value) if kind == "float" else value


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    types = {"long": pa.int64, "float": pa.float64, "bool": pa.bool_}
    return types.get(kind, pa.string)()
