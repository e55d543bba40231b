"""`penstock drafts`: which pipelines are kept as drafts, what one is, its runs; running, publishing and deleting one."""

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
    parse_pairs,
    print_history,
    read_parameters,
    tell_submitted,
    workspace_column,
)
from penstock.cli.runs import short_ids
from penstock.cli.tables import cut, format_table, format_time, terminal_width
from penstock.client import connect
from penstock.model.entity_status import ACTIVE
from penstock.model.ids import short_id

Document = dict[str, Any]


def do(options: Namespace) -> int:
    """Do what the command line asks of drafts; list them when it names no verb."""
    return _VERBS[options.verb or "list"](options)


def _list(options: Namespace) -> int:
    tags = {name: value if given else None for name, given, value in (text.partition("=") for text in options.tag or ())}
    with Progress("asking for the drafts"):
        found = list_everywhere(options.workspace, lambda place: connect().list_drafts(place, tags=tags or None))
    found = [item for item in found if options.name in (None, item["name"])]
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format_list(found))
    else:
        has_filter = options.name is not None or tags
        print("There is no such draft." if has_filter else "There are no drafts. PipelineDraft.create(workspace, pipeline, ...) makes one.")
    return 0


def _format_list(found: list[Document]) -> str:
    heads = ["ID", "NAME", "EXPERIMENT", "CHANGED", "LAST RUN", "DESCRIPTION"]
    shown = short_ids([item["id"] for item in found])
    rows = [
        [
            shown[item["id"]],
            item["name"],
            item["experiment_name"],
            format_time(item["modified_at"]),
            short_id(item["last_run_id"] or ""),
            item["description"] or "",
        ]
        for item in found
    ]
    if workspace_column(found):
        heads.insert(0, "WORKSPACE")
        rows = [[item["workspace"], *row] for item, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def _find(options: Namespace) -> Document:
    def listed(workspace_id: str) -> list[Document]:
        return [{**item, "status": ACTIVE} for item in connect().list_drafts(workspace_id)]  # drafts can't be disabled

    with Progress("asking for the draft"):
        found = find("draft", options.draft, options.workspace, listed)
    return {name: value for name, value in found.items() if name != "status"}


def _show(options: Namespace) -> int:
    draft = _find(options)
    graph = connect().get_draft_graph(draft["workspace_id"], draft["id"])
    steps = [step["name"] for step in graph.get("steps", ())]
    if options.json:
        print(json.dumps({**draft, "steps": steps}, indent=2))
        return 0
    print(format_facts({**_facts(draft), "Steps": cut(f"{len(steps)}: {', '.join(steps)}", terminal_width() - 13)}))
    rows = [
        [item["name"], item["kind"], format_value(draft["parameters"].get(item["name"], item.get("default")))]
        for item in graph.get("parameters", ())
    ]
    if rows:
        print("\n" + format_table(["PARAMETER", "TAKES", "VALUE"], rows))
    return 0


def _facts(draft: Document) -> Document:
    return {
        "Draft": draft["name"],
        "Id": draft["id"],
        "Workspace": draft["workspace"],
        "Description": draft["description"],
        "Experiment": draft["experiment_name"],
        "Made": format_made(draft),
        "Changed": format_time(draft["modified_at"]),
        "From": draft["parent_pipeline_id"] or draft["parent_pipeline_run_id"] or draft["parent_draft_id"],
        "Tags": ", ".join(f"{key}={value}" for key, value in draft["tags"].items()),
        "On failure": "independent steps still run" if draft["continue_on_step_failure"] else "the run stops",
        "Last run": draft["last_run_id"],
    }


def _submit(options: Namespace) -> int:
    draft = _find(options)
    graph = connect().get_draft_graph(draft["workspace_id"], draft["id"])
    wanted = {
        "experiment_name": options.experiment,
        "parameters": read_parameters(options, {**draft, "parameters": graph.get("parameters", [])}),
        "tags": parse_pairs("--tag", options.tag),
        "run_source": "CLI",
    }
    answer = connect().submit_draft(draft["workspace_id"], draft["id"], wanted)
    return tell_submitted(answer["run"], options)


def _publish(options: Namespace) -> int:
    draft = _find(options)
    pipeline = connect().publish_draft(draft["workspace_id"], draft["id"])
    line = f"Published the draft '{draft['name']}': 'penstock pipelines submit {pipeline['id']}' runs it."
    print(json.dumps(pipeline, indent=2) if options.json else line)
    return 0


def _delete(options: Namespace) -> int:
    draft = _find(options)
    connect().delete_draft(draft["workspace_id"], draft["id"])
    told = {"deleted": draft["id"], "workspace": draft["workspace"]}
    print(json.dumps(told, indent=2) if options.json else f"Deleted the draft '{draft['name']}' ({draft['id']}).")
    return 0


def _history(options: Namespace) -> int:
    draft = _find(options)
    runs = connect().list_runs_of_draft(draft["workspace_id"], draft["id"], limit=options.limit)
    return print_history(runs, as_json=options.json)


_VERBS = {"list": _list, "show": _show, "submit": _submit, "publish": _publish, "delete": _delete, "history": _history}
