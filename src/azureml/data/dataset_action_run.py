"""Actions on datasets, a part of v1 from before FileDataset and TabularDataset: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Profiles are computed by submit_profile_run(compute_target, experiment) of a TabularDataset."


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
