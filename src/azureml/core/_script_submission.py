"""The way of a ScriptRunConfig to the service: a graph of one step, a snapshot, one request."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, Tuple

from azureml.core._errors import v1_errors
from azureml.core._run_config_environment import resolve_environment
from azureml.core._run_record import as_texts as tag_texts
from azureml.core._script_ports import find_ports
from azureml.exceptions import ExperimentExecutionException, SnapshotException, UserErrorException
from penstock.model.graph import LINE, LITERAL, LOCAL, Argument, ComputeRef, PipelineGraph, StepNode, format_graph
from penstock.model.steps import SCRIPT_STEP

if TYPE_CHECKING:
    from azureml.core.runconfig import RunConfiguration
    from azureml.core.script_run import ScriptRun
    from azureml.core.script_run_config import ScriptRunConfig
    from azureml.core.workspace import Workspace
    from penstock.compile.snapshots import Snapshot

_PLACE = "The ScriptRunConfig"


def submit_script(
    config: ScriptRunConfig,
    workspace: Workspace,
    experiment_name: str,
    run_id: Optional[str] = None,
    parent_run_id: Optional[str] = None,
    tags: Optional[Mapping[str, Any]] = None,
) -> ScriptRun:
    """Submit a script or a command, and return its run.

    Args:
        config: What to run. It stays as it is.
        workspace: Where.
        experiment_name: The experiment.
        run_id: The id that the run shall have; one is made when None.
        parent_run_id: The run that it is a child of.
        tags: The run's first tags.

    Raises:
        ExperimentExecutionException: The source folder, the script or the compute target does not exist.
        UserErrorException: A setting of the run configuration can't be carried out.
        SnapshotException: The source folder is too large, or holds what can't travel.
        NotImplementedError: The script is to run in several processes.
    """
    from azureml.core._git import git_properties
    from azureml.core.experiment import Experiment
    from azureml.core.script_run import ScriptRun
    from azureml.core.script_run_config import get_run_config_from_script_run
    from penstock.compile.snapshots import upload_snapshot

    run_config = get_run_config_from_script_run(config)
    _check(run_config)
    run_config = resolve_environment(run_config, workspace)
    folder = os.path.abspath(config.source_directory)
    snapshot = _take_snapshot(workspace, folder, config.source_directory, run_config.script)
    with v1_errors():
        graph = _graph(workspace, run_config, snapshot.digest)
        upload_snapshot(workspace._client, snapshot)
        submission = {
            "graph": format_graph(graph),
            "run_id": run_id,
            "parent_run_id": parent_run_id,
            "tags": tag_texts("tag", tags or {}),
            "properties": git_properties(folder),
            "interpreter": sys.executable,
        }
        record = workspace._client.submit_script(workspace._id, experiment_name, submission)
    experiment = Experiment(workspace, record["experiment_name"], _id=record["experiment_id"], _create_in_cloud=False)
    return ScriptRun(experiment, record["id"], directory=folder, _run_config=run_config, _record=record)


# Checks


def _check(run_config: RunConfiguration) -> None:
    from azureml.core._run_config_checks import check_run_config

    check_run_config(run_config, _PLACE)
    if not run_config.script and not run_config.command:
        raise UserErrorException(f"{_PLACE} names neither a script nor a command. Give it one: ScriptRunConfig(folder, script='train.py').")
    if run_config.script and run_config.command:
        raise UserErrorException(f"{_PLACE} names the script '{run_config.script}' and a command. Give it one of them.")
    _refuse_distribution(run_config)


def _refuse_distribution(run_config: RunConfiguration) -> None:
    from azureml.core._refusal import not_built

    mpi = "MpiConfiguration", (run_config.mpi.process_count_per_node or 1) * (run_config.mpi.node_count or 1)
    pytorch = "PyTorchConfiguration", max(run_config.pytorch.process_count or 1, run_config.pytorch.node_count or 1)
    tensorflow = "TensorflowConfiguration", run_config.tensorflow.worker_count or 1
    by_communicator = {"IntelMpi": mpi, "OpenMpi": mpi, "Nccl": pytorch, "Gloo": pytorch, "ParameterServer": tensorflow}
    kind, processes = by_communicator.get(str(run_config.communicator), ("RunConfiguration", 1))
    count = max(processes, run_config.node_count or 1)
    if count > 1:
        raise not_built(
            f"A {kind} of {count} processes",
            "Distributed scripts come in a later release. Run it as one process: without distributed_job_config, and with node_count 1.",
        )


# The graph


def _graph(workspace: Workspace, run_config: RunConfiguration, snapshot: str) -> PipelineGraph:
    from azureml.core._source_folders import plain_path
    from azureml.core.runconfig import to_document

    run_config.arguments = _arguments(run_config)
    run_config.command = _command(run_config.command)
    ports = find_ports(run_config, workspace, _PLACE)
    step = StepNode(
        id="script",
        name=_name(run_config),
        step_type=SCRIPT_STEP,
        script=plain_path(run_config.script) if run_config.script else None,
        command=run_command(run_config.command),
        snapshot=snapshot,
        arguments=tuple(Argument(LITERAL, text) for text in run_config.arguments),
        inputs=tuple(ports.inputs),
        outputs=tuple(ports.outputs),
        compute=_target(workspace, run_config.target),
        run_config=to_document(run_config),
        allow_reuse=False,
    )
    return PipelineGraph(steps=(step,), data=tuple(ports.data))


def _name(run_config: RunConfiguration) -> str:
    """What people call the run: its script, or the first word of its command."""
    if run_config.script:
        return str(run_config.script)
    first = run_config.command if isinstance(run_config.command, str) else str(run_config.command[0])
    return first.split()[0] if first.split() else "command"


def _arguments(run_config: RunConfiguration) -> List[str]:
    given = run_config.arguments or []
    return split_line(given, "arguments") if isinstance(given, str) else as_texts(given, "arguments")


def _command(given: Any) -> Any:
    return given if isinstance(given, str) else as_texts(given or [], "command")


def run_command(command: Any) -> Tuple[str, ...]:
    """A text is a line for the shell. A list is a program and its arguments, unless a shell's operator stands in it, as v1 allowed."""
    if not command:
        return ()
    if isinstance(command, str):
        return (*LINE, command)
    if len(command[0].split()) > 1 or not _OPERATORS.isdisjoint(command):
        return (*LINE, " ".join(command))
    return tuple(command)


_OPERATORS = frozenset(["&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>"])


def as_texts(items: Iterable[Any], what: str) -> List[str]:
    """Return arguments as the process gets them.

    Raises:
        UserErrorException: One of them is None, is data that only a pipeline has, or a text that no process can be given.
    """
    texts = []
    for index, item in enumerate(items):
        if item is None:
            raise UserErrorException(f"{_PLACE} has None as {what}[{index}]. Leave it out, or give it a value.")
        if hasattr(item, "_set_producer") or hasattr(item, "default_value"):
            kind = type(item).__name__
            raise UserErrorException(
                f"{_PLACE} has a {kind} as {what}[{index}], which belongs to a pipeline's steps. "
                "Use OutputFileDatasetConfig for what a script writes, and a plain value for a parameter."
            )
        text = str(item)
        if "\0" in text or not _is_unicode(text):
            given = f"{_PLACE} has {text!r:.60} as {what}[{index}]"
            raise UserErrorException(f"{given}, which no process can be given: it holds a NUL, or no valid text.")
        texts.append(text)
    return texts


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def split_line(line: str, what: str) -> List[str]:
    """Return the words of a line, by the shell's rules.

    Raises:
        UserErrorException: A quotation mark is left open.
    """
    import shlex

    try:
        return shlex.split(line)
    except ValueError as error:
        raise UserErrorException(f"The {what} {line!r} of {_PLACE} can't be split into words: {error}. Give a list.") from None


def _target(workspace: Workspace, target: Any) -> ComputeRef:
    from azureml.core._places import Places

    try:
        found = Places(workspace).find_target(target or LOCAL, _PLACE)
    except ValueError as error:
        raise ExperimentExecutionException(str(error)) from error
    assert found is not None, "there is none for no target only"
    return ComputeRef(found.name, found.type)


# The snapshot


def _take_snapshot(workspace: Workspace, folder: str, given: str, script: Optional[str]) -> Snapshot:
    from azureml.core._source_folders import check_in_snapshot, find_script
    from penstock.compile.snapshots import take_snapshot
    from penstock.model.errors import NotFound, PenstockError

    with v1_errors():
        limits = workspace._client.service_info()["limits"]
    try:
        if script:
            find_script(folder, script, _PLACE, given)
        snapshot = take_snapshot(folder, limits["snapshot_bytes"], limits["snapshot_files"])
        if script:
            check_in_snapshot(snapshot, script, _PLACE)
    except (NotFound, ValueError) as error:
        raise ExperimentExecutionException(getattr(error, "message", str(error))) from error
    except PenstockError as error:
        raise SnapshotException(error.message) from error
    return snapshot
