"""The room of MLflow's clients: who comes over loopback, asks for one workspace and has a token that opens it."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, Refused, TooLarge, Unavailable, Unsupported
from penstock.operations.mlflow.artifacts import Client, IncomingArtifact
from penstock.operations.tokens import Grant
from penstock.operations.workspaces import get_workspace
from penstock.service.answers import error_answer, file_answer, json_answer
from penstock.service.entrance import GRANT, Forbidden, Unauthenticated
from penstock.service.mlflow.asked import Asked
from penstock.service.mlflow.routes import MlflowCall, table
from penstock.service.requests import Service, check_text, drain_body, parse_object, read_body
from penstock.service.routes import Declaration, Role, check_declarations
from penstock.storage.files import OpenFile

PREFIX = "/mlflow/"
BODY_BYTES = 16 * 1024 * 1024  # MLflow's own server takes 1 MiB in a batch; descriptions of datasets are longer
_ROLE = Role.CONTRIBUTOR  # what every token gives here
_PREVIEW = re.compile(r"^/api/2\.0/preview/mlflow/")

# Error -> MLflow's word for it and the status that goes with it. Clients try again at 408, 429 and 500 to 504 only.
_ERRORS: dict[type[PenstockError], tuple[str, int]] = {
    Unauthenticated: ("UNAUTHENTICATED", 401),
    Forbidden: ("PERMISSION_DENIED", 403),
    NotFound: ("RESOURCE_DOES_NOT_EXIST", 404),
    AlreadyExists: ("RESOURCE_ALREADY_EXISTS", 400),
    Invalid: ("INVALID_PARAMETER_VALUE", 400),
    Refused: ("INVALID_STATE", 409),
    TooLarge: ("REQUEST_LIMIT_EXCEEDED", 413),
    Unavailable: ("TEMPORARILY_UNAVAILABLE", 503),
    Unsupported: ("NOT_IMPLEMENTED", 501),
}


class MlflowRoom:
    """MLflow's interface, a workspace at a time."""

    hint = "Ask for another address: workspace.get_mlflow_tracking_uri()."

    def __init__(self, service: Service) -> None:
        declared = check_declarations(table.declarations)
        self._service = service
        self._app = Starlette(
            routes=[Route(item.path, _endpoint(service, item), methods=[item.method]) for item in declared],
            exception_handlers={HTTPException: _no_route},
        )
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    def enter(self, path: str, grant: Grant) -> dict[str, Any]:
        """Return what the scope becomes for the routes: the path below the workspace, and what is granted there.

        Raises:
            Forbidden: The token is not one of this workspace.
            NotFound: There is no such workspace.
        """
        asked, slash, rest = path[len(PREFIX) :].partition("/") if path.startswith(PREFIX) else ("", "", "")
        if not grant.opens(asked):
            raise Forbidden("The token is not one of this workspace.")
        if grant.is_users:
            get_workspace(self._service.context, asked)
        rest = _PREVIEW.sub("/api/2.0/mlflow/", f"{slash}{rest}")
        return {"path": rest, "raw_path": rest.encode(), "root_path": "", GRANT: Grant(asked, grant.run_id)}

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return MLflow's answer."""
        return _error(error)


# Routes


def _endpoint(service: Service, route: Declaration) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            _check_permission(route)
            return await _answer(service, route, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # the last place that can turn it into words
            await drain_body(request)
            return _error(error)

    return endpoint


def _check_permission(route: Declaration) -> None:
    if route.permission is None or route.permission > _ROLE:
        raise Forbidden(f"A token can't do {route.method} {route.path}.")


async def _answer(service: Service, route: Declaration, request: Request) -> Response:
    data = b"" if route.method == "PUT" else await read_body(request, BODY_BYTES)
    result = await service.run(_run_verb, service, route, request, data)
    if isinstance(result, IncomingArtifact):
        await _take(service, request, result)
        result = None
    return await service.run(_result_answer, service, result)


def _run_verb(service: Service, route: Declaration, request: Request, data: bytes) -> Any:
    query: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        query[name] = [*query[name], value] if isinstance(query.get(name), list) else [query[name], value] if name in query else value
    values = {**check_text(query, "query"), **parse_object(data, "body")}
    client = Client.parse(request.headers.get("user-agent", ""))
    path = check_text(dict(request.path_params), "path")
    return route.handler(MlflowCall(service.context, request.scope[GRANT], client, Asked(values), path))()


async def _take(service: Service, request: Request, incoming: IncomingArtifact) -> None:
    with incoming:
        async for chunk in request.stream():
            await service.run(incoming.write, chunk)
        await service.run(incoming.finish)


def _result_answer(service: Service, result: Any) -> Response:
    if isinstance(result, OpenFile):
        return file_answer(result, service.pool)
    return json_answer({} if result is None else result)


# Errors


def _error(error: Exception) -> Response:
    for kind, (word, status) in _ERRORS.items():
        if isinstance(error, kind):
            return _words(word, error.message, status)
    told = json.loads(bytes(error_answer(error).body))["error"]["message"]  # it is in the log, under a name
    return _words("INTERNAL_ERROR", told, 500)


def _words(word: str, message: str, status: int) -> Response:
    return json_answer({"error_code": word, "message": message}, status)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:200]}"
    return _words("ENDPOINT_NOT_FOUND", f"This tracking server has no {what}.", error.status_code)
