"""What all compute targets share: look-up, creation, records. `ComputeTarget(workspace, name)` gives the concrete kind."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Dict, FrozenSet, List, Mapping, Optional, Tuple, Type, cast

from azureml.core._errors import v1_errors
from azureml.core._section import camel
from azureml.exceptions import ComputeTargetException, UserErrorException

_RESERVED = ("amlcompute", "local", "containerinstance")
# Longer than Azure allows, and with its '_' too, as some scripts have such names.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_PROVIDER = "Microsoft.MachineLearningServices"

# Where each kind of record has its class.
_KINDS = {
    "AmlCompute": ("amlcompute", "AmlCompute"),
    "ComputeInstance": ("computeinstance", "ComputeInstance"),
    "VirtualMachine": ("remote", "RemoteCompute"),
    "AKS": ("aks", "AksCompute"),
    "Kubernetes": ("kubernetescompute", "KubernetesCompute"),
    "Databricks": ("databricks", "DatabricksCompute"),
    "DataFactory": ("datafactory", "DataFactoryCompute"),
    "DataLakeAnalytics": ("adla", "AdlaCompute"),
    "Batch": ("batch", "BatchCompute"),
    "HDInsight": ("hdinsight", "HDInsightCompute"),
    "Kusto": ("kusto", "KustoCompute"),
    "SynapseSpark": ("synapse", "SynapseCompute"),
}
_CREATED_MACHINE = ("dsvm", "DsvmCompute")  # of the type VirtualMachine too, but made by v1 and not attached


class ComputeTarget(ABC):  # noqa: B024  # as in v1, an abstract base only by name: records of an unknown kind are of this class
    """A compute target of a workspace.

    Args:
        workspace: The workspace.
        name: The target's name.

    Raises:
        ComputeTargetException: There is no such target; the message begins with `ComputeTargetNotFound:`.
    """

    _compute_type: ClassVar[str] = ""
    _can_delete: ClassVar[bool] = True
    _can_detach: ClassVar[bool] = True

    def __new__(cls, workspace: Any, name: str) -> Any:
        """Return an object of the concrete class of the target of this name."""
        return compute_from_record(workspace, _fetch(workspace, name))

    def __init__(self, workspace: Any, name: str) -> None:  # noqa: B027
        """Do nothing: the object came from `__new__` complete."""

    def _load(self, workspace: Any, record: Mapping[str, Any]) -> None:
        definition = dict(record.get("definition") or {})
        self.workspace = workspace
        self.name: str = record["name"]
        self.type: str = record["type"]
        self.id = _resource_id(workspace, self.name)
        self.location = definition.get("location") or getattr(workspace, "location", None)
        self.tags: Optional[Dict[str, str]] = definition.get("tags")
        self.description: Optional[str] = definition.get("description")
        self.created_on: Optional[str] = record.get("created_at")
        self.modified_on: Optional[str] = record.get("modified_at") or record.get("created_at")
        self.provisioning_state = "Succeeded"
        self.provisioning_errors: Optional[List[Any]] = None
        self.is_attached = bool(definition.get("is_attached", False))
        self.cluster_resource_id: Optional[str] = definition.get("resource_id")
        self.cluster_location = self.location
        self._definition = definition
        self._active_run_count = _count(record.get("active_runs"))
        self._load_definition(definition)

    def _load_definition(self, definition: Mapping[str, Any]) -> None:  # noqa: B027
        """Set the attributes of a kind's own."""

    # In a workspace

    @staticmethod
    def list(workspace: Any) -> List[ComputeTarget]:
        """Return all targets of a workspace."""
        with v1_errors():
            records = workspace._client.list_compute_targets(workspace._id)
        return [compute_from_record(workspace, record) for record in records]

    @staticmethod
    def create(workspace: Any, name: str, provisioning_configuration: ComputeTargetProvisioningConfiguration) -> Any:
        """Make a target and return it; it is ready at once.

        Raises:
            ComputeTargetException: The configuration is not valid, or not one for making targets; or the name is not allowed.
            UserErrorException: The name is reserved.
        """
        if not isinstance(provisioning_configuration, ComputeTargetProvisioningConfiguration):
            raise _wrong_configuration("create", "provisioning_configuration", provisioning_configuration)
        definition = {**provisioning_configuration._checked_definition(), "is_attached": False}
        return _put(workspace, name, provisioning_configuration._record_type, definition)

    @staticmethod
    def attach(workspace: Any, name: str, attach_configuration: ComputeTargetAttachConfiguration) -> Any:
        """Record a target that exists elsewhere and return it. Passwords, keys and tokens are not kept.

        Raises:
            ComputeTargetException: The configuration is not valid, or not one for attaching targets; or the name is not allowed.
            UserErrorException: The name is reserved.
        """
        if not isinstance(attach_configuration, ComputeTargetAttachConfiguration):
            raise _wrong_configuration("attach", "attach_configuration", attach_configuration)
        definition = {**attach_configuration._checked_definition(), "is_attached": True}
        return _put(workspace, name, attach_configuration._record_type, definition)

    def refresh_state(self) -> None:
        """Read this target's record again.

        Raises:
            ComputeTargetException: The target is gone.
        """
        self._load(self.workspace, _fetch(self.workspace, self.name))

    def get_status(self) -> Any:
        """Return the provisioning state: Succeeded."""
        self.refresh_state()
        return self.provisioning_state

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Return at once, because targets are made and removed at once; with `show_output` say so."""
        if show_output:
            print("Deleted" if is_delete_operation else self.provisioning_state)
            print(f"{self.type} '{self.name}': nothing more to wait for.")

    def delete(self) -> None:
        """Remove this target from the workspace.

        Raises:
            ComputeTargetException: The target is gone, or of a kind that is only detached, or steps run on it.
        """
        if not self._can_delete:
            raise ComputeTargetException(f"A target of the type {self.type} is not deleted but detached: call detach() on '{self.name}'.")
        self._remove()

    def detach(self) -> None:
        """Remove this target from the workspace; what it stands for stays as it is.

        Raises:
            ComputeTargetException: The target is gone, or of a kind that is only deleted, or steps run on it.
        """
        if not self._can_detach:
            raise ComputeTargetException(f"A target of the type {self.type} is not detached but deleted: call delete() on '{self.name}'.")
        self._remove()

    def _remove(self) -> None:
        from penstock.model.errors import NotFound, Refused

        with v1_errors():
            try:
                self.workspace._client.delete_compute_target(self.workspace._id, self.name)
            except NotFound as error:
                raise _not_found(self.workspace, self.name) from error
            except Refused as error:
                raise ComputeTargetException(str(error)) from error
        self.provisioning_state = "Deleting"

    def _change(self, **values: Any) -> None:
        """Store other values in this target's definition."""
        self.refresh_state()
        with v1_errors():
            definition = {**self._definition, **values}
            self.workspace._client.put_compute_target(self.workspace._id, self.name, self.type, definition, overwrite=True)
        self.refresh_state()

    # As a document

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "location": self.location,
            "tags": self.tags,
            "description": self.description,
            "createdOn": self.created_on,
            "modifiedOn": self.modified_on,
            "provisioningState": self.provisioning_state,
            "provisioningErrors": self.provisioning_errors,
            "isAttached": self.is_attached,
            "resourceId": self.cluster_resource_id,
            "properties": {camel(name): value for name, value in self._definition.items()},
        }

    @staticmethod
    def deserialize(workspace: Any, object_dict: Mapping[str, Any]) -> Any:
        """Return the target that a JSON form describes.

        Raises:
            ComputeTargetException: It is not the form that `serialize` gives.
        """
        missing = [key for key in ("name", "type") if key not in object_dict]
        if missing:
            raise ComputeTargetException(f"This is no serialized compute target: it has no {' and no '.join(missing)}.")
        definition = {_snake(key): value for key, value in (object_dict.get("properties") or {}).items()}
        times = {"created_at": object_dict.get("createdOn"), "modified_at": object_dict.get("modifiedOn")}
        return compute_from_record(workspace, {"name": object_dict["name"], "type": object_dict["type"], "definition": definition, **times})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name}, type={self.type}, provisioning_state={self.provisioning_state})"

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        import copy

        # Configurations that name a target are copied often; the workspace with its connection is not.
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        for name, value in vars(self).items():
            object.__setattr__(twin, name, value if name == "workspace" else copy.deepcopy(value, memo))
        return twin

    def __reduce__(self) -> Tuple[Any, ...]:
        return _blank, (type(self),), self.__dict__


class _Configuration(ABC):
    """What the configuration classes share."""

    _record_type: str
    _secrets: ClassVar[FrozenSet[str]] = frozenset()

    def __init__(self, type: Any) -> None:
        # v1 passes the class of the target; its records carry the type's name
        self._record_type = type if isinstance(type, str) else type._compute_type

    @abstractmethod
    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """

    def _definition(self) -> Dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_") and name not in self._secrets}

    def _checked_definition(self) -> Dict[str, Any]:
        self.validate_configuration()
        return self._definition()


class ComputeTargetProvisioningConfiguration(_Configuration):
    """Base of what targets are made from."""

    def __init__(self, type: Any, location: Optional[str]) -> None:
        super().__init__(type)
        self.location = location


class ComputeTargetAttachConfiguration(_Configuration):
    """Base of what targets are attached from."""

    def __init__(self, type: Any) -> None:
        super().__init__(type)


class ComputeTargetUpdateConfiguration(_Configuration):
    """Base of what targets are changed with."""

    def __init__(self, type: Any) -> None:
        super().__init__(type)


def compute_from_record(workspace: Any, record: Mapping[str, Any]) -> Any:
    """Return the compute target that a record of the service describes, as an object of its concrete class."""
    target = _blank(_class_of(record))
    target._load(workspace, record)
    return target


def parse_time(text: Any) -> Optional[datetime]:
    """Return the time in an ISO-8601 text, or None for none."""
    if text is None or isinstance(text, datetime):
        return text
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))


def format_time(value: Any) -> Optional[str]:
    """Return a time as ISO-8601 text, or None for none."""
    return value.isoformat() if isinstance(value, datetime) else value


def _class_of(record: Mapping[str, Any]) -> Type[ComputeTarget]:
    from importlib import import_module

    home = _KINDS.get(record["type"])
    if home is None:
        return ComputeTarget
    if record["type"] == "VirtualMachine" and not (record.get("definition") or {}).get("is_attached", True):
        home = _CREATED_MACHINE
    return cast(Type[ComputeTarget], getattr(import_module(f"azureml.core.compute.{home[0]}"), home[1]))


def _blank(kind: Type[ComputeTarget]) -> Any:
    return object.__new__(kind)


def _fetch(workspace: Any, name: str) -> Mapping[str, Any]:
    from penstock.model.errors import NotFound

    with v1_errors():
        try:
            return cast(Mapping[str, Any], workspace._client.get_compute_target(workspace._id, name))
        except NotFound as error:
            raise _not_found(workspace, name) from error


def _put(workspace: Any, name: str, kind: str, definition: Dict[str, Any]) -> Any:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ComputeTargetException(
            f"{name!r} can't name a compute target: a name begins with a letter and has up to 64 letters, digits, '-' and '_'."
        )
    if name.lower() in _RESERVED:
        raise UserErrorException(f"'{name}' can't name a compute target: {', '.join(_RESERVED)} have a meaning of their own.")
    with v1_errors():
        workspace._client.put_compute_target(workspace._id, name, kind, definition, overwrite=True)
    target = compute_from_record(workspace, _fetch(workspace, name))
    target._is_new = True
    return target


def _not_found(workspace: Any, name: str) -> ComputeTargetException:
    return ComputeTargetException(
        f"ComputeTargetNotFound: There is no compute target '{name}' in the workspace '{getattr(workspace, 'name', workspace)}'. "
        "Make one with ComputeTarget.create(workspace, name, AmlCompute.provisioning_configuration(max_nodes=2))."
    )


def _wrong_configuration(call: str, method: str, given: Any) -> ComputeTargetException:
    return ComputeTargetException(f"ComputeTarget.{call} needs what a kind's {method}(...) gives, not {type(given).__name__}.")


def _resource_id(workspace: Any, name: str) -> str:
    parts = ("subscriptions", "subscription_id"), ("resourceGroups", "resource_group"), (f"providers/{_PROVIDER}/workspaces", "name")
    place = "".join(f"/{word}/{getattr(workspace, attribute, '')}" for word, attribute in parts)
    return f"{place}/computes/{name}"


def _count(active_runs: Any) -> int:
    return len(active_runs) if isinstance(active_runs, (list, tuple)) else int(active_runs or 0)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
