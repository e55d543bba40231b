"""Routes of schedules: create, find, change, see what became of their ticks and when the next are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import schedules
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_SCHEDULES = "/workspaces/{workspace_id}/schedules"
_SCHEDULE = _SCHEDULES + "/{schedule_id}"
_DEFAULT_PREVIEW = 10


@table.add("POST", _SCHEDULES, Role.CONTRIBUTOR, answer="Schedule")
def create_schedule(call: Call) -> Verb:
    """Run a published pipeline or endpoint at certain times, or when files change."""
    texts = ("pipeline_id", "endpoint_id", "description", "catch_up", "request_id")
    return partial(
        schedules.create_schedule,
        call.context,
        call.path["workspace_id"],
        call.body.text("name"),
        call.body.mapping("submission"),
        recurrence=call.body.mapping("recurrence", None),
        trigger=call.body.mapping("trigger", None),
        **{name: call.body.text(name, None) for name in texts},
    )


@table.add("GET", _SCHEDULES, Role.READER, answer=("Schedule",))
def list_schedules(call: Call) -> Verb:
    """List schedules, newest first: of a pipeline, of an endpoint, of a name, only active ones."""
    return partial(
        schedules.list_schedules,
        call.context,
        call.path["workspace_id"],
        active_only=call.query.flag("active_only"),
        limit=call.query.number("limit"),
        **{name: call.query.text(name, None) for name in ("pipeline_id", "endpoint_id", "name")},
    )


@table.add("GET", _SCHEDULE, Role.READER, answer="Schedule")
def get_schedule(call: Call) -> Verb:
    """Read a schedule."""
    return partial(schedules.get_schedule, call.context, *_schedule(call))


@table.add("PATCH", _SCHEDULE, Role.CONTRIBUTOR, answer="Schedule")
def update_schedule(call: Call) -> Verb:
    """Change a schedule: enable or disable it, change its times, its parameters, its name."""
    texts = {name: call.body.text(name, None) for name in ("name", "description", "status", "catch_up")}
    changes = {**texts, **{name: call.body.mapping(name, None) for name in ("submission", "recurrence", "trigger")}}
    return partial(schedules.update_schedule, call.context, call.path["workspace_id"], call.path["schedule_id"], **changes)


@table.add("DELETE", _SCHEDULE, Role.CONTRIBUTOR, answer="Nothing")
def delete_schedule(call: Call) -> Verb:
    """Forget a schedule and its ticks; its runs stay."""
    return partial(schedules.delete_schedule, call.context, *_schedule(call))


@table.add("GET", _SCHEDULE + "/ticks", Role.READER, answer=("Tick",))
def list_ticks(call: Call) -> Verb:
    """List the times that a schedule was due, the last first, each with its run or its reason."""
    return partial(schedules.list_ticks, call.context, *_schedule(call), limit=call.query.number("limit"))


@table.add("GET", _SCHEDULE + "/preview", Role.READER, answer="SchedulePreview")
def preview_schedule(call: Call) -> Verb:
    """Tell when a schedule is due next, in UTC and in its own time zone."""
    return partial(schedules.preview_schedule, call.context, *_schedule(call), count=call.query.number("count", _DEFAULT_PREVIEW))


@table.add("POST", _SCHEDULE + "/runs", Role.CONTRIBUTOR, answer="Run")
def run_schedule(call: Call) -> Verb:
    """Start what a schedule runs, now."""
    parameters, request_id = call.body.mapping("parameters", None), call.body.text("request_id", None)
    return partial(schedules.run_schedule, call.context, *_schedule(call), parameters=parameters, request_id=request_id)


@table.add("GET", _SCHEDULE + "/runs", Role.READER, answer=("Run",))
def list_schedule_runs(call: Call) -> Verb:
    """List the runs that a schedule started, newest first."""
    return partial(schedules.list_runs, call.context, *_schedule(call), limit=call.query.number("limit"))


def _schedule(call: Call) -> tuple[str, str]:
    return call.path["workspace_id"], call.path["schedule_id"]
