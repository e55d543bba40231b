"""The datasets that a run read and wrote, in the shape in which a run's details tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

from azureml.core._errors import v1_errors
from penstock.model.errors import NotFound
from penstock.model.run_types import PIPELINE_RUN

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


def used_datasets(workspace: Workspace, record: Dict[str, Any]) -> Tuple[UsedDatasets, UsedDatasets]:
    """Return what a run read, and what it wrote."""
    rows: List[Dict[str, Any]] = []
    if record.get("type") != PIPELINE_RUN:  # it reads and writes nothing itself: its steps do
        with v1_errors():
            found = workspace._client.list_lineage(record["workspace_id"], run_id=record["id"])
        rows = [row for row in reversed(found) if row["run_id"] == record["id"]]
    inputs = [_input(row) for row in rows if row["direction"] == "input"]
    outputs = [_output(row) for row in rows if row["direction"] == "output"]
    return UsedDatasets(workspace, inputs), UsedDatasets(workspace, outputs)


def _input(row: Dict[str, Any]) -> Dict[str, Any]:
    how = {"type": "RunInput" if row["port"] else "Reference", "inputName": row["port"] or None}
    details = {**how, "mechanism": (row["mode"] or "direct").capitalize(), "pathOnCompute": None}
    return {"dataset": _Named(row), "consumptionDetails": details}


def _output(row: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "identifier": {"savedId": row["dataset_id"]},
        "dataset": _Named(row),
        "outputType": "RunOutput" if row["port"] else "Reference",
        "outputDetails": {"outputName": row["port"] or None},
    }


class _Named(Dict[str, Any]):
    """A dataset that was not looked at yet."""

    def __init__(self, row: Dict[str, Any]) -> None:
        super().__init__({"id": row["dataset_id"], "name": row["name"], "version": row["version"]})


class UsedDatasets(List[Dict[str, Any]]):
    """A list of uses. The dataset of each is loaded when its place in the list is asked for; until then it is told by id, name and version.

    Args:
        workspace: Where the datasets are.
        uses: What is known of each use.
    """

    def __init__(self, workspace: Workspace, uses: List[Dict[str, Any]]) -> None:
        super().__init__(uses)
        self._workspace = workspace

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        for use in found if isinstance(place, slice) else [found]:
            if isinstance(use["dataset"], _Named):
                use["dataset"] = _load(self._workspace, use["dataset"])
        return found

    def __iter__(self) -> Iterator[Dict[str, Any]]:
        return (self[place] for place in range(len(self)))


def _load(workspace: Workspace, named: _Named) -> Any:
    from azureml.data._registry import Registration, registration_of
    from azureml.data.abstract_dataset import make
    from penstock.model.datasets import parse_dataset

    with v1_errors():
        version = _find_version(workspace, named)
        record = version or workspace._client.get_dataset(workspace._id, named["id"])
    registration = registration_of(version) if version else Registration(named["id"], named["name"], named["version"])
    return make(parse_dataset(record["definition"]), workspace, registration)


def _find_version(workspace: Workspace, named: _Named) -> Any:
    """The registration under which the run knew the dataset, where it is still there: it tells description and tags."""
    if named["name"] is None:
        return None
    try:
        version = workspace._client.get_dataset_version(workspace._id, named["name"], version=named["version"])
    except NotFound:
        return None
    return version if version["id"] == named["id"] else None
