"""Routes by which our own client learns where others find what is published."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import addresses, tokens
from penstock.service.requests import Call, Service
from penstock.service.routes import Role, RouteTable

table = RouteTable()
_REASON = "programs may call it over REST"


@table.add("GET", "/workspaces/{workspace_id}/addresses/{kind}/{subject}", Role.CONTRIBUTOR, answer="Address")
def get_rest_address(call: Call) -> Callable[[], Any]:
    """Read where programs start a pipeline or an endpoint; from then on the service stays until it is stopped."""
    asked = (call.path["workspace_id"], call.path["kind"], call.path["subject"], call.query.text("version", None))
    return partial(_give_address, call.service, asked)


def _give_address(service: Service, asked: tuple[str, str, str, str | None]) -> dict[str, str]:
    """Return an address, and see to it that somebody answers there.

    Raises:
        Invalid: There is no such kind, or the version is no number.
        NotFound: The workspace has no such thing.
        Unavailable: The service can't listen on this machine's own address; the message says why.
    """
    found = addresses.get_address(service.context, *asked)
    service.stay(_REASON)
    return found


@table.add("GET", "/service/token", Role.HOME, answer="Token")
def get_user_token(call: Call) -> Callable[[], Any]:
    """Read the user's token for calls over loopback, and the second at which it ends. A script says which run it belongs to."""
    return partial(tokens.user_token, call.context, call.query.text("run_id", None))
