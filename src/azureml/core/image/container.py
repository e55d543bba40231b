"""v1's module of this name."""

from azureml.core.image import ContainerImage

__all__ = ["ContainerImage"]
