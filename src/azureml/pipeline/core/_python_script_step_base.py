"""The base of the steps that run a script with a run configuration."""

from __future__ import annotations

import logging
import posixpath
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence

from azureml.core._places import Target
from azureml.data.datapath import DataPath
from azureml.pipeline.core import _arguments
from azureml.pipeline.core._graph_context import ModuleBuilder
from azureml.pipeline.core._parameters import ParamDef, PipelineParameter
from azureml.pipeline.core.builder import PipelineStep
from penstock.model.graph import Argument

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode

_LOGGER = logging.getLogger("penstock")
_RUN_SETTINGS = ("NodeCount", "MpiProcessCountPerNode", "TensorflowWorkerCount", "TensorflowParameterServerCount")


class _PythonScriptStepBase(PipelineStep):
    _has_script = True
    _runs_command = False  # whether `_command` says what runs, with the arguments in it

    def __init__(
        self,
        script_name: Optional[str],
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
        if self._has_script and (not isinstance(script_name, str) or not script_name):
            raise ValueError(f"script_name must be the path of a script in source_directory, a text, not {script_name!r}.")
        if name is not None and not isinstance(name, str):
            raise ValueError(f"The name of a step must be a text, not {name!r}.")
        if hash_paths:
            _LOGGER.warning("hash_paths of step '%s' is deprecated and has no effect: all of source_directory counts.", name or script_name)
        super().__init__(str(name or script_name), inputs, outputs, arguments, fix_port_name_collisions=True)
        self._script_name = normalise_script(script_name, self._place) if script_name else None
        self._source_directory = source_directory
        self._compute_target = compute_target
        self._runconfig = check_run_config(runconfig, self._place)
        self._allow_reuse = allow_reuse
        self._version = version
        self._params: Dict[str, Any] = dict(_arguments.join_parameters(check_params(params, self._place), self._arguments, self._place))
        self._runconfig_pipeline_params = check_run_settings(runconfig_pipeline_params, self._params, self._place)

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The script or the compute target does not exist.
            UserErrorException: A setting of the run configuration can't be carried out.
        """
        source_directory = self.get_source_directory(context, self._source_directory, self._script_name)
        inputs, outputs = self.create_input_output_bindings(self._inputs, self._outputs, default_datastore, self._resource_inputs)
        run_config = self._own_run_config(self._runconfig if self._runconfig is not None else default_run_config(context))
        target = context.find_target(self._compute_target or run_config.target, self._place)
        arguments = self.resolve_input_arguments(self._arguments, self._inputs, self._outputs, self._params)
        definition = self.create_module_def(
            execution_type="escloud",
            input_bindings=inputs,
            output_bindings=outputs,
            param_defs=self._param_defs(target),
            allow_reuse=self._allow_reuse,
            version=self._version,
            arguments=() if self._runs_command else arguments,
        )
        builder = ModuleBuilder(
            definition,
            source_directory,
            None if self._runs_command else self._script_name,
            target,
            self._runconfig_pipeline_params,
            command=self._command(arguments) if self._runs_command else (),
            settings=self._settings(),
        )
        for parameter in self._runconfig_pipeline_params.values():
            graph._add_parameter(parameter, self._place)
        node: ModuleNode = graph.add_module_node(
            self.name,
            input_bindings=inputs,
            output_bindings=outputs,
            param_bindings=self._params,
            module_builder=builder,
            runconfig=context.describe_run_config(run_config, self._place),
        )
        return node

    # What a kind of step may say of itself

    def _command(self, arguments: Sequence[Argument]) -> Sequence[str]:
        """What runs instead of a Python script, as the graph document spells it."""
        return ()

    def _settings(self) -> Dict[str, Any]:
        """What the step has beside script, arguments and ports: JSON values under v1's names."""
        return {}

    def _own_run_config(self, run_config: Any) -> Any:
        """The run configuration that the node keeps; a changed one is a copy."""
        return run_config

    def _param_defs(self, target: Optional[Target]) -> List[ParamDef]:
        """The script's parameters, then what the run needs to know, for those who read the graph."""
        settings: Dict[str, Any] = {**({"Script": self._script_name} if self._script_name else {}), **self._runconfig_pipeline_params}
        if target is not None:
            settings.update({"Target": target.name, "MLCComputeType": target.type})
        defs = [ParamDef(name, _default_of(value), set_env_var=True) for name, value in self._params.items()]
        return defs + [
            ParamDef(name, value, is_metadata_param=True, calculate_hash=False)
            for name, value in settings.items()
            if name not in self._params
        ]


def normalise_script(script: str, place: str) -> str:
    """Return the one spelling of a script's path that snapshots use: 'sub/t.py' for './sub//t.py'.

    Raises:
        ValueError: The path leaves the source folder.
    """
    normal = posixpath.normpath(script)
    if posixpath.isabs(normal) or normal.split("/")[0] == "..":
        raise ValueError(f"{place}: the script '{script}' must be given relative to the source directory, and lie in it.")
    return normal


def _default_of(value: Any) -> Any:
    return value.default_value if isinstance(value, PipelineParameter) else value


def default_run_config(context: Any) -> Any:
    """Return the run configuration of steps that have none; one for all steps of a graph."""
    found = getattr(context, "_default_run_config", None)
    if found is None:
        from azureml.core.runconfig import RunConfiguration

        found = context._default_run_config = RunConfiguration()
    return found


def check_run_config(runconfig: Any, place: str) -> Any:
    """Return a run configuration or None; raise ValueError for anything else."""
    if runconfig is None:
        return None
    from azureml.core.runconfig import RunConfiguration

    if not isinstance(runconfig, RunConfiguration):
        hint = " A ScriptRunConfig holds one: pass its run_config." if type(runconfig).__name__ == "ScriptRunConfig" else ""
        raise ValueError(f"{place}: runconfig must be a RunConfiguration, not a {type(runconfig).__name__}.{hint}")
    return runconfig


def check_params(params: Optional[Mapping[str, Any]], place: str) -> Dict[str, Any]:
    """Return a step's parameters by name.

    Raises:
        ValueError: They are no dictionary, or one is a data path.
    """
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise ValueError(f"{place}: params must be a dictionary of names and values, not a {type(params).__name__}.")
    for name, value in params.items():
        if isinstance(value, PipelineParameter) and isinstance(value.default_value, DataPath):
            raise ValueError(
                f"{place}: the parameter '{name}' is a DataPath, which can't be in params. "
                "Put the pair (parameter, DataPathComputeBinding(mode='mount')) into inputs and arguments."
            )
    return {str(name): value for name, value in params.items()}


def check_run_settings(
    settings: Optional[Mapping[str, PipelineParameter]], params: Mapping[str, Any], place: str
) -> Dict[str, PipelineParameter]:
    """Return the run settings that pipeline parameters give.

    Raises:
        ValueError: There is no such setting, or it is no pipeline parameter of its own.
    """
    for key, value in (settings or {}).items():
        if key not in _RUN_SETTINGS:
            raise ValueError(f"{place}: runconfig_pipeline_params can't set '{key}'; it can set {', '.join(_RUN_SETTINGS)}.")
        if not isinstance(value, PipelineParameter):
            raise ValueError(f"{place}: '{key}' of runconfig_pipeline_params must be a PipelineParameter, not {value!r}.")
        if any(isinstance(known, PipelineParameter) and known.name == value.name for known in params.values()):
            raise ValueError(
                f"{place}: the PipelineParameter '{value.name}' is both a parameter of the script and '{key}' of the run. Use two."
            )
    return dict(settings or {})
