"""The looks of data-driven schedules: aside, each datastore's in a thread of its own, so that one that hangs delays no other's."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from penstock.model.errors import PenstockError, Unavailable
from penstock.operations.context import Context
from penstock.operations.mishaps import tell
from penstock.operations.schedule_polls import Poll, claim_due, fail, look, settle, take_up_lost
from penstock.recurrence.recurrence import parse_moment

log = logging.getLogger("penstock.schedules")

LONGEST_LOOK_SECONDS = 600.0  # a remote datastore that takes longer is given up for this time
_UNDER_WAY = "The look before this one has not ended: the datastore is slow, or does not answer."
_GIVEN_UP = "The datastore '{name}' took longer than {minutes:.0f} minutes to list what is there. It is looked at again at the next poll."

Place = tuple[str, str]


class Polls:
    """Does the polls that are due. A thread ends when its datastore has none left.

    Args:
        context: The surroundings.
        longest_look_seconds: How long one look may take, as far as it can be ended.
        clock: Tells the seconds, as `time.monotonic` does.
    """

    def __init__(
        self,
        context: Context,
        longest_look_seconds: float = LONGEST_LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._longest_look_seconds = longest_look_seconds
        self._clock = clock
        self._waiting: dict[Place, deque[Poll]] = {}  # a place is there as long as its thread is
        self._under_way: dict[Place, Poll] = {}
        self._lock = threading.Lock()
        self._has_begun = False
        self._is_stopping = False

    def begin_due(self) -> None:
        """Begin the polls that are due, and wait for none; a schedule whose last look still goes on gets a failed tick instead."""
        if not self._has_begun:
            take_up_lost(self._context)
            self._has_begun = True
        for poll in claim_due(self._context, parse_moment(self._context.now())):
            if not self._begin(poll):
                self._fail(poll, _UNDER_WAY)

    def stop(self) -> None:
        """Begin no more, and end the looks that are under way; the next service takes them up."""
        self._is_stopping = True

    def is_idle(self) -> bool:
        """Tell whether no poll is under way or waits."""
        with self._lock:
            return not self._waiting

    def _begin(self, poll: Poll) -> bool:
        """Let a poll be done after those of its datastore that wait; return False when the one before it should have ended long ago."""
        schedule_id = poll.schedule["id"]
        with self._lock:
            waiting = self._waiting.get(poll.place, ())
            begun = [other for other in (self._under_way.get(poll.place), *waiting) if other and other.schedule["id"] == schedule_id]
            if any(poll.is_whole_interval_after(other) for other in begun):
                return False
            others = [other for other in waiting if other.schedule["id"] != schedule_id]
            is_new = poll.place not in self._waiting
            self._waiting[poll.place] = deque([*others, poll])  # of one schedule the last is enough: it sees what the others would see
        if is_new:
            threading.Thread(target=self._work, args=(poll.place,), name=f"poll-{poll.place[1]}", daemon=True).start()
        return True

    def _work(self, place: Place) -> None:
        while (poll := self._next(place)) is not None:
            self._do(poll)

    def _next(self, place: Place) -> Poll | None:
        with self._lock:
            self._under_way.pop(place, None)
            if self._waiting[place] and not self._is_stopping:
                poll = self._under_way[place] = self._waiting[place].popleft()
                return poll
            del self._waiting[place]
            return None

    def _do(self, poll: Poll) -> None:
        try:
            started = settle(self._context, poll, look(self._context, poll, self._limit(poll)))
            log.info("schedule.looked schedule_id=%s due_at=%s runs=%s", poll.schedule["id"], poll.due_at, started)
        except Exception as error:
            if self._is_stopping:
                return
            if not isinstance(error, PenstockError):
                log.exception("schedule.poll_broke schedule_id=%s", poll.schedule["id"])
            self._fail(poll, tell(error))

    def _limit(self, poll: Poll) -> Callable[[], None]:
        """Return a check that ends a look that takes too long, or that nobody waits for."""
        deadline = self._clock() + self._longest_look_seconds

        def check() -> None:
            if self._is_stopping or self._clock() > deadline:
                raise Unavailable(_GIVEN_UP.format(name=poll.trigger["datastore"], minutes=self._longest_look_seconds / 60))

        return check

    def _fail(self, poll: Poll, reason: str) -> None:
        try:
            fail(self._context, poll, reason)
        except Exception:  # no room for the row, say: the next poll tries again, and the log says why
            log.exception("schedule.poll_failed schedule_id=%s reason=%s", poll.schedule["id"], reason)
