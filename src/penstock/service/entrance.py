"""Who comes in over loopback: by what name the service is called, with what token, and what that allows.

A web page in a browser can reach loopback too, and by a name of its own; so the Host must be loopback's.
"""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request
from starlette.types import Scope

from penstock.model.errors import PenstockError
from penstock.operations.tokens import Grant
from penstock.service.routes import Role

GRANT = "penstock.grant"  # where a request's scope says what its token opens
HINT = "Send the header that InteractiveLoginAuthentication().get_authentication_header() of azureml.core.authentication gives."
_HOSTS = {"127.0.0.1", "localhost"}


class Unauthenticated(PenstockError):
    """Nobody knows who asks."""

    code, status = "Unauthenticated", 401


class Forbidden(PenstockError):
    """The caller may not do this."""

    code, status = "Forbidden", 403


def check_host(request: Request) -> None:
    """Do nothing for a request that calls the service by loopback's names; raise Forbidden for others."""
    name, _, port = request.headers.get("host", "").partition(":")
    if name.lower() not in _HOSTS or (port and not port.isdigit()):
        raise Forbidden("This service answers to the names 127.0.0.1 and localhost only.")


def find_token(request: Request) -> str:
    """Return the token of a request: a bearer's, or the password that stands in an address. '' when it has none."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def find_role(scope: Scope) -> Role | None:
    """Return what a request may do where it goes; None for nothing.

    The owner of the Unix socket may do everything, for nobody else can open it. The user's token makes an owner; that of a workspace or a
    run makes a contributor, in its workspace, where the path names that.
    """
    server, grant = scope.get("server"), scope.get(GRANT)
    if server and server[1] is None:
        return Role.HOME
    if grant is None:
        return None
    workspace_id = scope.get("path_params", {}).get("workspace_id")
    return role_of(grant, workspace_id) if grant.is_users or workspace_id else None


def role_of(grant: Grant, workspace_id: str) -> Role | None:
    """Return what a token allows in a workspace; None for nothing."""
    if grant.is_users:
        return Role.OWNER
    return Role.CONTRIBUTOR if grant.opens(workspace_id) else None
