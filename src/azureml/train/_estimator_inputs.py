"""What an estimator's script gets: its parameters as arguments, and its data."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from azureml.core.runconfig import RunConfiguration
from azureml.data.abstract_datastore import AbstractDatastore
from azureml.data.data_reference import DataReference
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.data.output_dataset_config import OutputDatasetConfig
from azureml.exceptions import TrainingException, UserErrorException


class Given(NamedTuple):
    """What a script gets."""

    arguments: List[Any]
    references: Dict[str, DataReference]
    data: Dict[str, DatasetConsumptionConfig]

    def put_into(self, run_config: RunConfiguration) -> None:
        """Add the data to a run configuration; the arguments are the caller's to place."""
        for name, reference in self.references.items():
            run_config.data_references[name] = reference.to_config()
        run_config.data.update(self.data)


def gather(script_params: Optional[Mapping[str, Any]], inputs: Optional[Sequence[Any]]) -> Given:
    """Return the arguments that parameters make, and the data among parameters and inputs.

    Raises:
        TrainingException: The parameters are no dictionary.
        UserErrorException: An input is neither a datastore, a reference, nor a dataset with a name.
    """
    if script_params is not None and not isinstance(script_params, Mapping):
        raise TrainingException(f"script_params must be a dictionary of flags and values, not a {type(script_params).__name__}.")
    given = Given([], {}, {})
    for flag, value in (script_params or {}).items():
        _add(given, flag)
        _add(given, value)
    for item in _list(inputs):
        _add_input(given, item)
    return given


def _add(given: Given, item: Any) -> None:
    """Add a flag or a value. An empty text is left out, so that {'--flag': ''} is a flag without a value."""
    if isinstance(item, str) and not item:
        return
    if isinstance(item, AbstractDatastore):
        item = _root(item)
    if isinstance(item, DataReference):
        given.references[item.data_reference_name] = item
        item = str(item)
    given.arguments.append(item if isinstance(item, (DatasetConsumptionConfig, OutputDatasetConfig)) else _text(item))


def _text(item: Any) -> Any:
    from azureml.data.dataset_consumption_config import is_dataset

    return item if item is None or is_dataset(item) else str(item)  # what can't travel is refused where arguments are checked


def _root(datastore: Any) -> DataReference:
    reference: DataReference = datastore.path().as_mount()
    return reference


def _list(inputs: Any) -> List[Any]:
    if inputs is None:
        return []
    if not isinstance(inputs, (list, tuple)):
        raise UserErrorException(f"inputs must be a list, not a {type(inputs).__name__}.")
    return list(inputs)


def _add_input(given: Given, item: Any) -> None:
    if isinstance(item, AbstractDatastore):
        item = _root(item)
    if isinstance(item, DataReference):
        given.references[item.data_reference_name] = item
    elif isinstance(item, DatasetConsumptionConfig):
        given.data[item.name] = item
    else:
        raise UserErrorException(
            f"An input of an estimator is a datastore, a reference such as datastore.path('folder').as_mount(), or "
            f"dataset.as_named_input('name'), not a {type(item).__name__}."
        )
