"""What can be wrong with a sweep."""

from __future__ import annotations

from typing import Any

from azureml.exceptions import AzureMLException


class HyperDriveException(AzureMLException):
    """Base of the errors of sweeps.

    Args:
        exception_message: What went wrong.
        **kwargs: Those of AzureMLException.
    """

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)

    @property
    def error_code(self) -> str:
        """Return a word for programs."""
        return type(self).__name__.replace("Exception", "")


class HyperDriveServiceException(HyperDriveException):
    """The service could not do what was asked."""


class HyperDriveConfigException(HyperDriveException):
    """The description of a sweep is wrong."""


class HyperDriveScenarioNotSupportedException(HyperDriveConfigException):
    """Sweeps of this kind do not exist."""


class HyperDriveNotImplementedException(HyperDriveScenarioNotSupportedException):
    """Runs of sweeps do not have this."""


class HyperDriveRehydrateException(HyperDriveException):
    """The description of an earlier sweep can't be read."""
