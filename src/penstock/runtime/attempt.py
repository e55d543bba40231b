"""The process of one attempt: prepares the working directory, runs the script, writes down how it ended.

The executor starts `launcher.py` with the step's own interpreter, and that calls `main` here. It forks: the child becomes the user's
script, as `python script.py` would run it; the parent stays behind as its keeper, so that the end is recorded exactly whether or not
a service is alive.

An attempt folder holds, in the format of `fields.py`: `order` (what to do; written by the executor), `lock` (held by the keeper as long
as it lives), `started` (the script may have begun), `error` (an uncaught exception), `exit` (how it ended, written once), `abandoned`
(nobody may begin this attempt any more).

Imports are few, as every millisecond here is paid by every step. It runs on Python 3.7 and later.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time

from penstock.runtime.fields import load, pack

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without its import
if TYPE_CHECKING:
    from types import ModuleType, TracebackType
    from typing import NoReturn

EXIT_REFUSED = 75  # another process has this attempt, or it was given up
_CHUNK = 1 << 20
_SCRIPT_GLOBALS = ("os", "sys", "argparse", "logging")  # v1's launcher left these in a script's globals, and public scripts rely on it
_keep_alive: list[object] = []


def main(attempt: str, library: str) -> None:
    """Run the attempt in this folder; return in the keeper, leave by SystemExit in the script's process."""
    lock = _take(attempt)
    order = load(os.path.join(attempt, "order"))
    folder = order["folder"][0]
    work = os.path.join(folder, "work")
    _write(attempt, "started", {"pid": [str(os.getpid())]})
    try:
        _prepare(order, work)
    except OSError as error:
        _finish(attempt, order, {"error": _system_error(error)})
        return
    child = os.fork()
    if child == 0:
        os.close(lock)
        os.setsid()
        _become(order, work, attempt)
    _write(attempt, "started", {"pid": [str(os.getpid())], "child": [str(child)]})
    _keep(attempt, order, folder, work, child, library)


def _take(attempt: str) -> int:
    """Hold the attempt's lock, or end: one process at most may run it, and none after it was given up."""
    lock = os.open(os.path.join(attempt, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(EXIT_REFUSED)
    if os.path.exists(os.path.join(attempt, "abandoned")) or os.path.exists(os.path.join(attempt, "started")):
        sys.exit(EXIT_REFUSED)
    return lock


# Before


def _prepare(order: dict[str, list[str]], work: str) -> None:
    """Make the working directory: the snapshot's files, `outputs`, `logs`, and what inputs and outputs need."""
    os.makedirs(work, exist_ok=True)
    made = {work}
    for path, digest, mode in _groups(order["files"], 3):
        target = os.path.join(work, path)
        _make_parent(target, made)
        _copy(os.path.join(order["blobs"][0], digest[:2], digest), target, int(mode, 8))
    for name in ("outputs", "logs"):
        os.makedirs(os.path.join(work, name), exist_ok=True)
    for folder in order["folders"]:
        os.makedirs(folder, exist_ok=True)
    for source, target in _groups(order["copies"], 2):
        _copy_tree(source, os.path.join(work, target))
    for source, target in _groups(order["links"], 2):
        link = os.path.join(work, target)
        _make_parent(link, made)
        os.symlink(source, link)


def _groups(values: list[str], size: int) -> zip[tuple[str, ...]]:
    return zip(*[iter(values)] * size)


def _make_parent(path: str, made: set[str]) -> None:
    parent = os.path.dirname(path)
    if parent not in made:
        os.makedirs(parent, exist_ok=True)
        made.add(parent)


def _copy(source: str, target: str, mode: int | None = None) -> None:
    with open(source, "rb", buffering=0) as read, open(target, "wb", buffering=0) as write:
        while True:
            chunk = read.read(_CHUNK)
            if not chunk:
                break
            while chunk:
                chunk = chunk[write.write(chunk) :]
        os.fchmod(write.fileno(), (os.fstat(read.fileno()).st_mode & 0o777) | 0o600 if mode is None else mode)


def _copy_tree(source: str, target: str) -> None:
    if not os.path.isdir(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _copy(source, target)
        return
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        _copy_tree(os.path.join(source, name), os.path.join(target, name))


# The script


def _become(order: dict[str, list[str]], work: str, attempt: str) -> NoReturn:
    """Run the script as `__main__`, then leave as the interpreter always does."""
    os.chdir(work)
    arguments = [os.path.expandvars(text) if "$" in text else text for text in order["arguments"]]
    try:
        _run_script(order["script"][0], os.path.join(work, order["script"][0]), arguments)
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            text = f"The script called sys.exit({leaving.code!r})."
            _write(attempt, "error", {"type": ["SystemExit"], "message": [text]})
        raise
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        _record_error(attempt, error, trace)
        sys.excepthook(type(error), error, trace)
        sys.exit(1)
    sys.exit(0)


def _run_script(name: str, path: str, arguments: list[str]) -> None:
    sys.argv = [name, *arguments]
    sys.path.insert(0, os.path.dirname(path))
    with open(path, "rb") as file:
        source = file.read()
    main = _main_module(path, source)
    exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - to run the user's script is our job


def _main_module(path: str, source: bytes) -> ModuleType:
    main = type(sys)("__main__")
    main.__file__ = path
    main.__dict__["__builtins__"] = __builtins__
    main.__loader__ = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path)
    for name in _SCRIPT_GLOBALS:
        if name.encode() in source:
            setattr(main, name, __import__(name))
    _keep_alive.append(sys.modules["__main__"])
    sys.modules["__main__"] = main
    return main


def _record_error(attempt: str, error: BaseException, trace: TracebackType | None) -> None:
    import traceback

    lines = traceback.format_exception(type(error), error, trace)
    _write(attempt, "error", {"type": [type(error).__name__], "message": [str(error)], "traceback": ["".join(lines)[-20000:]]})


# After


def _keep(attempt: str, order: dict[str, list[str]], folder: str, work: str, child: int, library: str) -> None:
    _, status, usage = os.wait4(child, 0)
    ended = time.time()
    _end_group(child)
    sign = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = None if sign is not None else os.WEXITSTATUS(status)
    record = {
        "exit_code" if sign is None else "signal": [str(code if sign is None else sign)],
        "ended_at": [repr(ended)],
        "usage": [repr(usage.ru_utime), repr(usage.ru_stime), str(usage.ru_maxrss)],
    }
    try:
        collect(folder)
        if code == 0:
            record["outputs"] = _publish(order, work, library)
        elif os.path.exists(os.path.join(attempt, "error")):
            record["error"] = _read_error(attempt)
    except OSError as error:
        record["error"] = _system_error(error)
    _finish(attempt, order, record)
    if code == 0 and "error" not in record:
        _remove_tree(work)


def _end_group(child: int) -> None:
    """End what the script left running in its own group, as v1's container would have ended it."""
    try:
        os.killpg(child, 9)
    except OSError:
        pass


def _read_error(attempt: str) -> list[str]:
    error = load(os.path.join(attempt, "error"))
    return [error["type"][0], error["message"][0], error.get("traceback", [""])[0]]


def _system_error(error: OSError) -> list[str]:
    """Return [type, message, traceback] of what the machine, not the script, did wrong."""
    place = error.filename or "the run's folder"
    if error.errno == 28:  # ENOSPC
        return ["DiskFull", f"The disk is full: {place} could not be written. Free some room and submit again.", ""]
    return ["SystemError", f"{place}: {error.strerror or error}", ""]


def _publish(order: dict[str, list[str]], work: str, library: str) -> list[str]:
    """Return, for each output: name, '1' if something is there, files, bytes, digest. Upload outputs are put in their place first."""
    if not order["outputs"]:
        return []
    sys.path.append(library)
    from penstock.compile.manifests import manifest_digest, read_manifest, total_size

    published: list[str] = []
    for name, path, upload_from in _groups(order["outputs"], 3):
        source = os.path.join(work, upload_from)
        if upload_from and os.path.exists(source):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _copy_tree(source, path)
        entries = read_manifest(path)
        there = "1" if os.path.exists(path) else ""
        published += [name, there, str(len(entries)), str(total_size(entries)), manifest_digest(entries)]
    return published


def collect(folder: str) -> None:
    """Move what the script left in `outputs` and `logs` to the run's files."""
    for name in ("outputs", "logs"):
        _move_tree(os.path.join(folder, "work", name), os.path.join(folder, "files", name))


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


def _remove_tree(folder: str) -> None:
    """Remove a folder and all below it; links are removed, not followed. What can't be removed stays."""
    try:
        for item in os.scandir(folder):
            if item.is_dir(follow_symlinks=False):
                _remove_tree(item.path)
            else:
                os.unlink(item.path)
        os.rmdir(folder)
    except OSError:
        pass


def _finish(attempt: str, order: dict[str, list[str]], record: dict[str, list[str]]) -> None:
    """Write the exit record, whole or not at all, and wake whoever waits."""
    record.setdefault("ended_at", [repr(time.time())])
    _write(attempt, "exit", record)
    try:
        wake = os.open(order["wake"][0], os.O_WRONLY | os.O_NONBLOCK)
        os.write(wake, b"\n")
        os.close(wake)
    except OSError:
        pass  # no service now: the next one finds the record


def _write(attempt: str, name: str, fields: dict[str, list[str]]) -> None:
    path = os.path.join(attempt, name)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(pack(fields))
    os.replace(temporary, path)
