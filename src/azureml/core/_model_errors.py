"""v1's exceptions for models: nearly everything that is wrong with one is a WebserviceException."""

from __future__ import annotations

from typing import Any

from azureml.core._errors import translate
from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, Refused, TooLarge

_NO_SUCH_PATH = "model path"  # how the service marks a path that a run does not have
_THE_CALLERS = (AlreadyExists, Invalid, NotFound, Refused, TooLarge)


class model_errors:  # noqa: N801  read as a verb at the place of use
    """Translates penstock's errors in a `with` block, where models are meant; messages stay as they are."""

    def __enter__(self) -> model_errors:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if not isinstance(error, PenstockError):
            return
        from azureml.exceptions import ModelPathNotFoundException, WebserviceException

        if isinstance(error, NotFound) and error.details.get("kind") == _NO_SUCH_PATH:
            raise ModelPathNotFoundException(error.message) from None
        if isinstance(error, _THE_CALLERS):
            raise WebserviceException(error.message, status_code=error.status) from None
        raise translate(error) from error
