"""SynapseCompute: a Spark pool of Synapse; here a record."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration
from azureml.exceptions import ComputeTargetException


class SynapseAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a Spark pool of a linked service."""

    def __init__(self, linked_service: Any, type: str, pool_name: str) -> None:
        super().__init__(SynapseCompute)
        self.linked_service = linked_service
        self.type = type
        self.pool_name = pool_name
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        if self.type != "SynapseSpark":
            raise ComputeTargetException(f"type must be 'SynapseSpark', not '{self.type}'.")
        if self.linked_service is None or not self.pool_name:
            raise ComputeTargetException("Give a linked_service and a pool_name.")

    def _definition(self) -> Dict[str, Any]:
        return {"linked_service": getattr(self.linked_service, "name", None), "pool_name": self.pool_name}


class SynapseCompute(ComputeTarget):
    """A Spark pool of Synapse, as a record."""

    _compute_type = "SynapseSpark"
    _can_delete = False

    def _load_definition(self, definition: Mapping[str, Any]) -> None:
        self.pool_name: Optional[str] = definition.get("pool_name")
        self.linked_service_name: Optional[str] = definition.get("linked_service")

    @staticmethod
    def attach_configuration(linked_service: Any, type: str, pool_name: str) -> SynapseAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return SynapseAttachConfiguration(linked_service, type, pool_name)
