"""Snapshots of datasets, a part of v1 from before FileDataset and TabularDataset: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.dataset_type_definitions import HistogramCompareMethod

_INSTEAD = "Register another version instead: dataset.register(workspace, name, create_new_version=True)."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatasetSnapshot:
    """v1's DatasetSnapshot. Not part of this version."""

    def __init__(
        self,
        workspace: Any,
        snapshot_name: Any,
        dataset_id: Any,
        definition_version: Any = None,
        time_stamp: Any = None,
        profile_action_id: Any = None,
        datastore_name: Any = None,
        relative_path: Any = None,
        dataset_name: Any = None,
    ) -> None:
        raise _refused("DatasetSnapshot")

    def compare_profiles(
        self,
        rhs_dataset_snapshot: Any,
        include_columns: Any = None,
        exclude_columns: Any = None,
        histogram_compare_method: Any = HistogramCompareMethod.WASSERSTEIN,
    ) -> Any:
        raise _refused("DatasetSnapshot.compare_profiles")

    @property
    def dataset_id(self) -> Any:
        raise _refused("DatasetSnapshot.dataset_id")

    @staticmethod
    def get(workspace: Any, snapshot_name: Any, dataset_name: Any = None, dataset_id: Any = None) -> Any:
        raise _refused("DatasetSnapshot.get")

    @staticmethod
    def get_all(workspace: Any, dataset_name: Any) -> Any:
        raise _refused("DatasetSnapshot.get_all")

    def get_profile(self) -> Any:
        raise _refused("DatasetSnapshot.get_profile")

    def get_status(self) -> Any:
        raise _refused("DatasetSnapshot.get_status")

    def is_data_snapshot_available(self) -> Any:
        raise _refused("DatasetSnapshot.is_data_snapshot_available")

    @property
    def name(self) -> Any:
        raise _refused("DatasetSnapshot.name")

    def to_pandas_dataframe(self) -> Any:
        raise _refused("DatasetSnapshot.to_pandas_dataframe")

    def to_spark_dataframe(self) -> Any:
        raise _refused("DatasetSnapshot.to_spark_dataframe")

    def wait_for_completion(self, show_output: Any = True, status_update_frequency: Any = 10) -> Any:
        raise _refused("DatasetSnapshot.wait_for_completion")

    @property
    def workspace(self) -> Any:
        raise _refused("DatasetSnapshot.workspace")
