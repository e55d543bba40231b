"""Images: v1's first way of deployment. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Images belong to Azure's deployments. Take the call out, or load the model in a process of your own."

Image = refuse_class("azureml.core.image.Image", _INSTEAD)
ContainerImage = refuse_class("azureml.core.image.ContainerImage", _INSTEAD)

__all__ = ["ContainerImage", "Image"]
