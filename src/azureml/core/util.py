"""Small tools that scripts import from v1's `azureml.core.util`."""

from __future__ import annotations

import logging
from typing import Any


class NewLoggingLevel:
    """A context that gives a logger another level, and puts the old one back.

    Args:
        logger_name: The logger, by name.
        level: Its level inside the block.
    """

    def __init__(self, logger_name: str, level: int = logging.WARNING) -> None:
        self.logger_name = logger_name
        self.new_level = level
        self.logger = logging.getLogger(logger_name)
        self.old_level = self.logger.level

    def __enter__(self) -> logging.Logger:
        self.old_level = self.logger.level
        self.logger.setLevel(self.new_level)
        return self.logger

    def __exit__(self, *exc_info: Any) -> None:
        self.logger.setLevel(self.old_level)
