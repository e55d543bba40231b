"""`penstock pipelines`: what is published, what one is, its runs; running, enabling and disabling one."""

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
    tell_submitted,
    wanted_run,
    workspace_column,
)
from penstock.cli.runs import short_ids
from penstock.cli.tables import cut, format_table, format_time, terminal_width
from penstock.client import connect
from penstock.model.entity_status import ACTIVE, DISABLED

Document = dict[str, Any]

KIND = "published pipeline"


def do(options: Namespace) -> int:
    """Do what the command line asks of published pipelines; list them when it names no verb."""
    return _VERBS[options.verb or "list"](options)


def _list(options: Namespace) -> int:
    with Progress("asking for the published pipelines"):
        found = list_everywhere(
            options.workspace, lambda place: connect().list_pipelines(place, active_only=not options.all, name=options.name)
        )
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format_list(found))
    else:
        print(tell_none("No pipelines are published; pipeline.publish(...) publishes one.", options))
    return 0


def _format_list(found: list[Document]) -> str:
    heads = ["ID", "NAME", "VERSION", "STATUS", "STEPS", "CREATED", "DESCRIPTION"]
    shown = short_ids([item["id"] for item in found])
    rows = [
        [
            shown[item["id"]],
            item["name"],
            item["version"] or "",
            item["status"],
            str(item["step_count"]),
            format_time(item["created_at"]),
            item["description"] or "",
        ]
        for item in found
    ]
    if workspace_column(found):
        heads.insert(0, "WORKSPACE")
        rows = [[item["workspace"], *row] for item, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def find_pipeline(text: str, workspace: str | None) -> Document:
    """Return the published pipeline that an id, the beginning of one, or a name means.

    Raises:
        NotFound: There is none; the message gives the nearest name.
        Invalid: It could be several.
    """
    with Progress("asking for the pipeline"):
        return find(KIND, text, workspace, connect().list_pipelines)


def _show(options: Namespace) -> int:
    pipeline = find_pipeline(options.pipeline, options.workspace)
    place = pipeline["workspace_id"], pipeline["id"]
    steps = [step["name"] for step in connect().get_pipeline_graph(*place).get("steps", ())]
    address = connect().rest_address(pipeline["workspace_id"], "pipeline", pipeline["id"]) if options.address else None
    if options.json:
        print(json.dumps({**pipeline, "steps": steps, **({"address": address} if address else {})}, indent=2))
        return 0
    named = f"{len(steps)}: {', '.join(steps)}"
    print(format_facts({**_facts(pipeline), "Steps": cut(named, terminal_width() - 13), "Address": address}))
    if pipeline["parameters"]:
        rows = [[item["name"], item["kind"], format_value(item.get("default"))] for item in pipeline["parameters"]]
        print("\n" + format_table(["PARAMETER", "TAKES", "DEFAULT"], rows))
    return 0


def _facts(pipeline: Document) -> Document:
    return {
        "Pipeline": pipeline["name"],
        "Id": pipeline["id"],
        "Workspace": pipeline["workspace"],
        "Status": pipeline["status"],
        "Version": pipeline["version"],
        "Description": pipeline["description"],
        "Published": format_made(pipeline),
        "From run": pipeline["source_run_id"],
        "On failure": "independent steps still run" if pipeline["continue_on_step_failure"] else "the run stops",
    }


def _submit(options: Namespace) -> int:
    pipeline = find_pipeline(options.pipeline, options.workspace)
    run = connect().submit_published(pipeline["workspace_id"], pipeline["id"], wanted_run(options, pipeline))
    return tell_submitted(run, options)


def _enable(options: Namespace) -> int:
    return _set_status(options, ACTIVE, "Enabled")


def _disable(options: Namespace) -> int:
    return _set_status(options, DISABLED, "Disabled")


def _set_status(options: Namespace, status: str, word: str) -> int:
    pipeline = find_pipeline(options.pipeline, options.workspace)
    changed = connect().set_pipeline_status(pipeline["workspace_id"], pipeline["id"], status)
    print(json.dumps(changed, indent=2) if options.json else f"{word} the published pipeline '{changed['name']}' ({changed['id']}).")
    return 0


def _history(options: Namespace) -> int:
    pipeline = find_pipeline(options.pipeline, options.workspace)
    runs = connect().list_runs_of_pipeline(pipeline["workspace_id"], pipeline["id"], limit=options.limit)
    return print_history(runs, as_json=options.json)


_VERBS = {"list": _list, "show": _show, "submit": _submit, "enable": _enable, "disable": _disable, "history": _history}
