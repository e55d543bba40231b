"""What the steps of a pipeline's file read and write: parameters, data that exists, and data that other steps write."""

from __future__ import annotations

import logging
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple

from azureml.core._nearest import nearest
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core._bindings import INPUT_MODES, OUTPUT_MODES, InputPortBinding, OutputPortBinding
from azureml.pipeline.core._dataset_ports import DatasetOutput, parse_registration
from azureml.pipeline.core._parameters import PipelineParameter
from azureml.pipeline.core._saved_step import SavedData
from azureml.pipeline.core._yaml_entries import Entry, shown
from penstock.model import graph as model

_LOGGER = logging.getLogger("penstock")
_READING_MODES = ("mount", "download", "direct")
_SQL = ("sql_table", "sql_query", "sql_stored_procedure", "sql_stored_procedure_params")
_OF_OUR_OWN = ("is_directory", "data_type", "pipeline_output_name", "path_on_datastore", "source_globs", "dataset", "registration")


class Written(NamedTuple):
    """An output of a step, as an object that other steps can read."""

    data: Any
    step: str  # the key of the step that writes it


class Data:
    """All data of one file, looked up by name.

    Args:
        workspace: The workspace.
        pipeline: The file's `pipeline`.

    Raises:
        ValueError: A parameter or a reference is wrong.
    """

    def __init__(self, workspace: Any, pipeline: Entry) -> None:
        self._workspace = workspace
        self.parameters = {name: self._parameter(name, entry) for name, entry in pipeline.entries("parameters").items()}
        self._references = pipeline.entries("data_references")
        for entry in self._references.values():
            _check_reference(entry)
        self._saved: Dict[str, SavedData] = {}
        self._written: Dict[str, Written] = {}

    # Parameters

    def _parameter(self, name: str, entry: Entry) -> PipelineParameter:
        kind = entry.required_text("type", f" A parameter's type can be {', '.join(_DEFAULTS)}, datapath or dataset.")
        if kind == "datapath":
            default: Any = self._data_path(entry.entry("default"))
        elif kind == "dataset":
            default = self._dataset(entry.entry("default"))
        elif kind in _DEFAULTS:
            default = _plain_default(kind, entry)
        else:
            raise entry.error(f"there is no type {kind!r}.{nearest(kind, [*_DEFAULTS, 'datapath', 'dataset'], 'types')}")
        try:
            return PipelineParameter(name, default)
        except ValueError as error:
            raise entry.error(str(error)) from None

    def _data_path(self, entry: Entry) -> DataPath:
        place = entry.get("path_on_datastore", str)
        if place is None:
            entry.required_text("path_on_datastore")
        return DataPath(self.datastore(entry, "datastore"), place, entry.text("name"))

    def find_parameter(self, name: Any, entry: Entry) -> PipelineParameter:
        """Return the pipeline parameter of this name.

        Raises:
            ValueError: There is none.
        """
        found = self.parameters.get(str(name))
        if found is None:
            raise entry.error(f"the pipeline has no parameter '{name}'.{nearest(str(name), self.parameters, 'parameters')}")
        return found

    def values(self, entry: Entry, key: str) -> Dict[str, Any]:
        """Return a step's values by name: plain ones, and pipeline parameters where the file names a source."""
        return {name: self._value(value, entry, f"{key}.{name}") for name, value in entry.mapping(key).items()}

    def run_parameters(self, entry: Entry) -> Dict[str, PipelineParameter]:
        """Return the settings of a step's run that pipeline parameters give.

        Raises:
            ValueError: There is no such parameter.
        """
        found = self.values(entry, "runconfig_parameters")
        return {name: value if isinstance(value, PipelineParameter) else self.find_parameter(value, entry) for name, value in found.items()}

    def _value(self, value: Any, entry: Entry, key: str) -> Any:
        if not isinstance(value, dict):
            return value if value is None or isinstance(value, (str, int, float)) else str(value)
        inner = Entry(value, f"{entry.place}.{key}")
        return self.find_parameter(inner.required_text("source"), inner)

    # Data that exists

    def datastore(self, entry: Entry, key: str) -> Any:
        """Return the datastore that an entry names.

        Raises:
            ValueError: It names none.
        """
        from azureml.core.datastore import Datastore

        with entry.located():
            return Datastore.get(self._workspace, entry.required_text(key))

    def _dataset(self, entry: Entry) -> Any:
        """The dataset that an entry names: by its name, else by its id."""
        from azureml.core.dataset import Dataset

        with entry.located():
            if "dataset_name" in entry:
                return Dataset.get_by_name(self._workspace, entry.required_text("dataset_name"), entry.value("dataset_version") or "latest")
            return Dataset.get_by_id(self._workspace, entry.required_text("dataset_id", " Or give a dataset_name."))

    def _reference(self, name: str, entry: Entry) -> Any:
        """What a step class is given of data that exists."""
        if "datastore" not in entry:
            return self._dataset(entry)
        datastore = self.datastore(entry, "datastore")
        if "path_on_datastore" in entry:
            from azureml.data.data_reference import DataReference

            return DataReference(datastore, entry.text("name") or name, entry.text("path_on_datastore"))
        from azureml.data.sql_data_reference import SqlDataReference

        return SqlDataReference(
            datastore,
            entry.text("name") or name,
            sql_stored_procedure_params=_procedure_parameters(entry) or None,
            **{key: entry.text(key) for key in _SQL[:3]},
        )

    # Data that steps write

    def declare(self, key: str, step: Entry, is_saved: bool) -> Dict[str, Any]:
        """Return the outputs of a step by port. From now on other steps may name them as their source.

        Raises:
            ValueError: One has no destination, or another step has the same.
        """
        outputs = {port: self._output(port, entry, is_saved) for port, entry in step.entries("outputs").items()}
        for port, entry in step.entries("outputs").items():
            destination = entry.required_text("destination")
            known = self._written.setdefault(destination, Written(outputs[port], key))
            if known.data is not outputs[port]:
                raise entry.error(
                    f"the destination '{destination}' is that of an output of step '{known.step}' too. Data has one producer."
                )
        return outputs

    def _output(self, port: str, entry: Entry, is_saved: bool) -> Any:
        from azureml.pipeline.core.builder import PipelineData

        name = entry.required_text("destination", " It names the data that other steps read.")
        if is_saved or any(key in entry for key in _OF_OUR_OWN):
            return self._own_output(name, port, entry)
        mode = _mode(entry, ("mount", "upload"), "mount")
        datastore = self.datastore(entry, "datastore") if "datastore" in entry else None
        place = entry.label("path_on_compute")
        try:
            data = PipelineData(name, datastore, port, mode, place, entry.flag("overwrite"))
        except ValueError as error:
            raise entry.error(str(error)) from None
        return data.as_dataset() if entry.flag("as_dataset") else data

    def _own_output(self, name: str, port: str, entry: Entry) -> OutputPortBinding:
        try:
            return OutputPortBinding(
                name=name,
                datastore=entry.text("datastore"),
                output_name=port,
                bind_mode=_mode(entry, OUTPUT_MODES, "mount"),
                path_on_compute=entry.label("path_on_compute"),
                is_directory=entry.flag("is_directory"),
                overwrite=entry.flag("overwrite"),
                data_type=entry.text("data_type"),
                pipeline_output_name=entry.text("pipeline_output_name"),
                dataset_registration=_registration(entry),
                dataset_output=_dataset_output(entry),
            )
        except ValueError as error:
            raise error if str(error).startswith(entry.place) else entry.error(str(error)) from None

    # Inputs

    def typed_input(self, port: str, entry: Entry) -> Any:
        """Return an input as a step class takes it.

        Raises:
            ValueError: Its source is missing or unknown, or its mode is none.
        """
        source = entry.required_text("source", " It names a data-path parameter, a data reference, or the destination of another step.")
        known = self._references.get(source)
        mode = _mode(entry, _READING_MODES, _mode(known, _READING_MODES, None) if known is not None else None)
        bind = _Binding(port, mode, entry.label("path_on_compute"), entry.flag("overwrite"))
        parameter = self._data_parameter(source)
        if parameter is not None:
            return bind.to_parameter(parameter)
        if known is not None:
            return bind.to_data(self._reference(source, known))
        return bind.to_data(self._find_written(source, entry))

    def saved_input(self, port: str, entry: Entry) -> InputPortBinding:
        """Return an input as a saved step takes it; data that exists is not looked up.

        Raises:
            ValueError: Its source is missing or unknown, or its mode is none.
        """
        source = entry.required_text("source")
        dataset = entry.mapping("dataset") if "dataset" in entry else None
        return InputPortBinding(
            port,
            self._find_saved(source) or self._find_written(source, entry),
            _mode(entry, INPUT_MODES, "mount"),
            entry.label("path_on_compute"),
            entry.flag("overwrite"),
            additional_transformations=dataset,
        )

    def _data_parameter(self, source: str) -> Optional[PipelineParameter]:
        found = self.parameters.get(source)
        return found if found is not None and not isinstance(found.default_value, (str, int, float)) else None

    def _find_written(self, source: str, entry: Entry) -> Any:
        found = self._written.get(source)
        if found is None:
            known = [*self._written, *self._references, *(name for name in self.parameters if self._data_parameter(name) is not None)]
            raise entry.error(
                f"the source '{source}' is neither a data-path parameter, nor a data reference, nor the destination of a step's output."
                f"{nearest(source, known, 'sources')}"
            )
        return found.data

    def _find_saved(self, source: str) -> Optional[SavedData]:
        parameter = self._data_parameter(source)
        if parameter is not None:
            return _saved_parameter(parameter)  # a node of its own for each reader
        if source in self._references and source not in self._saved:
            self._saved[source] = self._saved_reference(source, self._references[source])
        return self._saved.get(source)

    def _saved_reference(self, key: str, entry: Entry) -> SavedData:
        name = entry.text("name") or key
        parameter = self.find_parameter(entry.text("parameter"), entry) if "parameter" in entry else None
        if "datastore" in entry:
            node = model.DataNode("", name, entry.required_text("datastore"), entry.text("path_on_datastore") or "")
        else:
            node = model.DataNode("", name, dataset=_saved_dataset(entry))
        return SavedData(node, parameter)


class _Binding(NamedTuple):
    """How an input gets at its data."""

    port: str
    mode: Optional[str]
    path_on_compute: Optional[str]
    overwrite: Optional[bool]

    def to_parameter(self, parameter: PipelineParameter) -> Any:
        if not isinstance(parameter.default_value, DataPath):
            return self._to_dataset(parameter)
        mode = self.mode or "mount"
        pair = (parameter, DataPathComputeBinding(mode, self.path_on_compute, bool(self.overwrite)))
        return InputPortBinding(self.port, pair, mode, self.path_on_compute, self.overwrite)

    def to_data(self, data: Any) -> Any:
        from azureml.data.dataset_consumption_config import is_dataset

        if is_dataset(data):
            return self._to_dataset(data)
        if hasattr(data, "as_named_input"):  # PipelineData as a dataset
            return self._to_promoted(data.as_named_input(self.port))
        return InputPortBinding(self.port, data, self.mode or "mount", self.path_on_compute, self.overwrite)

    def _to_dataset(self, dataset: Any) -> Any:
        from azureml.data.dataset_consumption_config import TABULAR, DatasetConsumptionConfig, dataset_type

        mode = self.mode or ("direct" if dataset_type(dataset) == TABULAR else "mount")
        return DatasetConsumptionConfig(self.port, dataset, mode, self.path_on_compute)

    def _to_promoted(self, data: Any) -> Any:
        if self.mode == "download":
            return data.as_download(self.path_on_compute)
        return data.as_direct() if self.mode == "direct" else data.as_mount(self.path_on_compute)


# Parameters

_DEFAULTS: Mapping[str, Tuple[Callable[[Any], Any], Any]] = {
    "string": (str, None),
    "int": (int, 0),
    "float": (float, 0.0),
    "bool": (bool, False),
}


def _plain_default(kind: str, entry: Entry) -> Any:
    convert, absent = _DEFAULTS[kind]
    given = entry.value("default")
    if given is None:
        return absent
    if kind == "bool" and isinstance(given, str):
        _LOGGER.warning("%s: the text %r counts as true, as every text does. Write true or false without quotes.", entry.place, given)
    try:
        return convert(given)
    except (TypeError, ValueError, OverflowError):
        raise entry.error(f"the default {shown(given)} is no {kind}.") from None


# Data that exists


def _check_reference(entry: Entry) -> None:
    is_placed = "datastore" in entry and any(key in entry for key in ("path_on_datastore", *_SQL))
    if not is_placed and "dataset_name" not in entry and "dataset_id" not in entry:
        raise entry.error(
            "nothing says which data is meant. Give datastore and path_on_datastore; or datastore and one of "
            f"{', '.join(_SQL[:3])}; or dataset_name; or dataset_id."
        )


def _procedure_parameters(entry: Entry) -> Any:
    from azureml.pipeline.core._data_types import StoredProcedureParameterType
    from azureml.pipeline.core._definitions import StoredProcedureParameter

    kinds = {kind.value.lower(): kind for kind in StoredProcedureParameterType}
    found = []
    for name, about in entry.entries(_SQL[3]).items():
        if "value" not in about:
            raise about.error("'value' is missing.")
        kind = about.text("type")
        if kind is not None and kind.lower() not in kinds:
            raise about.error(f"there is no type {kind!r}.{nearest(kind, [item.value for item in kinds.values()], 'types')}")
        found.append(StoredProcedureParameter(name, about.value("value"), kinds[kind.lower()] if kind is not None else None))
    return found


def _saved_dataset(entry: Entry) -> Dict[str, Any]:
    name, identity = entry.text("dataset_name"), entry.text("dataset_id")
    version = entry.get("dataset_version", int)
    if identity is None:
        return {"name": name, "version": version}
    return {"id": identity} if name is None or version is None else {"id": identity, "name": name, "version": version}


def _saved_parameter(parameter: PipelineParameter) -> SavedData:
    default = parameter.default_value
    if isinstance(default, DataPath):
        return SavedData(model.DataNode("", default._name, default.datastore_name, default.path_on_datastore or ""), parameter)
    return SavedData(model.DataNode("", parameter.name, dataset={"id": default.id}), parameter)


# Modes and datasets of ports


def _mode(entry: Entry, allowed: Tuple[str, ...], default: Any) -> Any:
    """The mode of an input or output; `type` is what v1's first files called it."""
    return entry.choice("bind_mode", allowed) or entry.choice("type", allowed) or default


def _dataset_output(entry: Entry) -> Optional[DatasetOutput]:
    if "dataset" not in entry and "path_on_datastore" not in entry:
        return None
    return DatasetOutput(entry.mapping("dataset"), entry.text("path_on_datastore"), tuple(entry.texts("source_globs") or ()))


def _registration(entry: Entry) -> Any:
    if "registration" not in entry:
        return None
    about = entry.entry("registration")
    tags = {name: str(value) for name, value in about.mapping("tags").items()}
    wanted = model.Registration(about.required_text("name"), about.text("description"), tags, bool(about.flag("create_new_version", True)))
    return parse_registration(wanted)
