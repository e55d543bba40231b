"""`penstock schedules`: what runs by itself and when; what became of it; running, enabling and disabling one."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from penstock.cli.pipeline_endpoints import KIND as ENDPOINT
from penstock.cli.pipelines import KIND as PIPELINE
from penstock.cli.progress import Progress
from penstock.cli.published import (
    find,
    format_facts,
    format_made,
    format_value,
    list_everywhere,
    read_parameters,
    tell_none,
    tell_submitted,
    workspace_column,
)
from penstock.cli.runs import short_ids, spell_status
from penstock.cli.tables import format_table, format_time, parse_time, tell_reason
from penstock.client import connect
from penstock.model.entity_status import ACTIVE, DISABLED
from penstock.model.errors import NotFound

Document = dict[str, Any]

KIND = "schedule"
DATASTORE = "DataStore"
SHOWN = 10  # ticks before and after now
_UTC = "%Y-%m-%d %H:%M:%S"


def do(options: Namespace) -> int:
    """Do what the command line asks of schedules; list them when it names no verb."""
    return _VERBS[options.verb or "list"](options)


# Listing


def _list(options: Namespace) -> int:
    with Progress("asking for the schedules"):
        found = list_everywhere(
            options.workspace, lambda place: connect().list_schedules(place, active_only=not options.all, name=options.name)
        )
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print(_format_list(found))
    else:
        print(tell_none("There are no schedules; Schedule.create(...) makes one.", options))
    return 0


def _format_list(found: list[Document]) -> str:
    heads = ["ID", "NAME", "STATUS", "NEXT", "WHEN"]
    shown = short_ids([item["id"] for item in found])
    rows = [[shown[item["id"]], item["name"], _status(item), format_time(item["next_at"]), _when(item)] for item in found]
    if workspace_column(found):
        heads.insert(0, "WORKSPACE")
        rows = [[item["workspace"], *row] for item, row in zip(found, rows, strict=True)]
    return format_table(heads, rows)


def _status(schedule: Document) -> str:
    """Its status, and whether the last time went wrong: that is what a list is looked through for."""
    return f"{schedule['status']}, failing" if schedule["error"] else str(schedule["status"])


def _when(schedule: Document) -> str:
    if schedule["kind"] != DATASTORE:
        return str(schedule["when"])
    trigger = schedule["trigger"]
    return f"when files in {trigger['datastore']}/{trigger['path'] or ''} are new or changed, looked at {schedule['when']}"


# One schedule


def find_schedule(text: str, workspace: str | None) -> Document:
    """Return the schedule that an id, the beginning of one, or a name means.

    Raises:
        NotFound: There is none; the message gives the nearest name.
        Invalid: It could be several.
    """
    client = connect()
    with Progress("asking for the schedule"):
        try:
            return find(KIND, text, workspace, lambda place: client.list_schedules(place, name=text))
        except NotFound:  # no name, then: of thousands, all are looked through only for an id or for the nearest name
            return find(KIND, text, workspace, client.list_schedules)


def _show(options: Namespace) -> int:
    schedule = find_schedule(options.schedule, options.workspace)
    place = schedule["workspace_id"], schedule["id"]
    with Progress("asking for its ticks"):
        preview = connect().preview_schedule(*place, SHOWN)
        ticks = _read_ticks(schedule, SHOWN)
    if options.json:
        print(json.dumps({**schedule, "preview": preview, "ticks": ticks}, indent=2))
        return 0
    parts = [format_facts(_facts(schedule)), _format_preview(schedule, preview), _format_ticks(schedule, ticks)]
    print("\n\n".join(filter(None, parts)))
    return 0


def _facts(schedule: Document) -> Document:
    submission, trigger = schedule["submission"], schedule["trigger"] or {}
    return {
        "Schedule": schedule["name"],
        "Id": schedule["id"],
        "Workspace": schedule["workspace"],
        "Status": schedule["status"],
        "Error": tell_reason(schedule["error"]),
        "Description": schedule["description"],
        "Runs": _target(schedule),
        "When": _when(schedule),
        "Last look": format_time(schedule["seen_at"]),
        "Path goes to": trigger.get("parameter"),
        "Experiment": submission["experiment_name"],
        "Parameters": ", ".join(f"{name}={format_value(value)}" for name, value in submission["parameters"].items()),
        "On failure": _FAILURE[submission["continue_on_step_failure"]],
        "Catches up": _CATCH_UP[schedule["catch_up"]],
        "Made": format_made(schedule),
    }


_FAILURE = {None: "as the pipeline was published", True: "independent steps still run", False: "the run stops"}
_CATCH_UP = {
    None: "as the setting schedule_catch_up says",
    "none": "not: what was missed is skipped",
    "last": "with the last of what was missed",
    "all": "with all that was missed",
}


def _target(schedule: Document) -> str:
    """What it runs, by its name; by its id alone where it is gone."""
    client, place = connect(), schedule["workspace_id"]
    try:
        if schedule["endpoint_id"] is not None:
            name = client.get_pipeline_endpoint(place, schedule["endpoint_id"])["name"]
            return f"the default version of the {ENDPOINT} '{name}' ({schedule['endpoint_id']})"
        return f"the {PIPELINE} '{client.get_pipeline(place, schedule['pipeline_id'])['name']}' ({schedule['pipeline_id']})"
    except NotFound:
        return f"{schedule['endpoint_id'] or schedule['pipeline_id']}, which is gone"


def _format_preview(schedule: Document, preview: Document) -> str:
    what = "NEXT LOOKS" if schedule["kind"] == DATASTORE else "NEXT"
    if schedule["status"] != ACTIVE:
        what += " IF IT WERE ENABLED NOW"
    if not preview["ticks"]:
        return "It is never due again."
    zone = preview["time_zone"] or "UTC"
    in_utc = [f"{parse_time(tick['at']):{_UTC}}" for tick in preview["ticks"]]
    if zone == "UTC":
        return format_table([f"{what} (UTC)"], [[moment] for moment in in_utc])
    rows = [[_wall(tick["local"]), moment] for tick, moment in zip(preview["ticks"], in_utc, strict=True)]
    return format_table([f"{what} ({zone})", "UTC"], rows)


def _wall(text: str) -> str:
    """A time on the wall of the schedule's zone, and how far from UTC that is."""
    moment = parse_time(text)
    return f"{moment:{_UTC}} {moment:%z}" if moment else ""


# Ticks


def _read_ticks(schedule: Document, limit: int) -> list[Document]:
    """Return what became of the last ticks, each with the status of its run as `run_status`."""
    place = schedule["workspace_id"], schedule["id"]
    ticks = connect().list_schedule_ticks(*place, limit)
    started = [tick["run_id"] for tick in ticks if tick["run_id"]]
    runs = {run["id"]: spell_status(run) for run in connect().list_runs_of_schedule(*place, limit)} if started else {}
    return [{**tick, "run_status": runs.get(tick["run_id"])} for tick in ticks]


def _format_ticks(schedule: Document, ticks: list[Document]) -> str:
    if not ticks:  # looks that find nothing are none
        return "Nothing has changed yet." if schedule["seen_at"] else "It has not been due yet."
    shown = short_ids([tick["run_id"] for tick in ticks if tick["run_id"]])
    rows = [
        [
            _due(tick),
            tick["outcome"],
            " ".join(filter(None, (shown.get(tick["run_id"]), tick["run_status"]))),
            tell_reason(tick["reason"]),
        ]
        for tick in ticks
    ]
    return format_table(["LAST DUE", "OUTCOME", "RUN", "REASON"], rows, margins=[""] * len(rows))


def _due(tick: Document) -> str:
    if tick["missed_count"] == 1:
        return format_time(tick["due_at"])
    return f"{format_time(tick['due_at'])} and {tick['missed_count'] - 1} more"


def _history(options: Namespace) -> int:
    schedule = find_schedule(options.schedule, options.workspace)
    with Progress("asking for its ticks"):
        ticks = _read_ticks(schedule, options.limit)
    print(json.dumps(ticks, indent=2) if options.json else _format_ticks(schedule, ticks))
    return 0


# Changing


def _submit(options: Namespace) -> int:
    schedule = find_schedule(options.schedule, options.workspace)
    parameters = read_parameters(options, _pipeline_of(schedule)) if options.parameter else None
    return tell_submitted(connect().run_schedule(schedule["workspace_id"], schedule["id"], parameters), options)


def _pipeline_of(schedule: Document) -> Document:
    """Return the published pipeline that a schedule runs now."""
    client, place, pipeline_id = connect(), schedule["workspace_id"], schedule["pipeline_id"]
    if pipeline_id is None:
        endpoint = client.get_pipeline_endpoint(place, schedule["endpoint_id"])
        versions = {item["version"]: item["pipeline_id"] for item in endpoint["versions"]}
        pipeline_id = versions[endpoint["default_version"]]
    return client.get_pipeline(place, pipeline_id)


def _enable(options: Namespace) -> int:
    return _set_status(options, ACTIVE, "Enabled")


def _disable(options: Namespace) -> int:
    return _set_status(options, DISABLED, "Disabled")


def _set_status(options: Namespace, status: str, word: str) -> int:
    schedule = find_schedule(options.schedule, options.workspace)
    changed = connect().update_schedule(schedule["workspace_id"], schedule["id"], status=status)
    due = f" It is due next at {format_time(changed['next_at'])}." if changed["next_at"] else ""
    print(json.dumps(changed, indent=2) if options.json else f"{word} the schedule '{changed['name']}' ({changed['id']}).{due}")
    return 0


_VERBS = {"list": _list, "show": _show, "submit": _submit, "enable": _enable, "disable": _disable, "history": _history}
