"""The thread that schedules live by: it sleeps until one is due, and starts its run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from penstock.operations.context import Context
from penstock.operations.schedule_ticks import fire_due, next_due, realign
from penstock.recurrence.recurrence import parse_moment

log = logging.getLogger("penstock.engine")

REST_SECONDS = 60.0  # how often the clock is looked at: it may have been set, or the machine have slept
RETRY_SECONDS = 1.0  # after what could not be done just now
_SET_BACK = timedelta(seconds=60)  # a clock that goes back by more than this was wrong before


class Triggers:
    """Starts the runs of schedules in a thread of its own until it is stopped."""

    def __init__(self, context: Context, news: threading.Event, begin_polls: Callable[[], None] = lambda: None) -> None:
        """Make the thread.

        Args:
            context: The surroundings.
            news: Set by whoever changes when a schedule is due.
            begin_polls: Begins to look at the files that are due to be looked at, and does not wait for it.
        """
        self._context = context
        self._news = news
        self._begin_polls = begin_polls
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triggers", daemon=True)
        self._looked_at = ""
        self.is_needed = True  # until the first turn has looked: afterwards, while a schedule waits for its next tick

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing. What was due meanwhile follows the catch-up rule of its schedule."""
        self._stopping.set()
        self._news.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()  # before the look: what changes during it is looked at again
            rest = self._turn()
            if rest > 0:
                self._news.wait(rest)

    def _turn(self) -> float:
        """Do what is due; return how many seconds to rest. What one turn can't do the next one tries again; the thread never ends."""
        try:
            self._notice_clock_set_back()
            done = fire_due(self._context, lambda: not self._stopping.is_set())
            self._begin_polls()
            next_at = next_due(self._context)
            self.is_needed = next_at is not None
        except Exception:
            log.exception("triggers.turn_failed")
            return RETRY_SECONDS
        if next_at is None:
            return REST_SECONDS
        seconds = (parse_moment(next_at) - parse_moment(self._context.now())).total_seconds()
        if seconds <= 0:
            return 0.0 if done else RETRY_SECONDS
        return min(seconds, REST_SECONDS)

    def _notice_clock_set_back(self) -> None:
        now = self._context.now()
        if not self._looked_at or parse_moment(self._looked_at) - parse_moment(now) > _SET_BACK:
            realign(self._context)  # also at first: the clock may have been wrong while the last service ran
        self._looked_at = now
