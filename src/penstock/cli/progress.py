"""A sign of life for whatever takes more than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from penstock.cli.tables import format_seconds

DELAY_SECONDS = 2.0
TURN_SECONDS = 0.2
MARKS = "|/-\\"


class Progress:
    """One line on a terminal's standard error that says what is waited for, and how long already.

    It appears after two seconds, rewrites itself, and is gone afterwards. Nothing is written where standard error is not a terminal.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._turn, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _turn(self) -> None:
        began = time.monotonic()
        if self._ended.wait(DELAY_SECONDS):
            return
        turn = 0
        while not self._ended.is_set():
            elapsed = format_seconds(round(time.monotonic() - began))
            sys.stderr.write(f"\r\x1b[2K{MARKS[turn % len(MARKS)]} {self.text} ({elapsed})")
            sys.stderr.flush()
            turn += 1
            self._ended.wait(TURN_SECONDS)
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
