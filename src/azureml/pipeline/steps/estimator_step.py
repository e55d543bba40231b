"""The step that runs the script of an estimator."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from azureml.core._deprecation import deprecated
from azureml.pipeline.steps.python_script_step import PythonScriptStep

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode
    from azureml.pipeline.core._parameters import PipelineParameter


class EstimatorStep(PythonScriptStep):
    """A step that runs the script of an estimator. v1 calls it deprecated, and CommandStep its successor.

    Args:
        name: The step's name; None takes the script's.
        estimator: The estimator: its source folder, script and run configuration count.
        estimator_entry_script_arguments: What the script is given; an empty list for nothing.
        runconfig_pipeline_params: Settings of the run that pipeline parameters give; see PythonScriptStep.
        inputs: What the script reads.
        outputs: What it writes.
        compute_target: A compute target, its name, or a pair (name, type).
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: An argument is missing or not allowed, or the estimator has script_params or inputs of its own.
        TypeError: It is no estimator.
    """

    def __init__(
        self,
        name: Optional[str] = None,
        estimator: Any = None,
        estimator_entry_script_arguments: Optional[Sequence[Any]] = None,
        runconfig_pipeline_params: Optional[Mapping[str, PipelineParameter]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        compute_target: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
    ) -> None:
        deprecated("EstimatorStep is deprecated in SDK v1. Use CommandStep with an Environment.")
        _check(estimator, estimator_entry_script_arguments, compute_target)
        run_config = estimator.run_config
        super().__init__(
            script_name=run_config.script,
            name=name,
            arguments=estimator_entry_script_arguments,
            compute_target=compute_target,
            runconfig=run_config,
            runconfig_pipeline_params=runconfig_pipeline_params,
            inputs=inputs,
            outputs=outputs,
            source_directory=estimator.source_directory,
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
            ValueError: The script or the compute target does not exist.
        """
        return super().create_node(graph, default_datastore, context)

    def _own_run_config(self, run_config: Any) -> Any:
        return without_script(run_config)


def without_script(run_config: Any) -> Any:
    """Return a copy of a run configuration that says nothing of what runs and where: the step says it."""
    own = copy.copy(run_config)
    own.script, own.arguments, own.command, own.target = None, [], "", "local"
    own.data, own.data_references, own.output_data = {}, {}, {}
    return own


def _check(estimator: Any, arguments: Any, compute_target: Any) -> None:
    from azureml.train.estimator import MMLBaseEstimator

    if estimator is None:
        raise ValueError("An EstimatorStep needs an estimator.")
    if not isinstance(estimator, MMLBaseEstimator):
        raise TypeError(f"The estimator of an EstimatorStep must be an Estimator of azureml.train, not a {type(estimator).__name__}.")
    if compute_target is None:
        raise ValueError("An EstimatorStep needs a compute_target: a compute target or its name.")
    if estimator._script_params:
        raise ValueError("The estimator of a step must not have script_params. Give them as estimator_entry_script_arguments of the step.")
    if estimator._inputs:
        raise ValueError("The estimator of a step must not have inputs. Give them as inputs of the step.")
    if arguments is None:
        raise ValueError("An EstimatorStep needs estimator_entry_script_arguments; an empty list means none.")


__all__ = ["EstimatorStep"]
