"""Activity log of v1's telemetry, which records nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator


class ActivityType:
    """Who began an activity."""

    PUBLICAPI = "PublicApi"
    INTERNALCALL = "InternalCall"
    CLIENTPROXY = "ClientProxy"


@contextmanager
def log_activity(
    logger: Any, activity_name: str, activity_type: str = ActivityType.INTERNALCALL, custom_dimensions: Any = None
) -> Iterator[Any]:
    """Run the block; record nothing. The block gets `logger` back."""
    yield logger
