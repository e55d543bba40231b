"""Submit a pipeline: check everything that can be known now, then write all of its rows in one transaction."""

from __future__ import annotations

import difflib
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.compile import checks, fingerprints
from penstock.model import status
from penstock.model.datasets import FILE, TABULAR
from penstock.model.errors import Invalid, InvalidGraph, NotFound, TooLarge, Unsupported
from penstock.model.graph import Parameter, PipelineGraph, StepNode, format_graph, parse_graph
from penstock.model.ids import new_id
from penstock.operations import datasets, datastores, experiments, runs
from penstock.operations.compute_targets import LOCAL
from penstock.operations.context import Change, Context
from penstock.operations.graph_shapes import check_shape
from penstock.operations.names import as_json, check_name, check_request_id, texts
from penstock.operations.workspaces import get_workspace
from penstock.storage.paths import clean_relative
from penstock.storage.stores.definitions import SQL

_log = logging.getLogger(__name__)

_MOST_STEPS = 20_000


@dataclass(frozen=True)
class Submission:
    """A submission, checked as far as it can be without rows."""

    graph: PipelineGraph
    document: str
    order: tuple[str, ...]
    definitions: dict[str, str]
    values: dict[str, Any]
    continue_on_step_failure: bool
    regenerate_outputs: bool
    tags: dict[str, str | None]
    properties: dict[str, str | None]
    parent_run_id: str | None
    description: str | None
    display_name: str | None
    interpreter: str | None
    run_source: str
    submitter_run_id: str | None
    run_id: str


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
    with context.change() as change:
        again = change.rows.first("select 1 from runs where id = ?", (wanted.run_id,))
        if not again:
            check_places(context, change, get_workspace(context, workspace_id), wanted)
            known = _known_definitions(change, workspace_id, wanted.definitions)
            _write(context, change, workspace_id, experiment_name, wanted)
    if again:
        return _answer_again(context, workspace_id, wanted)
    _log.info("run.submitted run_id=%s steps=%d experiment=%s", wanted.run_id, len(wanted.order), experiment_name)
    return _answer(context, wanted, known)


# What can be said of a submission alone


def parse_submission(submission: Mapping[str, Any], run_id: str | None = None) -> Submission:
    """Return a submission, checked; its run gets `run_id`, or else an id that follows from the request's.

    Raises:
        InvalidGraph: The graph can't run.
        Invalid: Another part is wrong.
        TooLarge: It has too many steps.
    """
    graph = parse_graph(member(submission, "graph", dict, {}))
    check_shape(graph)
    if len(graph.steps) > _MOST_STEPS:
        raise TooLarge(f"The pipeline has {len(graph.steps)} steps; at most {_MOST_STEPS} are taken.")
    checks.check(graph)
    request_id = submission.get("request_id")
    return Submission(
        graph=graph,
        document=json.dumps(format_graph(graph), sort_keys=True, separators=(",", ":")),
        order=checks.order(graph),
        definitions={step.id: fingerprints.definition_id(step) for step in graph.steps},
        values=check_values(graph.parameters, member(submission, "parameters", dict, {})),
        continue_on_step_failure=member(submission, "continue_on_step_failure", bool, False),
        regenerate_outputs=member(submission, "regenerate_outputs", bool, False),
        tags=texts("tags", submission.get("tags") or {}),
        properties=texts("properties", submission.get("properties") or {}),
        parent_run_id=member(submission, "parent_run_id", str, None),
        description=member(submission, "description", str, None),
        display_name=member(submission, "display_name", str, None),
        interpreter=member(submission, "interpreter", str, None),
        run_source=member(submission, "run_source", str, "SDK"),
        submitter_run_id=member(submission, "submitter_run_id", str, None),
        run_id=run_id or (check_request_id(request_id) if request_id else new_id()),
    )


def member(submission: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    """Return a member of a submission, or its default; raise Invalid where it is of another type."""
    value = submission.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise Invalid(f"'{name}' of a submission must be {_KINDS[kind]}, not {type(value).__name__}.")
    return value


_KINDS = {dict: "an object", bool: "true or false", str: "a text"}


def check_values(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every pipeline parameter, defaults included.

    Raises:
        Invalid: A name is unknown, a value has another type than its parameter, or one has no value at all.
    """
    known = {parameter.name: parameter for parameter in parameters}
    problems = [_unknown(name, known) for name in given if name not in known]
    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    problems += [_wrong_value(known[name], value) for name, value in values.items() if not _fits(known[name].kind, value)]
    if problems:
        raise Invalid("\n".join(problems), problems=problems)
    return values


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else f" It has: {', '.join(names)}." if names else " It has no parameters."
    return f"The pipeline has no parameter '{name}'.{hint}"


def _wrong_value(parameter: Parameter, value: Any) -> str:
    if value is None:
        return f"The pipeline parameter '{parameter.name}' has no value and no default."
    return f"The pipeline parameter '{parameter.name}' takes {_VALUES[parameter.kind]}, not {value!r:.80}."


_VALUES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "str": "a text",
    "datapath": "a data path: a datastore and a path on it",
    "dataset": "a saved dataset: its id and its type, file or tabular",
}


def _fits(kind: str, value: Any) -> bool:
    if kind == "datapath":
        return (
            isinstance(value, Mapping)
            and all(isinstance(value.get(key, ""), str) for key in ("datastore", "path"))
            and "datastore" in value
        )
    if kind == "dataset":
        return isinstance(value, Mapping) and isinstance(value.get("id"), str) and value.get("type") in (FILE, TABULAR)
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, {"int": int, "bool": bool, "str": str}[kind])  # True for an int passes, as in v1


# What the workspace must have


def check_places(context: Context, change: Change, workspace: Mapping[str, Any], wanted: Submission) -> None:
    """Do nothing for a submission whose datastores, datasets, compute targets and snapshots are there.

    Raises:
        InvalidGraph: With all that is missing.
    """
    problems = [
        *_datastore_problems(context, workspace, wanted),
        *_dataset_problems(context, workspace, wanted),
        *_registration_problems(wanted.graph),
        *_compute_problems(change, workspace, wanted.graph),
        *_snapshot_problems(change, wanted.graph),
    ]
    if problems:
        raise InvalidGraph(problems)


def _datastore_problems(context: Context, workspace: Mapping[str, Any], wanted: Submission) -> Iterator[str]:
    reached: dict[str, str | None] = {}
    for user, name, path in _data_places(wanted):
        if name not in reached:
            reached[name] = _why_unreachable(context, workspace, name)
        if reached[name]:
            yield f"{user} can't use the datastore '{name}': {reached[name]}"
        if path.strip("/. "):
            try:
                clean_relative(path.strip("/"))
            except Invalid as error:
                yield f"{user}: {error.message}"


def _why_unreachable(context: Context, workspace: Mapping[str, Any], name: str) -> str | None:
    """Return why steps can't read or write a datastore, or None. No network is asked."""
    try:
        store = datastores.store_of(context, workspace["id"], name)
    except (NotFound, Unsupported, Invalid) as error:
        return error.message
    if store.protocol == SQL:
        return "It is a database and holds no files; read it by Dataset.Tabular.from_sql_query."
    return None


def _data_places(wanted: Submission) -> Iterator[tuple[str, str, str]]:
    """Yield (who, datastore, path) for all data that the run reads or writes."""
    for node in wanted.graph.data:
        if node.parameter is None and node.dataset is None:
            yield f"The data '{node.name}'", node.datastore, node.path
    for parameter in wanted.graph.parameters:
        if parameter.kind == "datapath":
            value = wanted.values[parameter.name]
            yield f"The pipeline parameter '{parameter.name}'", value["datastore"], value.get("path", "")
    for step in wanted.graph.steps:
        for port in step.outputs:
            if port.mode != "link":
                yield f"The output '{port.name}' of step '{step.name}'", port.datastore, port.destination or ""


def _dataset_problems(context: Context, workspace: Mapping[str, Any], wanted: Submission) -> Iterator[str]:
    for user, asked in _datasets(wanted):
        try:
            if asked.get("id"):
                _check_type(datasets.get_dataset(context, workspace["id"], asked["id"])["definition"]["type"], asked)
            else:
                datasets.get_dataset_version(context, workspace["id"], str(asked.get("name") or ""), asked.get("version"))
        except (NotFound, Invalid) as error:
            yield f"{user}: {error.message}"


def _check_type(found: str, asked: Mapping[str, Any]) -> None:
    if asked.get("type") not in (None, found):
        raise Invalid(f"The dataset '{asked['id']}' is of type {found}, not {asked['type']}.")


def _datasets(wanted: Submission) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (who, what names it) for all datasets that the run reads."""
    for node in wanted.graph.data:
        if node.parameter is None and node.dataset is not None:
            yield f"The dataset '{node.name}'", node.dataset
    for parameter in wanted.graph.parameters:
        if parameter.kind == "dataset":
            yield f"The pipeline parameter '{parameter.name}'", wanted.values[parameter.name]


def _registration_problems(graph: PipelineGraph) -> Iterator[str]:
    for step in graph.steps:
        for port in step.outputs:
            if port.registration:
                try:
                    check_name("dataset", port.registration.name)
                except Invalid as error:
                    yield f"The output '{port.name}' of step '{step.name}': {error.message}"


def _compute_problems(change: Change, workspace: Mapping[str, Any], graph: PipelineGraph) -> Iterator[str]:
    names = [row["name"] for row in change.rows.all("select name from compute_targets where workspace_id = ?", (workspace["id"],))]
    for step in graph.steps:
        name = step.compute.name if step.compute else LOCAL
        if name != LOCAL and name not in names:
            missing = NotFound.named("compute target", name, [*names, LOCAL], f"workspace '{workspace['name']}'")
            yield f"{missing.message} Step '{step.name}' is to run on it; create it with ComputeTarget.create, or use 'local'."


def _snapshot_problems(change: Change, graph: PipelineGraph) -> Iterator[str]:
    digests = {step.snapshot for step in graph.steps if step.snapshot}
    rows = change.rows.all("select digest from snapshots where digest in (select value from json_each(?))", (json.dumps(list(digests)),))
    missing = digests - {row["digest"] for row in rows}
    for step in graph.steps:
        if step.snapshot in missing:
            yield f"The source folder of step '{step.name}' (snapshot {str(step.snapshot)[:12]}) was not sent."


def _known_definitions(change: Change, workspace_id: str, ids: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return node id -> its definition, and whether a step of the workspace had the same one before."""
    rows = change.rows.all(
        "select value as id from json_each(?) as wanted where exists (select 1 from step_runs join runs on runs.id = step_runs.run_id"
        " where step_runs.definition_id = wanted.value and runs.workspace_id = ?)",
        (json.dumps(sorted(set(ids.values()))), workspace_id),
    )
    known = {row["id"] for row in rows}
    return {node_id: {"definition_id": definition, "known": definition in known} for node_id, definition in ids.items()}


# Rows


def _write(context: Context, change: Change, workspace_id: str, experiment_name: str, wanted: Submission) -> None:
    pipeline = new_run_row(context, change, workspace_id, experiment_name, wanted, 1 + len(wanted.order))
    _write_pipeline(change, pipeline, experiment_name, wanted)
    _write_steps(change, pipeline, wanted)
    change.for_engine = True


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
        raise Invalid(f"The parent run {parent['id']} belongs to another workspace.")
    experiment = experiments.ensure_in(context, change, workspace_id, experiment_name)
    number = experiments.take_numbers(change, experiment["id"], count)
    row = runs.new_row(change, wanted.run_id, experiment, number, parent)
    return {**row, "submitter_run_id": _known_run(context, wanted.submitter_run_id)}


def _known_run(context: Context, run_id: str | None) -> str | None:
    """Return the id where there is such a run; a process may carry that of a run of another home."""
    found = context.database.first("select id from runs where id = ?", (run_id,)) if run_id else None
    return found["id"] if found else None


def _write_pipeline(change: Change, row: dict[str, Any], experiment_name: str, wanted: Submission) -> None:
    first = status.RUNNING if wanted.order else status.COMPLETED  # nothing to do is done at once
    row.update(
        {
            "type": runs.PIPELINE_RUN,
            "name": wanted.graph.name or experiment_name,
            "display_name": wanted.display_name,
            "description": wanted.description or wanted.graph.name or experiment_name,
            "status": first,
            "queued_at": change.at,
            "started_at": change.at,
            "ended_at": None if wanted.order else change.at,
            "tags": as_json(wanted.tags),
            "properties": as_json({**wanted.properties, **_pipeline_properties(wanted)}),
        }
    )
    change.rows.insert("runs", row)
    change.rows.insert(
        "pipeline_runs",
        {
            "run_id": row["id"],
            "graph_id": write_graph(change, wanted.document),
            "parameters": as_json(wanted.values),
            "continue_on_step_failure": int(wanted.continue_on_step_failure),
            "regenerate_outputs": int(wanted.regenerate_outputs),
            "interpreter": wanted.interpreter,
        },
    )
    change.tell(row["id"], row["root_run_id"], first, "client", "submitted", {"steps": len(wanted.order)})


def write_graph(change: Change, document: str) -> str:
    """Keep a graph's document; return its id."""
    graph_id = hashlib.sha256(document.encode()).hexdigest()
    change.rows.execute(
        "insert into graphs (id, document, created_at) values (?, ?, ?) on conflict do nothing", (graph_id, document, change.at)
    )
    return graph_id


def _write_steps(change: Change, pipeline: Mapping[str, Any], wanted: Submission) -> None:
    steps = {step.id: step for step in wanted.graph.steps}
    run_ids = {node_id: new_id() for node_id in wanted.order}
    before = {node_id: [node for node in steps[node_id].predecessors() if node in steps] for node_id in wanted.order}
    change.rows.insert_many(
        "runs",
        [
            _step_row(pipeline, number, run_ids[node_id], steps[node_id], wanted.definitions[node_id], not before[node_id])
            for number, node_id in enumerate(wanted.order, pipeline["number"] + 1)
        ],
    )
    change.rows.insert_many(
        "step_runs",
        [
            {
                "run_id": run_ids[node_id],
                "pipeline_run_id": pipeline["id"],
                "node_id": node_id,
                "position": position,
                "waiting_for": len(before[node_id]),
                "compute_name": compute_name(steps[node_id]),
                "definition_id": wanted.definitions[node_id],
            }
            for position, node_id in enumerate(wanted.order)
        ],
    )
    edges = [{"before_run_id": run_ids[node], "after_run_id": run_ids[node_id]} for node_id in wanted.order for node in before[node_id]]
    change.rows.insert_many("step_edges", edges)
    change.rows.insert_many(
        "events",
        [
            {
                "run_id": run_ids[node_id],
                "root_run_id": pipeline["root_run_id"],
                "at": change.at,
                "status": status.NOT_STARTED if before[node_id] else status.QUEUED,
                "actor": "client",
                "reason": "submitted",
            }
            for node_id in wanted.order
        ],
    )


def _step_row(pipeline: Mapping[str, Any], number: int, run_id: str, step: StepNode, definition: str, is_ready: bool) -> dict[str, Any]:
    tags = {"azureml.nodeid": step.id, "azureml.pipeline": pipeline["id"]}
    return {
        "id": run_id,
        "workspace_id": pipeline["workspace_id"],
        "experiment_id": pipeline["experiment_id"],
        "number": number,
        "type": runs.STEP_RUN,
        "name": step.name,
        "display_name": step.name,
        "status": status.QUEUED if is_ready else status.NOT_STARTED,
        "parent_run_id": pipeline["id"],
        "root_run_id": pipeline["root_run_id"],
        "created_at": pipeline["created_at"],
        "queued_at": pipeline["created_at"] if is_ready else None,
        "tags": as_json(tags),
        "properties": as_json({**_step_properties(step, definition), **tags, "azureml.pipelinerunid": pipeline["id"]}),
        "target": compute_name(step),
        "created_by": pipeline["created_by"],
    }


def compute_name(step: StepNode) -> str:
    """Return the name of the compute target that a step runs on."""
    return step.compute.name if step.compute else LOCAL


def _step_properties(step: StepNode, definition: str) -> dict[str, str]:
    return {
        "azureml.runsource": runs.STEP_RUN,
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


def _pipeline_properties(wanted: Submission) -> dict[str, str]:
    return {
        "azureml.runsource": runs.PIPELINE_RUN,
        "runSource": wanted.run_source,
        "runType": wanted.run_source,
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
    steps = sorted(runs.list_children(context, wanted.run_id, type=runs.STEP_RUN), key=lambda step: int(step["number"]))
    return {"run": runs.get_run(context, wanted.run_id), "steps": steps, "definitions": definitions}


def _answer_again(context: Context, workspace_id: str, wanted: Submission) -> dict[str, Any]:
    """The first try arrived, and its answer was lost on the way."""
    row = runs.get_row(context, wanted.run_id)
    if not row["is_pipeline"] or row["workspace_id"] != workspace_id:
        raise Invalid(f"The request_id {wanted.run_id} names a run that is not of this submission; make a new one.")
    nodes = context.database.all("select node_id, definition_id from step_runs where pipeline_run_id = ?", (wanted.run_id,))
    return _answer(context, wanted, {item["node_id"]: {"definition_id": item["definition_id"], "known": True} for item in nodes})
