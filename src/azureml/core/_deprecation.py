"""Notes about v1's deprecated members: one line of log, once per process, so that a script's own output stays readable."""

from __future__ import annotations

import logging
import os
from typing import Set

_logger = logging.getLogger("azureml.core")
_said: Set[str] = set()


def note(message: str) -> None:
    """Log a warning the first time this process says it."""
    if message not in _said:
        _said.add(message)
        _logger.warning(message)


def deprecated(message: str) -> None:
    """Log a note about a deprecated member; AZUREML_LOG_DEPRECATION_WARNING_ENABLED=false silences it."""
    if os.environ.get("AZUREML_LOG_DEPRECATION_WARNING_ENABLED", "true").strip().lower() not in ("false", "0", "no"):
        note(message)
