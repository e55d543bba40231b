"""PipelineData promoted to datasets: not part of this version, so the names import and refuse to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

_INSTEAD = "Datasets come in a later release. Give the PipelineData itself to the steps that read it."

PipelineOutputAbstractDataset = refuse_class("azureml.pipeline.core.pipeline_output_dataset.PipelineOutputAbstractDataset", _INSTEAD)
PipelineOutputFileDataset = refuse_class("azureml.pipeline.core.pipeline_output_dataset.PipelineOutputFileDataset", _INSTEAD)
PipelineOutputTabularDataset = refuse_class("azureml.pipeline.core.pipeline_output_dataset.PipelineOutputTabularDataset", _INSTEAD)


class DatasetRegistration:
    """How an output is registered as a dataset when its step ends.

    Args:
        name: The dataset's name.
        create_new_version: Whether a dataset of this name gets a new version.
    """

    def __init__(self, name: str, create_new_version: bool) -> None:
        self._name, self._create_new_version = name, create_new_version

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        return self._name

    @property
    def create_new_version(self) -> bool:
        """Return whether a dataset of this name gets a new version."""
        return self._create_new_version
