"""The base of v1's datasets. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class AbstractDataset:
    """v1's AbstractDataset. Not part of this version."""

    File = FileDatasetFactory

    Tabular = TabularDatasetFactory

    def __init__(self) -> None:
        raise _refused("AbstractDataset")

    def add_tags(self, tags: Any = None) -> Any:
        raise _refused("AbstractDataset.add_tags")

    def as_named_input(self, name: Any) -> Any:
        raise _refused("AbstractDataset.as_named_input")

    @property
    def data_changed_time(self) -> Any:
        raise _refused("AbstractDataset.data_changed_time")

    @property
    def description(self) -> Any:
        raise _refused("AbstractDataset.description")

    @staticmethod
    def get_all(workspace: Any) -> Any:
        raise _refused("AbstractDataset.get_all")

    @staticmethod
    def get_by_id(workspace: Any, id: Any, **kwargs: Any) -> Any:
        raise _refused("AbstractDataset.get_by_id")

    @staticmethod
    def get_by_name(workspace: Any, name: Any, version: Any = "latest", **kwargs: Any) -> Any:
        raise _refused("AbstractDataset.get_by_name")

    def get_partition_key_values(self, partition_keys: Any = None) -> Any:
        raise _refused("AbstractDataset.get_partition_key_values")

    @property
    def id(self) -> Any:
        raise _refused("AbstractDataset.id")

    @property
    def name(self) -> Any:
        raise _refused("AbstractDataset.name")

    @property
    def partition_keys(self) -> Any:
        raise _refused("AbstractDataset.partition_keys")

    def register(self, workspace: Any, name: Any, description: Any = None, tags: Any = None, create_new_version: Any = False) -> Any:
        raise _refused("AbstractDataset.register")

    def remove_tags(self, tags: Any = None) -> Any:
        raise _refused("AbstractDataset.remove_tags")

    @property
    def tags(self) -> Any:
        raise _refused("AbstractDataset.tags")

    def unregister_all_versions(self) -> Any:
        raise _refused("AbstractDataset.unregister_all_versions")

    def update(self, description: Any = None, tags: Any = None) -> Any:
        raise _refused("AbstractDataset.update")

    @property
    def version(self) -> Any:
        raise _refused("AbstractDataset.version")
