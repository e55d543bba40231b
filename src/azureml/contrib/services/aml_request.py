"""Requests to deployed web services. Not part of this version: the names import; a request is never made."""

from typing import Any, Callable, TypeVar

from azureml.core._refusal import refuse_class

AMLRequest = refuse_class(
    "azureml.contrib.services.aml_request.AMLRequest", "It belongs to a deployed web service, and deployments belong to Azure."
)

__all__ = ["AMLRequest", "rawhttp"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def rawhttp(function: _Function) -> _Function:
    """Return the function as it is: only a deployed web service would call it in another way."""
    return function
