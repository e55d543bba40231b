"""Definitions of datasets. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetDefinition:
    """v1's DatasetDefinition. Not part of this version."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise _refused("DatasetDefinition")
