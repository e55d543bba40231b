"""Dataset inputs and outputs as ports of a step."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from azureml.data.dataset_consumption_config import TABULAR, DatasetConsumptionConfig, dataset_type, is_dataset, is_tuple, wraps_dataset
from azureml.data.output_dataset_config import OutputDatasetConfig
from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding
from azureml.pipeline.core._parameters import PipelineParameter, holds_dataset, same_dataset
from azureml.pipeline.core._pipeline_dataset import PipelineDataset
from azureml.pipeline.core.pipeline_output_dataset import DatasetRegistration
from penstock.model.graph import Registration


class DatasetOutput(NamedTuple):
    """What a graph keeps of a dataset output beside its port.

    `destination` is the template of the path on the datastore, None for PipelineData and for links; `reading` says how the data is read.
    """

    reading: Mapping[str, Any]
    destination: Optional[str] = None
    source_globs: Tuple[str, ...] = ()


# Outputs


def bind_dataset_output(config: OutputDatasetConfig) -> OutputPortBinding:
    """Return the port that an OutputDatasetConfig becomes. Its datastore is None where the workspace's default is meant."""
    destination, upload = config._destination(), config._upload_options
    return OutputPortBinding(
        name=config.name,
        datastore=destination.datastore if destination is not None else None,
        bind_mode=config.mode,
        path_on_compute=config._path_on_compute(),
        is_directory=True,
        overwrite=bool(upload.overwrite) if upload is not None else None,
        dataset_registration=_registration_of(config),
        dataset_output=describe_output(config),
    )


def bind_promoted(dataset: Any, binding: OutputPortBinding) -> OutputPortBinding:
    """Return the port of PipelineData with what its promotion to a dataset says."""
    from azureml.data._output_readings import to_document

    binding._dataset_registration = dataset._registration
    binding._dataset_output = DatasetOutput(to_document(dataset._reading()))
    return binding


def describe_output(value: Any) -> Optional[DatasetOutput]:
    """Return what a graph keeps of a dataset output; None where there is none.

    Args:
        value: An OutputDatasetConfig, what this function returned for one, or None.
    """
    if not isinstance(value, OutputDatasetConfig):
        kept: Optional[DatasetOutput] = value
        return kept
    from azureml.data._output_readings import to_document

    destination = value._destination()
    return DatasetOutput(to_document(value._reading()), destination.template if destination is not None else None, value._source_globs())


def _registration_of(config: OutputDatasetConfig) -> Optional[DatasetRegistration]:
    wanted = config._registration
    if wanted is None:
        return None
    registration = DatasetRegistration(wanted.name, create_new_version=True)
    registration._description, registration._tags = wanted.description, wanted.tags
    return registration


def format_registration(value: Optional[DatasetRegistration]) -> Optional[Registration]:
    """Return a registration as the graph document holds it."""
    if value is None:
        return None
    tags = {str(key): str(item) for key, item in (value._tags or {}).items()}
    return Registration(value.name, value._description, tags, bool(value.create_new_version))


def parse_registration(stored: Optional[Registration]) -> Optional[DatasetRegistration]:
    """Return the registration that a graph document holds."""
    if stored is None:
        return None
    registration = DatasetRegistration(stored.name, stored.create_new_version)
    registration._description, registration._tags = stored.description, dict(stored.tags) or None
    return registration


# Inputs


def bind_consumption(config: DatasetConsumptionConfig) -> InputPortBinding:
    """Return the port that a dataset becomes as the script consumes it."""
    source = config.dataset
    if not hasattr(source, "_set_producer"):
        return bind_dataset(PipelineDataset.create(config))
    return InputPortBinding(config.name, source, config.mode, config.path_on_compute, additional_transformations=_reading_of(source))


def _reading_of(source: Any) -> Dict[str, Any]:
    from azureml.data._output_readings import to_document

    return to_document(source._reading()) if hasattr(source, "_reading") else {}


def bind_wrapped(binding: InputPortBinding) -> InputPortBinding:
    """Return a binding that the user made, with what its dataset says where it is bound to one."""
    bound = binding.bind_object
    if not (is_dataset(bound) or wraps_dataset(bound) or hasattr(bound, "_reading")):
        return binding
    source = bound.dataset if isinstance(bound, DatasetConsumptionConfig) else bound
    is_written = hasattr(source, "_set_producer")
    return InputPortBinding(
        binding.name,
        source if is_written else PipelineDataset.create(bound, binding.name),
        binding.bind_mode,
        binding.path_on_compute,
        binding.overwrite,
        binding.is_resource,
        _reading_of(source) if is_written else {},
    )


def bind_dataset(dataset: PipelineDataset) -> InputPortBinding:
    """Return the port that a PipelineDataset becomes."""
    return InputPortBinding(
        dataset.name, dataset, dataset.bind_mode, dataset.path_on_compute, dataset.overwrite or None, additional_transformations={}
    )


def refuse_bare(item: Any, who: str, where: str) -> None:
    """Do nothing for what is no FileDataset or TabularDataset.

    Raises:
        ValueError: It is one, and has no name by which the script could find it.
    """
    if not is_dataset(item):
        return
    way = "as_named_input('name')" if dataset_type(item) == TABULAR else "as_named_input('name').as_mount()"
    raise ValueError(f"{who} a {type(item).__name__} itself in its {where}. Name it, so that the script can find it: dataset.{way}.")


# What arguments bring along


class Ports(NamedTuple):
    """A step's arguments, inputs and outputs."""

    arguments: List[Any]
    inputs: List[Any]
    outputs: List[Any]


def adopt(arguments: List[Any], inputs: List[Any], outputs: List[Any], place: str) -> Ports:
    """Return a step's lists with the dataset inputs and outputs that only its arguments name.

    Raises:
        ValueError: A dataset stands there without a name.
    """
    ports = Ports([], [_as_input(item) for item in inputs], list(outputs))
    for item in arguments:
        refuse_bare(item, f"{place} has", "arguments")
        ports.arguments.append(_adopt_one(item, ports))
    return ports


def _as_input(item: Any) -> Any:
    return item.as_input() if isinstance(item, OutputDatasetConfig) else item


def _adopt_one(item: Any, ports: Ports) -> Any:
    """Put one argument into the list where it belongs, and return what stands for it from now on."""
    if isinstance(item, OutputDatasetConfig):
        return _adopt_output(item, ports)
    if holds_dataset(item):
        return _adopt_parameter(item, ports)
    if isinstance(item, (DatasetConsumptionConfig, PipelineDataset)) and not any(_same_input(item, known) for known in ports.inputs):
        ports.inputs.append(item)
    return item


def _adopt_output(config: OutputDatasetConfig, ports: Ports) -> Any:
    for known in ports.inputs:
        if isinstance(known, DatasetConsumptionConfig) and getattr(known.dataset, "_origin", None) is config._origin:
            return known
    if not any(getattr(known, "_origin", None) is config._origin and known.name == config.name for known in ports.outputs):
        others = [known for known in ports.outputs if getattr(known, "_origin", None) is config._origin]
        if others:  # a copy with another name still is the output that is listed
            return others[0]
        ports.outputs.append(config)
    return config


def _adopt_parameter(parameter: PipelineParameter, ports: Ports) -> Any:
    for known in ports.inputs:
        if isinstance(known, DatasetConsumptionConfig) and known.dataset is parameter:
            return known
    adopted = _consume_parameter(parameter)
    ports.inputs.append(adopted)
    return adopted


def _consume_parameter(parameter: PipelineParameter) -> DatasetConsumptionConfig:
    """The input of a parameter that stands in the arguments itself: as its default says, else under the parameter's name."""
    default = parameter.default_value
    if isinstance(default, DatasetConsumptionConfig):
        return DatasetConsumptionConfig(default.name, parameter, default.mode, default.path_on_compute)
    if isinstance(default, PipelineDataset):
        return DatasetConsumptionConfig(default.name, parameter, default.bind_mode, default.path_on_compute)
    mode = "direct" if dataset_type(default) == TABULAR else "mount"
    return DatasetConsumptionConfig(re.sub(r"[^A-Za-z0-9]", "_", parameter.name), parameter, mode)


def _same_input(one: Any, other: Any) -> bool:
    """Tell whether two inputs are one: the same object, or the same dataset under one name and in one mode."""
    if one is other:
        return True
    both = isinstance(one, DatasetConsumptionConfig) and isinstance(other, DatasetConsumptionConfig)
    if not both or (one.name, one.mode, one.path_on_compute) != (other.name, other.mode, other.path_on_compute):
        return False
    first, second = one.dataset, other.dataset
    if first is second:
        return True
    if isinstance(first, OutputDatasetConfig) and isinstance(second, OutputDatasetConfig):
        return first._origin is second._origin and bool(first._reading() == second._reading())
    both = (is_dataset(first) or is_tuple(first)) and (is_dataset(second) or is_tuple(second))
    return both and same_dataset(first, second)
