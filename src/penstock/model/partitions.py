"""Partition formats: how columns are read from the paths of files, as in `/{city}/{day:yyyy/MM/dd}/data.csv`.

The value of a text column is a text. That of a date column is {"time": ISO-8601 text}, the form in which dates travel everywhere.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from penstock.model.errors import Invalid

# The parts of a date, with the number of their digits.
DATE_PARTS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2}
RESERVED = ("Path", "PortablePath")  # columns that v1 makes itself

LONGEST_FORMAT = 2_000
MOST_STARS = 4
MOST_PIECES = 200  # each is a call within the one before

_VALUE = re.compile(r"[^./\\]+")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|\*+|[^{}*]+")
_DATE_TOKEN = re.compile("(" + "|".join(DATE_PARTS) + ")|[yMdHms]+|[^yMdHms]+")


class _Piece(NamedTuple):
    """One piece of a format: plain text, a column's value or a part of its date; none of these for '*'."""

    text: Optional[str] = None
    column: Optional[str] = None
    part: Optional[str] = None

    def ends(self, path: str, start: int) -> Iterable[int]:
        """Return where the piece may end that begins at a place in a path, the longest first."""
        if self.text is not None:
            return (start + len(self.text),) if path.startswith(self.text, start) else ()
        if self.part is not None:
            end = start + DATE_PARTS[self.part]
            digits = path[start:end]
            return (end,) if len(digits) == end - start and digits.isascii() and digits.isdigit() else ()
        if self.column is None:
            return range(len(path), start - 1, -1)
        value = _VALUE.match(path, start)
        return range(value.end(), start, -1) if value else ()


class PartitionFormat(NamedTuple):
    """A format that was checked. `columns` are in the order of the format."""

    text: str
    columns: Tuple[str, ...]
    date_column: Optional[str]
    pieces: Tuple[_Piece, ...]

    def match(self, path: str) -> Optional[Dict[str, Any]]:
        """Return column -> value for the path of a file, which begins with '/'; None where the path does not fit."""
        found = self._find(path)
        if found is None:
            return None
        values: Dict[str, Any] = dict.fromkeys(self.columns)
        date: Dict[str, int] = {}
        for piece, text in zip(self.pieces, found):
            if piece.part is not None:
                date[piece.part] = int(text)
            elif piece.column is not None:
                values[piece.column] = text
        if self.date_column is not None:
            moment = _make_date(date)
            if moment is None:
                return None
            values[self.date_column] = moment
        return values

    def _find(self, path: str) -> Optional[List[str]]:
        """Return the text of each piece, where the format fits the end of a path; the one that begins first is taken."""
        ends: List[int] = []
        dead: Set[Tuple[int, int]] = set()
        for start in self._starts(path):
            if self._fits(path, 0, start, ends, dead):
                places = [start, *reversed(ends)]
                return [path[here:there] for here, there in zip(places, places[1:])]
        return None

    def _starts(self, path: str) -> Iterator[int]:
        """Yield where the first piece may begin: plain text where it stands, a value with a whole name."""
        first = self.pieces[0]
        if first.text is None:
            yield 0
        mark, skip = (first.text, 0) if first.text is not None else ("/", 1)
        at = path.find(mark)
        while at >= 0:
            yield at + skip
            at = path.find(mark, at + 1)

    def _fits(self, path: str, number: int, start: int, ends: List[int], dead: Set[Tuple[int, int]]) -> bool:
        """Tell whether the pieces from one on fit the rest of a path; note where they end, the last one first.

        What was seen not to fit is not tried again: a regular expression would, for hours in some paths.
        """
        if number == len(self.pieces):
            return start == len(path)
        if (number, start) in dead:
            return False
        for end in self.pieces[number].ends(path, start):
            if self._fits(path, number + 1, end, ends, dead):
                ends.append(end)
                return True
        dead.add((number, start))
        return False


def _make_date(parts: Mapping[str, int]) -> Optional[Dict[str, str]]:
    try:
        day = parts["yyyy"], parts.get("MM", 1), parts.get("dd", 1)
        moment = datetime(*day, parts.get("HH", 0), parts.get("mm", 0), parts.get("ss", 0))
    except ValueError:  # there is no such day
        return None
    return {"time": moment.isoformat()}


def parse_partition_format(text: Any) -> PartitionFormat:
    """Return what a partition format says.

    Raises:
        Invalid: It can't be one; the message tells why.
    """
    if not isinstance(text, str):
        raise Invalid(f"A partition_format must be a text, not {type(text).__name__}.")
    reader = _Reader(text)
    for token in _TOKEN.finditer(text):
        reader.take(token)
    return reader.finish()


class _Reader:
    """Reads the pieces of a format."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: List[_Piece] = []
        self._stars = 0

    @property
    def _groups(self) -> List[Tuple[str, Optional[str]]]:
        """What is read: columns, and parts of dates."""
        return [(piece.column, piece.part) for piece in self._pieces if piece.column is not None]

    def _refuse(self, reason: str) -> Invalid:
        shown = self._text if len(self._text) <= 200 else f"{self._text[:200]}..."
        return Invalid(f"The partition_format '{shown}' can't be used: {reason}.")

    def take(self, token: Any) -> None:
        """Add one piece."""
        piece = token[0]
        if token[1] is not None:
            self._add_column(token[1])
        elif piece in ("{", "}"):
            raise self._refuse("its braces are not balanced; a brace that is meant as such is written twice")
        elif piece[0] == "*":
            self._stars += 1
            self._pieces.append(_Piece())
        else:
            self._pieces.append(_Piece({"{{": "{", "}}": "}"}.get(piece, piece)))

    def _add_column(self, content: str) -> None:
        name, colon, date = content.partition(":")
        if not name.strip():
            raise self._refuse("a part in braces has no column name")
        if name in RESERVED:
            raise self._refuse(f"'{name}' is the name of a column that holds the file's path; choose another one")
        if colon:
            self._add_date(name, date)
        elif any(name == column for column, _ in self._groups):
            raise self._refuse(f"the column '{name}' stands in it twice")
        else:
            self._pieces.append(_Piece(column=name))

    def _add_date(self, name: str, date: str) -> None:
        others = [column for column, part in self._groups if part is not None and column != name]
        if others:
            raise self._refuse(f"it has two date columns, '{others[0]}' and '{name}'; at most one is possible")
        if any(column == name and part is None for column, part in self._groups):
            raise self._refuse(f"the column '{name}' stands in it twice")
        if not date:
            raise self._refuse(f"the date column '{name}' has no parts; they are {', '.join(DATE_PARTS)}")
        for token in _DATE_TOKEN.finditer(date):
            if token[1]:
                self._add_date_part(name, token[1])
            elif token[0][0] in "yMdHms":
                raise self._refuse(f"'{token[0]}' is no part of a date; they are {', '.join(DATE_PARTS)}")
            else:
                self._pieces.append(_Piece(token[0]))

    def _add_date_part(self, name: str, part: str) -> None:
        if (name, part) in self._groups:
            raise self._refuse(f"the date column '{name}' has the part {part} twice")
        self._pieces.append(_Piece(column=name, part=part))

    def finish(self) -> PartitionFormat:
        """Return the format that the pieces make."""
        dates = {column for column, part in self._groups if part is not None}
        if not self._groups:
            raise self._refuse("it has no part in braces that names a column")
        for column in dates:
            if (column, "yyyy") not in self._groups:
                raise self._refuse(f"the date column '{column}' has no year, yyyy")
        if len(self._text) > LONGEST_FORMAT or self._stars > MOST_STARS or len(self._pieces) > MOST_PIECES:
            raise self._refuse(f"it may have at most {LONGEST_FORMAT} characters, {MOST_STARS} '*' and {MOST_PIECES} parts")
        columns = tuple(dict.fromkeys(column for column, _ in self._groups))
        return PartitionFormat(self._text, columns, next(iter(dates), None), tuple(self._pieces))


def plain_value(value: Any) -> Any:
    """Return a partition value as Python has it: a text, or a datetime for {"time": ...}; other values as they are."""
    if isinstance(value, Mapping):
        return datetime.fromisoformat(str(value.get("time")).replace("Z", "+00:00"))
    return value


def distinct_values(partitions: Iterator[Mapping[str, Any]], columns: Tuple[str, ...]) -> List[Dict[str, Any]]:
    """Return the different combinations of values that some columns have, in the order of their first appearance."""
    found: Dict[Tuple[Any, ...], Dict[str, Any]] = {}
    for partition in partitions:
        values = {column: partition.get(column) for column in columns}
        key = tuple(value["time"] if isinstance(value, Mapping) else (value,) for value in values.values())
        found.setdefault(key, values)
    return list(found.values())
