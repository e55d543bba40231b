"""A profile to compute, for `Experiment.submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from azureml.core._experiment_method import experiment_method

if TYPE_CHECKING:
    from azureml.data.dataset_profile_run import DatasetProfileRun
    from azureml.data.tabular_dataset import TabularDataset


def _submit(config: DatasetProfileRunConfig, workspace: Any, experiment_name: str, **kwargs: Any) -> DatasetProfileRun:
    from azureml.core.experiment import Experiment

    return config._dataset.submit_profile_run(config._compute_target, Experiment(workspace, experiment_name), config._datastore_name)


class DatasetProfileRunConfig:
    """Submits the computation of a dataset's profile: `experiment.submit(DatasetProfileRunConfig(dataset))`.

    Args:
        dataset: The tabular dataset.
        compute_target: Kept with the run.
        datastore_name: Accepted and ignored, as nothing is cached.

    Raises:
        UserErrorException: It is no tabular dataset.
    """

    @experiment_method(submit_function=_submit)
    def __init__(self, dataset: TabularDataset, compute_target: Any = "local", datastore_name: Optional[str] = None) -> None:
        from azureml.data.tabular_dataset import TabularDataset
        from azureml.exceptions import UserErrorException

        if not isinstance(dataset, TabularDataset):
            raise UserErrorException(f"A profile is computed of a TabularDataset, not of a {type(dataset).__name__}.")
        self._dataset = dataset
        self._compute_target = compute_target
        self._datastore_name = datastore_name
