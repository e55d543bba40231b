"""The step that runs a Python script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from azureml.pipeline.core._python_script_step_base import _PythonScriptStepBase

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode
    from azureml.pipeline.core._parameters import PipelineParameter


class PythonScriptStep(_PythonScriptStepBase):
    """A step that runs a Python script.

    The script runs in a copy of its source folder. It is given the arguments; pipeline parameters and `params` also reach it as
    variables AML_PARAMETER_<name>, and the paths of its inputs and outputs as AZUREML_DATAREFERENCE_<name>.

    Args:
        script_name: The script, relative to `source_directory`.
        name: The step's name; None takes the script's.
        arguments: What the script is given. Data among them must also be an input or output.
        compute_target: A compute target, its name, or a pair (name, type); None means the run configuration's.
        runconfig: The run configuration; None means a new one.
        runconfig_pipeline_params: Settings of the run that pipeline parameters give: NodeCount, MpiProcessCountPerNode,
            TensorflowWorkerCount, TensorflowParameterServerCount.
        inputs: What the script reads.
        outputs: What it writes.
        params: Values by name: plain ones, or pipeline parameters.
        source_directory: The folder of the script; None means the pipeline's default, or the current folder.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.
        hash_paths: Deprecated, and without effect.

    Raises:
        ValueError: An argument, input, output or name is not allowed.
    """

    def __init__(
        self,
        script_name: str,
        name: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: Optional[Mapping[str, PipelineParameter]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        source_directory: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
    ) -> None:
        super().__init__(
            script_name=script_name,
            name=name,
            arguments=arguments,
            compute_target=compute_target,
            runconfig=runconfig,
            runconfig_pipeline_params=runconfig_pipeline_params,
            inputs=inputs,
            outputs=outputs,
            params=params,
            source_directory=source_directory,
            allow_reuse=allow_reuse,
            version=version,
            hash_paths=hash_paths,
        )

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The script or the compute target does not exist.
        """
        return super().create_node(graph, default_datastore, context)
