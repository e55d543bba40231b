"""Partition formats: how columns are read from the paths of files, as in `/{city}/{day:yyyy/MM/dd}/data.csv`.

The value of a text column is a text. That of a date column is {"time": ISO-8601 text}, the form in which dates travel everywhere.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Pattern, Tuple

from penstock.model.errors import Invalid

# The parts of a date, with the number of their digits.
DATE_PARTS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2}
RESERVED = ("Path", "PortablePath")  # columns that v1 makes itself

LONGEST_FORMAT = 2_000
MOST_STARS = 4  # each multiplies what a path that does not fit costs

_VALUE = r"([^./\\]+)"
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|\*+|[^{}*]+")
_DATE_TOKEN = re.compile("(" + "|".join(DATE_PARTS) + ")|[yMdHms]+|[^yMdHms]+")


class PartitionFormat(NamedTuple):
    """A format that was checked. `columns` are in the order of the format."""

    text: str
    columns: Tuple[str, ...]
    date_column: Optional[str]
    pattern: Pattern[str]
    groups: Tuple[Tuple[str, Optional[str]], ...]  # what each group of the pattern holds: the column, and the part of a date

    def match(self, path: str) -> Optional[Dict[str, Any]]:
        """Return column -> value for the path of a file, which begins with '/'; None where the path does not fit."""
        found = self.pattern.search(path)
        if found is None:
            return None
        values: Dict[str, Any] = dict.fromkeys(self.columns)
        date: Dict[str, int] = {}
        for (column, part), text in zip(self.groups, found.groups()):
            if part is None:
                values[column] = text
            else:
                date[part] = int(text)
        if self.date_column is not None:
            moment = _make_date(date)
            if moment is None:
                return None
            values[self.date_column] = moment
        return values


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
    """Turns the pieces of a format into a regular expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pattern: List[str] = []
        self._groups: List[Tuple[str, Optional[str]]] = []
        self._stars = 0

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
            self._pattern.append(".*")
        else:
            self._pattern.append(re.escape({"{{": "{", "}}": "}"}.get(piece, piece)))

    def _add_column(self, content: str) -> None:
        name, colon, date = content.partition(":")
        if not name.strip():
            raise self._refuse("a part in braces has no column name")
        if name in RESERVED:
            raise self._refuse(f"'{name}' is the name of a column that holds the file's path; choose another one")
        if not self._pattern:
            self._pattern.append("(?<![^/])")  # a value is a whole name, or ends where the format says
        if colon:
            self._add_date(name, date)
        elif any(name == column for column, _ in self._groups):
            raise self._refuse(f"the column '{name}' stands in it twice")
        else:
            self._groups.append((name, None))
            self._pattern.append(_VALUE)

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
                self._pattern.append(re.escape(token[0]))

    def _add_date_part(self, name: str, part: str) -> None:
        if (name, part) in self._groups:
            raise self._refuse(f"the date column '{name}' has the part {part} twice")
        self._groups.append((name, part))
        self._pattern.append(f"([0-9]{{{DATE_PARTS[part]}}})")

    def finish(self) -> PartitionFormat:
        """Return the format that the pieces make."""
        dates = {column for column, part in self._groups if part is not None}
        if not self._groups:
            raise self._refuse("it has no part in braces that names a column")
        for column in dates:
            if (column, "yyyy") not in self._groups:
                raise self._refuse(f"the date column '{column}' has no year, yyyy")
        if len(self._text) > LONGEST_FORMAT or self._stars > MOST_STARS:
            raise self._refuse(f"it may have at most {LONGEST_FORMAT} characters and {MOST_STARS} '*'")
        columns = tuple(dict.fromkeys(column for column, _ in self._groups))
        pattern = re.compile("".join(self._pattern) + r"\Z", re.DOTALL)
        return PartitionFormat(self._text, columns, next(iter(dates), None), pattern, tuple(self._groups))


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
