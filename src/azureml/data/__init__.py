"""Data of SDK v1: references to places on datastores, and the datastores. Names load where they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from azureml.data.datacache import DatacacheStore
    from azureml.data.dataset_factory import DataType
    from azureml.data.file_dataset import FileDataset
    from azureml.data.output_dataset_config import (
        HDFSOutputDatasetConfig,
        LinkFileOutputDatasetConfig,
        LinkTabularOutputDatasetConfig,
        OutputFileDatasetConfig,
    )
    from azureml.data.tabular_dataset import TabularDataset

__all__ = [
    "DataType",
    "DatacacheStore",
    "FileDataset",
    "HDFSOutputDatasetConfig",
    "LinkFileOutputDatasetConfig",
    "LinkTabularOutputDatasetConfig",
    "OutputFileDatasetConfig",
    "TabularDataset",
]

_HOMES = {
    "DataType": "dataset_factory",
    "DatacacheStore": "datacache",
    "FileDataset": "file_dataset",
    "HDFSOutputDatasetConfig": "output_dataset_config",
    "LinkFileOutputDatasetConfig": "output_dataset_config",
    "LinkTabularOutputDatasetConfig": "output_dataset_config",
    "OutputFileDatasetConfig": "output_dataset_config",
    "TabularDataset": "tabular_dataset",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'azureml.data' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"azureml.data.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    return sorted({*globals(), *_HOMES})
