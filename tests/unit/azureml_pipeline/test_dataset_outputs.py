"""Datasets as outputs of steps: copies that stay one output, destinations, readings, and the graph that comes of them."""

from __future__ import annotations

import copy
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml.data import (
    DataType,
    HDFSOutputDatasetConfig,
    LinkFileOutputDatasetConfig,
    LinkTabularOutputDatasetConfig,
    OutputFileDatasetConfig,
)
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
from azureml.data.output_dataset_config import OutputTabularDatasetConfig
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.core._document import from_document, to_document
from azureml.pipeline.core._graph_context import _GraphContext
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.datasets import Place, over_place, parse_dataset
from penstock.model.graph import OutputPort, Registration, StepNode, format_graph, parse_graph


def kinds(step: PythonScriptStep) -> List[Tuple[str, str]]:
    resolved = step.resolve_input_arguments(step._arguments, step._inputs, step._outputs, step._params)
    return [(item.kind, item.value) for item in resolved]


def graph_of(workspace: Any, *steps: PythonScriptStep) -> Dict[str, StepNode]:
    """The steps of a pipeline's document by name; the document comes back from its JSON form and from a graph of it."""
    graph = to_document(Pipeline(workspace, list(steps)).graph)
    assert parse_graph(format_graph(graph)) == graph
    assert to_document(from_document(format_graph(graph), _GraphContext("e", workspace))) == graph
    return {step.name: step for step in graph.steps}


def output_of(workspace: Any, source: str, config: Any) -> OutputPort:
    (step,) = graph_of(workspace, PythonScriptStep("prep.py", arguments=[config], source_directory=source)).values()
    (port,) = step.outputs
    return port


def test_what_an_output_keeps(workspace: Any) -> None:
    out = OutputFileDatasetConfig("out", (workspace.store, "p/{run-id}"), source="here")
    assert (out.name, out.mode, out.destination, out.source) == ("out", "mount", (workspace.store, "p/{run-id}"), "here")
    assert out.arg_val == str(out) == "DatasetOutputConfig:out"
    uploaded = out.as_upload(overwrite=True, source_globs=["*.csv"])
    assert (out.mode, uploaded.mode, uploaded.as_mount().mode) == ("mount", "upload", "mount")
    assert OutputFileDatasetConfig().name.startswith("output_")
    assert out.as_input().name.startswith("input_")


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "ä", 3])
def test_names_are_words_that_begin_with_no_digit(name: Any) -> None:
    with pytest.raises(UserErrorException, match="letters, digits and underscores"):
        OutputFileDatasetConfig(name)


@pytest.mark.parametrize("destination", ["path", ("only",), (None, "x"), (3, "x"), ("store", 3), ["store", "x"], ("a", "b", "c")])
def test_a_destination_is_a_datastore_and_a_path(destination: Any) -> None:
    with pytest.raises(UserErrorException, match=r"destination of the output 'out' must be a tuple \(datastore, path\)"):
        OutputFileDatasetConfig("out", destination)


def test_an_unknown_placeholder_warns(workspace: Any, caplog: pytest.LogCaptureFixture) -> None:
    OutputFileDatasetConfig("out", (workspace.store, "x/{run-id}/{output-name}"))
    assert not caplog.text
    OutputFileDatasetConfig("out", (workspace.store, "x/{run_id}"))
    assert "{run_id}, which stays as it is" in caplog.text


@pytest.mark.parametrize(
    ("destination", "place"),
    [
        (None, ("workspaceblobstore", "dataset/{run-id}/{output-name}")),
        (("other", "/a/b/"), ("other", "a/b")),
        (("other", "./a//{run-id}"), ("other", "a/{run-id}")),
        (("other", ""), ("other", "dataset/{run-id}/{output-name}")),
        (("other", None), ("other", "dataset/{run-id}/{output-name}")),
    ],
)
def test_where_it_goes(workspace: Any, source: str, destination: Any, place: Tuple[str, str]) -> None:
    port = output_of(workspace, source, OutputFileDatasetConfig("out", destination))
    assert (port.datastore, port.destination) == place
    assert (port.mode, port.dataset, port.registration, port.is_directory) == ("mount", {}, None, True)


def test_the_default_is_the_workspaces_and_not_the_pipelines(workspace: Any, source: str) -> None:
    step = PythonScriptStep("prep.py", arguments=[OutputFileDatasetConfig("out")], source_directory=source)
    graph = to_document(Pipeline(workspace, [step], default_datastore="elsewhere").graph)
    assert graph.steps[0].outputs[0].datastore == "workspaceblobstore"


def test_a_workspace_without_a_default_is_told(workspace: Any, source: str) -> None:
    def fail() -> Any:
        raise UserErrorException("none")

    workspace.get_default_datastore = fail
    step = PythonScriptStep("prep.py", name="make", arguments=[OutputFileDatasetConfig("out")], source_directory=source)
    with pytest.raises(ValueError, match=r"which datastore takes the output 'out' of step 'make'.*destination"):
        Pipeline(workspace, [step])


def test_uploads_and_registration(workspace: Any, source: str) -> None:
    out = OutputFileDatasetConfig("out", source="made").as_upload(True, "*.csv").register_on_complete("known", "what it is", {"a": "b"})
    port = output_of(workspace, source, out)
    assert (port.mode, port.overwrite, port.source_globs, port.path_on_compute) == ("upload", True, ("*.csv",), "made")
    assert port.registration == Registration("known", "what it is", {"a": "b"}, True)
    assert output_of(workspace, source, OutputFileDatasetConfig("out").as_upload()).overwrite is False


@pytest.mark.parametrize("name", ["", " ", None, 3])
def test_a_registration_needs_a_name(name: Any) -> None:
    with pytest.raises(ValueError, match="give the dataset a name"):
        OutputFileDatasetConfig("out").register_on_complete(name)


def test_it_is_read_as_rows(workspace: Any, source: str) -> None:
    out = OutputFileDatasetConfig("out", partition_format="/{day}/x.csv").read_delimited_files(
        include_path=True,
        separator="\t",
        header=PromoteHeadersBehavior.NO_HEADERS,
        path_glob=r"/x\.csv$",
        set_column_types={"a": DataType.to_long()},
    )
    assert isinstance(out, OutputTabularDatasetConfig)
    port = output_of(workspace, source, out.keep_columns(["a", "day"]).drop_columns("day").register_on_complete("rows"))
    assert port.registration == Registration("rows")
    assert port.dataset is not None
    read = parse_dataset(over_place(Place("s", "p"), port.dataset))
    assert read.parsing is not None
    assert (read.type, read.partition_format) == ("tabular", "/{day}/x.csv")
    assert (read.parsing.kind, read.parsing.separator, read.parsing.header, read.parsing.include_path) == (
        "delimited",
        "\t",
        "NO_HEADERS",
        True,
    )
    assert read.parsing.column_types == {"a": {"type": "long"}}
    assert [(item.kind, item.settings) for item in read.operations] == [
        ("select_paths", {"pattern": r"/x\.csv$"}),
        ("keep_columns", {"columns": ["a", "day"]}),
        ("drop_columns", {"columns": ["day"]}),
    ]


def test_parquet_and_files_with_columns(workspace: Any, source: str) -> None:
    port = output_of(workspace, source, OutputFileDatasetConfig("out").read_parquet_files(partition_format="/{n}.parquet"))
    assert port.dataset == {"parsing": {"kind": "parquet"}, "partition_format": "/{n}.parquet"}
    assert output_of(workspace, source, OutputFileDatasetConfig("out", partition_format="/{n}.txt")).dataset == {
        "partition_format": "/{n}.txt"
    }


def test_wrong_readings_are_found_at_once() -> None:
    out = OutputFileDatasetConfig("out")
    with pytest.raises(ValueError, match="partition"):
        OutputFileDatasetConfig("out", partition_format="/{a}/{a}")
    with pytest.raises(UserErrorException, match="PromoteHeadersBehavior"):
        out.read_delimited_files(header=True)  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="separator"):
        out.read_delimited_files(separator="")
    with pytest.raises(UserErrorException, match=r"regular expression.*\*\.csv"):
        out.read_delimited_files(path_glob="*.csv")
    with pytest.raises(UserErrorException, match="set_column_types"):
        out.read_parquet_files(set_column_types={"a": "long"})
    with pytest.raises(UserErrorException, match="name of a column"):
        out.read_parquet_files().keep_columns([3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="percentage"):
        out.read_parquet_files().random_split(1.5)
    with pytest.raises(ValueError, match=r"read_delimited_files\(\)"):
        OutputTabularDatasetConfig()


# One output, however often it is copied


CHANGES: Dict[str, Any] = {
    "as_upload": lambda out: out.as_upload(),
    "as_mount": lambda out: out.as_mount(),
    "register": lambda out: out.register_on_complete("r"),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "delimited": lambda out: out if isinstance(out, OutputTabularDatasetConfig) else out.read_delimited_files(),
    "deep list": lambda out: copy.deepcopy([out])[0],
    "split": lambda out: out.random_split(0.5)[1] if isinstance(out, OutputTabularDatasetConfig) else out,
}


@given(
    written=st.lists(st.sampled_from(sorted(set(CHANGES) - {"split"})), max_size=4),
    read=st.lists(st.sampled_from(sorted(CHANGES)), max_size=4),
)
def test_every_copy_of_an_output_is_the_same_output(written: List[str], read: List[str]) -> None:
    base = OutputFileDatasetConfig("out")
    producer, consumer = base, base
    for name in written:
        producer = CHANGES[name](producer)
    for name in read:
        consumer = CHANGES[name](consumer)
    step = PythonScriptStep("a.py", arguments=[producer])
    assert consumer._producer is step
    reader = PythonScriptStep("b.py", arguments=[consumer.as_input("x")])
    assert kinds(reader) == [("input", "x")]
    assert consumer.register_on_complete("z")._registration is not base._registration


def test_steps_are_connected_by_what_they_share(workspace: Any, source: str) -> None:
    out = OutputFileDatasetConfig("out")
    rows = out.read_delimited_files()
    first, second = rows.random_split(0.7, seed=3)
    make = PythonScriptStep("prep.py", name="make", arguments=["--out", out.as_upload()], source_directory=source)
    files = PythonScriptStep("train.py", name="files", arguments=[out.as_input("whole").as_download("here")], source_directory=source)
    table = PythonScriptStep(
        "train.py",
        name="table",
        inputs=[first.as_input("train"), second.keep_columns("a").as_input("test")],
        source_directory=source,
    )
    steps = graph_of(workspace, files, table)  # the producer comes along
    assert set(steps) == {"make", "files", "table"}
    assert [argument.value for argument in steps["make"].arguments] == ["--out", "out"]
    (whole,) = steps["files"].inputs
    assert (whole.mode, whole.path_on_compute, whole.dataset, whole.source.port) == ("download", "here", {}, "out")
    train, test = steps["table"].inputs
    assert {port.source for port in (whole, train, test)} == {whole.source}
    assert train.dataset == {
        "parsing": {"kind": "delimited"},
        "operations": [{"kind": "split", "settings": {"start": 0.0, "end": 0.7, "seed": 3}}],
    }
    assert test.dataset is not None
    assert [item["kind"] for item in test.dataset["operations"]] == ["split", "keep_columns"]
    assert [port.dataset for port in steps["make"].outputs] == [{}], "what its readers do is none of the producer's business"
    assert make.name == "make"


def test_a_split_without_a_seed_is_the_same_next_time() -> None:
    def readings() -> Any:
        return [part._reading() for part in OutputFileDatasetConfig("out").read_parquet_files().random_split(0.3)]

    first, second = OutputFileDatasetConfig("out").read_parquet_files().random_split(0.3)
    assert readings() == [first._reading(), second._reading()]
    assert (first.name, second.name) == ("out_1", "out_2")
    assert first._reading().operations[0].settings["end"] == second._reading().operations[0].settings["start"]


def test_in_inputs_the_output_is_its_own_input() -> None:
    out = OutputFileDatasetConfig("out")
    PythonScriptStep("a.py", arguments=[out])
    step = PythonScriptStep("b.py", arguments=["--in", out], inputs=[out])
    ((_, _), (kind, name)) = kinds(step)
    assert (kind, name) == ("input", step._inputs[0].name)
    assert step._outputs == []
    rows = PythonScriptStep("b.py", inputs=[out.read_delimited_files()])
    assert rows._inputs[0].mode == "direct"


def test_a_listed_output_is_the_one_in_the_arguments() -> None:
    out = OutputFileDatasetConfig("out")
    step = PythonScriptStep("a.py", arguments=[out, out.as_mount()], outputs=[out.as_upload()])
    assert kinds(step) == [("output", "out"), ("output", "out")]
    assert [output.mode for output in step._outputs] == ["upload"]


def test_one_output_of_two_steps_is_refused(workspace: Any, source: str) -> None:
    out = OutputFileDatasetConfig("out")
    steps = [PythonScriptStep(script, arguments=[out], source_directory=source) for script in ("prep.py", "train.py")]
    with pytest.raises(ValueError, match=r"Two steps have the output 'out': 'prep\.py' and 'train\.py'"):
        Pipeline(workspace, steps)


def test_an_output_that_nobody_writes_is_named(workspace: Any, source: str) -> None:
    step = PythonScriptStep("prep.py", inputs=[OutputFileDatasetConfig("out").as_input("x")], source_directory=source)
    with pytest.raises(ValueError, match=r"reads 'out', but no step produces it"):
        Pipeline(workspace, [step])


# Relatives


def test_links(workspace: Any, source: str) -> None:
    files, rows = LinkFileOutputDatasetConfig("files"), LinkTabularOutputDatasetConfig("rows")
    assert (files.mode, rows.mode, files.as_input("a").mode, rows.as_input("b").mode) == ("link", "link", "mount", "direct")
    PythonScriptStep("prep.py", name="make", outputs=[files, rows.register_on_complete("known")], source_directory=source)
    read = PythonScriptStep("train.py", name="read", inputs=[files.as_input("a"), rows.as_input("b")], source_directory=source)
    steps = graph_of(workspace, read)
    assert [(port.name, port.mode, port.destination) for port in steps["make"].outputs] == [("files", "link", None), ("rows", "link", None)]
    assert steps["make"].outputs[1].registration == Registration("known")
    assert [(port.source.port, port.mode, port.dataset) for port in steps["read"].inputs] == [
        ("files", "mount", {}),
        ("rows", "direct", {}),
    ]
    assert Pipeline(workspace, [read]).validate() == []


def test_hdfs_is_refused_at_submission(workspace: Any, source: str) -> None:
    out = HDFSOutputDatasetConfig("out", (workspace.store, "x"))
    assert out.as_input("x").mode == "hdfs"
    assert out.read_delimited_files().mode == "hdfs"
    (problem,) = Pipeline(workspace, [PythonScriptStep("prep.py", outputs=[out], source_directory=source)]).validate()
    assert "'out' of step 'prep.py' has the mode 'hdfs'" in problem


def test_a_section_of_a_run_configuration() -> None:
    from azureml.core import RunConfiguration

    config = RunConfiguration()
    config.output_data = {"out": OutputFileDatasetConfig("out", ("store", "p")).as_upload(True, ["*.csv"]).register_on_complete("known")}
    section = config._to_document()["outputData"]["out"]
    assert section["mechanism"].lower() == "upload"
    assert section["outputLocation"]["dataPath"] == {"datastoreName": "store", "relativePath": "p"}
    assert section["additionalOptions"]["registrationOptions"]["name"] == "known"
    assert section["additionalOptions"]["uploadOptions"]["sourceGlobs"]["patterns"] == ["*.csv"]
