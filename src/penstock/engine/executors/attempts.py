"""One attempt on this machine: its folder, its working directory before, its outputs after.

An attempt folder holds, in the format of `penstock.model.fields`: `order` (what to do; written by the executor, gone when it began),
`lock` (held by the keeper while the attempt is its own), `started` (the script may have begun), `error` (an uncaught exception),
`exit` (how it ended, written once), `manifests` (the files of its outputs, by digest), `abandoned` (nobody may begin it any more),
`container` (the commands that stop and remove its container, where it runs in one).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from penstock.compile.manifests import Entry, digest_file, manifest_digest, pack_entries, read_manifest, total_size, walk
from penstock.model.fields import load, pack

Fields = dict[str, list[str]]

MARK = "PENSTOCK_ATTEMPT"  # in the environment of every process of an attempt: how a process that left its family is found
LOG = "user_logs/std_log.txt"
COLLECTED = ("outputs", "logs")
CONTAINER = "container"
STOP, REMOVE = "stop", "remove"
_ENGINE_SECONDS = {STOP: 3700.0, REMOVE: 60.0}  # how long an engine may take: to stop one, longer than any grace period
INPUTS = "inputs"  # in a run's folder: inputs that have no place elsewhere


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


@contextlib.contextmanager
def hold(attempt: Path) -> Iterator[None]:
    """Hold an attempt's lock; who only looks whether it is held lets it go at once."""
    with open(attempt / "lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def groups(values: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Yield the values in tuples of `size`."""
    return zip(*[iter(values)] * size, strict=True)


def has_container(attempt: Path) -> bool:
    """Tell whether an attempt runs in a container."""
    return (attempt / CONTAINER).exists()


def end_container(attempt: Path, how: str) -> None:
    """Stop or remove (`how`) an attempt's container. That there is none, or none any more, is no mishap."""
    with contextlib.suppress(OSError, KeyError, ValueError, subprocess.TimeoutExpired):
        command = load(str(attempt / CONTAINER))[how]
        null = subprocess.DEVNULL
        subprocess.run(command, stdin=null, stdout=null, stderr=null, timeout=_ENGINE_SECONDS[how], check=False)


class Abandoned(Exception):
    """The attempt was given up while we worked for it."""


def check_wanted(attempt: Path) -> None:
    """Do nothing for an attempt that goes on; raise Abandoned for one that was cancelled."""
    if (attempt / "abandoned").exists():
        raise Abandoned


# Before


def prepare(order: Fields, attempt: Path, work: Path) -> None:
    """Make the working directory: the snapshot's files, `outputs`, `logs`, and what inputs and outputs need."""
    shutil.rmtree(work.parent / INPUTS, ignore_errors=True)  # of an attempt that did not get further
    made: set[str] = set()
    for path, digest, mode in groups(order["files"], 3):
        check_wanted(attempt)
        copy_file(os.path.join(order["blobs"][0], digest[:2], digest), _place(work, path, made), int(mode, 8))
    for name in (*COLLECTED, *order["folders"]):
        os.makedirs(work / name, exist_ok=True)
    for source, target in groups(order["copies"], 2):
        copy_tree(source, os.path.join(work, target), attempt)
    for source, target in groups(order["links"], 2):
        _link(os.symlink, source, _place(work, target, made))
    for source, target in groups(order["cached"], 2):
        check_wanted(attempt)
        _link(_link_cached, source, _place(work, target, made))


def _link(make: Callable[[str, str], None], source: str, target: str) -> None:
    """Make a link; one that an earlier run left at an absolute path gives way."""
    try:
        make(source, target)
    except FileExistsError:
        if not os.path.islink(target):
            text = "An input is to be mounted there, and something else is in the way; choose another path_on_compute"
            raise FileExistsError(errno.EEXIST, text, target) from None
        os.unlink(target)
        make(source, target)


def _link_cached(source: str, target: str) -> None:
    """Give a file of the cache another name: it stays even when the cache lets it go."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without such links
        os.symlink(source, target)


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


def copy_tree(source: str, target: str, attempt: Path) -> None:
    """Copy a file, or the regular files below a folder; links are followed, as in manifests.

    Raises:
        Abandoned: The attempt was cancelled in the meantime.
    """
    if os.path.isfile(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy_file(source, target)
        return
    made: set[str] = set()
    os.makedirs(target, exist_ok=True)
    for path, relative, _ in walk(source):
        check_wanted(attempt)
        copy_file(path, _place(Path(target), relative, made))


# After


def collect(folder: Path) -> None:
    """Move what the script left in `outputs` and `logs` to the run's files."""
    for name in COLLECTED:
        _move_tree(folder, str(folder / "work" / name), str(folder / "files" / name))


def _move_tree(folder: Path, source: str, target: str) -> None:
    if not os.path.isdir(source) or os.path.islink(source):
        return
    for item in os.listdir(source):
        path, place = os.path.join(source, item), os.path.join(target, item)
        if os.path.islink(path):
            _keep_linked(folder, path, place)
        elif os.path.isdir(path):
            _move_tree(folder, path, place)
        else:
            _make_room(place)
            os.replace(path, place)


def _make_room(place: str) -> None:
    """Make the folder of a file; what was uploaded under a name that is in the way gives way to what the script left."""
    parent = os.path.dirname(place)
    if os.path.isfile(parent):
        os.unlink(parent)
    if os.path.isdir(place):
        shutil.rmtree(place)
    os.makedirs(parent, exist_ok=True)


def _keep_linked(folder: Path, path: str, place: str) -> None:
    """Keep what a link leads to, as v1 did; a folder outside the working directory is not ours to copy."""
    real, work = os.path.realpath(path), os.path.realpath(folder / "work")
    _make_room(place)
    if os.path.isfile(real):
        copy_file(real, place)
    elif os.path.isdir(real) and real.startswith(work + os.sep) and not os.path.realpath(os.path.dirname(path)).startswith(real):
        shutil.copytree(real, place, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    else:
        with open(folder / LOG, "a", encoding="utf-8", errors="surrogateescape") as log:
            log.write(f"penstock: {os.path.relpath(path, work)} is a link that leads nowhere, or to a folder outside; it was not kept.\n")


def publish(order: Fields, attempt: Path, work: Path) -> list[str]:
    """Return, for each output: name, '1' if something is there, files, bytes, digest of its manifest, which is written down too.

    Upload outputs are put in their place first.

    Raises:
        Abandoned: The attempt was cancelled in the meantime.
    """

    def digester(path: str, about: os.stat_result) -> str:
        return digest_file(path, about, lambda: check_wanted(attempt))

    published: list[str] = []
    for name, path, upload_from in groups(order["outputs"], 3):
        source = os.path.join(work, upload_from)
        if upload_from and os.path.exists(source):
            copy_tree(source, path, attempt)
        entries = _choose(read_manifest(path, digester, within=True), [glob for owner, glob in groups(order["globs"], 2) if owner == name])
        there = "1" if os.path.exists(path) else ""
        published += [name, there, str(len(entries)), str(total_size(entries)), _write_manifest(attempt, entries)]
    return published


def _choose(entries: list[Entry], globs: list[str]) -> list[Entry]:
    if not globs:
        return entries
    from penstock.storage.stores.patterns import Pattern

    patterns = [Pattern(glob) for glob in globs]
    return [entry for entry in entries if any(pattern.matches(entry.path) for pattern in patterns)]


def _write_manifest(attempt: Path, entries: list[Entry]) -> str:
    digest = manifest_digest(entries)
    (attempt / "manifests").mkdir(exist_ok=True)
    (attempt / "manifests" / digest).write_bytes(pack_entries(entries))
    return digest


def read_manifest_file(attempt: Path, digest: str) -> bytes:
    """Return the packed manifest of an output, b'' when it is not there."""
    try:
        return (attempt / "manifests" / digest).read_bytes()
    except OSError:
        return b""


def withdraw(order: Fields, folder: Path) -> None:
    """Remove the links that stand for inputs outside of the run's folder; the next run finds the place as it was."""
    for source, target in groups([*order["links"], *order["cached"]], 2):
        if os.path.isabs(target) and not target.startswith(f"{folder}{os.sep}"):
            with contextlib.suppress(OSError):
                if os.path.islink(target) or (source != target and os.path.samefile(source, target)):
                    os.unlink(target)


def clear_up(folder: Path) -> None:
    """Remove what a step's end leaves without use. As in v1, what was not written to an output or to `outputs` is gone."""
    for name in ("work", INPUTS):
        shutil.rmtree(folder / name, ignore_errors=True)


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
    if error.filename2:  # of a link or a move that failed, which the system blames on the first of two names
        place = f"{error.filename2}, to show {place} there"
    if error.errno == errno.ENOSPC:
        return ["DiskFull", f"The disk is full: {place} could not be written. Free some room and submit again.", ""]
    if error.errno == errno.E2BIG:
        told = "The arguments and environment variables are longer than this machine passes to a process."
        return ["ArgumentsTooLong", f"{told} Write what is long into a file of the source folder, or into a dataset.", ""]
    return ["SystemError", f"{place}: {error.strerror or error}", ""]
