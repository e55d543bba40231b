"""Images: v1's first way of deployment. Not part of this version: the names import, descriptions are kept, and making one refuses."""

from __future__ import annotations

from typing import Any

from azureml.core._deployments import Absent, DeploymentConfiguration

_INSTEAD = "Images belong to Azure's deployments. Take the call out, or load the model in a process of your own."


class ContainerImageConfig(DeploymentConfiguration):
    """What an image would hold."""


class Image(metaclass=Absent):
    """v1's Image. There are none: looking for one raises WebserviceException, making one NotImplementedError."""

    _v1_name, _instead, _kind = "Image", _INSTEAD, "Image"


class ContainerImage(Image):
    """v1's ContainerImage; see `Image`."""

    _v1_name = "ContainerImage"

    @staticmethod
    def image_configuration(execution_script: Any, runtime: Any = None, conda_file: Any = None, **settings: Any) -> ContainerImageConfig:
        """Return a description that keeps these settings."""
        return ContainerImageConfig(execution_script=execution_script, runtime=runtime, conda_file=conda_file, **settings)


__all__ = ["ContainerImage", "Image"]
