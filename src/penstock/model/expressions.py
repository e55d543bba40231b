"""Conditions on columns, as JSON: what a filter's expression may say, and what it means for one row.

    {"column": name} | {"value": text, number, true, false or null} | {"time": ISO-8601} | {"call": NAME, "arguments": [...]}

Nulls are as in SQL: what is computed from a null is null, but for `is_null`, `is_error` and where `and` or `or` is decided by its other
side. A row stays where its condition is true; not where it is false or null.
"""

from __future__ import annotations

import math
import operator
import re
from datetime import date, datetime, timedelta
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from penstock.model.errors import Invalid, NotFound

DEEPEST = 200  # calls within calls: a chain of two hundred conditions is long enough
LONGEST = 10_000  # parts of one expression

NUMBER, TEXT, TIME, TRUTH = "number", "text", "time", "truth"
SHOWN = {NUMBER: "a number", TEXT: "text", TIME: "a time", TRUTH: "true or false"}

# What a function may be called with, and how many of them.
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
LOGIC = ("and", "or")
ARITHMETIC = ("add", "sub", "mul", "div", "floordiv", "mod", "pow")
TEXT_TESTS = ("contains", "starts_with", "ends_with")
ARITY: Dict[str, int] = {
    **dict.fromkeys((*COMPARISONS, *LOGIC, *ARITHMETIC, *TEXT_TESTS, "index_of"), 2),
    **dict.fromkeys(("not", "length", "to_upper", "to_lower", "is_null", "is_error"), 1),
    "substring": 3,
}

_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?(?:(Z)|([+-])(\d{2}):?(\d{2})))?)?\Z", re.IGNORECASE
)


def check(expression: Any) -> None:
    """Return if this is an expression.

    Raises:
        Invalid: It is not; the message says which part is wrong.
    """
    for number, (part, depth) in enumerate(_parts(expression)):
        if depth > DEEPEST or number > LONGEST:
            raise Invalid(
                f"The expression is too large: at most {LONGEST} parts, and {DEEPEST} calls within each other. Filter twice instead."
            )
        _check_part(part)


def columns_of(expression: Any) -> FrozenSet[str]:
    """Return the names of the columns that an expression reads."""
    return frozenset(part["column"] for part, _ in _parts(expression) if "column" in part)


def error_columns_of(expression: Any) -> FrozenSet[str]:
    """Return the names of the columns that an expression asks `is_error` of."""
    calls = [part for part, _ in _parts(expression) if part.get("call") == "is_error"]
    return frozenset(part["arguments"][0]["column"] for part in calls if "column" in part["arguments"][0])


def _parts(expression: Any) -> Iterator[Tuple[Mapping[str, Any], int]]:
    """Every part of an expression with its depth; without recursion, so that nobody's nesting ends the process."""
    waiting: List[Tuple[Any, int]] = [(expression, 1)]
    while waiting:
        part, depth = waiting.pop()
        if not isinstance(part, Mapping):
            raise Invalid(f"{_short(part)} is no part of an expression: it is an object with 'column', 'value', 'time' or 'call'.")
        yield part, depth
        arguments = part.get("arguments", ())
        if "call" in part and isinstance(arguments, (list, tuple)):
            waiting += [(item, depth + 1) for item in reversed(arguments)]


def _check_part(part: Mapping[str, Any]) -> None:
    kinds = [name for name in ("column", "value", "time", "call") if name in part]
    if len(kinds) != 1 or set(part) - {kinds[0], *(("arguments",) if kinds == ["call"] else ())}:
        raise Invalid(f"{_short(part)} is no part of an expression: it has one of 'column', 'value', 'time', or 'call' with 'arguments'.")
    _CHECKS[kinds[0]](part)


def _check_column(part: Mapping[str, Any]) -> None:
    if not isinstance(part["column"], str):
        raise Invalid(f"The name of a column is a text, not {_short(part['column'])}.")


def _check_value(part: Mapping[str, Any]) -> None:
    if part["value"] is not None and not isinstance(part["value"], (str, int, float)):
        raise Invalid(f"A constant in an expression is a text, a number, true, false or null, not {_short(part['value'])}.")


def _check_time(part: Mapping[str, Any]) -> None:
    if parse_time(part["time"]) is None:
        raise Invalid(f"{_short(part['time'])} is no time as ISO 8601 writes it, such as 2020-01-31T12:00:00.")


def _check_call(part: Mapping[str, Any]) -> None:
    name, arguments = part["call"], part.get("arguments")
    if not isinstance(name, str) or name not in ARITY:
        raise Invalid(f"There is no function {_short(name)} for expressions. There are: {', '.join(sorted(ARITY))}.")
    if not isinstance(arguments, (list, tuple)) or len(arguments) != ARITY[name]:
        raise Invalid(f"The function {name} takes {ARITY[name]} argument{'s' * (ARITY[name] > 1)}.")


_CHECKS: Dict[str, Callable[[Mapping[str, Any]], None]] = {
    "column": _check_column,
    "value": _check_value,
    "time": _check_time,
    "call": _check_call,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def parse_time(text: Any) -> Optional[datetime]:
    """Return the time that a text names in ISO 8601, in UTC and without a zone, to the microsecond; None for another text."""
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    fraction = (found[7] or "").ljust(6, "0")[:6]
    try:
        year, month, day, hour, minute, second = (int(found[part] or 0) for part in range(1, 7))
        moment = datetime(year, month, day, hour, minute, second, int(fraction))
        if found[9]:
            ahead = timedelta(hours=int(found[10]), minutes=int(found[11]))
            moment = moment - ahead if found[9] == "+" else moment + ahead
    except (ValueError, OverflowError):
        return None
    return moment


# ---- one row ----


def evaluate(expression: Any, row: Mapping[str, Any]) -> Any:
    """Return what an expression is for one row.

    Args:
        expression: One that `check` accepts.
        row: Column -> value: a text, a number, true or false, a datetime without a zone, or None.

    Raises:
        NotFound: The row has no such column.
        Invalid: Values can't be compared or combined, such as a text with a number.
    """
    if "column" in expression:
        return _column(expression["column"], row)
    if "value" in expression:
        return expression["value"]
    if "time" in expression:
        return parse_time(expression["time"])
    return apply(expression["call"], *(evaluate(argument, row) for argument in expression["arguments"]))


def _column(name: str, row: Mapping[str, Any]) -> Any:
    if name not in row:
        raise NotFound.named("column", name, row)
    value = row[name]
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def apply(name: str, *values: Any) -> Any:
    """Return what a function makes of plain values.

    Raises:
        Invalid: Values of these kinds can't be compared or combined.
    """
    if name in LOGIC:
        return _decide(name, values)
    if name == "is_null":
        return values[0] is None or (isinstance(values[0], float) and math.isnan(values[0]))
    if name == "is_error":
        return False  # what could not be read has become null before anybody sees it
    if name in COMPARISONS:
        return _compare(name, *values)
    kinds = rule_of(name).arguments
    for value, kind in zip(values, kinds):
        if value is not None and kind_of(value) != kind and not (kind == NUMBER and kind_of(value) == TRUTH):
            raise wrong_kind(name, kind, kind_of(value), value)
    return None if None in values else _narrow(rule_of(name).compute(*values))


def kind_of(value: Any) -> str:
    """Return which kind of value this is: NUMBER, TEXT, TIME or TRUTH."""
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, (int, float)):
        return NUMBER
    return TIME if isinstance(value, datetime) else TEXT


def wrong_kind(name: str, wanted: str, found: str, value: Any = None) -> Invalid:
    """Return the error for a value that a function can't use."""
    shown = "" if value is None else f" ({_short(value)})"
    hint = " Give the column its type with set_column_types." if TEXT in (wanted, found) else ""
    return Invalid(f"The filter can't do '{name}' with {SHOWN[found]}{shown}: it takes {SHOWN[wanted]}.{hint}")


def wrong_comparison(name: str, left: str, right: str, place: str = "") -> Invalid:
    """Return the error for two values that can't be compared."""
    return Invalid(
        f"The filter compares {SHOWN[left]} with {SHOWN[right]} ('{name}'{place}). Compare values of one kind, "
        "or give the column its type with set_column_types."
    )


def comparable(left: str, right: str) -> bool:
    """Return whether values of two kinds can be compared; true and false are also 1 and 0."""
    return left == right or {left, right} == {NUMBER, TRUTH}


def _compare(name: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    left, right = _as_times(left, right)
    if not comparable(kind_of(left), kind_of(right)):
        raise wrong_comparison(name, kind_of(left), kind_of(right))
    return getattr(operator, name)(left, right)


def _as_times(left: Any, right: Any) -> Tuple[Any, Any]:
    """A text that is compared with a time is one, where it can be."""
    if kind_of(left) == TIME and isinstance(right, str):
        return left, parse_time(right) or right
    if kind_of(right) == TIME and isinstance(left, str):
        return parse_time(left) or left, right
    return left, right


def _decide(name: str, values: Tuple[Any, ...]) -> Optional[bool]:
    for value in values:
        if value is not None and not isinstance(value, bool):
            raise wrong_kind(name, TRUTH, kind_of(value), value)
    decisive = name == "or"
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def _narrow(value: Any) -> Any:
    """Whole numbers have 64 bits, in every library that computes with columns; larger ones become floats."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _divide(left: Any, right: Any) -> Any:
    return left / right if right else None


def _floor_divide(left: Any, right: Any) -> Any:
    return left // right if right else None


def _modulo(left: Any, right: Any) -> Any:
    return left % right if right else None


def _power(left: Any, right: Any) -> Any:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return None


def _substring(text: str, start: int, length: int) -> str:
    return text[max(int(start), 0) : max(int(start) + int(length), 0)]


class Rule(NamedTuple):
    """What a function takes, and how it is computed for plain values, none of them null."""

    arguments: Tuple[str, ...]
    compute: Callable[..., Any]


_RULES: Dict[str, Rule] = {
    "add": Rule((NUMBER, NUMBER), operator.add),
    "sub": Rule((NUMBER, NUMBER), operator.sub),
    "mul": Rule((NUMBER, NUMBER), operator.mul),
    "div": Rule((NUMBER, NUMBER), _divide),
    "floordiv": Rule((NUMBER, NUMBER), _floor_divide),
    "mod": Rule((NUMBER, NUMBER), _modulo),
    "pow": Rule((NUMBER, NUMBER), _power),
    "contains": Rule((TEXT, TEXT), lambda text, part: part in text),
    "starts_with": Rule((TEXT, TEXT), lambda text, part: text.startswith(part)),
    "ends_with": Rule((TEXT, TEXT), lambda text, part: text.endswith(part)),
    "index_of": Rule((TEXT, TEXT), lambda text, part: text.find(part)),
    "substring": Rule((TEXT, NUMBER, NUMBER), _substring),
    "length": Rule((TEXT,), len),
    "to_upper": Rule((TEXT,), lambda text: text.upper()),
    "to_lower": Rule((TEXT,), lambda text: text.lower()),
    "not": Rule((TRUTH,), operator.not_),
}


def rule_of(name: str) -> Rule:
    """Return the rule of a function that is neither a comparison nor one of the logic of nulls."""
    return _RULES[name]
