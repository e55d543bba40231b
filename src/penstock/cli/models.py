"""`penstock models`: which models are registered, what one is, its files; and deleting a version."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from typing import Any

from penstock.cli.datasets import list_workspaces
from penstock.cli.progress import Progress
from penstock.cli.runs import short_ids
from penstock.cli.tables import format_table, format_time
from penstock.client import connect
from penstock.model.errors import AlreadyExists, Invalid, NotFound

Document = dict[str, Any]

_UNITS = ("B", "kB", "MB", "GB", "TB")


def do(options: Namespace) -> int:
    """Do what the command line asks of models; list them when it names no verb."""
    return {None: print_models, "list": print_models, "show": print_model, "download": download, "delete": delete}[options.verb](options)


# Listing


def print_models(options: Namespace) -> int:
    """Print the newest version of each model by name, or all versions, newest first."""
    tags = {name: value if given else None for name, given, value in (text.partition("=") for text in options.tag or ())}
    with Progress("asking for the models"):
        found = [
            {**model, "workspace": item["name"], "workspace_id": item["id"]}
            for item in list_workspaces(options.workspace)
            for model in connect().list_models(item["id"], name=options.name, tags=tags or None, latest=not options.all)
        ]
    if not options.all:
        found.sort(key=lambda model: model["name"])
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format_list(found))
    else:
        print("No such model is registered." if options.name or tags else "No models are registered. Model.register(...) registers one.")
    return 0


def _format_list(found: list[Document]) -> str:
    heads = ["NAME", "VERSION", "CREATED", "SIZE", "FRAMEWORK", "RUN", "TAGS"]
    shown = short_ids([model["run_id"] for model in found if model["run_id"]])
    rows = [
        [
            model["name"],
            str(model["version"]),
            format_time(model["created_at"]),
            format_size(model["size"]),
            " ".join(filter(None, (model["framework"], model["framework_version"]))),
            shown.get(model["run_id"], ""),
            _format_pairs(model["tags"]),
        ]
        for model in found
    ]
    if len({model["workspace_id"] for model in found}) > 1:
        heads.insert(0, "WORKSPACE")
        rows = [[model["workspace"], *row] for model, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def _format_pairs(pairs: Document) -> str:
    return ", ".join(key if value is None else f"{key}={value}" for key, value in pairs.items())


def format_size(size: int) -> str:
    """Return a number of bytes as a person says it: 12 B, 3.4 MB."""
    number, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == _UNITS[0] else f"{number:.1f} {unit}"


# One model


def find_model(text: str, workspace: str | None) -> tuple[Document, Document]:
    """Return the workspace and the model that NAME or NAME:VERSION means; the newest version where none is named.

    Raises:
        NotFound: There is none; the message gives the nearest.
        Invalid: Models of several workspaces have this name.
    """
    name, _, version = text.partition(":")
    if not name:
        raise Invalid(f"'{text}' names no model: give NAME or NAME:VERSION.")
    found, missing = [], NotFound.named("model", text)
    for item in list_workspaces(workspace):
        try:
            found.append((item, connect().get_model(item["id"], name, version or None)))
        except NotFound as error:
            missing = error
    if not found:
        raise missing
    if len(found) > 1:
        names = ", ".join(item["name"] for item, _ in found)
        raise Invalid(f"Models in several workspaces have the name '{text}': {names}. Choose one with --workspace NAME.")
    return found[0]


def print_model(options: Namespace) -> int:
    """Print what is known of one version of a model, and its files."""
    with Progress("asking for the model"):
        workspace, model = find_model(options.model, options.workspace)
    if options.json:
        print(json.dumps({**model, "workspace": workspace["name"], "workspace_id": workspace["id"]}, indent=2))
        return 0
    facts = {
        "Model": f"{model['name']}:{model['version']}",
        "Workspace": workspace["name"],
        "Description": model["description"],
        "Created": " by ".join(filter(None, (format_time(model["created_at"]), model["created_by"]))),
        "Run": " of ".join(filter(None, (model["run_id"], model["experiment_name"]))),
        "Framework": " ".join(filter(None, (model["framework"], model["framework_version"]))),
        "Tags": _format_pairs(model["tags"]),
        "Properties": _format_pairs(model["properties"]),
        "Size": f"{format_size(model['size'])} in {model['file_count']} {'file' if model['file_count'] == 1 else 'files'}",
    }
    print("\n".join(f"{name + ':':13}{value}" for name, value in facts.items() if value))
    print("\n" + format_table(["FILE", "SIZE"], [[path, format_size(size)] for path, size, _ in model["files"]]))
    return 0


def download(options: Namespace) -> int:
    """Fetch the files of one version of a model into a folder."""
    workspace, model = find_model(options.model, options.workspace)
    folder = os.path.abspath(options.folder)
    targets = {path: os.path.join(folder, path) for path, _, _ in model["files"]}
    there = next((target for target in targets.values() if os.path.lexists(target)), None)
    if there is not None and not options.force:
        raise AlreadyExists(f"{there} exists; nothing was fetched. Name another folder, or replace what is there with --force.")
    with Progress(f"fetching {format_size(model['size'])}"):
        for path, target in targets.items():
            connect().download_model_file(workspace["id"], model["name"], model["version"], path, target)
    told = {"model": f"{model['name']}:{model['version']}", "folder": folder, "files": list(targets)}
    print(json.dumps(told, indent=2) if options.json else f"Fetched {told['model']} into {folder}: {', '.join(_tops(targets))}.")
    return 0


def _tops(paths: Any) -> list[str]:
    return list(dict.fromkeys(path.split("/")[0] for path in paths))


def delete(options: Namespace) -> int:
    """Forget one version of a model, which must be named with it."""
    workspace, model = find_model(options.model, options.workspace)
    named = f"{model['name']}:{model['version']}"
    if ":" not in options.model:
        raise Invalid(f"Name the version that is to be deleted; the newest is {named}. 'penstock models list --all' lists all.")
    connect().delete_model(workspace["id"], model["name"], model["version"])
    print(json.dumps({"deleted": named, "workspace": workspace["name"]}, indent=2) if options.json else f"Deleted {named}.")
    return 0
