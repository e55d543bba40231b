"""Datasets as outputs of a step. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior

_INSTEAD = "Dataset outputs come in a later release. Use PipelineData for what a step writes."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class TransformationMixin:
    """v1's TransformationMixin. Not part of this version."""

    def read_delimited_files(
        self,
        include_path: Any = False,
        separator: Any = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: Any = None,
        path_glob: Any = None,
        set_column_types: Any = None,
    ) -> Any:
        raise _refused("TransformationMixin.read_delimited_files")

    def read_parquet_files(
        self, include_path: Any = False, partition_format: Any = None, path_glob: Any = None, set_column_types: Any = None
    ) -> Any:
        raise _refused("TransformationMixin.read_parquet_files")


class MountOptions:
    """v1's MountOptions. Not part of this version."""

    disable_metadata_cache: Any

    def __init__(self, disable_metadata_cache: Any = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache


class UploadOptions:
    """v1's UploadOptions. Not part of this version."""

    overwrite: Any
    source_globs: Any

    def __init__(self, overwrite: Any = False, source_globs: Any = None) -> None:
        self.overwrite = overwrite
        self.source_globs = source_globs


class RegistrationConfiguration:
    """v1's RegistrationConfiguration. Not part of this version."""

    description: Any
    name: Any
    tags: Any

    def __init__(self, name: Any, description: Any, tags: Any) -> None:
        self.name = name
        self.description = description
        self.tags = tags


class OutputDatasetConfig:
    """v1's OutputDatasetConfig. Not part of this version."""

    arg_val: Any
    mode: Any

    def __init__(self, mode: Any, name: Any = None, **kwargs: Any) -> None:
        raise _refused("OutputDatasetConfig")

    def as_input(self, name: Any = None) -> Any:
        raise _refused("OutputDatasetConfig.as_input")

    @property
    def name(self) -> Any:
        raise _refused("OutputDatasetConfig.name")

    @name.setter
    def name(self, value: Any) -> None:
        raise _refused("OutputDatasetConfig.name")

    def register_on_complete(self, name: Any, description: Any = None, tags: Any = None) -> Any:
        raise _refused("OutputDatasetConfig.register_on_complete")


class OutputFileDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """v1's OutputFileDatasetConfig. Not part of this version."""

    arg_val: Any
    destination: Any
    mode: Any
    source: Any

    def __init__(self, name: Any = None, destination: Any = None, source: Any = None, partition_format: Any = None) -> None:
        raise _refused("OutputFileDatasetConfig")

    def as_input(self, name: Any = None) -> Any:
        raise _refused("OutputFileDatasetConfig.as_input")

    def as_mount(self, disable_metadata_cache: Any = False) -> Any:
        raise _refused("OutputFileDatasetConfig.as_mount")

    def as_upload(self, overwrite: Any = False, source_globs: Any = None) -> Any:
        raise _refused("OutputFileDatasetConfig.as_upload")


class OutputTabularDatasetConfig(OutputDatasetConfig):
    """v1's OutputTabularDatasetConfig. Not part of this version."""

    arg_val: Any
    mode: Any

    def __init__(self, **kwargs: Any) -> None:
        raise _refused("OutputTabularDatasetConfig")

    def as_input(self, name: Any = None) -> Any:
        raise _refused("OutputTabularDatasetConfig.as_input")

    def as_mount(self) -> Any:
        raise _refused("OutputTabularDatasetConfig.as_mount")

    def as_upload(self, overwrite: Any = False, source_globs: Any = None) -> Any:
        raise _refused("OutputTabularDatasetConfig.as_upload")

    def drop_columns(self, columns: Any) -> Any:
        raise _refused("OutputTabularDatasetConfig.drop_columns")

    def keep_columns(self, columns: Any) -> Any:
        raise _refused("OutputTabularDatasetConfig.keep_columns")

    def random_split(self, percentage: Any, seed: Any = None) -> Any:
        raise _refused("OutputTabularDatasetConfig.random_split")


class HDFSOutputDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """v1's HDFSOutputDatasetConfig. Not part of this version."""

    arg_val: Any
    destination: Any
    mode: Any
    source: Any

    def __init__(self, name: Any = None, destination: Any = None) -> None:
        raise _refused("HDFSOutputDatasetConfig")

    def as_input(self, name: Any = None) -> Any:
        raise _refused("HDFSOutputDatasetConfig.as_input")


class LinkFileOutputDatasetConfig(OutputDatasetConfig):
    """v1's LinkFileOutputDatasetConfig. Not part of this version."""

    arg_val: Any
    mode: Any

    def __init__(self, name: Any = None) -> None:
        raise _refused("LinkFileOutputDatasetConfig")

    def as_input(self, name: Any = None) -> Any:
        raise _refused("LinkFileOutputDatasetConfig.as_input")


class LinkTabularOutputDatasetConfig(OutputDatasetConfig):
    """v1's LinkTabularOutputDatasetConfig. Not part of this version."""

    arg_val: Any
    mode: Any

    def __init__(self, name: Any = None) -> None:
        raise _refused("LinkTabularOutputDatasetConfig")

    def as_input(self, name: Any = None) -> Any:
        raise _refused("LinkTabularOutputDatasetConfig.as_input")
