"""What v1's callers send means the same in whatever case they write it, and as numbers or as texts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import Invalid
from penstock.operations.context import Context
from penstock.service.v1.members import Members
from penstock.service.v1.submissions import RUN_TYPES, Order, read_order

TEXTS = st.text(max_size=8)
SCALARS = st.one_of(TEXTS, st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
ORDERS = st.fixed_dictionaries(
    {"ExperimentName": st.text(min_size=1, max_size=8)},
    optional={
        "Description": TEXTS,
        "ParameterAssignments": st.dictionaries(TEXTS.map("literal-{}".format), SCALARS, max_size=3),
        "DataPathAssignments": st.dictionaries(
            TEXTS.map("path-{}".format), st.fixed_dictionaries({"DataStoreName": st.just("store"), "RelativePath": TEXTS}), max_size=3
        ),
        "Tags": st.dictionaries(TEXTS, SCALARS, max_size=3),
        "StepTags": st.dictionaries(TEXTS, SCALARS, max_size=3),
        "RunType": st.sampled_from([*RUN_TYPES, *range(4), "0", "http"]),
        "ContinueRunOnStepFailure": st.sampled_from([True, False, "True", "false", None]),
        "EnableNotification": st.booleans(),
    },
)


def read(body: dict[str, Any]) -> Order:
    nowhere: Context = None  # type: ignore[assignment]  # datasets alone are looked up
    return read_order(nowhere, "w", Members(body), Members({}), list)


@given(ORDERS, st.randoms(use_true_random=False))
def test_case_does_not_matter(body: dict[str, Any], luck: random.Random) -> None:
    def any_case(name: str) -> str:
        return "".join(luck.choice((letter.lower(), letter.upper())) for letter in name)

    spelt = {any_case(name): value for name, value in body.items()}
    assert read(spelt) == read(body)


@given(ORDERS)
def test_an_order_says_what_was_sent(body: dict[str, Any]) -> None:
    order = read(body)
    literals, paths = body.get("ParameterAssignments", {}), body.get("DataPathAssignments", {})
    assert order.wanted["parameters"] == {
        **literals,
        **{name: {"datastore": "store", "path": path["RelativePath"]} for name, path in paths.items()},
    }
    assert order.places == {**dict.fromkeys(literals, "ParameterAssignments"), **dict.fromkeys(paths, "DataPathAssignments")}
    assert order.wanted["tags"] == {name: str(value) for name, value in body.get("Tags", {}).items()}
    assert order.wanted["run_type"] in RUN_TYPES


def nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)


@given(st.dictionaries(TEXTS, st.recursive(SCALARS | st.none(), nest, max_leaves=6), max_size=5))
def test_what_can_not_be_read_is_refused_by_name(values: dict[str, Any]) -> None:
    for member in ("ParameterAssignments", "DataPathAssignments", "Tags", "Properties"):
        assert (find_target({"ExperimentName": "e", member: values}) or member).startswith(member)


def find_target(body: dict[str, Any]) -> str | None:
    """Return which member of an order is wrong; None when all are right."""
    try:
        read(body)
    except Invalid as error:
        return str(error.details["target"])
    return None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have_are_refused(value: float) -> None:
    with pytest.raises(Invalid, match="must be a text, a number, true or false"):
        read({"ExperimentName": "e", "ParameterAssignments": {"rate": value}})
