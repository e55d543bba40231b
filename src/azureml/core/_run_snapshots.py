"""Snapshots of runs that a process drives itself: the folder that it works in, frozen, and got back as a zip file."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Tuple

from azureml.core._errors import v1_errors

if TYPE_CHECKING:
    from penstock.compile.snapshots import Snapshot

_LOGGER = logging.getLogger("penstock")

SNAPSHOT_ID = "ContentSnapshotId"
_TRIES = 3  # a file that grows while it is read, such as a log, is another one when it is sent
_SETTLED_SECONDS = 2.0  # a file that was written just now may change once more without a change of its time
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # snapshots keep no times, and a zip file can't leave them out

# Digests of files that stay as they are: a notebook starts many runs in one folder.
_DIGESTS: Dict[str, Tuple[Tuple[int, ...], str]] = {}


def take_snapshot(client: Any, path: str) -> str:
    """Give the service the files of a folder, or one file, and return the snapshot's id. Only files that are new to it travel.

    Raises:
        SnapshotException: There is nothing there, it is too large, or a file in it can't travel.
    """
    from azureml.exceptions import SnapshotException
    from penstock.model.errors import PenstockError

    try:
        return _send(client, os.fspath(path))
    except PenstockError as error:
        raise SnapshotException(error.message, inner_exception=error) from None


def _send(client: Any, path: str) -> str:
    from penstock.compile.snapshots import upload_snapshot
    from penstock.model.errors import Invalid, NotFound

    limits = client.service_info()["limits"]
    trouble: Optional[Exception] = None
    for _ in range(_TRIES):
        snapshot = _freeze(client, path, limits["snapshot_bytes"], limits["snapshot_files"])
        try:
            upload_snapshot(client, snapshot)
            return snapshot.digest
        except (Invalid, NotFound, OSError) as error:  # a file changed meanwhile, or is gone
            _DIGESTS.clear()
            trouble = error
    raise Invalid(f"The files in {os.path.abspath(path)} change while they are read: {trouble}") from trouble


def _freeze(client: Any, path: str, max_bytes: int, max_files: int) -> Snapshot:
    from penstock.compile import snapshots
    from penstock.compile.manifests import Entry, manifest_digest
    from penstock.model.errors import TooLarge

    if not os.path.isfile(path):
        return snapshots.take_snapshot(path, max_bytes, max_files, _digest, without=str(client.home.path))
    about = os.stat(path)
    if about.st_size > max_bytes:
        raise TooLarge(f"{os.path.abspath(path)} has {about.st_size / 1e6:.0f} MB, and at most {max_bytes / 1e6:.0f} MB are taken.")
    entry = Entry(os.path.basename(path), about.st_size, _digest(path, about), bool(about.st_mode & 0o100))
    return snapshots.Snapshot(os.path.dirname(os.path.abspath(path)), manifest_digest([entry]), [entry])


def _digest(path: str, about: os.stat_result) -> str:
    """The sha256 of a file, read anew only when the file may have changed."""
    from penstock.compile.manifests import digest_file

    place, state = os.path.abspath(path), (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    known = _DIGESTS.get(place)
    if known is not None and known[0] == state:
        return known[1]
    found = digest_file(path)
    if time.time() - about.st_mtime > _SETTLED_SECONDS:
        _DIGESTS[place] = (state, found)
    return found


def first_snapshot(client: Any, given: Dict[str, Any]) -> Optional[str]:
    """Take the snapshot that `start_logging` takes: of `snapshot_directory`, or unasked of the current folder.

    Raises:
        SnapshotException: The folder is too large; or it was named, and can't be taken.
    """
    from azureml.exceptions import SnapshotException
    from penstock.model.errors import TooLarge

    folder = given.get("snapshot_directory", ".")
    if folder is None:
        return None
    try:
        return take_snapshot(client, folder)
    except SnapshotException as error:
        if isinstance(error.inner_exception, TooLarge):
            raise SnapshotException(f"{error.message} To start the run without a snapshot, pass snapshot_directory=None.") from None
        if "snapshot_directory" in given:
            raise
        _LOGGER.warning("The run has no snapshot of the current folder: %s", error.message)
        return None


def restore_snapshot(client: Any, snapshot_id: str, path: Optional[str]) -> str:
    """Write a snapshot's files into a zip file and return its path.

    Args:
        client: The service's client.
        snapshot_id: The snapshot.
        path: The file, whose name ends with `.zip`; or a folder, which gets `<snapshot id>.zip`. The current folder when None.

    Raises:
        ServiceException: There is no such snapshot; its `status_code` is 404.
    """
    target = os.path.abspath(os.fspath(path) if path is not None else ".")
    if os.path.isdir(target) or not target.endswith(".zip"):
        target = os.path.join(target, f"{snapshot_id}.zip")
    with v1_errors():
        entries = client.get_snapshot(snapshot_id)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write_zip(client, entries, target)
    return target


def _write_zip(client: Any, entries: List[List[Any]], target: str) -> None:
    from zipfile import ZIP_DEFLATED, ZipFile

    unfinished = f"{target}.{os.getpid()}.part"
    try:
        with ZipFile(unfinished, "w", ZIP_DEFLATED, allowZip64=True) as archive:
            for info, parts in _members(client, entries):
                with archive.open(info, "w", force_zip64=True) as file:
                    for part in parts:
                        file.write(part)
        os.replace(unfinished, target)
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)


def _members(client: Any, entries: List[List[Any]]) -> Iterator[Tuple[Any, Iterator[bytes]]]:
    from zipfile import ZIP_DEFLATED, ZipInfo

    for path, _, digest, is_executable in entries:
        info = ZipInfo(path, _NO_TIME)
        info.compress_type = ZIP_DEFLATED
        info.external_attr = (0o100755 if is_executable else 0o100644) << 16
        yield info, client.read_blob(digest)
