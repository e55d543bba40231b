"""The exceptions of automated machine learning that scripts catch."""

from __future__ import annotations

from azureml.exceptions import UserErrorException


class ConfigException(UserErrorException):
    """Settings that an AutoMLStep can't take."""


__all__ = ["ConfigException"]
