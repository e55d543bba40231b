"""The sections of a run configuration."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from azureml.core._environment_sections import DEFAULT_SHM_SIZE
from azureml.core._section import Section
from azureml.exceptions import RunConfigurationException, UserErrorException

SUPPORTED_PYTORCH_BACKENDS = ["nccl", "gloo"]


class HistoryConfiguration(Section):
    """What is kept of a run."""

    _fields = {"output_collection": None, "snapshot_project": None, "directories_to_watch": None}

    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]


class DockerConfiguration(Section):
    """How to start a container for a run, where the service is set up for containers (the setting `container_engine`)."""

    _fields = {"use_docker": None, "shared_volumes": None, "shm_size": None, "arguments": None}

    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: List[str] = [],  # noqa: B006  # v1's default; copied below
        shm_size: str = DEFAULT_SHM_SIZE,
    ) -> None:
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments) if arguments is not None else []
        self.shm_size = shm_size


class SparkConfiguration(Section):
    """Spark's own settings."""

    _fields = {"configuration": None}

    def __init__(self) -> None:
        self.configuration: Dict[str, Any] = {"spark.app.name": "Azure ML Experiment", "spark.yarn.maxAppAttempts": 1}


class HdiConfiguration(Section):
    """Settings of HDInsight."""

    _fields = {"yarn_deploy_mode": None}

    def __init__(self) -> None:
        self.yarn_deploy_mode = "cluster"


class TensorflowConfiguration(Section):
    """A distributed TensorFlow run."""

    _fields = {"worker_count": None, "parameter_server_count": None}

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count


class MpiConfiguration(Section):
    """A run of several processes that talk through MPI."""

    _fields = {"process_count_per_node": None, "node_count": None}

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = process_count_per_node
        self.node_count = node_count


class PyTorchConfiguration(Section):
    """A distributed PyTorch run.

    Args:
        communication_backend: Nccl or Gloo; kept in lower case, as in v1.
        process_count: The number of all processes; one for each node by default.
        node_count: The number of nodes.

    Raises:
        RunConfigurationException: The backend is another one.
    """

    _fields = {"communication_backend": None, "process_count": None, "node_count": None}

    def __init__(self, communication_backend: str = "Nccl", process_count: Optional[int] = None, node_count: int = 1) -> None:
        backend = str(communication_backend).lower()
        if backend not in SUPPORTED_PYTORCH_BACKENDS:
            raise RunConfigurationException(f"communication_backend must be 'Nccl' or 'Gloo', not '{communication_backend}'.")
        self.communication_backend = backend
        self.process_count = process_count
        self.node_count = node_count


class ParallelTaskConfiguration(Section):
    """A run of workers that share a queue of tasks."""

    _fields = {"max_retries_per_worker": None, "worker_count_per_node": None, "terminal_exit_codes": None}

    def __init__(self) -> None:
        self.max_retries_per_worker = 0
        self.worker_count_per_node = 1
        self.terminal_exit_codes: Optional[List[int]] = None


class AmlComputeConfiguration(Section):
    """A cluster made for one run; kept, and without effect here."""

    _fields = {"vm_size": None, "vm_priority": None, "_retain_cluster": None, "_name": None, "_cluster_max_node_count": None}

    def __init__(self) -> None:
        self.vm_size: Optional[str] = None
        self.vm_priority: Optional[str] = None
        self._retain_cluster: Optional[bool] = None
        self._name: Optional[str] = None
        self._cluster_max_node_count: Optional[int] = None


class KubernetesComputeConfiguration(Section):
    """Settings of a Kubernetes target."""

    _fields = {"instance_type": None}

    def __init__(self) -> None:
        self.instance_type: Optional[str] = None


class ApplicationEndpointConfiguration(Section):
    """A port that a run offers."""

    _fields = {"type": None, "port": None, "properties": None}

    def __init__(self, type: Optional[str] = None, port: Optional[int] = None, properties: Optional[Dict[str, Any]] = None) -> None:
        self.type = type
        self.port = port
        self.properties = properties


class DataReferenceConfiguration(Section):
    """A path on a datastore that a run sees as a local path."""

    _fields = {"data_store_name": None, "mode": None, "path_on_data_store": None, "path_on_compute": None, "overwrite": None}

    def __init__(
        self,
        datastore_name: Optional[str] = None,
        mode: str = "mount",
        path_on_datastore: Optional[str] = None,
        path_on_compute: Optional[str] = None,
        overwrite: bool = False,
    ) -> None:
        self.data_store_name = datastore_name
        self.mode = mode
        self.path_on_data_store = path_on_datastore
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite


class Dataset(Section):
    """A dataset by id, or by name and version."""

    _fields = {"id": None, "name": None, "version": None}

    def __init__(self, dataset_id: Optional[str] = None, dataset_name: Optional[str] = None, dataset_version: Optional[str] = None) -> None:
        self.id = dataset_id
        self.name = dataset_name
        self.version = dataset_version


class DataPath(Section):
    """A path on a datastore."""

    _fields = {"datastore_name": None, "relative_path": None}

    def __init__(self, datastore_name: Optional[str] = None, relative_path: Optional[str] = None) -> None:
        self.datastore_name = datastore_name
        self.relative_path = relative_path


class Uri(Section):
    """An address of a file or a folder."""

    _fields = {"path": None, "is_file": None}

    def __init__(self, path: Optional[str] = None, is_file: bool = False) -> None:
        self.path = path
        self.is_file = is_file


class DataLocation(Section):
    """Where data is: a dataset, a path on a datastore, or an address."""

    _fields = {"dataset": Dataset, "data_path": DataPath, "uri": Uri}

    def __init__(self, dataset: Optional[Dataset] = None, data_path: Optional[DataPath] = None, uri: Optional[Uri] = None) -> None:
        self.dataset = dataset
        self.data_path = data_path
        self.uri = uri


class Data(Section):
    """Data that a run reads, and how it gets it."""

    _fields = {
        "data_location": DataLocation,
        "create_output_directories": None,
        "mechanism": None,
        "environment_variable_name": None,
        "path_on_compute": None,
        "overwrite": None,
        "options": None,
    }

    def __init__(
        self,
        data_location: Optional[DataLocation] = None,
        create_output_directories: Optional[bool] = None,
        mechanism: str = "direct",
        environment_variable_name: Optional[str] = None,
        path_on_compute: Optional[str] = None,
        overwrite: bool = False,
        options: Optional[Dict[str, str]] = None,
    ) -> None:
        self.data_location = data_location
        self.create_output_directories = create_output_directories
        self.mechanism = mechanism
        self.environment_variable_name = environment_variable_name
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self.options = options

    @staticmethod
    def create(data: Any) -> Data:
        """Return the section for a dataset as a script consumes it (`dataset.as_named_input(...)`).

        Raises:
            UserErrorException: It is no such thing.
        """
        if isinstance(data, Data):
            return data
        dataset, mode = getattr(data, "dataset", None), getattr(data, "mode", None)
        if dataset is None or mode is None:
            raise UserErrorException(f"Data is made from dataset.as_named_input('name'), not from a {type(data).__name__}.")
        return Data(
            data_location=DataLocation(dataset=_named_dataset(dataset)),
            mechanism=str(mode),
            environment_variable_name=getattr(data, "name", None),
            path_on_compute=getattr(data, "path_on_compute", None),
        )


def _named_dataset(dataset: Any) -> Dataset:
    if isinstance(dataset, tuple):  # (workspace, name) or (workspace, name, version)
        return Dataset(dataset_name=dataset[1], dataset_version=str(dataset[2]) if len(dataset) > 2 else None)
    identity = getattr(dataset, "id", None)
    name, version = getattr(dataset, "name", None), getattr(dataset, "version", None)
    return Dataset(dataset_id=identity, dataset_name=name, dataset_version=None if version is None else str(version))


class DatacacheConfiguration(Section):
    """A cached dataset; kept, and without effect here."""

    _fields = {
        "dataset_id": None,
        "datacache_store": None,
        "datacache_id": None,
        "mode": None,
        "path_on_compute": None,
        "replica": None,
        "failure_fallback": None,
    }

    def __init__(
        self,
        dataset_id: Optional[str] = None,
        datacache_store: Optional[str] = None,
        datacache_id: Optional[str] = None,
        mode: str = "mount",
        path_on_compute: Optional[str] = None,
        replica: Any = None,
        failure_fallback: bool = False,
    ) -> None:
        self.dataset_id = dataset_id
        self.datacache_store = datacache_store
        self.datacache_id = datacache_id
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.replica = replica
        self.failure_fallback = failure_fallback

    @staticmethod
    def create(data: Any) -> DatacacheConfiguration:
        """Return the section for an object with the same attributes."""
        values = {name: getattr(data, name) for name in DatacacheConfiguration._fields if hasattr(data, name)}
        return DatacacheConfiguration(**values)


class DatasetRegistrationOptions(Section):
    """What is done to an output before it is registered."""

    _fields = {"additional_transformation": None}

    def __init__(self, additional_transformations: Any = None) -> None:
        self.additional_transformation = additional_transformations


class RegistrationOptions(Section):
    """The dataset that an output becomes."""

    _fields = {
        "name": None,
        "description": None,
        "tags": None,
        "dataset_registration_options": DatasetRegistrationOptions,
    }

    def __init__(
        self,
        name: Optional[str] = None,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        dataset_registration_options: Optional[DatasetRegistrationOptions] = None,
    ) -> None:
        self.name = name
        self.description = description
        self.tags = tags
        self.dataset_registration_options = dataset_registration_options


class GlobsOptions(Section):
    """Patterns of file names."""

    _fields = {"patterns": None}

    def __init__(self, patterns: Optional[List[str]] = None) -> None:
        self.patterns = patterns


class UploadOptions(Section):
    """How an output is uploaded."""

    _fields = {"overwrite": None, "source_globs": GlobsOptions}

    def __init__(self, overwrite: bool = False, source_globs: Optional[GlobsOptions] = None) -> None:
        self.overwrite = overwrite
        self.source_globs = source_globs


class MountOptions(Section):
    """How an output is mounted."""

    _fields = {"disable_metadata_cache": None}

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache


class OutputOptions(Section):
    """What happens to an output."""

    _fields = {
        "path_on_compute": None,
        "registration_options": RegistrationOptions,
        "upload_options": UploadOptions,
        "mount_options": MountOptions,
    }

    def __init__(
        self,
        path_on_compute: Optional[str] = None,
        registration_options: Optional[RegistrationOptions] = None,
        upload_options: Optional[UploadOptions] = None,
        mount_options: Optional[MountOptions] = None,
    ) -> None:
        self.path_on_compute = path_on_compute
        self.registration_options = registration_options
        self.upload_options = upload_options
        self.mount_options = mount_options


class OutputData(Section):
    """Data that a run writes, and where it goes."""

    _fields = {"output_location": DataLocation, "mechanism": None, "additional_options": OutputOptions}

    def __init__(
        self,
        output_location: Optional[DataLocation] = None,
        mechanism: str = "mount",
        additional_options: Optional[OutputOptions] = None,
    ) -> None:
        self.output_location = output_location
        self.mechanism = mechanism
        self.additional_options = additional_options
