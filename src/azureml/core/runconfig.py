"""Run configurations: how and where a script runs. Their sections refuse unknown attributes, which catches typing errors."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from azureml.core import container_registry as _container_registry
from azureml.core._deprecation import deprecated
from azureml.core._environment_sections import DEFAULT_SHM_SIZE
from azureml.core._run_config_checks import check_conda_dependencies
from azureml.core._run_config_sections import (
    SUPPORTED_PYTORCH_BACKENDS,
    AmlComputeConfiguration,
    ApplicationEndpointConfiguration,
    Data,
    DatacacheConfiguration,
    DataLocation,
    DataPath,
    DataReferenceConfiguration,
    Dataset,
    DatasetRegistrationOptions,
    DockerConfiguration,
    GlobsOptions,
    HdiConfiguration,
    HistoryConfiguration,
    KubernetesComputeConfiguration,
    MountOptions,
    MpiConfiguration,
    OutputData,
    OutputOptions,
    ParallelTaskConfiguration,
    PyTorchConfiguration,
    RegistrationOptions,
    SparkConfiguration,
    TensorflowConfiguration,
    UploadOptions,
    Uri,
)
from azureml.core._section import Document, Section
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.databricks import EggLibrary, JarLibrary, MavenLibrary, PyPiLibrary, RCranLibrary
from azureml.core.environment import (
    DEFAULT_CPU_IMAGE,
    DEFAULT_GPU_IMAGE,
    DockerEnvironment,
    DockerSection,
    Environment,
    EnvironmentReference,
    PythonEnvironment,
    PythonSection,
    SparkEnvironment,
    SparkPackage,
    SparkSection,
)
from azureml.exceptions import UserErrorException

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "LOCAL_RUNCONFIG_NAME",
    "MPI_CPU_IMAGE",
    "MPI_GPU_IMAGE",
    "SUPPORTED_DATAREF_MODES",
    "SUPPORTED_DELIVERY_MECHANISM",
    "SUPPORTED_PYTORCH_BACKENDS",
    "AmlComputeConfiguration",
    "ApplicationEndpointConfiguration",
    "AzureContainerRegistry",
    "CondaDependencies",
    "ContainerRegistry",
    "Data",
    "DataLocation",
    "DataPath",
    "DataReferenceConfiguration",
    "DatacacheConfiguration",
    "Dataset",
    "DatasetRegistrationOptions",
    "DockerConfiguration",
    "DockerEnvironment",
    "DockerSection",
    "EggLibrary",
    "Environment",
    "EnvironmentDefinition",
    "EnvironmentReference",
    "GlobsOptions",
    "HdiConfiguration",
    "HistoryConfiguration",
    "JarLibrary",
    "KubernetesComputeConfiguration",
    "MavenLibrary",
    "MountOptions",
    "MpiConfiguration",
    "OutputData",
    "OutputOptions",
    "ParallelTaskConfiguration",
    "PyPiLibrary",
    "PyTorchConfiguration",
    "PythonEnvironment",
    "PythonSection",
    "RCranLibrary",
    "RegistrationOptions",
    "RunConfiguration",
    "SparkConfiguration",
    "SparkEnvironment",
    "SparkPackage",
    "SparkSection",
    "TensorflowConfiguration",
    "UploadOptions",
    "Uri",
    "from_document",
    "to_document",
]

LOCAL_RUNCONFIG_NAME = "local"
MPI_CPU_IMAGE = DEFAULT_CPU_IMAGE
MPI_GPU_IMAGE = DEFAULT_GPU_IMAGE
SUPPORTED_DATAREF_MODES = ["mount", "download", "upload"]
SUPPORTED_DELIVERY_MECHANISM = ["direct", "mount", "download", "upload"]

_DEFAULT_SHM_SIZE = DEFAULT_SHM_SIZE
_DEFAULT_ENVIRONMENT = "default-environment"


class ContainerRegistry(_container_registry.ContainerRegistry):
    """A registry with its account, under its name in v1's run configurations."""

    def __init__(self) -> None:
        super().__init__()


class AzureContainerRegistry(ContainerRegistry):
    """v1's old name of ContainerRegistry."""

    def __init__(self) -> None:
        super().__init__()


class EnvironmentDefinition(Environment):
    """v1's old name of Environment."""

    def __init__(self, name: Optional[str] = None) -> None:
        super().__init__(name)


class _AnyEnvironment:
    """Reads an environment, or a reference to a registered one."""

    @staticmethod
    def _from_document(document: Mapping[str, Any]) -> Section:
        kind = EnvironmentReference if set(document) <= {"name", "version"} else Environment
        section: Section = kind._from_document(document)
        return section


class RunConfiguration(Section):
    """How and where a script runs.

    Args:
        script: The script's path in the source folder.
        arguments: Its arguments.
        framework: Python, PySpark, CNTK, TensorFlow or PyTorch.
        communicator: None, ParameterServer, OpenMpi, IntelMpi, ParallelTask, Nccl or Gloo, as text.
        conda_dependencies: Packages for the environment.
        _history_enabled: Of v1's own use.
        _path: Of v1's own use.
        _name: Of v1's own use.
        command: A command instead of a script.

    Raises:
        UserErrorException: The packages are no CondaDependencies.
    """

    _fields = {
        "script": None,
        "arguments": None,
        "_target": None,
        "framework": None,
        "communicator": None,
        "max_run_duration_seconds": None,
        "node_count": None,
        "priority": None,
        "environment": _AnyEnvironment,
        "history": HistoryConfiguration,
        "spark": SparkConfiguration,
        "docker": DockerConfiguration,
        "hdi": HdiConfiguration,
        "tensorflow": TensorflowConfiguration,
        "mpi": MpiConfiguration,
        "pytorch": PyTorchConfiguration,
        "paralleltask": ParallelTaskConfiguration,
        "data_references": {"": DataReferenceConfiguration},
        "data": {"": Data},
        "datacaches": [DatacacheConfiguration],
        "output_data": {"": OutputData},
        "source_directory_data_store": None,
        "amlcompute": AmlComputeConfiguration,
        "auto_cluster_compute_specification": None,
        "kubernetescompute": KubernetesComputeConfiguration,
        "credential_passthrough": None,
        "command": None,
        "_environment_variables": None,
        "services": {"": ApplicationEndpointConfiguration},
    }
    _keys = {"services": "applicationEndpoints"}

    def __init__(
        self,
        script: Optional[str] = None,
        arguments: Optional[List[Any]] = None,
        framework: Optional[str] = None,
        communicator: Optional[str] = None,
        conda_dependencies: Optional[CondaDependencies] = None,
        _history_enabled: Optional[bool] = None,
        _path: Optional[str] = None,
        _name: Optional[str] = None,
        command: Any = None,
    ) -> None:
        self.script = script
        self.arguments: Any = arguments if arguments is not None else []
        self.command: Any = command if command is not None else ""
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self._target: Any = LOCAL_RUNCONFIG_NAME
        self._environment_variables: Dict[str, str] = {}
        self._auto_prepare_environment = True
        self._path, self._name = _path, _name
        self._comments: Dict[Any, Any] = {}
        self._set_sections()
        self._set_data()
        if conda_dependencies is not None:
            check_conda_dependencies("conda_dependencies", conda_dependencies)
            self.environment.python.conda_dependencies = conda_dependencies
        if _history_enabled is False:
            self.history.output_collection = False

    def _set_sections(self) -> None:
        self.environment: Any = Environment(_DEFAULT_ENVIRONMENT)
        self.history = HistoryConfiguration()
        self.docker = DockerConfiguration()
        self.spark = SparkConfiguration()
        self.hdi = HdiConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.paralleltask = ParallelTaskConfiguration()
        self.amlcompute = AmlComputeConfiguration()
        self.kubernetescompute = KubernetesComputeConfiguration()

    def _set_data(self) -> None:
        self.node_count = 1
        self.max_run_duration_seconds: Optional[int] = None
        self.priority: Optional[int] = None
        self.data_references: Dict[str, Any] = {}
        self.data: Dict[str, Any] = {}
        self.output_data: Dict[str, Any] = {}
        self.datacaches: List[Any] = []
        self.services: Dict[str, Any] = {}
        self.source_directory_data_store: Optional[str] = None
        self.auto_cluster_compute_specification: Any = None
        self.credential_passthrough = False

    @property
    def target(self) -> Any:
        """The compute target's name. Set it to a name or to a compute target."""
        return self._target

    @target.setter
    def target(self, target: Any) -> None:
        name = target if target is None or isinstance(target, str) else getattr(target, "name", None)
        if target is not None and not isinstance(name, str):
            raise UserErrorException(f"target must be a compute target or its name, not {type(target).__name__}.")
        if name == "amlcompute":
            deprecated("The target 'amlcompute' (a cluster for one run) is deprecated in SDK v1; create an AmlCompute and name it.")
        self._target = name

    @property
    def environment_variables(self) -> Dict[str, str]:
        """Variables that the script sees."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, environment_variables: Dict[str, str]) -> None:
        self._environment_variables = environment_variables

    @property
    def auto_prepare_environment(self) -> bool:
        """Whether to build the environment (deprecated; without effect)."""
        return self._auto_prepare_environment

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, auto_prepare_environment: bool) -> None:
        deprecated("auto_prepare_environment is deprecated in SDK v1 and has no effect.")
        self._auto_prepare_environment = auto_prepare_environment

    def save(self, path: Optional[str] = None, name: Optional[str] = None, separate_environment_yaml: bool = False) -> None:
        """Write this configuration to a file.

        Args:
            path: A file; or a folder, whose `.azureml` folder gets the file. By default where it was loaded from.
            name: The file's name in a folder, taken as it is.
            separate_environment_yaml: Write the environment to `environment.yml` beside it.

        Raises:
            UserErrorException: A folder, and no name.
        """
        from azureml.core._run_config_files import save_run_config

        save_run_config(self, path, name, separate_environment_yaml)

    @staticmethod
    def load(path: str, name: Optional[str] = None) -> RunConfiguration:
        """Return the configuration in a file, or in a folder under a name.

        Raises:
            UserErrorException: There is no such file, or it is no run configuration.
        """
        from azureml.core._run_config_files import load_run_config

        return load_run_config(path, name)

    @staticmethod
    def delete(path: str, name: str) -> None:
        """Remove a configuration from a folder.

        Raises:
            UserErrorException: There is no such configuration.
        """
        from azureml.core._run_config_files import delete_run_config

        delete_run_config(path, name)

    def _to_document(self, keep_secrets: bool = False) -> Document:
        import copy

        shown = copy.copy(self)
        object.__setattr__(shown, "data", {key: _as_data(value) for key, value in (self.data or {}).items()})
        object.__setattr__(shown, "output_data", {key: _as_output(value) for key, value in (self.output_data or {}).items()})
        object.__setattr__(shown, "data_references", {key: _as_reference(item) for key, item in (self.data_references or {}).items()})
        return super(RunConfiguration, shown)._to_document(keep_secrets)


def to_document(run_config: RunConfiguration) -> Dict[str, Any]:
    """Return the camelCase document of a run configuration, its environment and conda packages inlined, secrets left out."""
    return run_config._to_document()


def from_document(document: Mapping[str, Any]) -> RunConfiguration:
    """Return the run configuration that a document describes; what it leaves out has its default."""
    run_config: RunConfiguration = RunConfiguration._from_document(document)
    return run_config


def _as_data(value: Any) -> Any:
    is_consumed = hasattr(value, "dataset") and hasattr(value, "mode")
    return Data.create(value) if is_consumed else value


def _as_output(value: Any) -> Any:
    return value._to_output_data() if hasattr(value, "_to_output_data") else value


def _as_reference(value: Any) -> Any:
    return value.to_config() if hasattr(value, "to_config") else value
