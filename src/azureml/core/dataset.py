"""v1's Dataset. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.data.dataset_type_definitions import FileEncoding, HistogramCompareMethod, PromoteHeadersBehavior, SkipLinesBehavior

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class Dataset:
    """v1's Dataset. Not part of this version."""

    File = FileDatasetFactory

    Tabular = TabularDatasetFactory

    def __init__(self, definition: Any, workspace: Any = None, name: Any = None, id: Any = None) -> None:
        raise _refused("Dataset")

    def archive(self) -> Any:
        raise _refused("Dataset.archive")

    @staticmethod
    def auto_read_files(path: Any, include_path: Any = False, partition_format: Any = None) -> Any:
        raise _refused("Dataset.auto_read_files")

    def compare_profiles(
        self,
        rhs_dataset: Any,
        profile_arguments: Any = dict(),  # noqa: B006, C408  v1's default, never used
        include_columns: Any = None,
        exclude_columns: Any = None,
        histogram_compare_method: Any = HistogramCompareMethod.WASSERSTEIN,
    ) -> Any:
        raise _refused("Dataset.compare_profiles")

    def create_snapshot(
        self, snapshot_name: Any, compute_target: Any = None, create_data_snapshot: Any = False, target_datastore: Any = None
    ) -> Any:
        raise _refused("Dataset.create_snapshot")

    @property
    def definition(self) -> Any:
        raise _refused("Dataset.definition")

    @property
    def definition_version(self) -> Any:
        raise _refused("Dataset.definition_version")

    def delete_snapshot(self, snapshot_name: Any) -> Any:
        raise _refused("Dataset.delete_snapshot")

    def deprecate(self, deprecate_by_dataset_id: Any) -> Any:
        raise _refused("Dataset.deprecate")

    @property
    def description(self) -> Any:
        raise _refused("Dataset.description")

    def diff(self, rhs_dataset: Any, compute_target: Any = None, columns: Any = None) -> Any:
        raise _refused("Dataset.diff")

    @staticmethod
    def from_binary_files(path: Any) -> Any:
        raise _refused("Dataset.from_binary_files")

    @staticmethod
    def from_delimited_files(
        path: Any,
        separator: Any = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        encoding: Any = FileEncoding.UTF8,
        quoting: Any = False,
        infer_column_types: Any = True,
        skip_rows: Any = 0,
        skip_mode: Any = SkipLinesBehavior.NO_ROWS,
        comment: Any = None,
        include_path: Any = False,
        archive_options: Any = None,
        partition_format: Any = None,
    ) -> Any:
        raise _refused("Dataset.from_delimited_files")

    @staticmethod
    def from_excel_files(
        path: Any,
        sheet_name: Any = None,
        use_column_headers: Any = False,
        skip_rows: Any = 0,
        include_path: Any = False,
        infer_column_types: Any = True,
        partition_format: Any = None,
    ) -> Any:
        raise _refused("Dataset.from_excel_files")

    @staticmethod
    def from_json_files(
        path: Any,
        encoding: Any = FileEncoding.UTF8,
        flatten_nested_arrays: Any = False,
        include_path: Any = False,
        partition_format: Any = None,
    ) -> Any:
        raise _refused("Dataset.from_json_files")

    @staticmethod
    def from_pandas_dataframe(dataframe: Any, path: Any = None, in_memory: Any = False) -> Any:
        raise _refused("Dataset.from_pandas_dataframe")

    @staticmethod
    def from_parquet_files(path: Any, include_path: Any = False, partition_format: Any = None) -> Any:
        raise _refused("Dataset.from_parquet_files")

    @staticmethod
    def from_sql_query(data_source: Any, query: Any) -> Any:
        raise _refused("Dataset.from_sql_query")

    def generate_profile(self, compute_target: Any = None, workspace: Any = None, arguments: Any = None) -> Any:
        raise _refused("Dataset.generate_profile")

    @staticmethod
    def get(workspace: Any, name: Any = None, id: Any = None) -> Any:
        raise _refused("Dataset.get")

    @staticmethod
    def get_all(workspace: Any) -> Any:
        raise _refused("Dataset.get_all")

    def get_all_snapshots(self) -> Any:
        raise _refused("Dataset.get_all_snapshots")

    @staticmethod
    def get_by_id(workspace: Any, id: Any, **kwargs: Any) -> Any:
        raise _refused("Dataset.get_by_id")

    @staticmethod
    def get_by_name(workspace: Any, name: Any, version: Any = "latest", **kwargs: Any) -> Any:
        raise _refused("Dataset.get_by_name")

    def get_definition(self, version_id: Any = None) -> Any:
        raise _refused("Dataset.get_definition")

    def get_definitions(self) -> Any:
        raise _refused("Dataset.get_definitions")

    def get_profile(
        self, arguments: Any = None, generate_if_not_exist: Any = True, workspace: Any = None, compute_target: Any = None
    ) -> Any:
        raise _refused("Dataset.get_profile")

    def get_snapshot(self, snapshot_name: Any) -> Any:
        raise _refused("Dataset.get_snapshot")

    def head(self, count: Any) -> Any:
        raise _refused("Dataset.head")

    @property
    def id(self) -> Any:
        raise _refused("Dataset.id")

    @property
    def is_visible(self) -> Any:
        raise _refused("Dataset.is_visible")

    @staticmethod
    def list(workspace: Any) -> Any:
        raise _refused("Dataset.list")

    @property
    def name(self) -> Any:
        raise _refused("Dataset.name")

    def reactivate(self) -> Any:
        raise _refused("Dataset.reactivate")

    def register(
        self,
        workspace: Any,
        name: Any,
        description: Any = None,
        tags: Any = None,
        visible: Any = True,
        exist_ok: Any = False,
        update_if_exist: Any = False,
    ) -> Any:
        raise _refused("Dataset.register")

    def sample(self, sample_strategy: Any, arguments: Any) -> Any:
        raise _refused("Dataset.sample")

    @property
    def state(self) -> Any:
        raise _refused("Dataset.state")

    @property
    def tags(self) -> Any:
        raise _refused("Dataset.tags")

    def to_pandas_dataframe(self) -> Any:
        raise _refused("Dataset.to_pandas_dataframe")

    def to_spark_dataframe(self) -> Any:
        raise _refused("Dataset.to_spark_dataframe")

    def update(self, name: Any = None, description: Any = None, tags: Any = None, visible: Any = None) -> Any:
        raise _refused("Dataset.update")

    def update_definition(self, definition: Any, definition_update_message: Any) -> Any:
        raise _refused("Dataset.update_definition")

    @property
    def workspace(self) -> Any:
        raise _refused("Dataset.workspace")
