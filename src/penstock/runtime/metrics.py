"""A step appends its metrics to its own run folder, so that logging needs no service and costs microseconds."""

from __future__ import annotations

import errno
import json
import os
import time
from typing import Any, Dict, Mapping, Set, Tuple

FILE = "metrics.jsonl"

_OPEN: Dict[str, int] = {}  # folder -> descriptor of its file, opened once in a process
_TORN: Set[int] = set()  # descriptors whose last line was cut short, as by a full disk
_encode = json.JSONEncoder(check_circular=False).encode  # records are flat
_second: Tuple[int, str] = (0, "")  # the second that was told last, and its text


def _forget() -> None:
    """Open the files anew in a forked child: it may serve another run, or close what it did not open."""
    _OPEN.clear()
    _TORN.clear()


if hasattr(os, "register_at_fork"):  # asked once, and not for the process id at every call: that is a system call
    os.register_at_fork(after_in_child=_forget)


def now() -> str:
    """Return the time as stored everywhere: ISO-8601 in UTC with microseconds."""
    global _second
    moment = time.time()
    second, text = _second
    if second != int(moment):
        second = int(moment)
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = (second, text)
    return f"{text}.{int((moment - second) * 1_000_000):06d}Z"


def append(folder: str, record: Mapping[str, Any]) -> None:
    """Append one record to the run's metrics. One write makes one line, so processes of one step may log at once.

    Raises:
        OSError: The disk is full, say. What is appended later is on lines of its own.
    """
    descriptor = _OPEN.get(folder)
    if descriptor is None:
        descriptor = _OPEN[folder] = _open(os.path.join(folder, FILE))
    line = (_encode(record) + "\n").encode("ascii")
    if descriptor in _TORN:
        line = b"\n" + line
    if os.write(descriptor, line) < len(line):
        _TORN.add(descriptor)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    _TORN.discard(descriptor)


def _open(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":  # an earlier attempt was killed before its line was whole
        _TORN.add(descriptor)
    return descriptor
