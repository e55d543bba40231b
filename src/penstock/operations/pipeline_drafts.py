"""Drafts: pipelines that are kept to be changed, run and published. A draft holds a graph, the values that its runs get, and where they go.

A draft is checked for what can be said of it alone; what its workspace must have for it - datastores, compute targets - is checked when
it is submitted or published, for both may come later.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.model.errors import Invalid, NotFound
from penstock.model.graph import PipelineGraph, format_graph
from penstock.model.ids import new_id
from penstock.model.run_types import STEP_RUN
from penstock.operations import pipelines, runs
from penstock.operations.assignments import read_assignments
from penstock.operations.context import Context
from penstock.operations.names import as_json, check_description, check_name, check_request_id, check_title, current_user, texts
from penstock.operations.plans import plan_of
from penstock.operations.submissions import check_values, member, parse_pipeline
from penstock.operations.submit import known_definitions, submit_pipeline, write_graph
from penstock.operations.workspaces import get_workspace
from penstock.persistence.database import Row

_log = logging.getLogger(__name__)

ORIGIN = "azureml.pipelinedraftid"  # the property of a run that names its draft

_PLAIN = (
    *("id", "workspace_id", "name", "description", "experiment_name", "graph_id", "parent_pipeline_id", "parent_pipeline_run_id"),
    *("parent_draft_id", "last_run_id", "created_at", "modified_at", "created_by"),
)
_JSON = ("parameters", "tags", "properties", "parent_step_run_ids")
_SOURCES = ("graph", "pipeline_id", "run_id", "draft_id")


# Making


def create_draft(context: Context, workspace_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Make a draft of a graph, or of something that has one. Sent twice with the same `request_id`, it is made once.

    Args:
        context: The surroundings.
        workspace_id: Where.
        wanted: One of `graph`, a document, with the `interpreter` that its steps run on; `pipeline_id`, `run_id` or `draft_id`, of what is
            cloned. With it name, description, experiment_name, parameters, continue_on_step_failure, tags, properties, request_id: of a
            clone, what is missing or None is as in the original.

    Returns:
        The draft, and as `definitions` what the workspace knows of its steps: node id -> {"definition_id", "known"}.

    Raises:
        InvalidGraph: The graph is wrong; every problem is listed.
        Invalid: Another part is wrong, or a graph comes without name or experiment_name.
        NotFound: There is no such workspace or original.
    """
    request_id = check_request_id(wanted.get("request_id"))
    get_workspace(context, workspace_id)
    sent = _find_sent(context, workspace_id, request_id)
    if sent is None:
        graph, row = _new_row(context, workspace_id, wanted)
        with context.change() as change:
            sent = _find_sent(context, workspace_id, request_id)
            if sent is None:
                row.update({"graph_id": write_graph(change, graph), "created_at": change.at, "modified_at": change.at})
                change.rows.insert("pipeline_drafts", {**row, "request_id": request_id})
                _log.info("draft.created draft_id=%s", row["id"])
    return _whole(context, workspace_id, (sent or row)["id"])


def _whole(context: Context, workspace_id: str, draft_id: str) -> dict[str, Any]:
    """Return a draft, and as `definitions` what the workspace knows of its steps."""
    row = _get_row(context, workspace_id, draft_id)
    definitions = plan_of(context.database, row["graph_id"]).definitions
    return {**_document(row), "definitions": known_definitions(context, workspace_id, definitions)}


def _find_sent(context: Context, workspace_id: str, request_id: str | None) -> Row | None:
    """Return the draft that the first try of a request made."""
    if request_id is None:
        return None
    return context.database.first("select * from pipeline_drafts where workspace_id = ? and request_id = ?", (workspace_id, request_id))


def _new_row(context: Context, workspace_id: str, wanted: Mapping[str, Any]) -> tuple[PipelineGraph, Row]:
    """Return the graph of a new draft, and its row without it."""
    original = _original(context, workspace_id, wanted)
    given = {**original, **{name: value for name, value in wanted.items() if value is not None and name in _MEMBERS}}
    graph = parse_pipeline(member(given, "graph", dict, {}))
    return graph, {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": check_title("draft", given.get("name")),
        "description": check_description(given.get("description")),
        "experiment_name": check_name("experiment", given.get("experiment_name")),
        "interpreter": member(given, "interpreter", str, None),
        "parameters": as_json(_check_parameters(graph, member(given, "parameters", dict, {}))),
        "continue_on_step_failure": int(member(given, "continue_on_step_failure", bool, False)),
        "tags": as_json(texts("tags", given.get("tags") or {})),
        "properties": as_json(texts("properties", given.get("properties") or {})),
        **original.get("parents", {}),
        "created_by": current_user(),
    }


_MEMBERS = (
    *("graph", "interpreter", "name", "description", "experiment_name", "parameters", "continue_on_step_failure", "tags", "properties"),
)


def _check_parameters(graph: PipelineGraph, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a draft sets, not those that stay as the graph has them; raise Invalid where one does not fit."""
    values = check_values(graph.parameters, given)
    return {name: values[name] for name in given}


# Where a draft comes from


def _original(context: Context, workspace_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that a draft gets from what it is made of, and as `parents` the columns that say so."""
    named = [name for name in _SOURCES if wanted.get(name) is not None]
    if len(named) != 1:
        found = f"This one names {' and '.join(map(repr, named))}." if named else "This one names none."
        raise Invalid(f"A draft is made of one thing: {', '.join(map(repr, _SOURCES))}. {found}")
    if named == ["graph"]:
        return {}
    about = {"pipeline_id": _of_pipeline, "run_id": _of_run, "draft_id": _of_draft}[named[0]]
    return about(context, workspace_id, member(wanted, named[0], str, ""))


def _of_pipeline(context: Context, workspace_id: str, pipeline_id: str) -> dict[str, Any]:
    row = pipelines.get_row(context, workspace_id, pipeline_id)
    ran = context.database.first(
        "select experiments.name from runs join experiments on experiments.id = runs.experiment_id where runs.id = ?",
        (row["source_run_id"],),
    )
    return {
        **{name: row[name] for name in ("name", "description", "interpreter")},
        "experiment_name": ran["name"] if ran else _experiment_like(row["name"]),
        "graph": pipelines.get_graph(context, workspace_id, pipeline_id),
        "continue_on_step_failure": bool(row["continue_on_step_failure"]),
        "tags": json.loads(row["tags"]),
        "properties": {name: value for name, value in json.loads(row["properties"]).items() if name != ORIGIN},
        "parents": {"parent_pipeline_id": row["id"]},
    }


def _experiment_like(name: str) -> str:
    """Return a name that v1 allows for an experiment and that reminds of another name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "draft"


def _of_run(context: Context, workspace_id: str, run_id: str) -> dict[str, Any]:
    run = runs.get_run(context, run_id)
    if run["workspace_id"] != workspace_id or "graph_id" not in run:
        raise NotFound(f"The workspace '{get_workspace(context, workspace_id)['name']}' has no pipeline run '{run_id}'.")
    about = context.database.first("select interpreter from pipeline_runs where run_id = ?", (run_id,))
    assert about is not None, run_id
    steps = runs.list_children(context, run_id, type=STEP_RUN)
    return {
        "name": run["display_name"] or run["name"],
        **{name: run[name] for name in ("description", "experiment_name", "parameters", "continue_on_step_failure", "tags")},
        "graph": runs.get_graph(context, run_id),
        "interpreter": about["interpreter"],
        "parents": {
            "parent_pipeline_run_id": run_id,
            "parent_step_run_ids": as_json([step["id"] for step in sorted(steps, key=lambda step: int(step["number"]))]),
        },
    }


def _of_draft(context: Context, workspace_id: str, draft_id: str) -> dict[str, Any]:
    row = _get_row(context, workspace_id, draft_id)
    return {
        **{name: row[name] for name in ("name", "description", "experiment_name", "interpreter")},
        "graph": format_graph(_graph_of(context, row)),
        "continue_on_step_failure": bool(row["continue_on_step_failure"]),
        **{name: json.loads(row[name]) for name in ("parameters", "tags", "properties")},
        "parents": {"parent_draft_id": row["id"]},
    }


# Reading


def _get_row(context: Context, workspace_id: str, draft_id: str) -> Row:
    row = context.database.first("select * from pipeline_drafts where workspace_id = ? and id = ?", (workspace_id, draft_id))
    if row is None:
        named = context.database.first(
            "select id from pipeline_drafts where workspace_id = ? and name = ? order by created_at desc", (workspace_id, draft_id)
        )
        hint = f"The newest of this name has the id '{named['id']}'." if named else "PipelineDraft.list(workspace) lists them."
        raise NotFound(f"There is no draft with the id '{draft_id}' in this workspace. {hint}", kind="draft")
    return row


def get_draft(context: Context, workspace_id: str, draft_id: str) -> dict[str, Any]:
    """Return one draft, without its graph; NotFound when there is none with this id."""
    return _document(_get_row(context, workspace_id, draft_id))


def list_drafts(
    context: Context, workspace_id: str, tags: str | Mapping[str, Any] | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the drafts of a workspace, newest first.

    Args:
        context: The surroundings.
        workspace_id: Where.
        tags: A key that the tags must have, or pairs that must all match; a value that is None means any.
        limit: At most so many.

    Raises:
        NotFound: There is no such workspace.
    """
    get_workspace(context, workspace_id)
    pairs = {tags: None} if isinstance(tags, str) else texts("tags", tags or {})
    conditions = "".join(
        " and exists (select 1 from json_each(pipeline_drafts.tags) as pair where pair.key = ? and pair.value = coalesce(?, pair.value))"
        for _ in pairs
    )
    values = [value for pair in pairs.items() for value in pair]
    rows = context.database.all(
        f"select * from pipeline_drafts where workspace_id = ?{conditions} order by created_at desc, rowid desc limit ?",
        (workspace_id, *values, -1 if limit is None else limit),
    )
    return [_document(row) for row in rows]


def get_graph(context: Context, workspace_id: str, draft_id: str) -> dict[str, Any]:
    """Return the graph document of a draft."""
    return format_graph(_graph_of(context, _get_row(context, workspace_id, draft_id)))


def _graph_of(context: Context, row: Row) -> PipelineGraph:
    return plan_of(context.database, row["graph_id"]).graph


def list_runs(context: Context, workspace_id: str, draft_id: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the runs that a draft was submitted as, newest first; at most `limit`."""
    row = _get_row(context, workspace_id, draft_id)
    return runs.list_runs(context, workspace_id, properties={ORIGIN: row["id"]}, include_children=True, limit=limit)


# Changing


def update_draft(context: Context, workspace_id: str, draft_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change a draft, and return it as `create_draft` does. What is missing or None stays; tags and parameters are replaced, not merged.

    Raises:
        InvalidGraph: The new graph is wrong; every problem is listed.
        Invalid: Another part is wrong, or the values that the draft sets do not fit the new graph.
        NotFound: There is no such draft.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    columns = {name: _COLUMNS[name](given[name]) for name in _COLUMNS if name in given}
    new_graph = parse_pipeline(member(given, "graph", dict, {})) if "graph" in given else None
    with context.change() as change:
        row = _get_row(context, workspace_id, draft_id)
        if new_graph:
            columns["graph_id"] = write_graph(change, new_graph)
        columns["parameters"] = as_json(_keep_parameters(new_graph or _graph_of(context, row), row, given))
        sets = ", ".join(f"{column} = ?" for column in (*columns, "modified_at"))
        change.rows.execute(f"update pipeline_drafts set {sets} where id = ?", (*columns.values(), change.at, draft_id))
    return _whole(context, workspace_id, draft_id)


_COLUMNS: dict[str, Any] = {
    "name": lambda value: check_title("draft", value),
    "description": check_description,
    "experiment_name": lambda value: check_name("experiment", value),
    "interpreter": lambda value: member({"interpreter": value}, "interpreter", str, None),
    "continue_on_step_failure": lambda value: int(member({"continue_on_step_failure": value}, "continue_on_step_failure", bool, False)),
    "tags": lambda value: as_json(texts("tags", value)),
}


def _keep_parameters(graph: PipelineGraph, row: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    if "parameters" in given:
        return _check_parameters(graph, member(given, "parameters", dict, {}))
    try:
        return _check_parameters(graph, json.loads(row["parameters"]))
    except Invalid as error:
        raise Invalid(
            f"The draft sets parameters that do not fit its new pipeline. Give pipeline_parameters too.\n{error.message}"
        ) from None


def delete_draft(context: Context, workspace_id: str, draft_id: str) -> None:
    """Forget a draft; what was submitted or published from it stays.

    Raises:
        NotFound: There is no such draft.
    """
    with context.change() as change:
        _get_row(context, workspace_id, draft_id)
        change.rows.execute("delete from pipeline_drafts where id = ?", (draft_id,))


# What becomes of it


def submit_draft(context: Context, workspace_id: str, draft_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Run a draft; return the run and what is known of its steps. Sent twice with the same `request_id`, it starts one run.

    Args:
        context: The surroundings.
        workspace_id: Where.
        draft_id: The draft.
        wanted: `experiment_name`, where the run goes to another experiment than the draft says; `parameters`, name -> value or its text,
            which go before the draft's; tags, which are added to the draft's; parent_run_id, run_source, request_id,
            submitter_run_id.

    Raises:
        InvalidGraph: The pipeline can't run; every problem is listed.
        Invalid: A parameter or another member is wrong.
        NotFound: There is no such draft or parent run.
    """
    request_id = check_request_id(wanted.get("request_id")) or new_id()
    row = _get_row(context, workspace_id, draft_id)
    experiment_name = member(wanted, "experiment_name", str, row["experiment_name"])
    answer = submit_pipeline(context, workspace_id, experiment_name, {**_submission(context, row, wanted), "request_id": request_id})
    with context.change() as change:  # a service that dies before this is asked again, and finds the run
        change.rows.execute("update pipeline_drafts set last_run_id = ? where id = ?", (answer["run"]["id"], draft_id))
    return answer


def _submission(context: Context, row: Row, wanted: Mapping[str, Any]) -> dict[str, Any]:
    graph = _graph_of(context, row)
    return {
        "graph": format_graph(graph),
        "parameters": read_assignments(graph.parameters, {**json.loads(row["parameters"]), **member(wanted, "parameters", dict, {})}),
        "continue_on_step_failure": bool(row["continue_on_step_failure"]),
        "tags": {**json.loads(row["tags"]), **texts("tags", wanted.get("tags") or {})},
        "properties": {**json.loads(row["properties"]), ORIGIN: row["id"]},
        "description": row["description"],
        "display_name": None,
        "interpreter": row["interpreter"],
        "run_source": member(wanted, "run_source", str, "SDK"),
        **{name: member(wanted, name, str, None) for name in ("parent_run_id", "submitter_run_id")},
    }


def publish_draft(context: Context, workspace_id: str, draft_id: str, request_id: str | None = None) -> dict[str, Any]:
    """Publish a draft: what is published does what the draft would do, so the values that the draft sets are its defaults.

    Raises:
        InvalidGraph: The pipeline can't run; every problem is listed.
        NotFound: There is no such draft.
    """
    row = _get_row(context, workspace_id, draft_id)
    values = json.loads(row["parameters"])
    graph = _graph_of(context, row)
    parameters = tuple(replace(item, default=values.get(item.name, item.default)) for item in graph.parameters)
    wanted = {
        **{name: row[name] for name in ("name", "description", "interpreter")},
        "graph": format_graph(replace(graph, parameters=parameters)),
        "continue_on_step_failure": bool(row["continue_on_step_failure"]),
        "tags": json.loads(row["tags"]),
        "properties": {**json.loads(row["properties"]), ORIGIN: row["id"]},
        "request_id": request_id,
    }
    return pipelines.publish(context, workspace_id, wanted)


def _document(row: Row) -> dict[str, Any]:
    return {
        **{key: row[key] for key in _PLAIN},
        "continue_on_step_failure": bool(row["continue_on_step_failure"]),
        **{key: json.loads(row[key]) for key in _JSON},
    }
