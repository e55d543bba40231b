"""Event loggers of v1's telemetry, which drop what they get."""

from __future__ import annotations

from typing import Any


class EventLogger:
    """Takes events and drops them."""

    def log_event(self, *args: Any, **kwargs: Any) -> str:
        """Drop an event; return its id, which is empty."""
        return ""

    def log_metric(self, *args: Any, **kwargs: Any) -> str:
        """Drop a metric; return its id, which is empty."""
        return ""

    def flush(self) -> None:
        """Do nothing."""


class Loggers(EventLogger):
    """v1's name for a group of event loggers."""

    @staticmethod
    def default_logger(*args: Any, **kwargs: Any) -> EventLogger:
        """Return a logger that drops everything."""
        return EventLogger()
