"""Submit a pipeline: check everything that can be known now (`submissions`), then write all of its rows in one transaction."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from penstock.model import status
from penstock.model.errors import Invalid
from penstock.model.graph import PipelineGraph, format_graph
from penstock.model.run_types import PIPELINE_RUN, STEP_RUN
from penstock.operations import experiments, runs
from penstock.operations.context import Change, Context
from penstock.operations.layout import write_steps
from penstock.operations.names import as_json, check_name
from penstock.operations.submissions import Submission, check_places, parse_submission
from penstock.operations.workspaces import get_workspace

_log = logging.getLogger(__name__)


def submit_pipeline(context: Context, workspace_id: str, experiment_name: str, submission: Mapping[str, Any]) -> dict[str, Any]:
    """Start a pipeline run: its row and one for each step, all at once or not at all.

    Sent twice with the same `request_id`, it starts one run and answers with it.

    Raises:
        InvalidGraph: The pipeline can't run; every problem is listed.
        Invalid: Another part of the submission is wrong: a parameter's name or value, a type.
        NotFound: There is no such workspace or parent run.
    """
    wanted = parse_submission(submission)
    check_name("experiment", experiment_name)
    known = known_definitions(context, workspace_id, wanted.plan.definitions)
    with context.change() as change:
        again = change.rows.first("select 1 from runs where id = ?", (wanted.run_id,))
        if not again:
            check_places(context, change, get_workspace(context, workspace_id), wanted)
            _write(context, change, workspace_id, experiment_name, wanted)
    if again:
        return _answer_again(context, workspace_id, wanted)
    _log.info("run.submitted run_id=%s steps=%d experiment=%s", wanted.run_id, len(wanted.plan.order), experiment_name)
    return _answer(context, wanted, known)


def known_definitions(context: Context, workspace_id: str, ids: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return node id -> its definition, and whether a step of the workspace had the same one before."""
    rows = context.database.all(
        "select value as id from json_each(?) as wanted where exists (select 1 from step_runs join runs on runs.id = step_runs.run_id"
        " where step_runs.definition_id = wanted.value and runs.workspace_id = ?)",
        (json.dumps(sorted(set(ids.values()))), workspace_id),
    )
    known = {row["id"] for row in rows}
    return {node_id: {"definition_id": definition, "known": definition in known} for node_id, definition in ids.items()}


# Rows


def _write(context: Context, change: Change, workspace_id: str, experiment_name: str, wanted: Submission) -> None:
    pipeline = new_run_row(context, change, workspace_id, experiment_name, wanted, 1 + len(wanted.plan.order))
    first = status.RUNNING if wanted.plan.order else status.COMPLETED  # nothing to do is done at once
    write_pipeline(change, pipeline, experiment_name, wanted, first, {"graph_id": write_graph(change, wanted.graph)})
    write_steps(change, pipeline, wanted.plan)


def new_run_row(
    context: Context, change: Change, workspace_id: str, experiment_name: str, wanted: Submission, count: int
) -> dict[str, Any]:
    """Return the columns that the first run of a submission of `count` runs has, whatever its kind; its experiment is made on first use.

    Raises:
        NotFound: There is no such parent run.
        Invalid: The parent run is of another workspace.
    """
    parent = runs.find_parent(context, wanted.parent_run_id)
    if parent and parent["workspace_id"] != workspace_id:
        raise Invalid(f"The parent run {parent['id']} belongs to another workspace.", member="parent_run_id")
    experiment = experiments.ensure_in(context, change, workspace_id, experiment_name)
    number = experiments.take_numbers(change, experiment["id"], count)
    row = runs.new_row(change, wanted.run_id, experiment, number, parent)
    return {**row, "submitter_run_id": _known_run(context, wanted.submitter_run_id)}


def _known_run(context: Context, run_id: str | None) -> str | None:
    """Return the id where there is such a run; a process may carry that of a run of another home."""
    found = context.database.first("select id from runs where id = ?", (run_id,)) if run_id else None
    return found["id"] if found else None


def write_pipeline(
    change: Change, row: dict[str, Any], experiment_name: str, wanted: Submission, first: str, about: Mapping[str, Any]
) -> None:
    """Write the rows of a pipeline run, without those of its steps.

    Args:
        change: The transaction.
        row: What `new_run_row` gave; it is completed.
        experiment_name: The experiment, after which a run is named that has no other name.
        wanted: The submission.
        first: The status that the run begins with.
        about: The graph's id, and what else only this kind of submission knows of its run.
    """
    row.update(
        {
            "type": PIPELINE_RUN,
            "name": wanted.graph.name or experiment_name,
            "display_name": wanted.display_name,
            "description": wanted.description or wanted.graph.name or experiment_name,
            "status": first,
            "queued_at": change.at,
            "started_at": None if first == status.NOT_STARTED else change.at,
            "ended_at": change.at if status.is_final(first) else None,
            "tags": as_json(wanted.tags),
            "properties": as_json({**wanted.properties, **_pipeline_properties(wanted)}),
        }
    )
    change.rows.insert("runs", row)
    change.rows.insert(
        "pipeline_runs",
        {
            "run_id": row["id"],
            "parameters": as_json(wanted.values),
            "continue_on_step_failure": int(wanted.continue_on_step_failure),
            "regenerate_outputs": int(wanted.regenerate_outputs),
            "interpreter": wanted.interpreter,
            **about,
        },
    )
    change.tell(row["id"], row["root_run_id"], first, "client", "submitted", {"steps": len(wanted.plan.order)})
    change.for_engine = True


def write_graph(change: Change, graph: PipelineGraph) -> str:
    """Keep a graph; return its id."""
    document = json.dumps(format_graph(graph), sort_keys=True, separators=(",", ":"))
    graph_id = hashlib.sha256(document.encode()).hexdigest()
    change.rows.execute(
        "insert into graphs (id, document, created_at) values (?, ?, ?) on conflict do nothing", (graph_id, document, change.at)
    )
    return graph_id


def _pipeline_properties(wanted: Submission) -> dict[str, str]:
    return {
        "azureml.runsource": PIPELINE_RUN,
        "runSource": wanted.run_source,
        "runType": wanted.run_type,
        "azureml.parameters": json.dumps({name: _parameter_text(value) for name, value in wanted.values.items()}),
        "azureml.continue_on_step_failure": str(wanted.continue_on_step_failure),
        "azureml.continue_on_failed_optional_input": "True",
        "azureml.pipelineComponent": "pipelinerun",
    }


def _parameter_text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return str(value["id"]) if "id" in value else f"{value['datastore']}/{value.get('path', '')}"


# Answers


def _answer(context: Context, wanted: Submission, definitions: Mapping[str, Any]) -> dict[str, Any]:
    steps = sorted(runs.list_children(context, wanted.run_id, type=STEP_RUN), key=lambda step: int(step["number"]))
    return {"run": runs.get_run(context, wanted.run_id), "steps": steps, "definitions": definitions}


def _answer_again(context: Context, workspace_id: str, wanted: Submission) -> dict[str, Any]:
    """The first try arrived, and its answer was lost on the way."""
    row = runs.get_row(context, wanted.run_id)
    if not row["is_pipeline"] or row["workspace_id"] != workspace_id:
        raise Invalid(f"The request_id {wanted.run_id} names a run that is not of this submission; make a new one.")
    nodes = context.database.all("select node_id, definition_id from step_runs where pipeline_run_id = ?", (wanted.run_id,))
    return _answer(context, wanted, {item["node_id"]: {"definition_id": item["definition_id"], "known": True} for item in nodes})
