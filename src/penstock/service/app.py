"""The REST interface: declared routes, permissions, answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.model.errors import Invalid, NotFound
from penstock.operations.context import Context
from penstock.operations.tokens import Grant
from penstock.operations.transfers import Transfers
from penstock.service import (
    routes_addresses,
    routes_datasets,
    routes_drafts,
    routes_environments,
    routes_events,
    routes_files,
    routes_keyvault,
    routes_mlflow,
    routes_models,
    routes_modules,
    routes_pipelines,
    routes_runs,
    routes_schedules,
    routes_service,
    routes_transfers,
    routes_workspaces,
)
from penstock.service.answers import error_answer, file_answer, json_answer
from penstock.service.bulletin import Bulletin
from penstock.service.entrance import GRANT, Forbidden, find_role
from penstock.service.requests import Service, drain_body, make_call, read_body
from penstock.service.routes import Declaration, Role, check_declarations
from penstock.storage.files import OpenFile

TABLES = (
    routes_service.table,
    routes_addresses.table,
    routes_workspaces.table,
    routes_runs.table,
    routes_schedules.table,
    routes_files.table,
    routes_datasets.table,
    routes_drafts.table,
    routes_environments.table,
    routes_events.table,
    routes_keyvault.table,
    routes_mlflow.table,
    routes_models.table,
    routes_modules.table,
    routes_pipelines.table,
    routes_transfers.table,
)
_THREADS = 6  # each keeps a reading connection with its cache


def create_app(
    context: Context,
    *,
    info: Callable[[], dict[str, Any]],
    stop: Callable[[], None],
    touch: Callable[[], None],
    stay: Callable[[str], None] = lambda reason: None,
    bulletin: Bulletin | None = None,
) -> Starlette:
    """Return the service's application.

    Args:
        context: The surroundings of the verbs.
        info: What GET /service answers.
        stop: Called when a client asks the service to leave; it leaves after the answer.
        touch: Called whenever somebody asks, sends or waits for something.
        stay: Called with the reason when others rely on the service being there, though nobody asks just now.
        bulletin: Where the engine and the verbs announce news.

    Raises:
        ValueError: A route states no permission.
    """
    service = Service(context, ThreadPoolExecutor(_THREADS, "verb"), bulletin or Bulletin(), Transfers(context), info, stop, touch, stay)
    declared = check_declarations(item for table in TABLES for item in table.declarations)
    app = Starlette(
        routes=[Route(item.path, _endpoint(service, item), methods=[item.method]) for item in declared],
        exception_handlers={HTTPException: _no_route, Exception: _broken},
    )
    app.router.redirect_slashes = False  # a wrong path is an error, not a hint
    app.add_middleware(_Touching, touch=touch)
    app.add_middleware(_Doors, service=service)
    return app


def _endpoint(service: Service, route: Declaration) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            _authorise(request.scope, route)
            return await _answer(service, route, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # the last place that can turn it into words
            if GRANT in request.scope:  # our own client reads an answer that comes before it has sent everything; others may not
                await drain_body(request)
            return error_answer(error)

    return endpoint


async def _answer(service: Service, route: Declaration, request: Request) -> Response:
    """Read what was sent, do it, and answer. Bodies and answers may be large: they become values and text in the threads of verbs."""
    data = await read_body(request) if route.takes_json else b""
    if route.is_async:
        call = await service.run(make_call, service, request, data)
        return await service.run(_result_answer, service, await route.handler(call))
    return await service.run(_run_verb, service, route, request, data)


def _run_verb(service: Service, route: Declaration, request: Request, data: bytes) -> Response:
    call = make_call(service, request, data)
    verb = route.handler(call)
    call.reject_others()
    return _result_answer(service, verb())


def _result_answer(service: Service, result: Any) -> Response:
    if isinstance(result, OpenFile):
        return file_answer(result, service.pool)
    if isinstance(result, Response):  # a stream
        return result
    return json_answer({} if result is None else result)


def _authorise(scope: Scope, route: Declaration) -> None:
    role = find_role(scope)
    if role is None or route.permission is None or role < route.permission:
        needed = route.permission.name.lower() if route.permission else "none"
        hint = " It answers through the socket in the home folder only." if route.permission is Role.HOME else _hint(scope.get(GRANT))
        raise Forbidden(f"{route.method} {route.path} needs the role {needed}.{hint}")


def _hint(grant: Grant | None) -> str:
    if grant is None or grant.is_users:
        return ""
    return f" The token makes a contributor, and of the workspace {grant.workspace_id} only: below its path. Send the user's token."


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:200]}"
    if error.status_code == 404:
        return error_answer(NotFound(f"There is no route {what}."))
    answer = error_answer(Invalid(f"{what}: {error.detail}."))
    answer.status_code = error.status_code
    return answer


async def _broken(request: Request, error: Exception) -> Response:
    return error_answer(error)


class _Doors:
    """Lets those in who come through the socket's file; who comes another way gets to the front, where a token is asked for."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._front: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        is_socket = server is not None and server[1] is None
        await (self._app if is_socket else self._find_front())(scope, receive, send)

    def _find_front(self) -> ASGIApp:
        """Return the front, made when it is first needed: a service that nobody asks so starts the sooner."""
        if self._front is None:
            from penstock.service.front import Front

            self._front = Front(self._service, self._app)
        return self._front


class _Touching:
    """Tells the idle clock of every message that goes either way."""

    def __init__(self, app: ASGIApp, touch: Callable[[], None]) -> None:
        self._app, self._touch = app, touch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def touching_receive() -> Message:
            self._touch()
            return await receive()

        async def touching_send(message: Message) -> None:
            self._touch()
            await send(message)

        self._touch()
        await self._app(scope, touching_receive, touching_send)
