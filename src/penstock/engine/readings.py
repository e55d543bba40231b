"""Reading data takes time; the engine's thread has none to spare. Steps whose inputs must be read are read by these few threads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from penstock.engine.orders import ReadyStep
from penstock.persistence.database import Row

THREADS = 2
FRESH_SECONDS = 10.0  # what was read longer ago is read again: the data may be other data now


class NotWanted(Exception):
    """Nobody waits for this reading any more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of reading a step."""

    result: ReadyStep | Exception
    ended_at: float  # time.monotonic()


class Readings:
    """Reads ready steps aside. The first `take` of a step begins its reading; a later one, after `wake` was called, gets the result."""

    def __init__(self, read: Callable[[Row, Callable[[], None]], ReadyStep], wake: Callable[[], None]) -> None:
        self._read = read
        self._wake = wake
        self._wanted: set[str] = set()
        self._orders: queue.SimpleQueue[Row] = queue.SimpleQueue()
        self._readings: dict[str, Reading | None] = {}  # None: under way
        self._threads: list[threading.Thread] = []

    def pending(self) -> set[str]:
        """Return the run ids of the steps that are being read."""
        return {run_id for run_id, reading in list(self._readings.items()) if reading is None}

    def forget_others(self, run_ids: set[str]) -> None:
        """Drop what was read of steps that are not among these, and end what is being read of them."""
        self._wanted = run_ids
        for run_id in [run_id for run_id, reading in list(self._readings.items()) if reading and run_id not in run_ids]:
            del self._readings[run_id]

    def take(self, row: Row) -> ReadyStep | None:
        """Return what was read of a step, or None while it is being read.

        Raises:
            Exception: What the reading raised.
        """
        reading = self._readings.get(row["id"])
        if reading is None or time.monotonic() - reading.ended_at > FRESH_SECONDS:
            if row["id"] not in self.pending():
                self._begin(row)
            return None
        del self._readings[row["id"]]
        if isinstance(reading.result, NotWanted):  # and now it is wanted again
            self._begin(row)
            return None
        if isinstance(reading.result, Exception):
            raise reading.result
        return reading.result

    def _begin(self, row: Row) -> None:
        self._readings[row["id"]] = None
        self._orders.put(row)
        if len(self._threads) < THREADS:
            thread = threading.Thread(target=self._work, name="reading", daemon=True)  # a service that leaves waits for no reading
            self._threads.append(thread)
            thread.start()

    def _check(self, run_id: str) -> None:
        """Raise NotWanted for a step that is not ready any more: it was cancelled, say."""
        if run_id not in self._wanted:
            raise NotWanted

    def _work(self) -> None:
        while True:
            row = self._orders.get()
            try:
                self._check(row["id"])
                result: ReadyStep | Exception = self._read(row, partial(self._check, row["id"]))
            except Exception as error:
                result = error
            self._readings[row["id"]] = Reading(result, time.monotonic())
            self._wake()
