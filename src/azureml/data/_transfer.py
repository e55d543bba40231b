"""Moves files between folders of the user and datastores, and prints v1's lines meanwhile.

A datastore that is a folder of this machine is copied to and from right here. All others are reached by the service.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from azureml.core._errors import v1_errors
from azureml.data._copying import copy
from azureml.data._paths import clean, join_inside

# Where a file comes from or goes to, and its path on the datastore.
Pair = Tuple[str, str]

_MOST_AT_ONCE = 20_000  # files that one request names


def folder_pairs(src_dir: str, target_path: Optional[str]) -> List[Pair]:
    """Return the uploads that put a folder's content under `target_path`.

    Raises:
        UserErrorException: There is no such folder.
    """
    from azureml.exceptions import UserErrorException

    if not os.path.isdir(src_dir):
        raise UserErrorException(f"The folder {src_dir} can't be uploaded: it is not a folder.")
    return [(path, clean(f"{clean(target_path)}/{inner}")) for inner, path in _files_below(src_dir)]


def file_pairs(files: Sequence[str], relative_root: Optional[str], target_path: Optional[str]) -> List[Pair]:
    """Return the uploads that put files under `target_path`, each by its path below the root that they share.

    Raises:
        UserErrorException: A file does not exist, or lies outside the root.
    """
    from azureml.exceptions import UserErrorException

    paths = [os.path.abspath(file) for file in files]
    for file, path in zip(files, paths):
        if not os.path.isfile(path):
            raise UserErrorException(f"The file {file} can't be uploaded: there is no file at {path}.")
    root = os.path.abspath(relative_root) if relative_root else _common_folder(paths)
    pairs = []
    for path in paths:
        inner = os.path.relpath(path, root)
        if inner.split(os.sep)[0] == os.pardir:
            raise UserErrorException(f"The file {path} can't be uploaded: it is not below relative_root, {root}.")
        pairs.append((path, clean(f"{clean(target_path)}/{inner}")))
    return pairs


def _common_folder(paths: Sequence[str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else os.getcwd()


def upload(datastore: Any, pairs: Sequence[Pair], overwrite: bool, show_progress: bool) -> int:
    """Copy files to a datastore and return how many. One that is there already is left alone unless `overwrite`.

    Args:
        datastore: Any datastore of files.
        pairs: Each file's place here, and its path on the datastore.
        overwrite: Replace files that are there already.
        show_progress: Print a line for each file.
    """
    lines = Lines("Upload", len(pairs), show_progress)
    root = local_root(datastore)
    if root is not None:
        copies = [_Copy(path, source, join_inside(root, path)) for source, path in pairs]
        _copy_here(copies, overwrite, lines)
    else:
        _ask_service(datastore, "upload", [[os.path.abspath(source), path] for source, path in pairs], overwrite, lines)
    return lines.end()


def download(
    datastore: Any,
    target_path: str,
    prefix: Optional[str],
    overwrite: bool,
    show_progress: bool,
    is_text_prefix: bool = True,
    tell_skipped: bool = False,
) -> int:
    """Copy the files whose path begins with `prefix` to a folder, each with its whole path on the datastore, and return how many.

    Args:
        datastore: Any datastore of files.
        target_path: The folder.
        prefix: The begin of the paths; None for all.
        overwrite: Replace files that are there already; otherwise they are left alone.
        show_progress: Print a line for each file.
        is_text_prefix: 'out' also means 'out2'; otherwise only the file 'out', and all that is in the folder 'out'.
        tell_skipped: Print a line for each file that is left alone, whatever `show_progress` says.
    """
    start, root = clean_prefix(prefix), local_root(datastore)
    found = _list_here(root, start) if root is not None else _list_far(datastore, start)
    chosen = [item for item in found if is_text_prefix or not start or item.path == start or item.path.startswith(f"{start.rstrip('/')}/")]
    copies = [_Copy(item.path, item.source, join_inside(os.path.abspath(target_path), item.path), item.about) for item in chosen]
    lines = Lines("Download", len(copies), show_progress, tell_skipped)
    if root is not None:
        _copy_here(copies, overwrite, lines)
    else:
        wanted = [item for item in copies if overwrite or not lines.skip_when(os.path.lexists(item.target), item.path)]
        _ask_service(datastore, "download", [[item.path, item.target, *item.about] for item in wanted], overwrite, lines)
    return lines.end()


def local_root(datastore: Any) -> Optional[str]:
    """Return the folder of a datastore that is one of this machine, made when it is missing; None for all others."""
    root = datastore._record.get("root")
    if root:
        os.makedirs(root, exist_ok=True)
    return root or None


def clean_prefix(prefix: Optional[str]) -> str:
    """Return a prefix as it is compared with paths: a text, so 'out' also means 'out2', and 'out/' only the folder."""
    cleaned = clean(prefix)
    return cleaned + "/" if cleaned and str(prefix).endswith("/") else cleaned


# What is to be copied


class _Copy(NamedTuple):
    """One file: its path on the datastore, where it comes from and goes to on this machine, and what a list told of it."""

    path: str
    source: str
    target: str
    about: Tuple[Any, ...] = ()


def _list_here(root: str, prefix: str) -> List[_Copy]:
    from penstock.compile.manifests import UNFINISHED

    found = _files_below(root, prefix)
    return [_Copy(inner, path, "") for inner, path in found if inner.startswith(prefix) and UNFINISHED not in inner]


def _list_far(datastore: Any, prefix: str) -> List[_Copy]:
    workspace = datastore.workspace
    with v1_errors():
        found: List[Dict[str, Any]] = workspace._client.list_files_on(workspace._id, datastore.name, prefix)
    return [_Copy(item["path"], "", "", (item["size"], item["token"], item["modified_at"])) for item in found]


def _files_below(folder: str, prefix: str = "") -> Iterator[Tuple[str, str]]:
    """Yield the files of a folder; where no path can begin with the prefix, nothing is looked at."""
    for here, folders, files in os.walk(folder):
        inside = os.path.relpath(here, folder).replace(os.sep, "/")
        inside = "" if inside == "." else f"{inside}/"
        folders[:] = sorted(name for name in folders if _may_hold(f"{inside}{name}/", prefix))
        for file in sorted(files):
            yield inside + file, os.path.join(here, file)


def _may_hold(folder: str, prefix: str) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)


# Copying


def _copy_here(copies: Sequence[_Copy], overwrite: bool, lines: Lines) -> None:
    wanted = [item for item in copies if overwrite or not lines.skip_when(os.path.exists(item.target), item.path)]
    for item in wanted:
        lines.tell({"what": "start", "path": item.path})
        _copy_file(item)
        lines.tell({"what": "done", "path": item.path})


def _copy_file(item: _Copy) -> None:
    from azureml.exceptions import UserErrorException

    try:
        os.makedirs(os.path.dirname(item.target) or ".", exist_ok=True)
        copy(item.source, item.target)
    except OSError as error:
        raise UserErrorException(
            f"{item.source} can't be copied to {item.target}: {error.strerror}. Nothing half-written was left."
        ) from error


def _ask_service(datastore: Any, kind: str, files: List[Any], overwrite: bool, lines: Lines) -> None:
    workspace = datastore.workspace
    for start in range(0, len(files), _MOST_AT_ONCE):
        some = files[start : start + _MOST_AT_ONCE]
        with v1_errors():
            about = {"datastore": datastore.name, "files": some, "overwrite": overwrite}
            result = workspace._client.transfer(workspace._id, kind, tell=lines.tell, **about)
        lines.copied += result["copied"]


class Lines:
    """What a transfer prints.

    Args:
        verb: Upload or Download.
        total: How many files there are.
        is_shown: Whether anything is printed.
        tell_skipped: Whether files that are left alone are named anyway.
    """

    def __init__(self, verb: str, total: int, is_shown: bool, tell_skipped: bool = False) -> None:
        self._verb = verb
        self._total = total
        self._is_shown = is_shown
        self._tells_skipped = is_shown or tell_skipped
        self._done = 0
        self.copied = 0  # by the service; what is copied here is counted as it is told
        self._say(f"{verb}ing an estimated total of {total} file{'' if total == 1 else 's'}")

    def tell(self, event: Dict[str, Any]) -> None:
        """Print the line of one event."""
        if event["what"] == "start":
            self._say(f"{self._verb}ing {event['path']}")
        elif event["what"] == "done":
            self._done += 1
            self._say(f"{self._verb}ed {event['path']}, {self._done} files out of an estimated total of {self._total}")
        else:
            self.skip_when(True, event["path"])

    def skip_when(self, exists: bool, path: str) -> bool:
        """Tell whether a file is left alone, as there is one of its name; print so, and count it no longer."""
        if exists:
            self._total -= 1
            if self._tells_skipped:
                print(f"Target exists. Skipping the {self._verb.lower()} of {path}")
        return exists

    def end(self) -> int:
        """Print the last line; return how many files were copied."""
        count = self.copied or self._done
        self._say(f"{self._verb} is complete: {count} file{'' if count == 1 else 's'}")
        return count

    def _say(self, line: str) -> None:
        if self._is_shown:
            print(line)
