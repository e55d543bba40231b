"""Routes of published pipelines and their endpoints: publish, read, enable, version, run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import pipeline_endpoints, pipelines, published_runs
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_PIPELINES = "/workspaces/{workspace_id}/pipelines"
_PIPELINE = _PIPELINES + "/{pipeline_id}"
_ENDPOINTS = "/workspaces/{workspace_id}/pipeline-endpoints"
_ENDPOINT = _ENDPOINTS + "/{endpoint_id}"


# Pipelines


@table.add("POST", _PIPELINES, Role.CONTRIBUTOR, answer="NewPipeline")
def publish_pipeline(call: Call) -> Verb:
    """Publish a graph, or that of a pipeline run, for others to call."""
    body = call.body
    wanted = {
        **{name: body.text(name, None) for name in ("name", "description", "version", "run_id", "interpreter", "request_id")},
        **{name: body.mapping(name, None) for name in ("graph", "tags", "properties")},
        "continue_on_step_failure": body.flag("continue_on_step_failure", None),
    }
    return partial(pipelines.publish, call.context, call.path["workspace_id"], wanted)


@table.add("GET", _PIPELINES, Role.READER, answer=("Pipeline",))
def list_pipelines(call: Call) -> Verb:
    """List published pipelines, newest first: all, the active ones, those of a name."""
    return partial(pipelines.list_pipelines, call.context, call.path["workspace_id"], **_selection(call))


@table.add("GET", _PIPELINE, Role.READER, answer="Pipeline")
def get_pipeline(call: Call) -> Verb:
    """Read a published pipeline."""
    return partial(pipelines.get_pipeline, call.context, *_pipeline(call))


@table.add("GET", _PIPELINE + "/graph", Role.READER, answer="Graph")
def get_pipeline_graph(call: Call) -> Verb:
    """Read the graph of a published pipeline."""
    return partial(pipelines.get_graph, call.context, *_pipeline(call))


@table.add("PUT", _PIPELINE + "/status", Role.CONTRIBUTOR, answer="Pipeline")
def set_pipeline_status(call: Call) -> Verb:
    """Enable, deprecate or disable a published pipeline."""
    return partial(pipelines.set_status, call.context, *_pipeline(call), call.body.text("status"))


@table.add("POST", _PIPELINE + "/runs", Role.CONTRIBUTOR, answer="Run")
def submit_published(call: Call) -> Verb:
    """Run a published pipeline."""
    return partial(published_runs.submit_published, call.context, *_pipeline(call), _wanted_run(call))


@table.add("GET", _PIPELINE + "/runs", Role.READER, answer=("Run",))
def list_pipeline_runs(call: Call) -> Verb:
    """List the runs of a published pipeline, newest first."""
    return partial(pipelines.list_runs, call.context, *_pipeline(call), call.query.number("limit"))


def _pipeline(call: Call) -> tuple[str, str]:
    return call.path["workspace_id"], call.path["pipeline_id"]


def _selection(call: Call) -> dict[str, Any]:
    query = call.query
    return {"active_only": query.flag("active_only"), "name": query.text("name", None), "limit": query.number("limit")}


def _wanted_run(call: Call) -> dict[str, Any]:
    """Return what is asked of a run of something published."""
    body = call.body
    names = ("description", "parent_run_id", "run_source", "run_type", "request_id", "submitter_run_id")
    return {
        "experiment_name": body.text("experiment_name"),
        **{name: body.text(name, None) for name in names},
        **{name: body.mapping(name, None) for name in ("parameters", "tags", "step_tags", "properties")},
        "continue_on_step_failure": body.flag("continue_on_step_failure", None),
    }


# Endpoints


@table.add("POST", _ENDPOINTS, Role.CONTRIBUTOR, answer="PipelineEndpoint")
def create_pipeline_endpoint(call: Call) -> Verb:
    """Make an endpoint whose first version is a published pipeline."""
    body = call.body
    return partial(
        pipeline_endpoints.create_endpoint,
        call.context,
        call.path["workspace_id"],
        body.text("name"),
        body.text("pipeline_id"),
        description=body.text("description", None),
        tags=body.mapping("tags", None),
        properties=body.mapping("properties", None),
        request_id=body.text("request_id", None),
    )


@table.add("GET", _ENDPOINTS, Role.READER, answer=("PipelineEndpoint",))
def list_pipeline_endpoints(call: Call) -> Verb:
    """List endpoints with their versions, newest first: all, the active ones, that of a name."""
    return partial(pipeline_endpoints.list_endpoints, call.context, call.path["workspace_id"], **_selection(call))


@table.add("GET", "/workspaces/{workspace_id}/named-pipeline-endpoint", Role.READER, answer="PipelineEndpoint")
def get_pipeline_endpoint_by_name(call: Call) -> Verb:
    """Read the endpoint of a name."""
    return partial(pipeline_endpoints.get_endpoint_by_name, call.context, call.path["workspace_id"], call.query.text("name"))


@table.add("GET", _ENDPOINT, Role.READER, answer="PipelineEndpoint")
def get_pipeline_endpoint(call: Call) -> Verb:
    """Read an endpoint with its versions."""
    return partial(pipeline_endpoints.get_endpoint, call.context, *_endpoint(call))


@table.add("PATCH", _ENDPOINT, Role.CONTRIBUTOR, answer="PipelineEndpoint")
def update_pipeline_endpoint(call: Call) -> Verb:
    """Rename, describe, enable or disable an endpoint."""
    changes = {name: call.body.text(name, None) for name in ("name", "description", "status")}
    return partial(pipeline_endpoints.update_endpoint, call.context, *_endpoint(call), **changes)


@table.add("POST", _ENDPOINT + "/versions", Role.CONTRIBUTOR, answer="PipelineEndpoint")
def add_pipeline_endpoint_version(call: Call) -> Verb:
    """Add a published pipeline to an endpoint as its next version."""
    body = call.body
    more = {"default": body.flag("default"), "request_id": body.text("request_id", None)}
    return partial(pipeline_endpoints.add_version, call.context, *_endpoint(call), body.text("pipeline_id"), **more)


@table.add("PUT", _ENDPOINT + "/default-version", Role.CONTRIBUTOR, answer="PipelineEndpoint")
def set_default_pipeline_version(call: Call) -> Verb:
    """Make a version of an endpoint the one that runs when none is named."""
    named = {name: call.body.text(name, None) for name in ("version", "pipeline_id")}
    return partial(pipeline_endpoints.set_default_version, call.context, *_endpoint(call), **named)


@table.add("POST", _ENDPOINT + "/runs", Role.CONTRIBUTOR, answer="Run")
def submit_pipeline_endpoint(call: Call) -> Verb:
    """Run a version of an endpoint, the default one when none is named."""
    version = call.body.text("version", None)
    return partial(published_runs.submit_endpoint, call.context, *_endpoint(call), version, _wanted_run(call))


@table.add("GET", _ENDPOINT + "/runs", Role.READER, answer=("Run",))
def list_pipeline_endpoint_runs(call: Call) -> Verb:
    """List the runs that were asked of an endpoint, newest first."""
    return partial(pipeline_endpoints.list_runs, call.context, *_endpoint(call), call.query.number("limit"))


def _endpoint(call: Call) -> tuple[str, str]:
    return call.path["workspace_id"], call.path["endpoint_id"]
