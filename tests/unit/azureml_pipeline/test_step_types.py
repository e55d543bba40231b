"""Every kind of step: what it accepts, the node that it becomes, and that the node's document leads back to the same graph."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azureml.contrib.pipeline import steps as first
from azureml.core import Dataset, Environment, RunConfiguration, ScriptRunConfig
from azureml.core.databricks import DatabricksCluster, PyPiLibrary
from azureml.core.environment import RSection
from azureml.data import HDFSOutputDatasetConfig, OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.sql_data_reference import SqlDataReference
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, TrainingOutput
from azureml.pipeline.core._document import find_obstacles, from_document, to_document
from azureml.pipeline.core._graph_context import _GraphContext
from azureml.pipeline.steps import (
    AdlaStep,
    AutoMLStep,
    AzureBatchStep,
    CommandStep,
    DatabricksStep,
    DataTransferStep,
    EstimatorStep,
    HyperDriveStep,
    KustoStep,
    MpiStep,
    ParallelRunConfig,
    ParallelRunStep,
    PythonScriptStep,
    RScriptStep,
    SynapseSparkStep,
)
from azureml.train.automl import AutoMLConfig
from azureml.train.estimator import Estimator
from azureml.train.hyperdrive import (
    BanditPolicy,
    HyperDriveConfig,
    PrimaryMetricGoal,
    RandomParameterSampling,
    choice,
    uniform,
)
from penstock.engine.orders import expand_command
from penstock.model.graph import StepNode, format_graph, parse_graph

Make = Callable[[Any, str], Any]


def only(workspace: Any, step: Any) -> StepNode:
    """The node that a step becomes."""
    graph = to_document(Pipeline(workspace, [step]).graph)
    return next(node for node in graph.steps if node.name == step.name)


def files(workspace: Any, name: str = "images") -> Any:
    return Dataset.File.from_files((workspace.store, "images"), validate=False).as_named_input(name)


def table(workspace: Any, name: str = "rows") -> Any:
    return Dataset.Tabular.from_delimited_files((workspace.store, "a.csv"), validate=False).as_named_input(name)


def config(source: str, **changed: Any) -> ParallelRunConfig:
    members: Dict[str, Any] = {
        "environment": Environment("batch"),
        "entry_script": "train.py",
        "error_threshold": 3,
        "output_action": "append_row",
        "compute_target": "gpu",
        "node_count": 2,
        "source_directory": source,
    }
    return ParallelRunConfig(**{**members, **changed})


def sweep(source: str, **changed: Any) -> HyperDriveConfig:
    members: Dict[str, Any] = {
        "hyperparameter_sampling": RandomParameterSampling({"--lr": uniform(0, 1), "--layers": choice(1, 2)}, {"seed": 7}),
        "primary_metric_name": "loss",
        "primary_metric_goal": PrimaryMetricGoal.MINIMIZE,
        "max_total_runs": 8,
        "run_config": ScriptRunConfig(source, script="train.py", compute_target="gpu"),
    }
    return HyperDriveConfig(**{**members, **changed})


# One of each, as rich as it gets


def a_command(workspace: Any, source: str) -> Any:
    epochs, out = PipelineParameter("epochs", 3), PipelineData("model")
    command = ["python train.py --out", out, "--epochs", epochs, "--in", files(workspace).as_mount(), "&&", "echo done"]
    return CommandStep(command, "command", "gpu", outputs=[out], params={"depth": 4}, source_directory=source)


def an_estimator(workspace: Any, source: str) -> Any:
    estimator = Estimator(source, entry_script="train.py", compute_target="cpu-cluster", pip_packages=["numpy"])
    out = OutputFileDatasetConfig("scores")
    return EstimatorStep("estimator", estimator, ["--out", out, "--n", PipelineParameter("n", 1)], compute_target="gpu")


def an_mpi(workspace: Any, source: str) -> Any:
    nodes = PipelineParameter("nodes", 1)
    return MpiStep("mpi", source, "train.py", ["--x", 1], "cpu-cluster", nodes, 1, environment_variables={"A": "b"}, pip_packages=["numpy"])


def an_r(workspace: Any, source: str) -> Any:
    (Path(source) / "train.R").write_text("print(1)\n")
    run_config = RunConfiguration()
    run_config.environment.r = RSection()
    out = PipelineData("fit")
    return RScriptStep("train.R", "r", ["--out", out, PipelineParameter("k", 2)], "gpu", run_config, outputs=[out], source_directory=source)


def a_parallel_run(workspace: Any, source: str) -> Any:
    size, out = PipelineParameter("size", "10KB"), PipelineData("scored")
    wide = config(source, mini_batch_size=size, process_count_per_node=4, node_count=PipelineParameter("nodes", 2))
    side = Dataset.File.from_files((workspace.store, "labels"), validate=False).as_named_input("labels")
    return ParallelRunStep("parallel", wide, [files(workspace)], out, [side], ["--labels", side, "--top", 3])


def a_sweep(workspace: Any, source: str) -> Any:
    metrics = PipelineData("metrics", pipeline_output_name="m")
    best = PipelineData("best", training_output=TrainingOutput("Model", model_file="outputs/m.pkl"))
    wide = sweep(source, policy=BanditPolicy(2, slack_factor=0.1), max_concurrent_runs=4)
    return HyperDriveStep(
        "sweep", wide, ["--in", files(workspace), "--n", PipelineParameter("n", 1)], outputs=[best], metrics_output=metrics
    )


def a_transfer(workspace: Any, source: str) -> Any:
    here = DataReference(workspace.store, "here", "a/b")
    there = DataPath(workspace.store, "c", "there")
    return DataTransferStep("transfer", here, (there, DataPathComputeBinding("mount")), "factory", "File", "directory")


def a_databricks(workspace: Any, source: str) -> Any:
    here = DataReference(workspace.store, "here", "a/b")
    return DatabricksStep(
        "bricks",
        inputs=[here],
        outputs=[PipelineData("made")],
        num_workers=PipelineParameter("workers", 2),
        spark_conf={"a": "b"},
        python_script_name="train.py",
        python_script_params=["--in", here, PipelineParameter("day", "monday")],
        source_directory=source,
        run_name="nightly",
        timeout_seconds=60,
        pypi_libraries=[PyPiLibrary("numpy")],
        compute_target="bricks",
    )


def a_batch(workspace: Any, source: str) -> Any:
    out = PipelineData("made")
    return AzureBatchStep(
        "batch", pool_id="p", source_directory=source, executable="run.cmd", arguments=[out], outputs=[out], compute_target="batch"
    )


def an_adla(workspace: Any, source: str) -> Any:
    (Path(source) / "query.usql").write_text("select")
    params = {"day": PipelineParameter("day", "monday"), "fixed": 3}
    return AdlaStep("query.usql", params=params, priority=2, compute_target="lake", source_directory=source)


def a_kusto(workspace: Any, source: str) -> Any:
    return KustoStep("kusto", "cluster", "sales", source, PipelineData("made"), {"day": PipelineParameter("day", "monday"), "n": 1})


def a_spark(workspace: Any, source: str) -> Any:
    out = HDFSOutputDatasetConfig("made", destination=(workspace.store, "out"))
    return SynapseSparkStep(
        "train.py",
        source,
        "pool",
        "1g",
        1,
        "2g",
        2,
        3,
        "spark",
        arguments=["--in", files(workspace).as_hdfs(), "--out", out],
        inputs=[table(workspace)],
        outputs=[out],
        conf={"spark.a": 1, "spark.yarn.maxAppAttempts": 2},
        py_files="a.py",
    )


def a_search(workspace: Any, source: str) -> Any:
    wanted = AutoMLConfig("regression", compute_target="gpu", training_data=table(workspace), label_column_name="y", iterations=3)
    return AutoMLStep("search", wanted)


MAKERS: List[Make] = [
    a_search,
    a_command,
    an_estimator,
    an_mpi,
    an_r,
    a_parallel_run,
    a_sweep,
    a_transfer,
    a_databricks,
    a_batch,
    an_adla,
    a_kusto,
    a_spark,
]
# A search is no obstacle: it fails when its turn comes.
RUNS = {"AutoMLStep", "CommandStep", "EstimatorStep", "MpiStep", "RScriptStep"}


@pytest.fixture
def cloud(workspace: Any) -> Any:
    """A workspace that has the compute targets of the makers."""
    made = type(workspace.compute_targets["gpu"])
    workspace.compute_targets.update({name: made(name) for name in ("factory", "bricks", "batch", "lake", "cluster", "pool")})
    return workspace


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_its_document_is_json_and_leads_back_to_the_same_graph(cloud: Any, source: str, make: Make) -> None:
    graph = to_document(Pipeline(cloud, [make(cloud, source)]).graph)
    document = format_graph(graph)
    assert json.loads(json.dumps(document)) == document
    assert parse_graph(document) == graph
    again = from_document(document, _GraphContext(None, cloud))
    assert format_graph(to_document(again)) == document


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_pipeline_with_a_step_that_cannot_run_is_refused_by_name(cloud: Any, source: str, make: Make) -> None:
    pipeline = Pipeline(cloud, [make(cloud, source)])
    (node,) = to_document(pipeline.graph).steps
    assert node.step_type in type(make(cloud, source)).__name__
    assert pipeline.validate() == []
    found = find_obstacles(pipeline.graph)
    if node.step_type in RUNS:
        assert found == []
    else:
        assert len(found) == 1
        assert f"Step '{node.name}': " in found[0]
        assert node.step_type in found[0]


# What each keeps


def test_a_command_is_a_line_in_which_data_and_parameters_are_quoted(cloud: Any, source: str) -> None:
    node = only(cloud, a_command(cloud, source))
    assert node.command == (
        "/bin/sh",
        "-c",
        'python train.py --out "$AZUREML_DATAREFERENCE_model" --epochs "$AML_PARAMETER_epochs" --in "$AZUREML_DATAREFERENCE_images"'
        " && echo done",
    )
    assert (node.script, node.arguments) == (None, ())
    assert [(item.name, item.value, item.pipeline_parameter) for item in node.parameters] == [
        ("depth", 4, None),
        ("epochs", None, "epochs"),
    ]


def test_a_command_may_come_from_a_run_configuration(cloud: Any, source: str) -> None:
    run_config = RunConfiguration(command="ls -l")
    step = CommandStep(runconfig=run_config, source_directory=source)
    node = only(cloud, step)
    assert (node.name, node.command[2]) == ("CommandStep_ls", "ls -l")
    assert run_config.command == "ls -l", "the user's object stays as it is"
    script = ScriptRunConfig(source, command=["python", "train.py"], compute_target="gpu")
    node = only(cloud, CommandStep(runconfig=script, name="c"))
    assert (node.command[2], node.compute and node.compute.name) == ("python train.py", "gpu")
    for wrong in (None, "", [], " ", [PipelineData("x")]):
        with pytest.raises(ValueError, match="command"):
            CommandStep(wrong, source_directory=source)
    with pytest.raises(ValueError, match="not a folder"):
        CommandStep("ls", source_directory=source + "/nothing")


# What no process can be given is left out.
VALUES = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)


@settings(max_examples=25)
@given(values=st.lists(VALUES, min_size=1, max_size=4))
def test_values_reach_the_command_as_they_are(values: List[str]) -> None:
    parts = [PipelineParameter(f"value {index}", value) for index, value in enumerate(values)]
    step = CommandStep(["printf '%s\\0'", *parts])
    line = step._command(step.resolve_input_arguments(step._arguments, [], [], step._params))
    variables = {f"AML_PARAMETER_value_{index}": value for index, value in enumerate(values)}
    command = expand_command(tuple(line), variables, {})
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True)
    assert done.stdout.split(b"\0")[:-1] == [value.encode() for value in values]


def test_an_estimator_step_is_a_script_step_with_the_estimators_environment(cloud: Any, source: str) -> None:
    node = only(cloud, an_estimator(cloud, source))
    assert (node.script, node.compute and node.compute.name) == ("train.py", "gpu")
    assert "numpy" in json.dumps(node.run_config["environment"])
    estimator = Estimator(source, entry_script="train.py", compute_target="gpu")
    with_params = Estimator(source, entry_script="train.py", compute_target="gpu", script_params={"--a": 1})
    wrong: List[Any] = [
        ({}, "needs an estimator"),
        ({"estimator": estimator, "estimator_entry_script_arguments": []}, "needs a compute_target"),
        ({"estimator": estimator, "compute_target": "gpu"}, "needs estimator_entry_script_arguments"),
        ({"estimator": with_params, "compute_target": "gpu", "estimator_entry_script_arguments": []}, "must not have script_params"),
    ]
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            EstimatorStep("e", **arguments)
    with pytest.raises(TypeError, match="must be an Estimator"):
        EstimatorStep("e", estimator=sweep(source), estimator_entry_script_arguments=[], compute_target="gpu")


def test_an_mpi_step_of_several_processes_is_refused_by_their_number(cloud: Any, source: str) -> None:
    def obstacles(*counts: Any) -> List[str]:
        return find_obstacles(Pipeline(cloud, [MpiStep("mpi", source, "train.py", [], "cpu-cluster", *counts)]).graph)

    assert obstacles(1, 1) == []
    assert "An MpiStep of 6 processes" in obstacles(2, 3)[0]
    assert "An MpiStep of 8 processes" in obstacles(PipelineParameter("n", 4), PipelineParameter("p", 2))[0]
    assert obstacles(PipelineParameter("n", 1), 1) == []
    estimator = Estimator(source, entry_script="train.py", compute_target="gpu", node_count=2, distributed_backend="mpi")
    graph = Pipeline(cloud, [EstimatorStep("e", estimator, [], compute_target="gpu")]).graph
    assert "An EstimatorStep of 2 processes" in find_obstacles(graph)[0]


def test_an_mpi_step_needs_its_first_seven_arguments(cloud: Any, source: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="needs arguments, node_count, process_count_per_node"):
        MpiStep("mpi", source, "train.py", compute_target="gpu")
    with pytest.raises(TypeError, match="type Databricks"):
        MpiStep("mpi", source, "train.py", [], ("bricks", "Databricks"), 1, 1)
    MpiStep("mpi", source, "train.py", [], cloud.compute_targets["gpu"], 1, 1, runconfig=RunConfiguration())
    assert "ignores runconfig" in caplog.text


def test_an_r_step_runs_rscript(cloud: Any, source: str) -> None:
    node = only(cloud, an_r(cloud, source))
    assert node.command == ("Rscript", "train.R", "--out", "$AZUREML_DATAREFERENCE_fit", "$AML_PARAMETER_k")
    assert node.settings == {"script_name": "train.R"}
    with pytest.raises(ValueError, match="RSection"):
        RScriptStep("train.R", runconfig=RunConfiguration(), source_directory=source)
    with pytest.raises(ValueError, match="RSection"):
        RScriptStep("train.R", source_directory=source)
    run_config = RunConfiguration()
    run_config.environment.r = RSection()
    with pytest.raises(ValueError, match="user_managed"):
        RScriptStep("train.R", runconfig=run_config, custom_docker_image="r-base", source_directory=source)
    run_config.environment.r.user_managed = True
    own = RScriptStep("train.R", "own", runconfig=run_config, custom_docker_image="r-base", source_directory=source)
    assert only(cloud, own).run_config["environment"]["docker"]["baseImage"] == "r-base"
    assert run_config.environment.docker.base_image != "r-base", "the user's object stays as it is"
    with pytest.raises(ValueError, match=r"nothing\.R"):
        only(cloud, RScriptStep("nothing.R", runconfig=run_config, source_directory=source))


def test_a_parallel_run_step_keeps_how_its_input_is_divided(cloud: Any, source: str) -> None:
    node = only(cloud, a_parallel_run(cloud, source))
    assert node.settings == {
        "mini_batch_size": {"source": "size"},
        "error_threshold": 3,
        "output_action": "append_row",
        "logging_level": "INFO",
        "process_count_per_node": 4,
        "run_invocation_timeout": 60,
        "run_max_try": 3,
        "node_count": {"source": "nodes"},
        "inputs": ["images"],
        "side_inputs": ["labels"],
    }
    assert (node.script, node.run_config_parameters, node.run_config["nodeCount"]) == ("train.py", {"NodeCount": "nodes"}, 2)
    assert [(port.name, port.mode) for port in node.inputs] == [("images", "mount"), ("labels", "mount")]
    assert [(item.kind, item.value) for item in node.arguments] == [
        ("literal", "--labels"),
        ("input", "labels"),
        ("literal", "--top"),
        ("literal", "3"),
    ]
    assert [item.pipeline_parameter for item in node.parameters] == ["size"]


def test_inputs_of_a_parallel_run_reach_it_as_its_kind_needs(cloud: Any, source: str) -> None:
    plain, keyed = config(source), config(source, partition_keys=["day"])
    out, data, made = PipelineData("scored"), PipelineData("data").as_dataset(), OutputFileDatasetConfig("made")

    PythonScriptStep("prep.py", outputs=[data, made], source_directory=source)
    rows = data.parse_delimited_files().as_named_input("rows")
    for configuration, item, mode in (
        (plain, files(cloud), "mount"),
        (plain, files(cloud).as_download(), "mount"),
        (plain, table(cloud), "direct"),
        (plain, data, "mount"),
        (plain, data.as_direct(), "mount"),
        (plain, rows, "direct"),
        (plain, made, "mount"),
        (plain, made.read_delimited_files(), "direct"),
        (keyed, files(cloud), "direct"),
        (keyed, made, "direct"),
        (keyed, data.as_direct(), "direct"),
    ):
        step = ParallelRunStep("batch", configuration, [item], out)
        assert [port.mode for port in only(cloud, step).inputs] == [mode], (configuration, item)


def test_what_a_parallel_run_step_refuses(cloud: Any, source: str, caplog: pytest.LogCaptureFixture) -> None:
    out, good = PipelineData("scored"), files(cloud)
    wrong: List[Any] = [
        ({"parallel_run_config": RunConfiguration()}, "must be a ParallelRunConfig"),
        ({"inputs": [good, table(cloud)]}, "All must be of one kind"),
        ({"inputs": [PipelineData("x")]}, "unexpected type, PipelineData"),
        ({"parallel_run_config": config(source, partition_keys=["a"]), "inputs": [good.as_mount()]}, "divided by partition_keys"),
        ({"output": None}, "needs an output"),
        ({"arguments": ["top", 3]}, "Name them"),
        ({"arguments": ["--a", 1, "--output_action", "append_row"]}, "set output_action of the ParallelRunConfig"),
        ({"arguments": ["--mini_batch_size=3"]}, "set mini_batch_size"),
        ({"arguments": ["--output", "x"]}, "the step's output says it"),
        ({"parallel_run_config": config(source, entry_script="nothing.py")}, "no entry_script 'nothing.py'"),
        ({"parallel_run_config": config(source, source_directory="/nothing/there")}, "not a folder"),
    ]
    for changed, message in wrong:
        with pytest.raises(ValueError, match=message):
            ParallelRunStep(**{"name": "batch", "parallel_run_config": config(source), "inputs": [good], "output": out, **changed})
    for inputs in ([], None, good):
        with pytest.raises(AssertionError, match="not empty"):
            ParallelRunStep("batch", config(source), inputs, out)
    for count in (5, PipelineParameter("count", 5)):
        assert ParallelRunStep("batch", config(source), [], out, arguments=["--rank_mini_batch_count", count])._inputs == []
    assert not caplog.records
    ParallelRunStep("Batch scoring", config(source), [good], PipelineData("other"))
    assert "Azure refuses 'Batch scoring'" in caplog.text


def test_the_first_place_of_parallel_runs_takes_what_it_took(cloud: Any, source: str) -> None:
    configuration = first.ParallelRunConfig(
        environment=Environment("e"),
        entry_script="train.py",
        error_threshold=1,
        output_action="summary_only",
        compute_target="gpu",
        node_count=1,
        mini_batch_size="5",
        source_directory=source,
        input_format="file",
    )
    step = first.ParallelRunStep(name="batch", parallel_run_config=configuration, inputs=[files(cloud)], models=[])
    assert (only(cloud, step).step_type, only(cloud, step).settings["mini_batch_size"]) == ("ParallelRunStep", 5)
    assert step.running_on_windows is False


def test_a_sweep_keeps_its_space_its_goal_and_where_results_go(cloud: Any, source: str) -> None:
    node = only(cloud, a_sweep(cloud, source))
    assert node.settings == {
        "hyperparameter_sampling": {
            "name": "RANDOM",
            "parameter_space": {"--lr": ["uniform", [0, 1]], "--layers": ["choice", [[1, 2]]]},
            "properties": {"seed": 7},
        },
        "primary_metric_name": "loss",
        "primary_metric_goal": "minimize",
        "max_total_runs": 8,
        "max_concurrent_runs": 4,
        "max_duration_minutes": 10080,
        "policy": {"name": "Bandit", "properties": {"evaluation_interval": 2, "delay_evaluation": 0, "slack_factor": 0.1}},
        "metrics_output": "metrics",
        "training_outputs": {"best": {"type": "Model", "model_file": "outputs/m.pkl"}, "metrics": {"type": "Metrics"}},
    }
    assert (node.script, node.compute and node.compute.name, node.run_config["script"]) == ("train.py", "gpu", None)
    command = sweep(source, run_config=ScriptRunConfig(source, command=["python", "train.py"]))
    assert only(cloud, HyperDriveStep("c", command)).command == ("python", "train.py")


def test_what_a_sweep_step_refuses(cloud: Any, source: str) -> None:
    estimator = Estimator(source, entry_script="train.py", compute_target="gpu")
    given = Estimator(source, entry_script="train.py", compute_target="gpu", script_params={"--a": 1})
    with_arguments = sweep(source, run_config=ScriptRunConfig(source, "train.py", ["--a", 1]))
    run_config = RunConfiguration()
    run_config.data_references = {"here": DataReference(cloud.store, "here", "a").to_config()}
    referring = sweep(source, run_config=ScriptRunConfig(source, "train.py", run_config=run_config))
    piped = sweep(
        source,
        run_config=None,
        pipeline=Pipeline(cloud, [a_command(cloud, source)]),
        hyperparameter_sampling=RandomParameterSampling({"epochs": choice(1, 2)}),
    )
    wrong: List[Any] = [
        ({"name": None}, "name of a HyperDriveStep"),
        ({"hyperdrive_config": given}, "must be a HyperDriveConfig"),
        ({"hyperdrive_config": piped}, "runs a pipeline"),
        ({"hyperdrive_config": sweep(source, run_config=None, estimator=estimator)}, "needs estimator_entry_script_arguments"),
        ({"hyperdrive_config": sweep(source, run_config=None, estimator=given)}, "has script_params"),
        ({"hyperdrive_config": referring}, "has data_references"),
        ({"hyperdrive_config": with_arguments, "estimator_entry_script_arguments": []}, "not to both"),
        ({"estimator_entry_script_arguments": "--a 1"}, "must be a list"),
        ({"metrics_output": "metrics"}, "metrics_output must be"),
    ]
    for changed, message in wrong:
        with pytest.raises(ValueError, match=message):
            HyperDriveStep(**{"name": "sweep", "hyperdrive_config": sweep(source), **changed})
    text = sweep(source, run_config=ScriptRunConfig(source, "train.py", "--a 'b c'"))
    assert [item.value for item in only(cloud, HyperDriveStep("t", text)).arguments] == ["--a", "b c"]
    step = HyperDriveStep("e", sweep(source, run_config=None, estimator=estimator), ["--lr", 5, "--n", 1, "--layers"])
    assert [item.value for item in only(cloud, step).arguments] == ["--n", "1"], "the sweep sets the others"
    reference = DataReference(cloud.store, "all_metrics", "m")
    assert only(cloud, HyperDriveStep("r", sweep(source), metrics_output=reference)).outputs[0].name == "all_metrics"


def test_a_transfer_keeps_which_input_is_which(cloud: Any, source: str) -> None:
    step = a_transfer(cloud, source)
    node = only(cloud, step)
    assert node.settings == {
        "source_reference_type": "file",
        "destination_reference_type": "directory",
        "source_data_reference": "here",
        "destination_data_reference": "there",
    }
    reader = CommandStep(["cat", step.get_output()], inputs=[step.get_output()], source_directory=source)
    assert len(Pipeline(cloud, [reader]).graph.module_nodes) == 2
    query = SqlDataReference(cloud.store, "rows", sql_query="select 1")
    to_file = DataTransferStep("sql", query, DataReference(cloud.store, "there", "x"), "factory")
    assert only(cloud, to_file).settings["sql"] == {"rows": {"sql_query": "select 1"}}


def test_what_a_transfer_refuses(cloud: Any) -> None:
    here, there = DataReference(cloud.store, "here", "a"), DataReference(cloud.store, "there", "b")
    wrong: List[Any] = [
        ({"name": 3}, "name of a DataTransferStep"),
        ({"source_data_reference": None}, "source_data_reference must be .* not None"),
        ({"destination_data_reference": PipelineData("x")}, "destination_data_reference must be"),
        ({"compute_target": None}, "needs a compute_target"),
        ({"source_reference_type": "folder"}, "must be 'file' or 'directory'"),
    ]
    for changed, message in wrong:
        base = {"name": "t", "source_data_reference": here, "destination_data_reference": there, "compute_target": "factory"}
        with pytest.raises(ValueError, match=message):
            DataTransferStep(**{**base, **changed})


def test_a_transfer_needs_a_data_factory_where_the_kind_is_known(cloud: Any) -> None:
    here, there = DataReference(cloud.store, "here", "a"), DataReference(cloud.store, "there", "b")
    with pytest.raises(ValueError, match="needs a compute target of the type DataFactory; 'gpu' has the type AmlCompute"):
        only(cloud, DataTransferStep("t", here, there, cloud.compute_targets["gpu"]))
    node = only(cloud, DataTransferStep("t", here, there, ("factory", "DataFactory")))
    assert (node.compute and node.compute.type) == "DataFactory"


def test_a_databricks_step_keeps_its_cluster_and_its_code(cloud: Any, source: str) -> None:
    node = only(cloud, a_databricks(cloud, source))
    assert node.settings == {
        "spark_version": "10.4.x-scala2.12",
        "node_type": "Standard_D3_v2",
        "num_workers": {"source": "workers"},
        "spark_env_variables": {"PYSPARK_PYTHON": "/databricks/python3/bin/python3"},
        "spark_conf": {"a": "b"},
        "run_name": "nightly",
        "timeout_seconds": 60,
        "python_script_name": "train.py",
        "pypi_libraries": [{"package": "numpy"}],
    }
    assert node.script == "train.py"
    assert [item.kind for item in node.arguments] == ["literal", "input", "parameter"]
    assert sorted(item.name for item in node.parameters) == ["day", "workers"]
    notebook = DatabricksStep("n", existing_cluster_id="c", notebook_path="/a", notebook_params={"x": 1}, compute_target="bricks")
    assert only(cloud, notebook).settings == {"existing_cluster_id": "c", "notebook_path": "/a", "notebook_params": {"x": 1}}


def test_what_a_databricks_step_refuses(source: str) -> None:
    clustered = RunConfiguration()
    clustered.environment.databricks.cluster = DatabricksCluster(existing_cluster_id="c")
    wrong: List[Any] = [
        ({"name": None}, "name of a DatabricksStep"),
        ({"compute_target": None}, "needs a compute_target"),
        ({"notebook_path": None}, "exactly one of .* it has none"),
        ({"python_script_path": "x"}, "it has notebook_path and python_script_path"),
        ({"notebook_path": None, "python_script_name": "train.py"}, "needs source_directory"),
        ({"runconfig": RunConfiguration(), "pypi_libraries": [PyPiLibrary("a")]}, "has a runconfig and pypi_libraries"),
        ({"runconfig": clustered}, "leave out num_workers"),
        ({"num_workers": None}, "either num_workers, or min_workers and max_workers"),
        ({"min_workers": 1, "max_workers": 2}, "either num_workers"),
        ({"num_workers": None, "min_workers": 1}, "either num_workers"),
        ({"num_workers": "2"}, "num_workers must be a whole number"),
        ({"node_type": "a", "instance_pool_id": "b"}, "node_type or instance_pool_id"),
        ({"permit_cluster_restart": True}, "needs existing_cluster_id"),
        ({"run_name": 3}, "run_name must be a text"),
        ({"timeout_seconds": "3"}, "timeout_seconds must be a whole number"),
        ({"init_scripts": "a.sh"}, "init_scripts must be a list"),
        ({"pypi_libraries": ["numpy"]}, "must hold PyPiLibrary"),
    ]
    for changed, message in wrong:
        with pytest.raises(ValueError, match=message):
            DatabricksStep(**{"name": "b", "notebook_path": "/a", "num_workers": 1, "compute_target": "bricks", **changed})
    DatabricksStep("b", notebook_path="/a", runconfig=clustered, compute_target="bricks")


def test_a_search_keeps_its_settings_and_what_its_outputs_take(cloud: Any, source: str) -> None:
    assert only(cloud, a_search(cloud, source)).settings == {
        "automl_settings": {"task": "regression", "iterations": 3, "label_column_name": "y"},
        "training_outputs": {"default_model_search": {"type": "Model"}, "default_metrics_search": {"type": "Metrics"}},
    }


def test_what_the_other_steps_keep(cloud: Any, source: str) -> None:
    assert only(cloud, a_batch(cloud, source)).settings == {
        "create_pool": False,
        "pool_id": "p",
        "delete_batch_job_after_finish": True,
        "delete_batch_pool_after_finish": False,
        "is_positive_exit_code_failure": True,
        "vm_image_urn": "urn:MicrosoftWindowsServer:WindowsServer:2012-R2-Datacenter",
        "run_task_as_admin": False,
        "target_compute_nodes": 1,
        "vm_size": "standard_d1_v2",
        "executable": "run.cmd",
    }
    lake = only(cloud, an_adla(cloud, source))
    assert (lake.name, lake.script, lake.settings) == ("query.usql", "query.usql", {"priority": 2})
    kusto = only(cloud, a_kusto(cloud, source))
    assert kusto.settings == {"database_name": "sales", "parameter_dict": {"day": {"source": "day"}, "n": 1}}
    assert kusto.allow_reuse is False
    spark = only(cloud, a_spark(cloud, source))
    assert spark.settings == {
        "app_name": "spark",
        "driver_memory": "1g",
        "executor_memory": "2g",
        "driver_cores": 1,
        "executor_cores": 2,
        "num_executors": 3,
        "conf": {"spark.a": 1, "spark.yarn.maxAppAttempts": 2},
        "py_files": ["a.py"],
    }
    told = spark.run_config["spark"]["configuration"]
    assert (told["spark.executor.instances"], told["spark.yarn.maxAppAttempts"], told["spark.submit.pyFiles"]) == (3, 2, "a.py")
    assert [(port.name, port.mode) for port in spark.inputs] == [("rows", "direct"), ("images", "hdfs")]


def test_what_the_other_steps_refuse(cloud: Any, source: str) -> None:
    out = PipelineData("o")
    spark = ("train.py", source, "pool", "1g", 1, "2g", 2, 3)
    wrong: List[Any] = [
        (lambda: AzureBatchStep("b", compute_target="batch"), "executable"),
        (lambda: AzureBatchStep("b", executable="a"), "compute_target"),
        (lambda: AzureBatchStep("b", executable="a", compute_target="batch", create_pool="yes"), "create_pool must be True or False"),
        (lambda: AdlaStep(None, compute_target="lake"), "script_name of an AdlaStep"),  # type: ignore[arg-type]
        (lambda: AdlaStep("a.usql"), "compute_target"),
        (lambda: AdlaStep("a.usql", compute_target="lake", priority="high"), "priority must be a whole number"),
        (lambda: only(cloud, AdlaStep("a.usql", compute_target="lake", source_directory=source)), "usql"),
        (lambda: KustoStep("k", cloud.compute_targets["cluster"], "d", source, out), "compute_target of a KustoStep"),
        (lambda: KustoStep("k", "c", "d", source, "out"), "output must be PipelineData"),
        (lambda: KustoStep("k", "c", "d", source, out, ["a"]), "parameter_dict must be a dictionary"),  # type: ignore[arg-type]
        (lambda: KustoStep("k", "c", "d", source + "/nothing", out), "not a folder"),
        (lambda: SynapseSparkStep("train.py", source, "local", "1g", 1, "2g", 2, 3), "not 'local'"),
        (lambda: SynapseSparkStep("train.py", source, "pool", 1, 1, "2g", 2, 3), "driver_memory"),  # type: ignore[arg-type]
        (lambda: SynapseSparkStep("train.py", source, "pool", "1g", None, "2g", 2, 3), "needs driver_cores"),  # type: ignore[arg-type]
        (lambda: SynapseSparkStep(*spark, inputs=[files(cloud).as_mount()]), "DatasetConsumptionConfig in mode 'mount'"),
        (lambda: SynapseSparkStep(*spark, outputs=[out]), "HDFSOutputDatasetConfig"),
        (lambda: SynapseSparkStep(*spark, conf={"spark.driver.cores": 4}), "Say it once"),
        (lambda: SynapseSparkStep(*spark, jars=3), "jars must be"),  # type: ignore[arg-type]
    ]
    for make, message in wrong:
        with pytest.raises(ValueError, match=message):
            make()


def test_a_subclass_is_still_the_kind_of_step_that_it_is(cloud: Any, source: str) -> None:
    class Nightly(ParallelRunStep):
        pass

    step = Nightly("nightly", config(source), [files(cloud)], PipelineData("o"))
    assert only(cloud, step).step_type == "ParallelRunStep", "as a script, its module would do nothing and succeed"
