"""Datasets as inputs: what is read, under which name, and how it reaches the script."""

from __future__ import annotations

import logging
import os
import re
from typing import Any, Optional

from azureml.data.constants import DIRECT_MODE, DOWNLOAD_MODE, HDFS_MODE, MOUNT_MODE
from penstock.model.ids import new_id

FILE, TABULAR = "file", "tabular"  # as penstock.model.datasets spells them, which costs an import of its own

_LOGGER = logging.getLogger("penstock")
_MODES = (DIRECT_MODE, MOUNT_MODE, DOWNLOAD_MODE, HDFS_MODE)
_NAME = re.compile(r"\w+", re.ASCII)
# Variables of every process. An input or output of such a name hides the variable from the script.
_OF_THE_PROCESS = ("path", "ld_library_path", "user", "logname", "home", "pwd", "shell")


class DatasetConsumptionConfig:
    """A dataset as the script of a run consumes it.

    Args:
        name: The input's name: letters, digits, underscores. The script finds the dataset as `run.input_datasets[name]` and in the
            variable of that name. None makes one.
        dataset: A FileDataset or TabularDataset, an output of another step, a PipelineParameter with a dataset as its default, or
            a tuple (workspace, dataset name) or (workspace, dataset name, version); without a version it is the latest at run time.
        mode: direct (the script gets the dataset itself), mount or download (it gets a path), or hdfs.
        path_on_compute: Where the script finds the files, in mode mount or download.

    Attributes:
        dataset: The dataset.
        mode: The mode.
        path_on_compute: The place, or None.

    Raises:
        UserErrorException: It is no dataset, or the name or the mode is not allowed.
    """

    def __init__(self, name: Optional[str], dataset: Any, mode: str = DIRECT_MODE, path_on_compute: Optional[str] = None) -> None:
        kind = _check_dataset(dataset)
        if mode not in _MODES:
            raise _error(f"A dataset is consumed in one of the modes {', '.join(_MODES)}, not {mode!r}.")
        if kind == TABULAR and mode != DIRECT_MODE:
            raise _error(
                f"A tabular dataset has no files to {mode}: it is consumed in mode 'direct', and the script reads "
                f"run.input_datasets['{name or 'name'}'].to_pandas_dataframe(). For files, use dataset.to_csv_files() first."
            )
        self.dataset = dataset
        self.mode = mode
        self.path_on_compute = os.fspath(path_on_compute) if path_on_compute is not None else None
        self.name = name if name is not None else _made_name(dataset)

    @property
    def name(self) -> str:
        """The input's name."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = check_dataset_name(name, _NAME, "input")

    @property
    def arg_val(self) -> str:
        """The text that stands for the dataset among a script's arguments; the path or the id takes its place when the script starts."""
        return f"DatasetConsumptionConfig:{self._name}"

    def __str__(self) -> str:
        return self.arg_val

    def __repr__(self) -> str:
        return f"DatasetConsumptionConfig(name={self._name!r}, mode={self.mode!r})"

    def __deepcopy__(self, memo: Any) -> DatasetConsumptionConfig:
        return self._in_mode(self.mode, self.path_on_compute)  # the dataset is shared: it leads to a workspace

    def as_mount(self, path_on_compute: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return a copy whose files the script reads in place.

        Args:
            path_on_compute: Where it finds them.

        Raises:
            UserErrorException: The dataset is tabular.
        """
        return self._in_mode(MOUNT_MODE, path_on_compute)

    def as_download(self, path_on_compute: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return a copy whose files are copied before the script starts.

        Args:
            path_on_compute: Where the script finds them.

        Raises:
            UserErrorException: The dataset is tabular.
        """
        return self._in_mode(DOWNLOAD_MODE, path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Return a copy for a Spark cluster, which this version does not have: submitting it is refused.

        Raises:
            UserErrorException: The dataset is tabular.
        """
        return self._in_mode(HDFS_MODE, None)

    def _in_mode(self, mode: str, path_on_compute: Optional[str]) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(self._name, self.dataset, mode, path_on_compute)


def check_dataset_name(name: Any, pattern: Any, what: str) -> str:
    """Return the name of a dataset input or output; warn where it hides a variable of the process.

    Raises:
        UserErrorException: It is no text that fits the pattern.
    """
    if not isinstance(name, str) or not pattern.fullmatch(name):
        raise _error(f"{name!r} can't be the name of a dataset {what}: use letters, digits and underscores only.")
    if name.lower() in _OF_THE_PROCESS:
        _LOGGER.warning("The dataset %s '%s' hides a variable of that name from the script. Another name is safer.", what, name)
    return name


def is_dataset(value: Any) -> bool:
    """Tell whether a value is a FileDataset or a TabularDataset."""
    from azureml.data.abstract_dataset import AbstractDataset

    return isinstance(value, AbstractDataset)


def is_tuple(value: Any) -> bool:
    """Tell whether a value names a registered dataset: (workspace, name) or (workspace, name, version)."""
    return isinstance(value, tuple) and len(value) in (2, 3) and isinstance(value[1], str) and hasattr(value[0], "subscription_id")


def wraps_dataset(value: Any) -> bool:
    """Tell whether a value is a DatasetConsumptionConfig or a PipelineDataset, which hold a dataset and say how it is consumed."""
    return isinstance(value, DatasetConsumptionConfig) or hasattr(value, "saved_dataset_id")


def dataset_type(value: Any) -> Optional[str]:
    """Return what a dataset of any form is: file or tabular; None where only the run will know, or for what is no dataset."""
    if is_dataset(value):
        from azureml.data.tabular_dataset import TabularDataset

        return TABULAR if isinstance(value, TabularDataset) else FILE
    if hasattr(value, "default_value"):  # a pipeline parameter
        return dataset_type(value.default_value)
    if wraps_dataset(value):
        return dataset_type(value.dataset)
    found: Optional[str] = getattr(value, "_dataset_type", None)  # an output
    return found


def _check_dataset(dataset: Any) -> Optional[str]:
    kind = dataset_type(dataset)
    if kind is None and not is_tuple(dataset) and not is_tuple(getattr(getattr(dataset, "default_value", None), "dataset", None)):
        about = (
            f"the PipelineParameter '{dataset.name}', whose default is no dataset" if hasattr(dataset, "default_value") else repr(dataset)
        )
        raise _error(
            f"A DatasetConsumptionConfig takes a FileDataset or TabularDataset, an OutputFileDatasetConfig, a PipelineParameter with a "
            f"dataset as its default, or a tuple (workspace, dataset name), not {about}."
        )
    return kind


def _made_name(dataset: Any) -> str:
    # Two underscores, as in v1. A dataset that has no id yet gives a random name; reuse goes by a port's place, not by its name.
    identity = getattr(dataset, "id", None) if is_dataset(dataset) else None
    return f"input__{str(identity or new_id())[:8]}"


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)
