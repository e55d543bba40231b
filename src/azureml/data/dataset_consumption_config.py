"""Datasets as inputs of a step. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.constants import DIRECT_MODE

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetConsumptionConfig:
    """v1's DatasetConsumptionConfig. Not part of this version."""

    arg_val: Any
    dataset: Any
    mode: Any
    path_on_compute: Any

    def __init__(self, name: Any, dataset: Any, mode: Any = DIRECT_MODE, path_on_compute: Any = None) -> None:
        raise _refused("DatasetConsumptionConfig")

    def as_download(self, path_on_compute: Any = None) -> Any:
        raise _refused("DatasetConsumptionConfig.as_download")

    def as_hdfs(self) -> Any:
        raise _refused("DatasetConsumptionConfig.as_hdfs")

    def as_mount(self, path_on_compute: Any = None) -> Any:
        raise _refused("DatasetConsumptionConfig.as_mount")

    @property
    def name(self) -> Any:
        raise _refused("DatasetConsumptionConfig.name")

    @name.setter
    def name(self, value: Any) -> None:
        raise _refused("DatasetConsumptionConfig.name")
