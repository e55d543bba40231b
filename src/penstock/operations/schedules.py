"""Schedules: which published pipeline or endpoint runs when. What becomes of each time that one is due: `schedule_ticks`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from penstock.model.entity_status import ACTIVE, DISABLED
from penstock.model.errors import Invalid, NotFound
from penstock.model.ids import new_id
from penstock.operations import pipelines, published_runs, runs
from penstock.operations.assignments import read_assignments
from penstock.operations.context import Change, Context, format_time
from penstock.operations.datastores import clean_pattern, file_store_of
from penstock.operations.names import as_json, check_description, check_name, check_request_id, check_title, current_user
from penstock.operations.plans import plan_of
from penstock.operations.submissions import member
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row
from penstock.recurrence.recurrence import (
    MINUTE,
    Recurrence,
    describe,
    first_tick,
    next_after,
    parse_moment,
    parse_recurrence,
    preview,
    to_zone,
)
from penstock.settings import CATCH_UP

STATUSES = (ACTIVE, DISABLED)
RECURRENCE, DATASTORE = "Recurrence", "DataStore"  # kinds, in v1's words
SCHEDULED = "Schedule"  # the source and the type of its runs
DEFAULT_POLLING_MINUTES = 5

_MOST_PREVIEWED = 100
_SUBMISSION = ("experiment_name", "parameters", "description", "continue_on_step_failure")
_TRIGGER = ("datastore", "polling_interval", "path", "parameter")


# Creating


def create_schedule(
    context: Context,
    workspace_id: str,
    name: str,
    submission: Mapping[str, Any],
    pipeline_id: str | None = None,
    endpoint_id: str | None = None,
    recurrence: Mapping[str, Any] | None = None,
    trigger: Mapping[str, Any] | None = None,
    description: str | None = None,
    catch_up: str | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Create a schedule, which is active at once. Sent twice with the same `request_id`, it is one schedule.

    Args:
        context: The surroundings.
        workspace_id: Where.
        name: Its name; it need not be the only one of this name.
        submission: What its runs are submitted with: experiment_name, parameters, description, continue_on_step_failure.
        pipeline_id: The published pipeline that it runs; or else:
        endpoint_id: The endpoint, whose default version of that time it runs.
        recurrence: When it is due: frequency, interval, start_time, time_zone, hours, minutes, week_days; or else:
        trigger: Which files it watches: datastore, polling_interval (minutes), path, parameter.
        description: What it is.
        catch_up: none, last or all: which ticks that were missed it makes up for; None as the setting says.
        request_id: A UUID of the client's.

    Raises:
        NotFound: There is no such workspace, pipeline, endpoint or datastore.
        Refused: The pipeline or the endpoint is disabled.
        Invalid: A member is wrong, or a parameter; details name it.
    """
    row = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": check_title("schedule", name),
        "description": check_description(description),
        "status": ACTIVE,
        **_check_target(pipeline_id, endpoint_id),
        **_check_kind(context, workspace_id, recurrence, trigger),
        "submission": as_json(_check_submission(submission)),
        "catch_up": _check_catch_up(catch_up),
        "created_by": current_user(),
        "request_id": check_request_id(request_id),
    }
    with context.change() as change:
        get_workspace(context, workspace_id)
        sent = _find_sent(change, row)
        if sent:
            return _document(sent)  # the first try arrived after all
        _check_runnable(context, change, row)
        anchor = _whole_second(change.at)
        times = {"created_at": change.at, "modified_at": change.at, "anchor_at": format_time(anchor)}
        change.rows.insert("schedules", {**row, **times, "next_at": _first_due(row, anchor)})
        change.for_triggers = True
        return get_schedule(context, workspace_id, row["id"])


def _find_sent(change: Change, row: Row) -> Row | None:
    place = (row["workspace_id"], row["request_id"])
    return change.rows.first("select * from schedules where workspace_id = ? and request_id = ?", place) if row["request_id"] else None


def _check_target(pipeline_id: str | None, endpoint_id: str | None) -> Row:
    if (pipeline_id is None) == (endpoint_id is None):
        raise Invalid("A schedule runs either a published pipeline or a pipeline endpoint. Name one of them.", member="pipeline_id")
    return {"pipeline_id": pipeline_id, "endpoint_id": endpoint_id}


def _check_kind(context: Context, workspace_id: str, recurrence: Mapping[str, Any] | None, trigger: Mapping[str, Any] | None) -> Row:
    if (recurrence is None) == (trigger is None):
        raise Invalid("A schedule has either a recurrence or a datastore to watch. Give one of them.", member="recurrence")
    if recurrence is not None:
        return {"kind": RECURRENCE, "recurrence": as_json(parse_recurrence(recurrence).document()), "trigger": None}
    return {"kind": DATASTORE, "recurrence": None, "trigger": as_json(_check_trigger(context, workspace_id, trigger or {}))}


def _check_submission(submission: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_others(submission, _SUBMISSION, "submission of a schedule")
    return {
        "experiment_name": check_name("experiment", submission.get("experiment_name")),
        "parameters": dict(member(submission, "parameters", dict, {})),
        "description": check_description(submission.get("description")),
        "continue_on_step_failure": member(submission, "continue_on_step_failure", bool, None),
    }


def _check_trigger(context: Context, workspace_id: str, trigger: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_others(trigger, _TRIGGER, "trigger of a schedule")
    minutes = trigger.get("polling_interval")
    datastore = member(trigger, "datastore", str, None)
    if not datastore:
        raise Invalid("A schedule that watches files must name their datastore.", member="datastore")
    path = member(trigger, "path", str, None)
    clean_pattern(path or "")  # refuses one that leaves the datastore
    return {
        "datastore": file_store_of(context, workspace_id, datastore).name,
        "polling_interval": _polling(DEFAULT_POLLING_MINUTES if minutes is None else minutes).interval,
        "path": path,
        "parameter": member(trigger, "parameter", str, None),
    }


def _polling(minutes: Any) -> Recurrence:
    """Return when files are looked at, as a recurrence."""
    try:
        return parse_recurrence({"frequency": MINUTE, "interval": minutes})
    except Invalid:
        raise Invalid(
            f"The polling_interval of a schedule is a whole number of minutes, at least 1, not {str(minutes)[:40]!r}.",
            member="polling_interval",
        ) from None


def _refuse_others(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    others = sorted(set(given) - set(known))
    if others:
        raise Invalid(NotFound.named("member", str(others[0])[:60], known, f"the {where}").message, member=str(others[0])[:60])


def _check_catch_up(word: str | None) -> str | None:
    if word is not None and word not in CATCH_UP:
        raise Invalid(f"The catch_up of a schedule is one of {', '.join(CATCH_UP)}, not {word[:40]!r}.", member="catch_up")
    return word


def _check_runnable(context: Context, change: Change, row: Row) -> None:
    """Refuse at once what could not run: better said to who makes the schedule than to who looks for its runs next week."""
    pipeline = find_pipeline(change, row)
    published_runs.check_enabled(pipeline)
    given, trigger = json.loads(row["submission"])["parameters"], json.loads(row["trigger"] or "{}")
    if trigger.get("parameter"):
        given = {**given, trigger["parameter"]: {"datastore": trigger["datastore"], "path": trigger["path"] or ""}}
    read_assignments(plan_of(context.database, pipeline["graph_id"]).graph.parameters, given)


def find_pipeline(change: Change, row: Row) -> Row:
    """Return the row of the published pipeline that a schedule runs now.

    Raises:
        NotFound: There is no such pipeline or endpoint.
        Refused: The endpoint is disabled.
    """
    if row["endpoint_id"] is not None:
        return published_runs.pipeline_of_endpoint(change, row["workspace_id"], row["endpoint_id"])
    return pipelines.get_row(change, row["workspace_id"], row["pipeline_id"])


def _whole_second(at: str) -> datetime:
    return parse_moment(at).replace(microsecond=0)


def _first_due(row: Row, anchor: datetime) -> str | None:
    """Return when a new schedule is due first: files are looked at at once, for what is there already is no change."""
    tick = anchor if row["kind"] == DATASTORE else first_tick(recurrence_of(row), anchor)
    return None if tick is None else format_time(tick)


def recurrence_of(row: Row) -> Recurrence:
    """Return the recurrence of a schedule; of one that watches files, that of its looks."""
    if row["kind"] == DATASTORE:
        return _polling(json.loads(row["trigger"])["polling_interval"])
    return parse_recurrence(json.loads(row["recurrence"]))


def due_after(row: Row, moment: datetime) -> str | None:
    """Return when a schedule is due next after a moment; None when it never is again."""
    tick = next_after(recurrence_of(row), parse_moment(row["anchor_at"]), moment)
    return None if tick is None else format_time(tick)


# Reading


def get_schedule(context: Context, workspace_id: str, schedule_id: str) -> dict[str, Any]:
    """Return a schedule.

    Raises:
        NotFound: The workspace has none with this id.
    """
    return _document(get_row(context, workspace_id, schedule_id))


def get_row(context: Context, workspace_id: str, schedule_id: str) -> Row:
    """Return the row of a schedule; the error is that of `get_schedule`."""
    row = context.database.first("select * from schedules where id = ? and workspace_id = ?", (schedule_id, workspace_id))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        raise NotFound(f"There is no schedule with the id '{schedule_id}' in the workspace '{workspace['name']}'.")
    return row


def list_schedules(
    context: Context,
    workspace_id: str,
    active_only: bool = False,
    pipeline_id: str | None = None,
    endpoint_id: str | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return schedules of a workspace, newest first.

    Args:
        context: The surroundings.
        workspace_id: Where.
        active_only: Without those that are disabled.
        pipeline_id: Only those of this published pipeline.
        endpoint_id: Only those of this endpoint.
        name: Only those of this name.
        limit: At most so many.
    """
    get_workspace(context, workspace_id)
    equal = {"pipeline_id": pipeline_id, "endpoint_id": endpoint_id, "name": name, "status": ACTIVE if active_only else None}
    given = {column: value for column, value in equal.items() if value is not None}
    where = " and ".join(f"{column} = ?" for column in ("workspace_id", *given))
    rows = context.database.all(
        f"select * from schedules where {where} order by created_at desc, rowid desc limit ?",
        (workspace_id, *given.values(), -1 if limit is None else limit),
    )
    return [_document(row) for row in rows]


def list_ticks(context: Context, workspace_id: str, schedule_id: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return what became of each time that a schedule was due, the last first, each with its run or its reason.

    Raises:
        NotFound: There is no such schedule.
    """
    get_row(context, workspace_id, schedule_id)
    return context.database.all(
        "select due_at, at, outcome, run_id, reason, nullif(subject, '') as subject, missed_count, missed_until from schedule_ticks"
        " where schedule_id = ? order by due_at desc, schedule_ticks.subject limit ?",
        (schedule_id, -1 if limit is None else limit),
    )


def list_runs(context: Context, workspace_id: str, schedule_id: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the runs that a schedule started, newest first; at most `limit`.

    Raises:
        NotFound: There is no such schedule.
    """
    get_row(context, workspace_id, schedule_id)
    return runs.list_published_runs(context, schedule_id=schedule_id, limit=limit)


def preview_schedule(context: Context, workspace_id: str, schedule_id: str, count: int = 10) -> dict[str, Any]:
    """Return when a schedule is due next: {"description", "time_zone", "ticks": [{"at", "local"}]}, `local` being the time in its zone.

    A schedule that is disabled is told of as if it were enabled now.

    Raises:
        NotFound: There is no such schedule.
    """
    row = get_row(context, workspace_id, schedule_id)
    recurrence, anchor = recurrence_of(row), parse_moment(row["anchor_at"])
    ticks = preview(recurrence, anchor, parse_moment(context.now()), min(count, _MOST_PREVIEWED))
    waiting = parse_moment(row["next_at"]) if row["next_at"] else None
    if waiting and (not ticks or waiting < ticks[0]):  # due, and about to be done
        ticks = [waiting, *ticks][:count]
    return {
        "description": describe(recurrence),
        "time_zone": recurrence.time_zone,
        "ticks": [{"at": format_time(tick), "local": to_zone(tick, recurrence.time_zone).isoformat()} for tick in ticks],
    }


# Changing


def update_schedule(
    context: Context,
    workspace_id: str,
    schedule_id: str,
    name: str | None = None,
    description: str | None = None,
    status: str | None = None,
    submission: Mapping[str, Any] | None = None,
    recurrence: Mapping[str, Any] | None = None,
    trigger: Mapping[str, Any] | None = None,
    catch_up: str | None = None,
) -> dict[str, Any]:
    """Change a schedule; None leaves things as they are. What it missed while it was disabled is not made up for.

    A recurrence is replaced whole; members of `submission` and `trigger` that are not given stay.

    Raises:
        NotFound: There is no such schedule or datastore.
        Invalid: A value is wrong, or it would become one of the other kind.
        Refused: What it runs is disabled, and more than its name, description or status changes.
    """
    with context.change() as change:
        old = get_row(context, workspace_id, schedule_id)
        _refuse_other_kind(old, recurrence, trigger)
        changes: Row = {
            "name": old["name"] if name is None else check_title("schedule", name),
            "description": old["description"] if description is None else check_description(description),
            "status": old["status"] if status is None else _check_status(status),
            "catch_up": old["catch_up"] if catch_up is None else _check_catch_up(catch_up),
        }
        if submission is not None:
            changes["submission"] = as_json(_check_submission({**json.loads(old["submission"]), **submission}))
        if recurrence is not None:
            changes["recurrence"] = as_json(parse_recurrence(recurrence).document())
        if trigger is not None:
            changes["trigger"] = as_json(_check_trigger(context, workspace_id, {**json.loads(old["trigger"]), **trigger}))
        new = {**old, **changes}
        if submission is not None or trigger is not None:
            _check_runnable(context, change, new)
        changes.update(_new_times(old, new, change.at))
        if _looks_afresh(old, new):
            change.rows.execute("delete from schedule_files where schedule_id = ?", (schedule_id,))
            changes.update(seen_at=None, anchor_at=change.at)  # what comes later is new to it, even if its first look comes late
        sets = ", ".join(f"{column} = ?" for column in (*changes, "modified_at"))
        change.rows.execute(f"update schedules set {sets} where id = ?", (*changes.values(), change.at, schedule_id))
        change.for_triggers = True
        return get_schedule(context, workspace_id, schedule_id)


def _refuse_other_kind(row: Row, recurrence: Any, trigger: Any) -> None:
    given = [name for name, value in (("recurrence", recurrence), ("trigger", trigger)) if value is not None]
    kept = "recurrence" if row["kind"] == RECURRENCE else "trigger"
    if given and given != [kept]:
        what = "a recurrence" if row["kind"] == RECURRENCE else "a datastore to watch"
        raise Invalid(f"The schedule '{row['name']}' has {what}, and stays so. Make another schedule instead.", member=given[-1])


def _check_status(status: str) -> str:
    if status not in STATUSES:
        raise Invalid(f"The status of a schedule is Active or Disabled, not {status[:40]!r}.", member="status")
    return status


def _new_times(old: Row, new: Row, at: str) -> Row:
    """Return when a changed schedule is due next, and forget why it could not run where that may have changed."""
    if new["status"] == DISABLED:
        return {"next_at": None}
    forgets = {} if all(old[key] == new[key] for key in ("status", "submission", "trigger")) else {"error": None}
    if all(old[key] == new[key] for key in ("status", "recurrence", "trigger")):
        return forgets
    if _looks_afresh(old, new):
        return {**forgets, "next_at": at, "anchor_at": at}
    return {**forgets, "next_at": due_after(new, parse_moment(at))}


def _looks_afresh(old: Row, new: Row) -> bool:
    """Tell whether files that are there now count as seen: the schedule was disabled, or watched another place."""
    if new["kind"] != DATASTORE or new["status"] == DISABLED:
        return False
    before, now = (json.loads(row["trigger"]) for row in (old, new))
    return old["status"] == DISABLED or any(before[key] != now[key] for key in ("datastore", "path"))


def delete_schedule(context: Context, workspace_id: str, schedule_id: str) -> None:
    """Forget a schedule and its ticks; its runs stay.

    Raises:
        NotFound: There is no such schedule.
    """
    with context.change() as change:
        get_row(context, workspace_id, schedule_id)
        change.rows.execute("delete from schedules where id = ?", (schedule_id,))
        change.for_triggers = True


# Running


def run_schedule(
    context: Context,
    workspace_id: str,
    schedule_id: str,
    parameters: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Start what a schedule runs, now and once more than it is due; return the run. A disabled one, too, can be tried so.

    Args:
        context: The surroundings.
        workspace_id: Where.
        schedule_id: The schedule.
        parameters: Values that come before those of the schedule.
        request_id: A UUID of the client's.

    Raises:
        NotFound: There is no such schedule, or what it runs is gone.
        Refused: What it runs is disabled.
        Invalid: Its parameters don't fit any more.
    """
    row = get_row(context, workspace_id, schedule_id)
    wanted = {**wanted_of(row, parameters), "request_id": request_id}
    if row["endpoint_id"] is not None:
        return published_runs.submit_endpoint(context, workspace_id, row["endpoint_id"], None, wanted)
    return published_runs.submit_published(context, workspace_id, row["pipeline_id"], wanted)


def wanted_of(row: Row, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what a run of a schedule is submitted with.

    Args:
        row: The schedule.
        parameters: Values beside those of the schedule: the file that changed, say.
    """
    submission = json.loads(row["submission"])
    return {
        **submission,
        "parameters": {**submission["parameters"], **(parameters or {})},
        "description": submission["description"] or row["description"],
        "run_source": SCHEDULED,
        "run_type": SCHEDULED,
        "schedule_id": row["id"],
    }


_PLAIN = ("id", "workspace_id", "name", "description", "status", "kind", "pipeline_id", "endpoint_id", "catch_up", "next_at", "error")


def _document(row: Row) -> dict[str, Any]:
    return {
        **{key: row[key] for key in (*_PLAIN, "created_at", "modified_at", "created_by")},
        "seen_at": row["seen_at"] if row["kind"] == DATASTORE else None,
        **{key: row[key] and json.loads(row[key]) for key in ("submission", "recurrence", "trigger")},
        "when": describe(recurrence_of(row)),
    }
