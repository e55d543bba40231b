"""Lay a pipeline run out: one row for each step, with who waits for whom.

A pipeline that its author submits is laid out at once. One that others call may be called very often, so its runs wait as one row each
until the engine has room for them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from penstock.model import status
from penstock.model.errors import PenstockError
from penstock.model.graph import LOCAL, StepNode
from penstock.model.ids import new_id
from penstock.model.run_types import STEP_RUN
from penstock.operations.context import Change, Context
from penstock.operations.mishaps import is_foreseen, tell, will_pass
from penstock.operations.names import as_json
from penstock.operations.plans import Plan, plan_of

_log = logging.getLogger(__name__)
ENGINE = "engine"


# Runs that wait


def count_waiting(context: Context) -> int:
    """Return how many runs wait to be laid out."""
    row = context.database.first("select count(*) as runs from pipeline_runs where waits_since is not null")
    return int(row["runs"]) if row else 0


def lay_out_next(context: Context) -> bool:
    """Lay out the run that waits longest; return False when none waits. One that can't be laid out fails, and the next has its turn.

    Raises:
        Exception: It can't be laid out now, as the disk is full, say; it goes on waiting.
    """
    first = context.database.first(
        "select run_id, graph_id from pipeline_runs where waits_since is not null order by waits_since, run_id limit 1"
    )
    if first is None:
        return False
    try:
        _lay_out(context, first["run_id"], plan_of(context.database, first["graph_id"]))
    except Exception as error:
        if will_pass(error):
            raise
        _log.error("run.not_laid_out run_id=%s reason=%s", first["run_id"], error, exc_info=not is_foreseen(error))
        _fail(context, first["run_id"], error if isinstance(error, PenstockError) else PenstockError(tell(error)))
    return True


def _lay_out(context: Context, run_id: str, plan: Plan) -> None:
    with context.change() as change:
        waiting = _take(change, run_id)
        run = _move(change, run_id, status.RUNNING, "Its turn has come.") if waiting else None
        if waiting and run:
            write_steps(change, run, plan, json.loads(waiting["step_tags"]))


def _fail(context: Context, run_id: str, error: PenstockError) -> None:
    with context.change() as change:
        if _take(change, run_id):
            document = as_json(error.document()["error"])
            change.rows.execute("update runs set error = ?, ended_at = ? where id = ?", (document, change.at, run_id))
            _move(change, run_id, status.FAILED, error.message)


def _take(change: Change, run_id: str) -> dict[str, Any] | None:
    """End a run's waiting; None when somebody else did, or it was cancelled."""
    return change.rows.first(
        "update pipeline_runs set waits_since = null where run_id = ? and waits_since is not null returning step_tags", (run_id,)
    )


def _move(change: Change, run_id: str, following: str, reason: str) -> dict[str, Any] | None:
    run = change.rows.first(
        "update runs set status = ?, started_at = coalesce(started_at, ?) where id = ? and status = 'NotStarted' returning *",
        (following, change.at, run_id),
    )
    if run:
        change.tell(run_id, run["root_run_id"], following, ENGINE, reason)
    return run


# Rows


def write_steps(change: Change, pipeline: Mapping[str, Any], plan: Plan, tags: Mapping[str, Any] | None = None) -> None:
    """Write the rows of a pipeline run's steps; those that wait for nothing are queued. `tags` are put on each of them."""
    steps = {step.id: step for step in plan.graph.steps}
    run_ids = {node_id: new_id() for node_id in plan.order}
    before = {node_id: [node for node in steps[node_id].predecessors() if node in steps] for node_id in plan.order}
    rows = [
        _step_row(pipeline, number, run_ids[node_id], steps[node_id], plan.definitions[node_id], not before[node_id], tags or {})
        for number, node_id in enumerate(plan.order, pipeline["number"] + 1)
    ]
    change.rows.insert_many("runs", rows)
    change.rows.insert_many(
        "step_runs",
        [
            step_run_row(run_ids[node_id], pipeline["id"], steps[node_id], plan.definitions[node_id], position, len(before[node_id]))
            for position, node_id in enumerate(plan.order)
        ],
    )
    edges = [{"before_run_id": run_ids[node], "after_run_id": run_ids[node_id]} for node_id in plan.order for node in before[node_id]]
    change.rows.insert_many("step_edges", edges)
    change.rows.insert_many("events", [_submitted(row, change.at) for row in rows])


def step_run_row(
    run_id: str, pipeline_run_id: str, step: StepNode, definition: str, position: int = 0, waiting_for: int = 0
) -> dict[str, Any]:
    """Return what a step's run has beside its row in `runs`.

    Args:
        run_id: The run of the step.
        pipeline_run_id: The pipeline run that it is a part of; the run itself for that of a script.
        step: The step.
        definition: The id of its definition.
        position: Its place in the order of the graph's steps.
        waiting_for: How many steps must end before it can start.
    """
    return {
        "run_id": run_id,
        "pipeline_run_id": pipeline_run_id,
        "node_id": step.id,
        "position": position,
        "waiting_for": waiting_for,
        "compute_name": compute_name(step),
        "definition_id": definition,
    }


def _submitted(run: Mapping[str, Any], at: str) -> dict[str, Any]:
    """Return the first event of a step's run."""
    told = {"actor": "client", "reason": "submitted"}
    return {"run_id": run["id"], "root_run_id": run["root_run_id"], "at": at, "status": run["status"], **told}


def _step_row(
    pipeline: Mapping[str, Any], number: int, run_id: str, step: StepNode, definition: str, is_ready: bool, more_tags: Mapping[str, Any]
) -> dict[str, Any]:
    tags = {"azureml.nodeid": step.id, "azureml.pipeline": pipeline["id"]}
    return {
        "id": run_id,
        "workspace_id": pipeline["workspace_id"],
        "experiment_id": pipeline["experiment_id"],
        "number": number,
        "type": STEP_RUN,
        "name": step.name,
        "display_name": step.name,
        "status": status.QUEUED if is_ready else status.NOT_STARTED,
        "parent_run_id": pipeline["id"],
        "root_run_id": pipeline["root_run_id"],
        "created_at": pipeline["created_at"],
        "queued_at": pipeline["created_at"] if is_ready else None,
        "tags": as_json({**more_tags, **tags}),
        "properties": as_json({**_step_properties(step, definition), **tags, "azureml.pipelinerunid": pipeline["id"]}),
        "target": compute_name(step),
        "created_by": pipeline["created_by"],
    }


def compute_name(step: StepNode) -> str:
    """Return the name of the compute target that a step runs on."""
    return step.compute.name if step.compute else LOCAL


def _step_properties(step: StepNode, definition: str) -> dict[str, str]:
    return {
        "azureml.runsource": STEP_RUN,
        "azureml.moduleid": definition,
        "azureml.moduleName": step.name,
        "azureml.pipelineComponent": "steprun",
        "StepType": step.step_type,
        "ContentSnapshotId": step.snapshot or "",
        **target_properties(step),
    }


def target_properties(step: StepNode) -> dict[str, str]:
    """Return the properties that tell what kind of compute target a step runs on."""
    kind = (step.compute.type if step.compute else None) or LOCAL
    return {"ComputeTargetType": kind, "_azureml.ComputeTargetType": kind.lower()}
