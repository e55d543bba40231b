"""What a deployed web service collects. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "It belongs to a deployed web service, and deployments belong to Azure. Take the call out."

ModelDataCollector = refuse_class("azureml.monitoring.ModelDataCollector", _INSTEAD)

__all__ = ["ModelDataCollector"]
