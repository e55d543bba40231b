"""The exception that pipelines raise for what the service does not have."""

from __future__ import annotations

from azureml.exceptions import ServiceException


class ErrorResponseException(ServiceException):
    """The service has no such pipeline thing, or refused a request about one."""
