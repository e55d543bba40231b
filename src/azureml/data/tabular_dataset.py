"""Datasets of tables. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.abstract_dataset import AbstractDataset

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class TabularDataset(AbstractDataset):
    """v1's TabularDataset. Not part of this version."""

    def __init__(self) -> None:
        raise _refused("TabularDataset")

    def download(self, stream_column: Any, target_path: Any = None, overwrite: Any = False, ignore_not_found: Any = True) -> Any:
        raise _refused("TabularDataset.download")

    def drop_columns(self, columns: Any) -> Any:
        raise _refused("TabularDataset.drop_columns")

    def filter(self, expression: Any) -> Any:
        raise _refused("TabularDataset.filter")

    def get_profile(self, workspace: Any = None) -> Any:
        raise _refused("TabularDataset.get_profile")

    def get_profile_runs(self, workspace: Any = None) -> Any:
        raise _refused("TabularDataset.get_profile_runs")

    def keep_columns(self, columns: Any, validate: Any = False) -> Any:
        raise _refused("TabularDataset.keep_columns")

    def mount(self, stream_column: Any, mount_point: Any = None) -> Any:
        raise _refused("TabularDataset.mount")

    def partition_by(
        self, partition_keys: Any, target: Any, name: Any = None, show_progress: Any = True, partition_as_file_dataset: Any = False
    ) -> Any:
        raise _refused("TabularDataset.partition_by")

    def random_split(self, percentage: Any, seed: Any = None) -> Any:
        raise _refused("TabularDataset.random_split")

    def skip(self, count: Any) -> Any:
        raise _refused("TabularDataset.skip")

    def submit_profile_run(self, compute_target: Any, experiment: Any, cache_datastore_name: Any = None) -> Any:
        raise _refused("TabularDataset.submit_profile_run")

    def take(self, count: Any) -> Any:
        raise _refused("TabularDataset.take")

    def take_sample(self, probability: Any, seed: Any = None) -> Any:
        raise _refused("TabularDataset.take_sample")

    def time_after(self, start_time: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        raise _refused("TabularDataset.time_after")

    def time_before(self, end_time: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        raise _refused("TabularDataset.time_before")

    def time_between(self, start_time: Any, end_time: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        raise _refused("TabularDataset.time_between")

    def time_recent(self, time_delta: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        raise _refused("TabularDataset.time_recent")

    @property
    def timestamp_columns(self) -> Any:
        raise _refused("TabularDataset.timestamp_columns")

    def to_csv_files(self, separator: Any = ",") -> Any:
        raise _refused("TabularDataset.to_csv_files")

    def to_dask_dataframe(
        self, sample_size: Any = 10000, dtypes: Any = None, on_error: Any = "null", out_of_range_datetime: Any = "null"
    ) -> Any:
        raise _refused("TabularDataset.to_dask_dataframe")

    def to_pandas_dataframe(self, on_error: Any = "null", out_of_range_datetime: Any = "null") -> Any:
        raise _refused("TabularDataset.to_pandas_dataframe")

    def to_parquet_files(self) -> Any:
        raise _refused("TabularDataset.to_parquet_files")

    def to_spark_dataframe(self) -> Any:
        raise _refused("TabularDataset.to_spark_dataframe")

    def with_timestamp_columns(self, timestamp: Any = None, partition_timestamp: Any = None, validate: Any = False, **kwargs: Any) -> Any:
        raise _refused("TabularDataset.with_timestamp_columns")
