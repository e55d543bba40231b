"""Data transfer steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

DataTransferStep = refuse_class(
    "azureml.pipeline.steps.data_transfer_step.DataTransferStep", "Use a PythonScriptStep that copies its input to its output."
)
