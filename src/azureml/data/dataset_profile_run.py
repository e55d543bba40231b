"""Runs that computed the profile of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.core.run import Run

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.dataset_profile import DatasetProfile
    from azureml.data.tabular_dataset import TabularDataset


class DatasetProfileRun(Run):
    """A run that holds the profile of a tabular dataset. `TabularDataset.submit_profile_run` makes it.

    Args:
        workspace: The workspace.
        dataset: The dataset.
        run: The run.
    """

    def __init__(self, workspace: Workspace, dataset: TabularDataset, run: Any) -> None:
        super().__init__(run.experiment, run.id, _record=run._cached)
        self.workspace = workspace
        self.dataset = dataset
        self.run = run

    def get_profile(self) -> DatasetProfile:
        """Return the profile."""
        from azureml.data import _profiles

        return _profiles.load(self.workspace, str(self.dataset.id), self)
