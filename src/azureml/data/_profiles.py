"""Profiles of tabular datasets: computed by the process that asks, kept with a finished run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional

from azureml.core._errors import v1_errors
from azureml.data import _reading

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.dataset_profile import DatasetProfile
    from azureml.data.dataset_profile_run import DatasetProfileRun
    from azureml.data.tabular_dataset import TabularDataset

RUN_TYPE = "azureml.DatasetProfile"
PROFILED = "penstock.profiled_dataset_id"
SOURCE_STATE = "penstock.profiled_source"
FILE = "profile.json"


def submit(dataset: TabularDataset, compute_target: Any, experiment: Any) -> DatasetProfileRun:
    """Compute the profile and keep it with a run; see `TabularDataset.submit_profile_run`."""
    from io import BytesIO

    from azureml.core.run import Run
    from azureml.data.dataset_profile_run import DatasetProfileRun

    workspace, client = experiment.workspace, experiment.workspace._client
    dataset_id = dataset._ensure_saved(workspace)
    properties = {PROFILED: dataset_id, SOURCE_STATE: source_state(dataset), "target": str(getattr(compute_target, "name", compute_target))}
    with v1_errors():
        record = client.create_run(workspace._id, experiment.name, type=RUN_TYPE, properties=properties, status="Running")
    try:
        table = dataset._table()
        with _reading.reading_errors(dataset._definition):
            profile = table.profile()
        client.put_file(record["id"], FILE, BytesIO(json.dumps(profile).encode()))
    except BaseException as error:
        with v1_errors():
            client.set_run_status(record["id"], "Failed", error={"code": "UserError", "message": str(getattr(error, "message", error))})
        raise
    with v1_errors():
        finished = client.set_run_status(record["id"], "Completed")
    return DatasetProfileRun(workspace, dataset, Run(experiment, record["id"], _record=finished))


def source_state(dataset: TabularDataset) -> str:
    """Return a text that changes when the files behind a dataset do."""
    from hashlib import sha256

    files = _reading.resolve(dataset._source(), dataset._workspace)["files"]
    facts = [[file["path"], file["size"], file.get("token"), file.get("modified_at")] for file in files]
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def runs(dataset: TabularDataset, workspace: Optional[Workspace]) -> Iterator[DatasetProfileRun]:
    """Give the runs that hold profiles of a dataset, newest first; see `TabularDataset.get_profile_runs`."""
    from azureml.core.run import Run
    from azureml.data.dataset_profile_run import DatasetProfileRun

    home = _reading.home_of(workspace or dataset._workspace)
    dataset_id = dataset._ensure_saved(home)
    with v1_errors():
        records = home._client.list_runs(home._id, type=RUN_TYPE, properties={PROFILED: dataset_id}, status="Completed")
    return (DatasetProfileRun(home, dataset, Run.get(home, record["id"])) for record in records)


def latest(dataset: TabularDataset, workspace: Optional[Workspace]) -> DatasetProfile:
    """Return the newest profile of a dataset; see `TabularDataset.get_profile`."""
    for run in runs(dataset, workspace):
        return run.get_profile()
    from azureml.exceptions import UserErrorException

    raise UserErrorException("No profile of this dataset was computed yet: call submit_profile_run(compute_target, experiment) first.")


def load(workspace: Workspace, dataset_id: str, run: Any) -> DatasetProfile:
    """Return the profile that a run holds."""
    from azureml.data.dataset_profile import DatasetProfile

    with v1_errors():
        profile: Dict[str, Any] = json.loads(workspace._client.read_file(run.id, FILE))
    return DatasetProfile(dataset_id, run.id, run.experiment.name, workspace, profile)
