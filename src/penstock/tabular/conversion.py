"""Columns of text become columns of values, and values of other types become those that datasets have.

Datasets have int64, float64, bool, string, timestamp, binary and nested columns, and no others.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional

from penstock.tabular.kinds import (
    BOOL,
    DATETIME,
    DAY_FIRST,
    FALSE,
    FLOAT,
    FLOAT_TEXT,
    ISO_TEXT,
    LONG,
    LONG_TEXT,
    MONTH_FIRST,
    SLASHED_TEXT,
    STRING,
    TRUE,
    Kind,
)


class Converted(NamedTuple):
    """The values of a column, and where a text was there that could not become one."""

    values: Any
    is_bad: Any


def arrow_type(kind: Kind) -> Any:
    """Return the Arrow type of a kind's values."""
    import pyarrow as pa

    types = {LONG: pa.int64, FLOAT: pa.float64, BOOL: pa.bool_, STRING: pa.string}
    return pa.timestamp("us") if kind.name == DATETIME else types[kind.name]()


def direct_type(kind: Kind) -> Optional[Any]:
    """Return the type with which pyarrow's own CSV reader makes the same of plain texts as `convert`; None where it can't."""
    import pyarrow as pa

    if kind.decimal_mark != "." or kind.formats or kind.is_long:
        return None
    return pa.timestamp("us", "UTC") if kind.is_zoned else arrow_type(kind)


def convert(texts: Any, kind: Kind, empty_as_string: bool = False) -> Converted:
    """Return the values of an array of texts. Texts that don't fit become null.

    Args:
        texts: Strings and nulls.
        kind: What they become.
        empty_as_string: Whether an empty text stays one in a column of texts; else it is null.
    """
    import pyarrow.compute as pc

    if kind.name == STRING:
        return Converted(texts if empty_as_string else _without(texts, pc.equal(texts, "")), _nowhere(texts))
    trimmed = pc.utf8_trim_whitespace(texts)
    values = _CONVERSIONS[kind.name](trimmed, kind)
    given = pc.fill_null(pc.not_equal(texts, ""), False)
    return Converted(values, pc.and_(given, values.is_null()))


def _nowhere(values: Any) -> Any:
    import pyarrow.compute as pc

    return pc.and_(values.is_null(), values.is_valid())


def _without(values: Any, condition: Any) -> Any:
    """Make null what a condition is true for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.fill_null(condition, False), pa.scalar(None, values.type), values)


def _only(texts: Any, pattern: str) -> Any:
    """Make null what does not fit a pattern."""
    import pyarrow.compute as pc

    return _without(texts, pc.invert(pc.match_substring_regex(texts, pattern=pattern)))


def _cast(texts: Any, to: Any, one: Callable[[str], Any]) -> Any:
    """Cast texts that look right. Where one of them is not right after all, each is tried alone."""
    import pyarrow as pa

    try:
        return texts.cast(to)
    except pa.ArrowInvalid:
        encoded = texts.dictionary_encode()
        return pa.array([None if text is None else one(text) for text in encoded.dictionary.to_pylist()], to).take(encoded.indices)


def _to_long(texts: Any, kind: Kind) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = _only(
        pc.replace_substring_regex(texts, pattern=r"\.0*$", replacement="", max_replacements=1) if kind.is_said else texts, LONG_TEXT
    )
    return _cast(_unsigned(whole), pa.int64(), _long)


def _long(text: str) -> Optional[int]:
    number = int(text[:40])
    return number if -(2**63) <= number < 2**63 else None


def _unsigned(texts: Any) -> Any:
    """Without a leading plus, which older libraries don't read."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(texts, pattern=r"^\+", replacement="")


def _to_float(texts: Any, kind: Kind) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind.decimal_mark != ".":
        texts = pc.replace_substring(pc.replace_substring(texts, pattern=".", replacement="x"), pattern=kind.decimal_mark, replacement=".")
    return _cast(_unsigned(_only(texts, FLOAT_TEXT)), pa.float64(), float)


def _to_bool(texts: Any, kind: Kind) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    true, false = (sorted(words | ({digit} if kind.is_said else set())) for words, digit in ((TRUE, "1"), (FALSE, "0")))
    lower = pc.utf8_lower(texts)
    is_true, is_false = (pc.is_in(lower, value_set=pa.array(words)) for words in (true, false))
    return pc.if_else(is_true, True, pc.if_else(is_false, False, pa.scalar(None, pa.bool_())))


def _to_time(texts: Any, kind: Kind) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = None
    for form in kind.formats or ("",):
        found = _read_times(texts, form)
        values = found if values is None else pc.coalesce(values, found)
    return pc.cast(values, pa.timestamp("us"))


def _read_times(texts: Any, form: str) -> Any:
    if form == "":
        return _iso_times(texts)
    if form in (MONTH_FIRST, DAY_FIRST):
        return _slashed_times(texts, form)
    return _formatted_times(texts, form)


def _iso_times(texts: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    from penstock.model.expressions import parse_time

    short = pc.replace_substring_regex(_loosely_iso(texts), pattern=r"([.][0-9]{6})[0-9]+", replacement=r"\1")
    is_plain = pc.fill_null(pc.match_substring_regex(short, pattern=r"^[^Zz+]{0,26}$"), True)
    is_plain = pc.and_(is_plain, pc.invert(pc.fill_null(pc.match_substring_regex(short, pattern=r"^.{10}.*-"), False)))
    if pc.all(is_plain).as_py() in (True, None):
        return _cast(short, pa.timestamp("us"), parse_time)
    encoded = short.dictionary_encode()
    return pa.array([parse_time(text) for text in encoded.dictionary.to_pylist()], pa.timestamp("us")).take(encoded.indices)


def _loosely_iso(texts: Any) -> Any:
    """ISO 8601, also without seconds: what tells types apart is stricter than what is read once the type is known."""
    return _only(texts, ISO_TEXT.replace(r":[0-9]{2}([.][0-9]{1,9})?", r"(:[0-9]{2}([.][0-9]{1,9})?)?", 1))


def _slashed_times(texts: Any, form: str) -> Any:
    import pyarrow.compute as pc

    fitting = _only(texts, SLASHED_TEXT)
    padded = pc.replace_substring_regex(fitting, pattern=r"(^|/| )([0-9])([/:])", replacement=r"\10\2\3")
    padded = pc.replace_substring_regex(padded, pattern=r"(/)([0-9])(/)", replacement=r"\10\2\3")
    order = r"\3-\1-\2" if form == MONTH_FIRST else r"\3-\2-\1"
    return _iso_times(pc.replace_substring_regex(padded, pattern=r"^([0-9]{2})/([0-9]{2})/([0-9]{4})", replacement=order))


def _formatted_times(texts: Any, form: str) -> Any:
    """Each different text is read once, by pandas: it knows all of strptime's marks, and fractions."""
    import pandas as pd
    import pyarrow as pa

    encoded = texts.dictionary_encode()
    unique = pd.Series(encoded.dictionary.to_pylist(), dtype=object)
    times = pd.to_datetime(unique, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    return pa.array(times, pa.timestamp("ns"), from_pandas=True).cast(pa.timestamp("us"), safe=False).take(encoded.indices)


_CONVERSIONS: Dict[str, Callable[[Any, Kind], Any]] = {LONG: _to_long, FLOAT: _to_float, BOOL: _to_bool, DATETIME: _to_time}


# ---- values of other types ----


def plain(values: Any) -> Any:
    """Return an array with one of the types that datasets have."""
    import pyarrow as pa

    wanted = plain_type(values.type)
    if values.type.equals(wanted):
        return values
    if pa.types.is_dictionary(values.type):
        return plain(values.dictionary_decode())
    if pa.types.is_timestamp(values.type) and values.type.tz:
        values = values.cast(pa.timestamp(values.type.unit, "UTC")).cast(pa.int64())
        return values.cast(wanted)
    if pa.types.is_time(values.type) or pa.types.is_large_binary(values.type):
        return values.cast(wanted)
    return _widened(values, wanted)


def _widened(values: Any, wanted: Any) -> Any:
    import pyarrow as pa

    try:
        return values.cast(wanted)
    except pa.ArrowInvalid:  # an unsigned number that 64 bits with a sign can't hold
        return (
            values.cast(pa.float64()).cast(wanted, safe=False)
            if pa.types.is_unsigned_integer(values.type)
            else values.cast(wanted, safe=False)
        )


def plain_type(found: Any) -> Any:
    """Return the type that a dataset has for values of an Arrow type."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(found):
        return plain_type(found.value_type)
    if types.is_integer(found):
        return pa.float64() if found.equals(pa.uint64()) else pa.int64()
    if types.is_floating(found) or types.is_decimal(found):
        return pa.float64()
    if types.is_date(found):
        return pa.timestamp("us")
    if types.is_timestamp(found):
        return pa.timestamp("us" if found.unit in ("s", "ms") else found.unit)
    if types.is_large_string(found) or types.is_time(found) or str(found) == "string_view" or types.is_null(found):
        return pa.string()
    return pa.binary() if types.is_large_binary(found) or str(found) == "binary_view" else found


def set_type(values: Any, kind: Kind) -> Converted:
    """Return values of one of a dataset's types as the type that a user gave their column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    target = arrow_type(kind)
    if pa.types.is_string(values.type):
        return convert(values, kind, empty_as_string=True)
    if values.type.equals(target) or (pa.types.is_timestamp(values.type) and kind.name == DATETIME):
        return Converted(values, _nowhere(values))
    made = _changed(values, kind, target)
    return Converted(made, pc.and_(values.is_valid(), made.is_null()))


def _changed(values: Any, kind: Kind, target: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind.name == STRING:
        return as_text(values)
    is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    if is_number and kind.name == LONG:
        return _without(values, pc.not_equal(pc.floor(values), values)).cast(target, safe=False)
    if is_number and kind.name == BOOL:
        return pc.if_else(pc.equal(values, 1), True, pc.if_else(pc.equal(values, 0), False, pa.scalar(None, target)))
    if (is_number or pa.types.is_boolean(values.type)) and kind.name in (LONG, FLOAT):
        return values.cast(pa.int64() if pa.types.is_boolean(values.type) else values.type).cast(target, safe=False)
    return pa.nulls(len(values), target)


def as_text(values: Any) -> Any:
    """Return values as texts that are read back as the same values: 1.0, true, 2020-01-31T12:00:00.000000Z, JSON for nested ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_floating(kind):
        return _float_text(values)
    if pa.types.is_timestamp(kind):
        text = pc.utf8_replace_slice(values.cast(pa.string()), start=10, stop=11, replacement="T")  # ten times as fast as strftime
        return pc.binary_join_element_wise(text, "Z", "")
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.string())
    return pa.array([None if value is None else _json(value) for value in values.to_pylist()], pa.string())


def _float_text(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _without(values, pc.is_nan(values))
    is_whole = pc.fill_null(pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 1e15)), False)
    whole = pc.if_else(is_whole, values, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(is_whole, pc.binary_join_element_wise(whole, ".0", ""), values.cast(pa.string()))


def _json(value: Any) -> str:
    import json

    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str)
