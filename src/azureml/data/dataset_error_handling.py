"""Errors of reading datasets."""

from __future__ import annotations

from typing import Any, Optional

from azureml.exceptions import UserErrorException


class _DatasetError(UserErrorException):
    def __init__(self, message: str, exception: Optional[BaseException]) -> None:
        super().__init__(message, inner_exception=exception)
        self.error_code: Any = getattr(exception, "error_code", None)
        self.validation_error_code: Any = getattr(exception, "validation_error_code", None)
        self.compliant_message: Any = getattr(exception, "compliant_message", None)


class DatasetValidationError(_DatasetError):
    """A dataset can't be made: nothing readable is there."""

    def __init__(self, message: str, exception: Optional[BaseException] = None) -> None:
        super().__init__(message, exception)


class DatasetExecutionError(_DatasetError):
    """A dataset can't be read."""

    def __init__(self, message: str, exception: Optional[BaseException]) -> None:
        super().__init__(message, exception)
