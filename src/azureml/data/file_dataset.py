"""Datasets of files. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.abstract_dataset import AbstractDataset

FILENAME_LENGTH_ERROR_MESSAGE = "The name of a file is too long for this file system."
_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class FileDataset(AbstractDataset):
    """v1's FileDataset. Not part of this version."""

    def __init__(self) -> None:
        raise _refused("FileDataset")

    def as_cache(self, datacache_store: Any) -> Any:
        raise _refused("FileDataset.as_cache")

    def as_download(self, path_on_compute: Any = None) -> Any:
        raise _refused("FileDataset.as_download")

    def as_hdfs(self) -> Any:
        raise _refused("FileDataset.as_hdfs")

    def as_mount(self, path_on_compute: Any = None) -> Any:
        raise _refused("FileDataset.as_mount")

    def download(self, target_path: Any = None, overwrite: Any = False, ignore_not_found: Any = False) -> Any:
        raise _refused("FileDataset.download")

    def file_metadata(self, col: Any) -> Any:
        raise _refused("FileDataset.file_metadata")

    def filter(self, expression: Any) -> Any:
        raise _refused("FileDataset.filter")

    def hydrate(self, datacache_store: Any, replica_count: Any = None) -> Any:
        raise _refused("FileDataset.hydrate")

    def mount(self, mount_point: Any = None, **kwargs: Any) -> Any:
        raise _refused("FileDataset.mount")

    def random_split(self, percentage: Any, seed: Any = None) -> Any:
        raise _refused("FileDataset.random_split")

    def skip(self, count: Any) -> Any:
        raise _refused("FileDataset.skip")

    def take(self, count: Any) -> Any:
        raise _refused("FileDataset.take")

    def take_sample(self, probability: Any, seed: Any = None) -> Any:
        raise _refused("FileDataset.take_sample")

    def to_path(self) -> Any:
        raise _refused("FileDataset.to_path")
