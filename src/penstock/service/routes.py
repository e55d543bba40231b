"""How routes are declared: method, path, permission, and a function that names the verb."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

PREFIX = "/api/v1"
UNSAID = "Anything"  # what a route answers that does not say what it answers

# A plain route checks its request and returns the verb to run, with all of its arguments; the verb runs in a thread.
# An async one does its own work, for it waits or takes bytes in pieces.
Handler = Callable[[Any], Any]


class Role(enum.IntEnum):
    """Who may call a route; each may do what those before it may."""

    READER = 1
    CONTRIBUTOR = 2
    OWNER = 3
    HOME = 4  # who comes through the socket in the home folder, and so could read all that lies there


@dataclass(frozen=True)
class Declaration:
    """One route. Its answer is the name of a schema of `penstock.service.schemas`; ("Run",) is a list of them."""

    method: str
    path: str
    permission: Role | None
    handler: Handler
    takes_json: bool
    answer: str | tuple[str] = UNSAID

    @property
    def is_async(self) -> bool:
        """Whether the handler does its own work."""
        return inspect.iscoroutinefunction(self.handler)


class RouteTable:
    """The routes of one module."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self._prefix = prefix
        self.declarations: list[Declaration] = []

    def add(
        self,
        method: str,
        path: str,
        permission: Role | None = None,
        takes_json: bool | None = None,
        *,
        answer: str | tuple[str] = UNSAID,
    ) -> Callable[[Handler], Handler]:
        """Declare a route.

        What it takes is not said here: the description of the interface (`penstock.service.openapi`) watches what the handler asks of
        its call. So a plain handler only reads its call, and an async one does so first and ends it with `call.reject_others()`.

        Args:
            method: GET, POST ...
            path: Below the table's prefix, with `{names}`.
            permission: Who may call it.
            takes_json: Whether its body is read as JSON; where the method has one, unless this is False.
            answer: What it answers: the name of a schema of `penstock.service.schemas`, or `("Run",)` for a list of them.
        """
        reads = takes_json if takes_json is not None else method in ("POST", "PUT", "PATCH")

        def declare(handler: Handler) -> Handler:
            self.declarations.append(Declaration(method, self._prefix + path, permission, handler, reads, answer))
            return handler

        return declare


def check_declarations(declarations: Iterable[Declaration]) -> list[Declaration]:
    """Return the routes as they are.

    Raises:
        ValueError: One states no permission, or two are the same.
    """
    found: dict[tuple[str, str], Declaration] = {}
    for item in declarations:
        if not isinstance(item.permission, Role):
            raise ValueError(f"The route {item.method} {item.path} states no permission.")
        if (item.method, item.path) in found:
            raise ValueError(f"The route {item.method} {item.path} is declared twice.")
        found[item.method, item.path] = item
    return list(found.values())
