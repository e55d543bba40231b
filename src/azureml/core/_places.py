"""What a submission names of its workspace: compute targets, and the datastore that takes what names none."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

from azureml.core._nearest import find_nearest, nearest
from penstock.model.graph import LOCAL


class Target(NamedTuple):
    """A compute target as the graph keeps it."""

    name: str
    type: Optional[str] = None


class Places:
    """Compute targets and the default datastore of a workspace, each asked for once.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Any) -> None:
        self.workspace = workspace
        self._targets: Optional[Dict[str, Any]] = None
        self._default_datastore: Any = None

    def default_datastore(self) -> Any:
        """Return the workspace's default datastore; None where it has none."""
        from azureml.exceptions import AzureMLException, ServiceException

        if self._default_datastore is None:
            try:
                self._default_datastore = self.workspace.get_default_datastore()
            except (AzureMLException, ServiceException):  # an output that needs it says so, with its name
                return None
        return self._default_datastore

    def default_datastore_name(self, what: str) -> str:
        """Return the name of the workspace's default datastore.

        Raises:
            ValueError: It has none; the message says what needs it.
        """
        found = self.default_datastore()
        if found is None:
            raise ValueError(
                f"Nothing says which datastore takes {what}: it names none, and the workspace '{self.workspace.name}' has no default. "
                "Give the output a destination, a tuple (datastore, path), or call workspace.set_default_datastore(name)."
            )
        return str(found.name)

    def find_target(self, target: Any, place: str) -> Optional[Target]:
        """Return the compute target that a step names: an object, a name, a pair (name, type), or None.

        Raises:
            ValueError: The workspace has targets, but none of this name; or it is none of the four.
        """
        if target is None:
            return None
        if isinstance(target, str):
            return self._find_named(target, place)
        if isinstance(target, tuple):
            return _parse_pair(target, place)
        name = getattr(target, "name", None)
        if not isinstance(name, str):
            raise ValueError(
                f"{place} has {target!r} as its compute_target. Give a compute target object, its name, or a pair (name, type) of texts."
            )
        return Target(name, getattr(target, "type", None) or type(target).__name__)

    def _find_named(self, name: str, place: str) -> Target:
        if name.lower() == LOCAL:
            return Target(LOCAL, LOCAL)
        if self._targets is None:
            self._targets = self.workspace.compute_targets
        found = self._targets.get(name)
        if found is None:
            found = self._take_for_granted(name, self._targets, place)
        return Target(name, getattr(found, "type", None) or type(found).__name__)

    def _take_for_granted(self, name: str, targets: Dict[str, Any], place: str) -> Any:
        """Make a target that somebody made by hand in v1's portal. Where the user makes targets, a strange name is a mistake."""
        from azureml.core._workspace_compute import is_implicit
        from azureml.exceptions import ComputeTargetException, UserErrorException

        others = [known for known in targets if not _are_twins(name, known)]
        missing = f"{place} wants the compute target '{name}', which does not exist in the workspace '{self.workspace.name}'."
        if find_nearest(name, others) or not all(map(is_implicit, targets.values())):
            hint = nearest(name, [*(others if find_nearest(name, others) else targets), LOCAL], "compute targets")
            raise ValueError(f"{missing}{hint} Create it with ComputeTarget.create, or use 'local'.")
        try:
            return targets[name]
        except (ComputeTargetException, UserErrorException) as error:
            raise ValueError(f"{missing} {error.message}") from error


def _are_twins(one: str, other: str) -> bool:
    """Tell whether two names differ as 'cpu-cluster' and 'gpu-cluster' do: near, but no slip."""
    return one != other and one.lower().replace("gpu", "cpu") == other.lower().replace("gpu", "cpu")


def _parse_pair(target: Any, place: str) -> Target:
    if len(target) != 2 or not all(isinstance(item, str) for item in target):
        raise ValueError(f"{place} has the compute_target {target!r}; a pair must be (name, type), two texts.")
    if target[1].lower() == "batchai":
        raise ValueError(f"{place} wants a Batch AI target, which no longer exists. Use an AmlCompute target instead of '{target[0]}'.")
    return Target(target[0], target[1])
