"""Databricks steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

DatabricksStep = refuse_class(
    "azureml.pipeline.steps.databricks_step.DatabricksStep", "Use a PythonScriptStep that submits the job with a client library."
)
