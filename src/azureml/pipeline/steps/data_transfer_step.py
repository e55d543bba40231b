"""The step that copies data. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from azureml.data.data_reference import DataReference
from azureml.data.sql_data_reference import SqlDataReference
from azureml.pipeline.core import _arguments
from azureml.pipeline.core._bindings import InputPortBinding, is_data_path_pair
from azureml.pipeline.core._port_data import PortDataReference
from azureml.pipeline.core._settings import to_settings
from azureml.pipeline.core.builder import PipelineData
from azureml.pipeline.steps._described_step import DescribedStep, need_target, need_text

_OUTPUT = "_data_transfer_output"
_TYPES = ("file", "directory")


class DataTransferStep(DescribedStep):
    """A step that copies data from one place to another.

    It can be built, drawn and written to YAML. This version can't run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        name: The step's name.
        source_data_reference: What is copied: a DataReference, InputPortBinding, PortDataReference, PipelineData, or a pair
            (DataPath or PipelineParameter, DataPathComputeBinding).
        destination_data_reference: Where to: a DataReference, such a pair, or an InputPortBinding of these.
        compute_target: A DataFactoryCompute, or its name.
        source_reference_type: file or directory; None means what is there.
        destination_reference_type: file or directory; None means what is there, else as the source.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.

    Raises:
        ValueError: An argument is missing or not allowed.
    """

    _kind, _execution_type = "DataTransferStep", "DataTransferCloud"
    _target_kind = "DataFactory"

    def __init__(
        self,
        name: str,
        source_data_reference: Any = None,
        destination_data_reference: Any = None,
        compute_target: Any = None,
        source_reference_type: Optional[str] = None,
        destination_reference_type: Optional[str] = None,
        allow_reuse: bool = True,
    ) -> None:
        need_text("a DataTransferStep", name=name)
        place = f"Step '{name}'"
        need_target(place, compute_target)
        _check_source(source_data_reference, place)
        _check_destination(destination_data_reference, place)
        types = {"source_reference_type": source_reference_type, "destination_reference_type": destination_reference_type}
        self._written = PipelineData(_OUTPUT, datastore=_datastore_of(destination_data_reference))
        super().__init__(
            name,
            compute_target,
            {key: _reference_type(key, value, place) for key, value in types.items()},
            inputs=[source_data_reference, destination_data_reference],
            outputs=[self._written],
            allow_reuse=allow_reuse,
        )

    def get_output(self) -> PipelineData:
        """Return what later steps read of it: the destination."""
        return self._written

    def _settings(self) -> Dict[str, Any]:
        source, destination = (_arguments.input_name(item, self._place) for item in self._inputs)
        tables = {name: _table_of(item) for name, item in zip((source, destination), self._inputs)}
        own = {"source_data_reference": source, "destination_data_reference": destination}
        return {**super()._settings(), **own, **to_settings({"sql": {name: table for name, table in tables.items() if table}})}


def _check_source(source: Any, place: str) -> None:
    kinds = (DataReference, InputPortBinding, PortDataReference, PipelineData)
    if not isinstance(source, kinds) and not is_data_path_pair(source):
        raise ValueError(
            f"{place}: source_data_reference must be a DataReference, InputPortBinding, PortDataReference, PipelineData or a pair "
            f"(DataPath, DataPathComputeBinding), not {_shown(source)}."
        )


def _check_destination(destination: Any, place: str) -> None:
    bound = destination.bind_object if isinstance(destination, InputPortBinding) else destination
    if not isinstance(bound, DataReference) and not is_data_path_pair(bound):
        raise ValueError(
            f"{place}: destination_data_reference must be a DataReference, or a pair (DataPath, DataPathComputeBinding), or an "
            f"InputPortBinding of these, not {_shown(destination)}."
        )


def _shown(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _table_of(item: Any) -> Dict[str, Any]:
    """What of a database is meant, where one is."""
    bound = item.bind_object if isinstance(item, InputPortBinding) else item
    if not isinstance(bound, SqlDataReference):
        return {}
    about = {name: getattr(bound, name) for name in ("sql_table", "sql_query", "sql_stored_procedure")}
    values = {str(item.name): {"value": item.value, "type": item.type} for item in bound.sql_stored_procedure_params or []}
    return to_settings({**about, "sql_stored_procedure_params": values})


def _datastore_of(destination: Any) -> Any:
    bound = destination.bind_object if isinstance(destination, InputPortBinding) else destination
    if isinstance(bound, DataReference):
        return bound.datastore
    path = getattr(bound[0], "default_value", bound[0])
    return getattr(path, "_datastore", None)


def _reference_type(name: str, value: Any, place: str) -> Optional[str]:
    if value is None:
        return None
    if not isinstance(value, str) or value.lower() not in _TYPES:
        raise ValueError(f"{place}: {name} must be 'file' or 'directory', not {value!r}.")
    return value.lower()


__all__ = ["DataTransferStep"]
