"""The step that runs a sweep. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from azureml.core._refusal import refuse_class
from azureml.data.data_reference import DataReference
from azureml.pipeline.core._bindings import OutputPortBinding, TrainingOutput
from azureml.pipeline.core._settings import describe_training_outputs, to_settings
from azureml.pipeline.core.builder import PipelineData
from azureml.pipeline.steps._described_step import DescribedStep, need_text
from azureml.pipeline.steps.estimator_step import without_script
from azureml.train.hyperdrive.runconfig import HyperDriveConfig

_METRICS = "Metrics"


class HyperDriveStep(DescribedStep):
    """A step that runs a sweep: a script many times, with other values of its parameters each time.

    It can be built, drawn and written to YAML. This version can't run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        name: The step's name.
        hyperdrive_config: What the sweep is. It also says the source folder, the environment and the compute target.
        estimator_entry_script_arguments: What the script is given beside the parameters; an estimator needs it, be it an empty list.
        inputs: What the script reads.
        outputs: What it writes. One with a TrainingOutput takes the metrics, or the model of the best run.
        metrics_output: What takes the metrics of all runs.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: An argument is missing or not allowed.
    """

    _kind, _execution_type = "HyperDriveStep", "HyperDriveCloud"

    def __init__(
        self,
        name: str,
        hyperdrive_config: HyperDriveConfig,
        estimator_entry_script_arguments: Optional[Sequence[Any]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        metrics_output: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
    ) -> None:
        need_text("a HyperDriveStep", name=name)
        place = f"Step '{name}'"
        if not isinstance(hyperdrive_config, HyperDriveConfig):
            raise ValueError(f"{place}: hyperdrive_config must be a HyperDriveConfig, not a {type(hyperdrive_config).__name__}.")
        if hyperdrive_config.pipeline is not None:
            raise ValueError(f"{place}: the HyperDriveConfig runs a pipeline, which a step can't. Give it run_config or estimator.")
        arguments = _arguments_of(hyperdrive_config, estimator_entry_script_arguments, place)
        script, command, run_config = _what_runs(hyperdrive_config)
        metrics = _metrics_output(metrics_output, place)
        self._metrics_name = None if metrics is None else metrics._output_name
        super().__init__(
            name,
            run_config.target,
            hyperdrive_config._document(),
            inputs=inputs,
            outputs=[*(outputs or []), *([] if metrics is None else [metrics])],
            arguments=arguments,
            script_name=script,
            source_directory=hyperdrive_config.source_directory,
            takes_folder=True,
            command=command,
            runconfig=without_script(run_config),
            allow_reuse=allow_reuse,
            version=version,
        )

    def _settings(self) -> Dict[str, Any]:
        own = {"metrics_output": self._metrics_name, "training_outputs": describe_training_outputs(self._outputs)}
        return {**super()._settings(), **to_settings(own)}


def _arguments_of(config: HyperDriveConfig, given: Any, place: str) -> List[Any]:
    if given is not None and not isinstance(given, list):
        raise ValueError(f"{place}: estimator_entry_script_arguments must be a list, not a {type(given).__name__}.")
    run_config = config.run_config
    if config.estimator is not None:
        if run_config.arguments:
            raise ValueError(f"{place}: the estimator has script_params. Give them as estimator_entry_script_arguments of the step.")
        if run_config.data_references:
            raise ValueError(f"{place}: the estimator has inputs. Give them as inputs of the step.")
        if given is None:
            raise ValueError(f"{place} needs estimator_entry_script_arguments, as it runs an estimator; an empty list means none.")
        return config._without_space(given)
    if run_config.run_config.data_references:
        raise ValueError(f"{place}: the run configuration has data_references. Give them as inputs of the step.")
    own = run_config.arguments
    if own and given is not None:
        raise ValueError(f"{place}: give the arguments to the step or to its ScriptRunConfig, not to both.")
    if own and not isinstance(own, (list, str)):
        raise ValueError(f"{place}: the arguments of the ScriptRunConfig must be a list or a text, not a {type(own).__name__}.")
    if isinstance(own, str):
        from azureml.core._script_submission import split_line

        return list(split_line(own, "arguments"))
    return list(own or given or [])


def _what_runs(config: HyperDriveConfig) -> Tuple[Optional[str], Sequence[str], Any]:
    """The script, or the command, and the run configuration of a sweep's runs."""
    if config.estimator is not None:
        return config.run_config.script, (), config.run_config
    from azureml.core._script_submission import as_texts, run_command

    one = config.run_config
    if one.script or not one.command:
        return one.script, (), one.run_config
    return None, run_command(one.command if isinstance(one.command, str) else as_texts(one.command, "command")), one.run_config


def _metrics_output(given: Any, place: str) -> Any:
    if given is None:
        return None
    if isinstance(given, DataReference):
        name = given.data_reference_name
        return OutputPortBinding(name, datastore=given.datastore, training_output=TrainingOutput(_METRICS))
    if not isinstance(given, (PipelineData, OutputPortBinding)):
        raise ValueError(
            f"{place}: metrics_output must be PipelineData, a DataReference or an OutputPortBinding, not a {type(given).__name__}."
        )
    given._training_output = TrainingOutput(_METRICS)  # on the user's own object: it is the one that later steps read
    return given


HyperDriveStepRun = refuse_class(
    "azureml.pipeline.steps.hyper_drive_step.HyperDriveStepRun", "Sweeps come in a later release, and their runs with them."
)

__all__ = ["HyperDriveStep", "HyperDriveStepRun"]
