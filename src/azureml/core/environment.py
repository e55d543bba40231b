"""Environments: what a step's Python needs. They are described, registered, and built where the interpreter at hand does not do."""

from __future__ import annotations

from typing import Any, Dict, List, NoReturn, Optional

from azureml.core._deprecation import deprecated, note
from azureml.core._environment_builds import DockerImageDetails, ImageBuildDetails, begin_build, describe_image
from azureml.core._environment_sections import (
    DEFAULT_CPU_IMAGE,
    DEFAULT_GPU_IMAGE,
    DockerBuildContext,
    DockerEnvironment,
    DockerImagePlatform,
    DockerSection,
    PythonEnvironment,
    PythonSection,
    RCranPackage,
    RGitHubPackage,
    RSection,
    SparkEnvironment,
    SparkPackage,
    SparkSection,
)
from azureml.core._errors import v1_errors
from azureml.core._refusal import not_built
from azureml.core._section import Document, Section
from azureml.core.conda_dependencies import PYTHON_DEFAULT_VERSION, CondaDependencies
from azureml.core.container_registry import ContainerRegistry
from azureml.core.databricks import DatabricksSection
from azureml.exceptions import UserErrorException

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "SDKVERSION",
    "CondaDependencies",
    "DockerBuildContext",
    "DockerEnvironment",
    "DockerImageDetails",
    "DockerImagePlatform",
    "DockerSection",
    "Environment",
    "EnvironmentReference",
    "ImageBuildDetails",
    "PythonEnvironment",
    "PythonSection",
    "RCranPackage",
    "RGitHubPackage",
    "RSection",
    "SparkEnvironment",
    "SparkPackage",
    "SparkSection",
]

SDKVERSION = "0.0"


class EnvironmentReference(Section):
    """A registered environment by name and version; None means the latest."""

    _fields = {"name": None, "version": None}

    def __init__(self, name: str, version: Optional[str] = None) -> None:
        self.name = name
        self.version = version

    @classmethod
    def _blank(cls) -> EnvironmentReference:
        return cls("")

    def get_environment(self, workspace: Any) -> Environment:
        """Return the environment itself."""
        return Environment.get(workspace, self.name, self.version)


class Environment(Section):
    """What a step's Python needs: packages, variables, and for the cloud an image.

    Args:
        name: The name to register it under.
        **kwargs: Of v1's own use.

    Raises:
        TypeError: The name is no text.
    """

    _fields = {
        "name": None,
        "version": None,
        "_environment_variables": None,
        "python": PythonSection,
        "docker": DockerSection,
        "spark": SparkSection,
        "databricks": DatabricksSection,
        "r": RSection,
        "inferencing_stack_version": None,
        "asset_id": None,
    }

    def __init__(self, name: Optional[str], **kwargs: Any) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"The name of an environment must be a str, not {type(name).__name__}.")
        bare = bool(kwargs.pop("_skip_defaults", False))
        self.name = name
        self.version: Optional[str] = None
        # v1 gives this variable to every new environment; it is kept in the object and not passed on to processes.
        self._environment_variables: Dict[str, str] = {} if bare else {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
        self.python = PythonSection(_skip_defaults=bare)
        self.docker = DockerSection(_skip_defaults=bare)
        self.spark = SparkSection(_skip_defaults=bare)
        self.databricks = DatabricksSection(_skip_defaults=bare)
        self.r: Optional[RSection] = None
        self.inferencing_stack_version: Optional[str] = None
        self.asset_id: Optional[str] = None

    @classmethod
    def _blank(cls) -> Any:
        return cls(name=None)

    @property
    def environment_variables(self) -> Dict[str, str]:
        """Variables that a process in this environment sees."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, environment_variables: Dict[str, str]) -> None:
        deprecated("Environment.environment_variables is deprecated in SDK v1; set RunConfiguration.environment_variables.")
        self._environment_variables = environment_variables

    # From files and names

    @staticmethod
    def from_conda_specification(name: str, file_path: str) -> Environment:
        """Return an environment with the packages of a conda specification.

        Raises:
            FileNotFoundError: There is no such file.
            UserErrorException: The file is not a conda specification.
        """
        environment = Environment(name)
        environment.python.conda_dependencies = _read_conda_specification(file_path)
        return environment

    @staticmethod
    def from_pip_requirements(name: str, file_path: str, pip_version: Optional[str] = None) -> Environment:
        """Return an environment with the packages of a pip requirements file.

        Comments and blank lines are left out, and `-r other.txt` is followed.

        Args:
            name: The environment's name.
            file_path: The requirements file.
            pip_version: The version of pip to use; the current one by default.

        Raises:
            FileNotFoundError: There is no such file.
        """
        from azureml.core._environment_files import read_requirements

        conda_dependencies = CondaDependencies()
        conda_dependencies.set_python_version(PYTHON_DEFAULT_VERSION)
        conda_dependencies.set_pip_requirements(read_requirements(file_path))
        conda_dependencies.add_conda_package(f"pip={pip_version}" if pip_version else "pip")
        environment = Environment(name)
        environment.python.conda_dependencies = conda_dependencies
        return environment

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: Optional[ContainerRegistry] = None,
        conda_specification: Optional[str] = None,
        pip_requirements: Optional[str] = None,
    ) -> Environment:
        """Return an environment with an image, and with a conda specification or pip requirements on top of it.

        Without either, the Python in the image is used as it is.

        Raises:
            UserErrorException: Both a conda specification and pip requirements are given.
        """
        environment = _with_packages(name, conda_specification, pip_requirements)
        environment.docker.base_image = image
        if container_registry is not None:
            environment.docker.base_image_registry = container_registry
        return environment

    @staticmethod
    def from_dockerfile(
        name: str, dockerfile: Any, conda_specification: Optional[str] = None, pip_requirements: Optional[str] = None
    ) -> Environment:
        """Return an environment with a Dockerfile, given as text, path or open file.

        Raises:
            UserErrorException: Both a conda specification and pip requirements are given.
        """
        environment = _with_packages(name, conda_specification, pip_requirements)
        environment.docker.base_dockerfile = dockerfile
        return environment

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: DockerBuildContext) -> Environment:
        """Return an environment with a folder to build an image from."""
        environment = _with_packages(name, None, None)
        environment.docker.build_context = docker_build_context
        return environment

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Optional[Environment]:
        """Return an environment with the packages of a conda environment on this machine.

        Returns:
            The environment, or None (and a warning) when conda or its environment is not there.
        """
        from azureml.core._environment_files import export_conda_environment

        document = export_conda_environment(conda_environment_name)
        if document is None:
            return None
        environment = Environment(name)
        environment.python.conda_dependencies = CondaDependencies._from_document(document)
        return environment

    @staticmethod
    def load_from_directory(path: str) -> Environment:
        """Return the environment that `save_to_directory` wrote.

        Raises:
            FileNotFoundError: The folder, or its environment file, is not there.
        """
        from azureml.core._environment_files import load_environment

        return load_environment(path)

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        """Write this environment to a folder, as readable files.

        Raises:
            FileExistsError: The folder is there, and `overwrite` is False.
        """
        from azureml.core._environment_files import save_environment

        save_environment(self, path, overwrite)

    def clone(self, new_name: str) -> Environment:
        """Return a copy under another name, not registered.

        Raises:
            UserErrorException: The name is empty.
        """
        import copy

        if not new_name:
            raise UserErrorException("A clone needs a name: clone('my-environment').")
        environment = copy.deepcopy(self)
        environment.name, environment.version, environment.asset_id = new_name, None, None
        return environment

    # In a workspace

    @staticmethod
    def get(workspace: Any, name: str, version: Optional[str] = None, label: Optional[str] = None) -> Environment:
        """Return a registered environment; without version and label, the latest.

        A ready-made `AzureML-...` name that is not registered gives an environment made from what its name says.

        Raises:
            UserErrorException: Both version and label are given.
            Exception: There is no such environment; the text has "Code: 404".
        """
        if version and label:
            raise UserErrorException("Give version or label, not both.")
        if label and label.lower() != "latest":
            raise _no_environment(f"The environment '{name}' has no label '{label}'.")
        return _find(workspace, name, version) or _make_curated(name, version)

    @staticmethod
    def list(workspace: Any) -> Dict[str, Environment]:
        """Return the latest of each environment by name, v1's ready-made ones included."""
        from azureml.core._curated import KNOWN_NAMES, make_curated

        with v1_errors():
            registered = [_from_record(record) for record in workspace._client.list_environments(workspace._id)]
        environments = {name: make_curated(name) for name in KNOWN_NAMES}
        environments.update((str(environment.name), environment) for environment in registered)
        return environments

    def register(self, workspace: Any) -> Environment:
        """Store this environment in a workspace, and return the stored copy with its version.

        The same content keeps its version; changed content gets the next one.

        Raises:
            UserErrorException: The name is missing, or is one of v1's ready-made names.
        """
        from azureml.core._curated import PREFIX, is_curated

        if is_curated(self.name):
            raise UserErrorException(f"Names that begin with '{PREFIX}' are v1's own. Register a copy: environment.clone('my-name').")
        if self.version:
            note(f"The environment '{self.name}' is registered under the version it already names, {self.version}.")
        return self._store(workspace)

    def _store(self, workspace: Any) -> Environment:
        if not self.name:
            raise UserErrorException("An environment needs a name to be registered: set environment.name.")
        definition = {key: value for key, value in self._to_document().items() if key not in ("version", "assetId")}
        with v1_errors():
            return _from_record(workspace._client.register_environment(workspace._id, self.name, definition, version=self.version))

    @staticmethod
    def label(workspace: Any, name: str, version: str, labels: List[str]) -> NoReturn:
        """Refuse: environments have no labels here."""
        raise not_built("Environment.label", "Name the version instead: Environment.get(workspace, name, version).")

    @staticmethod
    def add_private_pip_wheel(workspace: Any, file_path: str, exist_ok: bool = False) -> str:
        """Copy a wheel to the workspace's default datastore, and return its URL for pip.

        Raises:
            UserErrorException: The file is not there, or a wheel of this name is there and `exist_ok` is False.
        """
        from azureml.core._environment_files import store_wheel

        with v1_errors():
            datastore = workspace._client.get_default_datastore(workspace._id)
        return store_wheel(datastore, file_path, exist_ok)

    def build(self, workspace: Any, image_build_compute: Optional[str] = None) -> ImageBuildDetails:
        """Register this environment, and begin to build it on the service's machine; steps that ask for it find it ready.

        Args:
            workspace: Where it is registered.
            image_build_compute: Accepted and without effect: environments are built where the service runs.

        Returns:
            The build; its `wait_for_completion` waits for the end.

        Raises:
            UserErrorException: The name is missing.
        """
        registered = self._store(workspace)
        return begin_build(workspace, str(registered.name), str(registered.version))

    def build_local(self, workspace: Any, platform: Optional[DockerImagePlatform] = None, **kwargs: Any) -> str:
        """Build this environment, print the build's log as it grows, and return the log.

        Args:
            workspace: Where it is registered.
            platform: Accepted and without effect: it is built for this machine.
            **kwargs: `useDocker` and `pushImageToWorkspaceAcr` are v1's; no image is made here.

        Raises:
            ActivityFailedException: The build failed.
        """
        if kwargs.get("useDocker") or kwargs.get("pushImageToWorkspaceAcr"):
            note("No image is made: the environment becomes a folder of the service's machine.")
        details = self.build(workspace)
        details.wait_for_completion(show_output=True)
        return details.get_log()

    def get_image_details(self, workspace: Any) -> DockerImageDetails:
        """Return what is known of this environment's build: a dictionary with properties. There is never an image.

        Raises:
            Exception: The environment is not registered; the text has "Code: 404".
        """
        registered = _find(workspace, str(self.name), self.version)
        return describe_image(workspace, registered or self)

    def __repr__(self) -> str:
        import json

        return json.dumps(self._to_document(), indent=4, sort_keys=True)

    def __str__(self) -> str:
        return f"Environment(Name: {self.name},\nVersion: {self.version})"


def _read_conda_specification(file_path: str) -> CondaDependencies:
    conda_dependencies = CondaDependencies(file_path)
    if not any(package.partition("=")[0].strip("<>!~ ") == "python" for package in conda_dependencies.conda_packages):
        note(f"'{file_path}' names no Python version; python={PYTHON_DEFAULT_VERSION} is added.")
        conda_dependencies.set_python_version(PYTHON_DEFAULT_VERSION)
    return conda_dependencies


def _with_packages(name: str, conda_specification: Optional[str], pip_requirements: Optional[str]) -> Environment:
    if conda_specification and pip_requirements:
        raise UserErrorException("Give conda_specification or pip_requirements, not both.")
    if conda_specification:
        return Environment.from_conda_specification(name, conda_specification)
    if pip_requirements:
        return Environment.from_pip_requirements(name, pip_requirements)
    environment = Environment(name)
    environment.python.user_managed_dependencies = True
    return environment


def _from_record(record: Document) -> Environment:
    environment: Environment = Environment._from_document(record["definition"])
    environment.name, environment.version = record["name"], str(record["version"])
    return environment


def _find(workspace: Any, name: str, version: Optional[str]) -> Optional[Environment]:
    """Return the registered environment; None for a ready-made name that is not registered."""
    from azureml.core._curated import is_curated
    from penstock.model.errors import NotFound

    with v1_errors():
        try:
            return _from_record(workspace._client.get_environment(workspace._id, name, version=None if version is None else str(version)))
        except NotFound as error:
            if is_curated(name):
                return None
            raise _no_environment(error.message) from error


def _make_curated(name: str, version: Optional[str]) -> Environment:
    from azureml.core._curated import make_curated

    note(f"'{name}' is one of v1's ready-made environments; here it is made from what its name says, and no image is behind it.")
    return make_curated(name, version)


def _no_environment(message: str) -> Exception:
    return Exception(f"The environment can't be fetched. Code: 404\n{message} Register one with Environment(name).register(workspace).")
