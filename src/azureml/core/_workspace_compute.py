"""The compute targets of a workspace, and those that v1 scripts take for granted."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Dict, Set

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace

_LOGGER = logging.getLogger("penstock")
# The mark of a target that was made because a script took it for granted.
_IMPLICIT = {"createdBy": "penstock, when a script named it"}
TOLD: Set[str] = set()  # notices that this process has given already


def tell_once(message: str) -> None:
    """Log a notice, once in this process."""
    if message not in TOLD:
        TOLD.add(message)
        _LOGGER.warning(message)


class ClusterConfiguration:
    """The configuration of a default cluster: none to two dedicated nodes. Made on access, so that importing stays cheap."""

    def __init__(self, vm_size: str) -> None:
        self._vm_size = vm_size

    def __get__(self, instance: Any, owner: Any) -> Any:
        from azureml.core.compute.amlcompute import AmlCompute

        return AmlCompute.provisioning_configuration(vm_size=self._vm_size, vm_priority="dedicated", min_nodes=0, max_nodes=2)


def is_implicit(target: Any) -> bool:
    """Tell whether a target was made because a script took it for granted, and not by the user."""
    return (getattr(target, "tags", None) or {}).get("createdBy") == _IMPLICIT["createdBy"]


class ComputeTargets(Dict[str, Any]):
    """The compute targets of a workspace by name.

    Many scripts index a cluster that somebody made by hand in the portal. Indexing a missing name makes it as a share of
    this machine; `in`, iteration and `get` tell the truth.
    """

    def __init__(self, workspace: Workspace, targets: Dict[str, Any]) -> None:
        super().__init__(targets)
        self._workspace = workspace

    def __missing__(self, name: str) -> Any:
        from azureml.core.compute.amlcompute import AmlCompute
        from azureml.core.compute.compute import ComputeTarget

        configuration = AmlCompute.provisioning_configuration(min_nodes=0, max_nodes=os.cpu_count() or 1, tags=dict(_IMPLICIT))
        self[name] = target = ComputeTarget.create(self._workspace, name, configuration)
        tell_once(
            f"The workspace '{self._workspace.name}' had no compute target '{name}'; it is now this machine's "
            f"{os.cpu_count() or 1} cores. Use ComputeTarget.create for another size."
        )
        return target
