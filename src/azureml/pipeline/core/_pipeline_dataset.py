"""Datasets as sources of a pipeline's data."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from azureml.data.dataset_consumption_config import TABULAR, DatasetConsumptionConfig, dataset_type, is_dataset, is_tuple
from azureml.pipeline.core._bindings import INPUT_MODES, check_mode
from azureml.pipeline.core._parameters import PipelineParameter, dataset_behind, save_dataset


class PipelineDataset:
    """A dataset that a step reads, with all that its port says of it.

    Args:
        dataset: A FileDataset or TabularDataset, a tuple (workspace, name[, version]), or a PipelineParameter that holds a dataset.
        name: The name of the input; None makes one from the dataset.
        bind_mode: mount, download, direct or hdfs.
        path_on_compute: Where the script finds the files.
        overwrite: Whether a download may replace what is there.
        parameter_name: The pipeline parameter whose value replaces the dataset.

    Raises:
        ValueError: It is no dataset, or the mode is not allowed.
    """

    def __init__(
        self,
        dataset: Any = None,
        name: Optional[str] = None,
        bind_mode: str = "mount",
        path_on_compute: Optional[str] = None,
        overwrite: bool = False,
        parameter_name: Optional[str] = None,
    ) -> None:
        parameter = dataset if isinstance(dataset, PipelineParameter) else None
        found = dataset_behind(dataset)
        if not is_tuple(found):
            PipelineDataset.validate_dataset(found)
        check_mode(bind_mode, INPUT_MODES, f"The dataset input '{name}'")
        self._dataset = found
        self._name = name or PipelineDataset.default_name(found)
        self._bind_mode = bind_mode
        self._path_on_compute = path_on_compute
        self._overwrite = overwrite
        self._parameter = parameter or (PipelineParameter(parameter_name, found) if parameter_name is not None else None)
        self._saved_id: Optional[str] = None

    def __repr__(self) -> str:
        return f"PipelineDataset(name={self._name!r}, bind_mode={self._bind_mode!r})"

    @staticmethod
    def create(dataset: Any, name: Optional[str] = None, parameter_name: Optional[str] = None) -> PipelineDataset:
        """Return the PipelineDataset for a dataset in any form.

        Args:
            dataset: A PipelineDataset (returned as it is), a DatasetConsumptionConfig, or a dataset.
            name: The name of the input; None takes that of the configuration, or makes one.
            parameter_name: The pipeline parameter whose value replaces the dataset.

        Raises:
            ValueError: It is none of these.
        """
        if isinstance(dataset, PipelineDataset):
            return dataset
        if isinstance(dataset, DatasetConsumptionConfig):
            return PipelineDataset(
                dataset.dataset, name or dataset.name, dataset.mode, dataset.path_on_compute, parameter_name=parameter_name
            )
        mode = "direct" if dataset_type(dataset) == TABULAR else "mount"
        return PipelineDataset(dataset, name, mode, parameter_name=parameter_name)

    @staticmethod
    def default_name(dataset: Any) -> str:
        """Return the name that the input of a dataset gets where none is given.

        Args:
            dataset: The dataset.
        """
        given = dataset[1] if is_tuple(dataset) else getattr(dataset, "name", None)
        return re.sub(r"\W", "_", given) if given else DatasetConsumptionConfig(None, dataset).name

    @staticmethod
    def is_dataset(dset: Any) -> bool:
        """Return whether an object is a FileDataset or a TabularDataset.

        Args:
            dset: The object.
        """
        return is_dataset(dset)

    @staticmethod
    def validate_dataset(dset: Any) -> None:
        """Do nothing for a dataset that a pipeline can read.

        Args:
            dset: The dataset.

        Raises:
            ValueError: It is none.
        """
        if not is_dataset(dset):
            raise ValueError(f"A pipeline can read a FileDataset or a TabularDataset as its dataset, not a {type(dset).__name__}.")

    @property
    def dataset(self) -> Any:
        """Return the dataset."""
        return self._dataset

    @property
    def dataset_id(self) -> Optional[str]:
        """Return the id of a registered dataset; None for another."""
        return self._dataset.id if self._is_registered() else None

    @property
    def dataset_version(self) -> Any:
        """Return the version of a registered dataset; None for another, or where the latest is meant."""
        if is_tuple(self._dataset):
            return self._dataset[2] if len(self._dataset) == 3 else None
        return self._dataset.version if self._is_registered() else None

    @property
    def saved_dataset_id(self) -> Optional[str]:
        """Return the id under which the dataset was saved for the pipeline; None until it was."""
        return self._saved_id

    @property
    def name(self) -> str:
        """Return the name of the input."""
        return self._name

    @property
    def workspace(self) -> Any:
        """Return the workspace of the dataset, or None."""
        return self._dataset[0] if is_tuple(self._dataset) else getattr(self._dataset, "_workspace", None)

    @property
    def bind_mode(self) -> str:
        """Return how the data reaches the script."""
        return self._bind_mode

    @property
    def path_on_compute(self) -> Optional[str]:
        """Return where the script finds the files, or None."""
        return self._path_on_compute

    @property
    def overwrite(self) -> bool:
        """Return whether a download may replace what is there."""
        return self._overwrite

    @property
    def parameter_name(self) -> Optional[str]:
        """Return the pipeline parameter whose value replaces the dataset, or None."""
        return self._parameter.name if self._parameter is not None else None

    def _is_registered(self) -> bool:
        return not is_tuple(self._dataset) and self._dataset.version is not None

    def _describe(self, workspace: Any) -> Dict[str, Any]:
        """Return what a data node of a graph document says of it. A dataset that has no id yet is saved."""
        if is_tuple(self._dataset):
            version = self.dataset_version
            return {"name": self._dataset[1], "version": None if version in (None, "latest") else int(version)}
        self._saved_id = save_dataset(self._dataset, workspace)
        if not self._is_registered():
            return {"id": self._saved_id}
        return {"id": self._saved_id, "name": self._dataset.name, "version": int(self._dataset.version)}
