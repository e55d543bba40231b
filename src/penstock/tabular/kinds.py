"""What kind of values a column of text holds: found by looking at some of them, or said by the user."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from penstock.model.errors import Invalid
from penstock.model.expressions import parse_time

LOOKED_AT = 200  # rows that decide about the types of a dataset's columns

STRING, LONG, FLOAT, BOOL, DATETIME, STREAM = "string", "long", "float", "bool", "datetime", "stream"

# Forms of dates that are not ISO 8601. The first group is the month in the first, the day in the second.
MONTH_FIRST, DAY_FIRST = "month first", "day first"

TRUE = frozenset(("true", "t"))
FALSE = frozenset(("false", "f"))

LONG_TEXT = r"^[+-]?[0-9]+$"
FLOAT_TEXT = r"^[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|(?i:inf|infinity|nan))$"
ISO_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?( ?([Zz]|[+-][0-9]{2}:?[0-9]{2}))?)?$"
SLASHED_TEXT = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}( [0-9]{1,2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?)?$"

_LONG, _FLOAT, _ISO, _SLASHED = (re.compile(text) for text in (LONG_TEXT, FLOAT_TEXT, ISO_TEXT, SLASHED_TEXT))
_ZONED = re.compile(r"([Zz]|[+-][0-9]{2}:?[0-9]{2})$")

# How times are written where nobody says how, beside ISO 8601; the first that fits all values is taken.
USUAL_FORMATS = (
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y%m%d",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%y",
    "%d/%m/%Y %H:%M",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%b %d %Y",
)


class Kind(NamedTuple):
    """How the texts of a column become values."""

    name: str
    formats: Tuple[str, ...] = ()  # of times: strptime's, or MONTH_FIRST or DAY_FIRST; none: ISO 8601
    is_zoned: bool = False  # of ISO times: they say how far they are from UTC
    is_long: bool = False  # of ISO times: more than six digits behind the second
    decimal_mark: str = "."
    is_said: bool = False  # by the user, not found


TEXT = Kind(STRING)


def said_kind(about: Mapping[str, Any], sample: Sequence[Optional[str]]) -> Kind:
    """Return the kind that a document's column type says.

    Args:
        about: {"type": ..., "formats": [...], "decimal_mark": "."}.
        sample: Some of the column's texts; they decide how times are written that have no format.

    Raises:
        Invalid: There is no such type.
    """
    name = about.get("type")
    if name in (STRING, STREAM):
        return TEXT._replace(is_said=True)
    if name in (LONG, BOOL):
        return Kind(str(name), is_said=True)
    if name == FLOAT:
        return Kind(FLOAT, decimal_mark=about.get("decimal_mark") or ".", is_said=True)
    if name == DATETIME:
        formats = tuple(about.get("formats") or ())
        return Kind(DATETIME, formats, is_said=True) if formats else _found_time(sample)._replace(is_said=True)
    raise Invalid(f"There is no column type {name!r}. There are: {STRING}, {LONG}, {FLOAT}, {BOOL}, {DATETIME}, {STREAM}.")


def _found_time(sample: Sequence[Optional[str]]) -> Kind:
    """How a column's times are written that the user calls times."""
    values = [value.strip() for value in sample if value is not None and value.strip()]
    kind = _as_time(values) if values else None
    if kind is not None:
        return kind
    for form in USUAL_FORMATS:
        if values and all(_fits(value, form) for value in values):
            return Kind(DATETIME, (form,))
    return Kind(DATETIME)


def _fits(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def found_kind(sample: Sequence[Optional[str]]) -> Kind:
    """Return the kind of a column by some of its texts; None among them is a null."""
    values = [value.strip() for value in sample if value is not None and value.strip()]
    if not values or any(value is not None and value and not value.strip() for value in sample):
        return TEXT
    if all(value.lower() in TRUE or value.lower() in FALSE for value in values):
        return Kind(BOOL)
    if all(_FLOAT.match(value) for value in values):
        whole = all(_LONG.match(value) and -(2**63) <= int(value[:40]) < 2**63 for value in values)
        return Kind(LONG if whole else FLOAT)
    return _as_time(values) or TEXT


def _as_time(values: Sequence[str]) -> Optional[Kind]:
    if all(_ISO.match(value) and parse_time(value) for value in values):
        is_zoned = any(len(value) > 10 and _ZONED.search(value[10:]) for value in values)
        is_long = any(len(value.partition(".")[2].rstrip("Zz").partition("+")[0].partition("-")[0].strip()) > 6 for value in values)
        return Kind(DATETIME, is_zoned=bool(is_zoned), is_long=is_long)
    if all(_SLASHED.match(value) for value in values):
        return _as_slashed(values)
    return None


def _as_slashed(values: Sequence[str]) -> Optional[Kind]:
    pairs = [tuple(int(part) for part in value.split("/")[:2]) for value in values]
    for form, month in ((MONTH_FIRST, 0), (DAY_FIRST, 1)):
        if all(1 <= pair[month] <= 12 and 1 <= pair[1 - month] <= 31 for pair in pairs):
            return Kind(DATETIME, (form,))
    return None


def is_ambiguous(kind: Kind, sample: Sequence[Optional[str]]) -> bool:
    """Return whether a column's dates could all be day-month as well as month-day."""
    if kind.is_said or kind.formats != (MONTH_FIRST,):
        return False
    days = {value.strip().split("/")[1] for value in sample if value and value.strip()}
    return all(int(day) <= 12 for day in days) and any(value.split("/")[0] != value.split("/")[1] for value in sample if value)


def find_kinds(samples: Mapping[str, Sequence[Optional[str]]], said: Mapping[str, Mapping[str, Any]], infer: bool) -> Dict[str, Kind]:
    """Return the kind of each column.

    Args:
        samples: Column -> some of its texts.
        said: The types that the user gave.
        infer: Whether other columns are looked at; else they are text.

    Warns:
        UserWarning: The dates of a column may be day-month or month-day; they are taken as month-day.
    """
    kinds = {
        name: said_kind(said[name], sample) if name in said else found_kind(sample) if infer else TEXT for name, sample in samples.items()
    }
    doubtful = [name for name, sample in samples.items() if is_ambiguous(kinds[name], sample)]
    if doubtful:
        _warn(doubtful)
    return kinds


def _warn(columns: Sequence[str]) -> None:
    import warnings

    names = ", ".join(f"'{name}'" for name in columns)
    warnings.warn(
        f"The dates in {names} may be day-month or month-day; they are taken as month-day. "
        "Say how they are written with set_column_types={...: DataType.to_datetime('%d/%m/%Y')}.",
        UserWarning,
        stacklevel=2,
    )
