"""Explanations of models: what matters to them, kept with the runs that made them."""

from azureml.interpret._explanations import ExplanationClient, ModelExplanation

__all__ = ["ExplanationClient", "ModelExplanation"]
