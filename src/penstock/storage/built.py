"""Built environments on the disk: `<home>/environments/<key>/` with `env/` and, written last, `complete`; logs and locks beside it.

An environment is built where it stays, because a virtual environment can't be moved. What has no `complete` is not there: it is removed
when it is next asked for, or when the service starts. Its lock lies beside the folder, so that it outlives it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psutil

from penstock.client.home import Home

COMPLETE = "complete"
_GONE_SECONDS = 5.0  # for killed processes to be gone
_PAUSE_SECONDS = 0.1  # between two looks whether another builder has ended
_SAME_SECONDS = 1.0  # a process's start is computed from the clock, which may have been set meanwhile


def folder(home: Home, key: str) -> Path:
    """Return the folder of an environment, whether it is built or not."""
    return home.environments / key


def log_path(home: Home, key: str) -> Path:
    """Return the file that a build writes its log to, while it goes on and afterwards. It stays when a build fails."""
    return home.environments / f"{key}.log"


def interpreter_path(home: Home, key: str) -> Path:
    """Return where the Python of an environment is once it is built."""
    return folder(home, key) / "env" / "bin" / "python"


def read_facts(home: Home, key: str) -> dict[str, Any] | None:
    """Return what is written down of a built environment: its specification, when it was built and how long that took."""
    try:
        facts = json.loads((folder(home, key) / COMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and {"notes", "requirements", "python"} <= facts.keys() else None


def list_keys(home: Home) -> list[str]:
    """Return the keys of the environments that have a folder, built or not."""
    try:
        return sorted(path.name for path in (home.environments).iterdir() if path.is_dir())
    except OSError:
        return []


def save_facts(home: Home, key: str, facts: dict[str, Any]) -> None:
    """Write down that an environment is complete; the last thing that is done for it."""
    target = folder(home, key) / COMPLETE
    with open(f"{target}.part", "w", encoding="utf-8") as stream:
        json.dump(facts, stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(f"{target}.part", target)


def remove_unfinished(home: Home) -> list[str]:
    """Remove what killed builds left; return their keys. What is being built by anybody stays."""
    removed = []
    for key in list_keys(home):
        if read_facts(home, key) is not None:
            continue
        with try_lock(home, key) as lock:
            if lock is not None and read_facts(home, key) is None:
                clear(home, key)
                removed.append(key)
    return removed


def is_complete(home: Home, key: str) -> bool:
    """Tell whether an environment is built."""
    return (folder(home, key) / COMPLETE).exists()


def invalidate(home: Home, key: str) -> None:
    """Let an environment count as not built, at once; its folder is yet to be removed. Whoever does it holds its lock."""
    (folder(home, key) / COMPLETE).unlink(missing_ok=True)


def clear(home: Home, key: str) -> None:
    """Remove an environment's folder; whoever does it holds its lock. The marker goes first: half an environment is none."""
    invalidate(home, key)
    shutil.rmtree(folder(home, key), ignore_errors=True)


def remove(home: Home, key: str) -> None:
    """Remove an environment with its log and its lock, which whoever does it holds."""
    clear(home, key)
    for path in (log_path(home, key), _lock_path(home, key)):
        path.unlink(missing_ok=True)


# Locks: one builder for each environment, over all processes. The processes of a build inherit the lock.


def _lock_path(home: Home, key: str) -> Path:
    return home.environments / f"{key}.lock"


@contextlib.contextmanager
def try_lock(home: Home, key: str) -> Iterator[IO[str] | None]:
    """Hold the lock of an environment; None when somebody else does. What a killed builder left running is ended."""
    with _open_lock(home, key) as stream:
        taken = _take(stream) or (end_orphans(stream) and _take_soon(stream))
        yield stream if taken and _is_current(stream, _lock_path(home, key)) else None


@contextlib.contextmanager
def hold_lock(home: Home, key: str, check: Callable[[], None]) -> Iterator[IO[str]]:
    """Hold the lock of an environment, waiting for whoever holds it; `check` may raise to end the waiting."""
    while True:
        with _open_lock(home, key) as stream:
            while not _take(stream):
                check()
                end_orphans(stream)
                time.sleep(_PAUSE_SECONDS)
            if not _is_current(stream, _lock_path(home, key)):
                continue  # it was removed with its environment while it was waited for
            yield stream
            return


def _open_lock(home: Home, key: str) -> IO[str]:
    path = _lock_path(home, key)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="utf-8")


def _take(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_soon(stream: IO[str]) -> bool:
    """Take a lock whose holders were just killed: they need a moment to be gone."""
    until = time.monotonic() + _GONE_SECONDS
    while not (taken := _take(stream)) and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
    return taken


def _is_current(stream: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


def note_processes(lock: IO[str], *processes: int) -> None:
    """Write into a held lock which processes build: this one, and what it started."""
    noted = [[pid, _started_at(pid)] for pid in (os.getpid(), *processes)]
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(noted))
    lock.flush()


def end_orphans(lock: IO[str]) -> bool:
    """End what a killed builder left running, as nobody waits for it and it holds the lock; tell whether there was any."""
    lock.seek(0)
    try:
        builder, *children = json.loads(lock.read())
    except ValueError:
        return False  # nothing is noted yet
    if _is_same(*builder):
        return False
    ended = [_kill_group(*child) for child in children]
    return any(ended)


def _kill_group(leader: int, started_at: float | None) -> bool:
    """Kill all processes of a session that was started for a build, whether its first one still lives or not."""
    if started_at is None or (_started_at(leader) is not None and not _is_same(leader, started_at)):
        return False  # the number belongs to another process by now
    members = [process for process in psutil.process_iter() if _session_of(process.pid) == leader]
    for process in members:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return bool(members)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _is_same(pid: int, started_at: float | None) -> bool:
    now = _started_at(pid)
    return now is not None and started_at is not None and abs(now - started_at) < _SAME_SECONDS


def _started_at(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
