"""The outputs of step runs, and those of pipeline runs that have a name of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock.operations import runs
from penstock.operations.context import Context


def list_outputs(context: Context, run_id: str) -> list[dict[str, Any]]:
    """Return the outputs of a run, in the order of the graph.

    A step run gives all of its outputs: those not published yet have no path. A pipeline run gives the outputs of its steps that
    have a `pipeline_output_name`, each with its `step_run_id`. Runs of other kinds have none.
    """
    row = runs.get_row(context, run_id)
    if row["is_step"]:
        return _outputs(context, _step_rows(context, "step_runs.run_id = ?", run_id)[0])
    if not row["is_pipeline"]:
        return []
    steps = _step_rows(context, "step_runs.pipeline_run_id = ?", run_id)
    return [
        {**output, "step_run_id": step["run_id"]} for step in steps for output in _outputs(context, step) if output["pipeline_output_name"]
    ]


def _step_rows(context: Context, where: str, value: str) -> list[dict[str, Any]]:
    return context.database.all(
        "select step_runs.run_id, step_runs.node_id, step_runs.outputs, original.outputs as original_outputs, pipeline_runs.graph_id"
        " from step_runs join pipeline_runs on pipeline_runs.run_id = step_runs.pipeline_run_id"
        " left join step_runs as original on original.run_id = step_runs.reused_run_id"
        f" where {where} order by step_runs.position",
        (value,),
    )


def _outputs(context: Context, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    step = runs.steps_of(context.database, row["graph_id"])[row["node_id"]]
    stored = json.loads(row["outputs"]) or json.loads(row["original_outputs"] or "[]")
    published = {item["name"]: item for item in stored}
    return [_document(port, published.get(port["name"])) for port in step.get("outputs", ())]


def _document(port: Mapping[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any]:
    made = stored or {}
    return {
        "name": port["name"],
        "datastore": made.get("datastore", port["datastore"]),
        "path": made.get("path"),
        "is_published": stored is not None,
        "pipeline_output_name": port.get("pipeline_output_name"),
        "files": made.get("files"),
        "bytes": made.get("bytes"),
    }
