"""Answers of deployed web services. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "It belongs to a deployed web service, and deployments belong to Azure."

AMLResponse = refuse_class("azureml.contrib.services.aml_response.AMLResponse", _INSTEAD)

__all__ = ["AMLResponse"]
