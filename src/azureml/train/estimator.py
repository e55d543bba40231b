"""v1's generic estimators. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Estimators come in a later release. Use a PythonScriptStep with the same script and arguments."

Estimator = refuse_class("azureml.train.estimator.Estimator", _INSTEAD)
MMLBaseEstimator = refuse_class("azureml.train.estimator.MMLBaseEstimator", _INSTEAD)

__all__ = ["Estimator", "MMLBaseEstimator"]
