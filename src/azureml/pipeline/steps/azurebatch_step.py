"""Azure Batch steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

AzureBatchStep = refuse_class(
    "azureml.pipeline.steps.azurebatch_step.AzureBatchStep", "Use a PythonScriptStep that runs the program with subprocess."
)
