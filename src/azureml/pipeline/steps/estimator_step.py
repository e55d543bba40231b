"""Estimator steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

EstimatorStep = refuse_class(
    "azureml.pipeline.steps.estimator_step.EstimatorStep",
    "Use a PythonScriptStep with the estimator's entry script, arguments and run configuration.",
)
