"""uvicorn's server, made to rest: it looks once a second, not ten times, and leaves at once when told.

Everybody on this machine can connect over loopback, with a token or without. So that nobody holds the service's descriptors for nothing,
such a connection has to come to its point, and there are only so many of them. The home folder's socket stays open to its owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

REST_SECONDS = 1.0
HEAD_SECONDS = 30.0  # for the head of a request, the first one or one more


class RestingServer(uvicorn.Server):
    """A server whose life is somebody else's to decide."""

    def __init__(
        self, config: uvicorn.Config, is_over: Callable[[], bool], over: asyncio.Event, ready: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._is_over = is_over
        self._over = over
        self._ready = ready
        self._leave = leave

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        """Leave signals to the service."""
        return contextlib.nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self._ready()

    async def main_loop(self) -> None:
        """Rest until it is time to leave."""
        while not self._is_over():
            await self.on_tick(0)  # the date of answers
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._over.wait(), REST_SECONDS)
        self._leave()


class GuestProtocol(H11Protocol):
    """A connection; one over loopback is let go when it is one too many, or does not say what it wants."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(transport)
        if _is_guest(self) and sum(_is_guest(other) for other in self.connections) > most_guests():
            transport.abort()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what was sent."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._unwatch()

    def _watch(self) -> None:
        """Let the clock run as long as there is nothing to answer, however much of a head, or of an unwanted body, trickles in."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
        elif _is_guest(self) and self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _is_guest(connection: Any) -> bool:
    return bool(connection.server and connection.server[1] is not None)


def most_guests() -> int:
    """Return how many connections over loopback there may be at once: half of the files that this process may open."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most // 2 if most != resource.RLIM_INFINITY else 10_000


def make_server(app: Any, **life: Any) -> RestingServer:
    """Return the server of an application."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=75,
        ws="none",
        http=GuestProtocol,
        timeout_graceful_shutdown=2,
    )
    return RestingServer(config, **life)
