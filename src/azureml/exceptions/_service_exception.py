"""The exception for an answer of the service that has no kinder name. As in v1, it is no AzureMLException."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple


class ServiceException(Exception):
    """The service refused a request.

    Args:
        error_response_exception: What the client raised; its status, message and details are taken over.
        **kwargs: Accepted and ignored, as in v1.

    Attributes:
        status_code: The HTTP status.
        response: The answer, with `status_code`, `reason`, `text`, `headers` and `json()`.
        details: More facts, a dictionary.
    """

    def __init__(self, error_response_exception: Any, **kwargs: Any) -> None:
        self._message = str(getattr(error_response_exception, "message", None) or error_response_exception)
        self._inner_exception = error_response_exception if isinstance(error_response_exception, BaseException) else None
        self.response: Any = getattr(error_response_exception, "response", None)
        self.status_code = _status_of(error_response_exception, self.response)
        self.details: Dict[str, Any] = dict(getattr(error_response_exception, "details", None) or {})
        self.error_code = str(getattr(error_response_exception, "code", None) or "ServiceError")
        if self.response is None:
            self.response = _Answer(self.status_code, self.error_code, self._message, self.details)
        super().__init__(self._message)

    @property
    def message(self) -> str:
        """What the service said."""
        return self._message

    @message.setter
    def message(self, value: str) -> None:
        self._message = value

    @property
    def inner_exception(self) -> Optional[BaseException]:
        """The client's own exception, or None."""
        return self._inner_exception

    @inner_exception.setter
    def inner_exception(self, value: Optional[BaseException]) -> None:
        self._inner_exception = value

    def print_stacktrace(self) -> None:
        """Print the traceback of the client's exception, or of this one when there is none."""
        import traceback

        shown: BaseException = self._inner_exception or self
        traceback.print_exception(type(shown), shown, shown.__traceback__)

    def __str__(self) -> str:
        lines = [f"{type(self).__name__}:", f"\tCode: {self.status_code}", f"\tMessage: ({self.error_code}) {self._message}"]
        if self.details:
            lines.append(f"\tDetails: {self.details}")
        return "\n".join([*lines, f"\tInnerException: {type(self._inner_exception).__name__ if self._inner_exception else None}"])

    def __repr__(self) -> str:
        return str(self)

    def __reduce__(self) -> Tuple[Any, ...]:
        return _rebuild, (self.args,), self.__dict__


def _rebuild(args: Tuple[Any, ...]) -> ServiceException:
    return ServiceException.__new__(ServiceException, *args)


def _status_of(error: Any, response: Any) -> Optional[int]:
    for source, name in ((error, "status_code"), (response, "status_code"), (error, "status")):
        value = getattr(source, name, None)
        if value is not None:
            return int(value)
    return None


class _Answer:
    """The parts of an HTTP answer that handlers look at."""

    def __init__(self, status_code: Optional[int], code: str, message: str, details: Dict[str, Any]) -> None:
        self.status_code = status_code
        self.reason = code
        self.headers: Dict[str, str] = {}
        self._document = {"error": {"code": code, "message": message, "details": details}}

    def json(self) -> Dict[str, Any]:
        """Return the error document."""
        return self._document

    @property
    def text(self) -> str:
        """The error document as text."""
        import json

        return json.dumps(self._document, default=str)

    @property
    def content(self) -> bytes:
        """The error document as bytes."""
        return self.text.encode()
