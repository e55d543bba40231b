"""Delimited text files as one table: which columns there are, of which types, and block after block of rows."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from penstock.model.datasets import Parsing
from penstock.tabular.blocks import Block, Bytes, read_blocks
from penstock.tabular.conversion import arrow_type
from penstock.tabular.delimited_blocks import BlockParser, Form, Layout
from penstock.tabular.kinds import LOOKED_AT, find_kinds
from penstock.tabular.sources import Reading, SourceFile, Widened, in_order, unique_names

NO_HEADERS = "NO_HEADERS"
ONLY_FIRST = "ONLY_FIRST_FILE_HAS_HEADERS"
COMBINE = "COMBINE_ALL_FILES_HEADERS"
_SPARE = 2  # blocks' memory that waits to be used again

Samples = Dict[str, List[Optional[str]]]


class DelimitedSource:
    """Delimited text files, by the rules of a dataset's parsing."""

    def __init__(self, files: Sequence[SourceFile], parsing: Parsing) -> None:
        self._files = files
        self._parsing = parsing
        self._form = Form(files, parsing)
        self._first: Tuple[str, ...] = ()  # the names that the first file with a record gives
        self._row_size = 0.0  # bytes
        self._has_looked = self._is_surveyed = False

    # ---- columns ----

    def types(self) -> Dict[str, Any]:
        """Return column -> Arrow type; see `Source`."""
        if not self._has_looked:
            self._look()
        return {name: arrow_type(kind) for name, kind in self._form.kinds.items()}

    def _look(self) -> None:
        """Learn names and types from the first rows; of every file, where the files' headers are combined."""
        samples: Samples = {}
        left = LOOKED_AT
        for number in range(len(self._files)):
            if self._parsing.header == COMBINE:
                self._sample(number, samples, LOOKED_AT)
            elif left > 0:
                left -= self._sample(number, samples, left)
        self._learn_kinds(samples)
        self._has_looked = True

    def _learn_kinds(self, samples: Mapping[str, Sequence[Optional[str]]]) -> None:
        self._form.kinds.update(find_kinds(samples, self._parsing.column_types, self._parsing.infer_column_types))

    def _sample(self, number: int, samples: Samples, count: int) -> int:
        """Add some values of a file's columns to those known; return how many rows were looked at."""
        rows = self._first_rows(number, count)
        names = list(self._form.layouts[number].names) if number in self._form.layouts else []
        for place in range(len(names), max((len(row) for row in rows), default=0)):
            names.append(self._extra_name(place, samples))
        for place, name in enumerate(names):
            samples.setdefault(name, []).extend(row[place] if place < len(row) else None for row in rows)
        if rows:
            self._form.widths[number] = Counter(len(row) for row in rows).most_common(1)[0][0]
        return len(rows)

    def _extra_name(self, place: int, known: Mapping[str, Any]) -> str:
        """The name for values beyond a file's own names."""
        extra = self._form.extra
        if place not in extra:
            extra[place] = unique_names([*known, *self._form.kinds, *extra.values(), f"Column{place + 1}"])[-1]
        return extra[place]

    def _first_rows(self, number: int, count: int) -> List[List[str]]:
        rows: List[List[str]] = []
        for block in self._blocks_of(number):
            self._row_size = self._row_size or block.end / max(block.line_count(), 1)
            _, block = self._layout_of(block)
            for record in self._form.split(block):
                rows.append(record.values)
                if len(rows) >= count:
                    return rows
        return rows

    def survey(self) -> None:
        """Look at every row of every file, so that all columns are known."""
        if self._is_surveyed:
            return
        known = set(self.types())
        samples: Samples = {}
        beyond: Dict[int, List[Optional[str]]] = {}
        for number in range(len(self._files)):
            self._sample(number, samples, LOOKED_AT)
            for block in self._blocks_of(number):
                layout, block = self._layout_of(block)
                if layout.names and block.end:
                    BlockParser(self._form, block, layout, Reading(frozenset())).look_beyond(beyond)
        for place, values in sorted(beyond.items()):
            samples.setdefault(self._extra_name(place, samples), values)
        self._learn_kinds({name: values for name, values in samples.items() if name not in known})
        self._is_surveyed = True

    # ---- blocks and their layouts ----

    def _blocks_of(self, number: int, free: Optional[List[Bytes]] = None) -> Iterator[Block]:
        return read_blocks(number, self._files[number], self._parsing.encoding, self._form.cut, free)

    def _layout_of(self, block: Block) -> Tuple[Layout, Block]:
        """Return how a file's places are columns, and the block without the file's header."""
        layouts = self._form.layouts
        if block.number > 0:
            return layouts.get(block.file, Layout()), block
        end = self._form.end_of_first(block)
        first = next(self._form.split(block._replace(end=end)), None)
        if first is None:
            return Layout(), block
        if block.file not in layouts:
            layouts[block.file] = self._new_layout(first.values)
        if not layouts[block.file].has_header:
            return layouts[block.file], block
        skipped = block._replace(end=end).line_count()
        return layouts[block.file], block._replace(data=block.data[end:], end=block.end - end, skipped=skipped)

    def _new_layout(self, first: Sequence[str]) -> Layout:
        mode = self._parsing.header
        if mode == NO_HEADERS:
            self._first = self._first or tuple(f"Column{place}" for place in range(1, len(first) + 1))
            return Layout(self._first, False)
        if mode == ONLY_FIRST and self._first:
            return Layout(self._first, False)
        names = tuple(unique_names(first))
        self._first = self._first or names
        return Layout(names, True)

    # ---- rows ----

    def batches(self, reading: Reading) -> Iterator[Tuple[int, Any]]:
        """Yield (number of the file, record batch); see `Source`."""
        self.types()
        free: List[Bytes] = []

        def parse(item: Tuple[Layout, Block]) -> Tuple[int, Any]:
            layout, block = item
            batch = BlockParser(self._form, block, layout, reading).parse()
            if isinstance(block.data, bytearray) and len(free) < _SPARE:  # a batch holds copies
                free.append(block.data)
            return block.file, batch

        for number, batch in in_order(parse, self._laid_out(reading, free)):
            if batch.num_rows:
                yield number, batch

    def about_rows(self) -> int:
        """Return about how many rows there are, by the length of the first ones."""
        self.types()
        try:
            return int(sum(os.path.getsize(file.local) for file in self._files) / max(self._row_size, 1))
        except OSError:  # whoever reads the file says what is wrong with it
            return 0

    def _laid_out(self, reading: Reading, free: List[Bytes]) -> Iterator[Tuple[Layout, Block]]:
        for number in range(len(self._files)):
            if number in reading.without:
                continue
            for block in self._blocks_of(number, free):
                layout, block = self._layout_of(block)
                if any(name not in self._form.kinds for name in layout.names):
                    raise Widened
                if layout.names and block.end:
                    yield layout, block
