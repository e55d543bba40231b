"""What scripts ask about automated machine learning. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_call

_INSTEAD = "Compare models in a PythonScriptStep that trains them."

get_primary_metrics = refuse_call("azureml.train.automl.utilities.get_primary_metrics", _INSTEAD)

__all__ = ["get_primary_metrics"]
