"""Moves files between a folder of the user and a datastore's root."""

from __future__ import annotations

import os
from typing import Iterator, List, Optional, Sequence, Tuple

from azureml.data._copying import copy
from azureml.data._paths import clean, join_inside

# Where a file comes from or goes to, and its path on the datastore.
Pair = Tuple[str, str]


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


def upload(root: str, pairs: List[Pair], overwrite: bool, show_progress: bool) -> int:
    """Copy files into the datastore and return how many. One that is there already is left alone unless `overwrite`."""
    places = [(source, path, join_inside(root, path)) for source, path in pairs]
    if not overwrite:
        for _, path, place in places:
            if os.path.exists(place):
                _say(show_progress, f"Target already exists. Skipping upload for {path}")
        places = [item for item in places if not os.path.exists(item[2])]
    return _copy_all("upload", [(source, place, path) for source, path, place in places], show_progress)


def download(root: str, target_path: str, prefix: Optional[str], overwrite: bool, show_progress: bool) -> int:
    """Copy the files whose path begins with `prefix` to `target_path`, with their whole path, and return how many."""
    copies = []
    for inner, path in _files_below(root):
        place = join_inside(target_path, inner)
        if inner.startswith(clean_prefix(prefix)) and (overwrite or not os.path.exists(place)):
            copies.append((path, place, inner))
    return _copy_all("download", copies, show_progress)


def clean_prefix(prefix: Optional[str]) -> str:
    """Return a prefix as it is compared with paths: a text, so 'out' also means 'out2', and 'out/' only the folder."""
    cleaned = clean(prefix)
    return cleaned + "/" if cleaned and str(prefix).endswith("/") else cleaned


def _copy_all(verb: str, copies: List[Tuple[str, str, str]], show_progress: bool) -> int:
    total = len(copies)
    _say(show_progress, f"{verb.capitalize()}ing {total} file{'' if total == 1 else 's'}")
    for number, (source, place, path) in enumerate(copies, 1):
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        copy(source, place)
        _say(show_progress, f"{verb.capitalize()}ed {path}, {number} files out of an estimated total of {total}")
    return total


def _say(show_progress: bool, line: str) -> None:
    if show_progress:
        print(line)


def _files_below(folder: str) -> Iterator[Tuple[str, str]]:
    for here, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(here, file)
            yield os.path.relpath(path, folder).replace(os.sep, "/"), path
