"""Targets that are no compute of the workspace, and v1's old helpers to prepare one."""

from __future__ import annotations

from typing import Any, Dict

from azureml.exceptions import ComputeTargetException

__all__ = [
    "AbstractComputeTarget",
    "ComputeTargetException",
    "LocalTarget",
    "attach_legacy_compute_target",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]


class AbstractComputeTarget:
    """A target by type and name."""

    def __init__(self, compute_target_type: str, name: str) -> None:
        self._type = compute_target_type
        self._name = name

    @property
    def type(self) -> str:
        """The kind of target."""
        return self._type

    @property
    def name(self) -> str:
        """The target's name."""
        return self._name

    @staticmethod
    def deserialize_from_dict(compute_target_name: str, compute_target_dict: Dict[str, Any]) -> AbstractComputeTarget:
        """Return the target that a dictionary with the key `type` describes."""
        kind = str(compute_target_dict.get("type", "local"))
        return LocalTarget() if kind == "local" else AbstractComputeTarget(kind, compute_target_name)


class LocalTarget(AbstractComputeTarget):
    """This machine."""

    def __init__(self) -> None:
        super().__init__("local", "local")


def attach_legacy_compute_target(experiment: Any, source_directory: str, compute_target: Any) -> None:
    """Do nothing: a target needs no attaching to a folder."""


def remove_legacy_compute_target(experiment: Any, source_directory: str, compute_target_name: str) -> None:
    """Do nothing: a target is not attached to a folder."""


def is_compute_target_prepared(experiment: Any, source_directory: str, run_config: Any) -> bool:
    """Return True: every target is ready."""
    return True


def prepare_compute_target(experiment: Any, source_directory: str, run_config: Any) -> None:
    """Do nothing: every target is ready."""
