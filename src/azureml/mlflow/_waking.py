"""Starts the local service when MLflow needs it and it is not there: it was killed, or had rested and left.

MLflow asks this for headers before each request; there are none to add. A service that dies in the middle of a request is started again,
too: MLflow's client only asks again and again then.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Dict
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from penstock.client.home import Home

_CLIENT_TRIES_SECONDS = 300.0  # longer than MLflow goes on asking for one answer
_PAUSE_SECONDS = 1.0


class WakesService:
    """What MLflow knows as a provider of request headers."""

    def __init__(self) -> None:
        self._asked_at = 0.0
        self._watching_pid = 0  # a forked child has no threads of its parent's

    def in_context(self) -> bool:
        """Tell whether MLflow logs to the service of this home folder."""
        return is_ours(sys.modules["mlflow"].get_tracking_uri())

    def request_headers(self) -> Dict[str, str]:
        """Start the service where none answers; return no headers."""
        from penstock.client.home import find_home
        from penstock.client.start import ensure_service

        home = find_home()
        self._asked_at = time.monotonic()
        ensure_service(home)
        if self._watching_pid != os.getpid():
            self._watching_pid = os.getpid()
            threading.Thread(target=self._watch, args=(home,), daemon=True, name="penstock-mlflow").start()
        return {}

    def _watch(self, home: Home) -> None:
        """Start the service again whenever it ends while MLflow may be asking."""
        from penstock.client.start import ensure_service

        try:
            while time.monotonic() - self._asked_at < _CLIENT_TRIES_SECONDS:
                ensure_service(home)
                _wait_for_end(home)
                time.sleep(_PAUSE_SECONDS)
        except Exception as error:  # whoever asks next is told in full
            logging.getLogger("penstock").debug("The service could not be started for MLflow: %s", error)
        finally:
            self._watching_pid = 0


def _wait_for_end(home: Home) -> None:
    """Return when the service has ended: a connection to it, on which nothing is ever said, ends with it."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(home.socket))
            connection.recv(1)
        except OSError:
            return


def is_ours(address: str) -> bool:
    """Tell whether an address is that of this home folder's service."""
    from penstock.client.home import find_home

    try:
        parts = urlsplit(address)
        port = int(find_home().port.read_text())
        return parts.hostname == "127.0.0.1" and parts.port == port and parts.path.startswith("/mlflow/")
    except (OSError, ValueError):  # no service ever listened here, or it is no address of this kind
        return False
