"""Turns the service's errors into the exceptions that v1 scripts catch."""

from __future__ import annotations

import functools
from typing import Any, Callable, Optional, Type, TypeVar, cast

from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, TooLarge, Unavailable, Unsupported

Function = TypeVar("Function", bound=Callable[..., Any])
_OUR_FAULT = 500


class v1_errors:  # noqa: N801  read as a verb at the place of use
    """Translates penstock's errors in a `with` block or a decorated function; messages stay as they are.

    What the caller can mend becomes UserErrorException, all else ServiceException with its HTTP status. A place that v1
    answers in a special way names its own exception.

    Args:
        not_found: Exception class for something that does not exist.
        exists: Exception class for a name that is taken.
    """

    def __init__(self, not_found: Optional[Type[Exception]] = None, exists: Optional[Type[Exception]] = None) -> None:
        self._special = ((NotFound, not_found), (AlreadyExists, exists))

    def __enter__(self) -> v1_errors:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, PenstockError):
            raise self._translate(error) from (error if _is_our_fault(error) else None)

    def __call__(self, function: Function) -> Function:
        @functools.wraps(function)
        def translated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast(Function, translated)

    def _translate(self, error: PenstockError) -> Exception:
        for kind, special in self._special:
            if special is not None and isinstance(error, kind):
                return _with_inner(special(error.message), error)
        return translate(error)


def _is_our_fault(error: PenstockError) -> bool:
    """The service's own words are enough for mistakes of the caller or of the machine; the inner traceback only helps with ours."""
    return error.status >= _OUR_FAULT and not isinstance(error, (Unavailable, Unsupported))


def translate(error: PenstockError) -> Exception:
    """Return v1's exception for one of ours."""
    from azureml.exceptions import ServiceException, UserErrorException

    if isinstance(error, (Invalid, TooLarge, Unsupported)):
        return _with_inner(UserErrorException(error.message), error)
    return ServiceException(error)


def _with_inner(exception: Exception, error: PenstockError) -> Exception:
    if hasattr(exception, "inner_exception"):
        exception.inner_exception = error
    return exception
