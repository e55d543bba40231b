"""Times as text, and back."""

from __future__ import annotations

from typing import Any, Optional


def parse_time(text: Optional[str]) -> Any:
    """Return the aware datetime that a stored time means; None for None."""
    if not text:
        return None
    from datetime import datetime, timezone

    layout = "%Y-%m-%dT%H:%M:%S.%f" if "." in text else "%Y-%m-%dT%H:%M:%S"
    return datetime.strptime(text.rstrip("Z"), layout).replace(tzinfo=timezone.utc)
