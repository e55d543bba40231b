"""MLflow's filters and orders: `metrics.a > 0.5 and tags.x = 'y'`, `params.rate desc`. Pure: whoever asks says what a name holds."""

from __future__ import annotations

import base64
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from penstock.model.errors import Invalid

METRIC, PARAM, TAG, ATTRIBUTE = "metric", "param", "tag", "attribute"
Value = Any
Lookup = Callable[[str, str], Value]  # kind, name -> what it holds; None for nothing
_T = TypeVar("_T")

_KINDS = {
    **dict.fromkeys(("metric", "metrics"), METRIC),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), PARAM),
    **dict.fromkeys(("tag", "tags"), TAG),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), ATTRIBUTE),
}
# Other spellings of attributes.
_SAME = {"created": "start_time", "run name": "run_name", "timestamp": "creation_timestamp", "creation_time": "creation_timestamp"}
# What clients of MLflow 3 add to every search for models, so that prompts are left out; where nothing is said, there is no prompt.
_NO_PROMPT = (TAG, "mlflow.prompt.is_prompt", "!=")
_LONGEST = 16_384
_MOST = 100

_NAME = r"""(?:(?P<kind>\w+)\s*\.\s*)?(?:"(?P<double>[^"]*)"|`(?P<back>[^`]*)`|(?P<plain>[\w./:-]+))"""
_COMPARISON = re.compile(
    rf"""\s*{_NAME}\s*
    (?:(?P<null>is\s+(?P<is_not>not\s+)?null\b)
     |(?P<operator>!=|<>|>=|<=|=|>|<|like\b|ilike\b|in\b|not\s+in\b)\s*
      (?P<value>\([^()]*\)|'(?:[^']|'')*'|"[^"]*"|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?))
    \s*""",
    re.IGNORECASE | re.VERBOSE,
)
_AND = re.compile(r"and\b", re.IGNORECASE)
_ORDER = re.compile(rf"\s*{_NAME}(?:\s+(?P<direction>asc|desc))?\s*", re.IGNORECASE)
_ITEM = re.compile(r"""\s*(?:'((?:[^']|'')*)'|"([^"]*)"|([-+\w.]+))\s*(?:,|$)""")
_NUMERIC = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Comparison:
    """One condition of a filter."""

    kind: str
    name: str
    operator: str
    value: Value = None


@dataclass(frozen=True)
class Order:
    """One key of an order."""

    kind: str
    name: str
    is_descending: bool = False


# Reading


def parse_filter(text: str) -> tuple[Comparison, ...]:
    """Return the conditions of a filter, all of which must hold.

    Raises:
        Invalid: It is not made of comparisons with AND between them.
    """
    if len(text) > _LONGEST:
        raise Invalid(f"A filter has at most {_LONGEST} characters; this one has {len(text)}.")
    found: list[Comparison] = []
    position = 0
    while text[position:].strip():
        if found:
            position = _skip_and(text, position)
        match = _COMPARISON.match(text, position)
        if match is None or len(found) == _MOST:
            raise _not_understood(text, position)
        found.append(_comparison(match))
        position = match.end()
    return tuple(found)


def _skip_and(text: str, position: int) -> int:
    match = _AND.match(text, position)
    if match is None:
        raise _not_understood(text, position)
    return match.end()


def _not_understood(text: str, position: int) -> Invalid:
    return Invalid(
        f"The filter is not understood from here on: {text[position : position + 60]!r}. It is made of comparisons such as "
        "metrics.loss < 0.5, params.rate = '0.1', tags.kind LIKE 'a%' or attributes.status = 'FINISHED', with AND between them."
    )


def _comparison(match: re.Match[str]) -> Comparison:
    kind, name = _named(match)
    if match["null"]:
        return Comparison(kind, name, "is not null" if match["is_not"] else "is null")
    word = " ".join(match["operator"].lower().split())
    value = _list(match["value"]) if word.endswith("in") else _value(match["value"])
    _check_fits(kind, name, word, value)
    return Comparison(kind, name, word, value)


def _named(match: re.Match[str]) -> tuple[str, str]:
    name = next(item for item in (match["double"], match["back"], match["plain"]) if item is not None)
    if match["kind"]:
        kind = _KINDS.get(match["kind"].lower())
        if kind is None:
            raise Invalid(f"There is no '{match['kind'][:40]}.' to compare; there are metrics, params, tags and attributes.")
    else:
        kind = ATTRIBUTE
    return kind, _SAME.get(name.lower(), name) if kind == ATTRIBUTE else name


def _value(text: str) -> Value:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text[0] == '"':
        return text[1:-1]
    if text[0] == "(":
        raise Invalid("A list of values needs IN or NOT IN before it.")
    return float(text) if re.search(r"[.e]", text, re.IGNORECASE) else int(text[:400])


def _list(text: str) -> tuple[str, ...]:
    if text[0] != "(":
        raise Invalid("IN and NOT IN need a list of values in parentheses.")
    inner, position, found = text[1:-1], 0, []
    while position < len(inner):
        match = _ITEM.match(inner, position)
        if match is None:
            raise Invalid(f"The list {text[:60]!r} is not one of texts with commas between them.")
        found.append(next(item for item in match.groups() if item is not None).replace("''", "'"))
        position = match.end()
    return tuple(found)


def _check_fits(kind: str, name: str, word: str, value: Value) -> None:
    """Refuse what can't be compared: a metric is a number; params and tags are texts."""
    is_number = isinstance(value, (int, float))
    if kind == METRIC and not (is_number and word in _NUMERIC):
        raise Invalid(f"The metric '{name[:80]}' is compared with a number by =, !=, >, >=, < or <=.")
    if kind in (PARAM, TAG) and is_number:
        raise Invalid(f"The {kind} '{name[:80]}' is a text: put the value in quotes.")


def parse_orders(texts: Iterable[str]) -> tuple[Order, ...]:
    """Return the keys of an order; raise Invalid for one that is not understood."""
    return tuple(parse_order(text) for text in texts)


def parse_order(text: str, is_ascending: bool = True) -> Order:
    """Return one key of an order; the direction in its text, where there is one, is the one that counts."""
    match = _ORDER.fullmatch(text[:_LONGEST])
    if match is None:
        raise Invalid(f"The order {text[:60]!r} is not understood. It is a name such as metrics.loss, and then ASC or DESC.")
    word = (match["direction"] or ("asc" if is_ascending else "desc")).lower()
    return Order(*_named(match), word == "desc")


# Using


def matches(comparisons: Iterable[Comparison], look_up: Lookup) -> bool:
    """Tell whether all conditions hold. What is not there fulfils none but `is null`."""
    return all(_holds(item, look_up(item.kind, item.name)) for item in comparisons)


def _holds(wanted: Comparison, value: Value) -> bool:
    if value is None and (wanted.kind, wanted.name, wanted.operator) == _NO_PROMPT:
        return True
    if wanted.operator.endswith("null"):
        return (value is None) == (wanted.operator == "is null")
    if value is None:
        return False
    if wanted.operator in ("in", "not in"):
        return (str(value) in wanted.value) == (wanted.operator == "in")
    if wanted.operator in ("like", "ilike"):
        return _is_like(str(value), str(wanted.value), wanted.operator == "ilike")
    if isinstance(value, (int, float)) and isinstance(wanted.value, str):
        return bool(_NUMERIC[wanted.operator](value, _as_number(wanted)))
    if isinstance(value, str):
        return bool(_NUMERIC[wanted.operator](value, str(wanted.value)))
    return bool(_NUMERIC[wanted.operator](value, wanted.value))


def _as_number(wanted: Comparison) -> float:
    try:
        return float(wanted.value)
    except ValueError:
        raise Invalid(f"'{wanted.name[:80]}' is compared with a number, not with {str(wanted.value)[:60]!r}.") from None


def _is_like(text: str, pattern: str, ignores_case: bool) -> bool:
    """Tell whether a text has SQL's pattern: '%' stands for any text, '_' for any character. Takes no longer for a wicked pattern."""
    first, *others = [_fixed(part, ignores_case) for part in pattern.split("%")]
    if not others:
        return first.fullmatch(text) is not None
    found = first.match(text)
    for part in others[:-1]:
        found = found and part.search(text, found.end())
    last = len(text) - len(pattern.rpartition("%")[2])
    return found is not None and found.end() <= last and others[-1].match(text, last) is not None


def _fixed(part: str, ignores_case: bool) -> re.Pattern[str]:
    return re.compile("".join("." if letter == "_" else re.escape(letter) for letter in part), re.DOTALL | (re.I if ignores_case else 0))


def ordered(items: Sequence[_T], orders: Sequence[Order], look_up: Callable[[_T, str, str], Value]) -> list[_T]:
    """Return the items in an order; those that have no value for a key come last, whichever way it goes."""
    found = list(items)
    for order in reversed(orders):
        values = [(look_up(item, order.kind, order.name), item) for item in found]
        there = [pair for pair in values if pair[0] is not None]
        there.sort(key=lambda pair: _rank(pair[0]), reverse=order.is_descending)
        found = [item for _, item in there] + [item for value, item in values if value is None]
    return found


def check_attribute(name: str, known: Iterable[str]) -> str:
    """Return the name of an attribute; raise Invalid when what is searched has none of this name."""
    names = sorted(known)
    if name not in names:
        raise Invalid(
            f"There is no attribute '{name[:60]}' to search by. There are: {', '.join(names)}; others are params., tags., metrics."
        )
    return name


def _rank(value: Value) -> tuple[int, Value]:
    """Let numbers come before texts, and what is no number before all numbers."""
    if isinstance(value, str):
        return 2, value
    return (0, 0.0) if value != value else (1, value)


# Pages


def page(items: Sequence[_T], token: str | None, size: int) -> tuple[list[_T], str | None]:
    """Return one page of a list, and the token of the next; None after the last.

    Raises:
        Invalid: The token is none that was given.
    """
    start = _start(token)
    after = start + size
    return list(items[start:after]), base64.urlsafe_b64encode(str(after).encode()).decode() if after < len(items) else None


def end_of_page(token: str | None, size: int) -> int:
    """Return how many items there are up to the end of a page; see `page` for the errors."""
    return _start(token) + size


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        number = int(base64.urlsafe_b64decode(token.encode("ascii")[:40]).decode("ascii"))
    except ValueError:
        number = -1
    if not 0 <= number < 2**53:
        raise Invalid(f"The page token {token[:60]!r} is none that was given.")
    return number
