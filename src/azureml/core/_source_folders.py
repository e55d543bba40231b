"""Whether a script is where it is said to be: in its source folder, and in the snapshot of that."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, List, Optional

from azureml.core._nearest import find_nearest, nearest

if TYPE_CHECKING:
    from penstock.compile.snapshots import Snapshot


def plain_path(script: str) -> str:
    """Return the one spelling of a script's path that snapshots use: 'sub/t.py' for './sub//t.py'."""
    return os.path.normpath(script).replace(os.sep, "/")


def check_in_snapshot(snapshot: Snapshot, script: str, place: str) -> None:
    """Do nothing when a snapshot holds a script.

    Raises:
        ValueError: The script is not in the source folder, or an ignore file leaves it out.
    """
    if plain_path(script) in {entry.path for entry in snapshot.files}:
        return
    find_script(snapshot.folder, script, place)
    raise ValueError(
        f"{place}: the ignore file in {snapshot.folder} leaves out the script '{script}'. "
        "Change .amlignore (or .gitignore, when that is all there is)."
    )


def find_script(source_directory: str, script: str, place: str, given: Optional[str] = None) -> None:
    """Do nothing when a script is in its source folder.

    Args:
        source_directory: The folder's full path.
        script: The script.
        place: The step, as a message names it.
        given: The folder as the user wrote it.

    Raises:
        ValueError: It is not; the message names the nearest files.
    """
    if not os.path.isdir(source_directory):
        raise ValueError(_tell_missing_folder(source_directory, place, given or source_directory))
    if os.path.isabs(script) or not _is_below(source_directory, script):
        raise ValueError(
            f"{place}: the script '{script}' must be given relative to the source directory {source_directory}, and lie in it."
        )
    if not os.path.isfile(os.path.join(source_directory, script)):
        raise ValueError(
            f"{place}: there is no script '{script}' in {source_directory}.{nearest(script, _scripts(source_directory), 'files there')}"
        )


def _tell_missing_folder(folder: str, place: str, given: str) -> str:
    """The message about a source folder that does not exist: what it was looked for in, and what is there instead."""
    message = f"{place}: the source directory '{given}' does not exist."
    if os.path.isfile(folder):
        message = f"{place}: the source directory '{given}' is a file. Give the folder that it lies in."
    near = find_nearest(os.path.basename(folder), _folders(os.path.dirname(folder)))
    hint = f" Did you mean '{os.path.join(os.path.dirname(given.rstrip(os.sep)), near)}'?" if near else " Correct source_directory."
    if os.path.isabs(given):
        return message + hint
    script = os.path.basename(sys.argv[0]) if sys.argv[0].endswith(".py") else "SCRIPT"
    return (
        f"{message} It is taken relative to the current folder {os.getcwd()}.{hint} "
        f"Run the script in its own folder when the path is meant from there: `penstock run {script}` does."
    )


def _folders(parent: str) -> List[str]:
    try:
        return [entry.name for entry in os.scandir(parent) if entry.is_dir()]
    except OSError:
        return []


def _is_below(folder: str, relative: str) -> bool:
    root = os.path.abspath(folder)
    return os.path.commonpath([root, os.path.abspath(os.path.join(root, relative))]) == root


def _scripts(source_directory: str, limit: int = 500) -> List[str]:
    """Some files of a folder and of its folders, for a hint."""
    found: List[str] = []
    for folder, names, files in os.walk(source_directory):
        names[:] = sorted(name for name in names if not name.startswith("."))
        found += [os.path.relpath(os.path.join(folder, name), source_directory) for name in sorted(files) if not name.startswith(".")]
        if len(found) > limit:
            break
    return found[:limit]
