"""uvicorn's server, made to rest: it looks once a second, not ten times, and leaves at once when told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

REST_SECONDS = 1.0


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


def make_server(app: Any, **life: Any) -> RestingServer:
    """Return the server of an application."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=75, ws="none", timeout_graceful_shutdown=2
    )
    return RestingServer(config, **life)
