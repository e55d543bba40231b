"""v1's module of this name."""

from azureml.core.webservice import AciWebservice

__all__ = ["AciWebservice"]
