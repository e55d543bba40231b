"""Hyperdrive steps: not part of this version, so the names import and refuse to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

HyperDriveStep = refuse_class(
    "azureml.pipeline.steps.hyper_drive_step.HyperDriveStep", "Use a PythonScriptStep that tries the settings in a loop."
)
HyperDriveStepRun = refuse_class(
    "azureml.pipeline.steps.hyper_drive_step.HyperDriveStepRun", "Read the step's metrics with StepRun.get_metrics()."
)
