"""What can go wrong, as a tree. Every message names the thing, the place and the next step."""

from __future__ import annotations

import difflib
from typing import Any, Iterable


class PenstockError(Exception):
    """Base of all of Penstock's own errors.

    Attributes:
        message: What a person reads.
        code: A stable word for programs; it travels over REST.
        status: The HTTP status code that fits.
        details: More facts, JSON values only.
    """

    code = "PenstockError"
    status = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def begin_with(self, words: str) -> None:
        """Let the message begin with where it happened, such as an input's name."""
        self.message = f"{words} {self.message}"
        self.args = (self.message,)

    def document(self) -> dict[str, Any]:
        """Return the JSON form that REST answers carry."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


class NotFound(PenstockError):
    """There is no such thing."""

    code, status = "NotFound", 404

    @classmethod
    def named(cls, kind: str, name: str, known: Iterable[str] = (), where: str = "") -> NotFound:
        """Return the error for a misspelt name, with the nearest known name."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        place = f" in {where}" if where else ""
        there_are = f" There are: {', '.join(names[:10])}." if names else ""
        hint = f" Did you mean '{near[0]}'?" if near else there_are
        return cls(f"There is no {kind} '{name}'{place}.{hint}", kind=kind, name=name)


class AlreadyExists(PenstockError):
    """The name is taken."""

    code, status = "AlreadyExists", 409


class Invalid(PenstockError):
    """The request can't be right, whatever the state of the service."""

    code, status = "Invalid", 400


class InvalidGraph(Invalid):
    """A pipeline that can't run; `problems` lists all that is wrong with it."""

    code = "InvalidGraph"

    def __init__(self, problems: Iterable[str], **details: Any) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems) or "The pipeline is not valid.", problems=self.problems, **details)


class Refused(PenstockError):
    """The request is understood, but not possible in this state."""

    code, status = "Refused", 409


class Unavailable(PenstockError):
    """The service can't be reached, or can't work now (disk full, database from a newer version)."""

    code, status = "Unavailable", 503


class Unsupported(PenstockError):
    """A part of v1 that this version does not have."""

    code, status = "Unsupported", 501


class TooLarge(PenstockError):
    """More bytes or files than a limit allows."""

    code, status = "TooLarge", 413


BY_CODE: dict[str, type[PenstockError]] = {
    kind.code: kind for kind in (PenstockError, NotFound, AlreadyExists, Invalid, Refused, Unavailable, Unsupported, TooLarge)
}


def parse_error(document: dict[str, Any], status: int) -> PenstockError:
    """Return the error that a REST answer describes."""
    body = document.get("error") or {}
    message, details = str(body.get("message") or f"The service answered {status}."), body.get("details") or {}
    if body.get("code") == InvalidGraph.code:
        return InvalidGraph(details.get("problems") or [message])
    kind = BY_CODE.get(str(body.get("code")), PenstockError)
    error = kind(message)
    error.details, error.status = details, status
    return error
