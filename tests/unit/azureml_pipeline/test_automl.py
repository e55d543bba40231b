"""AutoMLStep: it takes its place in a graph with its data as inputs."""

from __future__ import annotations

from typing import Any

import pytest

from azureml.core import Dataset
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline, PipelineData, TrainingOutput
from azureml.pipeline.core._document import to_document
from azureml.pipeline.steps import AutoMLStep, PythonScriptStep
from azureml.train.automl import AutoMLConfig
from azureml.train.automl.exceptions import ConfigException
from penstock.model.steps import CANNOT_RUN


def test_a_configuration_keeps_what_it_is_given() -> None:
    config = AutoMLConfig("regression", path="scripts", iterations=2, label_column_name="cost", n_cross_validations=5)
    assert config.user_settings == {
        "task": "regression",
        "path": "scripts",
        "iterations": 2,
        "label_column_name": "cost",
        "n_cross_validations": 5,
    }
    with pytest.raises(ConfigException, match="task"):
        AutoMLConfig(None)  # type: ignore[arg-type]


def test_its_data_are_inputs_and_its_results_outputs(workspace: Any, source: str) -> None:
    train, more = PipelineData("train").as_dataset(), OutputFileDatasetConfig("more")
    PythonScriptStep("prep.py", name="split", arguments=[more], outputs=[train], source_directory=source)
    table = Dataset.Tabular.from_delimited_files((workspace.store, "a.csv"), validate=False)
    config = AutoMLConfig(
        "classification",
        compute_target="gpu",
        training_data=train.parse_parquet_files().keep_columns(["a"]),
        validation_data=more.read_delimited_files(),
        test_data=table.as_named_input("other"),
        X=table,
    )
    metrics = PipelineData("metrics", pipeline_output_name="m", training_output=TrainingOutput("Metrics"))
    search = AutoMLStep("My search", config, outputs=[metrics])
    graph = to_document(Pipeline(workspace, [search]).graph)
    (step,) = [step for step in graph.steps if step.name == "My search"]
    assert (step.step_type, step.script, step.snapshot, step.compute and step.compute.name) == ("AutoMLStep", None, None, "gpu")
    assert [(port.name, port.mode) for port in step.inputs] == [
        (name, "direct") for name in ("training_data", "validation_data", "test_data", "X")
    ]
    assert [(port.name, port.pipeline_output_name) for port in step.outputs] == [
        ("metrics", "m"),
        ("default_model_My_search", "_default_model_My_search"),
        ("default_metrics_My_search", "_default_metrics_My_search"),
    ]
    assert len(step.predecessors()) == 3, "one step, and two data nodes"
    assert Pipeline(workspace, [search]).validate() == []
    assert step.step_type in CANNOT_RUN


def test_outputs_that_are_not_wanted(workspace: Any) -> None:
    step = AutoMLStep("s", AutoMLConfig("regression"), enable_default_model_output=False, enable_default_metrics_output=False)
    assert step._outputs == []


def test_what_it_is_made_of_is_checked(workspace: Any) -> None:
    files = Dataset.File.from_files((workspace.store, "a"), validate=False)
    with pytest.raises(ConfigException, match="must be an AutoMLConfig, not a dict"):
        AutoMLStep("s", {"task": "regression"})  # type: ignore[arg-type]
    with pytest.raises(ConfigException, match="name of an AutoMLStep"):
        AutoMLStep(None, AutoMLConfig("regression"))  # type: ignore[arg-type]
    for data in (files, files.as_named_input("x"), OutputFileDatasetConfig("x")):
        with pytest.raises(ValueError, match="training_data must be a tabular dataset"):
            AutoMLStep("s", AutoMLConfig("regression", training_data=data))
