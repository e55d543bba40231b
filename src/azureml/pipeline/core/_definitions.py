"""Definitions: what a step or a piece of data is, apart from its place in one graph."""

from __future__ import annotations

import hashlib
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple

from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath
from azureml.pipeline.core._bindings import INPUT_MODES, OUTPUT_MODES, TrainingOutput, check_mode
from azureml.pipeline.core._parameters import ParamDef

ANY_FILE = "AnyFile"
ANY_DIRECTORY = "AnyDirectory"
RUN_AFTER_INPUT = "_run_after_input_"
RUN_AFTER_OUTPUT = "_run_after_output"


def is_run_after_port(name: str) -> bool:
    """Tell whether a port only carries order, not data."""
    return name == RUN_AFTER_OUTPUT or name.startswith(RUN_AFTER_INPUT)


class InputPortDef:
    """What a step says about one of its inputs.

    Args:
        name: The port's name.
        data_types: The data types that it takes; None means any file or folder.
        default_datastore_mode: mount, download, direct or hdfs.
        default_path_on_compute: Where the script finds the data.
        is_optional: Whether the port may stay unconnected.
        default_overwrite: Whether a download may replace what is there.
        default_data_reference_name: The name of the data behind it.
        is_resource: Whether the data is put beside the script.
        label: A name for people.
        additional_transformations: What is done to a dataset before it arrives.
    """

    def __init__(
        self,
        name: str,
        data_types: Optional[Sequence[str]] = None,
        default_datastore_mode: Optional[str] = None,
        default_path_on_compute: Optional[str] = None,
        is_optional: bool = False,
        default_overwrite: Optional[bool] = None,
        default_data_reference_name: Optional[str] = None,
        is_resource: bool = False,
        label: Optional[str] = None,
        additional_transformations: Any = None,
        **kwargs: Any,
    ) -> None:
        if default_datastore_mode is not None:
            check_mode(default_datastore_mode, INPUT_MODES, f"The input '{name}'")
        self._name = name
        self._data_types = list(data_types) if data_types else [ANY_FILE, ANY_DIRECTORY]
        self._default_datastore_mode = default_datastore_mode
        self._default_path_on_compute = default_path_on_compute
        self._is_optional = is_optional
        self._default_overwrite = default_overwrite
        self._default_data_reference_name = default_data_reference_name
        self._is_resource = is_resource
        self._label = label
        self._additional_transformations = additional_transformations

    @property
    def name(self) -> str:
        """Return the port's name."""
        return self._name

    @property
    def data_types(self) -> List[str]:
        """Return the data types that it takes."""
        return self._data_types

    @property
    def default_datastore_mode(self) -> Optional[str]:
        """Return how the data reaches the script, or None."""
        return self._default_datastore_mode

    @property
    def default_path_on_compute(self) -> Optional[str]:
        """Return where the script finds the data, or None."""
        return self._default_path_on_compute

    @property
    def is_optional(self) -> bool:
        """Return whether the port may stay unconnected."""
        return self._is_optional

    @property
    def default_overwrite(self) -> Optional[bool]:
        """Return whether a download may replace what is there."""
        return self._default_overwrite

    @property
    def default_data_reference_name(self) -> Optional[str]:
        """Return the name of the data behind it, or None."""
        return self._default_data_reference_name

    @property
    def is_resource(self) -> bool:
        """Return whether the data is put beside the script."""
        return self._is_resource

    @property
    def label(self) -> Optional[str]:
        """Return the name for people, or None."""
        return self._label

    @property
    def additional_transformations(self) -> Any:
        """Return what is done to a dataset before it arrives."""
        return self._additional_transformations


class OutputPortDef:
    """What a step says about one of its outputs.

    Args:
        name: The port's name.
        default_datastore_name: The datastore that takes the data.
        default_datastore_mode: mount, upload, hdfs or link.
        default_path_on_compute: What is uploaded.
        is_directory: Whether it is a folder.
        data_type: Its data type; None means AnyDirectory or AnyFile.
        default_overwrite: Whether an upload may replace what is there.
        training_output: Which of a training step's extra outputs it is.
        label: A name for people.
    """

    def __init__(
        self,
        name: str,
        default_datastore_name: Optional[str] = None,
        default_datastore_mode: Optional[str] = None,
        default_path_on_compute: Optional[str] = None,
        is_directory: Optional[bool] = False,
        data_type: Optional[str] = None,
        default_overwrite: Optional[bool] = None,
        training_output: Optional[TrainingOutput] = None,
        label: Optional[str] = None,
    ) -> None:
        if default_datastore_mode is not None:
            check_mode(default_datastore_mode, OUTPUT_MODES, f"The output '{name}'")
        self._name = name
        self._default_datastore_name = default_datastore_name
        self._default_datastore_mode = default_datastore_mode
        self._default_path_on_compute = default_path_on_compute
        self._is_directory = is_directory
        self._data_type = data_type or (ANY_DIRECTORY if is_directory else ANY_FILE)
        self._default_overwrite = default_overwrite
        self._training_output = training_output
        self._label = label

    @property
    def name(self) -> str:
        """Return the port's name."""
        return self._name

    @property
    def default_datastore_name(self) -> Optional[str]:
        """Return the datastore that takes the data, or None."""
        return self._default_datastore_name

    @property
    def default_datastore_mode(self) -> Optional[str]:
        """Return how the data leaves the script, or None."""
        return self._default_datastore_mode

    @property
    def default_path_on_compute(self) -> Optional[str]:
        """Return what is uploaded, or None."""
        return self._default_path_on_compute

    @property
    def is_directory(self) -> Optional[bool]:
        """Return whether it is a folder."""
        return self._is_directory

    @property
    def data_type(self) -> str:
        """Return its data type."""
        return self._data_type

    @property
    def default_overwrite(self) -> Optional[bool]:
        """Return whether an upload may replace what is there."""
        return self._default_overwrite

    @property
    def training_output(self) -> Optional[TrainingOutput]:
        """Return which of a training step's extra outputs it is, or None."""
        return self._training_output

    @property
    def label(self) -> Optional[str]:
        """Return the name for people, or None."""
        return self._label


class ModuleDef:
    """What a step is: its ports, parameters, arguments and switches.

    Args:
        name: The step's name.
        description: A text for people.
        input_port_defs: Its inputs.
        output_port_defs: Its outputs.
        param_defs: Its parameters.
        module_execution_type: The kind of execution; script steps say "escloud".
        create_sequencing_ports: Whether it gets the hidden ports that `run_after` connects.
        allow_reuse: Whether an earlier result may be taken.
        version: The user's lever to force a new definition.
        module_type: A module type.
        step_type: The class of step.
        arguments: The resolved arguments.
        runconfig: A run configuration that belongs to the definition.
        cloud_settings: Settings of the cloud service.
    """

    fake_input_prefix = RUN_AFTER_INPUT
    fake_output_name = RUN_AFTER_OUTPUT

    def __init__(
        self,
        name: str,
        description: Optional[str] = None,
        input_port_defs: Optional[Iterable[InputPortDef]] = None,
        output_port_defs: Optional[Iterable[OutputPortDef]] = None,
        param_defs: Optional[Iterable[ParamDef]] = None,
        module_execution_type: Optional[str] = None,
        create_sequencing_ports: bool = True,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        module_type: Any = None,
        step_type: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        runconfig: Any = None,
        cloud_settings: Any = None,
    ) -> None:
        self._name = name
        self._description = description
        self._input_port_defs = list(input_port_defs or [])
        self._output_port_defs = list(output_port_defs or [])
        self._param_defs = list(param_defs or [])
        self._module_execution_type = module_execution_type
        self._create_sequencing_ports = create_sequencing_ports
        self._allow_reuse = allow_reuse
        self._version = version
        self._module_type = module_type
        self._step_type = step_type
        self._arguments = list(arguments or [])
        self._runconfig = runconfig
        self._cloud_settings = cloud_settings
        if create_sequencing_ports and all(port.name != RUN_AFTER_OUTPUT for port in self._output_port_defs):
            self._output_port_defs.append(OutputPortDef(RUN_AFTER_OUTPUT))

    @property
    def name(self) -> str:
        """Return the step's name."""
        return self._name

    @property
    def description(self) -> Optional[str]:
        """Return the text for people, or None."""
        return self._description

    @property
    def input_port_defs(self) -> List[InputPortDef]:
        """Return its inputs, the hidden ones included."""
        return self._input_port_defs

    @property
    def output_port_defs(self) -> List[OutputPortDef]:
        """Return its outputs, the hidden one included."""
        return self._output_port_defs

    @property
    def param_defs(self) -> List[ParamDef]:
        """Return its parameters."""
        return self._param_defs

    @property
    def module_execution_type(self) -> Optional[str]:
        """Return the kind of execution."""
        return self._module_execution_type

    @property
    def allow_reuse(self) -> bool:
        """Return whether an earlier result may be taken."""
        return self._allow_reuse

    @property
    def version(self) -> Optional[str]:
        """Return the version, or None."""
        return self._version

    @property
    def module_type(self) -> Any:
        """Return the module type, or None."""
        return self._module_type

    @property
    def step_type(self) -> Optional[str]:
        """Return the class of step."""
        return self._step_type

    @property
    def runconfig(self) -> Any:
        """Return the run configuration that belongs to the definition, or None."""
        return self._runconfig

    @property
    def cloud_settings(self) -> Any:
        """Return settings of the cloud service, or None."""
        return self._cloud_settings

    def add_fake_sequencing_input_port(self) -> InputPortDef:
        """Add and return one more hidden input that only carries order.

        Raises:
            RuntimeError: The definition was made without such ports.
        """
        if not self._create_sequencing_ports:
            raise RuntimeError(f"The definition of '{self._name}' has no ports for run_after; create it with create_sequencing_ports=True.")
        count = sum(1 for port in self._input_port_defs if port.name.startswith(RUN_AFTER_INPUT))
        port = InputPortDef(f"{RUN_AFTER_INPUT}{count}", is_optional=True)
        self._input_port_defs.append(port)
        return port

    def calculate_hash(self) -> str:
        """Return the identity of the definition, sha256 in hexadecimal; the source folder is not part of it."""
        parts = [f"name_{self._name}", f"execution_{self._module_execution_type}", f"deterministic_{bool(self._allow_reuse)}"]
        parts += [_input_text(port) for port in self._input_port_defs]
        parts += [_output_text(port) for port in self._output_port_defs]
        parts += [f"param_{item.name},val_{item.default_value}" for item in self._param_defs if item.calculate_hash]
        if self._version is not None:
            parts.append(f"version_{self._version}")
        if self._arguments:
            parts.append("arguments_" + ",".join(_argument_text(item) for item in self._arguments))
        return _sha256(sorted(parts))


def _input_text(port: InputPortDef) -> str:
    types = ",".join(port.data_types)
    return _joined(
        f"input_{port.name}", ("ds_mode_", port.default_datastore_mode), ("ds_path_", port.default_path_on_compute), ("datatypes_", types)
    )


def _output_text(port: OutputPortDef) -> str:
    return _joined(
        f"output_{port.name}",
        ("ds_name_", port.default_datastore_name),
        ("ds_mode_", port.default_datastore_mode),
        ("ds_path_", port.default_path_on_compute),
        ("datatype_", port.data_type),
    )


def _joined(head: str, *tails: Tuple[str, Optional[str]]) -> str:
    return ",".join([head] + [label + value for label, value in tails if value])


def _argument_text(argument: Any) -> str:
    kind, value = getattr(argument, "kind", "literal"), getattr(argument, "value", argument)
    return str(value) if kind == "literal" else f"{kind}:{value}"


def _sha256(parts: Iterable[str]) -> str:
    return hashlib.sha256("_".join(parts).encode("utf-8")).hexdigest()


class Module:
    """A definition that has an id. It is not the registered, versioned `azureml.pipeline.core.Module`.

    Args:
        module_id: The id.
        module_def: The definition.
        module_version: A version.
        default_version: The default version.
    """

    __slots__ = ("_default_version", "id", "module_def", "module_version")

    def __init__(
        self, module_id: str, module_def: Optional[ModuleDef] = None, module_version: Any = None, default_version: Any = None
    ) -> None:
        self.id = module_id
        self.module_def = module_def
        self.module_version = module_version
        self._default_version = default_version


class StoredProcedureParameter:
    """A parameter of a stored procedure.

    Args:
        name: Its name.
        value: Its value.
        type: A StoredProcedureParameterType; None lets the database decide.
    """

    __slots__ = ("name", "type", "value")

    def __init__(self, name: str, value: Any, type: Any = None) -> None:
        self.name, self.value, self.type = name, value, type


class DataSourceDef:
    """What a piece of data is: its name and its place.

    Args:
        name: The name.
        description: A text for people.
        data_type_id: Its data type.
        datastore_name: The datastore.
        path_on_datastore: The path there.
        sql_table: A table of a database.
        sql_query: A query.
        sql_stored_procedure: A stored procedure.
        sql_stored_procedure_params: Its parameters.
        pipeline_dataset: The dataset behind it.
    """

    __slots__ = (
        "_data_type_id",
        "_dataset",
        "_description",
        "_name",
        "_pipeline_dataset",
        "datastore_name",
        "path_on_datastore",
        "sql_query",
        "sql_stored_procedure",
        "sql_stored_procedure_params",
        "sql_table",
    )

    def __init__(
        self,
        name: str,
        description: Optional[str] = None,
        data_type_id: Optional[str] = None,
        datastore_name: Optional[str] = None,
        path_on_datastore: Optional[str] = None,
        sql_table: Optional[str] = None,
        sql_query: Optional[str] = None,
        sql_stored_procedure: Optional[str] = None,
        sql_stored_procedure_params: Optional[Sequence[Any]] = None,
        pipeline_dataset: Any = None,
    ) -> None:
        self._name, self._description, self._data_type_id = name, description, data_type_id
        self._pipeline_dataset = pipeline_dataset
        self._dataset: Optional[Mapping[str, Any]] = None  # what the graph document says of the dataset
        self.datastore_name, self.path_on_datastore = datastore_name, path_on_datastore
        self.sql_table, self.sql_query = sql_table, sql_query
        self.sql_stored_procedure, self.sql_stored_procedure_params = sql_stored_procedure, sql_stored_procedure_params

    @property
    def name(self) -> str:
        """Return the name."""
        return self._name

    @property
    def description(self) -> Optional[str]:
        """Return the text for people, or None."""
        return self._description

    @property
    def data_type_id(self) -> Optional[str]:
        """Return its data type, or None."""
        return self._data_type_id

    @property
    def output_port_def(self) -> OutputPortDef:
        """Return the one port by which the data reaches steps."""
        return OutputPortDef(DataSource.DATASOURCE_PORT_NAME, default_datastore_name=self.datastore_name, data_type=self._data_type_id)

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataSourceDef:
        """Return the definition of a DataReference's data.

        Args:
            data_reference: The reference.
        """
        return DataSourceDef(
            name=data_reference.data_reference_name,
            datastore_name=datastore_name(data_reference.datastore),
            path_on_datastore=data_reference.path_on_datastore,
            sql_table=getattr(data_reference, "sql_table", None),
            sql_query=getattr(data_reference, "sql_query", None),
            sql_stored_procedure=getattr(data_reference, "sql_stored_procedure", None),
            sql_stored_procedure_params=getattr(data_reference, "sql_stored_procedure_params", None),
        )

    @staticmethod
    def _create_from_dataset(dataset: Any, workspace: Any) -> DataSourceDef:
        """The definition of a PipelineDataset; a dataset that has no id yet is saved in the workspace."""
        definition = DataSourceDef(name=dataset.name, pipeline_dataset=dataset)
        definition._dataset = dataset._describe(workspace)
        return definition

    @staticmethod
    def _create_from_data_path(name: str, path: DataPath) -> DataSourceDef:
        return DataSourceDef(name=name, datastore_name=path.datastore_name, path_on_datastore=path.path_on_datastore)

    def calculate_hash(self) -> str:
        """Return the identity of the definition, sha256 in hexadecimal; the data itself is not read."""
        parts = (
            self._name,
            self.datastore_name,
            self.path_on_datastore,
            self.sql_table,
            self.sql_query,
            self.sql_stored_procedure,
            self._data_type_id,
            sorted(self._dataset.items()) if self._dataset else None,
        )
        return _sha256(str(part) for part in parts if part)


class DataSource:
    """A piece of data that has an id.

    Args:
        datasource_id: The id.
        datasource_def: The definition.
    """

    __slots__ = ("datasource_def", "id")

    DATASOURCE_PORT_NAME = "data"

    def __init__(self, datasource_id: str, datasource_def: DataSourceDef) -> None:
        self.id = datasource_id
        self.datasource_def = datasource_def


def datastore_name(datastore: Any) -> Optional[str]:
    """Return the name of a datastore object (or the text that already is one); None for None."""
    return datastore if datastore is None or isinstance(datastore, str) else datastore.name
