"""Submit a script: a graph of one step whose step run is the run itself.

The run has a row in `runs`, in `pipeline_runs` and in `step_runs`, all of one id. So all that the engine does for steps, it does for
scripts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from penstock.model import status
from penstock.model.errors import AlreadyExists, Invalid
from penstock.model.graph import StepNode
from penstock.model.ids import new_id, script_run_id
from penstock.model.run_types import SCRIPT_RUN
from penstock.model.steps import SCRIPT_STEP
from penstock.operations import runs
from penstock.operations.context import Change, Context
from penstock.operations.layout import compute_name, step_run_row, target_properties
from penstock.operations.names import as_json, check_name, check_request_id, check_run_id
from penstock.operations.submissions import Submission, check_places, member, parse_submission
from penstock.operations.submit import new_run_row, write_graph
from penstock.operations.workspaces import get_workspace

_log = logging.getLogger(__name__)


def submit_script(context: Context, workspace_id: str, experiment_name: str, submission: Mapping[str, Any]) -> dict[str, Any]:
    """Start the run of one script or command; return the run.

    The submission is that of a pipeline whose graph has one step and no parameters, and may name the `run_id`. Sent twice with the same
    `request_id`, it starts one run and answers with it.

    Raises:
        InvalidGraph: The script can't run; every problem is listed.
        Invalid: Another part of the submission is wrong.
        AlreadyExists: Another run has the `run_id`.
        NotFound: There is no such workspace or parent run.
    """
    check_name("experiment", experiment_name)
    asked = member(submission, "run_id", str, None)
    request_id = check_request_id(submission.get("request_id")) or new_id()
    run_id = check_run_id(asked) if asked else script_run_id(experiment_name, time.time())
    wanted = parse_submission(submission, run_id)
    step = _only_step(wanted)
    with context.change() as change:
        again = _was_sent_before(change, workspace_id, run_id, request_id)
        if not again:
            check_places(context, change, get_workspace(context, workspace_id), wanted)
            _write(context, change, workspace_id, experiment_name, wanted, step, request_id)
    if not again:
        _log.info("run.submitted run_id=%s script=%s experiment=%s", run_id, step.name, experiment_name)
    return runs.get_run(context, run_id)


def _only_step(wanted: Submission) -> StepNode:
    if len(wanted.graph.steps) != 1 or wanted.graph.parameters:
        raise Invalid("The graph of a script's run has one step and no parameters; submit any other as a pipeline.")
    step = wanted.graph.steps[0]
    if step.step_type != SCRIPT_STEP or step.allow_reuse:
        raise Invalid(f"The step of a script's run is of type {SCRIPT_STEP} and is not reused.")
    if bool(step.script) == bool(step.command):
        raise Invalid("A run is that of a script or of a command, one of both.")
    return step


def _was_sent_before(change: Change, workspace_id: str, run_id: str, request_id: str) -> bool:
    """Tell whether this request arrived before, and its answer was lost on the way."""
    found = change.rows.first(
        "select runs.workspace_id, p.request_id from runs left join pipeline_runs p on p.run_id = runs.id where runs.id = ?", [run_id]
    )
    if found and (found["request_id"] != request_id or found["workspace_id"] != workspace_id):
        raise AlreadyExists(f"There is a run with the id '{run_id}' already. Submit with another run_id, or with none.")
    return found is not None


def _write(
    context: Context, change: Change, workspace_id: str, experiment_name: str, wanted: Submission, step: StepNode, request_id: str
) -> None:
    row = new_run_row(context, change, workspace_id, experiment_name, wanted, 1)
    row.update(
        {
            "type": SCRIPT_RUN,
            "name": step.name,
            "display_name": wanted.display_name,
            "description": wanted.description,
            "status": status.QUEUED,
            "queued_at": change.at,
            "tags": as_json(wanted.tags),
            "properties": as_json({**wanted.properties, **_properties(step)}),
            "target": compute_name(step),
        }
    )
    change.rows.insert("runs", row)
    graph_id = write_graph(change, wanted.graph)
    about = {"run_id": row["id"], "graph_id": graph_id, "interpreter": wanted.interpreter, "request_id": request_id}
    change.rows.insert("pipeline_runs", about)
    change.rows.insert("step_runs", step_run_row(row["id"], row["id"], step, wanted.plan.definitions[step.id]))
    change.tell(row["id"], row["root_run_id"], status.QUEUED, "client", "submitted")
    change.for_engine = True


def _properties(step: StepNode) -> dict[str, str]:
    return {"ContentSnapshotId": step.snapshot or "", **target_properties(step)}
