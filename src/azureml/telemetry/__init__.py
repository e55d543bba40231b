"""v1's telemetry names. Penstock sends no telemetry: every call is accepted and does nothing."""

from __future__ import annotations

import logging
from typing import Any, Optional

from azureml.telemetry import activity, loggers

INSTRUMENTATION_KEY = ""

__all__ = [
    "INSTRUMENTATION_KEY",
    "activity",
    "get_diagnostics_collection_info",
    "get_event_logger",
    "get_telemetry_log_handler",
    "is_diagnostics_collection_info_available",
    "loggers",
    "set_diagnostics_collection",
]


def set_diagnostics_collection(
    send_diagnostics: bool = True, verbosity: int = logging.INFO, reason: str = "", path: Optional[str] = None, **kwargs: Any
) -> None:
    """Accept v1's choice about telemetry; there is none to switch."""


def get_diagnostics_collection_info(component_name: Any = None, path: Optional[str] = None) -> Any:
    """Return (False, None): nothing is collected."""
    return False, None


def is_diagnostics_collection_info_available(component_name: Any = None, path: Optional[str] = None) -> bool:
    """Return True, so that nobody is asked about it."""
    return True


def get_telemetry_log_handler(*args: Any, **kwargs: Any) -> logging.Handler:
    """Return a log handler that drops everything."""
    return logging.NullHandler()


def get_event_logger(*args: Any, **kwargs: Any) -> Any:
    """Return an event logger that drops everything."""
    return loggers.EventLogger()
