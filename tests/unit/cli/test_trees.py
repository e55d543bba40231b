from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.trees import DEEPEST, list_branches
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


def test_the_margin_of_a_long_chain_stops_growing() -> None:
    lines = drawn({f"s{number}": (f"s{number - 1}",) if number else () for number in range(300)})
    assert lines[1:3] == ["└─ s1", "   └─ s2"]
    assert lines[-2:] == [" " * DEEPEST + "└─ s298", " " * DEEPEST + "└─ s299"]


def test_where_the_margin_does_not_show_on_what_a_step_hangs_it_is_named() -> None:
    edges: dict[str, tuple[str, ...]] = {"s0": ()}
    for number in range(1, 12):
        edges[f"s{number}"] = edges[f"leaf{number}"] = (f"s{number - 1}",)
    branches = {branch.node_id: branch for branch in list_branches(graph(edges))}
    assert (branches["leaf2"].also_after, branches["leaf2"].shows_parent) == ((), True)
    assert (branches["leaf9"].also_after, branches["leaf9"].shows_parent) == (("s8",), False)
    assert (branches["s11"].also_after, branches["s11"].shows_parent) == ((), True)
