"""Who waits for news of a run, and how they hear of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator

EVERYTHING = ""  # what those listen to who want the news of all root runs


class Bulletin:
    """Wakes those who follow runs. `announce` may be called from any thread, everything else from the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: dict[str, set[Listener]] = {}
        self._is_closed = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop the listeners live in; the first listener's is taken otherwise."""
        self._loop = loop

    def announce(self, roots: set[str], ended: set[str]) -> None:
        """Wake everybody who follows one of these root runs, and say which runs ended.

        Nobody waits for it: a loop that is gone hears nothing.
        """
        with self._lock:
            heard = any(root in self._listeners for root in (EVERYTHING, *roots))
        if heard and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: so are its listeners
                self._loop.call_soon_threadsafe(self._wake, roots, ended)

    def close(self) -> None:
        """Let everybody go, once and for all: the service leaves."""
        with self._lock:
            self._is_closed = True
            everybody = [listener for listeners in self._listeners.values() for listener in listeners]
        for listener in everybody:
            listener.dismiss()

    def _wake(self, roots: Iterable[str], ended: set[str]) -> None:
        with self._lock:
            heard = [listener for root in roots for listener in self._listeners.get(root, ())]
            always = list(self._listeners.get(EVERYTHING, ()))
        for listener in heard:
            listener.wake(ended)
        for listener in always:
            listener.wake(set())  # they listen long, and would keep the ends of all runs

    @contextlib.contextmanager
    def listen(self, root_run_id: str) -> Iterator[Listener]:
        """Give a listener that misses nothing from now on, of one root run or of EVERYTHING; look at the rows after this, then wait.

        Who comes after the close is let go at once.
        """
        self._loop = self._loop or asyncio.get_running_loop()
        listener = Listener()
        with self._lock:
            self._listeners.setdefault(root_run_id, set()).add(listener)
            if self._is_closed:
                listener.dismiss()
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners[root_run_id].discard(listener)
                if not self._listeners[root_run_id]:
                    del self._listeners[root_run_id]


class Listener:
    """One who waits."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._ended: set[str] = set()
        self.is_dismissed = False

    def wake(self, ended: set[str]) -> None:
        """There are news; these runs ended."""
        self._ended |= ended
        self._news.set()

    def dismiss(self) -> None:
        """There will be none: wait no more."""
        self.is_dismissed = True
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for news since the last wait; tell whether there were any."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        if not self.is_dismissed:
            self._news.clear()
        return True

    async def wait_for_end(self, run_id: str, seconds: float) -> None:
        """Wait until a run has ended, `seconds` at most: so that a busy run's news come in handfuls, and its end at once."""
        deadline = asyncio.get_running_loop().time() + seconds
        while run_id not in self._ended and not self.is_dismissed:
            rest = deadline - asyncio.get_running_loop().time()
            if rest <= 0 or not await self.wait(rest):
                return
