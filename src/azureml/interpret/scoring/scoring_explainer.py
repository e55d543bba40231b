"""Explanations in deployed web services. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_call, refuse_class

_INSTEAD = "Keep what you computed with the run: run.upload_file(name, path), or run.log_table(name, values)."

DeepScoringExplainer = refuse_class("azureml.interpret.scoring.scoring_explainer.DeepScoringExplainer", _INSTEAD)
KernelScoringExplainer = refuse_class("azureml.interpret.scoring.scoring_explainer.KernelScoringExplainer", _INSTEAD)
LinearScoringExplainer = refuse_class("azureml.interpret.scoring.scoring_explainer.LinearScoringExplainer", _INSTEAD)
TreeScoringExplainer = refuse_class("azureml.interpret.scoring.scoring_explainer.TreeScoringExplainer", _INSTEAD)
load = refuse_call("azureml.interpret.scoring.scoring_explainer.load", _INSTEAD)
save = refuse_call("azureml.interpret.scoring.scoring_explainer.save", _INSTEAD)

__all__ = ["DeepScoringExplainer", "KernelScoringExplainer", "LinearScoringExplainer", "TreeScoringExplainer", "load", "save"]
