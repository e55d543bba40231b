"""The listener on this machine's own address, for clients that can't use the home folder's socket."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import socket

from penstock.client.home import Home
from penstock.storage.files import replace_text

_log = logging.getLogger(__name__)
ADDRESS = "127.0.0.1"
_PORTS = range(20_000, 32_768)  # below those that systems hand out for connections on their way out
_TRIES = 50


def listen(home: Home) -> socket.socket | None:
    """Return a listener at the port that this home folder had before, for clients remember it; at another where that one is taken.

    None when this machine lets nobody listen; then the reason is kept where the port would be. All goes on without it but MLflow and REST.
    """
    last = _last_port(home)
    chosen = random.sample(_PORTS, _TRIES)
    reason = ""
    for port in [*([last] if last else []), *chosen, 0]:
        try:
            listener = _bind(port)
        except OSError as error:
            reason = error.strerror or str(error)
            continue
        _keep(home, listener.getsockname()[1], last)
        return listener
    _log.warning("loopback.unavailable home=%s: MLflow's clients and REST callers can't reach this service: %s", home.path, reason)
    with contextlib.suppress(OSError):
        replace_text(home.port, json.dumps({"reason": reason}))
    return None


def _bind(port: int) -> socket.socket:
    # Named so, asyncio sends what it has at once; else each answer waits 40 ms for the client's word that its head arrived.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of our predecessor may still linger
        listener.bind((ADDRESS, port))
        listener.listen(256)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _last_port(home: Home) -> int | None:
    try:
        port = int(home.port.read_text())
    except (OSError, ValueError):
        return None
    return port if 1024 <= port < 65_536 else None


def _keep(home: Home, port: int, last: int | None) -> None:
    if port != last:
        if last:
            _log.warning("loopback.moved port=%s last=%s: who still calls the last one can't reach this service", port, last)
        replace_text(home.port, f"{port}\n")
