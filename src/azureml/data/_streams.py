"""Files that a column of a tabular dataset refers to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, List, Optional

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset
    from penstock.model.datasets import Place

# Both ways in which v1 writes a path on a datastore as one text.
_ON_DATASTORE = re.compile(
    r"(?:azureml://(?:.*/)?datastores/(?P<name>[^/]+)/paths|AmlDatastore://(?P<old>[^/]+))/(?P<path>.+)", re.IGNORECASE
)


def files_of(dataset: TabularDataset, column: str) -> FileDataset:
    """Return the dataset of the files that a column refers to. The column is read now.

    Raises:
        UserErrorException: The column is not there, or a value of it names no file.
    """
    from azureml.data.abstract_dataset import make
    from azureml.exceptions import UserErrorException
    from penstock.model.datasets import FILE, Dataset

    frame = dataset.keep_columns(column).to_pandas_dataframe()
    if column not in frame.columns:
        raise UserErrorException(f"The dataset has no column '{column}'. There are: {', '.join(dataset._column_names())}.")
    places = [_place(str(value)) for value in dict.fromkeys(frame[column].dropna())]
    if not places:
        raise UserErrorException(f"The column '{column}' refers to no file: all its values are null.")
    made: FileDataset = make(Dataset(FILE, tuple(places)), dataset._workspace)
    return made


def _place(text: str) -> Place:
    from urllib.parse import unquote

    from azureml.data._places import source_of
    from penstock.model.datasets import Place

    found = _ON_DATASTORE.fullmatch(text)
    if found is None:
        return source_of(text).places[0]
    return Place(datastore=found["name"] or found["old"], path=unquote(found["path"]))


def download(dataset: TabularDataset, column: str, target: Optional[str], overwrite: bool, ignore_not_found: bool) -> List[str]:
    """Copy the files that a column refers to; see `TabularDataset.download`."""
    from dataclasses import replace

    from azureml.data.abstract_dataset import make

    whole = files_of(dataset, column)
    if ignore_not_found:
        there = tuple(place for place in whole._definition.places if _is_there(place, whole._workspace))
        if not there:
            return []
        whole = make(replace(whole._definition, places=there), whole._workspace)
    return whole.download(target, overwrite, ignore_not_found)


def _is_there(place: Place, workspace: Optional[Workspace]) -> bool:
    from azureml.data import _reading
    from azureml.data.dataset_error_handling import DatasetExecutionError
    from penstock.model.datasets import FILE, Dataset
    from penstock.model.errors import NotFound

    try:
        _reading.resolve(Dataset(FILE, (place,)), workspace)
    except DatasetExecutionError as error:
        if isinstance(error.inner_exception, NotFound):
            return False
        raise
    return True
