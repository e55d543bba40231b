from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azureml.core import RunConfiguration
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, PipelineStep, PortDataReference, StepSequence
from azureml.pipeline.core._document import from_document, to_document
from azureml.pipeline.core._graph_context import ModuleBuilder, _GraphContext
from azureml.pipeline.core._parameters import ParamDef
from azureml.pipeline.core._submission import check_values
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.graph import format_graph, parse_graph


class Bare(PipelineStep):
    """The smallest step of one's own: ports, and nothing to run."""

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> Any:
        inputs, outputs = self.create_input_output_bindings(self._inputs, self._outputs, default_datastore)
        definition = self.create_module_def("escloud", inputs, outputs, param_defs=[ParamDef("p", 1)])
        return graph.add_module_node(self.name, inputs, outputs, module_builder=ModuleBuilder(definition))


def bare(name: str, *reads: PipelineData) -> Tuple[Bare, PipelineData]:
    written = PipelineData(f"data_{name}")
    return Bare(name, list(reads), [written]), written


def order_of(pipeline: Pipeline) -> Set[Tuple[str, str]]:
    return {(edge.source_port.node.name, edge.dest_port.node.name) for edge in pipeline.graph.edges}


def names_of(pipeline: Pipeline) -> List[str]:
    return sorted(node.name for node in pipeline.graph.module_nodes)


# Closure


def test_what_a_step_needs_comes_with_it(workspace: Any) -> None:
    first, one = bare("first")
    _second, two = bare("second", one)
    third, _ = bare("third", two)
    before, _ = bare("before")
    first.run_after(before)
    pipeline = Pipeline(workspace, [third])
    assert names_of(pipeline) == ["before", "first", "second", "third"]
    assert order_of(pipeline) == {("before", "first"), ("first", "second"), ("second", "third")}
    assert pipeline.validate() == []


def test_without_closure_a_missing_step_is_named(workspace: Any) -> None:
    first, one = bare("first")
    second, _ = bare("second", one)
    with pytest.raises(ValueError, match="Step 'second' reads 'data_first' of step 'first', which is not among the steps"):
        Pipeline(workspace, [second], resolve_closure=False)
    assert names_of(Pipeline(workspace, [second, first], resolve_closure=False)) == ["first", "second"]


def test_data_that_nobody_produces_is_named(workspace: Any) -> None:
    with pytest.raises(ValueError, match="Step 's' reads 'x', but no step produces it"):
        Pipeline(workspace, [Bare("s", [PipelineData("x")], [])])
    with pytest.raises(ValueError, match="list the data 'x', but no step produces it"):
        Pipeline(workspace, [PipelineData("x")])


def test_data_stands_for_its_producer(workspace: Any) -> None:
    _, one = bare("first")
    assert names_of(Pipeline(workspace, [one])) == ["first"]
    assert names_of(Pipeline(workspace, one)) == ["first"]


@pytest.mark.parametrize("steps", [(), set(), None, "text", [("x",)], iter([])])
def test_other_collections_are_refused_by_type(workspace: Any, steps: Any) -> None:
    with pytest.raises(NotImplementedError, match="can't hold a"):
        Pipeline(workspace, steps)


def test_a_long_chain_does_not_exhaust_the_stack(workspace: Any) -> None:
    step, data = bare("s0")
    for index in range(1, 3000):
        step, data = bare(f"s{index}", data)
    assert len(Pipeline(workspace, [step]).graph.nodes) == 3000


def test_one_output_of_two_steps_is_refused(workspace: Any) -> None:
    data = PipelineData("x")
    steps = [Bare("a", [], [data]), Bare("b", [], [data])]
    with pytest.raises(ValueError, match="Two steps have the output 'x': 'a' and 'b'"):
        Pipeline(workspace, steps)


def test_one_pipeline_output_name_for_two_outputs_is_refused(workspace: Any) -> None:
    steps = [Bare(name, [], [PipelineData(f"d{name}", pipeline_output_name="result")]) for name in "ab"]
    with pytest.raises(ValueError, match="pipeline_output_name 'result'"):
        Pipeline(workspace, steps)


def test_an_output_without_any_datastore_is_named(workspace: Any) -> None:
    from azureml.exceptions import UserErrorException

    def fail() -> Any:
        raise UserErrorException("none")

    workspace.get_default_datastore = fail
    step, _ = bare("a")
    with pytest.raises(ValueError, match="which datastore takes the output 'data_a'"):
        Pipeline(workspace, [step])


# Order


def test_a_cycle_is_shown_as_a_path(workspace: Any) -> None:
    a, one = bare("a")
    _b, two = bare("b", one)
    c, _ = bare("c", two)
    a.run_after(c)
    pipeline = Pipeline(workspace, [c])
    (problem,) = pipeline.validate()
    path = problem.split(": ")[1].split(".")[0].split(" -> ")
    assert path[0] == path[-1]
    assert {*path} == {"a", "b", "c"}
    assert {*itertools.pairwise(path)} == {("a", "b"), ("b", "c"), ("c", "a")}
    with pytest.raises(ValueError, match="->"):
        pipeline.submit("experiment")


def test_a_step_after_itself_is_a_cycle(workspace: Any) -> None:
    a, _ = bare("a")
    a.run_after(a)
    assert "a -> a" in Pipeline(workspace, [a]).validate()[0]


def test_run_after_is_hidden_from_data(workspace: Any) -> None:
    a, _ = bare("a")
    b, _ = bare("b")
    b.run_after(a)
    b.run_after(a)
    pipeline = Pipeline(workspace, [b])
    node = pipeline.graph.node_name_dict["b"][0]
    assert [port.name for port in node.inputs] == ["_run_after_input_0"]
    (step,) = [step for step in to_document(pipeline.graph).steps if step.name == "b"]
    assert (step.inputs, len(step.run_after)) == ((), 1)


def test_run_after_may_be_called_between_two_pipelines(workspace: Any) -> None:
    a, _ = bare("a")
    b, _ = bare("b")
    assert order_of(Pipeline(workspace, [a, b])) == set()
    b.run_after(a)
    assert order_of(Pipeline(workspace, [b])) == {("a", "b")}


def test_run_after_takes_steps_only(workspace: Any) -> None:
    a, data = bare("a")
    a.run_after(data)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="run_after takes a step"):
        Pipeline(workspace, [a])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 4), max_size=5), st.booleans())
def test_a_sequence_orders_its_groups_and_nothing_else(workspace: Any, sizes: List[int], singles_bare: bool) -> None:
    count = itertools.count()
    members = [[bare(f"s{next(count)}")[0] for _ in range(size)] for size in sizes]
    listed = [group[0] if singles_bare and len(group) == 1 else group for group in members]
    pipeline = Pipeline(workspace, StepSequence(listed))
    expected = {(one.name, two.name) for before, after in itertools.pairwise(members) for one in before for two in after}
    assert order_of(pipeline) == expected
    assert names_of(pipeline) == sorted(step.name for group in members for step in group)


def test_closure_joins_the_group_of_the_step_that_brought_it(workspace: Any) -> None:
    first, _ = bare("first")
    _producer, data = bare("producer")
    reader, _ = bare("reader", data)
    pipeline = Pipeline(workspace, StepSequence([first, reader]))
    assert order_of(pipeline) == {("first", "reader"), ("first", "producer"), ("producer", "reader")}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))), st.integers(0, n - 1))
    )
)
def test_closure_is_all_that_can_be_reached_and_order_is_what_was_said(
    workspace: Any, shape: Tuple[int, Set[Tuple[int, int]], int]
) -> None:
    """Any set of edges from an earlier to a later step, alternately as data and as mere order."""
    count, pairs, last = shape
    edges = {(one, two) for one, two in pairs if one < two}
    steps: List[Tuple[Bare, PipelineData]] = []
    for index in range(count):
        before = sorted(one for one, two in edges if two == index)
        steps.append(bare(f"s{index}", *[steps[one][1] for one in before if (one + index) % 2]))
        for one in before:
            if not (one + index) % 2:
                steps[index][0].run_after(steps[one][0])
    reached = {last}
    while any(two in reached and one not in reached for one, two in edges):
        reached |= {one for one, two in edges if two in reached}
    pipeline = Pipeline(workspace, [steps[last][0]])
    assert names_of(pipeline) == sorted(f"s{index}" for index in reached)
    assert order_of(pipeline) == {(f"s{one}", f"s{two}") for one, two in edges if two in reached}
    assert pipeline.validate() == []


# The document


def whole_pipeline(workspace: Any, source: str) -> Pipeline:
    raw = DataReference(workspace.store, "raw", "titanic/Titanic.csv")
    prepared = PipelineData("prepared", is_directory=True)
    place = PipelineParameter("place", DataPath(workspace.store, "some/path"))
    pair = (place, DataPathComputeBinding(mode="download", path_on_compute="here"))
    PythonScriptStep(
        "prep.py",
        name="prep",
        arguments=["--in", raw, "--out", prepared, "--rate", PipelineParameter("rate", 0.5)],
        inputs=[raw, pair],
        outputs=[prepared],
        compute_target="cpu-cluster",
        source_directory=source,
    )
    train = PythonScriptStep(
        "train.py",
        arguments=[prepared, f"{prepared}/sub"],
        inputs=[prepared.as_download(path_on_compute="x")],
        outputs=[PipelineData("model", pipeline_output_name="model", output_mode="upload", output_path_on_compute="out")],
        params={"flag": True, "who": PipelineParameter("who", "me")},
        compute_target=("other", "AmlCompute"),
        runconfig_pipeline_params={"NodeCount": PipelineParameter("nodes", 1)},
        source_directory=source,
        allow_reuse=False,
        version="2",
    )
    last = PythonScriptStep("train.py", name="last", source_directory=source)
    last.run_after(train)
    return Pipeline(workspace, [last], description="whole")


def test_a_graph_survives_the_way_to_the_document_and_back(workspace: Any, source: str) -> None:
    graph = whole_pipeline(workspace, source).graph
    document = format_graph(to_document(graph, {source: "digest"}))
    assert parse_graph(document) == to_document(graph, {source: "digest"})
    values = {"place": {"datastore": "workspaceblobstore", "path": "p"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("azureml.core.datastore.Datastore.get", staticmethod(lambda workspace, name: workspace.store))
        back = from_document(document, _GraphContext("e", workspace), values)
    assert {*back.node_dict} == {*graph.node_dict}
    assert back.params["place"].default_value.path_on_datastore == "p"
    again = to_document(back)
    assert (again.steps, again.data, again.name) == (parse_graph(document).steps, parse_graph(document).data, "whole")
    with pytest.raises(ValueError, match="definition is finished"):
        back.node_name_dict["last"][0].run_after(back.node_name_dict["prep"][0])


def test_the_document_says_what_the_steps_said(workspace: Any, source: str) -> None:
    graph = to_document(whole_pipeline(workspace, source).graph)
    steps = {step.name: step for step in graph.steps}
    assert {(item.name, item.kind) for item in graph.parameters} == {
        ("place", "datapath"),
        ("rate", "float"),
        ("who", "str"),
        ("nodes", "int"),
    }
    assert {(item.name, item.path, item.parameter) for item in graph.data if item.name == "raw"} == {("raw", "titanic/Titanic.csv", None)}
    assert [item.parameter for item in graph.data if item.path == "some/path"] == ["place"]
    train = steps["train.py"]
    assert (train.allow_reuse, train.version, train.script) == (False, "2", "train.py")
    assert train.compute is not None
    assert (train.compute.name, train.compute.type) == ("other", "AmlCompute")
    assert train.run_config_parameters == {"NodeCount": "nodes"}
    assert {(item.name, item.value, item.pipeline_parameter) for item in train.parameters} == {("flag", True, None), ("who", None, "who")}
    assert (train.inputs[0].mode, train.inputs[0].path_on_compute) == ("download", "x")
    assert (train.outputs[0].mode, train.outputs[0].pipeline_output_name) == ("upload", "model")
    assert steps["prep"].compute is not None
    assert steps["prep"].compute.type == "AmlCompute"
    assert steps["last"].compute is not None
    assert steps["last"].compute.name == "local"


def test_data_of_an_earlier_run_is_read_like_any_other(workspace: Any) -> None:
    earlier = PortDataReference(None, "run", DataReference(workspace.store, "model", "azureml/run/model"))
    pipeline = Pipeline(workspace, [Bare("s", [earlier.as_download()], [])])
    (node,) = to_document(pipeline.graph).data
    assert (node.datastore, node.path) == ("workspaceblobstore", "azureml/run/model")


# What is found out early


def test_a_missing_script_names_its_neighbours(workspace: Any, source: str) -> None:
    step = PythonScriptStep("trian.py", source_directory=source)
    with pytest.raises(ValueError, match=r"Step 'trian.py': there is no script 'trian.py' in .*Did you mean 'train.py'"):
        Pipeline(workspace, [step])
    with pytest.raises(ValueError, match=r"'.*sourcex' does not exist\. Did you mean '.*source'\?$"):
        Pipeline(workspace, [PythonScriptStep("train.py", source_directory=source + "x")])
    with pytest.raises(ValueError, match="relative to the source directory"):
        Pipeline(workspace, [PythonScriptStep("../prep.py", source_directory=source)])


@pytest.mark.parametrize(("given", "meant"), [("sorce", "source"), ("./sorce/", "./source"), ("nowhere", None), ("a/b", None)])
def test_a_missing_source_directory_says_where_it_was_looked_for(
    workspace: Any, source: str, monkeypatch: pytest.MonkeyPatch, given: str, meant: Optional[str]
) -> None:
    monkeypatch.chdir(Path(source).parent)
    monkeypatch.setattr(sys, "argv", ["jobs/make.py"])
    with pytest.raises(ValueError, match="does not exist") as caught:
        Pipeline(workspace, [PythonScriptStep("train.py", source_directory=given)])
    message = str(caught.value)
    assert f"the source directory '{given}' does not exist. It is taken relative to the current folder {os.getcwd()}." in message
    assert (f"Did you mean '{meant}'?" in message) if meant else ("Did you mean" not in message)
    assert "`penstock run make.py`" in message
    with pytest.raises(ValueError, match=r"'sorce' does not exist.*Did you mean 'source'"):
        Pipeline(workspace, [PythonScriptStep("train.py")], default_source_directory="sorce")


def test_a_source_directory_that_is_a_file_is_told_apart(workspace: Any, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source)
    with pytest.raises(ValueError, match=r"'train.py' is a file"):
        Pipeline(workspace, [PythonScriptStep("train.py", source_directory="train.py")])


def test_the_source_directory_may_be_the_pipelines(workspace: Any, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Pipeline(workspace, [PythonScriptStep("train.py")], default_source_directory=source)
    monkeypatch.chdir(source)
    Pipeline(workspace, [PythonScriptStep("train.py")])
    Pipeline(workspace, [PythonScriptStep("train.py", source_directory=Path(source))])


def test_an_unknown_compute_target_names_the_known(workspace: Any, source: str) -> None:
    with pytest.raises(ValueError, match=r"compute target 'cpu-clusted'.*Did you mean 'cpu-cluster'"):
        Pipeline(workspace, [PythonScriptStep("train.py", compute_target="cpu-clusted", source_directory=source)])
    with pytest.raises(ValueError, match="two texts"):
        Pipeline(workspace, [PythonScriptStep("train.py", compute_target=("a", 1), source_directory=source)])
    with pytest.raises(ValueError, match="compute_target"):
        Pipeline(workspace, [PythonScriptStep("train.py", compute_target=3, source_directory=source)])
    with pytest.raises(ValueError, match=r"'nights', which does not exist .*Known compute targets: cpu-cluster, gpu, local"):
        Pipeline(workspace, [PythonScriptStep("train.py", compute_target="nights", source_directory=source)])


def test_one_parameter_name_has_one_default(workspace: Any, source: str) -> None:
    steps = [
        PythonScriptStep("train.py", name=f"s{value}", arguments=[PipelineParameter("rate", value)], source_directory=source)
        for value in (1, 2)
    ]
    with pytest.raises(Exception, match="have the name 'rate' and different defaults: 1 and, in step 's2', 2"):
        Pipeline(workspace, steps)


def test_unknown_keywords_are_refused(workspace: Any) -> None:
    with pytest.raises(ValueError, match="does not know 'default_compute_target'"):
        Pipeline(workspace, [bare("a")[0]], default_compute_target="x")


PARAMETERS: Dict[str, PipelineParameter] = {
    "int": PipelineParameter("int", 1),
    "float": PipelineParameter("float", 0.5),
    "bool": PipelineParameter("bool", True),
    "str": PipelineParameter("str", "x"),
}


@pytest.mark.parametrize(
    ("name", "value"), [("int", 2), ("int", True), ("float", 2.5), ("float", 2), ("bool", False), ("bool", 1), ("str", "")]
)
def test_values_that_fit(name: str, value: Any) -> None:
    assert check_values(PARAMETERS, {name: value}) == {name: value}


class Own(str):
    pass


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("int", 2.0),
        ("int", "2"),
        ("float", "2"),
        ("float", True),
        ("bool", 2),
        ("bool", "True"),
        ("str", 1),
        ("str", None),
        ("str", Own("x")),
    ],
)
def test_values_that_do_not_fit(name: str, value: Any) -> None:
    with pytest.raises(Exception, match=f"pipeline parameter '{name}'"):
        check_values(PARAMETERS, {name: value})


def test_an_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(Exception, match=r"no parameter 'flaot'.*Did you mean 'float'"):
        check_values(PARAMETERS, {"flaot": 1.0})


def test_data_paths_are_checked_like_other_values(workspace: Any) -> None:
    path = DataPath(workspace.store, "new")
    known = {"place": PipelineParameter("place", DataPath(workspace.store, "old"))}
    assert check_values(known, {"place": path}) == {"place": {"datastore": "workspaceblobstore", "path": "new"}}
    with pytest.raises(Exception, match="takes a DataPath"):
        check_values(known, {"place": "new"})
    with pytest.raises(Exception, match="takes a str"):
        check_values(PARAMETERS, {"str": path})


# Graph, as v1's users meet it


def test_the_graph_answers_as_in_v1(workspace: Any) -> None:
    _a, one = bare("a")
    b, _ = bare("b", one)
    graph = Pipeline(workspace, [b], description="text").graph
    assert str(graph) == "Graph(name:text)"
    node = graph.node_name_dict["b"][0]
    assert graph.get_node(node.node_id) is node
    assert len(node.node_id) == 8
    assert node.get_input("unknown") is None
    assert node.get_param("p") is not None
    edge = node.input_dict["data_a"].incoming_edge
    assert edge is not None
    assert edge.source_port.node.name == "a"
    with pytest.raises(ValueError, match="already reads from 'a'"):
        node.input_dict["data_a"].connect(edge.source_port)
    with pytest.raises(KeyError):
        graph.get_node("unknown")
    for refused in (lambda: graph.delete_node("x"), lambda: graph.connect(None, None)):
        with pytest.raises(NotImplementedError):
            refused()


def test_an_unconnected_input_is_a_problem(workspace: Any) -> None:
    _a, one = bare("a")
    b, _ = bare("b", one)
    pipeline = Pipeline(workspace, [b])
    pipeline.graph.node_name_dict["b"][0].input_dict["data_a"].disconnect()
    assert pipeline.validate() == ["The input 'data_a' of step 'b' is not connected. Connect it to an output."]


def test_nodes_of_a_graph_can_be_chained(workspace: Any) -> None:
    graph = Pipeline(workspace, [bare(name)[0] for name in "abc"]).graph
    graph.sequence(list(graph.module_nodes))
    assert {(edge.source_port.node.name, edge.dest_port.node.name) for edge in graph.edges} == {("a", "b"), ("b", "c")}


# How a step's script and run configuration are written


@pytest.mark.parametrize("given", ["./train.py", ".//train.py", "sub/../train.py", "train.py"])
def test_every_spelling_of_a_script_is_one_path(workspace: Any, source: str, given: str) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep(given, source_directory=source)])
    (step,) = to_document(pipeline.graph).steps
    assert (step.script, step.name) == ("train.py", given)


def test_a_script_in_a_folder_is_found_by_its_plain_path(workspace: Any, source: str) -> None:
    (Path(source) / "sub").mkdir()
    (Path(source) / "sub" / "t.py").write_text("")
    pipeline = Pipeline(workspace, [PythonScriptStep("sub//t.py", source_directory=source)])
    assert to_document(pipeline.graph).steps[0].script == "sub/t.py"


@pytest.mark.parametrize("given", ["../train.py", "sub/../../train.py", "..", "/train.py"])
def test_a_script_that_leaves_its_folder_is_refused_when_the_step_is_made(given: str) -> None:
    with pytest.raises(ValueError, match="relative to the source directory, and lie in it"):
        PythonScriptStep(given)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("environment_variables", "x"),
        ("environment_variables", {"A=B": "x"}),
        ("environment_variables", {"A\0": "x"}),
        ("environment_variables", {"": "x"}),
        ("environment_variables", {"A": "x\0"}),
        ("max_run_duration_seconds", "abc"),
        ("max_run_duration_seconds", -1),
        ("max_run_duration_seconds", True),
        ("max_run_duration_seconds", float("nan")),
        ("max_run_duration_seconds", 1e300),
        ("environment", "AzureML-Minimal"),
    ],
)
def test_a_run_configuration_that_no_step_can_start_with_is_refused_early(workspace: Any, source: str, attribute: str, value: Any) -> None:
    config = RunConfiguration()
    setattr(config, attribute, value)
    with pytest.raises(UserErrorException, match=f"Step 'train': .*{attribute}"):
        Pipeline(workspace, [PythonScriptStep("train.py", "train", runconfig=config, source_directory=source)])


def test_the_environment_of_a_run_configuration_is_checked_too(workspace: Any, source: str) -> None:
    config = RunConfiguration()
    config.environment.python.conda_dependencies = "x"
    with pytest.raises(UserErrorException, match=r"Step 'train': .*environment\.python\.conda_dependencies must be CondaDependencies"):
        Pipeline(workspace, [PythonScriptStep("train.py", "train", runconfig=config, source_directory=source)])


def test_a_run_configuration_that_fits_travels(workspace: Any, source: str) -> None:
    config = RunConfiguration()
    config.environment_variables = {"A": "x=y", "N": 3}  # type: ignore[dict-item]
    config.max_run_duration_seconds = 3600
    pipeline = Pipeline(workspace, [PythonScriptStep("train.py", runconfig=config, source_directory=source)])
    sent = to_document(pipeline.graph).steps[0].run_config
    assert (sent["environmentVariables"], sent["maxRunDurationSeconds"]) == ({"A": "x=y", "N": 3}, 3600)
