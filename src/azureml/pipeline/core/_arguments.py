"""A step's ports and arguments: which data stands behind a port, and what each argument means."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Optional, Sequence, Union

from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.data.output_dataset_config import OutputDatasetConfig
from azureml.pipeline.core._bindings import (
    InputPortBinding,
    OutputPortBinding,
    bind_data_path,
    bind_data_reference,
    data_path_name,
    data_path_of,
    is_data_path_pair,
)
from azureml.pipeline.core._dataset_ports import (
    bind_consumption,
    bind_dataset,
    bind_dataset_output,
    bind_promoted,
    bind_wrapped,
    refuse_bare,
)
from azureml.pipeline.core._errors import NameInUseError
from azureml.pipeline.core._parameters import PipelineParameter, holds_dataset, same_value
from azureml.pipeline.core._pipeline_dataset import PipelineDataset
from azureml.pipeline.core._port_data import PortDataReference
from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputAbstractDataset
from penstock.model.graph import INPUT, LITERAL, OUTPUT, PARAMETER, Argument

_PARAMETER_MARK = "parameter:"


def is_produced(value: Any) -> bool:
    """Tell whether a value is data that a step produces: PipelineData, promoted or not, a binding or a dataset output."""
    return hasattr(value, "_set_producer")


def data_of(item: Any) -> Any:
    """Return the data behind an input, an output or an argument. All copies of one output have the same data."""
    if isinstance(item, InputPortBinding):
        return data_of(item.bind_object)
    if isinstance(item, DatasetConsumptionConfig):
        return data_of(item.dataset)
    if isinstance(item, PipelineOutputAbstractDataset):
        return item._pipeline_data
    return item._origin if isinstance(item, OutputDatasetConfig) else item


def produced_behind(item: Any) -> Any:
    """Return the output of another step that an input reads, as the user gave it; None for other data."""
    if isinstance(item, InputPortBinding):
        return produced_behind(item.bind_object)
    if isinstance(item, DatasetConsumptionConfig):
        return produced_behind(item.dataset)
    return item if is_produced(item) else None


def bind_input(item: Any, place: str) -> InputPortBinding:
    """Return the port that an element of a step's inputs becomes.

    Raises:
        ValueError: It can't be an input; the message says what can.
    """
    if isinstance(item, InputPortBinding):
        return bind_wrapped(item)
    if isinstance(item, DatasetConsumptionConfig):
        return bind_consumption(item)
    if isinstance(item, PipelineDataset):
        return bind_dataset(item)
    if isinstance(item, OutputDatasetConfig):
        return bind_consumption(item.as_input())
    if isinstance(item, PortDataReference) or (is_produced(item) and not isinstance(item, OutputPortBinding)):
        bound: InputPortBinding = item.create_input_binding()
        return bound
    if isinstance(item, DataReference):
        return bind_data_reference(item)
    if is_data_path_pair(item):
        return bind_data_path(item)
    refuse_bare(item, f"{place} has", "inputs")
    raise ValueError(f"{place} has an input of an unexpected type, {type(item).__name__}.{_input_hint(item)}")


def _input_hint(item: Any) -> str:
    if holds_dataset(item):
        return f" Name the dataset: DatasetConsumptionConfig('name', {item.name})."
    if isinstance(item, (PipelineParameter, DataPath)):
        return " Pair it with a binding: (it, DataPathComputeBinding(mode='mount'))."
    if isinstance(item, OutputPortBinding):
        return " Wrap it: InputPortBinding(name, bind_object=it)."
    if isinstance(item, str):
        return f" To give the script a text, put {item!r} into arguments instead."
    return (
        " Inputs can be PipelineData, dataset.as_named_input(name), OutputFileDatasetConfig, InputPortBinding, DataReference, "
        "PortDataReference, or a pair (DataPath or PipelineParameter, DataPathComputeBinding)."
    )


def input_name(item: Any, place: str) -> str:
    """Return the port name of an element of a step's inputs.

    Raises:
        ValueError: It can't be an input.
    """
    return bind_input(item, place).name


def bind_output(item: Any, default_datastore: Any, place: str) -> OutputPortBinding:
    """Return the port that an element of a step's outputs becomes, with its datastore.

    Raises:
        ValueError: It can't be an output, or no datastore is known for it.
    """
    output_name(item, place)
    if isinstance(item, OutputDatasetConfig):
        return bind_dataset_output(item)
    if isinstance(item, PipelineOutputAbstractDataset):
        return bind_promoted(item, bind_output(item._pipeline_data, default_datastore, place))
    datastore = item.datastore or default_datastore
    if datastore is None:
        raise ValueError(
            f"{place}: nothing says which datastore takes the output '{item.name}'. "
            "Give the PipelineData a datastore, or the Pipeline a default_datastore."
        )
    return OutputPortBinding(
        name=item.name,
        datastore=datastore,
        output_name=item._output_name,
        bind_mode=item.bind_mode if isinstance(item, OutputPortBinding) else item._output_mode,
        path_on_compute=item.path_on_compute if isinstance(item, OutputPortBinding) else item._output_path_on_compute,
        is_directory=item.is_directory if isinstance(item, OutputPortBinding) else item._output_is_directory,
        overwrite=item.overwrite if isinstance(item, OutputPortBinding) else item._output_overwrite,
        data_type=item.data_type,
        pipeline_output_name=item._pipeline_output_name,
        training_output=item._training_output,
        dataset_registration=item.dataset_registration if isinstance(item, OutputPortBinding) else None,
        dataset_output=item._dataset_output if isinstance(item, OutputPortBinding) else None,
    )


def output_name(item: Any, place: str) -> str:
    """Return the port name of an element of a step's outputs.

    Raises:
        ValueError: It can't be an output.
    """
    if not is_produced(item):
        hint = (
            " What a step writes is declared as PipelineData; a DataReference can only be read." if isinstance(item, DataReference) else ""
        )
        raise ValueError(
            f"{place} has an output of an unexpected type, {type(item).__name__}. "
            f"Outputs can be PipelineData, as_dataset() of it, OutputFileDatasetConfig and its relatives, or OutputPortBinding.{hint}"
        )
    return str(item._output_name)


# Arguments


def resolve(
    arguments: Iterable[Any], inputs: Sequence[Any], outputs: Sequence[Any], params: Mapping[str, Any], place: str
) -> List[Argument]:
    """Return what each argument means.

    Raises:
        ValueError: An argument is data that is neither an input nor an output of the step.
    """
    return [_resolve_one(item, inputs, outputs, params, place) for item in arguments]


def _resolve_one(item: Any, inputs: Sequence[Any], outputs: Sequence[Any], params: Mapping[str, Any], place: str) -> Argument:
    if is_plain_parameter(item):
        return Argument(PARAMETER, item.name)
    if isinstance(item, str) and item.startswith(_PARAMETER_MARK) and item[len(_PARAMETER_MARK) :] in params:
        return Argument(PARAMETER, item[len(_PARAMETER_MARK) :])
    if not is_data(item):
        refuse_bare(item, f"{place} has", "arguments")
        return Argument(LITERAL, str(item))
    found = find_input(item, inputs, place)
    if found is not None:
        return Argument(INPUT, input_name(found, place))
    written = find_output(item, outputs)
    if written is not None:
        return Argument(OUTPUT, output_name(written, place))
    raise ValueError(
        f"{place} has {_shown(item)} in its arguments, but neither in its inputs nor in its outputs. "
        "Add it to inputs if the script reads it, or to outputs if the script writes it."
    )


def is_plain_parameter(item: Any) -> bool:
    """Tell whether a value is a pipeline parameter that stands for a text or a number, and not for data."""
    return isinstance(item, PipelineParameter) and not isinstance(item.default_value, DataPath) and not holds_dataset(item)


def is_data(item: Any) -> bool:
    """Tell whether an argument stands for data, and so must be an input or output."""
    if isinstance(item, PipelineParameter):
        return not is_plain_parameter(item)
    kinds = (InputPortBinding, DataReference, PortDataReference, DatasetConsumptionConfig, PipelineDataset)
    return is_produced(item) or is_data_path_pair(item) or isinstance(item, kinds)


def find_input(item: Any, inputs: Sequence[Any], place: str) -> Any:
    """Return the input that an argument stands for, or None: the same object, else the same data, else the same name."""
    by_name = isinstance(item, (InputPortBinding, DatasetConsumptionConfig, PipelineDataset))
    for known in inputs:
        if known is item or (not by_name and _same_data(data_of(known), data_of(item))):
            return known
    if isinstance(item, PipelineParameter) or is_produced(item):
        return None
    wanted = input_name(item, place)
    return next((known for known in inputs if input_name(known, place) == wanted), None)


def find_output(item: Any, outputs: Sequence[Any]) -> Any:
    """Return the output that an argument stands for, or None."""
    if not is_produced(item):
        return None
    for known in outputs:
        if data_of(known) is data_of(item):
            return known
    return next((known for known in outputs if is_produced(known) and known._output_name == item._output_name), None)


def _same_data(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(other, PipelineParameter):
        return is_data_path_pair(one) and one[0] is other
    if is_data_path_pair(one) and is_data_path_pair(other):
        return bool(one[0] is other[0]) or data_path_name(data_path_of(one)) == data_path_name(data_path_of(other))
    return False


def _shown(item: Any) -> str:
    if isinstance(item, PipelineParameter) and not holds_dataset(item):
        return f"the PipelineParameter '{item.name}' of a DataPath (put the pair (parameter, DataPathComputeBinding) into both places)"
    if is_data_path_pair(item):
        return f"the data path '{data_path_name(data_path_of(item))}'"
    name = getattr(item, "data_reference_name", None) if isinstance(item, (DataReference, PortDataReference)) else item.name
    return f"the {type(item).__name__} '{name}'"


def find_parameters(arguments: Iterable[Any]) -> List[PipelineParameter]:
    """Return the pipeline parameters whose value an argument is."""
    return [item for item in arguments if is_plain_parameter(item)]


def join_parameters(params: Mapping[str, Any], arguments: Iterable[Any], place: str) -> Mapping[str, Any]:
    """Return a step's parameters: those it names, and those that its arguments bring along.

    Raises:
        NameInUseError: One name stands for two different things.
    """
    joined = dict(params)
    for parameter in find_parameters(arguments):
        known: Union[Any, Optional[PipelineParameter]] = joined.setdefault(parameter.name, parameter)
        if not _is_same_parameter(known, parameter):
            raise NameInUseError(
                f"{place}: the name '{parameter.name}' is already in use by another parameter of the step, so the PipelineParameter "
                "in its arguments can't have it too. Rename one of them."
            )
    return joined


def _is_same_parameter(one: Any, other: PipelineParameter) -> bool:
    if one is other:
        return True
    return isinstance(one, PipelineParameter) and one.name == other.name and same_value(one.default_value, other.default_value)
