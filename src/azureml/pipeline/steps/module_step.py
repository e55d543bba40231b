"""Steps on registered modules: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

ModuleStep = refuse_class(
    "azureml.pipeline.steps.module_step.ModuleStep", "Use a PythonScriptStep with the module's script as script_name."
)
