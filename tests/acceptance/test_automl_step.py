"""A step that searches for a model: it may stand in a pipeline, and says at its turn that nothing searches."""

from __future__ import annotations

import pytest

from azureml.core import Experiment
from azureml.pipeline.core import Pipeline, PipelineData, TrainingOutput
from azureml.pipeline.steps import AutoMLStep, PythonScriptStep
from azureml.train.automl import AutoMLConfig
from azureml.train.automl.exceptions import ConfigException

MAKE = "import os, sys; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/data.csv', 'w').write('a,b\\n1,2\\n')"


def test_the_steps_before_it_run_and_it_fails_by_name(workspace, scripts):
    data = PipelineData("data", datastore=workspace.get_default_datastore())
    metrics = PipelineData("metrics", datastore=workspace.get_default_datastore(), training_output=TrainingOutput(type="Metrics"))
    make = PythonScriptStep("make.py", "make", [data], "local", outputs=[data], source_directory=str(scripts(make=MAKE)))
    config = AutoMLConfig(task="regression", training_data=data, label_column_name="b", compute_target="local", iterations=2)
    search = AutoMLStep(name="search", automl_config=config, outputs=[metrics])
    run = Experiment(workspace, "automl").submit(Pipeline(workspace, [search]))
    assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    assert run.find_step_run("make")[0].get_status() == "Finished"
    assert make.name == "make"
    failed = run.find_step_run("search")[0]
    assert failed.get_status() == "Failed"
    assert "Automated ML is not part of Penstock" in failed.get_details()["error"]["error"]["message"]


def test_what_it_is_built_from_is_checked_early(workspace):
    with pytest.raises(ConfigException, match="must be an AutoMLConfig, not a dict"):
        AutoMLStep("search", {"task": "regression"})
    with pytest.raises(ConfigException, match="task of an AutoMLConfig"):
        AutoMLConfig(None)
    with pytest.raises(NotImplementedError, match="PythonScriptStep"):
        Experiment(workspace, "automl").submit(AutoMLConfig("regression"))
