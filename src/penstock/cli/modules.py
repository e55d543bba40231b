"""`penstock modules`: which steps are shared, what their versions take and give, who ran them; enabling and disabling."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from penstock.cli.progress import Progress
from penstock.cli.published import (
    find,
    format_facts,
    format_made,
    format_value,
    list_everywhere,
    print_history,
    tell_none,
    workspace_column,
)
from penstock.cli.tables import format_table, format_time
from penstock.client import connect
from penstock.model.entity_status import ACTIVE, DEPRECATED, DISABLED
from penstock.model.errors import NotFound

Document = dict[str, Any]

_WORDS = {ACTIVE: "Enabled", DISABLED: "Disabled", DEPRECATED: "Deprecated"}


def do(options: Namespace) -> int:
    """Do what the command line asks of modules; list them when it names no verb."""
    return _VERBS[options.verb or "list"](options)


def _list(options: Namespace) -> int:
    with Progress("asking for the modules"):
        found = list_everywhere(options.workspace, lambda place: connect().list_modules(place, active_only=not options.all))
    found = [item for item in found if options.name in (None, item["name"])]
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format_list(found))
    else:
        print(tell_none("There are no modules. Module.create(workspace, name, description) makes one.", options))
    return 0


def _format_list(found: list[Document]) -> str:
    heads = ["NAME", "STATUS", "DEFAULT", "VERSIONS", "CREATED", "DESCRIPTION"]
    rows = [
        [
            item["name"],
            item["status"],
            item["default_version"] or "",
            ", ".join(version["version"] for version in item["versions"]),
            format_time(item["created_at"]),
            item["description"] or "",
        ]
        for item in found
    ]
    if workspace_column(found):
        heads.insert(0, "WORKSPACE")
        rows = [[item["workspace"], *row] for item, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def _find(options: Namespace) -> Document:
    with Progress("asking for the module"):
        return find("module", options.module, options.workspace, connect().list_modules)


def _find_version(module: Document, version: str) -> Document:
    known: dict[str, Document] = {item["version"]: item for item in module["versions"]}
    if version not in known:
        raise NotFound.named("version", version, known, f"the module '{module['name']}'")
    return known[version]


def _show(options: Namespace) -> int:
    module = _find(options)
    shown = _shown_version(module, options.version)
    if options.json:
        print(json.dumps({**module, "version": shown}, indent=2))
        return 0
    print(format_facts(_facts(module)))
    rows = [
        [item["version"], item["status"], format_made(item), item["category"] or "", item["description"] or ""]
        for item in module["versions"]
    ]
    if rows:
        print("\n" + format_table(["VERSION", "STATUS", "PUBLISHED", "CATEGORY", "DESCRIPTION"], rows))
    if shown:
        print(_format_version(shown))
    return 0


def _shown_version(module: Document, version: str | None) -> Document | None:
    """Return the version whose ports are told: the one asked for, else what a step would take; None where there is none."""
    if version is not None:
        return connect().get_module_version(module["workspace_id"], _find_version(module, version)["id"])
    try:
        return connect().resolve_module_version(module["workspace_id"], module["id"])
    except NotFound:
        return None


def _facts(module: Document) -> Document:
    return {
        "Module": module["name"],
        "Id": module["id"],
        "Workspace": module["workspace"],
        "Status": module["status"],
        "Description": module["description"],
        "Created": format_made(module),
        "Default": module["default_version"],
    }


def _format_version(version: Document) -> str:
    definition = version["definition"]
    head = f"\nVersion {version['version']} runs {definition['script']}."
    rows = [
        *(["input", port["name"], _tell_input(port)] for port in definition.get("inputs", ())),
        *(["output", port["name"], port.get("datastore") or ""] for port in definition.get("outputs", ())),
        *(["parameter", item["name"], _tell_default(item)] for item in definition.get("parameters", ())),
    ]
    return head + ("\n\n" + format_table(["KIND", "NAME", "WHERE NOTHING ELSE IS SAID"], rows) if rows else "")


def _tell_input(port: Document) -> str:
    return " ".join(filter(None, (port.get("mode"), port.get("path_on_compute"), "(may be left out)" if port.get("is_optional") else "")))


def _tell_default(item: Document) -> str:
    return format_value(item["default"]) if "default" in item else "(may be left out)" if item.get("is_optional") else ""


def _set_default(options: Namespace) -> int:
    module = _find(options)
    changed = connect().update_module(module["workspace_id"], module["id"], default_version=options.version)
    line = f"The default version of the module '{changed['name']}' is '{changed['default_version']}'."
    print(json.dumps(changed, indent=2) if options.json else line)
    return 0


def _set_status(options: Namespace, status: str) -> int:
    module = _find(options)
    if options.version is None:
        changed = connect().update_module(module["workspace_id"], module["id"], status=status)
        what = f"the module '{module['name']}'"
    else:
        version = _find_version(module, options.version)
        changed = connect().update_module_version(module["workspace_id"], version["id"], status=status)
        what = f"version '{version['version']}' of the module '{module['name']}'"
    print(json.dumps(changed, indent=2) if options.json else f"{_WORDS[status]} {what}.")
    return 0


def _history(options: Namespace) -> int:
    module = _find(options)
    runs = connect().list_runs_of_module(module["workspace_id"], module["id"], limit=options.limit)
    return print_history(runs, as_json=options.json)


_VERBS = {
    "list": _list,
    "show": _show,
    "set-default": _set_default,
    "enable": lambda options: _set_status(options, ACTIVE),
    "disable": lambda options: _set_status(options, DISABLED),
    "deprecate": lambda options: _set_status(options, DEPRECATED),
    "history": _history,
}
