"""Routes of drafts: make, read, change, run, publish, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import pipeline_drafts
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_DRAFTS = "/workspaces/{workspace_id}/drafts"
_DRAFT = _DRAFTS + "/{draft_id}"
_OF_RUNS = ("experiment_name", "parent_run_id", "run_source", "request_id", "submitter_run_id")


@table.add("POST", _DRAFTS, Role.CONTRIBUTOR, answer="NewDraft")
def create_draft(call: Call) -> Verb:
    """Make a draft of a graph, or of a pipeline run, a published pipeline or another draft."""
    body = call.body
    wanted = {
        **_members(call),
        **{name: body.text(name, None) for name in ("pipeline_id", "run_id", "draft_id", "request_id")},
        "properties": body.mapping("properties", None),
    }
    return partial(pipeline_drafts.create_draft, call.context, call.path["workspace_id"], wanted)


@table.add("GET", _DRAFTS, Role.READER, answer=("Draft",))
def list_drafts(call: Call) -> Verb:
    """List drafts, newest first: all, or those with tags."""
    query = call.query
    wanted = {"tags": query.filter("tags"), "limit": query.number("limit")}
    return partial(pipeline_drafts.list_drafts, call.context, call.path["workspace_id"], **wanted)


@table.add("GET", _DRAFT, Role.READER, answer="Draft")
def get_draft(call: Call) -> Verb:
    """Read a draft."""
    return partial(pipeline_drafts.get_draft, call.context, *_draft(call))


@table.add("GET", _DRAFT + "/graph", Role.READER, answer="Graph")
def get_draft_graph(call: Call) -> Verb:
    """Read the graph of a draft."""
    return partial(pipeline_drafts.get_graph, call.context, *_draft(call))


@table.add("PATCH", _DRAFT, Role.CONTRIBUTOR, answer="NewDraft")
def update_draft(call: Call) -> Verb:
    """Change a draft; tags and parameters are replaced."""
    return partial(pipeline_drafts.update_draft, call.context, *_draft(call), _members(call))


@table.add("DELETE", _DRAFT, Role.CONTRIBUTOR, answer="Nothing")
def delete_draft(call: Call) -> Verb:
    """Forget a draft; its runs stay."""
    return partial(pipeline_drafts.delete_draft, call.context, *_draft(call))


@table.add("POST", _DRAFT + "/runs", Role.CONTRIBUTOR, answer="Submitted")
def submit_draft(call: Call) -> Verb:
    """Run a draft, in its experiment or in another one."""
    body = call.body
    wanted = {
        **{name: body.text(name, None) for name in _OF_RUNS},
        **{name: body.mapping(name, None) for name in ("parameters", "tags")},
    }
    return partial(pipeline_drafts.submit_draft, call.context, *_draft(call), wanted)


@table.add("GET", _DRAFT + "/runs", Role.READER, answer=("Run",))
def list_draft_runs(call: Call) -> Verb:
    """List the runs of a draft, newest first."""
    return partial(pipeline_drafts.list_runs, call.context, *_draft(call), call.query.number("limit"))


@table.add("POST", _DRAFT + "/publish", Role.CONTRIBUTOR, answer="NewPipeline")
def publish_draft(call: Call) -> Verb:
    """Publish a draft; the values that it sets become defaults."""
    return partial(pipeline_drafts.publish_draft, call.context, *_draft(call), call.body.text("request_id", None))


def _draft(call: Call) -> tuple[str, str]:
    return call.path["workspace_id"], call.path["draft_id"]


def _members(call: Call) -> dict[str, Any]:
    """Return what a draft is made of and changed to."""
    body = call.body
    return {
        **{name: body.text(name, None) for name in ("name", "description", "experiment_name", "interpreter")},
        **{name: body.mapping(name, None) for name in ("graph", "parameters", "tags")},
        "continue_on_step_failure": body.flag("continue_on_step_failure", None),
    }
