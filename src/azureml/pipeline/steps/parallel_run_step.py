"""The step that runs a module over the parts of a large input. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from azureml.data.constants import DIRECT_MODE, MOUNT_MODE
from azureml.data.dataset_consumption_config import FILE, TABULAR, DatasetConsumptionConfig, dataset_type
from azureml.data.output_dataset_config import OutputDatasetConfig
from azureml.pipeline.core import _arguments
from azureml.pipeline.core._parameters import PipelineParameter
from azureml.pipeline.core._python_script_step_base import _PythonScriptStepBase
from azureml.pipeline.core._settings import join_settings_parameters, to_settings
from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputAbstractDataset, PipelineOutputFileDataset
from azureml.pipeline.steps.parallel_run_config import ParallelRunConfig

if TYPE_CHECKING:
    from azureml.pipeline.core._definitions import ModuleDef
    from azureml.pipeline.core._nodes import ModuleNode
    from azureml.pipeline.core._parameters import ParamDef

_LOGGER = logging.getLogger("penstock")
_NAME = re.compile(r"[a-z]([-a-z0-9]{1,30}[a-z0-9])")
_RANKS = "--rank_mini_batch_count"
# What the configuration gives to the module; each is an argument of this name with two dashes.
_GIVEN_BY_CONFIG = (
    "mini_batch_size",
    "error_threshold",
    "allowed_failed_count",
    "allowed_failed_percent",
    "output_action",
    "logging_level",
    "process_count_per_node",
    "run_invocation_timeout",
    "run_max_try",
    "append_row_file_name",
    "partition_keys",
)
_RESERVED = frozenset(f"--{name}" for name in (*_GIVEN_BY_CONFIG, "output"))


class _Ports(NamedTuple):
    """A step's data as its module gets them, and what stands for them among its arguments."""

    inputs: List[Any]
    side_inputs: List[Any]
    arguments: List[Any]


class ParallelRunStep(_PythonScriptStepBase):
    """A step that runs a module over the parts of a large input.

    It can be built, drawn and written to YAML. This version can't run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        name: The step's name: 3 to 32 lower case letters, digits and dashes.
        parallel_run_config: How the module is run.
        inputs: The datasets that are divided: all of files, or all tabular.
        output: What the step writes; with output_action append_row it is needed.
        side_inputs: Data that every process reads whole.
        arguments: What the module is given: names that begin with a dash, and their values.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.

    Raises:
        ValueError: An argument, an input or a place is not allowed; the message names it.
        AssertionError: There are no inputs.
    """

    def __init__(
        self,
        name: str,
        parallel_run_config: ParallelRunConfig,
        inputs: Sequence[Any],
        output: Any = None,
        side_inputs: Optional[Sequence[Any]] = None,
        arguments: Optional[Sequence[Any]] = None,
        allow_reuse: bool = True,
    ) -> None:
        _check_name(name)
        place = f"Step '{name}'"
        if not isinstance(parallel_run_config, ParallelRunConfig):
            raise ValueError(f"{place}: parallel_run_config must be a ParallelRunConfig, not a {type(parallel_run_config).__name__}.")
        config = self._parallel_run_config = parallel_run_config
        given = list(arguments or [])
        _check_arguments(given, place)
        _check_counts(inputs, given, place)
        if output is None and config.output_action == "append_row":
            raise ValueError(f"{place} has output_action 'append_row', so it needs an output: output=PipelineData('name').")
        _check_source(config, place)
        ports = _prepare(inputs or [], side_inputs or [], given, bool(config.partition_keys), place)
        self._values = {setting: getattr(config, setting) for setting in (*_GIVEN_BY_CONFIG, "node_count", "description")}
        self._counts = len(ports.inputs), len(ports.side_inputs)
        super().__init__(
            script_name=config.entry_script,
            name=name,
            arguments=ports.arguments,
            compute_target=config.compute_target,
            runconfig=_run_config(config),
            runconfig_pipeline_params={"NodeCount": config.node_count} if isinstance(config.node_count, PipelineParameter) else None,
            inputs=[*ports.inputs, *ports.side_inputs],
            outputs=[] if output is None else [output],
            params=join_settings_parameters({}, {**self._values, "node_count": None}),
            source_directory=config.source_directory,
            allow_reuse=allow_reuse,
        )
        self.step_type = ParallelRunStep.__name__  # also of subclasses: it says what may run it

    @property
    def running_on_windows(self) -> bool:
        """Return whether the environment's image is one of Windows."""
        system = getattr(getattr(self._parallel_run_config.environment.docker, "platform", None), "os", None)
        return str(system).lower() == "windows"

    def create_module_def(  # type: ignore[override]  # v1's own order
        self,
        execution_type: str,
        input_bindings: Sequence[Any],
        output_bindings: Sequence[Any],
        param_defs: Optional[Sequence[ParamDef]] = None,
        create_sequencing_ports: bool = True,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        **kwargs: Any,
    ) -> ModuleDef:
        """Return the step's definition; see `PipelineStep.create_module_def`.

        Args:
            execution_type: The kind of execution.
            input_bindings: Its inputs.
            output_bindings: Its outputs.
            param_defs: Its parameters.
            create_sequencing_ports: Whether `run_after` can be used.
            allow_reuse: Whether an earlier result may be taken.
            version: The user's lever to force a new definition.
            arguments: The resolved arguments.
            **kwargs: The further arguments of `PipelineStep.create_module_def`.
        """
        return super().create_module_def(
            execution_type=execution_type,
            input_bindings=input_bindings,
            output_bindings=output_bindings,
            param_defs=param_defs,
            create_sequencing_ports=create_sequencing_ports,
            allow_reuse=allow_reuse,
            version=version,
            arguments=arguments,
            **kwargs,
        )

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The module or the compute target does not exist.
        """
        return super().create_node(graph, default_datastore, context)

    def _settings(self) -> Dict[str, Any]:
        divided, beside = self._counts  # those that only the arguments name come after them
        names = [_name_of(item, self._place) for item in self._inputs]
        return to_settings({**self._values, "inputs": names[:divided], "side_inputs": names[divided : divided + beside]})


# Checks


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError(f"The name of a ParallelRunStep must be a text that is not empty, not {name!r}.")
    if not _NAME.fullmatch(name):
        _LOGGER.warning(
            "Azure refuses '%s' as the name of a ParallelRunStep: it takes 3 to 32 lower case letters, digits and dashes.",
            name,
        )


def _check_arguments(arguments: Sequence[Any], place: str) -> None:
    if arguments and not (isinstance(arguments[0], str) and arguments[0].startswith("-")):
        raise ValueError(f"{place}: the arguments begin with {arguments[0]!r:.60}. Name them: arguments=['--name', value, ...].")
    for item in arguments:
        name = item.partition("=")[0] if isinstance(item, str) else ""
        if name in _RESERVED:
            hint = "the step's output says it" if name == "--output" else f"set {name.lstrip('-')} of the ParallelRunConfig"
            raise ValueError(f"{place} has '{name}' among its arguments, which the step gives to its module itself: {hint}.")


def _check_counts(inputs: Any, arguments: Sequence[Any], place: str) -> None:
    is_list = isinstance(inputs, (list, tuple)) and len(inputs) > 0
    if not is_list and not _rank_count(arguments):
        raise AssertionError(
            f"{place}: inputs must be a list of datasets that is not empty. Write inputs=[dataset.as_named_input('name')]."
        )


def _rank_count(arguments: Sequence[Any]) -> int:
    """How many mini batches there are without any input, as an argument says."""
    for index, item in enumerate(arguments):
        name, is_joined, value = item.partition("=") if isinstance(item, str) else ("", "", "")
        if name == _RANKS:
            following = arguments[index + 1] if index + 1 < len(arguments) else ""
            count = value if is_joined else str(getattr(following, "default_value", following))
            return int(count) if count.isdigit() else 0
    return 0


def _check_source(config: ParallelRunConfig, place: str) -> None:
    folder = config.source_directory
    if folder is None:  # the pipeline may have one
        return
    if not os.path.isdir(folder):
        raise ValueError(f"{place}: the source_directory '{folder}' of its ParallelRunConfig is not a folder.")
    if not os.path.isfile(os.path.join(folder, config.entry_script)):
        raise ValueError(f"{place}: there is no entry_script '{config.entry_script}' in '{os.path.abspath(folder)}'.")


# Inputs


def _prepare(inputs: Sequence[Any], side_inputs: Sequence[Any], arguments: Sequence[Any], by_keys: bool, place: str) -> _Ports:
    """Return the data as the module gets them: files mounted, tables as they are; arguments that name them follow."""
    divided = [_divided(item, by_keys, place) for item in inputs]
    kinds = {kind for kind in map(dataset_type, divided) if kind is not None}
    if len(kinds) > 1:
        raise ValueError(f"{place} has inputs of files and tabular ones. All must be of one kind.")
    beside = [_mounted(_as_input(item)) for item in side_inputs]
    changed = list(zip([*inputs, *side_inputs], [*divided, *beside]))
    return _Ports(divided, beside, [_follow(item, changed) for item in arguments])


def _as_input(item: Any) -> Any:
    return item.as_input() if isinstance(item, OutputDatasetConfig) else item


def _divided(item: Any, by_keys: bool, place: str) -> Any:
    found = _as_input(item)
    if not isinstance(found, (DatasetConsumptionConfig, PipelineOutputAbstractDataset)):
        raise ValueError(
            f"{place} has an input of an unexpected type, {type(item).__name__}. What it divides must be a dataset: "
            "dataset.as_named_input('name'), as_dataset() of PipelineData, or an OutputFileDatasetConfig; other data can be side_inputs."
        )
    mode = found.mode if isinstance(found, DatasetConsumptionConfig) else found._input_mode
    must_be_direct = dataset_type(found) == TABULAR or by_keys
    if isinstance(item, OutputDatasetConfig) and isinstance(found, DatasetConsumptionConfig) and by_keys:
        return DatasetConsumptionConfig(found.name, found.dataset)
    if must_be_direct and mode != DIRECT_MODE:
        why = "it is tabular" if dataset_type(found) == TABULAR else "it is divided by partition_keys"
        raise ValueError(f"{place}: the input '{_name_of(found, place)}' must have the mode 'direct', not '{mode}', as {why}.")
    return found if must_be_direct else _mounted(found)


def _mounted(item: Any) -> Any:
    if isinstance(item, DatasetConsumptionConfig) and dataset_type(item) == FILE and item.mode != MOUNT_MODE:
        return item.as_mount()
    if isinstance(item, PipelineOutputFileDataset) and item._input_mode != MOUNT_MODE:
        return item.as_mount()
    return item


def _follow(argument: Any, changed: Sequence[Tuple[Any, Any]]) -> Any:
    """What stands for an argument that names an input."""
    for before, after in changed:
        if argument is before:
            return after
        both = isinstance(argument, DatasetConsumptionConfig) and isinstance(after, DatasetConsumptionConfig)
        if both and argument.name == after.name and argument.dataset is after.dataset:
            return after
    return argument


def _name_of(item: Any, place: str) -> str:
    return _arguments.input_name(item, place)


def _run_config(config: ParallelRunConfig) -> Any:
    from azureml.core.runconfig import RunConfiguration

    run_config = RunConfiguration()
    run_config.environment = config.environment
    variables: Mapping[str, str] = config.environment_variables
    run_config.environment_variables = {str(name): str(value) for name, value in variables.items()}
    count = config.node_count
    run_config.node_count = count.default_value if isinstance(count, PipelineParameter) else count
    return run_config


__all__ = ["ParallelRunStep"]
