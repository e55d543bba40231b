"""v1's module of this name."""

from azureml.core.image import Image

__all__ = ["Image"]
