"""Web services: v1's deployments. Not part of this version: the names import, descriptions are kept, and deploying refuses."""

from __future__ import annotations

from typing import Any, Optional

from azureml.core._deployments import Absent, DeploymentConfiguration

_INSTEAD = "Deployments belong to Azure. Take the call out, or load the model in a process of your own."


class WebserviceDeploymentConfiguration(DeploymentConfiguration):
    """What a service would be like."""


class AciServiceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What a service in a container instance would be like."""


class AksServiceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What a service on Kubernetes would be like."""


class LocalWebserviceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What a service in a local container would be like."""


class Webservice(metaclass=Absent):
    """v1's Webservice. There are none: looking for one raises WebserviceException, deploying one NotImplementedError."""

    _v1_name, _instead, _kind = "Webservice", _INSTEAD, "Webservice"


class AciWebservice(Webservice):
    """v1's AciWebservice; see `Webservice`."""

    _v1_name = "AciWebservice"

    @staticmethod
    def deploy_configuration(
        cpu_cores: Optional[float] = None, memory_gb: Optional[float] = None, **settings: Any
    ) -> AciServiceDeploymentConfiguration:
        """Return a description that keeps these settings."""
        return AciServiceDeploymentConfiguration(cpu_cores=cpu_cores, memory_gb=memory_gb, **settings)


class AksWebservice(Webservice):
    """v1's AksWebservice; see `Webservice`."""

    _v1_name = "AksWebservice"

    @staticmethod
    def deploy_configuration(**settings: Any) -> AksServiceDeploymentConfiguration:
        """Return a description that keeps these settings."""
        return AksServiceDeploymentConfiguration(**settings)


class AksEndpoint(Webservice):
    """v1's AksEndpoint; see `Webservice`."""

    _v1_name = "AksEndpoint"

    @staticmethod
    def deploy_configuration(**settings: Any) -> AksServiceDeploymentConfiguration:
        """Return a description that keeps these settings."""
        return AksServiceDeploymentConfiguration(**settings)


class LocalWebservice(Webservice):
    """v1's LocalWebservice; see `Webservice`."""

    _v1_name = "LocalWebservice"

    @staticmethod
    def deploy_configuration(port: Optional[int] = None) -> LocalWebserviceDeploymentConfiguration:
        """Return a description that keeps the port."""
        return LocalWebserviceDeploymentConfiguration(port=port)


__all__ = ["AciWebservice", "AksEndpoint", "AksWebservice", "LocalWebservice", "Webservice"]
