"""Profiles: what a tabular dataset's columns hold, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict

if TYPE_CHECKING:
    from azureml.core.run import Run
    from azureml.core.workspace import Workspace


class DatasetProfile:
    """Numbers about each column of a tabular dataset, as they were when a run computed them.

    Args:
        saved_dataset_id: The dataset's id.
        run_id: The run that computed it.
        experiment_name: The run's experiment.
        workspace: The workspace.
        profile: The numbers.
    """

    def __init__(self, saved_dataset_id: str, run_id: str, experiment_name: str, workspace: Workspace, profile: Dict[str, Any]) -> None:
        self._dataset_id = saved_dataset_id
        self._run_id = run_id
        self._experiment_name = experiment_name
        self._workspace = workspace
        self._profile = profile

    @property
    def columns(self) -> Dict[str, Dict[str, Any]]:
        """The numbers of each column, by its name."""
        return dict(self._profile["columns"])

    @property
    def row_count(self) -> int:
        """How many rows there were."""
        return int(self._profile["row_count"])

    def __repr__(self) -> str:
        return f"DatasetProfile(dataset_id={self._dataset_id!r}, row_count={self.row_count}, columns={list(self.columns)})"

    def get_producing_run(self) -> Run:
        """Return the run that computed the profile."""
        from azureml.core.run import Run

        return Run.get(self._workspace, self._run_id)

    def is_stale(self) -> bool:
        """Return whether the files behind the dataset have changed since.

        Raises:
            DatasetExecutionError: The files can't be found or reached.
        """
        from azureml.data import _profiles
        from azureml.data.abstract_dataset import AbstractDataset

        then = self.get_producing_run().properties.get(_profiles.SOURCE_STATE)
        return bool(then != _profiles.source_state(AbstractDataset.get_by_id(self._workspace, self._dataset_id)))
