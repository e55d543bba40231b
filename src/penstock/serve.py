"""The local service's process: takes the home folder, answers, rests, leaves. `python -m penstock.serve HOME`.

Its first word on standard output is `ready`, or else the reason why it can't start; after that it writes to its log.
"""

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
from typing import IO, TYPE_CHECKING, Any

import penstock
from penstock.client.home import Home
from penstock.client.start import READY, detach, is_answering
from penstock.model.errors import PenstockError, Unavailable

if TYPE_CHECKING:
    from penstock.bootstrap import Parts
    from penstock.service.bulletin import Bulletin

log = logging.getLogger("penstock.service")

LEAVING_SECONDS = 15.0  # how long a service that was told to leave may take


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
        listener_file = home.socket.stat().st_ino
        life = Life(parts.settings.idle_seconds, lambda: parts.engine.is_busy, lambda: _is_ours(home, listener_file))
        life.stay("active schedules wait for their next tick", lambda: parts.triggers.is_needed)
        parts.engine.start()
        parts.triggers.start()
        try:
            asyncio.run(_answer(parts, bulletin, listener, life))
        finally:
            parts.triggers.stop()
            parts.polls.stop()
            parts.engine.stop()
            if _is_ours(home, listener_file):
                home.socket.unlink()
            parts.context.stores.close()
            parts.context.database.close()
            log.info("service.stopped reason=%s", life.reason)
    return 0


@contextlib.contextmanager
def _only_one(home: Home) -> Iterator[None]:
    """Hold the home folder's lock as long as this process lives."""
    with open(home.service_lock, "a+") as lock:
        deadline = time.monotonic() + LEAVING_SECONDS
        while not _take(lock):
            if is_answering(home) or time.monotonic() > deadline:
                raise Unavailable(
                    f"The service of {home.path}, process {_read_pid(home)}, holds the home folder and does not answer. "
                    "Try again in a moment; if it stays so, end that process."
                )
            time.sleep(0.01)  # one that no longer answers is about to leave
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _read_pid(home: Home) -> str:
    try:
        return home.service_lock.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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


def _is_ours(home: Home, inode: int) -> bool:
    """Tell whether the socket's file is still the one that we listen on; without it nobody can reach us."""
    try:
        return home.socket.stat().st_ino == inode
    except OSError:
        return False


def _log_to(path: Path, level: str) -> None:
    from logging.handlers import RotatingFileHandler

    handler = RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


class Life:
    """When the service may leave: asked to, or idle long enough with no run under way and nobody who relies on it."""

    def __init__(
        self,
        idle_seconds: float,
        is_busy: Callable[[], bool],
        is_reachable: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.idle_seconds = idle_seconds
        self.reason = ""
        self._is_busy = is_busy
        self._is_reachable = is_reachable
        self._clock = clock
        self._touched_at = clock()
        self._bell: Callable[[], None] = lambda: None
        self._stays: dict[str, Callable[[], bool]] = {}

    def touch(self) -> None:
        """Somebody asked for something."""
        self._touched_at = self._clock()

    def stay(self, reason: str, as_long_as: Callable[[], bool] = lambda: True) -> None:
        """Leave no more for being idle, as long as something is so. May be called from any thread, and again for the same reason."""
        self._stays = {**self._stays, reason: as_long_as}

    def reasons_to_stay(self) -> list[str]:
        """Return why an idle service does not leave, in words; nothing where it does."""
        return [reason for reason, is_so in self._stays.items() if is_so()]

    def stop(self, reason: str = "asked to stop") -> None:
        """Leave. May be called from any thread."""
        self.reason = self.reason or reason
        self._bell()

    def ring(self, bell: Callable[[], None]) -> None:
        """Say what to call when it is time to leave."""
        self._bell = bell

    def is_over(self) -> bool:
        """Tell whether it is time to leave."""
        if not self._is_reachable():
            self.stop("its socket is gone")
        if self._is_busy() or self.reasons_to_stay():
            self.touch()
        if self._clock() - self._touched_at > self.idle_seconds:
            self.stop("idle")
        return bool(self.reason)


async def _answer(parts: Parts, bulletin: Bulletin, listener: socket.socket, life: Life) -> None:
    """Answer until the service's life is over."""
    from penstock.service.app import create_app
    from penstock.service.loopback import listen
    from penstock.service.server import make_server

    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def ring() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: then it is over anyway
            loop.call_soon_threadsafe(over.set)

    life.ring(ring)
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, life.stop, f"got {sign.name}")
    bulletin.attach(loop)
    stay, stop = _remembered(parts.home, life)
    app = create_app(parts.context, bulletin=bulletin, info=_info(parts, life), stop=stop, touch=life.touch, stay=stay)
    server = make_server(app, is_over=life.is_over, over=over, ready=lambda: _be_ready(parts.home), leave=bulletin.close)
    loopback = listen(parts.home)
    await server.serve(sockets=[listener, *([loopback] if loopback else [])])


def _remembered(home: Home, life: Life) -> tuple[Callable[[str], None], Callable[[], None]]:
    """Return how to stay for callers and how to stop, such that a service stays too that follows a killed one, or starts after a reboot."""
    with contextlib.suppress(OSError):
        life.stay(home.callers.read_text())

    def stay(reason: str) -> None:
        if reason not in life.reasons_to_stay():
            life.stay(reason)
            with contextlib.suppress(OSError):  # a full disk is no reason to refuse an address
                home.callers.write_text(reason)

    def stop() -> None:
        home.callers.unlink(missing_ok=True)
        life.stop()

    return stay, stop


def _info(parts: Parts, life: Life) -> Callable[[], dict[str, Any]]:
    facts = {
        "version": penstock.__version__,
        "api": 1,
        "pid": os.getpid(),
        "home": str(parts.home.path),
        "started_at": parts.context.now(),
        "idle_seconds": life.idle_seconds,
        "limits": {"snapshot_bytes": parts.settings.snapshot_bytes, "snapshot_files": parts.settings.snapshot_files},
    }
    return lambda: {**facts, "stays": "; ".join(life.reasons_to_stay()) or None}


def _be_ready(home: Home) -> None:
    _say_ready(home)
    log.info("service.started pid=%s home=%s version=%s", os.getpid(), home.path, penstock.__version__)
    gc.collect()
    gc.freeze()  # what is loaded now stays: no collection has to walk it again


def _say_ready(home: Home) -> None:
    """Tell who started us, then let go of its pipe."""
    print(READY, flush=True)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(null, stream)
    os.close(null)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process


def main() -> int:
    """Serve the home folder that the first argument names, until idle or stopped."""
    detach()
    try:
        return serve(Path(sys.argv[1]))
    except (PenstockError, OSError) as error:
        print(error, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
