"""v1's scikit-learn estimator. Not part of this version: the name imports and refuses to work."""

from azureml.core._refusal import refuse_class

SKLearn = refuse_class(
    "azureml.train.sklearn.SKLearn",
    "Estimators come in a later release. Use a PythonScriptStep with the same script and arguments.",
)

__all__ = ["SKLearn"]
