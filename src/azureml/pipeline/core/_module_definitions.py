"""Between v1's definitions of ports and parameters and what a module's version keeps of them."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from azureml.core._nearest import nearest
from azureml.pipeline.core._arguments import is_plain_parameter
from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding
from azureml.pipeline.core._definitions import InputPortDef, OutputPortDef
from azureml.pipeline.core._errors import ModuleError
from azureml.pipeline.core._parameters import SCALARS, ParamDef, PipelineParameter, plain_value
from azureml.pipeline.core.builder import input_port_def, output_port_def
from penstock.model.graph import INPUT, LITERAL, OUTPUT, PARAMETER, Argument
from penstock.model.modules import ModuleDefinition, ModuleInput, ModuleOutput, ModuleParameter

_PARAMETER_MARK = "parameter:"


class Interface(NamedTuple):
    """What a version of a module takes and gives, as v1's definitions."""

    inputs: List[InputPortDef]
    outputs: List[OutputPortDef]
    parameters: List[ParamDef]
    arguments: List[Argument]


# From what the publisher said


def read_inputs(given: Optional[Iterable[Any]], place: str) -> Tuple[ModuleInput, ...]:
    """Return the inputs that a publisher lists.

    Raises:
        ValueError: One is neither a definition nor a binding of an input.
    """
    return tuple(_keep_input(_definition(item, "input", place)) for item in given or ())


def read_outputs(given: Optional[Iterable[Any]], place: str) -> Tuple[ModuleOutput, ...]:
    """Return the outputs that a publisher lists.

    Raises:
        ValueError: One is neither a definition nor a binding of an output.
    """
    return tuple(_keep_output(_definition(item, "output", place)) for item in given or ())


def _definition(item: Any, side: str, place: str) -> Any:
    wanted, binding, convert = _SIDES[side]
    if isinstance(item, binding):
        return convert(item)
    if isinstance(item, wanted):
        return item
    raise ValueError(
        f"{place} has the {side} {item!r}, a {type(item).__name__}. Describe the port: {wanted.__name__}(name), "
        f"from azureml.pipeline.core.graph. Data takes its place when a ModuleStep connects it."
    )


_SIDES: Dict[str, Tuple[Any, Any, Any]] = {
    "input": (InputPortDef, InputPortBinding, input_port_def),
    "output": (OutputPortDef, OutputPortBinding, output_port_def),
}


def _keep_input(port: InputPortDef) -> ModuleInput:
    return ModuleInput(
        name=port.name,
        data_types=tuple(map(str, port.data_types)),
        mode=port.default_datastore_mode,
        path_on_compute=port.default_path_on_compute,
        overwrite=port.default_overwrite,
        is_optional=bool(port.is_optional),
        is_resource=bool(port.is_resource),
        data_reference_name=port.default_data_reference_name,
        label=port.label,
    )


def _keep_output(port: OutputPortDef) -> ModuleOutput:
    return ModuleOutput(
        name=port.name,
        datastore=port.default_datastore_name,
        mode=port.default_datastore_mode,
        path_on_compute=port.default_path_on_compute,
        overwrite=port.default_overwrite,
        is_directory=port.is_directory,
        data_type=port.data_type,
        label=port.label,
    )


def read_parameters(given: Optional[Mapping[str, Any]], arguments: Iterable[Any], place: str) -> Tuple[ModuleParameter, ...]:
    """Return the parameters that a publisher names, and those that the arguments bring along.

    Raises:
        ValueError: They are no dictionary, or a default is neither a text nor a number.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"{place}: params must be a dictionary of names and values, not a {type(given).__name__}.")
    named = {str(name): value for name, value in (given or {}).items()}
    for item in arguments:
        if is_plain_parameter(item):
            named.setdefault(item.name, item)
    return tuple(_keep_parameter(name, value, place) for name, value in named.items())


def _keep_parameter(name: str, value: Any, place: str) -> ModuleParameter:
    default = value.default_value if isinstance(value, (ParamDef, PipelineParameter)) else value
    if default is not None and not isinstance(default, SCALARS):
        raise ValueError(
            f"{place}: the parameter '{name}' has {default!r} as its default, a {type(default).__name__}. "
            "Give a text, a number or a truth value; data is an input."
        )
    is_optional = isinstance(value, ParamDef) and bool(value.is_optional)
    return ModuleParameter(name, None if default is None else plain_value(default), is_optional)


def read_arguments(given: Optional[Iterable[Any]], definition: ModuleDefinition, place: str) -> Tuple[Argument, ...]:
    """Return what the arguments of a module mean: literals, its parameters, its ports.

    Raises:
        ModuleError: One is of another class, or a port or parameter that the module does not have.
    """
    return tuple(_read_argument(item, definition, place) for item in given or ())


def _read_argument(item: Any, definition: ModuleDefinition, place: str) -> Argument:
    if isinstance(item, (InputPortDef, InputPortBinding)):
        return _port_argument(INPUT, item.name, [port.name for port in definition.inputs], place)
    if isinstance(item, OutputPortDef):
        return _port_argument(OUTPUT, item.name, [port.name for port in definition.outputs], place)
    if isinstance(item, OutputPortBinding):
        return _port_argument(OUTPUT, item._output_name, [port.name for port in definition.outputs], place)
    if is_plain_parameter(item):
        return Argument(PARAMETER, item.name)
    if not isinstance(item, str):
        raise ModuleError(
            f"{place} has {item!r} in its arguments, a {type(item).__name__}. They can hold texts, PipelineParameters and the "
            "definitions of the module's ports (InputPortDef, OutputPortDef)."
        )
    name = item[len(_PARAMETER_MARK) :]
    if item.startswith(_PARAMETER_MARK) and name in {parameter.name for parameter in definition.parameters}:
        return Argument(PARAMETER, name)
    return Argument(LITERAL, item)


def _port_argument(kind: str, name: str, known: Sequence[str], place: str) -> Argument:
    if name not in known:
        raise ModuleError(f"{place} has the {kind} '{name}' in its arguments and not in its {kind}s.{nearest(name, known, kind + 's')}")
    return Argument(kind, name)


# And back


def interface_of(definition: ModuleDefinition) -> Interface:
    """Return what a version takes and gives."""
    return Interface(
        [input_def(port) for port in definition.inputs],
        [output_def(port) for port in definition.outputs],
        [ParamDef(item.name, item.default, is_optional=item.is_optional, set_env_var=True) for item in definition.parameters],
        list(definition.arguments),
    )


def input_def(port: ModuleInput) -> InputPortDef:
    """Return the definition of an input."""
    return InputPortDef(
        port.name,
        data_types=list(port.data_types) or None,
        default_datastore_mode=port.mode,
        default_path_on_compute=port.path_on_compute,
        is_optional=port.is_optional,
        default_overwrite=port.overwrite,
        default_data_reference_name=port.data_reference_name,
        is_resource=port.is_resource,
        label=port.label,
    )


def output_def(port: ModuleOutput) -> OutputPortDef:
    """Return the definition of an output."""
    return OutputPortDef(
        port.name,
        default_datastore_name=port.datastore,
        default_datastore_mode=port.mode,
        default_path_on_compute=port.path_on_compute,
        is_directory=port.is_directory,
        data_type=port.data_type,
        default_overwrite=port.overwrite,
        label=port.label,
    )
