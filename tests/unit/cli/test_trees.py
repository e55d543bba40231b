from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.trees import list_branches
from penstock.model.graph import PipelineGraph, StepNode


def graph(edges: dict[str, tuple[str, ...]]) -> PipelineGraph:
    return PipelineGraph(steps=tuple(StepNode(id=name, name=name, run_after=after) for name, after in edges.items()))


def drawn(edges: dict[str, tuple[str, ...]]) -> list[str]:
    return [branch.drawing + branch.node_id for branch in list_branches(graph(edges))]


def test_a_chain_grows_inwards() -> None:
    assert drawn({"a": (), "b": ("a",), "c": ("b",)}) == ["a", "└─ b", "   └─ c"]


def test_siblings_stand_below_each_other_and_a_join_below_its_deepest_predecessor() -> None:
    lines = drawn(
        {"prepare": (), "features": ("prepare",), "linear": ("features",), "forest": ("features",), "compare": ("linear", "forest")}
    )
    assert lines == ["prepare", "└─ features", "   ├─ linear", "   │  └─ compare", "   └─ forest"]


def test_a_join_names_its_other_predecessors() -> None:
    branches = {branch.node_id: branch.also_after for branch in list_branches(graph({"a": (), "b": (), "c": ("a", "b")}))}
    assert branches == {"a": (), "b": (), "c": ("b",)}


def test_a_predecessor_that_is_implied_is_not_named() -> None:
    branches = {branch.node_id: branch.also_after for branch in list_branches(graph({"a": (), "b": ("a",), "c": ("a", "b")}))}
    assert branches["c"] == ()


def test_a_chain_of_thousands_is_no_problem() -> None:
    edges = {str(number): (str(number - 1),) if number else () for number in range(3000)}
    assert len(list_branches(graph(edges))) == 3000


@given(st.lists(st.sets(st.integers(0, 30), max_size=4), max_size=30))
def test_every_step_is_drawn_exactly_once(earlier: list[set[int]]) -> None:
    edges = {str(node): tuple(str(item) for item in sorted(before) if item < node) for node, before in enumerate(earlier)}
    assert sorted(branch.node_id for branch in list_branches(graph(edges))) == sorted(edges)
