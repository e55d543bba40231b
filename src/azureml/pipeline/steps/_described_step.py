"""The base of the steps whose work is done elsewhere: all that their type says goes into the graph, and nothing here runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence

from azureml.pipeline.core._graph_context import ModuleBuilder
from azureml.pipeline.core._parameters import ParamDef, PipelineParameter
from azureml.pipeline.core._python_script_step_base import check_params, check_run_config, normalise_script
from azureml.pipeline.core._settings import join_settings_parameters, to_settings
from azureml.pipeline.core.builder import PipelineStep

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode


class DescribedStep(PipelineStep):
    """A step that takes its place in a pipeline with all that its type says.

    It can be built, drawn and written to YAML. A pipeline that has one is refused when it is submitted or published.

    Args:
        name: The step's name.
        compute_target: A compute target, its name, or a pair (name, type).
        settings: What is its own, under v1's names. Pipeline parameters in it become the step's.
        inputs: What it reads.
        outputs: What it writes.
        arguments: What its program is given.
        params: Values by name: plain ones, or pipeline parameters.
        script_name: The file that runs, relative to the source folder.
        source_directory: The folder that travels.
        takes_folder: Whether a folder travels although `source_directory` names none: the pipeline's default.
        command: What runs instead of a file.
        runconfig: The run configuration.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: An argument, input, output or name is not allowed.
    """

    _kind = ""  # the class, as users know it
    _execution_type = ""  # v1's name of what runs it
    _target_kind: Optional[str] = None  # where v1 took compute targets of one type alone
    _fixes_collisions = False

    def __init__(
        self,
        name: str,
        compute_target: Any,
        settings: Mapping[str, Any],
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        arguments: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        script_name: Optional[str] = None,
        source_directory: Any = None,
        takes_folder: bool = False,
        command: Sequence[str] = (),
        runconfig: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
    ) -> None:
        from azureml.pipeline.core import _arguments

        super().__init__(name, inputs, outputs, arguments, fix_port_name_collisions=self._fixes_collisions)
        self._compute_target = compute_target
        self._values = dict(settings)
        self._script_name = normalise_script(script_name, self._place) if script_name else None
        self._source_directory = source_directory
        self._command = tuple(command)
        self._takes_folder = takes_folder or source_directory is not None
        self._runconfig = check_run_config(runconfig, self._place)
        self._allow_reuse, self._version = allow_reuse, version
        self.step_type = self._kind  # also of subclasses: it says what may run it
        named = join_settings_parameters(check_params(params, self._place), self._values)
        self._params: Dict[str, Any] = dict(_arguments.join_parameters(named, self._arguments, self._place))

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The file or the compute target does not exist, or the target is of another kind.
        """
        folder = self.get_source_directory(context, self._source_directory, self._script_name) if self._takes_folder else None
        inputs, outputs = self.create_input_output_bindings(self._inputs, self._outputs, default_datastore)
        target = context.find_target(self._compute_target, self._place)
        _check_kind(self._place, self._compute_target, target, self._target_kind)
        definition = self.create_module_def(
            self._execution_type,
            inputs,
            outputs,
            param_defs=[ParamDef(name, _default_of(value), set_env_var=True) for name, value in self._params.items()],
            allow_reuse=self._allow_reuse,
            version=self._version,
            arguments=self.resolve_input_arguments(self._arguments, self._inputs, self._outputs, self._params),
        )
        node: ModuleNode = graph.add_module_node(
            self.name,
            input_bindings=inputs,
            output_bindings=outputs,
            param_bindings=self._params,
            module_builder=ModuleBuilder(definition, folder, self._script_name, target, command=self._command, settings=self._settings()),
            runconfig=context.describe_run_config(self._runconfig, self._place) if self._runconfig is not None else None,
        )
        return node

    def _settings(self) -> Dict[str, Any]:
        return to_settings(self._values)


def _default_of(value: Any) -> Any:
    return value.default_value if isinstance(value, PipelineParameter) else value


# Checks that several of them make


def need_text(step: str, **given: Any) -> None:
    """Do nothing for texts that are not empty; raise ValueError for the first that is none."""
    for name, value in given.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"The {name} of {step} must be a text that is not empty, not {value!r}.")


def need_kind(place: str, kind: Any, word: str, **given: Any) -> None:
    """Do nothing for values of a kind, None and pipeline parameters; raise ValueError for the first that is another."""
    for name, value in given.items():
        is_wrong_bool = isinstance(value, bool) and kind is int
        if value is not None and not isinstance(value, PipelineParameter) and (is_wrong_bool or not isinstance(value, kind)):
            raise ValueError(f"{place}: {name} must be {word}, not {value!r:.60}, a {type(value).__name__}.")


def need_target(place: str, target: Any) -> None:
    """Do nothing where there is a compute target; raise ValueError for None."""
    if target is None:
        raise ValueError(f"{place} needs a compute_target: a compute target or its name.")


def _check_kind(place: str, given: Any, found: Any, kind: Optional[str]) -> None:
    """Do nothing for a compute target of a kind; a mere name may stand for any, as it may be a target that exists only in Azure."""
    if kind is not None and not isinstance(given, str) and found is not None and str(found.type).lower() != kind.lower():
        raise ValueError(f"{place} needs a compute target of the type {kind}; '{found.name}' has the type {found.type}.")
