"""Datasets of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, List, Optional

from azureml.core._deprecation import note
from azureml.core._refusal import not_built
from azureml.data._expressions import DatasetExpression, condition_of
from azureml.data._portions import Portions

if TYPE_CHECKING:
    from azureml.data.context_managers import DatasetContextManager
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

FILENAME_LENGTH_ERROR_MESSAGE = "The name of a file is too long for this file system."
_METADATA = ("Size", "LastModifiedTime", "Extension", "CanSeek")


class FileDataset(Portions):
    """Files on datastores, behind URLs or of this machine. Made by `Dataset.File.from_files`."""

    def __init__(self) -> None:
        super().__init__()

    # ---- the files ----

    def to_path(self) -> List[str]:
        """Return the path of each file, beginning with '/', as `download` and `mount` lay them out.

        They are relative to the folder that the dataset was made from; a dataset of one file gives its name.

        Raises:
            DatasetExecutionError: Nothing is there, or it can't be reached.
        """
        from azureml.data._files import list_paths

        return list_paths(self._definition, self._workspace)

    def download(self, target_path: Optional[str] = None, overwrite: bool = False, ignore_not_found: bool = False) -> List[str]:
        """Copy the files into a folder and return where each one is.

        Args:
            target_path: The folder, made where needed; a new temporary one when None.
            overwrite: Replace files that are there already.
            ignore_not_found: Leave out what is not there instead of failing.

        Raises:
            UserErrorException: A file is there already and `overwrite` is false; the source is not there or can't be reached.
        """
        from azureml.data._files import download

        target = None if target_path is None else os.fspath(target_path)
        return download(self._definition, self._workspace, target, overwrite, ignore_not_found)

    def mount(self, mount_point: Optional[str] = None, **kwargs: Any) -> DatasetContextManager:
        """Return a context that shows the files below `mount_point` while it is started; use it in a `with` block.

        Nothing of a local datastore is copied. Files of other stores come into the cache first. Treat them as read-only.

        Args:
            mount_point: An empty folder, or one that does not exist; a new temporary one when None.
            **kwargs: Accepted and ignored, as in v1.

        Raises:
            UserErrorException: The folder is not empty.
        """
        from azureml.data.context_managers import DatasetContextManager, MountConfig

        place = None if mount_point is None else os.fspath(mount_point)
        return DatasetContextManager(MountConfig(self._definition, self._workspace, place))

    # ---- fewer of them ----

    def filter(self, expression: DatasetExpression) -> FileDataset:
        """Return a dataset of the files for which a condition holds.

        Args:
            expression: A condition on partition columns, `dataset['country'] == 'de'`, or on facts of the files, see `file_metadata`.

        Raises:
            UserErrorException: It is no such expression.
        """
        note("FileDataset.filter is experimental in SDK v1.")
        return self._with("filter", expression=condition_of(expression))

    def file_metadata(self, col: str) -> DatasetExpression:
        """Return an expression for a fact about each file, for `filter`: `dataset.filter(dataset.file_metadata('Size') > 0)`.

        Args:
            col: Size in bytes, LastModifiedTime, Extension (with its dot) or CanSeek.

        Raises:
            UserErrorException: There is no such fact.
        """
        from azureml.exceptions import UserErrorException

        if col == "CreationTime":
            raise not_built("FileDataset.file_metadata('CreationTime')", "Not every store keeps it: use 'LastModifiedTime'.")
        if col not in _METADATA:
            raise UserErrorException(f"There is no fact {col!r} about files. There are: {', '.join(_METADATA)}.")
        return DatasetExpression({"column": f"/{col}"})

    # ---- as an input ----

    def as_mount(self, path_on_compute: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the dataset as an input whose files the step reads in place.

        Args:
            path_on_compute: Where the step finds them; a folder of its own when None.
        """
        return self._as_input("mount", path_on_compute)

    def as_download(self, path_on_compute: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the dataset as an input whose files are copied for the step.

        Args:
            path_on_compute: Where the step finds them; a folder of its own when None.
        """
        return self._as_input("download", path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Return the dataset as an input that a Spark step reads from its cluster's file system."""
        return self._as_input("hdfs", None)

    def _as_input(self, mode: str, path_on_compute: Optional[str]) -> DatasetConsumptionConfig:
        from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

        return DatasetConsumptionConfig(None, self, mode=mode, path_on_compute=path_on_compute)

    def as_cache(self, datacache_store: Any) -> Any:
        """Refused: caches of datasets belong to Azure."""
        raise _cache_refused("as_cache")

    def hydrate(self, datacache_store: Any, replica_count: Optional[int] = None) -> Any:
        """Refused: caches of datasets belong to Azure."""
        raise _cache_refused("hydrate")


def _cache_refused(member: str) -> NotImplementedError:
    return not_built(f"FileDataset.{member}", "Files of remote stores are cached without it: use as_mount() or as_download().")
