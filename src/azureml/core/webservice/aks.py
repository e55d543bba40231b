"""v1's module of this name."""

from azureml.core.webservice import AksEndpoint, AksWebservice

__all__ = ["AksEndpoint", "AksWebservice"]
