"""The way of a graph to the service: checks, snapshots, one request, and v1's lines on the console."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from azureml.core._errors import v1_errors
from azureml.core._git import git_properties
from azureml.core._nearest import nearest
from azureml.core._source_folders import check_in_snapshot
from azureml.data.datapath import DataPath
from azureml.data.dataset_consumption_config import dataset_type, is_dataset, wraps_dataset
from azureml.pipeline.core._data_types import check_data_type
from azureml.pipeline.core._document import builder_of, find_obstacles, to_document
from azureml.pipeline.core._errors import PipelineParameterError
from azureml.pipeline.core._parameters import PipelineParameter, kind_of, plain_value

if TYPE_CHECKING:
    from azureml.pipeline.core._graph import Graph
    from azureml.pipeline.core.run import PipelineRun
    from penstock.compile.snapshots import Snapshot

_WILL_RUN = "This step will run and generate new outputs"
_MAY_REUSE = "This step is eligible to reuse a previous run's output"
_DATA_IS_NEW = "Consumers of this data will generate new outputs"
_DATA_IS_KNOWN = "Consumers of this data are eligible to reuse a previous run's output"


class Submission(NamedTuple):
    """What is asked of one run of a graph."""

    experiment_name: Optional[str]
    parameters: Optional[Mapping[str, Any]] = None
    continue_on_step_failure: bool = False
    regenerate_outputs: bool = False
    parent_run_id: Optional[str] = None
    description: Optional[str] = None
    tags: Optional[Mapping[str, Any]] = None


def submit(graph: Graph, wanted: Submission) -> PipelineRun:
    """Submit a graph, say so on the console, and return the run.

    Raises:
        ValueError: The graph or a parameter's value is wrong, or no experiment was named.
        TypeError: The parameters or tags are no dictionary.
        SnapshotException: A source folder is too large, or holds what can't travel.
    """
    if not wanted.experiment_name:
        raise ValueError(
            "Nothing says which experiment the run belongs to. Use pipeline.submit(experiment_name) or Experiment.submit(pipeline)."
        )
    _refuse_problems(graph)
    workspace = graph._context.workspace
    values = check_values(graph.params, check_mapping("pipeline_parameters", wanted.parameters), workspace)
    sent = _send(graph)
    with v1_errors():
        answer = workspace._client.submit_pipeline(workspace._id, wanted.experiment_name, {**sent, **_request(wanted, values)})
    tell_definitions(graph, answer["definitions"], wanted.regenerate_outputs)
    return announce(workspace, answer["run"])


def send_graph(graph: Graph) -> Dict[str, Any]:
    """Check a graph, give the service its source folders, and return what a request says of it.

    Whatever is made of a graph - a run, a published pipeline, a draft - begins here.

    Returns:
        `graph`: its document; `properties`: where its source folder stands in git; `interpreter`: the python that its steps run on.

    Raises:
        ValueError: The graph is wrong; every problem is listed.
        SnapshotException: A source folder is too large, or holds what can't travel.
    """
    _refuse_problems(graph)
    return _send(graph)


def _send(graph: Graph) -> Dict[str, Any]:
    from penstock.model.graph import format_graph

    snapshots = _take_snapshots(graph)
    with v1_errors():
        _upload(graph._context.workspace._client, snapshots)
    digests = {folder: snapshot.digest for folder, snapshot in snapshots.items()}
    return {
        "graph": format_graph(to_document(graph, digests)),
        "properties": git_properties(next(iter(snapshots), ".")),
        "interpreter": sys.executable,
    }


def _refuse_problems(graph: Graph) -> None:
    problems = find_obstacles(graph)
    if problems:
        raise ValueError("The pipeline can't be submitted:\n" + "\n".join(problems))
    for node in graph.module_nodes:
        for port in node.outputs:
            check_data_type(graph._context.workspace, port.data_type, f"The output '{port.name}' of step '{node.name}'")


def _request(wanted: Submission, values: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "parameters": values,
        "continue_on_step_failure": bool(wanted.continue_on_step_failure),
        "regenerate_outputs": bool(wanted.regenerate_outputs),
        "tags": {str(key): str(value) for key, value in check_mapping("tags", wanted.tags).items()},
        "parent_run_id": wanted.parent_run_id,
        "description": wanted.description,
        "display_name": None,
        "run_source": "SDK",
    }


# Parameters


def check_values(parameters: Mapping[str, PipelineParameter], given: Mapping[str, Any], workspace: Any = None) -> Dict[str, Any]:
    """Return the values that a submission sets, as they travel. A dataset that has no id yet is saved in the workspace.

    Raises:
        PipelineParameterError: A name is unknown, or a value has another type than the parameter's default.
        TypeError: A dataset is given for a parameter that takes none, or none of its kind.
    """
    for name, value in given.items():
        _check_value(name, value, parameters)
    return {
        name: bool(value) if kind_of(parameters[name].default_value) == "bool" else plain_value(value, workspace)
        for name, value in given.items()
    }


def plain_values(given: Mapping[str, Any], workspace: Any) -> Dict[str, Any]:
    """Return the values that a run of something published sets, as they travel; whether they fit, the service knows.

    Raises:
        PipelineParameterError: A value is of a class that no parameter takes.
    """
    for name, value in given.items():
        if not is_dataset(value):
            _check_plain(name, value, "a value")
    return {str(name): plain_value(value, workspace) for name, value in given.items()}


def check_mapping(keyword: str, given: Any) -> Mapping[str, Any]:
    """Return a dictionary that was given for a keyword, {} for None; raise TypeError for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{keyword} must be a dictionary of names and values, not {given!r}, a {type(given).__name__}.")
    return given


def _check_value(name: str, value: Any, parameters: Mapping[str, PipelineParameter]) -> None:
    if name not in parameters:
        raise PipelineParameterError(
            f"The pipeline has no parameter '{name}'.{nearest(str(name), parameters, 'parameters')} "
            "A parameter belongs to the pipeline when one of its steps uses it."
        )
    kind = kind_of(parameters[name].default_value)
    if is_dataset(value):
        _check_dataset(name, value, parameters[name].default_value)
        return
    _check_plain(name, value, _KINDS[kind])
    if not _fits(kind, value):
        default = "one" if kind == "dataset" else repr(parameters[name].default_value)
        raise PipelineParameterError(
            f"The pipeline parameter '{name}' takes {_KINDS[kind]}, as its default is {default}, "
            f"but the value given is {value!r}, a {type(value).__name__}."
        )


def _check_plain(name: str, value: Any, wanted: str) -> None:
    if wraps_dataset(value) or isinstance(value, PipelineParameter):
        raise PipelineParameterError(
            f"The value of the pipeline parameter '{name}' is a {type(value).__name__}. Give the dataset itself; "
            "how a step consumes it was said where the step was made."
        )
    if type(value) not in (str, int, float, bool) and not isinstance(value, DataPath):
        raise PipelineParameterError(
            f"The value of the pipeline parameter '{name}' is a {type(value).__module__}.{type(value).__name__}. "
            f"Give {wanted} of Python itself; a numpy value becomes one with .item()."
        )


def _check_dataset(name: str, value: Any, default: Any) -> None:
    kind = kind_of(default)
    if kind != "dataset":
        raise TypeError(f"The pipeline parameter '{name}' takes {_KINDS[kind]}, as its default is {default!r}, but a dataset was given.")
    wanted, found = dataset_type(default), dataset_type(value)
    if wanted is not None and wanted != found:
        raise TypeError(f"The pipeline parameter '{name}' takes a {_CLASSES[wanted]}, as its default is one, not a {type(value).__name__}.")


_KINDS = {"int": "an int", "float": "a float", "bool": "a bool", "str": "a str", "datapath": "a DataPath", "dataset": "a dataset"}
_CLASSES = {"file": "FileDataset", "tabular": "TabularDataset"}


def _fits(kind: str, value: Any) -> bool:
    given = kind_of(value)
    if kind == "bool":
        return given == "bool" or (given == "int" and value in (0, 1))
    return given == kind or (kind, given) in (("int", "bool"), ("float", "int"))


# Snapshots


def finalize(graph: Graph, dry_run: bool = False) -> Dict[str, Tuple[str, bool]]:
    """Take the snapshots of a graph's source folders and give them to the service.

    Returns:
        For each node, the id of its definition and whether this graph never had it before.
    """
    from penstock.compile.fingerprints import definition_id

    _refuse_problems(graph)
    snapshots = _take_snapshots(graph)
    document = to_document(graph, {folder: snapshot.digest for folder, snapshot in snapshots.items()})
    if not dry_run:
        with v1_errors():
            _upload(graph._context.workspace._client, snapshots)
    known = graph.__dict__.setdefault("_definitions", {})
    found = {step.id: definition_id(step) for step in document.steps}
    found.update({node.node_id: node.datasource_def.calculate_hash() for node in graph.datasource_nodes if node.datasource_def is not None})
    answer = {node_id: (definition, known.get(node_id) != definition) for node_id, definition in found.items()}
    if not dry_run:
        known.update(found)
    return answer


def _take_snapshots(graph: Graph) -> Dict[str, Snapshot]:
    """Take each source folder once. Every submission looks anew, so edits between two of them are noticed."""
    from azureml.exceptions import SnapshotException
    from penstock.compile.snapshots import take_snapshot
    from penstock.model.errors import NotFound, PenstockError

    limits = graph._context.workspace._client.service_info()["limits"]
    taken: Dict[str, Snapshot] = {}
    for node in graph.module_nodes:
        builder = builder_of(node)
        folder = builder.source_directory
        if folder is None:
            continue
        if folder not in taken:
            try:
                taken[folder] = take_snapshot(folder, limits["snapshot_bytes"], limits["snapshot_files"])
            except NotFound as error:
                raise ValueError(f"Step '{node.name}': {error.message}") from error
            except PenstockError as error:
                raise SnapshotException(f"Step '{node.name}': {error.message}") from error
        if builder.script is not None:
            check_in_snapshot(taken[folder], builder.script, f"Step '{node.name}'")
    return taken


def _upload(client: Any, snapshots: Mapping[str, Snapshot]) -> None:
    from penstock.compile.snapshots import upload_snapshot

    sent = set()
    for snapshot in snapshots.values():
        if snapshot.digest not in sent:
            sent.add(snapshot.digest)
            upload_snapshot(client, snapshot)


# What the console says


def tell_definitions(graph: Graph, definitions: Mapping[str, Mapping[str, Any]], regenerate: bool = False) -> None:
    """Print v1's line for each step and each data reference: whether it will run, or may take an earlier result.

    Args:
        graph: The graph.
        definitions: Node id -> {"definition_id", "known"}, as the service answers.
        regenerate: Whether every step runs anyway.
    """
    lines: List[str] = []
    eligible: Dict[str, bool] = {}
    for node in graph.module_nodes:
        found = definitions.get(node.node_id, {})
        allowed = node.module_def is not None and node.module_def.allow_reuse
        eligible[node.node_id] = bool(found.get("known")) and bool(allowed) and not regenerate
        remark = _MAY_REUSE if eligible[node.node_id] else _WILL_RUN
        lines.append(f"Created step {node.name} [{node.node_id}][{found.get('definition_id')}], ({remark})")
    readers: Dict[str, List[str]] = {}
    for edge in graph.edges:
        readers.setdefault(edge.source_port.node.node_id, []).append(edge.dest_port.node.node_id)
    for source in graph.datasource_nodes:
        is_known = all(eligible.get(reader, False) for reader in readers.get(source.node_id, []))
        verb, remark = ("Using", _DATA_IS_KNOWN) if is_known else ("Created", _DATA_IS_NEW)
        identity = source.datasource_def.calculate_hash()[:32] if source.datasource_def is not None else ""
        lines.append(f"{verb} data reference {source.name} for StepId [{source.node_id}][{identity}], ({remark})")
    if lines:
        print("\n".join(lines))


def run_of(workspace: Any, record: Dict[str, Any]) -> PipelineRun:
    """Return the pipeline run of a document that the service answered with."""
    from azureml.core.experiment import Experiment
    from azureml.pipeline.core.run import PipelineRun

    experiment = Experiment(workspace, record["experiment_name"], _skip_name_validation=True, _id=record["experiment_id"])
    return PipelineRun._from_record(experiment, record)


def announce(workspace: Any, record: Dict[str, Any]) -> PipelineRun:
    """Print the id of a run that was submitted and where to see it, as v1 does; return the run."""
    run = run_of(workspace, record)
    print(f"Submitted PipelineRun {run.id}")
    print(f"Link to Azure Machine Learning Portal: {run.get_portal_url()}")
    return run
