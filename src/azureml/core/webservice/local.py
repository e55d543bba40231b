"""v1's module of this name."""

from azureml.core.webservice import LocalWebservice

__all__ = ["LocalWebservice"]
