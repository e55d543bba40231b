"""Registered modules: not part of this version, so the names import and refuse to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

_INSTEAD = "Keep the step as Python code and import it: a function that returns a PythonScriptStep serves as a module."

Module = refuse_class("azureml.pipeline.core.module.Module", _INSTEAD)
ModuleVersion = refuse_class("azureml.pipeline.core.module.ModuleVersion", _INSTEAD)
ModuleVersionDescriptor = refuse_class("azureml.pipeline.core.module.ModuleVersionDescriptor", _INSTEAD)
