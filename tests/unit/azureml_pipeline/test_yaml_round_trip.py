"""What is written as YAML loads to an equal graph: random pipelines built through the facade, and stored ones."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azureml.core import Dataset, Environment, RunConfiguration
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.core._document import builder_of, from_document, to_document
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core._graph_context import _GraphContext
from azureml.pipeline.core._yaml_documents import format_document
from azureml.pipeline.core._yaml_writing import generate_yaml, save_graph
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.graph import PipelineGraph, PortRef, format_graph

DIGEST = "5f" * 32


@pytest.fixture(autouse=True)
def _datastores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azureml.core.datastore.Datastore.get", staticmethod(lambda workspace, name: workspace.store))


# What is compared


def canonical(graph: PipelineGraph) -> Dict[str, Any]:
    """The document of a graph, with the order of its nodes in place of their ids."""
    order = {node.id: f"step {index}" for index, node in enumerate(graph.steps)}
    order.update({node.id: f"data {index}" for index, node in enumerate(graph.data)})
    steps = [
        dataclasses.replace(
            step,
            id=order[step.id],
            inputs=tuple(dataclasses.replace(port, source=PortRef(order[port.source.node_id], port.source.port)) for port in step.inputs),
            run_after=tuple(order[node_id] for node_id in step.run_after),
        )
        for step in graph.steps
    ]
    data = [dataclasses.replace(node, id=order[node.id]) for node in graph.data]
    return format_graph(dataclasses.replace(graph, steps=tuple(steps), data=tuple(data)))


def whole(graph: Graph) -> Tuple[Dict[str, Any], List[Any]]:
    return canonical(to_document(graph)), [builder_of(node).source_directory for node in graph.module_nodes]


def reload(workspace: Any, graph: Graph, path: Path) -> Graph:
    save_graph(graph, str(path), None)
    return Pipeline.load_yaml(workspace, str(path)).graph


def as_stored(workspace: Any, graph: Graph, source: str) -> Graph:
    """The graph as a run has it: snapshots taken, definitions finished."""
    return from_document(format_graph(to_document(graph, {source: DIGEST})), _GraphContext(None, workspace))


def assert_round_trip(workspace: Any, graph: Graph, path: Path, source: str) -> None:
    assert whole(reload(workspace, graph, path)) == whole(graph)
    stored = as_stored(workspace, graph, source)
    again = reload(workspace, stored, path)
    assert whole(again) == whole(stored)
    assert whole(reload(workspace, again, path)) == whole(stored)


# Random pipelines

TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "yes",
            "No",
            "~",
            "null",
            "1e-3",
            "1:30",
            "0o14",
            "012",
            "2020-01-01",
            "=",
            "<<",
            "input:raw",
            "output:out0",
            "parameter:p",
            "{a}",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
SCALARS = st.one_of(TEXTS, st.integers(-(10**12), 10**12), st.floats(allow_nan=False), st.booleans())
NAMES = st.sampled_from(["prep", "train", "a step: with 'words'", "1", "null", "été"])
INPUTS: Dict[str, Callable[[Any], Any]] = {
    "reference": lambda made: DataReference(made.workspace.store, "raw", "in/put"),
    "download": lambda made: DataReference(made.workspace.store, "raw2", "in").as_download("here/x", True),
    "path": lambda made: (DataPath(made.workspace.store, "a/b", "fixed"), DataPathComputeBinding("download", "there", True)),
    "path parameter": lambda made: (made.parameters["folder"], DataPathComputeBinding("mount")),
    "dataset": lambda made: made.dataset.as_named_input("files").as_download("down"),
    "dataset parameter": lambda made: made.parameters["known"],
    "latest dataset": lambda made: made.latest,
}


class Made:
    """What the steps of one random pipeline share."""

    def __init__(self, workspace: Any) -> None:
        from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

        self.workspace = workspace
        self.dataset = Dataset.File.from_files((workspace.store, "files/*.csv"))
        other = Dataset.File.from_files((workspace.store, "others"))
        self.parameters = {
            "p": PipelineParameter("p", "a text"),
            "n": PipelineParameter("n", 3),
            "x": PipelineParameter("x", 0.5),
            "flag": PipelineParameter("flag", True),
            "folder": PipelineParameter("folder", DataPath(workspace.store, "some/path", "folder_data")),
        }
        known = PipelineParameter("known", other)
        self.parameters["known"] = DatasetConsumptionConfig("known_files", known).as_mount()  # type: ignore[assignment]
        self.latest = DatasetConsumptionConfig("latest", (workspace, "titanic", 2)).as_mount()
        self.environment = Environment("own")
        self.environment.python.conda_dependencies.add_pip_package("numpy")


OUTPUTS: Dict[str, Callable[[str], Any]] = {
    "data": lambda name: PipelineData(name),
    "named data": lambda name: PipelineData(f"{name}_x", output_name=name, is_directory=True, pipeline_output_name=f"pipe_{name}"),
    "upload": lambda name: PipelineData(name, output_mode="upload", output_path_on_compute="made", output_overwrite=True),
    "promoted": lambda name: PipelineData(name).as_dataset().register("reg", False),
    "rows": lambda name: PipelineData(name).as_dataset().parse_delimited_files(),
    "files": lambda name: OutputFileDatasetConfig(name),
    "registered": lambda name: OutputFileDatasetConfig(name).as_upload(True, "*.csv").register_on_complete("out", "what", {"a": "1"}),
    "parquet": lambda name: OutputFileDatasetConfig(name).read_parquet_files().keep_columns(["a", "b"]),
}

STEPS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "script": st.sampled_from(["prep.py", "train.py"]),
        "texts": st.lists(TEXTS, max_size=3),
        "plain": st.lists(st.sampled_from(["p", "n", "x", "flag"]), max_size=2, unique=True),
        "params": st.dictionaries(st.sampled_from(["a", "b", "Script", "ü"]), SCALARS, max_size=3),
        "inputs": st.lists(st.sampled_from(sorted(INPUTS)), max_size=3, unique=True),
        "reads": st.lists(st.integers(0, 20), max_size=2, unique=True),
        "outputs": st.lists(st.sampled_from(sorted(OUTPUTS)), max_size=2),
        "after": st.lists(st.integers(0, 5), max_size=2, unique=True),
        "target": st.sampled_from(["cpu-cluster", "local", ("elsewhere", "AmlCompute")]),
        "config": st.sampled_from(["none", "nodes", "environment", "variables"]),
        "nodes": st.booleans(),
        "allow_reuse": st.booleans(),
        "version": st.sampled_from([None, "1", "01", "v"]),
    }
)


def build(made: Made, plans: List[Dict[str, Any]], source: str) -> Pipeline:
    """The pipeline of a plan: each step may read what earlier ones write."""
    steps: List[PythonScriptStep] = []
    written: List[Any] = []
    for index, plan in enumerate(plans):
        steps.append(make_step(made, plan, source, index, written))
        for number in plan["after"]:
            if number < index:
                steps[index].run_after(steps[number])
        written += list(steps[index]._outputs)
    return Pipeline(made.workspace, list(reversed(steps)), description="a name")


def make_step(made: Made, plan: Dict[str, Any], source: str, index: int, written: List[Any]) -> PythonScriptStep:
    inputs = [INPUTS[kind](made) for kind in plan["inputs"]]
    inputs += [as_input(written[number], f"in{number}") for number in plan["reads"] if number < len(written)]
    outputs = [OUTPUTS[kind](f"out{index}_{number}") for number, kind in enumerate(plan["outputs"])]
    arguments = [*plan["texts"], *(made.parameters[name] for name in plan["plain"]), *outputs]
    return PythonScriptStep(
        plan["script"],
        name=plan["name"],
        arguments=arguments,
        inputs=inputs,
        outputs=outputs,
        params=plan["params"],
        compute_target=plan["target"],
        runconfig=run_config(made, plan["config"]),
        runconfig_pipeline_params={"NodeCount": made.parameters["n"]} if plan["nodes"] and "n" not in plan["plain"] else None,
        source_directory=source,
        allow_reuse=plan["allow_reuse"],
        version=plan["version"],
    )


def as_input(item: Any, name: str) -> Any:
    return item.as_named_input(name) if hasattr(item, "as_named_input") else item.as_input(name)


def run_config(made: Made, kind: str) -> Any:
    if kind == "none":
        return None
    config = RunConfiguration()
    if kind == "nodes":
        config.node_count, config.communicator = 3, "IntelMpi"
    elif kind == "environment":
        config.environment = made.environment
    else:
        config.environment_variables = {"A": "1", "no": "yes"}
    return config


PLANS = st.lists(STEPS, min_size=1, max_size=5)
ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "25"))
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=20, deadline=None, suppress_health_check=SLOW)
@given(PLANS)
def test_what_is_written_loads_to_an_equal_graph(workspace: Any, source: str, tmp_path: Path, plans: List[Dict[str, Any]]) -> None:
    assert_round_trip(workspace, build(Made(workspace), plans, source).graph, tmp_path / "pipeline.yml", source)


@pytest.mark.long
@settings(max_examples=40 * ROUNDS, deadline=None, suppress_health_check=SLOW)
@given(PLANS)
def test_what_is_written_loads_to_an_equal_graph_whatever_it_is(
    workspace: Any, source: str, tmp_path: Path, plans: List[Dict[str, Any]]
) -> None:
    assert_round_trip(workspace, build(Made(workspace), plans, source).graph, tmp_path / "pipeline.yml", source)


# What stands in the file


def pipelines(workspace: Any, source: str) -> Iterator[Pipeline]:
    raw = DataReference(workspace.store, "raw", "in")
    data = PipelineData("clean")
    rate = PipelineParameter("rate", 0.5)
    folder = PipelineParameter("folder", DataPath(workspace.store, "x"))
    pair = (folder, DataPathComputeBinding("mount"))
    prep = PythonScriptStep(
        "prep.py",
        "prep",
        ["--in", raw, "--out", data, "--rate", rate],
        "cpu-cluster",
        inputs=[raw, pair],
        outputs=[data],
        source_directory=source,
    )
    train = PythonScriptStep("train.py", "train", inputs=[data.as_download()], compute_target="local", source_directory=source)
    yield Pipeline(workspace, [prep, train], description="Titanic")


def test_v1s_keys_say_what_they_can(workspace: Any, source: str) -> None:
    (pipeline,) = pipelines(workspace, source)
    stored = as_stored(workspace, pipeline.graph, source)
    said = generate_yaml(stored)["pipeline"]
    assert list(said) == ["name", "parameters", "data_references", "steps"]
    assert said["name"] == "Titanic"
    assert said["parameters"]["rate"] == {"type": "float", "default": 0.5}
    assert {**said["parameters"]["folder"]["default"], "name": ""} == {
        "datastore": "workspaceblobstore",
        "path_on_datastore": "x",
        "name": "",
    }
    assert said["data_references"] == {"raw": {"datastore": "workspaceblobstore", "path_on_datastore": "in"}}
    prep, train = said["steps"]["prep"], said["steps"]["train"]
    assert (prep["type"], prep["script_name"], prep["compute"], prep["snapshot"]) == ("PythonScriptStep", "prep.py", "cpu-cluster", DIGEST)
    assert prep["arguments"] == ["--in", "input:raw", "--out", "output:clean", "--rate", "parameter:rate"]
    assert prep["parameters"] == {"rate": {"source": "rate"}}
    assert prep["inputs"]["raw"] == {"source": "raw", "bind_mode": "mount", "overwrite": False}
    assert [about["source"] for about in prep["inputs"].values()] == ["raw", "folder"]
    written = prep["outputs"]["clean"]["destination"]
    assert written == "clean" + next(node.node_id for node in stored.module_nodes if node.name == "prep")
    assert train["inputs"] == {"clean": {"source": written, "bind_mode": "download"}}
    assert (train["parameters"], train["outputs"]) == (None, None)
    assert train["runconfig"] == {}  # only what differs from a new one


def test_an_empty_side_is_null_and_loads(workspace: Any, source: str, tmp_path: Path) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source, compute_target="local")])
    said = generate_yaml(pipeline.graph)["pipeline"]
    assert (said["name"], said["parameters"], said["data_references"]) == (None, None, None)
    assert_round_trip(workspace, pipeline.graph, tmp_path / "p.yml", source)


def test_texts_that_look_like_ports_stay_texts(workspace: Any, source: str, tmp_path: Path) -> None:
    data = PipelineData("out")
    step = PythonScriptStep(
        "prep.py", arguments=["output:out", data, "input:out"], outputs=[data], source_directory=source, compute_target="local"
    )
    graph = Pipeline(workspace, [step]).graph
    (said,) = generate_yaml(graph)["pipeline"]["steps"].values()
    assert said["arguments"] == [{"literal": "output:out"}, "output:out", "input:out"]
    assert_round_trip(workspace, graph, tmp_path / "p.yml", source)


def test_data_that_two_steps_share_stays_one_node(workspace: Any, source: str, tmp_path: Path) -> None:
    (pipeline,) = pipelines(workspace, source)
    graph = as_stored(workspace, pipeline.graph, source)
    first, second = (node for node in graph.module_nodes)
    shared = first.input_dict["raw"].incoming_edge
    assert shared is not None
    second.input_dict["clean"].disconnect()
    second.input_dict["clean"].connect(shared.source_port)
    assert whole(reload(workspace, graph, tmp_path / "p.yml")) == whole(graph)


def test_a_runs_values_are_kept_beside_where_the_data_lay(workspace: Any, source: str, tmp_path: Path) -> None:
    (pipeline,) = pipelines(workspace, source)
    document = format_graph(to_document(pipeline.graph, {source: DIGEST}))
    values = {"folder": {"datastore": "workspaceblobstore", "path": "elsewhere"}, "rate": 0.75}
    graph = from_document(document, _GraphContext(None, workspace), values)
    again = reload(workspace, graph, tmp_path / "p.yml")
    assert whole(again) == whole(graph)
    assert again.params["rate"].default_value == 0.75
    assert again.params["folder"].default_value.path_on_datastore == "elsewhere"


def test_a_step_of_ones_own_kind_is_saved_too(workspace: Any, source: str, tmp_path: Path) -> None:
    document = format_graph(to_document(next(pipelines(workspace, source)).graph, {source: DIGEST}))
    odd = {"step_type": "OddStep", "settings": {"a": [1, {"b": None}], "c": "yes"}, "command": ["/bin/sh", "-c", "true"], "run_config": {}}
    document["steps"][0].update(odd)
    document["steps"][1].update({"run_config": {"framework": "Odd"}, "compute": {"name": "far"}})
    graph = from_document(document, _GraphContext(None, workspace))
    assert whole(reload(workspace, graph, tmp_path / "p.yml")) == whole(graph)


# Files


def test_where_it_is_written(workspace: Any, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = next(pipelines(workspace, source)).graph
    save_graph(graph, str(tmp_path / "one.yaml"), "ignored")
    folder = tmp_path / "folder"
    folder.mkdir()
    save_graph(graph, str(folder), "Titanic: 1/2")
    monkeypatch.chdir(folder)
    save_graph(graph, None, "here.yml")
    save_graph(graph, None, None)
    assert sorted(item.name for item in folder.iterdir()) == ["Titanic_ 1_2.yml", "here.yml", "pipeline.yml"]
    texts = {(tmp_path / "one.yaml").read_text("utf-8"), *(item.read_text("utf-8") for item in folder.iterdir())}
    assert texts == {format_document(generate_yaml(graph))}
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere'\. Create it first"):
        save_graph(graph, str(tmp_path / "nowhere" / "p.yml"), "p")
