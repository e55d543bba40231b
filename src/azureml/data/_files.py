"""The files of a file dataset: their paths, and copies or links of them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Iterator, List, NamedTuple, Optional

from azureml.data import _reading

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from penstock.model.datasets import Dataset

Put = Callable[[str, str], None]  # makes the second path hold what the first one does


class LocalFile(NamedTuple):
    """A file of a dataset: its path as `to_path` shows it, beginning with '/', and where it can be read on this machine."""

    path: str
    local: str


class LocalFiles(NamedTuple):
    """The files of a dataset on this machine. `folder` is a folder that holds them all, just so, and nothing else; or None."""

    files: List[LocalFile]
    folder: Optional[str]


def list_paths(definition: Dataset, workspace: Optional[Workspace]) -> List[str]:
    """Return the path of each file, beginning with '/'."""
    if definition.written is None:
        return [file["path"] for file in _reading.resolve(definition, workspace)["files"]]
    with _temporary_folder() as folder:
        return [file.path for file in write(definition, workspace, folder)]


def write(definition: Dataset, workspace: Optional[Workspace], folder: str) -> List[LocalFile]:
    """Write the files of `to_csv_files` or `to_parquet_files` into a folder, and return them."""
    from penstock import tabular
    from penstock.model.datasets import format_dataset

    home = _reading.home_of(workspace)
    with _reading.reading_errors(definition):
        names = tabular.write_files_of(home._client, home._id, format_dataset(definition), folder)
    return [LocalFile(f"/{name}", os.path.join(folder, *name.split("/"))) for name in names]


def bring_here(definition: Dataset, workspace: Optional[Workspace]) -> LocalFiles:
    """Return the files where they can be read on this machine: in place for local ones, in the cache for others."""
    staged = _reading.stage(definition, workspace)
    return LocalFiles([LocalFile(file["path"], file["local"]) for file in staged["files"]], staged.get("folder"))


def download(
    definition: Dataset, workspace: Optional[Workspace], target_path: Optional[str], overwrite: bool, ignore_not_found: bool
) -> List[str]:
    """Copy the files into a folder and return where each one is; see `FileDataset.download`."""
    from azureml.data._copying import copy
    from azureml.data.dataset_error_handling import DatasetExecutionError
    from penstock.model.errors import NotFound

    target = _target(target_path)
    try:
        if definition.written is None:
            return _put_all(bring_here(definition, workspace).files, target, copy, overwrite, ignore_not_found)
        os.makedirs(target, exist_ok=True)
        with _temporary_folder(target) as folder:
            return _put_all(write(definition, workspace, folder), target, os.replace, overwrite, ignore_not_found)
    except DatasetExecutionError as error:
        if ignore_not_found and isinstance(error.inner_exception, NotFound):
            return []
        raise


def _target(target_path: Optional[str]) -> str:
    if target_path is not None:
        return os.path.abspath(os.path.expanduser(target_path))
    from tempfile import mkdtemp

    return mkdtemp(prefix="penstock-download-")


def _put_all(files: List[LocalFile], target: str, put: Put, overwrite: bool, ignore_not_found: bool) -> List[str]:
    from azureml.data._paths import join_inside
    from azureml.exceptions import UserErrorException

    places = [(file, join_inside(target, file.path)) for file in files]
    if not overwrite:
        for file, place in places:
            if os.path.lexists(place):
                raise UserErrorException(
                    f"The file '{file.path}' can't be downloaded: {place} exists already. Use overwrite=True, or another target_path."
                )
    return [place for file, place in places if _put(file, place, put, ignore_not_found)]


def _put(file: LocalFile, place: str, put: Put, ignore_not_found: bool) -> bool:
    from azureml.data.dataset_error_handling import DatasetExecutionError

    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        put(file.local, place)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.exists(file.local):
            return _missed(file, error, ignore_not_found)
        raise DatasetExecutionError(f"The file '{file.path}' can't be downloaded to {place}: {error.strerror or error}.", error) from None
    return True


def _missed(file: LocalFile, error: OSError, ignore_not_found: bool) -> bool:
    from azureml.data.dataset_error_handling import DatasetExecutionError

    if not ignore_not_found:
        raise DatasetExecutionError(
            f"The file '{file.path}' can't be downloaded: {file.local} is not there any more. Pass ignore_not_found=True to leave it out.",
            error,
        ) from None
    return False


@contextmanager
def _temporary_folder(beside: Optional[str] = None) -> Iterator[str]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix=".penstock-written-", dir=beside) as folder:
        yield folder


def link_all(files: LocalFiles, mount_point: str) -> None:
    """Show the files below an empty folder: by one link in its place where they are all that a folder holds, else by a tree of links."""
    if files.folder is not None:
        os.rmdir(mount_point)
        os.symlink(files.folder, mount_point, target_is_directory=True)
        return
    for file in files.files:
        place = os.path.join(mount_point, *file.path.strip("/").split("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(file.local, place)
