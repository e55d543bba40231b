"""The base of steps that are made of registered modules: which data stands behind which port, and what the step sets anew."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from azureml.core._nearest import nearest
from azureml.pipeline.core import _arguments
from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding, check_port_name
from azureml.pipeline.core._definitions import InputPortDef, OutputPortDef
from azureml.pipeline.core._graph_context import ModuleBuilder
from azureml.pipeline.core._parameters import ParamDef, PipelineParameter
from azureml.pipeline.core._python_script_step_base import check_params, check_run_config, check_run_settings, default_run_config
from azureml.pipeline.core.builder import PipelineData, PipelineStep
from azureml.pipeline.core.module import Module, ModuleVersion
from penstock.model.entity_status import ACTIVE, DISABLED
from penstock.model.graph import INPUT, LITERAL, OUTPUT, Argument
from penstock.model.modules import ModuleDefinition, ModuleInput, ModuleOutput

if TYPE_CHECKING:
    from azureml.core._places import Target
    from azureml.pipeline.core._nodes import ModuleNode

_LOGGER = logging.getLogger("penstock")


class _Wiring(NamedTuple):
    """A step's ports as its node gets them."""

    inputs: List[InputPortBinding]
    outputs: List[OutputPortBinding]


class ModuleStepBase(PipelineStep):
    """The base of steps that are made of registered modules.

    Args:
        module: The module; which of its versions is meant is decided when the pipeline is built.
        version: The name of a version of `module`; None means its default, else its highest.
        module_version: A version itself, instead of `module`.
        inputs_map: Name of the module's input -> the data that it reads. Optional inputs may be left out.
        outputs_map: Name of the module's output -> the data that it writes. Outputs that nobody reads may be left out.
        compute_target: Where it runs.
        runconfig: Its run configuration; None takes that of the version.
        runconfig_pipeline_params: Run settings that pipeline parameters give.
        arguments: What the script is given; None takes the arguments of the version.
        params: Values of the module's parameters: plain ones, or pipeline parameters. The others have their defaults.
        name: The step's name; None takes the module's.
        _workflow_provider: Accepted and ignored.

    Raises:
        ValueError: Neither or both of `module` and `module_version` are given, or data can't stand behind a port.
    """

    def __init__(
        self,
        module: Optional[Module] = None,
        version: Optional[str] = None,
        module_version: Optional[ModuleVersion] = None,
        inputs_map: Optional[Mapping[str, Any]] = None,
        outputs_map: Optional[Mapping[str, Any]] = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: Optional[Mapping[str, PipelineParameter]] = None,
        arguments: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        name: Optional[str] = None,
        _workflow_provider: Any = None,
    ) -> None:
        _check_choice(module, module_version)
        self._module, self._asked_version, self._module_version = module, version, module_version
        named = name or (module.name if module is not None else str(_record_of(module_version)["module_name"]))
        place = f"Step '{named}'"
        self._inputs_map = _check_map("inputs_map", inputs_map, place)
        self._outputs_map = _check_map("outputs_map", outputs_map, place)
        self._bound = {port: _arguments.bind_input(item, place)._renamed(port) for port, item in self._inputs_map.items()}
        super().__init__(named, list(self._bound.values()), list(self._outputs_map.values()), self._stand_ins(arguments, place))
        self._refuse_unmapped()
        self._has_arguments = arguments is not None
        self._compute_target = compute_target
        self._runconfig = check_run_config(runconfig, self._place)
        self._params: Dict[str, Any] = dict(_arguments.join_parameters(check_params(params, self._place), self._arguments, self._place))
        self._runconfig_pipeline_params = check_run_settings(runconfig_pipeline_params, self._params, self._place)

    # Which data stands behind which port

    def _stand_ins(self, arguments: Optional[Sequence[Any]], place: str) -> Optional[List[Any]]:
        """The arguments, with the step's own input in the place of data that stands behind it."""
        if arguments is None or isinstance(arguments, str):
            return arguments  # type: ignore[return-value]  # a text is refused by the base, with its words
        return [self._stand_in(item, place) for item in arguments]

    def _stand_in(self, item: Any, place: str) -> Any:
        for port, data in self._inputs_map.items():
            if item is data:
                return self._bound[port]
        if not _arguments.is_data(item) or _arguments.find_output(item, list(self._outputs_map.values())) is not None:
            return item
        return _arguments.find_input(item, list(self._bound.values()), place) or item

    def _check_port_names(self, fix_collisions: bool) -> None:
        """Look at the names that the module gives its ports; those of the data do not matter here."""
        for side, names in (("input", self._inputs_map), ("output", self._outputs_map)):
            for name in names:
                check_port_name(name, f"name of an {side} of step '{self.name}'")
        for item in self._outputs:
            _arguments.output_name(item, self._place)  # refuses what no step can write

    def _refuse_unmapped(self) -> None:
        """Refuse data that only the arguments name: a module has the ports that it has."""
        more = [*self._inputs[len(self._inputs_map) :], *self._outputs[len(self._outputs_map) :]]
        if more:
            raise ValueError(
                f"{self._place} has '{more[0].name}' in its arguments, but neither in its inputs_map nor in its outputs_map. "
                "Say which port of the module it stands behind."
            )

    def _port_of(self, output: Any) -> str:
        data = _arguments.data_of(output)
        for port, item in self._outputs_map.items():
            if _arguments.data_of(item) is data:
                return port
        return super()._port_of(output)

    # The node

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The module or its version is disabled, a port or parameter is not the module's, an input has no data, or the
                compute target does not exist.
        """
        version = self._resolve()
        module = version._definition
        self._check_parameters(module)
        wiring = _Wiring(self._wire_inputs(module), self._wire_outputs(module, default_datastore))
        target, run_config = self._find_run_config(module, context)
        definition = Module.module_def_builder(
            self.name,
            self.name,
            module.execution_type,
            wiring.inputs,
            wiring.outputs,
            param_defs=self._param_defs(module, target),
            create_sequencing_ports=module.can_be_ordered,
            step_type=module.step_type,
            arguments=self._resolve_arguments(module),
        )
        for parameter in self._runconfig_pipeline_params.values():
            graph._add_parameter(parameter, self._place)
        node: ModuleNode = graph.add_module_node(
            self.name,
            input_bindings=wiring.inputs,
            output_bindings=wiring.outputs,
            param_bindings=self._params,
            module_builder=self._builder(definition, version, target),
            runconfig=run_config,
        )
        return node

    def _resolve(self) -> ModuleVersion:
        """The version that the step is made of.

        Raises:
            ValueError: It is disabled, or its module is.
        """
        if self._module_version is not None:
            found = ModuleVersion.get(self._module_version._workspace, self._module_version.module_version_id)  # its status may be another
        else:
            assert self._module is not None
            found = self._module.resolve(self._asked_version)
        record = _record_of(found)
        named = f"the module '{record['module_name']}'"
        _heed(record["module_status"], f"{self._place} uses {named}", "module.enable()")
        _heed(record["status"], f"{self._place} uses version '{found.version}' of {named}", "module_version.enable()")
        return found

    def _check_parameters(self, module: ModuleDefinition) -> None:
        known = [item.name for item in module.parameters]
        brought = [item.name for item in _arguments.find_parameters(self._arguments)]
        for name in self._params:
            if name not in known and name not in brought:
                raise ValueError(f"{self._place}: the module has no parameter '{name}'.{nearest(name, known, 'parameters')}")

    def _wire_inputs(self, module: ModuleDefinition) -> List[InputPortBinding]:
        self._check_ports("input", self._inputs_map, [port.name for port in module.inputs])
        missing = [port.name for port in module.inputs if port.name not in self._bound and not port.is_optional]
        if missing:
            raise ValueError(
                f"{self._place}: nothing stands behind the module's input '{missing[0]}'. Add it to inputs_map: {{'{missing[0]}': data}}."
            )
        return [self._wire_input(port) for port in module.inputs if port.name in self._bound]

    def _wire_input(self, port: ModuleInput) -> InputPortBinding:
        """The binding of an input. What mere data leaves open, the module's definition says."""
        binding, says_nothing = self._bound[port.name], isinstance(self._inputs_map[port.name], PipelineData)
        mode = port.mode if says_nothing and port.mode else binding.bind_mode
        path = binding.path_on_compute or (port.path_on_compute if says_nothing else None)
        return InputPortBinding(
            name=port.name,
            bind_object=binding.bind_object,
            bind_mode="download" if path and mode == "mount" else mode,
            path_on_compute=path,
            overwrite=port.overwrite if says_nothing and binding.overwrite is None else binding.overwrite,
            is_resource=binding.is_resource or port.is_resource,
            additional_transformations=binding.additional_transformations,
        )

    def _wire_outputs(self, module: ModuleDefinition, default_datastore: Any) -> List[OutputPortBinding]:
        self._check_ports("output", self._outputs_map, [port.name for port in module.outputs])
        return [self._wire_output(port, port.datastore or default_datastore) for port in module.outputs]

    def _wire_output(self, port: ModuleOutput, datastore: Any) -> OutputPortBinding:
        """The binding of an output. What the data leaves open, or what stands behind no data, the module's definition says."""
        binding = _arguments.bind_output(self._outputs_map.get(port.name) or PipelineData(port.name), datastore, self._place)
        is_open = binding.bind_mode == "mount" and binding.path_on_compute is None and binding._dataset_output is None
        return OutputPortBinding(
            name=port.name,
            datastore=binding.datastore,
            bind_mode=port.mode if is_open and port.mode else binding.bind_mode,
            path_on_compute=port.path_on_compute if is_open else binding.path_on_compute,
            is_directory=port.is_directory if binding.is_directory is None else binding.is_directory,
            overwrite=port.overwrite if is_open and binding.overwrite is None else binding.overwrite,
            data_type=binding.data_type or port.data_type,
            pipeline_output_name=binding.pipeline_output_name,
            training_output=binding.training_output,
            dataset_registration=binding.dataset_registration,
            dataset_output=binding._dataset_output,
        )

    def _check_ports(self, side: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in given:
            if name not in known:
                raise ValueError(f"{self._place}: the module has no {side} '{name}'.{nearest(name, known, side + 's')}")

    def _find_run_config(self, module: ModuleDefinition, context: Any) -> Tuple[Optional[Target], Mapping[str, Any]]:
        """The compute target, and the document of the run configuration: the step's, else the version's, else the default one."""
        own = self._runconfig
        if own is None and module.run_config:
            name, document = module.run_config.get("target"), dict(module.run_config)
        else:
            own = own if own is not None else default_run_config(context)
            name, document = own.target, context.describe_run_config(own, self._place)
        return context.find_target(self._compute_target or name, self._place), document

    def _param_defs(self, module: ModuleDefinition, target: Optional[Target]) -> List[ParamDef]:
        """The module's parameters with their defaults, those that the step brings, then what the run needs to know."""
        defaults = {item.name: item.default for item in module.parameters if item.default is not None or not item.is_optional}
        defs = [ParamDef(name, value, set_env_var=True) for name, value in {**defaults, **self._params}.items()]
        settings: Dict[str, Any] = {"Script": module.script, **self._runconfig_pipeline_params}
        if target is not None:
            settings.update({"Target": target.name, "MLCComputeType": target.type})
        shown = {name: value for name, value in settings.items() if name not in defaults and name not in self._params}
        return defs + [ParamDef(name, value, is_metadata_param=True, calculate_hash=False) for name, value in shown.items()]

    def _resolve_arguments(self, module: ModuleDefinition) -> List[Argument]:
        if not self._has_arguments:
            return _without_missing(module.arguments, {port.name for port in module.inputs if port.name not in self._bound})
        return [self._resolve_argument(item) for item in self._arguments]

    def _resolve_argument(self, item: Any) -> Argument:
        if isinstance(item, (InputPortDef, OutputPortDef)):
            return Argument(INPUT if isinstance(item, InputPortDef) else OUTPUT, item.name)
        written = _arguments.find_output(item, self._outputs)
        if written is not None:
            return Argument(OUTPUT, self._port_of(written))
        return _arguments.resolve([item], self._inputs, [], self._params, self._place)[0]

    def _builder(self, definition: Any, version: ModuleVersion, target: Optional[Target]) -> ModuleBuilder:
        module = version._definition
        builder = ModuleBuilder(definition, None, module.script, target, self._runconfig_pipeline_params)
        builder.snapshot = module.snapshot
        builder.module = {"id": version.module_id, "version": version.version, "version_id": version.module_version_id}
        return builder


def _check_choice(module: Any, module_version: Any) -> None:
    if (module is None) == (module_version is None):
        raise ValueError("A ModuleStep is made of one thing: give either module=Module.get(...) or module_version=module.resolve(...).")
    for given, kind, keyword in ((module, Module, "module"), (module_version, ModuleVersion, "module_version")):
        if given is not None and not isinstance(given, kind):
            found = f"{given!r}, a {type(given).__module__}.{type(given).__name__}"
            raise ValueError(f"{keyword} must be a {kind.__name__} of azureml.pipeline.core, not {found}.")


def _check_map(keyword: str, given: Optional[Mapping[str, Any]], place: str) -> Dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{place}: {keyword} must be a dictionary from the module's ports to data, not a {type(given).__name__}.")
    return dict(given)


def _record_of(version: Any) -> Dict[str, Any]:
    record: Dict[str, Any] = version._record
    return record


def _heed(status: str, who: str, way: str) -> None:
    """Warn of what is deprecated, and refuse what is disabled."""
    if status == DISABLED:
        raise ValueError(f"{who}, which is disabled. Enable it with {way}, or use another.")
    if status != ACTIVE:
        _LOGGER.warning("%s, which is deprecated.", who)


def _without_missing(arguments: Sequence[Argument], missing: Any) -> List[Argument]:
    """The arguments without inputs that have no data, and without the option before each: `--extra INPUT`."""
    kept: List[Argument] = []
    for item in arguments:
        if item.kind != INPUT or item.value not in missing:
            kept.append(item)
        elif kept and kept[-1].kind == LITERAL and kept[-1].value.startswith("-"):
            kept.pop()
    return kept
