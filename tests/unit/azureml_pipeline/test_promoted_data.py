"""PipelineData as datasets."""

from __future__ import annotations

import copy
from typing import Any, Dict

import pytest

from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.core._document import from_document, to_document
from azureml.pipeline.core._graph_context import _GraphContext
from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputFileDataset, PipelineOutputTabularDataset
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.graph import Registration, StepNode, format_graph


def graph_of(workspace: Any, *steps: PythonScriptStep) -> Dict[str, StepNode]:
    graph = to_document(Pipeline(workspace, list(steps)).graph)
    assert to_document(from_document(format_graph(graph), _GraphContext("e", workspace))) == graph
    return {step.name: step for step in graph.steps}


def test_names_and_modes() -> None:
    data = PipelineData("data", output_name="port")
    promoted = data.as_dataset()
    assert isinstance(promoted, PipelineOutputFileDataset)
    assert (promoted.name, promoted.input_name, str(promoted)) == ("data", "port", "$AZUREML_DATAREFERENCE_data")
    named = promoted.as_named_input("x")
    assert (named.input_name, promoted.input_name) == ("x", "port")
    for change, mode, path in (
        (named.as_mount("/m"), "mount", "/m"),
        (named.as_download("d"), "download", "d"),
        (named.as_direct(), "direct", None),
    ):
        binding = change.create_input_binding()
        assert (binding.name, binding.bind_mode, binding.path_on_compute) == ("x", mode, path)
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        promoted.as_named_input("a-b")
    with pytest.raises(ValueError, match="as_dataset"):
        PipelineOutputFileDataset("data")  # type: ignore[arg-type]


def test_a_chain_of_datasets(workspace: Any, source: str) -> None:
    clean, merged = PipelineData("cleansed_green_data").as_dataset(), PipelineData("merged", is_directory=True).as_dataset()
    PythonScriptStep("prep.py", name="clean", arguments=["--out", clean], outputs=[clean.register("known")], source_directory=source)
    PythonScriptStep(
        "prep.py",
        name="merge",
        arguments=["--out", merged],
        inputs=[clean.parse_parquet_files()],
        outputs=[merged],
        source_directory=source,
    )
    last = PythonScriptStep("train.py", name="last", arguments=[merged], inputs=[merged], source_directory=source)
    steps = graph_of(workspace, last)
    (written,) = steps["clean"].outputs
    assert (written.name, written.destination, written.dataset, written.registration) == (
        "cleansed_green_data",
        None,
        {},
        Registration("known"),
    )
    assert [(argument.kind, argument.value) for argument in steps["clean"].arguments[1:]] == [("output", "cleansed_green_data")]
    (read,) = steps["merge"].inputs
    assert (read.name, read.mode) == ("cleansed_green_data", "direct")
    assert read.dataset == {
        "parsing": {"kind": "parquet"},
        "operations": [{"kind": "select_paths", "settings": {"pattern": "\\.parquet$"}}],
    }
    assert [(port.name, port.mode, port.dataset) for port in steps["last"].inputs] == [("merged", "mount", {})]
    assert [(argument.kind, argument.value) for argument in steps["last"].arguments] == [("input", "merged")]


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ({}, r"\.csv$"),
        ({"separator": "\t"}, r"\.tsv$"),
        ({"separator": ";"}, None),
        ({"file_extension": None}, None),
        ({"file_extension": ".dat"}, r"\.dat$"),
        ({"file_extension": "dat", "separator": "|"}, r"\.dat$"),
    ],
)
def test_extensions_choose_files(given: Dict[str, Any], pattern: Any) -> None:
    reading = PipelineData("x").as_dataset().parse_delimited_files(**given)._reading()
    assert [item.settings["pattern"] for item in reading.operations] == ([pattern] if pattern else [])


def test_readings_are_refined() -> None:
    rows = (
        PipelineData("x").as_dataset().as_named_input("y").register("r").parse_delimited_files(include_path=True, quoted_line_breaks=True)
    )
    assert isinstance(rows, PipelineOutputTabularDataset)
    parsing = rows._reading().parsing
    assert parsing is not None
    assert (parsing.include_path, parsing.support_multi_line) == (True, True)
    assert (rows.input_name, rows._registration and rows._registration.name) == ("y", "r")
    first, second = rows.keep_columns(["a", "b"]).drop_columns("b").random_split(0.8, seed=1)
    assert [item.kind for item in first._reading().operations] == ["select_paths", "keep_columns", "drop_columns", "split"]
    assert first._reading().operations[-1].settings == {"start": 0.0, "end": 0.8, "seed": 1}
    assert second._reading().operations[-1].settings == {"start": 0.8, "end": 1.0, "seed": 1}
    assert first.create_input_binding().bind_mode == "direct"
    rows._input_mode = "mount"
    with pytest.raises(RuntimeError, match="mode 'direct'"):
        rows.create_input_binding()
    with pytest.raises(UserErrorException, match="name of a column"):
        first.keep_columns([])
    with pytest.raises(ValueError, match="PipelineOutputFileDataset"):
        PipelineOutputTabularDataset("x", None)  # type: ignore[arg-type]


def test_the_producer_must_promote_it_too(workspace: Any, source: str) -> None:
    data = PipelineData("data")
    PythonScriptStep("prep.py", name="make", outputs=[data], source_directory=source)
    step = PythonScriptStep("train.py", name="read", inputs=[data.as_dataset()], source_directory=source)
    with pytest.raises(ValueError, match="Step 'read' reads 'data' as a dataset, but step 'make' has the mere PipelineData"):
        Pipeline(workspace, [step])


def test_the_plain_data_can_be_read_beside(workspace: Any, source: str) -> None:
    data = PipelineData("data")
    promoted = data.as_dataset()
    PythonScriptStep("prep.py", name="make", arguments=[data], outputs=[promoted], source_directory=source)
    step = PythonScriptStep(
        "train.py", name="read", arguments=[data, promoted], inputs=[data, promoted.as_named_input("again")], source_directory=source
    )
    steps = graph_of(workspace, step)
    assert [(port.name, port.dataset) for port in steps["read"].inputs] == [("data", None), ("again", {})]
    assert [argument.value for argument in steps["read"].arguments] == ["data", "data"], "one data, its first input"


def test_copies_stand_for_one_output(workspace: Any, source: str) -> None:
    promoted = PipelineData("data").as_dataset()
    PythonScriptStep("prep.py", name="make", outputs=[copy.deepcopy(promoted)], source_directory=source)
    step = PythonScriptStep("train.py", name="read", inputs=[copy.copy(promoted).as_download()], source_directory=source)
    steps = graph_of(workspace, step)
    assert set(steps) == {"make", "read"}


@pytest.mark.parametrize("name", ["", None, " "])
def test_a_registration_needs_a_name(name: Any) -> None:
    with pytest.raises(ValueError, match="give it a name"):
        PipelineData("x").as_dataset().register(name)


def test_it_is_registered_only_on_its_own_terms(workspace: Any, source: str) -> None:
    step = PythonScriptStep(
        "prep.py", outputs=[PipelineData("x").as_dataset().register("n", create_new_version=False)], source_directory=source
    )
    (only,) = graph_of(workspace, step).values()
    assert only.outputs[0].registration == Registration("n", create_new_version=False)
