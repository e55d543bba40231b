"""Runs that profile a dataset. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.core.run import Run

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetProfileRun(Run):
    """v1's DatasetProfileRun. Not part of this version."""

    dataset: Any
    run: Any
    workspace: Any

    def __init__(self, workspace: Any, dataset: Any, run: Any) -> None:
        raise _refused("DatasetProfileRun")

    def get_profile(self) -> Any:
        raise _refused("DatasetProfileRun.get_profile")
