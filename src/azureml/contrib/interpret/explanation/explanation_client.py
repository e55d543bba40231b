"""Explanations of models, in their older place."""

from azureml.interpret import ExplanationClient

__all__ = ["ExplanationClient"]
