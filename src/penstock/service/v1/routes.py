"""v1's routes below a workspace: read what was asked, name the verb, and put what it gives in v1's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.model.errors import Invalid, NotFound
from penstock.model.run_types import PIPELINE_RUN
from penstock.operations import addresses, pipeline_endpoints, pipelines, published_runs, runs, schedules
from penstock.operations.context import Context
from penstock.operations.plans import plan_of
from penstock.service.routes import Role, RouteTable
from penstock.service.v1.description import DESCRIPTION, describe_endpoints
from penstock.service.v1.entities import Entity, pipeline_entity, run_entity, schedule_entity
from penstock.service.v1.members import Members
from penstock.service.v1.submissions import Parameters, read_order

table = RouteTable("")

_SUBMIT = "/PipelineRuns/PipelineSubmit/{pipeline_id}"
_SUBMIT_ENDPOINT = "/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint_id}"
_SUBMIT_NAMED_ENDPOINT = "/PipelineRuns/PipelineEndpointSubmit/Name"
_RUN = "/PipelineRuns/{run_id}"
_MOST_RUNS = 1_000  # in one answer: a pipeline that programs call has very many


@dataclass
class V1Call:
    """One request on its way through a route.

    Attributes:
        context: The surroundings of the verb.
        workspace_id: The workspace that the address names.
        path: What the address names below it.
        query: The query.
        body: The body.
        caller_run_id: The run whose script calls, where the token says so.
        places: Where errors say that a parameter's value stood.
    """

    context: Context
    workspace_id: str
    path: dict[str, str]
    query: Members
    body: Members
    caller_run_id: str | None = None
    places: dict[str, str] = field(default_factory=dict)


# Running


@table.add("POST", _SUBMIT, Role.CONTRIBUTOR)
def submit_pipeline(call: V1Call) -> Entity:
    """Run a published pipeline."""
    pipeline_id = call.path["pipeline_id"]
    wanted = _read(call, lambda: _parameters(call, pipeline_id))
    return _run_entity(call, published_runs.submit_published(call.context, call.workspace_id, pipeline_id, wanted))


@table.add("POST", _SUBMIT_ENDPOINT, Role.CONTRIBUTOR)
@table.add("POST", _SUBMIT_ENDPOINT + "/{version}", Role.CONTRIBUTOR)
def submit_endpoint(call: V1Call) -> Entity:
    """Run a version of a pipeline endpoint, the default one unless the path or `pipelineVersion` names another."""
    return _submit_endpoint(call, call.path["endpoint_id"])


@table.add("POST", _SUBMIT_NAMED_ENDPOINT, Role.CONTRIBUTOR)
def submit_named_endpoint(call: V1Call) -> Entity:
    """Run a version of the pipeline endpoint that the query `name` names, the default one unless `pipelineVersion` names another."""
    name = call.query.text("name")
    if not name:
        raise Invalid("Nothing says which pipeline endpoint is meant. Give its name: PipelineEndpointSubmit/Name?name=NAME.", target="name")
    return _submit_endpoint(call, pipeline_endpoints.get_endpoint_by_name(call.context, call.workspace_id, name)["id"])


def _submit_endpoint(call: V1Call, endpoint_id: str) -> Entity:
    version = _version(call)
    wanted = _read(call, lambda: _endpoint_parameters(call, endpoint_id, version))
    return _run_entity(call, published_runs.submit_endpoint(call.context, call.workspace_id, endpoint_id, version, wanted))


def _version(call: V1Call) -> str | None:
    named, asked = call.path.get("version"), call.query.text("pipelineVersion")
    if named and asked and named != asked:
        raise Invalid(f"The path asks for version '{named}', and pipelineVersion for '{asked[:40]}'.", target="pipelineVersion")
    return named or asked


def _read(call: V1Call, parameters: Parameters) -> dict[str, Any]:
    order = read_order(call.context, call.workspace_id, call.body, call.query, parameters)
    call.places.update(order.places)
    return {**order.wanted, "submitter_run_id": call.caller_run_id}


def _parameters(call: V1Call, pipeline_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pipelines.get_pipeline(call.context, call.workspace_id, pipeline_id)["parameters"]
    return found


def _endpoint_parameters(call: V1Call, endpoint_id: str, version: str | None) -> list[dict[str, Any]]:
    endpoint = pipeline_endpoints.get_endpoint(call.context, call.workspace_id, endpoint_id)
    asked = version or endpoint["default_version"]
    pipeline_id = next((item["pipeline_id"] for item in endpoint["versions"] if str(item["version"]) == asked), None)
    return _parameters(call, pipeline_id) if pipeline_id else []  # submitting says that there is no such version


# Runs


@table.add("GET", "/PipelineRuns/Pipeline/{pipeline_id}", Role.READER)
def list_runs_of_pipeline(call: V1Call) -> list[Entity]:
    """List the runs of a published pipeline, newest first: at most 1000."""
    found = pipelines.list_runs(call.context, call.workspace_id, call.path["pipeline_id"], limit=_MOST_RUNS)
    return [_run_entity(call, run) for run in found]


@table.add("GET", _RUN, Role.READER)
def get_run(call: V1Call) -> Entity:
    """Read a pipeline run."""
    return _run_entity(call, _find_run(call))


@table.add("DELETE", _RUN + "/Execution", Role.CONTRIBUTOR)
def cancel_run(call: V1Call) -> None:
    """Ask a pipeline run to stop."""
    runs.cancel_run(call.context, _find_run(call)["id"])


def _find_run(call: V1Call) -> dict[str, Any]:
    run_id = call.path["run_id"]
    run = runs.get_run(call.context, run_id)
    if run["workspace_id"] != call.workspace_id or run["type"] != PIPELINE_RUN:
        raise NotFound(f"There is no pipeline run with the id '{run_id}' in this workspace.")
    return run


def _run_entity(call: V1Call, run: Mapping[str, Any]) -> Entity:
    return run_entity(run, len(plan_of(call.context.database, run["graph_id"]).order))


# What is published


@table.add("GET", "/Pipelines", Role.READER)
def list_pipelines(call: V1Call) -> list[Entity]:
    """List published pipelines, newest first: the active ones unless `activeOnly` is false."""
    found = pipelines.list_pipelines(call.context, call.workspace_id, active_only=_active_only(call))
    return [_pipeline_entity(call, pipeline) for pipeline in found]


@table.add("GET", "/Pipelines/{pipeline_id}", Role.READER)
def get_pipeline(call: V1Call) -> Entity:
    """Read a published pipeline."""
    return _pipeline_entity(call, pipelines.get_pipeline(call.context, call.workspace_id, call.path["pipeline_id"]))


def _pipeline_entity(call: V1Call, pipeline: Mapping[str, Any]) -> Entity:
    found = addresses.get_address(call.context, call.workspace_id, "pipeline", pipeline["id"])
    return pipeline_entity(pipeline, found["address"])


@table.add("GET", "/Schedules", Role.READER)
def list_schedules(call: V1Call) -> list[Entity]:
    """List schedules: the active ones unless `activeOnly` is false."""
    return [schedule_entity(item) for item in schedules.list_schedules(call.context, call.workspace_id, active_only=_active_only(call))]


def _active_only(call: V1Call) -> bool:
    return call.query.flag("activeOnly") is not False


@table.add("GET", DESCRIPTION, Role.READER)
def describe(call: V1Call) -> Entity:
    """Describe how endpoints are called."""
    return describe_endpoints()
