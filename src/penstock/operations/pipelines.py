"""Published pipelines: graphs under an id that others call. What one runs never changes; its status does.

Everything that a submission is checked for is checked when a pipeline is published, so that what is published can run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from penstock.model.entity_status import ACTIVE, STATUSES
from penstock.model.errors import Invalid, NotFound
from penstock.model.graph import format_graph
from penstock.model.ids import new_id
from penstock.operations import runs
from penstock.operations.context import Change, Context
from penstock.operations.names import as_json, check_description, check_request_id, check_title, current_user, texts
from penstock.operations.plans import plan_of
from penstock.operations.submissions import Submission, check_places, member, parse_submission
from penstock.operations.submit import known_definitions, write_graph
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row

_log = logging.getLogger(__name__)

_UNNAMED = "Pipeline"
_PLAIN = (
    *("id", "workspace_id", "name", "description", "version", "status", "graph_id", "step_count", "source_run_id"),
    *("created_at", "modified_at", "created_by"),
)


# Publishing


def publish(context: Context, workspace_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Publish a graph, or that of a run, as a pipeline that others call. Nothing is run.

    Sent twice with the same `request_id`, it is published once.

    Args:
        context: The surroundings.
        workspace_id: Where.
        wanted: Either `graph`, a document, with the `interpreter` that its steps run on; or `run_id`, of a pipeline run: its graph with the
            defaults of its parameters, on the interpreter of that run. With it name, description, version, continue_on_step_failure, tags,
            properties, request_id; all of them may be missing.

    Returns:
        The pipeline, and as `definitions` what the workspace knows of its steps: node id -> {"definition_id", "known"}.

    Raises:
        InvalidGraph: The pipeline could not run; every problem is listed.
        Invalid: Another part is wrong.
        NotFound: There is no such workspace, or no such pipeline run in it.
    """
    request_id = check_request_id(wanted.get("request_id"))
    sent = _find_sent(context, workspace_id, request_id)
    if sent:
        return _answer_again(context, sent)
    source = _source_run(context, workspace_id, member(wanted, "run_id", str, None))
    submission = parse_submission(_submission(context, wanted, source))
    known = known_definitions(context, workspace_id, submission.plan.definitions)
    row = {**_new_row(workspace_id, wanted, submission), "source_run_id": source["id"] if source else None, "request_id": request_id}
    with context.change() as change:
        sent = _find_sent(context, workspace_id, request_id)
        if sent is None:
            check_places(context, change, get_workspace(context, workspace_id), submission)
            row.update({"graph_id": write_graph(change, submission.graph), "created_at": change.at, "modified_at": change.at})
            change.rows.insert("pipelines", row)
    if sent:
        return _answer_again(context, sent)
    _log.info("pipeline.published pipeline_id=%s steps=%d", row["id"], row["step_count"])
    return {**get_pipeline(context, workspace_id, row["id"]), "definitions": known}


def _find_sent(context: Context, workspace_id: str, request_id: str | None) -> Row | None:
    """Return the pipeline that the first try of a request published."""
    if request_id is None:
        return None
    return context.database.first("select * from pipelines where workspace_id = ? and request_id = ?", (workspace_id, request_id))


def _answer_again(context: Context, row: Row) -> dict[str, Any]:
    """The first try arrived, and its answer was lost on the way."""
    ids = plan_of(context.database, row["graph_id"]).definitions
    known = {node_id: {"definition_id": definition, "known": True} for node_id, definition in ids.items()}
    return {**_document(row), "definitions": known}


def _source_run(context: Context, workspace_id: str, run_id: str | None) -> Row | None:
    """Return the row of the pipeline run to publish; None when none is named."""
    if run_id is None:
        return None
    run = runs.get_row(context, run_id)
    if run["workspace_id"] != workspace_id or not run["is_pipeline"]:
        raise NotFound(f"The workspace '{get_workspace(context, workspace_id)['name']}' has no pipeline run '{run_id}'.")
    return run


def _submission(context: Context, wanted: Mapping[str, Any], source: Row | None) -> dict[str, Any]:
    """Return the submission that the pipeline stands for: what passes for one, every later run passes for."""
    about = {name: wanted.get(name) for name in ("tags", "properties", "continue_on_step_failure")}
    if source is None:
        if wanted.get("graph") is None:
            raise Invalid("A pipeline is published from a graph, or from a pipeline run. Name either: 'graph' or 'run_id'.")
        return {**about, "graph": wanted["graph"], "interpreter": wanted.get("interpreter")}
    if wanted.get("graph") is not None:
        raise Invalid("A pipeline is published from a graph or from a pipeline run, not from both. Leave out 'graph' or 'run_id'.")
    ran = context.database.first("select interpreter from pipeline_runs where run_id = ?", (source["id"],))
    return {**about, "graph": runs.get_graph(context, source["id"]), "interpreter": ran["interpreter"] if ran else None}


def _new_row(workspace_id: str, wanted: Mapping[str, Any], submission: Submission) -> dict[str, Any]:
    version = member(wanted, "version", str, None)
    return {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": check_title("published pipeline", wanted.get("name") or submission.graph.name or _UNNAMED),
        "description": check_description(wanted.get("description")),
        "version": check_title("published pipeline's version", version) if version else None,
        "status": ACTIVE,
        "step_count": len(submission.plan.order),
        "continue_on_step_failure": int(submission.continue_on_step_failure),
        "parameters": as_json(format_graph(submission.graph).get("parameters", [])),
        "interpreter": submission.interpreter,
        "tags": as_json(texts("tags", submission.tags)),
        "properties": as_json(texts("properties", submission.properties)),
        "created_by": current_user(),
    }


# Reading


def get_row(source: Context | Change, workspace_id: str, pipeline_id: str) -> Row:
    """Return the row of a published pipeline, from a transaction that is open or from what is committed.

    Raises:
        NotFound: The workspace has none with this id; the message names the one that is called so, where there is one.
    """
    rows = source.database if isinstance(source, Context) else source.rows
    row = rows.first("select * from pipelines where workspace_id = ? and id = ?", (workspace_id, pipeline_id))
    if row is None:
        named = rows.first(
            "select id, name from pipelines where workspace_id = ? and name = ? order by created_at desc", (workspace_id, pipeline_id)
        )
        hint = f"The newest of this name has the id '{named['id']}'." if named else "PublishedPipeline.list(workspace) lists them."
        raise NotFound(f"There is no published pipeline with the id '{pipeline_id}' in this workspace. {hint}", kind="pipeline")
    return row


def get_pipeline(context: Context, workspace_id: str, pipeline_id: str) -> dict[str, Any]:
    """Return one published pipeline.

    Raises:
        NotFound: There is none with this id.
    """
    return _document(get_row(context, workspace_id, pipeline_id))


def list_pipelines(
    context: Context, workspace_id: str, active_only: bool = False, name: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the published pipelines of a workspace, newest first.

    Args:
        context: The surroundings.
        workspace_id: Where.
        active_only: Without those that are disabled or deprecated.
        name: Only those with this name.
        limit: At most so many.

    Raises:
        NotFound: There is no such workspace.
    """
    get_workspace(context, workspace_id)
    rows = context.database.all(
        "select * from pipelines where workspace_id = ? and (status = ? or not ?) and name = coalesce(?, name)"
        " order by created_at desc, rowid desc limit ?",
        (workspace_id, ACTIVE, active_only, name, -1 if limit is None else limit),
    )
    return [_document(row) for row in rows]


def get_graph(context: Context, workspace_id: str, pipeline_id: str) -> dict[str, Any]:
    """Return the graph document of a published pipeline.

    Raises:
        NotFound: There is no such pipeline.
    """
    return format_graph(plan_of(context.database, get_row(context, workspace_id, pipeline_id)["graph_id"]).graph)


def list_runs(context: Context, workspace_id: str, pipeline_id: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the runs of a published pipeline, whoever started them, newest first; at most `limit`.

    Raises:
        NotFound: There is no such pipeline.
    """
    get_row(context, workspace_id, pipeline_id)
    return runs.list_published_runs(context, pipeline_id=pipeline_id, limit=limit)


# Changing


def set_status(context: Context, workspace_id: str, pipeline_id: str, status: str) -> dict[str, Any]:
    """Enable, deprecate or disable a published pipeline; only an active one can be run.

    Raises:
        Invalid: There is no such status.
        NotFound: There is no such pipeline.
    """
    check_status(status)
    with context.change() as change:
        get_row(change, workspace_id, pipeline_id)
        change.rows.execute("update pipelines set status = ?, modified_at = ? where id = ?", (status, change.at, pipeline_id))
        return get_pipeline(context, workspace_id, pipeline_id)


def check_status(status: str) -> str:
    """Return a status of something published; raise Invalid when there is none such."""
    if status not in STATUSES:
        raise Invalid(f"There is no status '{status[:40]}' of what is published. There are: {', '.join(STATUSES)}.")
    return status


def _document(row: Row) -> dict[str, Any]:
    return {
        **{key: row[key] for key in _PLAIN},
        "continue_on_step_failure": bool(row["continue_on_step_failure"]),
        **{key: json.loads(row[key]) for key in ("parameters", "tags", "properties")},
    }
