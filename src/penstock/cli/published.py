"""What `penstock pipelines` and `penstock endpoints` share: finding what was typed, running it, and its runs."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.cli.datasets import list_workspaces
from penstock.cli.lookup import describe
from penstock.cli.progress import Progress
from penstock.cli.runs import format_runs, spell_status
from penstock.cli.tables import cut, format_time, one_line
from penstock.client import connect
from penstock.model import status
from penstock.model.entity_status import ACTIVE
from penstock.model.errors import Invalid, NotFound
from penstock.model.ids import short_id

Document = dict[str, Any]
List = Callable[[str], list[Document]]  # the id of a workspace -> what it has

POLL_SECONDS = 30.0
_TELLING = 4  # letters at the beginning of an id
_NO_EXPERIMENT_LETTER = re.compile(r"[^A-Za-z0-9_-]+")
_VALUE_WIDTH = 80


# Finding


def find(kind: str, text: str, workspace: str | None, list_items: List) -> Document:
    """Return what a whole id, the beginning of one, or a name means: of several with a name the newest that is active, else the newest.

    Raises:
        NotFound: There is none; the message gives the nearest name.
        Invalid: Several ids begin so, or several workspaces have the name.
    """
    items = list_everywhere(workspace, list_items)
    exact = [item for item in items if item["id"] == text]
    named = [item for item in items if item["name"] == text]
    begun = [item for item in items if len(text) >= _TELLING and item["id"].startswith(text)]
    found = exact or _choose(kind, text, named) or begun
    if not found:
        names = {item["name"] for item in items}
        raise NotFound.named(kind, text, names) if names else NotFound(f"There is no {kind} '{text}'. There is none at all yet.")
    if len(found) > 1:
        raise Invalid(f"The ids of {len(found)} begin with '{text}': {', '.join(item['id'] for item in found[:5])}. Type more of the id.")
    return found[0]


def list_everywhere(workspace: str | None, list_items: List) -> list[Document]:
    """Return what all workspaces have, or that of one, each with the name of its workspace."""
    return [{**item, "workspace": place["name"]} for place in list_workspaces(workspace) for item in list_items(place["id"])]


def _choose(kind: str, text: str, named: list[Document]) -> list[Document]:
    """Return the one that a name means; lists are newest first."""
    if len({item["workspace_id"] for item in named}) > 1:
        names = ", ".join(sorted({item["workspace"] for item in named}))
        raise Invalid(f"Several workspaces have a {kind} '{text}': {names}. Choose one with --workspace NAME.")
    return [item for item in named if item["status"] == ACTIVE][:1] or named[:1]


# Running


def wanted_run(options: Namespace, pipeline: Document) -> Document:
    """Return what the command line asks of a run of a published pipeline.

    Raises:
        Invalid: A parameter or a tag has no value.
        NotFound: A dataset that is given as a value is not registered.
    """
    return {
        "experiment_name": options.experiment or _experiment_of(pipeline),
        "parameters": read_parameters(options, pipeline),
        "tags": parse_pairs("--tag", options.tag),
        "run_source": "CLI",
        "run_type": "SDK",
    }


def read_parameters(options: Namespace, pipeline: Document) -> Document:
    """Return the values that `-P` gives to the parameters of a pipeline; the errors are those of `wanted_run`."""
    kinds = {item["name"]: item["kind"] for item in pipeline["parameters"]}
    given = parse_pairs("-P", options.parameter)
    return {name: _read(pipeline["workspace_id"], kinds.get(name), value) for name, value in given.items()}


def parse_pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """Return NAME=VALUE options as a dictionary; raise Invalid for one without a value."""
    pairs = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise Invalid(f"'{option} {text}' names no value. Write {option} NAME=VALUE.")
        pairs[name] = value
    return pairs


def _experiment_of(pipeline: Document) -> str:
    """Return where runs of a pipeline belong when nobody says: with its newest run, else under its name as far as experiments allow."""
    newest = connect().list_runs_of_pipeline(pipeline["workspace_id"], pipeline["id"], limit=1)
    if newest:
        return str(newest[0]["experiment_name"])
    return _NO_EXPERIMENT_LETTER.sub("-", pipeline["name"]).strip("-_") or "published"


def _read(workspace_id: str, kind: str | None, text: str) -> Any:
    """Return a value as it travels; texts of numbers and truth values are read by the service."""
    if kind == "datapath":
        datastore, _, path = text.partition("/")
        return {"datastore": datastore, "path": path}
    if kind == "dataset":
        name, _, version = text.partition(":")
        dataset = connect().get_dataset_version(workspace_id, name, version or None)
        return {"id": dataset["id"], "type": dataset["definition"]["type"]}
    return text


def tell_submitted(run: Document, options: Namespace) -> int:
    """Tell of a run that was submitted; with `--wait`, wait for its end: the exit status is 1 where it did not finish well."""
    if not options.wait:
        short = short_id(run["id"])
        hint = f"'penstock show {short}' tells how it goes, 'penstock logs -f {short}' follows it."
        print(json.dumps(run, indent=2) if options.json else f"Submitted run {run['id']} ({describe(run)}). {hint}")
        return 0
    with Progress(f"waiting for {describe(run)}"):
        run = _wait_for_end(run)
    line = f"Run {run['id']} ({describe(run)}) has ended: {spell_status(run)}. 'penstock show {short_id(run['id'])}' tells more."
    print(json.dumps(run, indent=2) if options.json else line)
    return 0 if run["status"] == status.COMPLETED else 1


def _wait_for_end(run: Document) -> Document:
    last = 0
    while not status.is_final(run["status"]):
        answer = connect().follow_run(run["id"], after=last, wait_seconds=POLL_SECONDS)
        run, last = answer["run"], answer["last"]
    return run


def print_history(runs: list[Document], *, as_json: bool) -> int:
    """Print runs, newest first."""
    print(json.dumps(runs, indent=2) if as_json else format_runs(runs) if runs else "It has not been run yet.")
    return 0


# Telling


def format_facts(facts: Mapping[str, Any]) -> str:
    """Return what is known, a line each; what is empty is left out."""
    shown = {name: one_line(str(value)) for name, value in facts.items() if value not in (None, "", {})}
    return "\n".join(f"{name + ':':13}{value}" for name, value in shown.items())


def tell_none(sentence: str, options: Namespace) -> str:
    """Return what an empty list says: what was left out may be the reason."""
    if options.name:
        sentence = f"There is none with the name '{options.name}'."
    return sentence if options.all else f"{sentence} Disabled ones are listed with --all."


def format_made(item: Document) -> str:
    """Return when something was published, and by whom."""
    return " by ".join(filter(None, (format_time(item["created_at"]), item["created_by"])))


def format_value(value: Any) -> str:
    """Return a parameter's default as a person writes it after `-P name=`."""
    if isinstance(value, dict):
        return str(value["id"]) if "id" in value else f"{value['datastore']}/{value.get('path', '')}"
    return cut(one_line(str(value)), _VALUE_WIDTH)


def workspace_column(items: list[Document]) -> bool:
    """Tell whether a table of these needs to say which workspace each is of."""
    return len({item["workspace_id"] for item in items}) > 1
