"""Pipeline parameters, and the parameters of a node that take their values from them."""

from __future__ import annotations

from typing import Any, Dict, Optional

from azureml.data.datapath import DataPath
from azureml.data.dataset_consumption_config import dataset_type, is_dataset, is_tuple, wraps_dataset
from azureml.pipeline.core._errors import PipelineParameterError

SCALARS = (str, int, float, bool)


class PipelineParameter:
    """A value of a pipeline that each submission may set anew.

    Args:
        name: The name by which a submission sets it.
        default_value: The value where a submission sets none: an int, str, bool, float, DataPath, FileDataset, TabularDataset,
            DatasetConsumptionConfig or PipelineDataset.

    Attributes:
        name: The name.
        default_value: The default.

    Raises:
        ValueError: The default is None or of another type.
    """

    __slots__ = ("default_value", "name")

    def __init__(self, name: str, default_value: Any) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"The name of a PipelineParameter must be a text that is not empty, not {name!r}.")
        if not isinstance(default_value, (*SCALARS, DataPath)) and not _holds_dataset(default_value):
            raise ValueError(
                f"The default of the PipelineParameter '{name}' is {default_value!r}, a {type(default_value).__name__}. "
                "A default must be an int, str, bool, float, DataPath or dataset; None is not allowed, use '' for 'nothing'."
            )
        self.name = name
        self.default_value = default_value

    def __str__(self) -> str:
        return f"PipelineParameter_Name:{self.name}_Default:{self.default_value}"

    def __repr__(self) -> str:
        return f"PipelineParameter(name={self.name!r}, default_value={self.default_value!r})"


class ParamDef:
    """What a step says about one of its parameters.

    Args:
        name: The parameter's name.
        default_value: The value where the node sets none.
        is_metadata_param: True for a setting of the run, which the script does not see.
        is_optional: True when it may stay without a value.
        set_env_var: True when the script sees it as an environment variable.
        calculate_hash: False leaves it out of the definition's identity.
        env_var_override: The variable's name, where it differs from AML_PARAMETER_<name>.
    """

    __slots__ = ("calculate_hash", "default_value", "env_var_override", "is_metadata_param", "is_optional", "name", "set_env_var")

    def __init__(
        self,
        name: str,
        default_value: Any = None,
        is_metadata_param: bool = False,
        is_optional: bool = False,
        set_env_var: bool = False,
        calculate_hash: bool = True,
        env_var_override: Any = None,
    ) -> None:
        self.name = name
        self.default_value = default_value
        self.is_metadata_param = is_metadata_param
        self.is_optional = is_optional
        self.set_env_var = set_env_var
        self.calculate_hash = calculate_hash
        self.env_var_override = env_var_override


class Param:
    """A parameter of a node, with its value.

    Args:
        param_def: The definition.
    """

    __slots__ = ("name", "param_def", "set_var", "value")

    def __init__(self, param_def: ParamDef) -> None:
        self.param_def = param_def
        self.name = param_def.name
        self.set_var = param_def.set_env_var
        self.value = param_def.default_value

    def set_value(self, param_value: Any) -> None:
        """Set the value.

        Args:
            param_value: A value, or the PipelineParameter that gives it.
        """
        self.value = param_value

    def get_value(self) -> Any:
        """Return the value: that of the node, or the definition's default."""
        return self.value


def kind_of(value: Any) -> str:
    """Return the kind of a parameter's value as a graph document spells it."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "str"
    return "datapath" if isinstance(value, DataPath) else "dataset"


def plain_value(value: Any, workspace: Any = None) -> Any:
    """Return a parameter's value as a graph document holds it. A dataset that has no id yet is saved in the workspace.

    Raises:
        TypeError: It can't be the value of a parameter.
        UserErrorException: The dataset can't be saved.
    """
    if _holds_dataset(value):
        found = find_dataset(value)
        return {"id": save_dataset(found, workspace), "type": dataset_type(found)}
    if isinstance(value, DataPath):
        return {"datastore": value.datastore_name, "path": value.path_on_datastore or ""}
    if isinstance(value, bool):
        return value
    for plain in (int, float, str):  # a subclass, such as a numpy float, becomes the plain type
        if isinstance(value, plain):
            return plain(value)
    raise TypeError(f"{value!r} can't be the value of a pipeline parameter.")


# Datasets


def holds_dataset(parameter: Any) -> bool:
    """Tell whether a value is a pipeline parameter whose default is a dataset in any form."""
    return isinstance(parameter, PipelineParameter) and _holds_dataset(parameter.default_value)


def _holds_dataset(value: Any) -> bool:
    held = value.dataset if wraps_dataset(value) else value
    return is_dataset(held) or is_tuple(held)


def dataset_behind(value: Any) -> Any:
    """Return what a parameter, a DatasetConsumptionConfig or a PipelineDataset stands for: a dataset, or a tuple that names one."""
    if isinstance(value, PipelineParameter):
        return dataset_behind(value.default_value)
    return dataset_behind(value.dataset) if wraps_dataset(value) else value


def find_dataset(value: Any) -> Any:
    """Return the dataset that a value stands for; one that is named is looked up.

    Raises:
        UserErrorException: There is none of this name.
    """
    found = dataset_behind(value)
    if not is_tuple(found):
        return found
    from azureml.core.dataset import Dataset

    return Dataset.get_by_name(*found)


def save_dataset(dataset: Any, workspace: Any) -> str:
    """Return the id of a dataset; one that was never saved is saved in the workspace now."""
    return str(dataset._ensure_saved(workspace))


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two defaults agree."""
    if isinstance(one, DataPath) and isinstance(other, DataPath):
        return bool(plain_value(one) == plain_value(other))
    if _holds_dataset(one) and _holds_dataset(other):
        return same_dataset(dataset_behind(one), dataset_behind(other))
    return bool(one == other)


def same_dataset(one: Any, other: Any) -> bool:
    """Tell whether two datasets have one definition, or two tuples name one dataset."""
    if one is other:
        return True
    if is_tuple(one) or is_tuple(other):
        return is_tuple(one) and is_tuple(other) and bool(one[1:] == other[1:])
    return bool(one._definition == other._definition)


def merge_parameter(known: Dict[str, PipelineParameter], parameter: PipelineParameter, place: str) -> None:
    """Note a parameter that `place` uses.

    Raises:
        PipelineParameterError: Another parameter has this name and another default.
    """
    first = known.setdefault(parameter.name, parameter)
    if not same_value(first.default_value, parameter.default_value):
        raise PipelineParameterError(
            f"Two pipeline parameters have the name '{parameter.name}' and different defaults: {_shown(first.default_value)} and, "
            f"in {place}, {_shown(parameter.default_value)}. Use one PipelineParameter object in both places, or rename one."
        )


def _shown(value: Any) -> str:
    if _holds_dataset(value):
        found = dataset_behind(value)
        return f"the dataset '{found[1] if is_tuple(found) else found.name or found.id or 'without a name'}'"
    return f"{value.datastore_name}/{value.path_on_datastore}" if isinstance(value, DataPath) else repr(value)


def pipeline_parameter_of(value: Any) -> Optional[PipelineParameter]:
    """Return the pipeline parameter behind a value, or None."""
    return value if isinstance(value, PipelineParameter) else None
