"""The life of the local service: takes the home folder, answers, rests, leaves."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import penstock
from penstock.client.home import Home
from penstock.client.start import READY
from penstock.model.errors import Unavailable

log = logging.getLogger("penstock.service")


def serve(folder: Path) -> int:
    """Serve a home folder until nobody needs it any more; return the exit status.

    Raises:
        Unavailable: The folder can't be used, or another service has it.
    """
    home = Home(folder)
    home.create()
    with _only_one(home):
        from penstock.bootstrap import build  # late: a second service must learn quickly that it is one too many
        from penstock.service.bulletin import Bulletin

        bulletin = Bulletin()
        parts = build(home, bulletin.announce)
        _log_to(home.service_log, parts.settings.log_level)
        listener = _listen(home)
        life = Life(parts.settings.idle_seconds, lambda: parts.engine.is_busy)
        parts.engine.start()
        try:
            asyncio.run(_answer(parts, bulletin, listener, life))
        finally:
            parts.engine.stop()
            with contextlib.suppress(FileNotFoundError):
                home.socket.unlink()
            parts.context.database.close()
            log.info("service.stopped reason=%s", life.reason)
    return 0


@contextlib.contextmanager
def _only_one(home: Home) -> Iterator[None]:
    """Hold the home folder's lock as long as this process lives."""
    with open(home.service_lock, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(f"Another service has the home folder {home.path}.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _listen(home: Home) -> socket.socket:
    """Return the listening socket; only its owner can connect. We hold the lock, so a socket that is there is a dead one's."""
    with contextlib.suppress(FileNotFoundError):
        home.socket.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(home.socket))
    finally:
        os.umask(before)
    listener.listen(256)
    listener.setblocking(False)
    return listener


def _log_to(path: Path, level: str) -> None:
    from logging.handlers import RotatingFileHandler

    handler = RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


class Life:
    """When the service may leave: asked to, or idle long enough with no run under way."""

    def __init__(self, idle_seconds: float, is_busy: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self.idle_seconds = idle_seconds
        self.reason = ""
        self._is_busy = is_busy
        self._clock = clock
        self._touched_at = clock()

    def touch(self) -> None:
        """Somebody asked for something."""
        self._touched_at = self._clock()

    def stop(self, reason: str = "asked to stop") -> None:
        """Leave at the next look."""
        self.reason = self.reason or reason

    def is_over(self) -> bool:
        """Tell whether it is time to leave."""
        if self._is_busy():
            self.touch()
        if self._clock() - self._touched_at > self.idle_seconds:
            self.stop("idle")
        return bool(self.reason)


async def _answer(parts: Any, bulletin: Any, listener: socket.socket, life: Life) -> None:
    import uvicorn

    from penstock.service.app import create_app

    def info() -> dict[str, Any]:
        return {
            "version": penstock.__version__,
            "api": 1,
            "pid": os.getpid(),
            "home": str(parts.home.path),
            "started_at": started_at,
            "idle_seconds": life.idle_seconds,
        }

    started_at = parts.context.now()
    app = create_app(parts.context, bulletin=bulletin, info=info, stop=life.stop, touch=life.touch)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=75, ws="none", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    bulletin.attach(asyncio.get_running_loop())
    serving = asyncio.create_task(_serve_quietly(server, listener, life))
    while not server.started and not serving.done():
        await asyncio.sleep(0.001)
    _say_ready(parts.home)
    log.info("service.started pid=%s home=%s version=%s", os.getpid(), parts.home.path, penstock.__version__)
    gc.collect()
    gc.freeze()  # what is loaded now stays: no collection has to walk it again
    while not serving.done() and not life.is_over():
        await asyncio.wait([serving], timeout=0.25)
    server.should_exit = True
    await serving


async def _serve_quietly(server: Any, listener: socket.socket, life: Life) -> None:
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, life.stop, f"got {sign.name}")
    server.install_signal_handlers = lambda: None
    server.capture_signals = contextlib.nullcontext
    await server.serve(sockets=[listener])


def _say_ready(home: Home) -> None:
    """Tell who started us, then let go of its pipe."""
    print(READY, flush=True)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(null, stream)
    os.close(null)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
