"""What takes time is done aside, by a few threads: the engine's own thread has none to spare."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from penstock.model.errors import PenstockError, Unavailable

FRESH_SECONDS = 10.0  # what was found out longer ago is found out again: the data may be other data now
MOST_TRIES = 9  # of what can't be done now: a datastore that does not answer
FIRST_PAUSE_SECONDS = 1.0  # before the second try; then twice as long each time
LONGEST_PAUSE_SECONDS = 30.0

T = TypeVar("T")
Check = Callable[[], None]
Work = Callable[[Check], T]  # the check is called now and then, and raises when nobody waits for the result any more


class NotWanted(Exception):
    """Nobody waits for this any more."""


class GaveUp(PenstockError):
    """What could not be done now could not be done later either."""

    code, status = "Unavailable", 503


@dataclass(frozen=True)
class _Done(Generic[T]):
    """How some work ended."""

    result: T | Exception
    at: float  # time.monotonic()


class Aside(Generic[T]):
    """Does work in threads of its own; each piece has a key. `begin` it, and `take` its result after `wake` was called.

    Work that raises Unavailable is tried again, each time after a longer pause, and given up in the end.
    """

    def __init__(self, name: str, threads: int, wake: Callable[[], None], fresh_seconds: float = FRESH_SECONDS) -> None:
        self._name = name
        self._fresh_seconds = fresh_seconds
        self._most_threads = threads
        self._wake = wake
        self._wanted: set[str] = set()
        self._orders: queue.SimpleQueue[tuple[str, Work[T]]] = queue.SimpleQueue()
        self._done: dict[str, _Done[T] | None] = {}  # None: under way
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._threads: list[threading.Thread] = []

    def under_way(self) -> set[str]:
        """Return the keys of the work that goes on."""
        return {key for key, done in list(self._done.items()) if done is None}

    def knows(self, key: str) -> bool:
        """Tell whether there is news of a key, or will be."""
        return key in self._done or key in self.pending()

    def done(self) -> set[str]:
        """Return the keys whose results wait to be taken."""
        return {key for key, done in list(self._done.items()) if done is not None}

    def pending(self) -> set[str]:
        """Return the keys of the work that goes on or is to be tried again later: they need no looking at now."""
        now = time.monotonic()
        return self.under_way() | {key for key, moment in self._not_before.items() if moment > now}

    def forget_others(self, keys: set[str]) -> None:
        """Drop what was found out for other keys than these, and end the work that goes on for them."""
        self._wanted = keys
        for key in self.done() - keys:
            del self._done[key]
        for key in self._tries.keys() - keys:
            del self._tries[key]
            self._not_before.pop(key, None)

    def begin(self, key: str, work: Work[T]) -> None:
        """Have some work done, unless it goes on already or waits for its next try."""
        if key in self.pending():
            return
        self._not_before.pop(key, None)
        self._done[key] = None
        self._orders.put((key, work))
        if len(self._threads) < self._most_threads:
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)  # a service that leaves waits for nobody
            self._threads.append(thread)
            thread.start()

    def take(self, key: str) -> T | None:
        """Return a fresh result and forget it; None while there is none.

        Raises:
            GaveUp: It failed for a passing reason, too often.
            Exception: What the work raised.
        """
        done = self._done.get(key)
        if done is None:
            return None
        del self._done[key]
        if isinstance(done.result, Unavailable):
            self._note_failure(key, done.result)
            raise done.result
        if isinstance(done.result, NotWanted) or time.monotonic() - done.at > self._fresh_seconds:
            return None
        self._tries.pop(key, None)
        if isinstance(done.result, Exception):
            raise done.result
        return done.result

    def _note_failure(self, key: str, error: Unavailable) -> None:
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        if tries >= MOST_TRIES:
            raise GaveUp(f"{error.message} It was tried {tries} times.", **error.details) from error
        self._not_before[key] = time.monotonic() + min(FIRST_PAUSE_SECONDS * 2 ** (tries - 1), LONGEST_PAUSE_SECONDS)

    def _check(self, key: str) -> None:
        """Raise NotWanted for work whose result nobody will take: its step was cancelled, say."""
        if key not in self._wanted:
            raise NotWanted

    def _work(self) -> None:
        while True:
            key, work = self._orders.get()
            try:
                self._check(key)
                result: T | Exception = work(partial(self._check, key))
            except Exception as error:
                result = error
            self._done[key] = _Done(result, time.monotonic())
            self._wake()
