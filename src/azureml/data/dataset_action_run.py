"""Runs of dataset actions. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetActionRun:
    """v1's DatasetActionRun. Not part of this version."""

    def __init__(self, workspace: Any = None, dataset_id: Any = None, action_id: Any = None, action_request_dto: Any = None) -> None:
        raise _refused("DatasetActionRun")

    def get_result(self) -> Any:
        raise _refused("DatasetActionRun.get_result")

    def wait_for_completion(self, show_output: Any = True, status_update_frequency: Any = 10) -> Any:
        raise _refused("DatasetActionRun.wait_for_completion")
