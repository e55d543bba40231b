"""Saved and registered datasets: finding them, listing them, and telling a run's lineage about them."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, NamedTuple, Optional

from azureml.core._errors import v1_errors

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.abstract_dataset import AbstractDataset

_LOGGER = logging.getLogger("penstock")


class Registration(NamedTuple):
    """Under which id, and where it is registered under which name and version, a dataset is known."""

    id: str
    name: Optional[str] = None
    version: Optional[int] = None
    description: Optional[str] = None
    tags: Optional[Dict[str, str]] = None


def registration_of(record: Dict[str, Any]) -> Registration:
    """Return the registration that a version's record tells of."""
    return Registration(record["id"], record["name"], record["version"], record.get("description"), dict(record.get("tags") or {}))


def get_by_name(workspace: Workspace, name: str, version: Any) -> AbstractDataset:
    """Return a version of a registered dataset; see `AbstractDataset.get_by_name`."""
    from azureml.exceptions import UserErrorException

    number = _version_number(name, version)
    with v1_errors(not_found=UserErrorException):
        record = workspace._client.get_dataset_version(workspace._id, name, version=number)
    return _registered(workspace, record)


def _version_number(name: str, version: Any) -> Optional[int]:
    from azureml.exceptions import UserErrorException

    if version is None or version == "latest":
        return None
    if isinstance(version, int) and not isinstance(version, bool):
        return version
    if isinstance(version, str) and version.isascii() and version.isdigit():
        return int(version)
    raise UserErrorException(f"The dataset '{name}' has no version {version!r}: give a whole number, or 'latest'.")


def _registered(workspace: Workspace, record: Dict[str, Any]) -> AbstractDataset:
    from azureml.data.abstract_dataset import make
    from penstock.model.datasets import parse_dataset

    dataset: AbstractDataset = make(parse_dataset(record["definition"]), workspace, registration_of(record))
    tell_lineage(workspace, "input", dataset)
    return dataset


def get_by_id(workspace: Workspace, dataset_id: str) -> AbstractDataset:
    """Return a saved dataset; see `AbstractDataset.get_by_id`."""
    from azureml.data.abstract_dataset import make
    from azureml.exceptions import UserErrorException
    from penstock.model.datasets import parse_dataset

    with v1_errors(not_found=UserErrorException):
        record = workspace._client.get_dataset(workspace._id, str(dataset_id))
        registration = Registration(record["id"])
        if record.get("registrations"):
            latest = record["registrations"][-1]
            version = workspace._client.get_dataset_version(workspace._id, latest["name"], version=latest["version"])
            registration = registration_of(version)
    dataset: AbstractDataset = make(parse_dataset(record["definition"]), workspace, registration)
    tell_lineage(workspace, "input", dataset)
    return dataset


def tell_lineage(workspace: Workspace, direction: str, dataset: AbstractDataset) -> None:
    """Note inside a run that it reads or made a dataset. Nothing that goes wrong here stops the script."""
    from penstock.runtime.context import find_context

    context = find_context()
    if context is None:
        return
    try:
        workspace._client.record_lineage(context.run_id, direction, dataset.id, name=dataset.name, version=dataset.version)
    except Exception as error:
        _LOGGER.debug("lineage.lost run_id=%s dataset_id=%s error=%s", context.run_id, dataset.id, error)


class RegisteredDatasets(Mapping[str, "AbstractDataset"]):
    """The latest version of each registered dataset of a workspace, by name. Each is loaded when it is first asked for.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: Optional[Dict[str, Dict[str, Any]]] = None
        self._loaded: Dict[str, AbstractDataset] = {}

    @property
    def _records(self) -> Dict[str, Dict[str, Any]]:
        if self._known is None:
            with v1_errors():
                records = self._workspace._client.list_datasets(self._workspace._id)
            self._known = {record["name"]: record for record in records}
        return self._known

    @property
    def registrations(self) -> List[Registration]:
        """What is known of each dataset without loading it: id, name, version, description and tags."""
        return [registration_of(record) for record in self._records.values()]

    def __getitem__(self, name: str) -> AbstractDataset:
        if name not in self._records:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _registered(self._workspace, self._records[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        shown = {item.name: {"id": item.id, "version": item.version, "description": item.description} for item in self.registrations}
        return json.dumps(shown, indent=2, ensure_ascii=False)
