"""v1's module of this name."""

from azureml.core.webservice import Webservice

__all__ = ["Webservice"]
