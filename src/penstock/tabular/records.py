"""Records of delimited text, split as v1 splits them: slowly, one by one, and exactly. The quick way must give the same."""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

from penstock.tabular.blocks import Bytes, split_lines

_LINE_END = re.compile("\r\n|\n|\r")
_QUOTE = ord('"')


class Record(NamedTuple):
    """One row: its values, the line on which it begins, counted from 0, and whether a quote was opened and never closed."""

    values: List[str]
    line: int
    is_open: bool


def split_records(text: str, separator: str, multi_line: bool) -> Iterator[Record]:
    """Yield the records of a text. Empty lines are none.

    A quote counts where a value begins with it; it is closed by the next one, and two in a row are one. Without `multi_line`, each line
    is a record of its own, and a quote that is still open at its end is closed there.
    """
    if not multi_line:
        for line, content in enumerate(split_lines(text)):
            if content:
                values, is_open = _split_line(content, separator)
                yield Record(values, line, is_open)
        return
    place, line = 0, 0
    while place < len(text):
        end = _LINE_END.match(text, place)
        if end:
            place, line = end.end(), line + 1
            continue
        values, after, is_open = _split_record(text, place, separator)
        yield Record(values, line, is_open)
        line += len(_LINE_END.findall(text, place, after))
        place = after


def _split_line(content: str, separator: str) -> Tuple[List[str], bool]:
    if '"' not in content:
        return content.split(separator), False
    values, _, is_open = _split_record(content, 0, separator, one_line=True)
    return values, is_open


def _split_record(text: str, place: int, separator: str, one_line: bool = False) -> Tuple[List[str], int, bool]:
    """Return a record's values, the place behind it and its line end, and whether a quote was left open."""
    values: List[str] = []
    while True:
        value, place, is_open = _read_value(text, place, separator, one_line)
        values.append(value)
        if is_open:
            return values, len(text), True
        if text.startswith(separator, place):
            place += len(separator)
            continue
        end = _LINE_END.match(text, place)
        return values, end.end() if end else place, False


def _read_value(text: str, place: int, separator: str, one_line: bool) -> Tuple[str, int, bool]:
    """Return a value, the place behind it, and whether its quote is open."""
    parts: List[str] = []
    if text.startswith('"', place):
        place += 1
        while True:
            quote = text.find('"', place)
            if quote < 0:
                return "".join(parts) + text[place:], len(text), True
            parts.append(text[place:quote])
            place = quote + 1
            if not text.startswith('"', place):
                break
            parts.append('"')
            place += 1
    end = _value_end(text, place, separator, one_line)
    parts.append(text[place:end])
    return "".join(parts), end, False


def _value_end(text: str, place: int, separator: str, one_line: bool) -> int:
    ends = [text.find(separator, place)]
    if not one_line:
        found: Optional[re.Match[str]] = _LINE_END.search(text, place, ends[0] if ends[0] >= 0 else len(text))
        ends.append(found.start() if found else -1)
    return min((end for end in ends if end >= 0), default=len(text))


def first_record_end(data: Bytes, separator: str, multi_line: bool) -> int:
    """Return where the first record of a text ends, its line end included; 0 where the text may not hold all of it."""
    text = data.decode("utf-8", "surrogateescape")
    begin = len(text) - len(text.lstrip("\r\n"))
    if multi_line:
        after = _split_record(text, begin, separator)[1]
    else:
        found = _LINE_END.search(text, begin)
        after = found.end() if found else len(text)
    # At the very end, a return may belong to a line feed that comes next, and a quote to another one.
    return len(text[:after].encode("utf-8", "surrogateescape")) if after < len(text) else 0


def cut_at_record_end(data: Bytes, separator: bytes) -> int:
    """Return where the last whole record of a text ends whose values may hold line ends; 0 where there is none."""
    import numpy as np

    content = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(content == _QUOTE)
    if not len(quotes):
        return data.rfind(b"\n") + 1
    if len(separator) == 1 and _are_in_pairs(content, quotes, separator[0]):
        return _cut_between(data, quotes)
    return _cut_one_by_one(data, separator)


def _are_in_pairs(content: object, quotes: object, separator: int) -> bool:
    """Tell whether each quote opens or closes a value, or is one of two in a row: then every second one closes."""
    import numpy as np

    text, places = np.asarray(content), np.asarray(quotes)
    opening, closing = places[0::2], places[1::2]
    before = text[np.maximum(opening - 1, 0)]
    opens = (opening == 0) | np.isin(before, (separator, 10, 13, _QUOTE))
    after = text[np.minimum(closing + 1, len(text) - 1)]
    closes = (closing == len(text) - 1) | np.isin(after, (separator, 10, 13, _QUOTE))
    return bool(opens.all() and closes.all())


def _cut_between(data: Bytes, quotes: object) -> int:
    """The last line end that has an even number of quotes before it."""
    import numpy as np

    places = np.asarray(quotes)
    end = len(data)
    while True:
        end = data.rfind(b"\n", 0, end)
        if end < 0:
            return 0
        before = int(np.searchsorted(places, end))
        if before % 2 == 0:
            return end + 1
        end = int(places[before - 1])


def _cut_one_by_one(data: Bytes, separator: bytes) -> int:
    """The last line end outside of quotes, where some quotes are no more than characters of their values."""
    place, cut = 0, 0
    while True:
        quote = data.find(b'"', place)
        cut = max(cut, data.rfind(b"\n", place, quote if quote >= 0 else len(data)) + 1)
        if quote < 0:
            return cut
        begins = quote == 0 or data.endswith((separator, b"\n", b"\r"), 0, quote)
        place = _closing(data, quote) + 1 if begins else quote + 1
        if place == 0:
            return cut


def _closing(data: Bytes, opening: int) -> int:
    """Where a quote is closed; -1 where it is not."""
    place = opening + 1
    while True:
        quote = data.find(b'"', place)
        if quote < 0 or not data.startswith(b'"', quote + 1):
            return quote
        place = quote + 2
