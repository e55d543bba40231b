"""What a step's type has beside script, arguments and ports, as the JSON values that a graph document holds.

A pipeline parameter among them is {"source": its name}, as in v1's YAML. It is also a parameter of the step, so that its value counts
where a result is looked for, and so that a submission may set it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, Iterable, Iterator, Mapping

from azureml.core._section import Section
from azureml.pipeline.core._parameters import PipelineParameter, plain_value

SOURCE = "source"


def to_settings(values: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the settings that the document holds; what is None or empty is left out."""
    return {name: _plain(value) for name, value in values.items() if value is not None and value != {} and value != []}


def _plain(value: Any) -> Any:
    if isinstance(value, PipelineParameter):
        return {SOURCE: value.name}
    if isinstance(value, Section):
        shown = {name: item for name, item in vars(value).items() if not name.startswith("_") and name not in value._secrets}
        return {name: _plain(item) for name, item in shown.items() if item not in (None, [])}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(item) for item in value]
    if value is None:
        return None
    return plain_value(value) if isinstance(value, (str, int, float)) else str(value)


def describe_training_outputs(outputs: Iterable[Any]) -> Dict[str, Any]:
    """Return what the outputs of a training step are to take, by port: its metrics, or which of its models."""
    found = {item._output_name: getattr(getattr(item, "_pipeline_data", item), "_training_output", None) for item in outputs}
    members = ("type", "iteration", "metric", "model_file")
    return {
        str(port): to_settings({name: getattr(wanted, name) for name in members}) for port, wanted in found.items() if wanted is not None
    }


def find_parameters(value: Any) -> Iterator[PipelineParameter]:
    """Yield the pipeline parameters in a value, however deep."""
    if isinstance(value, PipelineParameter):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find_parameters(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from find_parameters(item)


def join_settings_parameters(params: Mapping[str, Any], values: Any) -> Dict[str, Any]:
    """Return a step's parameters with those that its settings take from the pipeline."""
    return {**{parameter.name: parameter for parameter in find_parameters(values)}, **params}
