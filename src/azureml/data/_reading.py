"""Gets at a dataset's files and rows: asks the service where the files are, and the tabular package for the rows."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from penstock.model.errors import PenstockError

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from penstock.model.datasets import Dataset, Place

INSTALL = 'pip install "penstock[data]"'
_LIBRARIES = ("pandas", "pyarrow")
_MOST_PLACES = 3  # in a message
_LONGEST_PATH = 1000


class reading_errors:  # noqa: N801  read as a verb at the place of use
    """Turns what the service and the tabular package raise into v1's DatasetExecutionError.

    Args:
        dataset: What is read; a message that names none of its places is told where they are.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __enter__(self) -> reading_errors:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, PenstockError):
            from azureml.data.dataset_error_handling import DatasetExecutionError

            raise DatasetExecutionError(_with_places(error.message, self._dataset), error) from None
        if isinstance(error, ModuleNotFoundError):
            library = str(error.name or error).partition(".")[0]
            if library != "penstock":
                raise missing_library(library) from None


def _with_places(message: str, dataset: Dataset) -> str:
    while dataset.written is not None:
        dataset = dataset.written.dataset
    if any(_mark(place) in message for place in dataset.places):
        return message
    more = f" and {len(dataset.places) - _MOST_PLACES} more places" if len(dataset.places) > _MOST_PLACES else ""
    return f"{message} The dataset reads {', '.join(_shown(place) for place in dataset.places[:_MOST_PLACES])}{more}."


def _mark(place: Place) -> str:
    """What a message has that names a place: the datastore, or the URL without its scheme."""
    return f"'{place.datastore}'" if place.url is None else place.url.partition("://")[2]


def _shown(place: Place) -> str:
    if place.url is not None:
        return place.url.partition("?")[0]
    return f"{'a query' if place.path is None else repr(place.path[:_LONGEST_PATH])} on the datastore '{place.datastore}'"


def missing_library(name: str, install: str = INSTALL) -> Exception:
    """Return the error for a library that the script's own environment lacks."""
    from azureml.exceptions import UserErrorException

    return UserErrorException(
        f"Reading datasets into this script needs the library '{name}', which {sys.executable} does not have. {_way_out(install)}."
    )


def _way_out(install: str) -> str:
    if "AZUREML_RUN_ID" not in os.environ:
        return f"Install it into that environment: {install}"
    return f"Name it in the step's environment, or install it for the interpreter that submitted the step: {install}"


def can_read() -> bool:
    """Tell whether this process has what reading rows needs."""
    return _find_missing() is None


def _find_missing() -> Optional[str]:
    from importlib.util import find_spec

    return next((name for name in _LIBRARIES if find_spec(name) is None), None)


def home_of(workspace: Optional[Workspace]) -> Workspace:
    """Return the workspace that reads a dataset: its own, or the run's, or the default one for URLs and local paths."""
    from azureml.core._errors import v1_errors
    from azureml.core.workspace import Workspace

    if workspace is not None:
        return workspace
    of_run = Workspace._of_this_run()
    if of_run is not None:
        return of_run
    from penstock.client import connect

    with v1_errors():
        return Workspace._from_record(connect().default_workspace())


def resolve(dataset: Dataset, workspace: Optional[Workspace]) -> Dict[str, Any]:
    """Return where a dataset's files are now; nothing is copied.

    Raises:
        DatasetExecutionError: Nothing is there, or it can't be reached.
    """
    from penstock.model.datasets import format_dataset

    home = home_of(workspace)
    with reading_errors(dataset):
        found: Dict[str, Any] = home._client.resolve_dataset(home._id, format_dataset(dataset))
    return found


def stage(dataset: Dataset, workspace: Optional[Workspace]) -> Dict[str, Any]:
    """Return where a dataset's files are on this machine; remote ones come into the cache first.

    Raises:
        DatasetExecutionError: Nothing is there, or it can't be reached.
    """
    from penstock.model.datasets import format_dataset

    home = home_of(workspace)
    with reading_errors(dataset):
        found: Dict[str, Any] = home._client.transfer(home._id, "stage", dataset=format_dataset(dataset))
    return found


def open_table(dataset: Dataset, workspace: Optional[Workspace]) -> Any:
    """Return the table of a tabular dataset, its files on this machine. Rows are read by the table's methods.

    Raises:
        DatasetExecutionError: The files can't be found or reached.
        UserErrorException: A library is missing.
    """
    missing = _find_missing()  # before anything is brought here
    if missing is not None:
        raise missing_library(missing)
    return _table(dataset, stage(dataset, workspace)["files"])


def open_first_file(dataset: Dataset, workspace: Optional[Workspace]) -> Any:
    """Return a table of the first file that has bytes: enough to know the columns, however many files there are.

    Raises:
        DatasetExecutionError: The files can't be found or reached.
    """
    from dataclasses import replace

    from penstock.model import datasets as model
    from penstock.model.selection import FOR_FILES_OF_TABLES

    if any(place.query is not None for place in dataset.places):
        return open_table(dataset, workspace)
    chosen = tuple(item for item in dataset.operations if item.kind in FOR_FILES_OF_TABLES)
    files = model.Dataset(model.FILE, dataset.places, partition_format=dataset.partition_format, operations=chosen)
    found = resolve(files, workspace)["files"]
    first = next((number for number, file in enumerate(found) if file["size"] != 0), 0)
    staged = stage(files.then("skip", count=first).then("take", count=1), workspace)
    # The choice of files was done above: the table sees its one file, not their number.
    return _table(replace(dataset, operations=tuple(item for item in dataset.operations if item not in chosen)), staged["files"])


def _table(dataset: Dataset, files: List[Dict[str, Any]]) -> Any:
    from penstock import tabular

    sources = [tabular.SourceFile(local=file["local"], path=file["path"], partition=file.get("partition") or {}) for file in files]
    with reading_errors(dataset):
        return tabular.open_table(dataset, sources)


class validation_errors:  # noqa: N801  read as a verb at the place of use
    """Turns the error of reading a dataset into the one of making it: DatasetValidationError instead of DatasetExecutionError."""

    def __enter__(self) -> validation_errors:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError

        if isinstance(error, DatasetExecutionError):
            raise DatasetValidationError(error.message, error.inner_exception) from None
