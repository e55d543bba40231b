"""The filters that lists of runs and experiments share."""

from __future__ import annotations

from typing import Any


def check_filters(**filters: Any) -> None:
    """Raise ValueError when a filter on tags or properties is neither text nor a dictionary."""
    for name, value in filters.items():
        if value is not None and not isinstance(value, (str, dict)):
            raise ValueError(f"The filter {name}={value!r} must be a name, or a dictionary of names and values.")
