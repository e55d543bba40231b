"""Starts the local service when MLflow needs it and it is not there: it was killed, or had rested and left.

MLflow asks this for headers before each request; there are none to add.
"""

from __future__ import annotations

import sys
from typing import Dict
from urllib.parse import urlsplit


class WakesService:
    """What MLflow knows as a provider of request headers."""

    def in_context(self) -> bool:
        """Tell whether MLflow logs to the service of this home folder."""
        return is_ours(sys.modules["mlflow"].get_tracking_uri())

    def request_headers(self) -> Dict[str, str]:
        """Start the service where none answers; return no headers."""
        from penstock.client.home import find_home
        from penstock.client.start import ensure_service

        ensure_service(find_home())
        return {}


def is_ours(address: str) -> bool:
    """Tell whether an address is that of this home folder's service."""
    from penstock.client.home import find_home

    try:
        parts = urlsplit(address)
        port = int(find_home().port.read_text())
        return parts.hostname == "127.0.0.1" and parts.port == port and parts.path.startswith("/mlflow/")
    except (OSError, ValueError):  # no service ever listened here, or it is no address of this kind
        return False
