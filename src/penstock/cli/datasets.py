"""`penstock datasets`: what is registered, and where it lies."""

from __future__ import annotations

import json
from typing import Any

from penstock.cli.progress import Progress
from penstock.cli.tables import format_table, format_time
from penstock.client import connect
from penstock.model.datasets import list_places
from penstock.model.errors import NotFound

Document = dict[str, Any]


def list_workspaces(name: str | None) -> list[Document]:
    """Return all workspaces, or those with a name, whatever its case.

    Raises:
        NotFound: There is none of this name; the message gives the nearest.
    """
    found = connect().list_workspaces()
    if name is None:
        return found
    chosen = [item for item in found if item["name"].lower() == name.lower()]
    if not chosen:
        raise NotFound.named("workspace", name, {item["name"] for item in found})
    return chosen


def print_datasets(workspace: str | None, *, as_json: bool) -> int:
    """Print the newest version of each registered dataset, by name."""
    with Progress("asking for the datasets"):
        found = [
            {**dataset, "workspace": item["name"], "workspace_id": item["id"]}
            for item in list_workspaces(workspace)
            for dataset in connect().list_datasets(item["id"])
        ]
    if as_json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format(found))
    else:
        print("No datasets are registered. Dataset.register(workspace, name) registers one.")
    return 0


def _format(found: list[Document]) -> str:
    heads = ["NAME", "VERSION", "TYPE", "CREATED", "PLACES"]
    rows = [
        [item["name"], str(item["version"]), item["definition"]["type"], format_time(item["created_at"]), tell_places(item["definition"])]
        for item in found
    ]
    if len({item["workspace_id"] for item in found}) > 1:
        heads.insert(0, "WORKSPACE")
        rows = [[item["workspace"], *row] for item, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def tell_places(definition: Document) -> str:
    """Return the first place of a definition, and how many there are besides."""
    places = list_places(definition)
    return " ".join([*places[:1], *([f"and {len(places) - 1} more"] if len(places) > 1 else [])])
