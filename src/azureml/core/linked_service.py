"""Linked services: ties between a workspace and other cloud services, kept as records."""

from __future__ import annotations

from typing import Any, List, Optional

from azureml.core._refusal import not_built

_INSTEAD = "A local workspace has no linked services; run Spark work as a PythonScriptStep that starts Spark itself."


class LinkedServiceConfiguration:
    """Base of what a linked service is registered from."""


class SynapseWorkspaceLinkedServiceConfiguration(LinkedServiceConfiguration):
    """A Synapse workspace by subscription, resource group and name."""

    def __init__(self, subscription_id: str, resource_group: str, name: str) -> None:
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.name = name


class LinkedService:
    """A linked service by its ids."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        type: str,
        linked_service_resource_id: Optional[str],
        system_assigned_identity_principal_id: Optional[str],
    ) -> None:
        self._workspace = workspace
        self._name = name
        self._type = type
        self._linked_service_resource_id = linked_service_resource_id
        self._system_assigned_identity_principal_id = system_assigned_identity_principal_id

    @property
    def name(self) -> str:
        """The name in the workspace."""
        return self._name

    @property
    def type(self) -> str:
        """The kind of service."""
        return self._type

    @property
    def linked_service_resource_id(self) -> Optional[str]:
        """The id of the service in the cloud."""
        return self._linked_service_resource_id

    @property
    def system_assigned_identity_principal_id(self) -> Optional[str]:
        """The id of its identity in the cloud."""
        return self._system_assigned_identity_principal_id

    @staticmethod
    def list(workspace: Any) -> List[LinkedService]:
        """Return the linked services of a workspace: none."""
        return []

    @staticmethod
    def get(workspace: Any, name: str) -> LinkedService:
        """Refuse: a local workspace has no linked services."""
        raise not_built("LinkedService.get", _INSTEAD)

    @staticmethod
    def register(workspace: Any, name: str, linked_service_config: LinkedServiceConfiguration) -> LinkedService:
        """Refuse: a local workspace has no linked services."""
        raise not_built("LinkedService.register", _INSTEAD)

    def unregister(self) -> None:
        """Refuse: a local workspace has no linked services."""
        raise not_built("LinkedService.unregister", _INSTEAD)
