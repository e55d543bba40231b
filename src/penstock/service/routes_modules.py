"""Routes of modules and their versions: create, publish, find, resolve, describe, enable and disable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import modules
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_MODULES = "/workspaces/{workspace_id}/modules"
_MODULE = _MODULES + "/{module}"
_VERSION = "/workspaces/{workspace_id}/module-versions/{version_id}"


@table.add("POST", _MODULES, Role.CONTRIBUTOR, answer="Module")
def create_module(call: Call) -> Verb:
    """Make a module that has no versions yet."""
    body = call.body
    return partial(
        modules.create_module,
        call.context,
        call.path["workspace_id"],
        body.text("name"),
        description=body.text("description", None),
        request_id=body.text("request_id", None),
    )


@table.add("GET", _MODULES, Role.READER, answer=("Module",))
def list_modules(call: Call) -> Verb:
    """List modules by name, each with its versions."""
    return partial(modules.list_modules, call.context, call.path["workspace_id"], active_only=call.query.flag("active_only"))


@table.add("GET", _MODULE, Role.READER, answer="Module")
def get_module(call: Call) -> Verb:
    """Read a module with its versions, by its id or its name."""
    return partial(modules.get_module, call.context, *_module(call))


@table.add("PATCH", _MODULE, Role.CONTRIBUTOR, answer="Module")
def update_module(call: Call) -> Verb:
    """Rename or describe a module, change its status, or point its default at another version."""
    body = call.body
    wanted = {name: body.text(name, None) for name in ("name", "description", "status", "default_version")}
    return partial(modules.update_module, call.context, *_module(call), **wanted)


@table.add("POST", _MODULE + "/versions", Role.CONTRIBUTOR, answer="ModuleVersion")
def publish_module_version(call: Call) -> Verb:
    """Add a version to a module; it never changes."""
    body = call.body
    wanted = {name: body.text(name, None) for name in ("version", "description", "category", "request_id")}
    return partial(
        modules.publish_version,
        call.context,
        *_module(call),
        body.mapping("definition"),
        is_default=body.flag("is_default"),
        **wanted,
    )


@table.add("GET", _MODULE + "/resolve", Role.READER, answer="ResolvedModuleVersion")
def resolve_module_version(call: Call) -> Verb:
    """Read the version that a step takes: the one asked for, else the default, else the highest."""
    return partial(modules.resolve_version, call.context, *_module(call), call.query.text("version", None))


@table.add("GET", _MODULE + "/runs", Role.READER, answer=("Run",))
def list_module_runs(call: Call) -> Verb:
    """List the pipeline runs that have a step of a module, newest first."""
    return partial(modules.list_runs, call.context, *_module(call), call.query.number("limit"))


@table.add("GET", _VERSION, Role.READER, answer="ModuleVersion")
def get_module_version(call: Call) -> Verb:
    """Read a version of a module with its definition."""
    return partial(modules.get_version, call.context, call.path["workspace_id"], call.path["version_id"])


@table.add("PATCH", _VERSION, Role.CONTRIBUTOR, answer="ModuleVersion")
def update_module_version(call: Call) -> Verb:
    """Describe a version of a module, or change its status."""
    return partial(
        modules.update_version,
        call.context,
        call.path["workspace_id"],
        call.path["version_id"],
        description=call.body.text("description", None),
        status=call.body.text("status", None),
    )


def _module(call: Call) -> tuple[str, str]:
    return call.path["workspace_id"], call.path["module"]
