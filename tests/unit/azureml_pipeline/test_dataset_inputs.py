"""Datasets as inputs of steps: names, modes, arguments, and the graph that comes of them."""

from __future__ import annotations

import copy
from typing import Any, List, Tuple

import pytest

from azureml.core import Dataset
from azureml.data import OutputFileDatasetConfig
from azureml.data.abstract_dataset import make
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import InputPortBinding, Pipeline, PipelineData, PipelineDataset, PipelineParameter
from azureml.pipeline.core._document import from_document, to_document
from azureml.pipeline.core._graph_context import _GraphContext
from azureml.pipeline.core._submission import check_values
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.graph import format_graph, parse_graph


@pytest.fixture
def files(workspace: Any) -> Any:
    return Dataset.File.from_files((workspace.store, "in/*.csv"), validate=False)


@pytest.fixture
def table(workspace: Any) -> Any:
    return Dataset.Tabular.from_delimited_files((workspace.store, "in/a.csv"), validate=False)


def registered(dataset: Any, workspace: Any, name: str, version: int) -> Any:
    from azureml.data._registry import Registration

    return make(dataset._definition, workspace, Registration(dataset._ensure_saved(workspace), name, version))


def kinds(step: PythonScriptStep) -> List[Tuple[str, str]]:
    resolved = step.resolve_input_arguments(step._arguments, step._inputs, step._outputs, step._params)
    return [(item.kind, item.value) for item in resolved]


# DatasetConsumptionConfig


def test_what_a_configuration_keeps(files: Any, table: Any) -> None:
    named = files.as_named_input("x")
    assert (named.name, named.mode, named.path_on_compute, named.dataset) == ("x", "direct", None, files)
    assert named.arg_val == str(named) == "DatasetConsumptionConfig:x"
    mounted, copied = named.as_mount("/data"), named.as_download("here")
    assert (mounted.name, mounted.mode, mounted.path_on_compute) == ("x", "mount", "/data")
    assert (copied.name, copied.mode, copied.path_on_compute) == ("x", "download", "here")
    assert named.as_hdfs().mode == "hdfs"
    assert table.as_named_input("t").mode == "direct"
    assert copy.deepcopy(mounted).dataset is files


@pytest.mark.parametrize("mode", ["mount", "download", "hdfs"])
def test_a_table_is_consumed_directly_only(table: Any, mode: str) -> None:
    with pytest.raises(UserErrorException, match="to_pandas_dataframe"):
        getattr(table.as_named_input("t"), f"as_{mode}")()
    with pytest.raises(UserErrorException, match="mode 'direct'"):
        DatasetConsumptionConfig("t", table, mode)


@pytest.mark.parametrize("name", ["", "a-b", "a b", "ä", "a/b", 3])
def test_names_are_words(files: Any, name: Any) -> None:
    with pytest.raises(UserErrorException, match="letters, digits and underscores"):
        files.as_named_input(name)
    named = files.as_named_input("fine")
    with pytest.raises(UserErrorException, match="letters, digits and underscores"):
        named.name = name


@pytest.mark.parametrize("name", ["path", "HOME", "user"])
def test_a_name_that_hides_a_variable_warns(files: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert files.as_named_input(name).name == name
    assert f"'{name}' hides a variable" in caplog.text


def test_a_made_name_comes_from_the_id_where_there_is_one(files: Any, workspace: Any) -> None:
    assert files.as_mount().name.startswith("input__")
    assert files.as_mount().name != files.as_mount().name
    identity = files._ensure_saved(workspace)
    assert files.as_mount().name == f"input__{identity[:8]}" == files.as_download().name


@pytest.mark.parametrize("wrong", [None, "name", 3, ("workspace", "name"), PipelineParameter("p", "text"), PipelineData("x")])
def test_other_things_are_no_datasets(wrong: Any) -> None:
    with pytest.raises(UserErrorException, match="DatasetConsumptionConfig takes"):
        DatasetConsumptionConfig("x", wrong)


def test_other_modes_are_refused(files: Any) -> None:
    with pytest.raises(UserErrorException, match="modes direct, mount, download, hdfs"):
        DatasetConsumptionConfig("x", files, "stream")


# In steps


def test_a_dataset_in_the_arguments_becomes_an_input(files: Any, table: Any) -> None:
    read, rows = files.as_named_input("read").as_mount(), table.as_named_input("rows")
    step = PythonScriptStep("a.py", arguments=["--in", read, "--rows", rows, read], inputs=[rows])
    assert kinds(step) == [("literal", "--in"), ("input", "read"), ("literal", "--rows"), ("input", "rows"), ("input", "read")]
    assert step._inputs == [rows, read]


def test_one_list_serves_two_steps(files: Any) -> None:
    arguments = ["--in", files.as_named_input("read").as_mount()]
    inputs: List[Any] = []
    for _ in range(2):
        assert kinds(PythonScriptStep("a.py", arguments=arguments, inputs=inputs)) == [("literal", "--in"), ("input", "read")]
    assert inputs == []


def test_two_configurations_of_one_dataset_under_one_name_are_one_input(files: Any) -> None:
    step = PythonScriptStep("a.py", arguments=[files.as_named_input("x").as_mount()], inputs=[files.as_named_input("x").as_mount()])
    assert len(step._inputs) == 1
    with pytest.raises(ValueError, match="two inputs named 'x'"):
        PythonScriptStep("a.py", arguments=[files.as_named_input("x")], inputs=[files.as_named_input("x").as_mount()])


@pytest.mark.parametrize("where", ["inputs", "arguments"])
def test_a_bare_dataset_is_refused_with_what_to_write(files: Any, table: Any, where: str) -> None:
    with pytest.raises(ValueError, match=rf"FileDataset itself in its {where}\..*as_named_input\('name'\)\.as_mount\(\)"):
        PythonScriptStep("a.py", **{where: [files]})
    with pytest.raises(ValueError, match=rf"TabularDataset itself in its {where}\..*as_named_input\('name'\)\.$"):
        PythonScriptStep("a.py", **{where: [table]})


def test_an_input_with_the_name_of_an_output_is_renamed(files: Any) -> None:
    step = PythonScriptStep("a.py", arguments=[files.as_named_input("x").as_mount()], outputs=[PipelineData("x")])
    assert kinds(step) == [("input", "INPUT_x")]


def test_hdfs_is_refused_at_submission(workspace: Any, source: str, files: Any) -> None:
    step = PythonScriptStep("prep.py", inputs=[files.as_named_input("x").as_hdfs()], source_directory=source)
    (problem,) = Pipeline(workspace, [step]).validate()
    assert "'x' of step 'prep.py' has the mode 'hdfs'" in problem


# The graph


def document_of(pipeline: Pipeline) -> Any:
    return to_document(pipeline.graph)


def test_a_dataset_is_a_data_node(workspace: Any, source: str, files: Any, table: Any) -> None:
    known = registered(table, workspace, "rows", 3)
    step = PythonScriptStep(
        "prep.py",
        inputs=[
            known.as_named_input("rows"),
            DatasetConsumptionConfig("late", (workspace, "rows")),
            DatasetConsumptionConfig("fix", (workspace, "rows", 2)),
        ],
        arguments=[files.as_named_input("files").as_download("here")],
        source_directory=source,
    )
    graph = document_of(Pipeline(workspace, [step]))
    nodes = {node.name: node.dataset for node in graph.data}
    assert nodes == {
        "rows": {"id": known.id, "name": "rows", "version": 3},
        "late": {"name": "rows", "version": None},
        "fix": {"name": "rows", "version": 2},
        "files": {"id": files.id},
    }
    ports = {port.name: (port.mode, port.path_on_compute, port.dataset) for port in graph.steps[0].inputs}
    assert ports["rows"] == ("direct", None, {})
    assert ports["files"] == ("download", "here", {})
    assert parse_graph(format_graph(graph)) == graph


def test_the_graph_comes_back(workspace: Any, source: str, files: Any) -> None:
    parameter = PipelineParameter("data", files)
    step = PythonScriptStep("prep.py", arguments=[DatasetConsumptionConfig("x", parameter).as_mount()], source_directory=source)
    graph = document_of(Pipeline(workspace, [step]))
    back = from_document(format_graph(graph), _GraphContext("e", workspace))
    assert to_document(back) == graph
    assert back.params["data"].default_value.id == files.id
    node = next(iter(back.datasource_nodes))
    assert node.datapath_param_name == "data"


# Parameters


def test_a_parameter_that_holds_a_dataset(workspace: Any, source: str, files: Any, table: Any) -> None:
    parameter = PipelineParameter("the-data", files)
    rows = PipelineParameter("rows", table.as_named_input("default_name"))
    step = PythonScriptStep("prep.py", arguments=["--in", parameter, rows, parameter], source_directory=source)
    assert kinds(step) == [("literal", "--in"), ("input", "the_data"), ("input", "default_name"), ("input", "the_data")]
    graph = document_of(Pipeline(workspace, [step]))
    assert {item.name: (item.kind, item.default) for item in graph.parameters} == {
        "the-data": ("dataset", {"id": files.id, "type": "file"}),
        "rows": ("dataset", {"id": table.id, "type": "tabular"}),
    }
    assert {node.name: node.parameter for node in graph.data} == {"the_data": "the-data", "default_name": "rows"}
    assert {port.name: port.mode for port in graph.steps[0].inputs} == {"the_data": "mount", "default_name": "direct"}


def test_a_parameter_of_a_dataset_must_be_named_among_inputs(files: Any) -> None:
    with pytest.raises(ValueError, match=r"DatasetConsumptionConfig\('name', p\)"):
        PythonScriptStep("a.py", inputs=[PipelineParameter("p", files)])


def test_a_parameter_named_in_inputs_is_meant_in_arguments(files: Any) -> None:
    parameter = PipelineParameter("p", files)
    named = DatasetConsumptionConfig("x", parameter).as_download()
    assert kinds(PythonScriptStep("a.py", arguments=[parameter], inputs=[named])) == [("input", "x")]


def test_two_parameters_of_one_name_must_agree(workspace: Any, source: str, files: Any, table: Any) -> None:
    def step(script: str, default: Any) -> PythonScriptStep:
        return PythonScriptStep(script, inputs=[DatasetConsumptionConfig("x", PipelineParameter("p", default))], source_directory=source)

    again = Dataset.File.from_files((workspace.store, "in/*.csv"), validate=False)
    assert len(Pipeline(workspace, [step("prep.py", files), step("train.py", again)]).graph.params) == 1
    with pytest.raises(Exception, match="Two pipeline parameters have the name 'p'"):
        Pipeline(workspace, [step("prep.py", files), step("train.py", table)])


def test_values_are_checked_by_kind(workspace: Any, files: Any, table: Any) -> None:
    known = {"f": PipelineParameter("f", files), "t": PipelineParameter("t", table), "n": PipelineParameter("n", 1)}
    other = Dataset.File.from_files((workspace.store, "other"), validate=False)
    assert check_values(known, {"f": other}, workspace) == {"f": {"id": other._ensure_saved(workspace), "type": "file"}}
    with pytest.raises(TypeError, match="'f' takes a FileDataset, as its default is one, not a TabularDataset"):
        check_values(known, {"f": table}, workspace)
    with pytest.raises(TypeError, match="'t' takes a TabularDataset"):
        check_values(known, {"t": files}, workspace)
    with pytest.raises(TypeError, match="'n' takes an int"):
        check_values(known, {"n": files}, workspace)
    with pytest.raises(Exception, match="takes a dataset"):
        check_values(known, {"f": "name"}, workspace)
    for wrapped in (files.as_named_input("x"), PipelineDataset(files), known["f"]):
        with pytest.raises(Exception, match="Give the dataset itself"):
            check_values(known, {"f": wrapped}, workspace)


# PipelineDataset


def test_a_pipeline_dataset(workspace: Any, source: str, files: Any, table: Any) -> None:
    plain = PipelineDataset(files, "x", path_on_compute="p", overwrite=True)
    assert (plain.dataset, plain.name, plain.bind_mode, plain.path_on_compute, plain.overwrite) == (files, "x", "mount", "p", True)
    assert (plain.dataset_id, plain.dataset_version, plain.parameter_name, plain.saved_dataset_id) == (None, None, None, None)
    assert plain.workspace is workspace
    known = PipelineDataset.create(registered(table, workspace, "my-rows", 2))
    assert (known.name, known.bind_mode, known.dataset_version, known.dataset_id) == ("my_rows", "direct", 2, table.id)
    assert PipelineDataset.create(known) is known
    consumed = PipelineDataset.create(files.as_named_input("c").as_download("d"), parameter_name="p")
    assert (consumed.name, consumed.bind_mode, consumed.path_on_compute, consumed.parameter_name) == ("c", "download", "d", "p")
    assert PipelineDataset.is_dataset(files)
    assert not PipelineDataset.is_dataset(plain)
    graph = document_of(
        Pipeline(workspace, [PythonScriptStep("prep.py", arguments=[plain], inputs=[plain, known], source_directory=source)])
    )
    assert [port.name for port in graph.steps[0].inputs] == ["x", "my_rows"]
    assert plain.saved_dataset_id == files.id


def test_bindings_over_datasets(workspace: Any, source: str, files: Any) -> None:
    out = OutputFileDatasetConfig("out")
    made = PipelineData("made").as_dataset()
    PythonScriptStep("prep.py", name="make", arguments=[out], outputs=[made], source_directory=source)
    bindings = [
        InputPortBinding("a", files, "download"),
        InputPortBinding("b", files.as_named_input("x").as_mount()),
        InputPortBinding("c", out.read_delimited_files().as_input("y"), "direct"),
        InputPortBinding("d", made),
        InputPortBinding("e", PipelineDataset(files, "z")),
    ]
    step = PythonScriptStep("train.py", name="read", arguments=[bindings[2]], inputs=bindings, source_directory=source)
    graph = document_of(Pipeline(workspace, [step]))
    (read,) = [node for node in graph.steps if node.name == "read"]
    assert [(port.name, port.mode, port.dataset) for port in read.inputs] == [
        ("a", "download", {}),
        ("b", "mount", {}),
        ("c", "direct", {"parsing": {"kind": "delimited"}}),
        ("d", "mount", {}),
        ("e", "mount", {}),
    ]
    assert [port.source.port for port in read.inputs] == ["data", "data", "out", "made", "data"]


@pytest.mark.parametrize("wrong", [None, "x", 3])
def test_what_no_dataset_is_can_not_be_a_pipeline_dataset(wrong: Any) -> None:
    with pytest.raises(ValueError, match="FileDataset or a TabularDataset"):
        PipelineDataset.create(wrong)
    with pytest.raises(ValueError, match="FileDataset or a TabularDataset"):
        PipelineDataset.validate_dataset(wrong)
