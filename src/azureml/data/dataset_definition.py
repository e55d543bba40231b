"""Definitions of datasets, a part of v1 from before FileDataset and TabularDataset: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "A registered version is the definition: Dataset.get_by_name(workspace, name, version), and print it."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetDefinition:
    """v1's DatasetDefinition. Not part of this version."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise _refused("DatasetDefinition")
