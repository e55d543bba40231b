"""A step appends its metrics to its own run folder, so that logging needs no service and costs microseconds."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, Mapping

FILE = "metrics.jsonl"

# Opened once in a process: (process, path) -> descriptor. The process belongs to the key because a forked child of a warm
# interpreter serves another run.
_OPEN: Dict[Any, int] = {}


def now() -> str:
    """Return the time as stored everywhere: ISO-8601 in UTC with microseconds."""
    seconds = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1_000_000):06d}Z"


def append(folder: str, record: Mapping[str, Any]) -> None:
    """Append one record to the run's metrics. One write makes one line, so processes of one step may log at once."""
    line = (json.dumps(record) + "\n").encode("utf-8")
    os.write(_descriptor(os.path.join(folder, FILE)), line)


def _descriptor(path: str) -> int:
    key = (os.getpid(), path)
    if key not in _OPEN:
        _OPEN[key] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
    return _OPEN[key]
