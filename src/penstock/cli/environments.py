"""`penstock environments`: what was built, its logs, and the room it takes."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from penstock.cli.datasets import list_workspaces
from penstock.cli.progress import Progress
from penstock.cli.tables import format_duration, format_table, format_time, now, parse_time
from penstock.client import connect
from penstock.model.errors import Invalid, NotFound, Refused

Document = dict[str, Any]

SHORT = 12
LOOK_SECONDS = 0.5  # a log is a file, and a build's row tells nobody when it changes: both are looked at
_UNDER_WAY = ("Queued", "Running")


def do(options: argparse.Namespace) -> int:
    """Do what `penstock environments` was asked for; without a verb, list."""
    return _VERBS[options.verb or "list"](options)


def _list(options: argparse.Namespace) -> int:
    with Progress("asking for the built environments"):
        found = connect().list_environment_builds()
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format(found))
    else:
        print("No environment has been built. One is built when a step asks for packages or a Python that its submitter lacks.")
    return 0


def _format(found: list[Document]) -> str:
    rows = [
        [item["key"][:SHORT], item["status"], _duration(item), str(item["steps"]), format_time(item["used_at"]), tell_content(item)]
        for item in found
    ]
    return format_table(["KEY", "STATUS", "BUILT IN", "STEPS", "LAST USED", "CONTENT"], rows)


def _duration(build: Document) -> str:
    return format_duration(build["started_at"], build["ended_at"])


def tell_content(build: Document) -> str:
    """Return what an environment holds, in one line: its Python and its requirements."""
    about = build["specification"]
    return " ".join([str(about.get("python") or ""), *(str(line) for line in about.get("requirements") or ())]).strip()


def _show(options: argparse.Namespace) -> int:
    build = connect().get_environment_build(options.key)
    if options.json:
        print(json.dumps(build, indent=2))
        return 0
    lines = [
        f"Environment {build['key']}",
        f"status       {build['status']}",
        f"asked for    {format_time(build['requested_at'])}",
        f"built in     {_duration(build)}",
        f"interpreter  {build['interpreter'] or ''}",
        f"steps        {build['steps']}",
        f"last used    {format_time(build['used_at'])}",
        *_tell_specification(build["specification"]),
        *(f"note         {text}" for text in build["notes"]),
        *([f"error        {build['error']}"] if build["error"] else []),
    ]
    print("\n".join(line.rstrip() for line in lines))
    return 0


def _tell_specification(specification: Document) -> list[str]:
    lines = []
    for name, value in specification.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"{name:<12} {item}" for item in values if item not in (None, "")]
    return lines


def _build(options: argparse.Namespace) -> int:
    client, workspace = connect(), _workspace_of(options.name, options.workspace)
    request = client.request_environment_build(workspace["id"], options.name, options.version, interpreter=sys.executable)
    shown = 0
    while True:
        request = client.get_environment_request(request["id"])
        shown += _print_bytes(client.read_environment_request_log(request["id"], shown))
        if request["status"] not in _UNDER_WAY:
            break
        time.sleep(LOOK_SECONDS)
    if request["status"] != "Succeeded":
        raise Refused(f"The environment '{options.name}' could not be built. {request['error']}")
    for text in request["notes"]:
        print(f"Note: {text}")
    print(f"Environment '{request['name']}' version {request['version']} is ready: {request['python']}, {request['chosen_interpreter']}")
    return 0


def _workspace_of(name: str, workspace: str | None) -> Document:
    """Return the workspace that has an environment of this name."""
    client, workspaces = connect(), list_workspaces(workspace)
    known = {item["id"]: [found["name"] for found in client.list_environments(item["id"])] for item in workspaces}
    fitting = [item for item in workspaces if name in known[item["id"]]]
    if not fitting:
        raise NotFound.named("environment", name, {found for names in known.values() for found in names}, "these workspaces")
    if len(fitting) > 1:
        names = ", ".join(item["name"] for item in fitting)
        raise Invalid(f"Several workspaces have an environment '{name}': {names}. Name one with --workspace.")
    return fitting[0]


def _log(options: argparse.Namespace) -> int:
    client, shown = connect(), 0
    while True:
        build = client.get_environment_build(options.key)
        shown += _print_bytes(client.read_environment_log(build["key"], shown))
        if not options.follow or build["status"] not in _UNDER_WAY:
            return 0
        time.sleep(LOOK_SECONDS)


def _print_bytes(data: bytes) -> int:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
    return len(data)


def _clean(options: argparse.Namespace) -> int:
    """Remove the environments that were named, or those that nobody used lately."""
    client = connect()
    doomed = [client.get_environment_build(key) for key in options.keys] or [
        build for build in client.list_environment_builds() if _is_old(build, timedelta(days=options.days))
    ]
    for build in doomed:
        client.remove_environment_build(build["key"])
        print(f"Removed {build['key'][:SHORT]}  {tell_content(build)}".rstrip())
    if not doomed:
        print(f"Nothing to remove: every built environment was used within {options.days} days.")
    return 0


def _is_old(build: Document, age: timedelta) -> bool:
    if build["status"] in _UNDER_WAY:
        return False
    used_at = parse_time(build["used_at"] or build["ended_at"] or build["requested_at"])
    return used_at is not None and now() - used_at > age


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {"list": _list, "show": _show, "build": _build, "log": _log, "clean": _clean}
