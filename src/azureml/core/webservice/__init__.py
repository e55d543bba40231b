"""Web services: v1's deployments. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Deployments belong to Azure. Take the call out, or load the model in a process of your own."

Webservice = refuse_class("azureml.core.webservice.Webservice", _INSTEAD)
AciWebservice = refuse_class("azureml.core.webservice.AciWebservice", _INSTEAD)
AksEndpoint = refuse_class("azureml.core.webservice.AksEndpoint", _INSTEAD)
AksWebservice = refuse_class("azureml.core.webservice.AksWebservice", _INSTEAD)
LocalWebservice = refuse_class("azureml.core.webservice.LocalWebservice", _INSTEAD)

__all__ = ["AciWebservice", "AksEndpoint", "AksWebservice", "LocalWebservice", "Webservice"]
