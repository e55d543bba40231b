"""The step that runs a command."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence

from azureml.pipeline.core._python_script_step_base import _PythonScriptStepBase
from penstock.model.graph import LINE, LITERAL, PARAMETER, Argument, variable_name

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode
    from azureml.pipeline.core._parameters import PipelineParameter


class CommandStep(_PythonScriptStepBase):
    """A step that runs a command.

    The command is a line for the shell, which runs in a copy of the source folder: `&&`, `|`, `>` and `$NAME` mean there what they always
    do. `python` is the step's own interpreter. The shell finds parameters as $AML_PARAMETER_<name>, and the paths of inputs and outputs as
    $AZUREML_DATAREFERENCE_<name>.

    Args:
        command: The line; or a list whose elements make up the line, data and pipeline parameters among them. These are quoted, texts
            are taken as they are. None means the run configuration's.
        name: The step's name; None makes one of the command's first word.
        compute_target: A compute target, its name, or a pair (name, type); None means the run configuration's.
        runconfig: The run configuration, or a ScriptRunConfig, which also has a command and a source folder.
        runconfig_pipeline_params: Settings of the run that pipeline parameters give; see PythonScriptStep.
        inputs: What the command reads.
        outputs: What it writes.
        params: Values by name: plain ones, or pipeline parameters.
        source_directory: The folder in which it runs; None means the pipeline's default, or the current folder.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: There is no command or no such folder, or an argument, input, output or name is not allowed.
    """

    _has_script = False
    _runs_command = True

    def __init__(
        self,
        command: Any = None,
        name: Optional[str] = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: Optional[Mapping[str, PipelineParameter]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        source_directory: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
    ) -> None:
        from azureml.core.script_run_config import ScriptRunConfig

        if isinstance(runconfig, ScriptRunConfig):
            command = command or runconfig.command
            source_directory = source_directory or runconfig.source_directory
            runconfig = runconfig.run_config
        parts = _parts(command or getattr(runconfig, "command", None))
        if source_directory is not None and not os.path.isdir(source_directory):
            raise ValueError(f"The source_directory {os.fspath(source_directory)!r} of a CommandStep is not a folder.")
        super().__init__(
            script_name=None,
            name=name or _name(parts),
            arguments=parts,
            compute_target=compute_target,
            runconfig=runconfig,
            runconfig_pipeline_params=runconfig_pipeline_params,
            inputs=inputs,
            outputs=outputs,
            params=params,
            source_directory=source_directory,
            allow_reuse=allow_reuse,
            version=version,
        )

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The source folder or the compute target does not exist.
        """
        return super().create_node(graph, default_datastore, context)

    def _command(self, arguments: Sequence[Argument]) -> Sequence[str]:
        return (*LINE, " ".join(_quoted(argument) for argument in arguments))

    def _own_run_config(self, run_config: Any) -> Any:
        own = copy.copy(run_config)
        own.command = ""  # it is the step's own now; the user's object keeps it
        return own


def _parts(command: Any) -> List[Any]:
    parts = [command] if isinstance(command, str) else list(command or [])
    if not parts or not str(parts[0]).strip():
        raise ValueError("A CommandStep needs a command: CommandStep(command='python train.py'), or one in its run configuration.")
    if not isinstance(parts[0], str):
        raise ValueError(f"A command begins with a text, the program's name, not with a {type(parts[0]).__name__}.")
    return parts


def _name(parts: Sequence[Any]) -> str:
    return f"CommandStep_{parts[0].split()[0]}"


def _quoted(argument: Argument) -> str:
    return argument.value if argument.kind == LITERAL else f'"{reference(argument)}"'


def reference(argument: Argument) -> str:
    """Return how a command names an argument that only its run knows: the variable that holds it."""
    if argument.kind == PARAMETER:
        return f"$AML_PARAMETER_{variable_name(argument.value)}"
    return f"$AZUREML_DATAREFERENCE_{argument.value}"


__all__ = ["CommandStep"]
