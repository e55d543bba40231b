"""`penstock endpoints`: which pipeline endpoints there are, their versions and runs; running, switching, enabling and disabling one."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from penstock.cli.progress import Progress
from penstock.cli.published import (
    find,
    format_facts,
    format_made,
    list_everywhere,
    print_history,
    tell_none,
    tell_submitted,
    wanted_run,
    workspace_column,
)
from penstock.cli.runs import short_ids
from penstock.cli.tables import format_table, format_time
from penstock.client import connect
from penstock.model.entity_status import ACTIVE, DISABLED
from penstock.model.errors import NotFound

Document = dict[str, Any]

KIND = "pipeline endpoint"


def do(options: Namespace) -> int:
    """Do what the command line asks of pipeline endpoints; list them when it names no verb."""
    return _VERBS[options.verb or "list"](options)


def _list(options: Namespace) -> int:
    with Progress("asking for the pipeline endpoints"):
        found = list_everywhere(
            options.workspace, lambda place: connect().list_pipeline_endpoints(place, active_only=not options.all, name=options.name)
        )
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format_list(found))
    else:
        print(tell_none("There are no pipeline endpoints; PipelineEndpoint.publish(...) makes one.", options))
    return 0


def _format_list(found: list[Document]) -> str:
    heads = ["ID", "NAME", "STATUS", "VERSIONS", "DEFAULT", "CREATED", "DESCRIPTION"]
    shown = short_ids([item["id"] for item in found])
    rows = [
        [
            shown[item["id"]],
            item["name"],
            item["status"],
            str(len(item["versions"])),
            item["default_version"],
            format_time(item["created_at"]),
            item["description"] or "",
        ]
        for item in found
    ]
    if workspace_column(found):
        heads.insert(0, "WORKSPACE")
        rows = [[item["workspace"], *row] for item, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def find_endpoint(text: str, workspace: str | None) -> Document:
    """Return the endpoint that an id, the beginning of one, or a name means.

    Raises:
        NotFound: There is none; the message gives the nearest name.
        Invalid: It could be several.
    """
    with Progress("asking for the endpoint"):
        return find(KIND, text, workspace, connect().list_pipeline_endpoints)


def _show(options: Namespace) -> int:
    endpoint = find_endpoint(options.endpoint, options.workspace)
    versions = _read_versions(endpoint)
    address = connect().rest_address(endpoint["workspace_id"], "endpoint", endpoint["id"]) if options.address else None
    if options.json:
        print(json.dumps({**endpoint, "versions": versions, **({"address": address} if address else {})}, indent=2))
        return 0
    facts = {
        "Endpoint": endpoint["name"],
        "Id": endpoint["id"],
        "Workspace": endpoint["workspace"],
        "Status": endpoint["status"],
        "Description": endpoint["description"],
        "Made": format_made(endpoint),
        "Address": address,
    }
    print(f"{format_facts(facts)}\n\n{_format_versions(endpoint, versions)}")
    return 0


def _versions(options: Namespace) -> int:
    endpoint = find_endpoint(options.endpoint, options.workspace)
    versions = _read_versions(endpoint)
    print(json.dumps(versions, indent=2) if options.json else _format_versions(endpoint, versions))
    return 0


def _read_versions(endpoint: Document) -> list[Document]:
    """Return the versions of an endpoint with their pipelines, in the order of their numbers."""
    client, place = connect(), endpoint["workspace_id"]
    return [{"version": item["version"], "pipeline": client.get_pipeline(place, item["pipeline_id"])} for item in endpoint["versions"]]


def _format_versions(endpoint: Document, versions: list[Document]) -> str:
    rows = [
        [
            item["version"],
            "default" if item["version"] == endpoint["default_version"] else "",
            item["pipeline"]["id"],
            item["pipeline"]["name"],
            item["pipeline"]["status"],
            format_time(item["pipeline"]["created_at"]),
        ]
        for item in versions
    ]
    return format_table(["VERSION", "", "PIPELINE", "NAME", "STATUS", "PUBLISHED"], rows)


def _submit(options: Namespace) -> int:
    endpoint = find_endpoint(options.endpoint, options.workspace)
    place, version = endpoint["workspace_id"], options.version or endpoint["default_version"]
    pipelines = {item["version"]: item["pipeline_id"] for item in endpoint["versions"]}
    if version not in pipelines:
        raise NotFound.named("version", version, pipelines, f"the pipeline endpoint '{endpoint['name']}'")
    wanted = wanted_run(options, connect().get_pipeline(place, pipelines[version]))
    return tell_submitted(connect().submit_pipeline_endpoint(place, endpoint["id"], wanted, options.version), options)


def _set_default(options: Namespace) -> int:
    endpoint = find_endpoint(options.endpoint, options.workspace)
    changed = connect().set_default_pipeline_version(endpoint["workspace_id"], endpoint["id"], version=options.version)
    line = f"Version {changed['default_version']} of '{changed['name']}' now runs when none is named."
    print(json.dumps(changed, indent=2) if options.json else line)
    return 0


def _enable(options: Namespace) -> int:
    return _set_status(options, ACTIVE, "Enabled")


def _disable(options: Namespace) -> int:
    return _set_status(options, DISABLED, "Disabled")


def _set_status(options: Namespace, status: str, word: str) -> int:
    endpoint = find_endpoint(options.endpoint, options.workspace)
    changed = connect().update_pipeline_endpoint(endpoint["workspace_id"], endpoint["id"], status=status)
    print(json.dumps(changed, indent=2) if options.json else f"{word} the pipeline endpoint '{changed['name']}' ({changed['id']}).")
    return 0


def _history(options: Namespace) -> int:
    endpoint = find_endpoint(options.endpoint, options.workspace)
    runs = connect().list_runs_of_pipeline_endpoint(endpoint["workspace_id"], endpoint["id"], limit=options.limit)
    return print_history(runs, as_json=options.json)


_VERBS = {
    "list": _list,
    "show": _show,
    "submit": _submit,
    "versions": _versions,
    "set-default": _set_default,
    "enable": _enable,
    "disable": _disable,
    "history": _history,
}
