from __future__ import annotations

from typing import Any

import pytest

from penstock.model.errors import Invalid
from penstock.model.graph import Parameter, PipelineGraph, StepNode
from penstock.operations.graph_shapes import check_shape
from penstock.operations.submissions import check_values

FITS: list[tuple[str, Any, bool]] = [
    *[("int", 1, True), ("int", True, True), ("int", 1.0, False), ("int", "1", False)],
    *[("float", 1.0, True), ("float", 1, True), ("float", True, False), ("float", "1", False)],
    *[("bool", True, True), ("bool", 1, False), ("bool", "True", False)],
    *[("str", "x", True), ("str", "", True), ("str", 1, False), ("str", None, False)],
    *[("datapath", {"datastore": "d", "path": "p"}, True), ("datapath", {"datastore": "d"}, True)],
    *[("datapath", {"path": "p"}, False), ("datapath", {"datastore": 1}, False), ("datapath", "d/p", False)],
]


@pytest.mark.parametrize(("kind", "value", "fits"), FITS)
def test_value_and_kind(kind: str, value: Any, fits: bool) -> None:
    parameter = Parameter("p", kind)
    if fits:
        assert check_values([parameter], {"p": value}) == {"p": value}
    else:
        with pytest.raises(Invalid, match="'p'"):
            check_values([parameter], {"p": value})


def test_defaults_fill_what_is_not_given() -> None:
    assert check_values([Parameter("a", "int", 1), Parameter("b", "str", "x")], {"b": "y"}) == {"a": 1, "b": "y"}


def test_all_problems_are_told() -> None:
    with pytest.raises(Invalid) as caught:
        check_values([Parameter("rate", "float", 1.0)], {"rat": 1, "rate": "x"})
    assert [("rat'. Did you mean 'rate'" in text, "takes a number" in text) for text in caught.value.details["problems"]] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize(
    "step",
    [
        StepNode(id=5, name="n"),  # type: ignore[arg-type]
        StepNode("i", "n", run_after=("a", None)),  # type: ignore[arg-type]
        StepNode("i", "n", run_config_parameters={"NodeCount": 1}),  # type: ignore[dict-item]
        StepNode("i", "n", allow_reuse=1),  # type: ignore[arg-type]
        StepNode("i", "n", inputs=("x",)),  # type: ignore[arg-type]
        StepNode("i", "n", run_config={"environment": [1]}),
    ],
)
def test_shape_of_a_step(step: StepNode) -> None:
    with pytest.raises(Invalid):
        check_shape(PipelineGraph(steps=(step,)))


def test_shape_that_is_right() -> None:
    check_shape(
        PipelineGraph("n", (StepNode("i", "n", run_config={"environment": None, "any": [1]}),), parameters=(Parameter("p", "int", 1),))
    )
