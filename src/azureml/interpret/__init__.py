"""Explanations of models. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Keep what you computed with the run: run.upload_file(name, path), or run.log_table(name, values)."

ExplanationClient = refuse_class("azureml.interpret.ExplanationClient", _INSTEAD)

__all__ = ["ExplanationClient"]
