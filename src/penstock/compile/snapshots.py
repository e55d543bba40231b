"""A source folder, frozen and named by its hash.

The ignore file is v1's: `.amlignore` at the root, or else `.gitignore` there; never both. What no run needs (`.git`, virtual
environments, notebook checkpoints, byte code, our own folder) is always left out, as it would only defeat reuse.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional

from penstock.compile.manifests import Digester, Entry, digest_file, manifest_digest, walk
from penstock.model.errors import Invalid, NotFound, TooLarge, Unavailable

if TYPE_CHECKING:
    from penstock.client.client import Client

ALWAYS_IGNORED = frozenset([".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", ".penstock", ".venv", ".DS_Store"])
# Every run gets folders of these names beside the files of its snapshot.
FOLDERS_OF_A_RUN = ("outputs", "logs")
MAX_BYTES = 2 * 1024**3
MAX_FILES = 20_000


class Snapshot(NamedTuple):
    """The files of one source folder at one moment."""

    folder: str
    digest: str
    files: List[Entry]


def take_snapshot(
    folder: str,
    max_bytes: int = MAX_BYTES,
    max_files: int = MAX_FILES,
    digester: Digester = digest_file,
    without: Optional[str] = None,
) -> Snapshot:
    """Return the snapshot of a source folder: every file that is not ignored, with its digest.

    Args:
        folder: The source folder.
        max_bytes: How many bytes it may have.
        max_files: How many files it may have.
        digester: Tells the digest of a file.
        without: A folder that never belongs to it, wherever it is.

    Raises:
        NotFound: There is no such folder.
        Invalid: A file has a name that is not UTF-8, or one that belongs to a folder of every run.
        TooLarge: More bytes or files than allowed; the message names the largest and tells of `.amlignore`.
        Unavailable: A file can't be read; the message names it.
    """
    if not os.path.isdir(folder):
        raise NotFound(f"The source directory {os.path.abspath(folder)} does not exist.")
    try:
        # A folder as large as a whole disk is not walked to its end, only to learn that it is too large.
        found = list(islice(walk(folder, _ignore(folder, without)), _most_files(max_files)))
        for _, relative, _ in found:
            _check_name(folder, relative)
        _check_limits(folder, found, max_bytes, max_files)
        files = sorted(
            Entry(relative, about.st_size, digester(path, about), bool(about.st_mode & 0o100)) for path, relative, about in found
        )
    except OSError as error:
        raise Unavailable(
            f"{error.filename} of the source directory can't be read: {error.strerror}. Mend it, or list it in .amlignore."
        ) from error
    return Snapshot(folder, manifest_digest(files), files)


def _check_name(folder: str, relative: str) -> None:
    if relative in FOLDERS_OF_A_RUN:
        raise Invalid(
            f"The source directory {os.path.abspath(folder)} holds a file named '{relative}', and every run gets a folder of that name. "
            "Rename the file, or list it in .amlignore."
        )
    try:
        relative.encode("utf-8")
    except UnicodeEncodeError:
        shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
        raise Invalid(
            f"The source directory {os.path.abspath(folder)} holds the file '{shown}', whose name is not UTF-8. "
            "Rename it, or list it in .amlignore."
        ) from None


def _check_limits(folder: str, found: List[Any], max_bytes: int, max_files: int) -> None:
    size = sum(about.st_size for _, _, about in found)
    if size > max_bytes:
        largest = max(found, key=lambda item: item[2].st_size)
        raise TooLarge(
            f"The source directory {os.path.abspath(folder)} holds {size / 1e6:.0f} MB, and at most {max_bytes / 1e6:.0f} MB are taken. "
            f"Its largest file is {largest[1]}. List what the steps do not need in a file .amlignore there."
        )
    if len(found) > max_files and not os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT"):
        raise TooLarge(
            f"The source directory {os.path.abspath(folder)} holds more than {max_files} files, which are the most that are taken. "
            "List what the steps do not need in a file .amlignore there, or set AML_SNAPSHOT_NO_FILE_LIMIT."
        )


def _most_files(max_files: int) -> Optional[int]:
    return None if os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT") else max_files + 1


def _ignore(folder: str, without: Optional[str]) -> Callable[[str, bool], bool]:
    matches = _ignore_file(folder)
    forbidden = os.path.realpath(without) if without else None

    def skip(relative: str, is_folder: bool) -> bool:
        name = relative.rpartition("/")[2]
        if name in ALWAYS_IGNORED or (is_folder and os.path.isfile(os.path.join(folder, relative, "pyvenv.cfg"))):
            return True
        if is_folder and forbidden and os.path.realpath(os.path.join(folder, relative)) == forbidden:
            return True
        return matches is not None and matches(relative + "/" if is_folder else relative)

    return skip


def _ignore_file(folder: str) -> Optional[Callable[[str], bool]]:
    for name in (".amlignore", ".gitignore"):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            import pathspec  # late: few folders have such a file

            with open(path, encoding="utf-8", errors="surrogateescape") as file:  # as names of files are read
                spec: Any = pathspec.GitIgnoreSpec.from_lines(file.read().splitlines())
            matcher: Callable[[str], bool] = spec.match_file
            return matcher
    return None


def upload_snapshot(client: Client, snapshot: Snapshot) -> None:
    """Give the service a snapshot; only the files that it does not have yet travel, the small ones together."""
    entries = [list(entry) for entry in snapshot.files]
    _send_missing(client, snapshot)
    try:
        client.put_snapshot(snapshot.digest, entries)
    except NotFound:  # a file was there, as one of a model that was deleted this very moment
        _send_missing(client, snapshot)
        client.put_snapshot(snapshot.digest, entries)


def _send_missing(client: Client, snapshot: Snapshot) -> None:
    files = {entry.digest: entry for entry in snapshot.files}
    missing = [files[digest] for digest in client.missing_blobs(list(files))]
    small = [(entry.digest, os.path.join(snapshot.folder, entry.path)) for entry in missing if entry.size < _SMALL_BYTES]
    if small:
        client.put_blobs(small)
    for entry in missing:
        if entry.size >= _SMALL_BYTES:
            with open(os.path.join(snapshot.folder, entry.path), "rb") as file:
                client.put_blob(entry.digest, file)


_SMALL_BYTES = 1 << 20  # what is read whole
