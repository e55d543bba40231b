"""One attempt on this machine: its folder, its working directory before, its outputs after.

An attempt folder holds, in the format of `penstock.model.fields`: `order` (what to do; written by the executor, gone when it began),
`lock` (held by the keeper while the attempt is its own), `started` (the script may have begun), `error` (an uncaught exception),
`exit` (how it ended, written once), `abandoned` (nobody may begin this attempt any more).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock.compile.manifests import manifest_digest, read_manifest, total_size
from penstock.model.fields import load, pack

Fields = dict[str, list[str]]

MARK = "PENSTOCK_ATTEMPT"  # in the environment of every process of an attempt: how a process that left its family is found
LOG = "user_logs/std_log.txt"
COLLECTED = ("outputs", "logs")


def write_fields(attempt: Path, name: str, fields: Fields) -> None:
    """Write a record of an attempt, whole or not at all."""
    temporary = attempt / f"{name}.new"
    temporary.write_text(pack(fields), encoding="utf-8", errors="surrogateescape")
    os.replace(temporary, attempt / name)


@contextlib.contextmanager
def lock(attempt: Path) -> Iterator[bool]:
    """Try to hold an attempt's lock; give whether it is ours. Who holds it knows that nobody else works on the attempt."""
    with open(attempt / "lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def groups(values: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Yield the values in tuples of `size`."""
    return zip(*[iter(values)] * size, strict=True)


# Before


def prepare(order: Fields, work: Path) -> None:
    """Make the working directory: the snapshot's files, `outputs`, `logs`, and what inputs and outputs need."""
    made: set[str] = set()
    for name in (*COLLECTED, *order["folders"]):
        os.makedirs(work / name, exist_ok=True)
    for path, digest, mode in groups(order["files"], 3):
        copy_file(os.path.join(order["blobs"][0], digest[:2], digest), _place(work, path, made), int(mode, 8))
    for source, target in groups(order["copies"], 2):
        copy_tree(source, os.path.join(work, target))
    for source, target in groups(order["links"], 2):
        os.symlink(source, _place(work, target, made))


def _place(work: Path, path: str, made: set[str]) -> str:
    target = os.path.join(work, path)
    parent = os.path.dirname(target)
    if parent not in made:
        os.makedirs(parent, exist_ok=True)
        made.add(parent)
    return target


def copy_file(source: str, target: str, mode: int | None = None) -> None:
    """Copy a file's bytes; its mode is `mode`, or the source's with writing allowed."""
    shutil.copyfile(source, target)
    os.chmod(target, stat.S_IMODE(os.stat(source).st_mode) | 0o600 if mode is None else mode)


def copy_tree(source: str, target: str) -> None:
    """Copy a file or a folder; links are followed."""
    if not os.path.isdir(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy_file(source, target)
        return
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        copy_tree(os.path.join(source, name), os.path.join(target, name))


# After


def collect(folder: Path) -> None:
    """Move what the script left in `outputs` and `logs` to the run's files."""
    for name in COLLECTED:
        _move_tree(str(folder / "work" / name), str(folder / "files" / name))


def _move_tree(source: str, target: str) -> None:
    if not os.path.isdir(source) or os.path.islink(source):
        return
    for item in os.listdir(source):
        path, place = os.path.join(source, item), os.path.join(target, item)
        if os.path.isdir(path) and not os.path.islink(path):
            _move_tree(path, place)
        else:
            os.makedirs(target, exist_ok=True)
            os.replace(path, place)


def publish(order: Fields, work: Path) -> list[str]:
    """Return, for each output: name, '1' if something is there, files, bytes, digest. Upload outputs are put in their place first."""
    published: list[str] = []
    for name, path, upload_from in groups(order["outputs"], 3):
        source = os.path.join(work, upload_from)
        if upload_from and os.path.exists(source):
            copy_tree(source, path)
        entries = read_manifest(path)
        there = "1" if os.path.exists(path) else ""
        published += [name, there, str(len(entries)), str(total_size(entries)), manifest_digest(entries)]
    return published


def script_error(attempt: Path) -> list[str] | None:
    """Return [type, message, traceback] of the exception that ended the script, or None."""
    try:
        error = load(str(attempt / "error"))
        return [error["type"][0], error["message"][0], error["traceback"][0]]
    except (OSError, KeyError, ValueError):
        return None


def system_error(error: OSError) -> list[str]:
    """Return [type, message, traceback] of what the machine, not the script, did wrong."""
    place = error.filename or "the run's folder"
    if error.errno == errno.ENOSPC:
        return ["DiskFull", f"The disk is full: {place} could not be written. Free some room and submit again.", ""]
    return ["SystemError", f"{place}: {error.strerror or error}", ""]
