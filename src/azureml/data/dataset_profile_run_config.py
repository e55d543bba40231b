"""Submission of dataset profiles. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetProfileRunConfig:
    """v1's DatasetProfileRunConfig. Not part of this version."""

    def __init__(self, dataset: Any, compute_target: Any = "local", datastore_name: Any = None) -> None:
        raise _refused("DatasetProfileRunConfig")
