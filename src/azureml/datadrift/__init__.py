"""Monitors of data drift. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Compare the two datasets in a step of a pipeline, and log what you find."

AlertConfiguration = refuse_class("azureml.datadrift.AlertConfiguration", _INSTEAD)
DataDriftDetector = refuse_class("azureml.datadrift.DataDriftDetector", _INSTEAD)

__all__ = ["AlertConfiguration", "DataDriftDetector"]
