"""Submissions, checked: what can be said of one alone, and what its workspace must have for it."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.compile import checks
from penstock.model.datasets import FILE, TABULAR
from penstock.model.errors import Invalid, InvalidGraph, NotFound, TooLarge, Unsupported
from penstock.model.graph import LOCAL, Parameter, PipelineGraph, parse_graph
from penstock.model.ids import new_id
from penstock.operations import datasets, datastores
from penstock.operations.context import Change, Context
from penstock.operations.graph_shapes import check_shape
from penstock.operations.names import check_description, check_name, check_request_id, texts
from penstock.operations.plans import Plan, make_plan
from penstock.storage.paths import clean_relative
from penstock.storage.stores.definitions import SQL

_MOST_STEPS = 20_000


@dataclass(frozen=True)
class Submission:
    """A submission, checked as far as it can be without rows."""

    plan: Plan
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
    run_type: str
    submitter_run_id: str | None
    run_id: str

    @property
    def graph(self) -> PipelineGraph:
        """The graph."""
        return self.plan.graph


# What can be said of a submission alone


def parse_submission(submission: Mapping[str, Any], run_id: str | None = None) -> Submission:
    """Return a submission, checked; its run gets `run_id`, or else an id that follows from the request's.

    Raises:
        InvalidGraph: The graph can't run.
        Invalid: Another part is wrong.
        TooLarge: It has too many steps.
    """
    graph = parse_pipeline(member(submission, "graph", dict, {}))
    return Submission(
        plan=make_plan(graph),
        values=check_values(graph.parameters, member(submission, "parameters", dict, {})),
        continue_on_step_failure=member(submission, "continue_on_step_failure", bool, False),
        regenerate_outputs=member(submission, "regenerate_outputs", bool, False),
        tags=texts("tags", submission.get("tags") or {}),
        properties=texts("properties", submission.get("properties") or {}),
        parent_run_id=member(submission, "parent_run_id", str, None),
        description=check_description(submission.get("description")),
        display_name=member(submission, "display_name", str, None),
        interpreter=member(submission, "interpreter", str, None),
        run_source=member(submission, "run_source", str, "SDK"),
        run_type="SDK",
        submitter_run_id=member(submission, "submitter_run_id", str, None),
        run_id=run_id or check_request_id(submission.get("request_id")) or new_id(),
    )


def parse_pipeline(document: Mapping[str, Any]) -> PipelineGraph:
    """Return the graph of a pipeline that can run, as far as that can be said of a graph alone.

    Raises:
        InvalidGraph: It can't run; every problem is listed.
        Invalid: It is no graph's document.
        TooLarge: It has too many steps.
    """
    graph = parse_graph(document)
    check_shape(graph)
    if len(graph.steps) > _MOST_STEPS:
        raise TooLarge(f"The pipeline has {len(graph.steps)} steps; at most {_MOST_STEPS} are taken.")
    checks.check(graph)
    return graph


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
        Invalid: A name is unknown, a value has another type than its parameter, or one has no value at all. Its details name the
            parameters.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    problems = {name: _unknown(name, known) for name in given if name not in known}
    problems.update({name: _wrong_value(known[name], value) for name, value in values.items() if not _fits(known[name].kind, value)})
    if problems:
        raise Invalid("\n".join(problems.values()), problems=list(problems.values()), parameters=list(problems))
    return values


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = [item for item in names if item.lower() == name.lower()] or difflib.get_close_matches(name, names, n=1)
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
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)  # rows and answers are JSON
    return isinstance(value, {"int": int, "bool": bool, "str": str}[kind])  # True for an int passes, as in v1


# What the workspace must have


def check_places(context: Context, change: Change, workspace: Mapping[str, Any], wanted: Submission) -> None:
    """Do nothing for a submission whose datastores, datasets, compute targets and snapshots are there.

    Raises:
        InvalidGraph: With all that is missing. Its details name the parameter whose value is wrong, for each problem with data.
    """
    of_data = [*_datastore_problems(context, workspace, wanted), *_dataset_problems(context, workspace, wanted)]
    problems = [
        *(text for _, text in of_data),
        *_registration_problems(wanted.graph),
        *_compute_problems(change, workspace, wanted.graph),
        *_snapshot_problems(change, wanted.graph),
    ]
    if problems:
        raise InvalidGraph(problems, parameters=[user.parameter for user, _ in of_data])


@dataclass(frozen=True)
class _User:
    """What uses data, in words; and the pipeline parameter, where it is one."""

    words: str
    parameter: str | None = None

    @classmethod
    def of(cls, parameter: Parameter) -> _User:
        return cls(f"The pipeline parameter '{parameter.name}'", parameter.name)


def _datastore_problems(context: Context, workspace: Mapping[str, Any], wanted: Submission) -> Iterator[tuple[_User, str]]:
    reached: dict[str, str | None] = {}
    for user, name, path in _data_places(wanted):
        if name not in reached:
            reached[name] = _why_unreachable(context, workspace, name)
        if reached[name]:
            yield user, f"{user.words} can't use the datastore '{name}': {reached[name]}"
        if path.strip("/") not in ("", "."):  # the whole datastore
            try:
                clean_relative(path.strip("/"))
            except Invalid as error:
                yield user, f"{user.words}: {error.message}"


def _why_unreachable(context: Context, workspace: Mapping[str, Any], name: str) -> str | None:
    """Return why steps can't read or write a datastore, or None. No network is asked."""
    try:
        store = datastores.store_of(context, workspace["id"], name)
    except (NotFound, Unsupported, Invalid) as error:
        return error.message
    if store.protocol == SQL:
        return "It is a database and holds no files; read it by Dataset.Tabular.from_sql_query."
    return None


def _data_places(wanted: Submission) -> Iterator[tuple[_User, str, str]]:
    """Yield (who, datastore, path) for all data that the run reads or writes."""
    for node in wanted.graph.data:
        if node.parameter is None and node.dataset is None:
            yield _User(f"The data '{node.name}'"), node.datastore, node.path
    for parameter in wanted.graph.parameters:
        if parameter.kind == "datapath":
            value = wanted.values[parameter.name]
            yield _User.of(parameter), value["datastore"], value.get("path", "")
    for step in wanted.graph.steps:
        for port in step.outputs:
            if port.mode != "link":
                yield _User(f"The output '{port.name}' of step '{step.name}'"), port.datastore, port.destination or ""


def _dataset_problems(context: Context, workspace: Mapping[str, Any], wanted: Submission) -> Iterator[tuple[_User, str]]:
    for user, asked in _datasets(wanted):
        try:
            if asked.get("id"):
                _check_type(datasets.get_dataset(context, workspace["id"], asked["id"])["definition"]["type"], asked)
            else:
                datasets.get_dataset_version(context, workspace["id"], str(asked.get("name") or ""), asked.get("version"))
        except (NotFound, Invalid) as error:
            yield user, f"{user.words}: {error.message}"


def _check_type(found: str, asked: Mapping[str, Any]) -> None:
    if asked.get("type") not in (None, found):
        raise Invalid(f"The dataset '{asked['id']}' is of type {found}, not {asked['type']}.")


def _datasets(wanted: Submission) -> Iterator[tuple[_User, Mapping[str, Any]]]:
    """Yield (who, what names it) for all datasets that the run reads."""
    for node in wanted.graph.data:
        if node.parameter is None and node.dataset is not None:
            yield _User(f"The dataset '{node.name}'"), node.dataset
    for parameter in wanted.graph.parameters:
        if parameter.kind == "dataset":
            yield _User.of(parameter), wanted.values[parameter.name]


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
            yield (
                f"The source folder of step '{step.name}' (snapshot {str(step.snapshot)[:12]}) was not sent. "
                "In a pipeline that was saved elsewhere, give the step a source_directory in place of the snapshot."
            )
