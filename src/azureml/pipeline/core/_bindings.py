"""How data is bound to the ports of a step: inputs, outputs, data paths and training outputs."""

from __future__ import annotations

import re
from typing import Any, Iterable, Optional, Tuple

from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core._parameters import PipelineParameter

INPUT_MODES = ("mount", "download", "direct", "hdfs")
OUTPUT_MODES = ("mount", "upload", "hdfs", "link")


def check_mode(mode: str, allowed: Iterable[str], what: str) -> None:
    """Do nothing for a mode that is allowed.

    Raises:
        ValueError: It is not.
    """
    if mode not in allowed:
        raise ValueError(f"{what} has the mode {mode!r}; it can be {', '.join(allowed)}.")


def check_port_name(name: Any, what: str) -> None:
    """Do nothing for a name of letters, digits and underscores.

    Raises:
        ValueError: It is empty, or holds another character.
    """
    if not isinstance(name, str) or not name or re.search(r"\W", name):
        raise ValueError(f"{name!r} can't be the {what}: use letters, digits and underscores only.")


def is_data_path_pair(value: Any) -> bool:
    """Tell whether a value is meant as (DataPath or PipelineParameter, DataPathComputeBinding)."""
    return isinstance(value, tuple) and any(isinstance(item, (DataPath, PipelineParameter, DataPathComputeBinding)) for item in value)


def data_path_of(pair: Tuple[Any, Any]) -> DataPath:
    """Return the data path of a pair, a parameter's default included.

    Raises:
        ValueError: The pair has the wrong length or types.
    """
    if len(pair) != 2 or not isinstance(pair[1], DataPathComputeBinding):
        raise ValueError(
            "An input that is a tuple must be a pair: a DataPath, or a PipelineParameter with a DataPath as its default, "
            f"and a DataPathComputeBinding. This one holds {', '.join(type(item).__name__ for item in pair) or 'nothing'}."
        )
    first = pair[0].default_value if isinstance(pair[0], PipelineParameter) else pair[0]
    if not isinstance(first, DataPath):
        name = (
            f"PipelineParameter '{pair[0].name}', whose default is a {type(first).__name__}"
            if first is not pair[0]
            else type(first).__name__
        )
        raise ValueError(f"The first of a data path pair must be a DataPath or a PipelineParameter of one, not a {name}.")
    return first


def data_path_name(path: DataPath) -> str:
    """Return the port name of a data path. It may be random; reuse goes by a port's place, not by its name."""
    return path._name


class TrainingOutput:
    """One of the extra outputs of a step that trains: its metrics, or its best model.

    Args:
        type: 'Metrics' or 'Model', in any case.
        iteration: The iteration whose model is wanted.
        metric: The metric that names the best model.
        model_file: The file of the model that is wanted.

    Raises:
        ValueError: The type is another, or iteration and metric don't fit it.
    """

    def __init__(self, type: str, iteration: Optional[int] = None, metric: Optional[str] = None, model_file: Optional[str] = None) -> None:
        if not isinstance(type, str) or type.lower() not in ("metrics", "model"):
            raise ValueError(f"The type of a TrainingOutput is 'Metrics' or 'Model', not {type!r}.")
        if type.lower() == "metrics" and (iteration is not None or metric is not None):
            raise ValueError("A TrainingOutput of type 'Metrics' takes neither iteration nor metric; they choose a model.")
        if iteration is not None and metric is not None:
            raise ValueError("A TrainingOutput takes iteration or metric, not both.")
        self._type, self._iteration, self._metric, self._model_file = type, iteration, metric, model_file

    @property
    def type(self) -> str:
        """Return the type, as given."""
        return self._type

    @property
    def iteration(self) -> Optional[int]:
        """Return the iteration, or None."""
        return self._iteration

    @property
    def metric(self) -> Optional[str]:
        """Return the metric, or None."""
        return self._metric

    @property
    def model_file(self) -> Optional[str]:
        """Return the model file, or None."""
        return self._model_file


class InputPortBinding:
    """A named input of a step, bound to data.

    Args:
        name: The name of the input port: letters, digits, underscores.
        bind_object: The data: PipelineData, OutputPortBinding, DataReference, PortDataReference or a data path pair.
        bind_mode: mount, download, direct or hdfs.
        path_on_compute: Where the script finds the data; None leaves that to the service.
        overwrite: Whether a download may replace what is there.
        is_resource: Whether the data is put beside the script.
        additional_transformations: What is done to a dataset before it arrives.

    Raises:
        ValueError: There is no bind_object, or the mode is not one of the four.
    """

    def __init__(
        self,
        name: str,
        bind_object: Any = None,
        bind_mode: str = "mount",
        path_on_compute: Optional[str] = None,
        overwrite: Optional[bool] = None,
        is_resource: bool = False,
        additional_transformations: Any = None,
        **kwargs: Any,
    ) -> None:
        if bind_object is None:
            raise ValueError(f"The InputPortBinding '{name}' needs a bind_object: the data that the input reads.")
        check_mode(bind_mode, INPUT_MODES, f"The InputPortBinding '{name}'")
        if is_data_path_pair(bind_object):
            data_path_of(bind_object)
        self._name = name
        self._bind_object = bind_object
        self._bind_mode = bind_mode
        self._path_on_compute = path_on_compute
        self._overwrite = overwrite
        self._is_resource = is_resource
        self._additional_transformations = additional_transformations

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self._name}"

    def __repr__(self) -> str:
        return self.__str__()

    @property
    def name(self) -> str:
        """Return the name of the input port."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def bind_object(self) -> Any:
        """Return the data that the input reads."""
        return self._bind_object

    @property
    def bind_mode(self) -> str:
        """Return how the data reaches the script."""
        return self._bind_mode

    @bind_mode.setter
    def bind_mode(self, bind_mode: str) -> None:
        check_mode(bind_mode, INPUT_MODES, f"The InputPortBinding '{self._name}'")
        self._bind_mode = bind_mode

    @property
    def path_on_compute(self) -> Optional[str]:
        """Return where the script finds the data, or None."""
        return self._path_on_compute

    @path_on_compute.setter
    def path_on_compute(self, path_on_compute: Optional[str]) -> None:
        self._path_on_compute = path_on_compute

    @property
    def overwrite(self) -> Optional[bool]:
        """Return whether a download may replace what is there."""
        return self._overwrite

    @property
    def is_resource(self) -> bool:
        """Return whether the data is put beside the script."""
        return self._is_resource

    @property
    def additional_transformations(self) -> Any:
        """Return what is done to a dataset before it arrives."""
        return self._additional_transformations

    @property
    def data_reference_name(self) -> Optional[str]:
        """Return the name of the bound data; None for an unknown kind."""
        return self.get_bind_object_name()

    @property
    def data_type(self) -> Optional[str]:
        """Return the data type of the bound data, or None."""
        return self.get_bind_object_data_type()

    def get_bind_object_name(self) -> Optional[str]:
        """Return the name of the bound data; None for an unknown kind."""
        bound = self._bind_object
        if is_data_path_pair(bound):
            return data_path_name(data_path_of(bound))
        for attribute in ("data_reference_name", "name"):
            name = getattr(bound, attribute, None)
            if isinstance(name, str):
                return name
        return None

    def get_bind_object_data_type(self) -> Optional[str]:
        """Return the data type of the bound data, or None."""
        return getattr(self._bind_object, "data_type", None)

    def as_resource(self) -> InputPortBinding:
        """Return a copy whose data is put beside the script."""
        return self._copy(is_resource=True)

    def _renamed(self, name: str) -> InputPortBinding:
        return self._copy(name=name)

    def _copy(self, name: Optional[str] = None, is_resource: Optional[bool] = None) -> InputPortBinding:
        return InputPortBinding(
            name=name or self._name,
            bind_object=self._bind_object,
            bind_mode=self._bind_mode,
            path_on_compute=self._path_on_compute,
            overwrite=self._overwrite,
            is_resource=self._is_resource if is_resource is None else is_resource,
            additional_transformations=self._additional_transformations,
        )


class OutputPortBinding:
    """A named output of a step.

    Args:
        name: The name of the data: letters, digits, underscores.
        datastore: The datastore that takes it; None means the pipeline's default.
        output_name: The name of the output port; None means `name`.
        bind_mode: mount, upload, hdfs or link.
        path_on_compute: What is uploaded, in mode upload.
        is_directory: Whether it is a folder.
        overwrite: Whether an upload may replace what is there.
        data_type: A data type of the workspace.
        pipeline_output_name: The name by which PipelineRun.get_pipeline_output finds it.
        training_output: Which of a training step's extra outputs it is.
        dataset_registration: How it is registered as a dataset.
        dataset_output: The OutputDatasetConfig behind it.

    Raises:
        ValueError: A name or the mode is not allowed.
    """

    def __init__(
        self,
        name: str,
        datastore: Any = None,
        output_name: Optional[str] = None,
        bind_mode: str = "mount",
        path_on_compute: Optional[str] = None,
        is_directory: Optional[bool] = None,
        overwrite: Optional[bool] = None,
        data_type: Optional[str] = None,
        pipeline_output_name: Optional[str] = None,
        training_output: Optional[TrainingOutput] = None,
        dataset_registration: Any = None,
        dataset_output: Any = None,
    ) -> None:
        check_port_name(name, "name of an OutputPortBinding")
        check_port_name(output_name or name, "output_name of an OutputPortBinding")
        check_mode(bind_mode, OUTPUT_MODES, f"The OutputPortBinding '{name}'")
        self._name = name
        self._datastore = datastore
        self._output_name = output_name or name
        self._bind_mode = bind_mode
        self._path_on_compute = path_on_compute
        self._is_directory = is_directory
        self._overwrite = overwrite
        self._data_type = data_type
        self._pipeline_output_name = pipeline_output_name
        self._training_output = training_output
        self._dataset_registration = dataset_registration
        self._dataset_output = dataset_output
        self._producer: Any = None

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self._name}"

    def __repr__(self) -> str:
        return self.__str__()

    @property
    def name(self) -> str:
        """Return the name of the data."""
        return self._name

    @property
    def datastore(self) -> Any:
        """Return the datastore, or None where the pipeline's default takes the data."""
        return self._datastore

    @datastore.setter
    def datastore(self, datastore: Any) -> None:
        self._datastore = datastore

    @property
    def bind_mode(self) -> str:
        """Return how the data leaves the script."""
        return self._bind_mode

    @property
    def path_on_compute(self) -> Optional[str]:
        """Return what is uploaded, or None."""
        return self._path_on_compute

    @property
    def is_directory(self) -> Optional[bool]:
        """Return whether it is a folder, or None."""
        return self._is_directory

    @property
    def overwrite(self) -> Optional[bool]:
        """Return whether an upload may replace what is there."""
        return self._overwrite

    @property
    def data_type(self) -> Optional[str]:
        """Return the data type, or None."""
        return self._data_type

    @property
    def pipeline_output_name(self) -> Optional[str]:
        """Return the name by which PipelineRun.get_pipeline_output finds it, or None."""
        return self._pipeline_output_name

    @property
    def training_output(self) -> Optional[TrainingOutput]:
        """Return which of a training step's extra outputs it is, or None."""
        return self._training_output

    @property
    def dataset_registration(self) -> Any:
        """Return how it is registered as a dataset, or None."""
        return self._dataset_registration

    def _set_producer(self, step: Any) -> None:
        self._producer = step


def bind_data_reference(reference: DataReference) -> InputPortBinding:
    """Return the input that reads a DataReference as the reference says.

    Raises:
        ValueError: Its mode is upload, which no input has.
    """
    name = reference.data_reference_name
    if reference.mode == "upload":
        raise ValueError(
            f"The DataReference '{name}' has the mode 'upload', so it can't be an input. "
            "Use as_mount() or as_download(); what a step writes is declared as PipelineData in its outputs."
        )
    return InputPortBinding(
        name=name, bind_object=reference, bind_mode=reference.mode, path_on_compute=reference.path_on_compute, overwrite=reference.overwrite
    )


def bind_data_path(pair: Tuple[Any, Any]) -> InputPortBinding:
    """Return the input that reads a data path pair.

    Raises:
        ValueError: The pair has the wrong length or types.
    """
    name, binding = data_path_name(data_path_of(pair)), pair[1]
    return InputPortBinding(name, pair, binding.mode, binding.path_on_compute, binding.overwrite)
