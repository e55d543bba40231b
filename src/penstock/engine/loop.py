"""The engine's thread: it turns when something may have changed, and rests otherwise."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from pathlib import Path

from penstock.engine.executors import Executor
from penstock.engine.scheduler import Scheduler
from penstock.model.errors import PenstockError

log = logging.getLogger("penstock.engine")

SWEEP_SECONDS = 1.0  # how often a death without a word, a deadline or a grace period is looked for while steps run
STOPPING_SECONDS = 0.1  # ... while a cancelled step has not ended yet
REST_SECONDS = 60.0  # with nothing under way only a wake-up matters; this is for a wake-up that was lost


class Wakeup:
    """A named pipe: keepers of ended steps write to it, and the service's own verbs do."""

    def __init__(self, path: Path) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)  # RDWR: without a writer it must not report its end

    def wake(self) -> None:
        """Make `wait` return."""
        with contextlib.suppress(BlockingIOError):  # full: then a wake-up is waiting anyway
            os.write(self._pipe, b"\n")

    def wait(self, seconds: float) -> bool:
        """Wait for a wake-up; return whether one came. All that came so far count as one."""
        ready, _, _ = select.select([self._pipe], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._pipe, 65536)
        return bool(ready)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._pipe)


class Engine:
    """Runs the scheduler in a thread of its own until it is stopped."""

    def __init__(self, scheduler: Scheduler, executor: Executor, wakeup: Wakeup) -> None:
        self._scheduler = scheduler
        self._executor = executor
        self._wakeup = wakeup
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._is_open = False
        self.is_busy = True  # until the first turn has looked

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its present turn. Steps go on; the next service finds them."""
        self._stopping.set()
        self._wakeup.wake()
        self._thread.join(timeout=10)
        self._scheduler.close()
        self._executor.close()

    def _run(self) -> None:
        swept_at = -SWEEP_SECONDS
        while not self._stopping.is_set():
            thorough = time.monotonic() - swept_at >= SWEEP_SECONDS
            if thorough:
                swept_at = time.monotonic()
            self.is_busy = self._turn(thorough)
            rest = STOPPING_SECONDS if self._scheduler.is_stopping else SWEEP_SECONDS
            self._wakeup.wait(rest if self.is_busy else REST_SECONDS)

    def _turn(self, thorough: bool) -> bool:
        """Turn once. What one turn can't do (a full disk, say) the next one tries again; the engine itself never ends."""
        try:
            if not self._is_open:
                self._executor.open()
                self._is_open = True
            return self._scheduler.turn(thorough)
        except PenstockError as error:
            log.error("engine.turn_failed reason=%s", error)
        except Exception:
            log.exception("engine.turn_failed")
        self._stopping.wait(SWEEP_SECONDS)
        return True
