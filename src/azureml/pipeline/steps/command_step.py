"""Command steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

CommandStep = refuse_class(
    "azureml.pipeline.steps.command_step.CommandStep", "Use a PythonScriptStep that runs the command with subprocess."
)
