"""Run what was published: a pipeline, or a version of an endpoint.

Such a run is accepted as one row. The engine lays its steps out when it has room, so that many submissions at once cost little.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.model import status
from penstock.model.entity_status import ACTIVE
from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, Refused
from penstock.model.ids import new_id
from penstock.operations import runs
from penstock.operations.assignments import read_assignments
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_description, check_name, check_request_id, texts
from penstock.operations.pipelines import get_row
from penstock.operations.plans import plan_of
from penstock.operations.submissions import Submission, check_places, member
from penstock.operations.submit import new_run_row, write_pipeline
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row

_log = logging.getLogger(__name__)


def submit_published(context: Context, workspace_id: str, pipeline_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Run a published pipeline; return the run. Sent twice with the same `request_id`, it starts one run and answers with it.

    Args:
        context: The surroundings.
        workspace_id: The workspace.
        pipeline_id: The published pipeline.
        wanted: `experiment_name`; and where given `parameters` (name -> value, or its text), `description`, `tags`, `step_tags`,
            `properties`, `continue_on_step_failure` (None: as it was published), `parent_run_id`, `run_source`, `run_type`,
            `schedule_id`, `request_id`, `submitter_run_id`.

    Raises:
        NotFound: There is no such pipeline, workspace or parent run.
        Refused: The pipeline is disabled.
        Invalid: A parameter or another member is wrong; details name it.
        InvalidGraph: Something that the pipeline needs is not there any more.
    """
    called = _Called(lambda source: get_row(source, workspace_id, pipeline_id), pipeline_id=pipeline_id)
    return _submit(context, workspace_id, wanted, called)


def submit_endpoint(
    context: Context, workspace_id: str, endpoint_id: str, version: str | None, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Run a version of a pipeline endpoint, the default one when `version` is None; else as `submit_published`."""
    called = _Called(lambda source: pipeline_of_endpoint(source, workspace_id, endpoint_id, version), endpoint_id=endpoint_id)
    return _submit(context, workspace_id, wanted, called)


@dataclass(frozen=True)
class _Called:
    """What was called, a pipeline or an endpoint, and how to find the pipeline that it runs now."""

    find: Callable[[Context | Change], Row]
    pipeline_id: str | None = None
    endpoint_id: str | None = None

    def has_started(self, run: Row) -> bool:
        """Tell whether a run is one of it. The version that an endpoint ran then need not be the one that it runs now."""
        return bool(run["endpoint_id"] == self.endpoint_id and (self.endpoint_id or run["pipeline_id"] == self.pipeline_id))


def _submit(context: Context, workspace_id: str, wanted: Mapping[str, Any], called: _Called) -> dict[str, Any]:
    run_id = _run_id(wanted)
    with contextlib.suppress(PenstockError):  # what is wrong is told below
        plan_of(context.database, called.find(context)["graph_id"])  # a large graph takes seconds, and nobody else shall wait for them
    with context.change() as change:
        again = change.rows.first(
            "select r.workspace_id, p.pipeline_id, p.endpoint_id from runs r left join pipeline_runs p on p.run_id = r.id where r.id = ?",
            (run_id,),
        )
        if again and (again["workspace_id"] != workspace_id or not called.has_started(again)):
            raise AlreadyExists(f"The request_id {run_id} names a run that is not of this submission; make a new one.", member="request_id")
        if not again:
            accept_in(context, change, called.find(change), {**wanted, "request_id": run_id}, called.endpoint_id)
    return runs.get_run(context, run_id)


def _run_id(wanted: Mapping[str, Any]) -> str:
    return check_request_id(wanted.get("request_id")) or new_id()


def accept_in(context: Context, change: Change, pipeline: Row, wanted: Mapping[str, Any], endpoint_id: str | None = None) -> str:
    """Accept a run of a published pipeline inside a transaction that does more; return its id.

    Args:
        context: The surroundings.
        change: The transaction.
        pipeline: The row of the published pipeline.
        wanted: As for `submit_published`.
        endpoint_id: The endpoint that it was called by.

    Raises:
        PenstockError: As `submit_published`.
    """
    check_enabled(pipeline)
    workspace_id = pipeline["workspace_id"]
    experiment_name = _experiment_name(wanted)
    submission = _submission(context, pipeline, wanted, experiment_name)
    check_places(context, change, get_workspace(context, workspace_id), submission)
    order = submission.plan.order
    row = new_run_row(context, change, workspace_id, experiment_name, submission, 1 + len(order))
    about = {
        "graph_id": pipeline["graph_id"],
        "pipeline_id": pipeline["id"],
        "endpoint_id": endpoint_id,
        "schedule_id": wanted.get("schedule_id"),
        "step_tags": as_json(texts("step tags", wanted.get("step_tags") or {})),
        "waits_since": change.at if order else None,
    }
    write_pipeline(change, row, experiment_name, submission, status.NOT_STARTED if order else status.COMPLETED, about)
    _log.info("run.accepted run_id=%s pipeline=%s experiment=%s", row["id"], pipeline["id"], experiment_name)
    return str(row["id"])


def check_enabled(pipeline: Row) -> None:
    """Do nothing for a published pipeline that can be run; raise Refused for one that is disabled or deprecated."""
    if pipeline["status"] != ACTIVE:
        raise Refused(
            f"The published pipeline '{pipeline['name']}' ({pipeline['id']}) is {pipeline['status']}. Enable it: published.enable(), "
            "or 'penstock pipelines enable'."
        )


def _experiment_name(wanted: Mapping[str, Any]) -> str:
    name = wanted.get("experiment_name")
    try:
        return check_name("experiment", name)
    except Invalid as error:
        raise Invalid(f"{error.message} A submission must name the experiment that its run belongs to.", member="experiment_name") from None


def _submission(context: Context, pipeline: Row, wanted: Mapping[str, Any], experiment_name: str) -> Submission:
    plan = plan_of(context.database, pipeline["graph_id"])
    more = {"azureml.pipelineid": pipeline["id"]}
    if wanted.get("schedule_id"):
        more["azureml.scheduleid"] = str(wanted["schedule_id"])
    return Submission(
        plan=plan,
        values=read_assignments(plan.graph.parameters, member(wanted, "parameters", dict, {})),
        continue_on_step_failure=member(wanted, "continue_on_step_failure", bool, bool(pipeline["continue_on_step_failure"])),
        regenerate_outputs=False,
        tags=texts("tags", wanted.get("tags") or {}),
        properties={**texts("properties", wanted.get("properties") or {}), **more},
        parent_run_id=member(wanted, "parent_run_id", str, None),
        description=check_description(wanted.get("description")) or experiment_name,
        display_name=None,
        interpreter=pipeline["interpreter"],
        run_source=member(wanted, "run_source", str, "SDK"),
        run_type=member(wanted, "run_type", str, "SDK"),
        submitter_run_id=member(wanted, "submitter_run_id", str, None),
        run_id=_run_id(wanted),
    )


def pipeline_of_endpoint(source: Context | Change, workspace_id: str, endpoint_id: str, version: str | None = None) -> Row:
    """Return the row of the pipeline that an endpoint's version runs, from a transaction that is open or from what is committed.

    The default version when `version` is None.

    Raises:
        NotFound: There is no such endpoint or version.
        Refused: The endpoint is disabled.
    """
    rows = source.database if isinstance(source, Context) else source.rows
    endpoint = rows.first("select * from pipeline_endpoints where id = ? and workspace_id = ?", (endpoint_id, workspace_id))
    if endpoint is None:
        raise NotFound(f"There is no pipeline endpoint with the id '{endpoint_id}' in this workspace.")
    if endpoint["status"] != ACTIVE:
        hint = "Enable it: endpoint.enable(), or 'penstock endpoints enable'."
        raise Refused(f"The pipeline endpoint '{endpoint['name']}' is {endpoint['status']}. {hint}")
    versions = {
        str(row["version"]): row["pipeline_id"]
        for row in rows.all("select version, pipeline_id from pipeline_endpoint_versions where endpoint_id = ?", (endpoint_id,))
    }
    asked = str(endpoint["default_version"]) if version is None else version
    if asked not in versions:
        raise NotFound.named("version", asked, versions, f"the pipeline endpoint '{endpoint['name']}'")
    return get_row(source, workspace_id, versions[asked])
