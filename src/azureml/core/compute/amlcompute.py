"""AmlCompute: a cluster in the cloud, here the number of steps that may run on this machine at once."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, NoReturn, Optional

from azureml.core._errors import v1_errors
from azureml.core._refusal import not_built
from azureml.core.compute._attachment import check_network
from azureml.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration, format_time, parse_time
from azureml.exceptions import ComputeTargetException

_PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
_IDLE = "idle_seconds_before_scaledown"


class ScaleSettings:
    """How many nodes a cluster has."""

    def __init__(self, minimum_node_count: int, maximum_node_count: Optional[int], idle_seconds_before_scaledown: int) -> None:
        self.minimum_node_count = minimum_node_count
        self.maximum_node_count = maximum_node_count
        self.idle_seconds_before_scaledown = idle_seconds_before_scaledown

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {
            "minNodeCount": self.minimum_node_count,
            "maxNodeCount": self.maximum_node_count,
            "nodeIdleTimeBeforeScaleDown": f"PT{self.idle_seconds_before_scaledown}S",
        }

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[ScaleSettings]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        idle = str(object_dict["nodeIdleTimeBeforeScaleDown"]).strip("PTS")
        return ScaleSettings(object_dict["minNodeCount"], object_dict["maxNodeCount"], int(float(idle)))


class AmlComputeNodeStateCounts:
    """How many nodes are in which state."""

    def __init__(
        self,
        idle_node_count: int,
        leaving_node_count: int,
        preempted_node_count: int,
        preparing_node_count: int,
        running_node_count: int,
        unusable_node_count: int,
    ) -> None:
        self.idle_node_count = idle_node_count
        self.leaving_node_count = leaving_node_count
        self.preempted_node_count = preempted_node_count
        self.preparing_node_count = preparing_node_count
        self.running_node_count = running_node_count
        self.unusable_node_count = unusable_node_count

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {
            "preparingNodeCount": self.preparing_node_count,
            "runningNodeCount": self.running_node_count,
            "idleNodeCount": self.idle_node_count,
            "unusableNodeCount": self.unusable_node_count,
            "leavingNodeCount": self.leaving_node_count,
            "preemptedNodeCount": self.preempted_node_count,
        }

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[AmlComputeNodeStateCounts]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        names = ("idle", "leaving", "preempted", "preparing", "running", "unusable")
        return AmlComputeNodeStateCounts(*(object_dict[f"{name}NodeCount"] for name in names))


class AmlComputeStatus:
    """The state of a cluster."""

    def __init__(
        self,
        allocation_state: Optional[str],
        allocation_state_transition_time: Any,
        creation_time: Any,
        current_node_count: Optional[int],
        errors: Any,
        modified_time: Any,
        node_state_counts: Optional[AmlComputeNodeStateCounts],
        provisioning_state: Optional[str],
        provisioning_state_transition_time: Any,
        scale_settings: Optional[ScaleSettings],
        target_node_count: Optional[int],
        vm_priority: Optional[str],
        vm_size: Optional[str],
    ) -> None:
        self.allocation_state = allocation_state
        self.allocation_state_transition_time = allocation_state_transition_time
        self.creation_time = creation_time
        self.current_node_count = current_node_count
        self.errors = errors
        self.modified_time = modified_time
        self.node_state_counts = node_state_counts
        self.provisioning_state = provisioning_state
        self.provisioning_state_transition_time = provisioning_state_transition_time
        self.scale_settings = scale_settings
        self.target_node_count = target_node_count
        self.vm_priority = vm_priority
        self.vm_size = vm_size

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": self.node_state_counts.serialize() if self.node_state_counts else None,
            "allocationState": self.allocation_state,
            "allocationStateTransitionTime": format_time(self.allocation_state_transition_time),
            "errors": self.errors,
            "creationTime": format_time(self.creation_time),
            "modifiedTime": format_time(self.modified_time),
            "provisioningState": self.provisioning_state,
            "provisioningStateTransitionTime": format_time(self.provisioning_state_transition_time),
            "scaleSettings": self.scale_settings.serialize() if self.scale_settings else None,
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[AmlComputeStatus]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        read = object_dict.get
        return AmlComputeStatus(
            allocation_state=read("allocationState"),
            allocation_state_transition_time=parse_time(read("allocationStateTransitionTime")),
            creation_time=parse_time(read("creationTime")),
            current_node_count=read("currentNodeCount"),
            errors=read("errors"),
            modified_time=parse_time(read("modifiedTime")),
            node_state_counts=AmlComputeNodeStateCounts.deserialize(read("nodeStateCounts")),
            provisioning_state=read("provisioningState"),
            provisioning_state_transition_time=parse_time(read("provisioningStateTransitionTime")),
            scale_settings=ScaleSettings.deserialize(read("scaleSettings")),
            target_node_count=read("targetNodeCount"),
            vm_priority=read("vmPriority"),
            vm_size=read("vmSize"),
        )


class AmlComputeProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a cluster is made from; `AmlCompute.provisioning_configuration` says what the values mean."""

    _secrets = frozenset({"admin_user_password", "admin_user_ssh_key", "scale_settings"})

    def __init__(
        self,
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: Optional[int] = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: Optional[str] = None,
        admin_user_password: Optional[str] = None,
        admin_user_ssh_key: Optional[str] = None,
        vnet_resourcegroup_name: Optional[str] = None,
        vnet_name: Optional[str] = None,
        subnet_name: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        description: Optional[str] = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: Optional[str] = None,
        identity_id: Optional[List[str]] = None,
        compute_location: Optional[str] = None,
        enable_node_public_ip: bool = True,
    ) -> None:
        super().__init__(AmlCompute, None)
        self.vm_size = vm_size
        self.vm_priority = vm_priority
        self.scale_settings = ScaleSettings(
            _number("min_nodes", min_nodes), _number("max_nodes", max_nodes), _number(_IDLE, idle_seconds_before_scaledown)
        )
        self.admin_username = admin_username
        self.admin_user_password = admin_user_password
        self.admin_user_ssh_key = admin_user_ssh_key
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.tags = tags
        self.description = description
        self.remote_login_port_public_access = remote_login_port_public_access
        self.identity_type = identity_type
        self.identity_id = identity_id
        self.compute_location = compute_location
        self.enable_node_public_ip = enable_node_public_ip
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        _check_scale(self.scale_settings)
        if self.admin_username and not (self.admin_user_password or self.admin_user_ssh_key):
            raise ComputeTargetException("admin_username needs admin_user_password or admin_user_ssh_key.")
        check_network(self.vnet_resourcegroup_name, self.vnet_name, self.subnet_name)
        _check_identity(self.identity_type, self.identity_id)

    def _definition(self) -> Dict[str, Any]:
        definition = super()._definition()
        definition["location"] = definition.pop("compute_location")
        definition["min_nodes"] = self.scale_settings.minimum_node_count
        definition["max_nodes"] = self.scale_settings.maximum_node_count
        definition[_IDLE] = self.scale_settings.idle_seconds_before_scaledown
        return definition


class AmlCompute(ComputeTarget):
    """A cluster. Here `max_nodes` bounds how many of its steps run at once; sizes and networks are kept as facts."""

    _compute_type = "AmlCompute"
    _can_detach = False

    def _load_definition(self, definition: Mapping[str, Any]) -> None:
        self.vm_size: Optional[str] = definition.get("vm_size") or None
        self.vm_priority = _PRIORITIES.get(str(definition.get("vm_priority", "dedicated")).lower(), definition.get("vm_priority"))
        self.scale_settings = ScaleSettings(definition.get("min_nodes") or 0, definition.get("max_nodes"), definition.get(_IDLE) or 1800)
        self.admin_username = definition.get("admin_username")
        self.vnet_resourcegroup_name = definition.get("vnet_resourcegroup_name")
        self.vnet_name = definition.get("vnet_name")
        self.subnet_name = definition.get("subnet_name")
        self.remote_login_port_public_access = definition.get("remote_login_port_public_access")
        self.identity_type = definition.get("identity_type")
        self.identity_id = definition.get("identity_id")
        self.status = self._status()

    def _status(self) -> AmlComputeStatus:
        scale, running = self.scale_settings, self._active_run_count
        nodes = max(scale.minimum_node_count, running)
        modified = parse_time(self.modified_on)
        return AmlComputeStatus(
            allocation_state="Steady",
            allocation_state_transition_time=modified,
            creation_time=parse_time(self.created_on),
            current_node_count=nodes,
            errors=None,
            modified_time=modified,
            node_state_counts=AmlComputeNodeStateCounts(nodes - running, 0, 0, 0, running, 0),
            provisioning_state=self.provisioning_state,
            provisioning_state_transition_time=None,
            scale_settings=scale,
            target_node_count=nodes,
            vm_priority=self.vm_priority,
            vm_size=self.vm_size,
        )

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: Optional[int] = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: Optional[str] = None,
        admin_user_password: Optional[str] = None,
        admin_user_ssh_key: Optional[str] = None,
        vnet_resourcegroup_name: Optional[str] = None,
        vnet_name: Optional[str] = None,
        subnet_name: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        description: Optional[str] = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: Optional[str] = None,
        identity_id: Optional[List[str]] = None,
        location: Optional[str] = None,
        enable_node_public_ip: bool = True,
    ) -> AmlComputeProvisioningConfiguration:
        """Return what a cluster is made from.

        Args:
            vm_size: The size of a node; a hint about cores and GPUs.
            vm_priority: dedicated or lowpriority; kept.
            min_nodes: Nodes that stay up.
            max_nodes: How many steps may run at once; required.
            idle_seconds_before_scaledown: Kept.
            admin_username: Kept. Needs a password or a key; those are not kept.
            admin_user_password: Checked to be there, not kept.
            admin_user_ssh_key: Checked to be there, not kept.
            vnet_resourcegroup_name: Kept; all three names of a network or none.
            vnet_name: Kept.
            subnet_name: Kept.
            tags: Kept.
            description: Kept.
            remote_login_port_public_access: Kept.
            identity_type: SystemAssigned or UserAssigned; kept.
            identity_id: Resource ids, with UserAssigned only; kept.
            location: Kept.
            enable_node_public_ip: Kept.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return AmlComputeProvisioningConfiguration(
            vm_size,
            vm_priority,
            min_nodes,
            max_nodes,
            idle_seconds_before_scaledown,
            admin_username,
            admin_user_password,
            admin_user_ssh_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            remote_login_port_public_access,
            identity_type,
            identity_id,
            location,
            enable_node_public_ip,
        )

    def wait_for_completion(  # type: ignore[override]  # v1's signature
        self,
        show_output: bool = False,
        min_node_count: Optional[int] = None,
        timeout_in_minutes: float = 25,
        is_delete_operation: bool = False,
    ) -> None:
        """Return at once, because clusters are made and removed at once; print what v1 prints where it matters.

        Args:
            show_output: Print the state.
            min_node_count: Accepted; this machine is always there.
            timeout_in_minutes: Accepted.
            is_delete_operation: Whether `delete` came before.
        """
        if is_delete_operation:
            super().wait_for_completion(show_output, True)
            return
        if vars(self).pop("_is_new", False):
            if show_output:
                print("InProgress.\nSucceeded")
            print(f"The cluster '{self.name}' is provisioned, with the state Succeeded.")
        if show_output:
            print("Succeeded")
            print("AmlCompute: nothing more to wait for.\n\nThe minimum number of nodes that was asked for is there.")

    def get(self) -> Dict[str, Any]:
        """Return the JSON form of the stored record."""
        self.refresh_state()
        return self.serialize()

    def get_status(self) -> AmlComputeStatus:
        """Return the state of this cluster, as it is now."""
        self.refresh_state()
        return self.status

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        own = {
            "vmSize": self.vm_size,
            "vmPriority": self.vm_priority,
            "scaleSettings": self.scale_settings.serialize(),
            "status": self.status.serialize(),
        }
        return {**super().serialize(), **own}

    def update(
        self, min_nodes: Optional[int] = None, max_nodes: Optional[int] = None, idle_seconds_before_scaledown: Optional[int] = None
    ) -> None:
        """Change how many nodes this cluster has; what is None stays.

        Raises:
            ComputeTargetException: The values do not go together.
        """
        self.refresh_state()
        given = {"min_nodes": min_nodes, "max_nodes": max_nodes, _IDLE: idle_seconds_before_scaledown}
        changes = {name: _number(name, value) for name, value in given.items() if value is not None}
        now = {**self._definition, **changes}
        _check_scale(ScaleSettings(now.get("min_nodes") or 0, now.get("max_nodes"), now.get(_IDLE) or 0))
        self._change(**changes)

    def add_identity(self, identity_type: str, identity_id: Optional[List[str]] = None) -> None:
        """Record an identity of this cluster."""
        _check_identity(identity_type, identity_id)
        self._change(identity_type=identity_type, identity_id=identity_id)

    def remove_identity(self, identity_id: Optional[List[str]] = None) -> None:
        """Take identities off the record; all of them by default."""
        gone = set(identity_id if isinstance(identity_id, (list, tuple)) else [identity_id])
        left = [item for item in self.identity_id or [] if item not in gone] if identity_id else []
        self._change(identity_type=self.identity_type if left else None, identity_id=left or None)

    def list_nodes(self) -> List[Dict[str, Any]]:
        """Return a dictionary for each node: those at work with the run they work on, then the idle ones."""
        from penstock.model.status import ON_A_NODE

        runs = [run for run in active_run_records(self) if run["status"] in ON_A_NODE]
        busy = [{**_node(self.name, number, "running"), "runId": run["id"]} for number, run in enumerate(runs)]
        idle = range(len(busy), self.scale_settings.minimum_node_count)
        return busy + [_node(self.name, number, "idle") for number in idle]

    def get_active_runs(
        self,
        type: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        status: Optional[str] = None,
    ) -> Iterator[Any]:
        """Give the runs on this target that have not ended, newest first.

        Args:
            type: Only runs of this type.
            tags: Only runs with this tag, or with these pairs.
            properties: Only runs with this property, or with these pairs.
            status: Only runs in this status.
        """
        for record in active_run_records(self, type, tags, properties, status):
            yield self.workspace.get_run(record["id"])

    @staticmethod
    def supported_vmsizes(workspace: Any, location: Optional[str] = None) -> List[Dict[str, Any]]:
        """Return the well-known sizes with cores, GPUs and memory. Other sizes are accepted too."""
        from penstock.model.vm_sizes import list_vm_sizes

        return list_vm_sizes()

    @staticmethod
    def list_usages(workspace: Any, show_all: bool = False, location: Optional[str] = None) -> List[Any]:
        """Return the cloud's usage figures: there are none here."""
        return []

    @staticmethod
    def list_quotas(workspace: Any, location: Optional[str] = None) -> List[Any]:
        """Return the cloud's quotas: there are none here."""
        return []

    @staticmethod
    def update_quotas(workspace: Any, vm_family: Any, limit: Optional[int] = None, location: Optional[str] = None) -> NoReturn:
        """Refuse: there are no quotas here."""
        raise not_built("AmlCompute.update_quotas", "Bound a cluster with target.update(max_nodes=...).")


def active_run_records(
    target: ComputeTarget, type: Optional[str] = None, tags: Any = None, properties: Any = None, status: Optional[str] = None
) -> List[Dict[str, Any]]:
    """Return the records of the runs on a target that have not ended, newest first."""
    from penstock.model.status import ACTIVE

    workspace = target.workspace
    filters: Dict[str, Any] = {"type": type, "tags": tags, "properties": properties, "target": target.name, "include_children": True}
    with v1_errors():
        records: List[Dict[str, Any]] = workspace._client.list_runs(
            workspace_id=workspace._id, status=[status] if status else ACTIVE, **filters
        )
    return records


def _node(target: str, number: int, state: str) -> Dict[str, Any]:
    return {
        "nodeId": f"{target}-{number}",
        "port": None,
        "publicIpAddress": None,
        "privateIpAddress": "127.0.0.1",
        "nodeState": state,
        "runId": None,
    }


def _number(name: str, value: Any) -> Any:
    """Return a count as int; scripts often pass the text of an environment variable."""
    if value is None or isinstance(value, int):
        return value
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ComputeTargetException(f"{name} must be a whole number, not {value!r}.") from None


def _check_scale(scale: ScaleSettings) -> None:
    if scale.maximum_node_count is None:
        raise ComputeTargetException("max_nodes is missing: say how many nodes the cluster may have, as in max_nodes=4.")
    if scale.maximum_node_count < 0 or (scale.minimum_node_count or 0) < 0:
        raise ComputeTargetException("min_nodes and max_nodes can't be negative.")
    if scale.maximum_node_count < (scale.minimum_node_count or 0):
        raise ComputeTargetException(f"max_nodes ({scale.maximum_node_count}) is below min_nodes ({scale.minimum_node_count}).")
    if scale.maximum_node_count < 1:
        raise ComputeTargetException("max_nodes must be at least 1: a cluster without nodes never runs a step.")


def _check_identity(identity_type: Optional[str], identity_id: Any) -> None:
    if identity_type not in (None, "SystemAssigned", "UserAssigned"):
        raise ComputeTargetException(f"identity_type must be 'SystemAssigned' or 'UserAssigned', not '{identity_type}'.")
    if identity_type == "UserAssigned" and not identity_id:
        raise ComputeTargetException("identity_type 'UserAssigned' needs identity_id, a list of resource ids.")
    if identity_type != "UserAssigned" and identity_id:
        raise ComputeTargetException("identity_id goes with identity_type 'UserAssigned' only.")
