"""The facade's only door to the service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, Optional

from penstock.client.home import Home, find_home

if TYPE_CHECKING:
    from penstock.client.client import Client

__all__ = ["connect"]

_clients: Dict[str, Client] = {}


def connect(home: Optional[Home] = None) -> Client:
    """Return the client of a home folder, by default the one that PENSTOCK_HOME names; nothing is started yet.

    One client is kept for each folder. It is safe in threads and after a fork.
    """
    from penstock.client.client import Client

    place = home or find_home()
    key = os.fspath(place.path)
    if key not in _clients:
        _clients[key] = Client(place)
    return _clients[key]
