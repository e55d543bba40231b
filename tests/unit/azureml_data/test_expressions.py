"""Expressions of columns: a tree in the documents' form, whatever Python operators made it."""

from __future__ import annotations

import operator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Callable

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml.data._expressions import DatasetExpression, column, condition_of
from azureml.exceptions import UserErrorException

col_a, col_b = column("a"), column("b")
TREE_A = {"column": "a"}

OPERATORS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
}
MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_with_columns_and_constants_on_either_side(name: str) -> None:
    apply = OPERATORS[name]
    assert condition_of(apply(col_a, col_b)) == {"call": name, "arguments": [TREE_A, {"column": "b"}]}
    assert condition_of(apply(col_a, 2)) == {"call": name, "arguments": [TREE_A, {"value": 2}]}
    if name in MIRRORED:  # Python turns 2 < a into a > 2
        assert condition_of(apply(2, col_a)) == {"call": MIRRORED[name], "arguments": [TREE_A, {"value": 2}]}
    else:
        assert condition_of(apply(2, col_a)) == {"call": name, "arguments": [{"value": 2}, TREE_A]}


METHODS: dict[str, Callable[[DatasetExpression], DatasetExpression]] = {
    "contains": lambda a: a.contains("x"),
    "starts_with": lambda a: a.starts_with("x"),
    "ends_with": lambda a: a.ends_with("x"),
    "index_of": lambda a: a.index_of("x"),
    "substring": lambda a: a.substring(1, 2),
    "length": lambda a: a.length(),
    "to_upper": lambda a: a.to_upper(),
    "to_lower": lambda a: a.to_lower(),
    "is_null": lambda a: a.is_null(),
    "is_error": lambda a: a.is_error(),
    "not": lambda a: ~a,
}


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str) -> None:
    tree = condition_of(METHODS[name](col_a))
    assert tree["call"] == name
    assert tree["arguments"][0] == TREE_A
    assert len(tree["arguments"]) == {"substring": 3, "contains": 2, "starts_with": 2, "ends_with": 2, "index_of": 2}.get(name, 1)


@pytest.mark.parametrize(
    "use",
    [lambda: col_a > 1 and col_b > 1, lambda: col_a > 1 or col_b > 1, lambda: not col_a, lambda: 1 < col_a < 3, lambda: col_a in [col_b]],
)
def test_python_logic_says_what_to_write_instead(use: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match="&"):
        use()


@pytest.mark.parametrize(
    ("value", "operand"),
    [
        ("text", {"value": "text"}),
        (None, {"value": None}),
        (True, {"value": True}),
        (1.5, {"value": 1.5}),
        (Decimal("2.5"), {"value": 2.5}),
        (numpy.int64(3), {"value": 3}),
        (numpy.float32(0.5), {"value": 0.5}),
        (numpy.bool_(True), {"value": True}),
        (numpy.str_("t"), {"value": "t"}),
        (datetime(2020, 1, 2, 3, 4, 5), {"time": "2020-01-02T03:04:05"}),
        (datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), {"time": "2020-01-02T01:00:00"}),
        (date(2020, 1, 2), {"time": "2020-01-02T00:00:00"}),
        (pandas.Timestamp("2020-01-02"), {"time": "2020-01-02T00:00:00"}),
        (numpy.datetime64("2020-01-02T03:04:05.123456789"), {"time": "2020-01-02T03:04:05.123456"}),
    ],
)
def test_constants(value: Any, operand: Any) -> None:
    assert condition_of(col_a == value)["arguments"][1] == operand


@pytest.mark.parametrize("value", [[1], {"a": 1}, object(), b"x", numpy.array([1, 2]), timedelta(1), float("nan"), float("inf")])
def test_other_constants_are_refused(value: Any) -> None:
    with pytest.raises(UserErrorException, match="can't be compared or combined"):
        col_a.contains(value)


@pytest.mark.parametrize("condition", ["a > 2", None, True, 3])
def test_a_filter_takes_expressions_only(condition: Any) -> None:
    with pytest.raises(UserErrorException, match="filter takes an expression"):
        condition_of(condition)


def test_expressions_may_not_be_endless() -> None:
    chain = col_a == 0
    for number in range(200):
        chain = chain | (col_a == number)
    with pytest.raises(UserErrorException, match="Filter twice"):
        condition_of(chain)


def test_a_column_has_a_name() -> None:
    with pytest.raises(UserErrorException, match="keep_columns"):
        column(["a", "b"])


def test_expressions_show_what_they_are() -> None:
    assert repr((col_a > 1) & ~col_b.contains("x")) == "((dataset['a'] > 1) & ~dataset['b'].contains('x'))"
    assert repr(col_a < datetime(2020, 1, 1)) == "(dataset['a'] < '2020-01-01T00:00:00')"


_LEAVES = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.none(),
    st.sampled_from([col_a, col_b, column("c d")]),
)


@given(st.recursive(_LEAVES, lambda inner: st.tuples(st.sampled_from(sorted(OPERATORS)), inner, inner), max_leaves=20))
def test_whatever_is_built_is_json_and_keeps_its_shape(shape: Any) -> None:
    import json

    def build(part: Any) -> Any:
        return OPERATORS[part[0]](build_column(part[1]), build(part[2])) if isinstance(part, tuple) else part

    def build_column(part: Any) -> Any:
        built = build(part)
        return built if isinstance(built, DatasetExpression) else col_a

    tree = condition_of(build_column(shape))
    assert json.loads(json.dumps(tree)) == tree
    assert isinstance(repr(DatasetExpression(tree)), str)
