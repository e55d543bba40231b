"""The door over loopback, for those who can't use the home folder's socket. Who has no token learns nothing.

Behind it are rooms, one for each interface: MLflow's, v1's and our own. Each tells of errors in its own words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.operations.tokens import Grant, find_grant
from penstock.service.answers import error_answer
from penstock.service.entrance import GRANT, HINT, Unauthenticated, check_host, find_token
from penstock.service.requests import Service


class Room(Protocol):
    """One interface behind the door."""

    hint: str  # how one gets a token for it

    def enter(self, path: str, grant: Grant) -> dict[str, Any]:
        """Return what of the scope changes on the way in, or raise why there is no way."""
        ...

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the answer that tells of an error before its routes are reached."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...


class Front:
    """The application that answers over loopback.

    Args:
        service: What routes share.
        app: The application behind the socket; our own interface is the same on both ways.
    """

    def __init__(self, service: Service, app: ASGIApp) -> None:
        self._service = service
        # Made when they are first needed: a service that nobody asks so starts the sooner.
        self._builders: dict[str, Callable[[], Room]] = {"mlflow": self._build_mlflow, "pipelines": self._build_v1}
        self._rooms: dict[str, Room] = {}
        self._own = OwnRoom(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        room, request = self._find_room(scope["path"]), Request(scope)
        try:
            check_host(request)
            inner = {**scope, **await self._service.run(self._enter, room, scope["path"], find_token(request))}
        except Exception as error:
            await _ask_for_token(room.refuse(request, error))(scope, receive, send)
            return
        self._service.touch()
        await room(inner, receive, send)
        self._service.touch()

    def _enter(self, room: Room, path: str, token: str) -> dict[str, Any]:
        grant = find_grant(self._service.context, token)
        if grant is None:
            raise Unauthenticated(f"A token is needed here, and this is none, or its time is over. {room.hint}")
        return {GRANT: grant, **room.enter(path, grant)}

    def _find_room(self, path: str) -> Room:
        name = path[1:].partition("/")[0].lower()
        if name not in self._builders:
            return self._own
        if name not in self._rooms:
            self._rooms[name] = self._builders[name]()
        return self._rooms[name]

    def _build_mlflow(self) -> Room:
        from penstock.service.mlflow.front import MlflowRoom

        return MlflowRoom(self._service)

    def _build_v1(self) -> Room:
        from penstock.service.v1.room import V1Room

        return V1Room(self._service)


def _ask_for_token(answer: Response) -> Response:
    if answer.status_code == Unauthenticated.status:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


class OwnRoom:
    """Our own interface, with the errors that it has behind the socket."""

    hint = HINT

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def enter(self, path: str, grant: Grant) -> dict[str, Any]:
        """Let everybody with a token in: each route knows whom it serves."""
        return {}

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return our own answer."""
        return error_answer(error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)
