"""How v1 makes datasets from files. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DataType:
    """v1's DataType. Not part of this version."""

    @staticmethod
    def to_bool() -> Any:
        raise _refused("DataType.to_bool")

    @staticmethod
    def to_datetime(formats: Any = None) -> Any:
        raise _refused("DataType.to_datetime")

    @staticmethod
    def to_float(decimal_mark: Any = ".") -> Any:
        raise _refused("DataType.to_float")

    @staticmethod
    def to_long() -> Any:
        raise _refused("DataType.to_long")

    @staticmethod
    def to_stream(workspace: Any, escaped: Any = False) -> Any:
        raise _refused("DataType.to_stream")

    @staticmethod
    def to_string() -> Any:
        raise _refused("DataType.to_string")


class FileDatasetFactory:
    """v1's FileDatasetFactory. Not part of this version."""

    @staticmethod
    def from_files(path: Any, validate: Any = True, partition_format: Any = None, is_file: Any = False) -> Any:
        raise _refused("FileDatasetFactory.from_files")

    @staticmethod
    def upload_directory(src_dir: Any, target: Any, pattern: Any = None, overwrite: Any = False, show_progress: Any = True) -> Any:
        raise _refused("FileDatasetFactory.upload_directory")


class TabularDatasetFactory:
    """v1's TabularDatasetFactory. Not part of this version."""

    @staticmethod
    def from_delimited_files(
        path: Any,
        validate: Any = True,
        include_path: Any = False,
        infer_column_types: Any = True,
        set_column_types: Any = None,
        separator: Any = ",",
        header: Any = True,
        partition_format: Any = None,
        support_multi_line: Any = False,
        empty_as_string: Any = False,
        encoding: Any = "utf8",
    ) -> Any:
        raise _refused("TabularDatasetFactory.from_delimited_files")

    @staticmethod
    def from_json_lines_files(
        path: Any,
        validate: Any = True,
        include_path: Any = False,
        set_column_types: Any = None,
        partition_format: Any = None,
        invalid_lines: Any = "error",
        encoding: Any = "utf8",
    ) -> Any:
        raise _refused("TabularDatasetFactory.from_json_lines_files")

    @staticmethod
    def from_parquet_files(
        path: Any, validate: Any = True, include_path: Any = False, set_column_types: Any = None, partition_format: Any = None
    ) -> Any:
        raise _refused("TabularDatasetFactory.from_parquet_files")

    @staticmethod
    def from_sql_query(query: Any, validate: Any = True, set_column_types: Any = None, query_timeout: Any = 30) -> Any:
        raise _refused("TabularDatasetFactory.from_sql_query")

    @staticmethod
    def register_dask_dataframe(
        dataframe: Any, target: Any, name: Any, description: Any = None, tags: Any = None, show_progress: Any = True
    ) -> Any:
        raise _refused("TabularDatasetFactory.register_dask_dataframe")

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: Any,
        description: Any = None,
        tags: Any = None,
        show_progress: Any = True,
        row_group_size: Any = None,
        make_target_path_unique: Any = True,
    ) -> Any:
        raise _refused("TabularDatasetFactory.register_pandas_dataframe")

    @staticmethod
    def register_spark_dataframe(
        dataframe: Any, target: Any, name: Any, description: Any = None, tags: Any = None, show_progress: Any = True
    ) -> Any:
        raise _refused("TabularDatasetFactory.register_spark_dataframe")
