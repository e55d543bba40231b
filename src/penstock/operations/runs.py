"""Runs of every kind: read, list, tag, follow, cancel; and the life of those that a client drives itself."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from penstock.model import status as words
from penstock.model.errors import AlreadyExists, Invalid, NotFound, Refused
from penstock.model.graph import LINE, LOCAL
from penstock.model.ids import new_id
from penstock.model.run_types import PIPELINE_RUN, SCRIPT_RUN, STEP_RUN
from penstock.operations import descendants, steps
from penstock.operations.context import Change, Context
from penstock.operations.descendants import TREE
from penstock.operations.experiments import ensure_in, take_numbers
from penstock.operations.keyvault import hide_secrets
from penstock.operations.names import as_json, check_request_id, check_run_id, current_user, merge_tags, texts
from penstock.persistence.database import Database

_MOST_EVENTS = 5_000  # in one answer; the next call goes on from there
_BEHIND_ALL = "\U0010ffff"  # sorts behind every character of an id
_WRITTEN_AS_IT_IS = re.compile(r"[A-Za-z0-9 ._:-]*")  # by whatever writes JSON
PUBLISHED = ("pipeline_id", "endpoint_id", "schedule_id")  # where the run of a published pipeline came from
_START_STATUSES = (words.NOT_STARTED, words.QUEUED, words.PREPARING, words.STARTING, words.RUNNING)

_SELECT = """
    select runs.*, experiments.name as experiment_name,
           iif(step_runs.run_id is null, pipeline_runs.run_id, null) as is_pipeline, pipeline_runs.parameters,
           pipeline_runs.continue_on_step_failure, pipeline_runs.regenerate_outputs, pipeline_runs.graph_id,
           pipeline_runs.pipeline_id, pipeline_runs.endpoint_id, pipeline_runs.schedule_id,
           step_runs.run_id as is_step, step_runs.pipeline_run_id, step_runs.node_id, step_runs.attempt,
           step_runs.reused_run_id, step_runs.reason, step_runs.position,
           original.node_id as reused_node_id, original.pipeline_run_id as reused_pipeline_run_id,
           original_experiments.name as reused_experiment_name
      from runs join experiments on experiments.id = runs.experiment_id
      left join pipeline_runs on pipeline_runs.run_id = runs.id
      left join step_runs on step_runs.run_id = runs.id
      left join step_runs as original on original.run_id = step_runs.reused_run_id
      left join runs as original_runs on original_runs.id = original.run_id
      left join experiments as original_experiments on original_experiments.id = original_runs.experiment_id"""


# Reading


def get_run(context: Context, run_id: str) -> dict[str, Any]:
    """Return one run; that of a step has its `run_definition` too.

    Raises:
        NotFound: There is no such run.
    """
    row = get_row(context, run_id)
    run = _document(context, row)
    if row["is_step"]:
        run["run_definition"] = _run_definition(context, row)
    return run


def get_row(context: Context, run_id: str) -> dict[str, Any]:
    """Return a run's joined row; NotFound when there is none."""
    row = context.database.first(f"{_SELECT} where runs.id = ?", (run_id,))
    if row is None:
        raise NotFound(f"There is no run with the id '{run_id}'.")
    return row


def list_runs(
    context: Context,
    workspace_id: str | None = None,
    experiment_name: str | None = None,
    type: str | None = None,
    tags: str | Mapping[str, Any] | None = None,
    properties: str | Mapping[str, Any] | None = None,
    status: str | Sequence[str] | None = None,
    include_children: bool = False,
    limit: int | None = None,
    before: str | None = None,
    id_prefix: str | None = None,
    target: str | None = None,
) -> list[dict[str, Any]]:
    """Return runs, newest first.

    Args:
        context: The surroundings.
        workspace_id: Only runs of this workspace.
        experiment_name: Only runs of experiments with this name.
        type: Only runs of this type, or whose property `azureml.runsource` says so.
        tags: A key that the tags must have, or pairs that must all match.
        properties: The same for properties.
        status: Only runs in exactly this status, or in one of these.
        include_children: Runs below other runs too.
        limit: At most so many.
        before: The id of a run: only runs older than it. With `limit`, the next page.
        id_prefix: Only runs whose id begins so.
        target: Only runs on this compute target.
    """
    where = _Where()
    where.add_experiment(workspace_id, experiment_name)
    where.add_equal("runs.target", target)
    where.add_filters(type, tags, properties, status)
    if id_prefix:
        where.add("runs.id >= ? and runs.id < ?", id_prefix, id_prefix + _BEHIND_ALL)  # unlike `like`, it is read from the key
    if not include_children:
        where.add("+runs.parent_run_id is null")  # '+': what has no parent is no small part, so no index helps; read by time
    if before is not None:
        older = get_row(context, before)
        where.add("(runs.created_at, runs.number) < (?, ?)", older["created_at"], older["number"])
    order = "order by runs.created_at desc, runs.number desc, runs.id"
    chosen = f"select runs.id from runs where {where} {order} limit ?"  # first which, then all about them: what is sorted stays small
    rows = context.database.all(f"{_SELECT} where runs.id in ({chosen}) {order}", (*where.values, -1 if limit is None else limit))
    return [_document(context, row) for row in rows]


def list_published_runs(
    context: Context,
    pipeline_id: str | None = None,
    endpoint_id: str | None = None,
    schedule_id: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return the runs of a published pipeline, or those that an endpoint or a schedule started, newest first; at most `limit`."""
    origin = _Where()
    for column, value in zip(PUBLISHED, (pipeline_id, endpoint_id, schedule_id), strict=True):
        origin.add_equal(f"pipeline_runs.{column}", value)
    # A popular pipeline has very many runs: those of a page are read from the end of the index, where rows stand as they were accepted.
    chosen = f"select run_id from pipeline_runs where {origin} order by rowid desc limit ?"
    order = "order by runs.created_at desc, runs.number desc, runs.id"
    rows = context.database.all(f"{_SELECT} where runs.id in ({chosen}) {order}", (*origin.values, -1 if limit is None else limit))
    return [_document(context, row) for row in rows]


def list_children(
    context: Context,
    run_id: str,
    recursive: bool = False,
    type: str | None = None,
    tags: str | Mapping[str, Any] | None = None,
    properties: str | Mapping[str, Any] | None = None,
    status: str | Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the runs below a run: the newest start first, those that did not start last, in the order of the graph."""
    get_row(context, run_id)
    where = _Where()
    where.add_filters(type, tags, properties, status)
    below = "runs.id in (select id from tree) and runs.id <> :run" if recursive else "runs.parent_run_id = :run"
    rows = context.database.all(
        f"{TREE if recursive else ''} {_SELECT} where {below} and {where.named()}"
        " order by runs.started_at is null, runs.started_at desc, step_runs.position, runs.number",
        {"run": run_id, **where.by_name()},
    )
    return [_document(context, row) for row in rows]


class _Where:
    """The conditions of a list, and their values."""

    def __init__(self) -> None:
        self._conditions = ["1 = 1"]
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self.values += values

    def add_equal(self, column: str, value: Any) -> None:
        if value is not None:
            self.add(f"{column} = ?", value)

    def add_experiment(self, workspace_id: str | None, name: str | None) -> None:
        """Ask for one experiment, those of a name in all workspaces, or a workspace: each is read by an index of its own."""
        if name is None:
            self.add_equal("runs.workspace_id", workspace_id)
        elif workspace_id is None:
            self.add("runs.experiment_id in (select id from experiments where name = ?)", name)
        else:
            self.add("runs.experiment_id = (select id from experiments where workspace_id = ? and name = ?)", workspace_id, name)

    def add_filters(self, type: Any, tags: Any, properties: Any, status: Any) -> None:
        if type is not None:
            self.add(f"(runs.type = ? or {_pair('properties')})", type, *_pair_values("azureml.runsource", type))
        for column, wanted in (("tags", tags), ("properties", properties)):
            if isinstance(wanted, str):
                self.add(f"instr(runs.{column}, ?)", _sign(wanted))
                self.add(f"exists (select 1 from json_each(runs.{column}) where key = ?)", wanted)
            elif wanted is not None:
                for key, value in texts(column, wanted).items():
                    self.add(_pair(column), *_pair_values(key, value))
        if status is not None:
            wanted = [status] if isinstance(status, str) else status
            # Runs that have ended are many, and best read by time; the '+' keeps the index by status for those that have not.
            column = "+runs.status" if any(word not in words.ACTIVE for word in wanted) else "runs.status"
            self.add(f"{column} in ({', '.join('?' * len(wanted))})", *wanted)

    def __str__(self) -> str:
        return " and ".join(self._conditions)

    def named(self) -> str:
        """Return the conditions with named marks, for statements that name others."""
        numbers = iter(range(len(self.values)))
        return re.sub(r"\?", lambda _: f":value{next(numbers)}", str(self))

    def by_name(self) -> dict[str, Any]:
        return {f"value{number}": value for number, value in enumerate(self.values)}


def _pair(column: str) -> str:
    return f"(instr(runs.{column}, ?) and exists (select 1 from json_each(runs.{column}) where key = ? and value is ?))"


def _pair_values(key: str, value: str | None) -> tuple[str, str, str | None]:
    return _sign(value), key, value


def _sign(text: str | None) -> str:
    """Return what JSON with this text in it is sure to hold, so that most rows need not be parsed; '' where nothing is sure."""
    return text if text is not None and _WRITTEN_AS_IT_IS.fullmatch(text) else ""


# The document


def _document(context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    run = {key: row[key] for key in _PLAIN}
    run.update({key: json.loads(row[key]) for key in ("warnings", "tags", "properties")})
    run["error"] = json.loads(row["error"]) if row["error"] else None
    run["folder"] = str(context.home.run_folder(row["id"]))
    if row["is_pipeline"]:
        run["parameters"] = json.loads(row["parameters"])
        run["continue_on_step_failure"] = bool(row["continue_on_step_failure"])
        run["regenerate_outputs"] = bool(row["regenerate_outputs"])
        run.update({key: row[key] for key in ("graph_id", *PUBLISHED)})
    if row["is_step"]:
        run.update({key: row[key] for key in ("pipeline_run_id", "node_id", "attempt", "reason")})
        run["reused"] = _reused(row)
        run["run_definition"] = None  # lists leave it out: it is long, and get_run gives it
    return run


_PLAIN = (
    *("id", "workspace_id", "experiment_id", "experiment_name", "number", "type", "name", "display_name", "description", "status"),
    *("parent_run_id", "root_run_id", "created_at", "queued_at", "started_at", "ended_at", "target", "created_by"),
)


def _reused(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if not row["reused_run_id"]:
        return None
    return {
        "run_id": row["reused_run_id"],
        "node_id": row["reused_node_id"],
        "pipeline_run_id": row["reused_pipeline_run_id"],
        "experiment_name": row["reused_experiment_name"],
    }


def _run_definition(context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return v1's effective run configuration of a step run: camelCase, arguments as texts."""
    pipeline = context.database.first("select graph_id, parameters from pipeline_runs where run_id = ?", (row["pipeline_run_id"],))
    assert pipeline is not None, row["id"]
    step = steps_of(context.database, pipeline["graph_id"])[row["node_id"]]
    config = step.get("run_config", {})
    return {
        **_spell_modes(config),
        "command": config.get("command") or _command_text(step.get("command", ())),
        "script": step.get("script"),
        "arguments": _argument_texts(step, json.loads(pipeline["parameters"])),
        "target": row["target"],
    }


def _command_text(command: Sequence[str]) -> str:
    """Return a command as one line; v1 had '' where there is none."""
    is_line = tuple(command[: len(LINE)]) == LINE
    return " ".join(command[len(LINE) :]) if is_line else shlex.join(command)


def _spell_modes(run_config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run configuration with the modes of its data as v1 gave them back: 'Mount' for 'mount'."""
    spelt = dict(run_config)
    for section, member in (("data", "mechanism"), ("outputData", "mechanism"), ("dataReferences", "mode")):
        items = run_config.get(section)
        if isinstance(items, Mapping):
            spelt[section] = {name: _spell_mode(item, member) for name, item in items.items()}
    return spelt


def _spell_mode(item: Any, member: str) -> Any:
    if not isinstance(item, Mapping) or not isinstance(item.get(member), str):
        return item
    return {**item, member: item[member].capitalize()}


def _argument_texts(step: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    own = {item["name"]: item for item in step.get("parameters", ())}

    def text(argument: Mapping[str, Any]) -> str:
        if argument["kind"] == "parameter":
            item = own.get(argument["value"], {})
            return str(values.get(item["pipeline_parameter"]) if item.get("pipeline_parameter") else item.get("value"))
        return str(argument["value"]) if argument["kind"] == "literal" else f"$AZUREML_DATAREFERENCE_{argument['value']}"

    return [text(argument) for argument in step.get("arguments", ())]


def get_graph(context: Context, run_id: str) -> dict[str, Any]:
    """Return the graph document of a pipeline run.

    Raises:
        NotFound: There is no such run, or it is not that of a pipeline.
    """
    row = get_row(context, run_id)
    if not row["is_pipeline"]:
        raise NotFound(f"The run {run_id} is not that of a pipeline, so it has no graph.")
    return _read_graph(context.database, row["graph_id"])


def _read_graph(database: Database, graph_id: str) -> dict[str, Any]:
    row = database.first("select document from graphs where id = ?", (graph_id,))
    assert row is not None, graph_id
    found: dict[str, Any] = json.loads(row["document"])
    return found


@lru_cache(maxsize=8)
def steps_of(database: Database, graph_id: str) -> dict[str, dict[str, Any]]:
    """Return node id -> step of a stored graph, which never changes. Many callers share the answer: do not change it either."""
    return {step["id"]: step for step in _read_graph(database, graph_id).get("steps", ())}


# Changing


def update_run(
    context: Context,
    run_id: str,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] | None = None,
    properties: Mapping[str, Any] | None = None,
    display_name: str | None = None,
    description: str | None = None,
) -> dict[str, Any]:
    """Merge tags, remove tags, add properties, name or describe a run.

    Raises:
        Refused: A property would change; properties are written once.
    """
    with context.change() as change:
        row = get_row(context, run_id)
        change.rows.execute(
            "update runs set tags = ?, properties = ?, display_name = coalesce(?, display_name), description = coalesce(?, description)"
            " where id = ?",
            (
                as_json(merge_tags(json.loads(row["tags"]), tags, remove_tags)),
                as_json(_add_properties(run_id, json.loads(row["properties"]), texts("properties", properties or {}))),
                display_name,
                description,
                run_id,
            ),
        )
        return get_run(context, run_id)


def _add_properties(run_id: str, old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in new.items():
        if key in old and old[key] != value:
            raise Refused(
                f"The property '{key}' of run {run_id} is {old[key]!r} and can't become {value!r}: properties are written once. Use a tag."
            )
    return {**old, **new}


def create_run(
    context: Context,
    workspace_id: str,
    experiment_name: str,
    name: str | None = None,
    run_id: str | None = None,
    parent_run_id: str | None = None,
    type: str | None = None,
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    display_name: str | None = None,
    description: str | None = None,
    status: str = words.RUNNING,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Create a run that its client drives itself.

    Args:
        context: The surroundings.
        workspace_id: Where it belongs.
        experiment_name: The experiment, made on first use.
        name: A name for people.
        run_id: The id that the client wants; one is made when it is None.
        parent_run_id: The run that it is a child of.
        type: The type, as v1 spells it; None for an interactive run.
        tags: Its first tags.
        properties: Its first properties.
        display_name: Another name for people.
        description: What it is about.
        status: Where it begins.
        request_id: The id to use when `run_id` is None; sent twice, it creates one run.

    Raises:
        AlreadyExists: The `run_id` is taken.
        NotFound: There is no such workspace, or no such parent.
        Refused: The type is one that only a submitted pipeline makes.
    """
    _check_new_run(run_id, type, status)
    own_id = run_id or check_request_id(request_id) or new_id()
    with context.change() as change:
        if change.rows.first("select 1 from runs where id = ?", (own_id,)):
            if run_id:
                raise AlreadyExists(f"There is a run with the id '{run_id}' already. Start it with another run_id, or with none.")
            return get_run(context, own_id)  # the first try arrived after all
        experiment = ensure_in(context, change, workspace_id, experiment_name)
        row = {
            **new_row(change, own_id, experiment, take_numbers(change, experiment["id"], 1), find_parent(context, parent_run_id)),
            "type": type,
            "name": name,
            "display_name": display_name,
            "description": description,
            "status": status,
            "started_at": change.at if status == words.RUNNING else None,
            "tags": as_json(texts("tags", tags or {})),
            "properties": as_json(texts("properties", properties or {})),
            "target": LOCAL,
        }
        change.rows.insert("runs", row)
        change.tell(own_id, row["root_run_id"], status, "client", "created")
        return get_run(context, own_id)


def _check_new_run(run_id: str | None, type: str | None, status: str) -> None:
    if run_id is not None:
        check_run_id(run_id)
    if type in (PIPELINE_RUN, STEP_RUN, SCRIPT_RUN):
        raise Refused(f"A run of type {type} is made by submitting a {'script' if type == SCRIPT_RUN else 'pipeline'}.")
    if status not in _START_STATUSES:
        raise Invalid(f"A new run can't be '{status}'; it begins as one of {', '.join(_START_STATUSES)}.")


def find_parent(context: Context, parent_run_id: str | None) -> dict[str, Any] | None:
    """Return the row of the parent run; None when none is named, NotFound when there is none."""
    try:
        return None if parent_run_id is None else get_row(context, parent_run_id)
    except NotFound as error:
        raise NotFound(f"{error.message} It was to be the parent of the new one.", member="parent_run_id") from None


def new_row(change: Change, run_id: str, experiment: Mapping[str, Any], number: int, parent: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns that every new run has."""
    return {
        "id": run_id,
        "workspace_id": experiment["workspace_id"],
        "experiment_id": experiment["id"],
        "number": number,
        "parent_run_id": parent["id"] if parent else None,
        "root_run_id": parent["root_run_id"] if parent else run_id,
        "created_at": change.at,
        "created_by": current_user(),
    }


def set_status(context: Context, run_id: str, status: str, error: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Move a run that its client drives. Naming the status that it has changes nothing.

    Raises:
        Refused: The run is that of a pipeline or a step, or the status can't follow.
        Invalid: There is no such status, or the error is no {"code", "message", "details"}.
    """
    if status not in words.ALL:
        raise Invalid(f"There is no status '{status[:40]}'. There are: {', '.join(words.ALL)}.")
    failure = as_json(hide_secrets(context, run_id, _check_error(error))) if error is not None else None
    with context.change() as change:
        row = get_row(context, run_id)
        if row["is_pipeline"] or row["is_step"]:
            raise Refused(f"The run {run_id} is that of {_WHOSE.get(row['type'], 'a step')}; its status follows from its process.")
        if not _move(change, row, status, failure) and row["status"] != status:
            raise Refused(f"The run {run_id} is {row['status']}; it can't become {status}.")
        return get_run(context, run_id)


_WHOSE = {PIPELINE_RUN: "a pipeline", SCRIPT_RUN: "a script"}


def _check_error(error: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"code": error.get("code", "UserError"), "message": error.get("message", ""), "details": error.get("details") or {}}
    if not isinstance(shown["code"], str) or not isinstance(shown["message"], str):
        raise Invalid('An error is {"code": text, "message": text, "details": object}.')
    return shown


def _move(change: Change, row: Mapping[str, Any], status: str, error: str | None = None) -> bool:
    """Change the status where the table allows it; tell whether it did."""
    before = words.BEFORE[status]
    moved = change.rows.execute(
        "update runs set status = ?, error = coalesce(?, error), started_at = iif(?, coalesce(started_at, ?), started_at),"
        f" ended_at = iif(?, ?, ended_at) where id = ? and status in ({', '.join('?' * len(before))})",
        (status, error, status == words.RUNNING, change.at, words.is_final(status), change.at, row["id"], *before),
    )
    if moved:
        change.tell(row["id"], row["root_run_id"], status, "client")
    return bool(moved)


def cancel_run(context: Context, run_id: str) -> dict[str, Any]:
    """Ask a run to stop, the runs below it first, however deep. A run that has ended stays as it is."""
    get_row(context, run_id)
    for pipeline_run_id in descendants.list_active_pipelines_below(context, run_id):
        _cancel_one(context, pipeline_run_id)
    _cancel_one(context, run_id)
    return get_run(context, run_id)


def _cancel_one(context: Context, run_id: str) -> None:
    with context.change() as change:
        descendants.end_client_runs_below(change, run_id, words.CANCELED, "user")
    steps.request_cancel(context, run_id)


# Following


def read_events(context: Context, run_id: str, after: int = 0) -> dict[str, Any]:
    """Return the events of a run and the runs below it that came after event `after`, and the run itself.

    Both are of one moment: a caller that sees the run ended has all events that led there, unless the answer is full and says so in
    `is_full`, and one that sees the last event sees the run ended.
    """
    with context.database.snapshot():
        return _read_events(context, run_id, after)


def _read_events(context: Context, run_id: str, after: int) -> dict[str, Any]:
    row = get_row(context, run_id)
    if row["root_run_id"] == run_id:
        sql = "select * from events where root_run_id = :root and sequence > :after order by sequence limit :most"
    else:
        sql = f"{TREE} select events.* from events where root_run_id = :root and sequence > :after"
        sql += " and run_id in (select id from tree) order by sequence limit :most"
    run = get_run(context, run_id)
    rows = context.database.all(sql, {"root": row["root_run_id"], "run": run_id, "after": after, "most": _MOST_EVENTS})
    last = rows[-1]["sequence"] if rows else after
    return {"events": [_event(item) for item in rows], "last": last, "run": run, "is_full": len(rows) == _MOST_EVENTS}


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: row[key] for key in ("sequence", "run_id", "at", "status", "actor", "reason")}
    return {**shown, "detail": json.loads(row["detail"]) if row["detail"] else None}
