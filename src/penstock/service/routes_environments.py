"""Routes of environments that are built: asking for a build, its log, and what has been built so far."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import environment_builds, environment_requests
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_OF_ONE = "/workspaces/{workspace_id}/environments/{name}/builds"


@table.add("POST", _OF_ONE, Role.CONTRIBUTOR, answer="EnvironmentRequest")
def request_build(call: Call) -> Verb:
    """Ask for a registered environment to be built."""
    return partial(
        environment_requests.request_build,
        call.context,
        call.path["workspace_id"],
        call.path["name"],
        version=call.body.text("version", None),
        interpreter=call.body.text("interpreter", None),
        request_id=call.body.text("request_id", None),
    )


@table.add("GET", _OF_ONE, Role.READER, answer=("EnvironmentRequest",))
def list_requests(call: Call) -> Verb:
    """List what was asked to be built of an environment, the newest first."""
    return partial(
        environment_requests.list_requests, call.context, call.path["workspace_id"], call.path["name"], call.query.text("version", None)
    )


@table.add("GET", "/environment-requests/{request_id}", Role.READER, answer="EnvironmentRequest")
def get_request(call: Call) -> Verb:
    """Read what became of a request to build an environment."""
    return partial(environment_requests.get_request, call.context, call.path["request_id"])


@table.add("GET", "/environment-requests/{request_id}/log", Role.READER, answer="Bytes")
def read_request_log(call: Call) -> Verb:
    """Read the log of the build that serves a request, from an offset on."""
    return partial(environment_requests.open_request_log, call.context, call.path["request_id"], call.query.number("offset", 0))


@table.add("GET", "/environment-builds", Role.READER, answer=("EnvironmentBuild",))
def list_builds(call: Call) -> Verb:
    """List the environments that were built, the newest first."""
    return partial(environment_builds.list_builds, call.context)


@table.add("GET", "/environment-builds/{key}", Role.READER, answer="EnvironmentBuild")
def get_build(call: Call) -> Verb:
    """Read a build; the beginning of its key is enough."""
    return partial(environment_builds.get_build, call.context, call.path["key"])


@table.add("GET", "/environment-builds/{key}/log", Role.READER, answer="Bytes")
def read_log(call: Call) -> Verb:
    """Read the log of a build, from an offset on."""
    return partial(environment_builds.open_log, call.context, call.path["key"], call.query.number("offset", 0))


@table.add("DELETE", "/environment-builds/{key}", Role.CONTRIBUTOR, answer="EnvironmentBuild")
def remove_build(call: Call) -> Verb:
    """Remove a built environment."""
    return partial(environment_builds.remove_build, call.context, call.path["key"])
