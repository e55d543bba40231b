"""Every kind of step, as rich as it gets, is written to YAML and loads to an equal graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List

import pytest
from tests.unit.azureml_pipeline.test_step_types import MAKERS, cloud  # noqa: F401
from tests.unit.azureml_pipeline.test_yaml_round_trip import _datastores, assert_round_trip  # noqa: F401

import azureml.pipeline.steps
from azureml.core import Dataset
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.core._document import to_document
from azureml.pipeline.steps import AutoMLStep, PythonScriptStep
from azureml.train.automl import AutoMLConfig

Make = Callable[[Any, str], Any]


def a_script(workspace: Any, source: str) -> Any:
    return PythonScriptStep("prep.py", "script", ["--x", 1], "gpu", outputs=[PipelineData("out")], source_directory=source, version="2")


def a_search(workspace: Any, source: str) -> Any:
    rows = Dataset.Tabular.from_delimited_files((workspace.store, "a.csv"), validate=False)
    return AutoMLStep("search", AutoMLConfig(task="classification", training_data=rows, label_column_name="y"), version="3")


ALL: List[Make] = [*MAKERS, a_script, a_search]


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
@pytest.mark.usefixtures("_datastores")
def test_a_round_trip(cloud: Any, source: str, tmp_path: Path, make: Make) -> None:  # noqa: F811
    before = PythonScriptStep("prep.py", "before", compute_target="gpu", source_directory=source)
    step = make(cloud, source)
    step.run_after(before)
    assert_round_trip(cloud, Pipeline(cloud, [step]).graph, tmp_path / "pipeline.yml", source)


def test_no_kind_of_step_is_left_out(cloud: Any, source: str) -> None:  # noqa: F811
    kinds = {to_document(Pipeline(cloud, [make(cloud, source)]).graph).steps[0].step_type for make in ALL}
    known = {name for name in azureml.pipeline.steps.__all__ if name.endswith("Step")}
    assert known - kinds == {"ModuleStep"}  # tests/acceptance/test_pipeline_yaml.py has one, as it needs a registered module
