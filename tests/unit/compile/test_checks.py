from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.compile.checks import find_cycle, find_problems, order
from penstock.model.graph import Argument, InputPort, OutputPort, Parameter, PipelineGraph, PortRef, StepNode, StepParameter


def step(node_id: str, *after: str, **members: object) -> StepNode:
    return StepNode(id=node_id, name=f"step {node_id}", run_after=after, **members)


@st.composite
def graphs(draw) -> PipelineGraph:
    count = draw(st.integers(1, 12))
    edges = draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=20))
    return PipelineGraph(steps=tuple(step(str(node), *(str(before) for before, after in edges if after == node)) for node in range(count)))


@given(graphs())
def test_a_graph_has_an_order_or_a_cycle(graph: PipelineGraph):
    found, cycle = order(graph), find_cycle(graph)
    if cycle is None:
        place = {node_id: index for index, node_id in enumerate(found)}
        assert set(place) == {item.id for item in graph.steps}
        assert all(place[before] < place[item.id] for item in graph.steps for before in item.run_after)
    else:
        assert len(found) < len(graph.steps)
        assert cycle[0] == cycle[-1]
        after = {item.name: {f"step {before}" for before in item.run_after} for item in graph.steps}
        assert all(first in after[second] for first, second in pairwise(cycle))


def test_a_cycle_is_printed_as_a_path():
    graph = PipelineGraph(steps=(step("a", "c"), step("b", "a"), step("c", "b"), step("d", "a")))
    (problem,) = find_problems(graph)
    assert "circle" in problem
    assert any(
        path in problem
        for path in ("step a -> step b -> step c -> step a", "step b -> step c -> step a -> step b", "step c -> step a -> step b")
    )


def test_each_mistake_names_the_thing_and_the_place():
    bad = StepNode(
        id="n1",
        name="train",
        arguments=(Argument("input", "rwa"), Argument("parameter", "rate")),
        inputs=(InputPort("raw", PortRef("n0", "out")), InputPort("raw", PortRef("n0", "data"), mode="float")),
        outputs=(OutputPort("a b", "store"),),
        parameters=(StepParameter("p", pipeline_parameter="alhpa"),),
    )
    problems = " ".join(find_problems(PipelineGraph(steps=(bad,), parameters=(Parameter("alpha", "int", 1), Parameter("x", "list")))))
    for words in (
        "two inputs named 'raw'",
        "mode 'float'",
        "'a b' can't be the name",
        "the input 'rwa', which the step does not have. Did you mean 'raw'?",
        "the parameter 'rate'",
        "pipeline parameter 'alhpa', which the pipeline does not define. Did you mean 'alpha'?",
        "has the kind 'list'",
    ):
        assert words in problems
    dangling = PipelineGraph(steps=(StepNode(id="n1", name="train", inputs=(InputPort("raw", PortRef("gone", "data")),)),))
    assert find_problems(dangling) == ["Input 'raw' of step 'train' comes from a node that is not in the pipeline."]
