"""A source folder, frozen and named by its hash.

The ignore file is v1's: `.amlignore` at the root, or else `.gitignore` there; never both. What no run needs (`.git`, virtual
environments, notebook checkpoints, byte code, our own folder) is always left out, as it would only defeat reuse.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional

from penstock.compile.manifests import Entry, digest_file, manifest_digest, walk
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


def take_snapshot(folder: str, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> Snapshot:
    """Return the snapshot of a source folder: every file that is not ignored, with its digest.

    Raises:
        NotFound: There is no such folder.
        Invalid: A file has a name that is not UTF-8, or one that belongs to a folder of every run.
        TooLarge: More bytes or files than allowed; the message names the largest and tells of `.amlignore`.
        Unavailable: A file can't be read; the message names it.
    """
    if not os.path.isdir(folder):
        raise NotFound(f"The source directory {os.path.abspath(folder)} does not exist.")
    try:
        found = list(walk(folder, _ignore(folder)))
        for _, relative, _ in found:
            _check_name(folder, relative)
        _check_limits(folder, found, max_bytes, max_files)
        files = sorted(Entry(relative, about.st_size, digest_file(path), bool(about.st_mode & 0o100)) for path, relative, about in found)
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
            f"The source directory {os.path.abspath(folder)} holds {len(found)} files, and at most {max_files} are taken. "
            "List what the steps do not need in a file .amlignore there, or set AML_SNAPSHOT_NO_FILE_LIMIT."
        )


def _ignore(folder: str) -> Callable[[str, bool], bool]:
    matches = _ignore_file(folder)

    def skip(relative: str, is_folder: bool) -> bool:
        name = relative.rpartition("/")[2]
        if name in ALWAYS_IGNORED or (is_folder and os.path.isfile(os.path.join(folder, relative, "pyvenv.cfg"))):
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
    files = {entry.digest: entry for entry in snapshot.files}
    missing = [files[digest] for digest in client.missing_blobs(list(files))]
    small = [(entry.digest, os.path.join(snapshot.folder, entry.path)) for entry in missing if entry.size < _SMALL_BYTES]
    if small:
        client.put_blobs(small)
    for entry in missing:
        if entry.size >= _SMALL_BYTES:
            with open(os.path.join(snapshot.folder, entry.path), "rb") as file:
                client.put_blob(entry.digest, file)
    client.put_snapshot(snapshot.digest, [list(entry) for entry in snapshot.files])


_SMALL_BYTES = 1 << 20  # what is read whole
