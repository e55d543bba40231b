"""Profiles of datasets. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetProfile:
    """v1's DatasetProfile. Not part of this version."""

    def __init__(self, saved_dataset_id: Any, run_id: Any, experiment_name: Any, workspace: Any, profile: Any) -> None:
        raise _refused("DatasetProfile")

    def get_producing_run(self) -> Any:
        raise _refused("DatasetProfile.get_producing_run")

    def is_stale(self) -> Any:
        raise _refused("DatasetProfile.is_stale")
