"""Routes of a workspace's key vault."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import keyvault
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_SECRETS = "/workspaces/{workspace_id}/secrets"


@table.add("GET", _SECRETS, Role.READER, answer=("Secret",))
def list_secrets(call: Call) -> Verb:
    """List the names of secrets."""
    return partial(keyvault.list_secrets, call.context, call.path["workspace_id"])


@table.add("PUT", _SECRETS, Role.CONTRIBUTOR, answer="Nothing")
def set_secrets(call: Call) -> Verb:
    """Keep secrets."""
    wanted = call.body.mapping("secrets"), call.body.text("content_type", None)
    return partial(keyvault.set_secrets, call.context, call.path["workspace_id"], *wanted)


@table.add("POST", _SECRETS + "/read", Role.CONTRIBUTOR, answer="SecretValues")
def get_secrets(call: Call) -> Verb:
    """Read several secrets."""
    return partial(keyvault.get_secrets, call.context, call.path["workspace_id"], call.body.texts("names"))


@table.add("GET", _SECRETS + "/{name}", Role.CONTRIBUTOR, answer="SecretValue")
def get_secret(call: Call) -> Verb:
    """Read a secret."""
    return partial(keyvault.get_secret, call.context, call.path["workspace_id"], call.path["name"])


@table.add("DELETE", _SECRETS + "/{name}", Role.CONTRIBUTOR, answer="Nothing")
def delete_secret(call: Call) -> Verb:
    """Forget a secret."""
    return partial(keyvault.delete_secret, call.context, call.path["workspace_id"], call.path["name"])
