"""Automated ML steps: not part of this version, so the names import and refuse to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

AutoMLStep = refuse_class(
    "azureml.pipeline.steps.automl_step.AutoMLStep", "Use a PythonScriptStep that trains and compares the models itself."
)
AutoMLStepRun = refuse_class(
    "azureml.pipeline.steps.automl_step.AutoMLStepRun", "Read the step's outputs with StepRun.get_output_data(name)."
)
