"""KubernetesCompute: a Kubernetes cluster; here a record."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from azureml.core.compute._attachment import check_resource_id
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, format_time, parse_time
from azureml.exceptions import ComputeTargetException


class KubernetesComputeStatus:
    """The state of a Kubernetes target."""

    def __init__(self, creation_time: Any, modified_time: Any, provisioning_state: Optional[str]) -> None:
        self.creation_time = creation_time
        self.modified_time = modified_time
        self.provisioning_state = provisioning_state

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {
            "creationTime": format_time(self.creation_time),
            "modifiedTime": format_time(self.modified_time),
            "provisioningState": self.provisioning_state,
        }

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[KubernetesComputeStatus]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        created, modified = parse_time(object_dict.get("creationTime")), parse_time(object_dict.get("modifiedTime"))
        return KubernetesComputeStatus(created, modified, object_dict.get("provisioningState"))


class KubernetesComputeAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a Kubernetes cluster by resource id."""

    def __init__(
        self,
        resource_id: Optional[str] = None,
        namespace: Optional[str] = None,
        identity_type: Optional[str] = None,
        identity_ids: Optional[List[str]] = None,
    ) -> None:
        super().__init__(KubernetesCompute)
        self.resource_id = resource_id
        self.namespace = namespace
        self.identity_type = identity_type
        self.identity_ids = identity_ids
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        if not self.resource_id:
            raise ComputeTargetException("resource_id is missing.")
        check_resource_id(self.resource_id, "Microsoft.Kubernetes", "Microsoft.ContainerService")
        if self.identity_type == "UserAssigned" and not self.identity_ids:
            raise ComputeTargetException("identity_type 'UserAssigned' needs identity_ids.")

    def to_dict(self) -> Dict[str, Any]:
        """Return the values as a dictionary."""
        return self._definition()


class KubernetesCompute(ComputeTarget):
    """A Kubernetes cluster, as a record."""

    _compute_type = "Kubernetes"
    _can_delete = False

    def _load_definition(self, definition: Mapping[str, Any]) -> None:
        self.namespace: Optional[str] = definition.get("namespace")
        self.default_instance_type: Optional[str] = definition.get("default_instance_type")
        self.instance_types: Dict[str, Any] = dict(definition.get("instance_types") or {})
        self.status = KubernetesComputeStatus(parse_time(self.created_on), parse_time(self.modified_on), self.provisioning_state)

    @staticmethod
    def attach_configuration(
        resource_id: Optional[str] = None,
        namespace: Optional[str] = None,
        identity_type: Optional[str] = None,
        identity_ids: Optional[List[str]] = None,
    ) -> KubernetesComputeAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return KubernetesComputeAttachConfiguration(resource_id, namespace, identity_type, identity_ids)

    def get(self) -> Dict[str, Any]:
        """Return the JSON form of the stored record."""
        self.refresh_state()
        return self.serialize()

    def get_status(self) -> KubernetesComputeStatus:
        """Return the state of this target, as it is now."""
        self.refresh_state()
        return self.status
