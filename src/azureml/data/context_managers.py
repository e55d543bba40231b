"""What `dataset.mount()` gives: the files of a dataset, shown below a folder while the context is started."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from azureml.core._refusal import refuse_class

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from penstock.model.datasets import Dataset

DatastoreContextManager = refuse_class(
    "azureml.data.context_managers.DatastoreContextManager",
    "Mount a dataset of the datastore's files: Dataset.File.from_files((datastore, 'folder')).mount().",
)


class MountConfig(NamedTuple):
    """What is mounted, and where; None for a new temporary folder."""

    definition: Dataset
    workspace: Optional[Workspace]
    mount_point: Optional[str]


class DatasetContextManager:
    """Shows the files of a dataset below `mount_point` between `start()` and `stop()`, or inside a `with` block.

    Args:
        config: What `FileDataset.mount` makes.
        ignore_already_mounted_error: Let a second `start()` pass.
        force_mount_with_allow_other: Kept; other users of this machine see what the permissions of the files allow.

    Raises:
        UserErrorException: The folder is not empty.
    """

    def __init__(self, config: Any, ignore_already_mounted_error: bool = False, force_mount_with_allow_other: bool = False) -> None:
        self._config = config
        self._ignores_second_start = ignore_already_mounted_error
        self._is_started = False
        self._was_there = False
        self._mount_point = self._prepare(config.mount_point)

    @staticmethod
    def _prepare(mount_point: Optional[str]) -> str:
        if mount_point is None:
            from tempfile import mkdtemp

            # A folder inside the temporary one: the mount may take its place.
            return os.path.join(mkdtemp(prefix="penstock-mount-"), "data")
        place = os.path.abspath(os.path.expanduser(mount_point))
        _check_empty(place)
        return place

    @property
    def mount_point(self) -> str:
        """The folder below which the files are."""
        return self._mount_point

    def start(self) -> None:
        """Show the files.

        Raises:
            UserErrorException: They are shown already, or the folder is not empty.
            DatasetExecutionError: The files can't be found or reached.
        """
        from azureml.data._files import bring_here, link_all, write

        if self._is_started:
            if self._ignores_second_start:
                return
            raise _error(f"The dataset is mounted at {self._mount_point} already: call stop() first.")
        _check_empty(self._mount_point)
        definition, workspace, _ = self._config
        files = None if definition.written is not None else bring_here(definition, workspace)
        self._was_there = os.path.isdir(self._mount_point)
        os.makedirs(self._mount_point, exist_ok=True)
        self._is_started = True
        try:
            if files is None:
                write(definition, workspace, self._mount_point)
            else:
                link_all(files, self._mount_point)
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """Take the files away again. The files of the dataset stay; the folder is as it was before."""
        if not self._is_started:
            return
        self._is_started = False
        atexit.unregister(self.stop)
        if os.path.islink(self._mount_point):
            os.unlink(self._mount_point)
        else:
            from shutil import rmtree

            rmtree(self._mount_point, ignore_errors=True)  # links and folders; what links lead to stays
        if self._was_there:
            os.makedirs(self._mount_point, exist_ok=True)
        elif self._config.mount_point is None:
            _remove_if_empty(os.path.dirname(self._mount_point))

    def __enter__(self) -> DatasetContextManager:
        self.start()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.stop()


def _check_empty(place: str) -> None:
    if os.path.islink(place) or (os.path.exists(place) and not os.path.isdir(place)):
        raise _error(f"A dataset can't be mounted at {place}: it is not a folder. Name an empty folder, or one that does not exist.")
    if os.path.isdir(place) and os.listdir(place):
        raise _error(f"A dataset can't be mounted at {place}: the folder is not empty. Name an empty folder, or one that does not exist.")


def _remove_if_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:  # the script put something there
        pass


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)
