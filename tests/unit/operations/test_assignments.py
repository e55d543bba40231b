"""Values of parameters as programs send them: as texts, as numbers, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import Invalid
from penstock.model.graph import Parameter
from penstock.operations.assignments import read_assignments

PARAMETERS = (
    Parameter("count", "int", 1),
    Parameter("rate", "float", 0.5),
    Parameter("flag", "bool", True),
    Parameter("word", "str", "a"),
    Parameter("folder", "datapath", {"datastore": "d", "path": "p"}),
)
DEFAULTS = {item.name: item.default for item in PARAMETERS}


def read(**given: Any) -> dict[str, Any]:
    return read_assignments(PARAMETERS, given)


def test_nothing_given_leaves_the_defaults() -> None:
    assert read() == DEFAULTS
    assert read(count=None, word=None) == DEFAULTS


@given(st.integers())
def test_a_whole_number_is_read_from_its_text(number: int) -> None:
    assert read(count=str(number))["count"] == number
    assert read(rate=number)["rate"] == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_from_its_text(number: float) -> None:
    assert read(rate=str(number))["rate"] == number


@given(st.booleans(), st.sampled_from([str, lambda value: str(value).lower(), lambda value: str(value).upper(), int, bool]))
def test_a_truth_value_is_read_however_it_is_spelt(value: bool, spelling: Any) -> None:
    assert read(flag=spelling(value))["flag"] is value


@given(st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False)))
def test_a_text_parameter_takes_numbers_as_their_text(value: Any) -> None:
    assert read(word=value)["word"] == str(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("count", value) for value in ("1.5", "one", "", "1_000", "٣", 1.5, [1], {"a": 1}, "9" * 5000)),
        *(("rate", value) for value in ("nan", "inf", "-Infinity", "1_0.5", float("nan"), float("inf"), "fast", [0.1])),
        *(("flag", value) for value in ("yes", 2, "", [])),
        *(("word", value) for value in ([], {})),
        *(("folder", value) for value in ("a/b", {"path": "p"}, {"datastore": 1})),
    ],
)
def test_what_cannot_be_read_is_named(name: str, value: Any) -> None:
    with pytest.raises(Invalid, match=f"'{name}'") as caught:
        read(**{name: value})
    assert caught.value.details["parameters"] == [name]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="Did you mean 'count'") as caught:
        read(cuont=1, rate="fast")
    assert caught.value.details["parameters"] == ["cuont", "rate"]
