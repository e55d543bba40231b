"""A part that is a process of its own: started, waited for, ended by its id."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

READY_SECONDS = 60.0


class PartMissing(Exception):
    """The part is not installed here; the message says what to do."""


@contextlib.contextmanager
def running(command: Sequence[str], ready: str, **how: Any) -> Iterator[re.Match[str]]:
    """Run a command while the block lasts; give the match of `ready` in what it printed."""
    with tempfile.TemporaryDirectory(prefix="part-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **how)
        try:
            yield _wait_for(process, log, ready)
        finally:
            _end(process)


def _wait_for(process: subprocess.Popen[bytes], log: Path, ready: str) -> re.Match[str]:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        text = log.read_text(errors="replace")
        if found := re.search(ready, text):
            return found
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not get ready. It says:\n{text[-2000:]}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, which are a group of their own."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return
