"""Model profiling, which this version does not have."""

from __future__ import annotations

from abc import ABC
from typing import Any, Dict

from azureml.core._refusal import not_built

MIN_PROFILE_CPU = 0.1
MAX_PROFILE_CPU = 3.5
MIN_PROFILE_MEMORY = 0.1
MAX_PROFILE_MEMORY = 15.0

_INSTEAD = "Measure the model in a PythonScriptStep and log what you find with Run.log."


class _ModelEvaluationResultBase(ABC):  # noqa: B024  # v1's base has no abstract method either
    """Base of the results of evaluating a model."""


class ModelProfile(_ModelEvaluationResultBase):
    """The result of profiling a model; refuses to be looked up."""

    create_operation_id: Any = None
    name: str
    workspace: Any

    def __init__(self, workspace: Any, name: str) -> None:
        raise not_built("ModelProfile", _INSTEAD)

    def get_details(self) -> Dict[str, Any]:
        """Refuse: there are no profiles."""
        raise not_built("ModelProfile.get_details", _INSTEAD)

    def serialize(self) -> Dict[str, Any]:
        """Refuse: there are no profiles."""
        raise not_built("ModelProfile.serialize", _INSTEAD)

    def wait_for_completion(self, show_output: bool = False) -> None:
        """Refuse: there are no profiles."""
        raise not_built("ModelProfile.wait_for_completion", _INSTEAD)
