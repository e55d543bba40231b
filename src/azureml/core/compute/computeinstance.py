"""ComputeInstance: one machine for one person in the cloud; here a record with a state."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional

from azureml.core.compute._attachment import check_network
from azureml.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration, format_time, parse_time
from azureml.exceptions import ComputeTargetException


class ComputeInstanceStatus:
    """The state of a compute instance."""

    def __init__(
        self,
        creation_time: Any,
        created_by_user_name: Optional[str],
        created_by_user_id: Optional[str],
        created_by_user_org: Optional[str],
        errors: Any,
        modified_time: Any,
        state: Optional[str],
        vm_size: Optional[str],
    ) -> None:
        self.creation_time = creation_time
        self.created_by_user_name = created_by_user_name
        self.created_by_user_id = created_by_user_id
        self.created_by_user_org = created_by_user_org
        self.errors = errors
        self.modified_time = modified_time
        self.state = state
        self.vm_size = vm_size

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {
            "errors": self.errors,
            "creationTime": format_time(self.creation_time),
            "createdBy": {
                "userObjectId": self.created_by_user_id,
                "userTenantId": self.created_by_user_org,
                "userName": self.created_by_user_name,
            },
            "modifiedTime": format_time(self.modified_time),
            "state": self.state,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[ComputeInstanceStatus]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        by = object_dict.get("createdBy") or {}
        return ComputeInstanceStatus(
            creation_time=parse_time(object_dict.get("creationTime")),
            created_by_user_name=by.get("userName"),
            created_by_user_id=by.get("userObjectId"),
            created_by_user_org=by.get("userTenantId"),
            errors=object_dict.get("errors"),
            modified_time=parse_time(object_dict.get("modifiedTime")),
            state=object_dict.get("state"),
            vm_size=object_dict.get("vmSize"),
        )


class ComputeInstanceProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a compute instance is made from."""

    _secrets = frozenset({"admin_user_ssh_public_key"})

    def __init__(
        self,
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: Optional[str] = None,
        vnet_resourcegroup_name: Optional[str] = None,
        vnet_name: Optional[str] = None,
        subnet_name: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        description: Optional[str] = None,
        assigned_user_object_id: Optional[str] = None,
        assigned_user_tenant_id: Optional[str] = None,
    ) -> None:
        super().__init__(ComputeInstance, None)
        self.vm_size = vm_size
        self.ssh_public_access = ssh_public_access
        self.admin_user_ssh_public_key = admin_user_ssh_public_key
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.tags = tags
        self.description = description
        self.assigned_user_object_id = assigned_user_object_id
        self.assigned_user_tenant_id = assigned_user_tenant_id
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        check_network(self.vnet_resourcegroup_name, self.vnet_name, self.subnet_name)
        if self.ssh_public_access and not self.admin_user_ssh_public_key:
            raise ComputeTargetException("ssh_public_access needs admin_user_ssh_public_key.")
        if (self.assigned_user_object_id is None) != (self.assigned_user_tenant_id is None):
            raise ComputeTargetException("Give assigned_user_object_id and assigned_user_tenant_id together.")


class ComputeInstance(ComputeTarget):
    """One machine for one person. Here it is a record; its steps run one at a time."""

    _compute_type = "ComputeInstance"
    _can_detach = False

    def _load_definition(self, definition: Mapping[str, Any]) -> None:
        self.vm_size: Optional[str] = definition.get("vm_size") or None
        self.ssh_public_access = definition.get("ssh_public_access")
        self.vnet_resourcegroup_name = definition.get("vnet_resourcegroup_name")
        self.vnet_name = definition.get("vnet_name")
        self.subnet_name = definition.get("subnet_name")
        self.assigned_user_object_id = definition.get("assigned_user_object_id")
        self.assigned_user_tenant_id = definition.get("assigned_user_tenant_id")
        self.sso_enabled = definition.get("sso_enabled", True)
        created, modified = parse_time(self.created_on), parse_time(self.modified_on)
        state = str(definition.get("state") or "Running")
        self.status = ComputeInstanceStatus(created, None, None, None, None, modified, state, self.vm_size)

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: Optional[str] = None,
        vnet_resourcegroup_name: Optional[str] = None,
        vnet_name: Optional[str] = None,
        subnet_name: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        description: Optional[str] = None,
        assigned_user_object_id: Optional[str] = None,
        assigned_user_tenant_id: Optional[str] = None,
    ) -> ComputeInstanceProvisioningConfiguration:
        """Return what a compute instance is made from; all values but the key are kept as facts.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return ComputeInstanceProvisioningConfiguration(
            vm_size,
            ssh_public_access,
            admin_user_ssh_public_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            assigned_user_object_id,
            assigned_user_tenant_id,
        )

    def get(self) -> Dict[str, Any]:
        """Return the JSON form of the stored record."""
        self.refresh_state()
        return self.serialize()

    def get_status(self) -> ComputeInstanceStatus:
        """Return the state of this instance, as it is now."""
        self.refresh_state()
        return self.status

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {**super().serialize(), "vmSize": self.vm_size, "status": self.status.serialize()}

    def start(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Put this instance into the state Running."""
        self._set_state("Running", show_output)

    def stop(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Put this instance into the state Stopped."""
        self._set_state("Stopped", show_output)

    def restart(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Put this instance into the state Running."""
        self._set_state("Running", show_output)

    def delete(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Remove this instance from the workspace."""
        super().delete()
        if show_output:
            print("Deleted")

    def update_sso_settings(self, value: bool) -> None:
        """Record whether single sign-on is on."""
        self._change(sso_enabled=value)

    def _set_state(self, state: str, show_output: bool) -> None:
        self._change(state=state)
        if show_output:
            print(state)

    def get_active_runs(
        self, type: Optional[str] = None, tags: Any = None, properties: Any = None, status: Optional[str] = None
    ) -> Iterator[Any]:
        """Give the runs on this instance that have not ended, newest first; the arguments are those of AmlCompute's."""
        from azureml.core.compute.amlcompute import active_run_records

        for record in active_run_records(self, type, tags, properties, status):
            yield self.workspace.get_run(record["id"])

    @staticmethod
    def supported_vmsizes(workspace: Any, location: Optional[str] = None) -> List[Dict[str, Any]]:
        """Return the well-known sizes with cores, GPUs and memory. Other sizes are accepted too."""
        from penstock.model.vm_sizes import list_vm_sizes

        return list_vm_sizes()

    @classmethod
    def get_docs_url(cls) -> str:
        """Return the address of v1's page about compute instances: empty, because that page is not ours."""
        return ""
