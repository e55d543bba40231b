"""The room of v1's callers: an address names the workspace by its triple, in any case; the token must open it."""

from __future__ import annotations

import re
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from penstock.model.errors import Invalid, NotFound
from penstock.operations.tokens import Grant
from penstock.operations.workspaces import resolve_workspace
from penstock.service.answers import json_answer
from penstock.service.entrance import GRANT, HINT, Forbidden, role_of
from penstock.service.requests import Service, check_text, drain_body, parse_object, read_body
from penstock.service.routes import Declaration, check_declarations
from penstock.service.v1.answers import v1_error
from penstock.service.v1.description import DESCRIPTION
from penstock.service.v1.members import Members
from penstock.service.v1.routes import V1Call, table

BODY_BYTES = 16 * 1024 * 1024
_WORKSPACE = "penstock.workspace_id"  # where a request's scope says which one it is about
_BELOW_WORKSPACE = re.compile(
    r"/pipelines/v1\.0/subscriptions/([^/]+)/resourceGroups/([^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/([^/]+)(/.+)",
    re.IGNORECASE,
)


class V1Room:
    """v1's interface."""

    hint = HINT

    def __init__(self, service: Service) -> None:
        self._service = service
        self._app = Starlette(
            routes=[
                _AnyCase(item.path, _endpoint(service, item), methods=[item.method]) for item in check_declarations(table.declarations)
            ],
            exception_handlers={HTTPException: _no_route},
        )
        self._app.router.redirect_slashes = False

    def enter(self, path: str, grant: Grant) -> dict[str, Any]:
        """Return what the scope becomes for the routes: the path below the workspace, and the workspace's id.

        Raises:
            NotFound: There is no such address or workspace.
            Forbidden: The token is not one of this workspace.
        """
        if path.lower() == DESCRIPTION:
            return {}
        found = _BELOW_WORKSPACE.fullmatch(path)
        if found is None:
            raise NotFound(f"There is nothing at {path[:200]}. What is published has its address in its property `endpoint`.")
        triple = [check_text(text, "path") for text in found.groups()[:3]]
        rest = found[4]
        return {
            "path": rest,
            "raw_path": rest.encode(errors="replace"),
            "root_path": "",
            _WORKSPACE: self._find_workspace(grant, *triple),
        }

    def _find_workspace(self, grant: Grant, subscription_id: str, resource_group: str, name: str) -> str:
        try:
            found = resolve_workspace(self._service.context, subscription_id, resource_group, name, create=False)["id"]
        except NotFound:
            if grant.is_users:
                raise
            found = ""
        if not grant.opens(found):
            raise Forbidden("The token is not one of this workspace.")
        return str(found)

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return v1's answer."""
        return v1_error(request, error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)


class _AnyCase(Route):
    """A route whose fixed words may come in any case, as callers write them."""

    def __init__(self, path: str, endpoint: Any, methods: list[str]) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def _endpoint(service: Service, route: Declaration) -> Any:
    async def endpoint(request: Request) -> Response:
        places: dict[str, str] = {}
        try:
            _check_permission(request, route)
            data = await read_body(request, BODY_BYTES) if route.takes_json else b""
            return await service.run(_answer, service, route, request, data, places)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # the last place that can turn it into words
            await drain_body(request)
            return v1_error(request, error, places)

    return endpoint


def _check_permission(request: Request, route: Declaration) -> None:
    grant: Grant = request.scope[GRANT]
    role = role_of(grant, request.scope.get(_WORKSPACE, grant.workspace_id))
    if role is None or route.permission is None or role < route.permission:
        raise Forbidden(f"The token does not allow {route.method} {route.path}.")


def _answer(service: Service, route: Declaration, request: Request, data: bytes, places: dict[str, str]) -> Response:
    call = V1Call(
        service.context,
        request.scope.get(_WORKSPACE, ""),
        check_text({name: value.lower() for name, value in request.path_params.items()}, "path"),  # ids, which callers write in any case
        Members(check_text(dict(request.query_params), "query")),
        Members(parse_object(data, "body")),
        request.scope[GRANT].run_id,
        places,
    )
    found = route.handler(call)
    return Response(status_code=200) if found is None else json_answer(found)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:200]}"
    if error.status_code == 404:
        return v1_error(request, NotFound(f"There is no {what} here."))
    wrong = Invalid(f"{what}: {error.detail}.")
    wrong.status = error.status_code
    return v1_error(request, wrong)
