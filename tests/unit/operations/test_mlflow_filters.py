"""MLflow's filters, orders and pages."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import Invalid
from penstock.operations.mlflow.filters import (
    ATTRIBUTE,
    METRIC,
    PARAM,
    TAG,
    Comparison,
    Order,
    matches,
    ordered,
    page,
    parse_filter,
    parse_orders,
)

NAMES = st.text(st.characters(exclude_characters='"`', exclude_categories=("Cs",)), min_size=1, max_size=20)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("metrics.a > 0.5", [Comparison(METRIC, "a", ">", 0.5)]),
        (
            "metrics.a>0.5 and tags.x='y' AND attributes.status = 'FINISHED'",
            [Comparison(METRIC, "a", ">", 0.5), Comparison(TAG, "x", "=", "y"), Comparison(ATTRIBUTE, "status", "=", "FINISHED")],
        ),
        ('params.`a b` = "it\'s"', [Comparison(PARAM, "a b", "=", "it's")]),
        ("param.rate LIKE '1%'", [Comparison(PARAM, "rate", "like", "1%")]),
        ("tags.mlflow.source.name ILIKE '%x'", [Comparison(TAG, "mlflow.source.name", "ilike", "%x")]),
        ('metrics."val/loss" <= -1e-3', [Comparison(METRIC, "val/loss", "<=", -0.001)]),
        ("run_id IN ('a', 'b')", [Comparison(ATTRIBUTE, "run_id", "in", ("a", "b"))]),
        ("attribute.run_id not in ('a')", [Comparison(ATTRIBUTE, "run_id", "not in", ("a",))]),
        ("tags.x IS NULL and tags.y is not  null", [Comparison(TAG, "x", "is null"), Comparison(TAG, "y", "is not null")]),
        ("created > 5", [Comparison(ATTRIBUTE, "start_time", ">", 5)]),
        ("tags.a = 'x and tags.b = ''y'''", [Comparison(TAG, "a", "=", "x and tags.b = 'y'")]),
        ("tags.and = 'or'", [Comparison(TAG, "and", "=", "or")]),
    ],
)
def test_a_filter_is_read(text: str, expected: list[Comparison]) -> None:
    assert list(parse_filter(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "metrics.a",
        "metrics.a >",
        "metrics.a > 'x'",
        "metrics.a LIKE 'x'",
        "params.a = 1",
        "tags.a = 'x' or tags.b = 'y'",
        "a = 'b'c = 'd'",
        "tags.a = 'x' and",
        "and",
        "other.a = 'x'",
        "tags.a = ('x')",
        "tags.a in 'x'",
        "tags.a in (b c)",
        "x" * 20000,
        "tags.a = 'x",
        "a=1 " * 200,
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_filter(text)


@given(st.text(max_size=200))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    for parse in (parse_filter, lambda order: parse_orders([order])):
        try:
            parse(text)
        except Invalid:
            pass


@given(NAMES, TEXTS, TEXTS)
def test_a_quoted_name_and_value_come_through(name: str, value: str, other: str) -> None:
    quoted = value.replace("'", "''")
    for mark in ('"', "`"):
        (comparison,) = parse_filter(f"tags.{mark}{name}{mark} = '{quoted}'")
        assert comparison == Comparison(TAG, name, "=", value)
        assert matches([comparison], lambda kind, key: {name: other}.get(key)) == (value == other)


@given(st.floats(allow_nan=False), st.floats())
def test_metrics_compare_as_numbers(wanted: float, value: float) -> None:
    rules = {
        ">": value > wanted,
        ">=": value >= wanted,
        "<": value < wanted,
        "<=": value <= wanted,
        "=": value == wanted,
        "!=": value != wanted,
    }
    for word, expected in rules.items():
        assert matches([Comparison(METRIC, "m", word, wanted)], lambda kind, name: value) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a%", "abc", True),
        ("%c", "abc", True),
        ("a_c", "abc", True),
        ("a_c", "ac", False),
        ("%", "", True),
        ("", "", True),
        ("", "a", False),
        ("a%a", "a", False),
        ("%b%d%", "abcd", True),
        ("%d%b%", "abcd", False),
        ("A%", "abc", False),
        ("a.c", "abc", False),
        ("a%b", "a\nb", True),
    ],
)
def test_like_is_that_of_sql(pattern: str, text: str, expected: bool) -> None:
    assert matches([Comparison(TAG, "t", "like", pattern)], lambda kind, name: text) == expected
    assert matches([Comparison(TAG, "t", "ilike", pattern.upper())], lambda kind, name: text) == (expected or pattern == "A%")


def test_a_wicked_pattern_comes_to_an_end() -> None:
    assert not matches([Comparison(TAG, "t", "like", "%a" * 5000 + "b%")], lambda kind, name: "a" * 100_000)


def test_what_is_not_there_fulfils_nothing_but_is_null() -> None:
    for text in ("tags.a != 'x'", "metrics.a != 1", "params.a LIKE '%'", "tags.a NOT IN ('x')", "tags.a IS NOT NULL"):
        assert not matches(parse_filter(text), lambda kind, name: None)
    assert matches(parse_filter("tags.a IS NULL"), lambda kind, name: None)
    assert matches(parse_filter("tag.`mlflow.prompt.is_prompt` != 'true'"), lambda kind, name: None)  # clients add it: no prompts


@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(), st.integers(-5, 5)), st.text(max_size=2))), st.booleans())
def test_an_order_is_stable_and_puts_the_empty_last(items: list[tuple[Any, str]], is_descending: bool) -> None:
    order = [Order(METRIC, "m", is_descending), Order(TAG, "t")]
    found = ordered(items, order, lambda item, kind, name: item[0] if kind == METRIC else item[1])
    assert sorted(map(repr, found)) == sorted(map(repr, items))
    numbers = [item[0] for item in found]
    there = [number for number in numbers if number is not None]
    assert numbers == there + [None] * (len(numbers) - len(there)) or any(number != number for number in there)
    finite = [number for number in there if not (isinstance(number, float) and math.isnan(number))]
    assert finite == sorted(finite, reverse=is_descending)
    for first, second in itertools.pairwise(found):
        if first[0] == second[0]:
            assert first[1] <= second[1]


@given(st.lists(st.integers(), max_size=30), st.integers(1, 7))
def test_pages_are_the_whole(items: list[int], size: int) -> None:
    found: list[int] = []
    token = None
    while True:
        shown, token = page(items, token, size)
        assert len(shown) <= size
        found += shown
        if token is None:
            break
    assert found == items


@pytest.mark.parametrize("token", ["x", "====", "LTE=", "ä", "a" * 1000, "MTIz" * 20])
def test_a_token_that_was_not_given_is_refused(token: str) -> None:
    with pytest.raises(Invalid, match="page token"):
        page([1, 2, 3], token, 1)
