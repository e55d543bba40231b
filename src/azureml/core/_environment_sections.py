"""The sections of an environment: Python, docker, Spark and R. All of them are kept; steps run on an interpreter."""

from __future__ import annotations

import os
from typing import Any, List, Optional

from azureml.core._deprecation import deprecated, note
from azureml.core._section import Section
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry
from azureml.exceptions import UserErrorException

# Names of the shape that v1's image names have; they mean "no particular image".
DEFAULT_CPU_IMAGE = "openmpi4.1.0-ubuntu22.04"
DEFAULT_GPU_IMAGE = "openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"

DEFAULT_SHM_SIZE = "2g"

_RUN_TIME = "It belongs to the run now: RunConfiguration.docker, a DockerConfiguration, has it."


class DockerImagePlatform(Section):
    """The operating system and the architecture of an image."""

    _fields = {"os": None, "architecture": None}

    def __init__(self) -> None:
        self.os = "Linux"
        self.architecture = "amd64"


class DockerBuildContext(Section):
    """A folder with a Dockerfile, from which an image would be built."""

    _fields = {"location_type": None, "location": None, "dockerfile_path": None}

    def __init__(self, location_type: Optional[str] = None, location: Optional[str] = None, dockerfile_path: str = "Dockerfile") -> None:
        self.location_type = location_type
        self.location = location
        self.dockerfile_path = dockerfile_path

    @staticmethod
    def from_local_directory(workspace: Any, path: str, dockerfile_path: str = "Dockerfile") -> DockerBuildContext:
        """Return the build context of a local folder; nothing is copied.

        Raises:
            UserErrorException: The folder has no such Dockerfile.
        """
        folder = os.path.abspath(path)
        if not os.path.isfile(os.path.join(folder, dockerfile_path)):
            raise UserErrorException(f"There is no Dockerfile '{dockerfile_path}' in '{folder}'.")
        return DockerBuildContext("LocalDirectory", folder, dockerfile_path)


class DockerSection(Section):
    """The image of an environment: `base_image`, `base_dockerfile` or `build_context`; setting one clears the others."""

    _fields = {
        "_enabled": None,
        "_base_image": None,
        "_base_dockerfile": None,
        "_build_context": DockerBuildContext,
        "_shared_volumes": None,
        "_shm_size": None,
        "_arguments": None,
        "base_image_registry": ContainerRegistry,
        "platform": DockerImagePlatform,
    }

    def __init__(self, **kwargs: Any) -> None:
        bare = kwargs.pop("_skip_defaults", False)
        self._enabled = False
        self._base_image: Optional[str] = None if bare else DEFAULT_CPU_IMAGE
        self._base_dockerfile: Optional[str] = None
        self._build_context: Optional[DockerBuildContext] = None
        self._shared_volumes = True
        self._shm_size: Optional[str] = DEFAULT_SHM_SIZE
        self._arguments: List[str] = []
        self._gpu_support = False
        self.base_image_registry = ContainerRegistry()
        self.platform = DockerImagePlatform()

    def _choose(self, name: str, value: Any) -> None:
        if value is not None:
            for other in {"_base_image", "_base_dockerfile", "_build_context"} - {name}:
                if getattr(self, other) not in (None, DEFAULT_CPU_IMAGE):
                    note(f"{other[1:]} is cleared, because {name[1:]} was set.")
                object.__setattr__(self, other, None)
        object.__setattr__(self, name, value)

    @property
    def base_image(self) -> Optional[str]:
        """The name of the image, or None."""
        return self._base_image

    @base_image.setter
    def base_image(self, base_image: Optional[str]) -> None:
        self._choose("_base_image", base_image)

    @property
    def base_dockerfile(self) -> Optional[str]:
        """The text of a Dockerfile, or None. Set it to text, to the path of a file, or to an open file."""
        return self._base_dockerfile

    @base_dockerfile.setter
    def base_dockerfile(self, value: Any) -> None:
        self._choose("_base_dockerfile", _dockerfile_text(value))

    @property
    def build_context(self) -> Optional[DockerBuildContext]:
        """The folder to build from, or None."""
        return self._build_context

    @build_context.setter
    def build_context(self, build_context: Optional[DockerBuildContext]) -> None:
        if build_context is not None and not isinstance(build_context, DockerBuildContext):
            raise UserErrorException(f"build_context must be a DockerBuildContext, not {type(build_context).__name__}.")
        self._choose("_build_context", build_context)

    @property
    def enabled(self) -> bool:
        """Whether to run in a container, where the service is set up for that (deprecated)."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        deprecated(f"environment.docker.enabled is deprecated in SDK v1. {_RUN_TIME}")
        self._enabled = enabled

    @property
    def gpu_support(self) -> bool:
        """Whether the container sees GPUs (deprecated; without effect here)."""
        return self._gpu_support

    @gpu_support.setter
    def gpu_support(self, value: bool) -> None:
        deprecated("environment.docker.gpu_support is deprecated in SDK v1; a GPU that is there can be used.")
        self._gpu_support = value

    @property
    def shared_volumes(self) -> bool:
        """Whether the container shares volumes (deprecated; without effect here)."""
        return self._shared_volumes

    @shared_volumes.setter
    def shared_volumes(self, shared_volumes: bool) -> None:
        deprecated(f"environment.docker.shared_volumes is deprecated in SDK v1. {_RUN_TIME}")
        self._shared_volumes = shared_volumes

    @property
    def arguments(self) -> List[str]:
        """Arguments of the container's start (deprecated)."""
        return self._arguments

    @arguments.setter
    def arguments(self, value: List[str]) -> None:
        deprecated(f"environment.docker.arguments is deprecated in SDK v1. {_RUN_TIME}")
        self._arguments = value

    @property
    def shm_size(self) -> Optional[str]:
        """The container's shared memory (deprecated)."""
        return self._shm_size

    @shm_size.setter
    def shm_size(self, shm_size: Optional[str]) -> None:
        deprecated(f"environment.docker.shm_size is deprecated in SDK v1. {_RUN_TIME}")
        self._shm_size = shm_size


def _dockerfile_text(value: Any) -> Optional[str]:
    if value is None:
        return None
    if hasattr(value, "read"):
        text = value.read()
        return text.decode("utf-8") if isinstance(text, bytes) else str(text)
    text = os.fspath(value)
    if "\n" not in text and os.path.isfile(text):
        with open(text, encoding="utf-8") as stream:
            return stream.read()
    return str(text)


class DockerEnvironment(DockerSection):
    """v1's old name of DockerSection."""

    def __init__(self) -> None:
        super().__init__()


class PythonSection(Section):
    """The Python of an environment: its packages, or the interpreter to use as it is."""

    _fields = {
        "user_managed_dependencies": None,
        "interpreter_path": None,
        "_conda_dependencies_file": None,
        "_base_conda_environment": None,
        "conda_dependencies": CondaDependencies,
    }

    def __init__(self, **kwargs: Any) -> None:
        bare = kwargs.pop("_skip_defaults", False)
        self.user_managed_dependencies = False
        self.interpreter_path = "python"
        self._conda_dependencies_file: Optional[str] = None
        self._base_conda_environment: Optional[str] = None
        self.conda_dependencies: Optional[CondaDependencies] = None if bare else CondaDependencies()

    @property
    def conda_dependencies_file(self) -> Optional[str]:
        """The conda specification's file (deprecated: set `conda_dependencies`)."""
        return self._conda_dependencies_file

    @conda_dependencies_file.setter
    def conda_dependencies_file(self, conda_dependencies_file: Optional[str]) -> None:
        deprecated("conda_dependencies_file is deprecated in SDK v1; set conda_dependencies = CondaDependencies(path).")
        if conda_dependencies_file is not None and os.path.isfile(conda_dependencies_file):
            self.conda_dependencies = CondaDependencies(conda_dependencies_file)
        self._conda_dependencies_file = conda_dependencies_file


class PythonEnvironment(PythonSection):
    """v1's old name of PythonSection."""

    def __init__(self) -> None:
        super().__init__()


class SparkPackage(Section):
    """A Maven package for Spark."""

    _fields = {"group": None, "artifact": None, "version": None}

    def __init__(self, group: Optional[str] = None, artifact: Optional[str] = None, version: Optional[str] = None) -> None:
        self.group = group
        self.artifact = artifact
        self.version = version


class SparkSection(Section):
    """The packages that an environment asks of Spark."""

    _fields = {"repositories": None, "packages": [SparkPackage], "precache_packages": None}

    def __init__(self, **kwargs: Any) -> None:
        self.repositories: List[str] = []
        self.packages: List[SparkPackage] = []
        self.precache_packages = True


class SparkEnvironment(SparkSection):
    """v1's old name of SparkSection."""

    def __init__(self) -> None:
        super().__init__()


class RCranPackage(Section):
    """A package of CRAN."""

    _fields = {"name": None, "version": None, "repository": None}

    def __init__(self) -> None:
        self.name: Optional[str] = None
        self.version: Optional[str] = None
        self.repository: Optional[str] = None


class RGitHubPackage(Section):
    """An R package from a source repository."""

    _fields = {"repository": None, "auth_token": None}
    _secrets = frozenset({"auth_token"})

    def __init__(self) -> None:
        self.repository: Optional[str] = None
        self.auth_token: Optional[str] = None


class RSection(Section):
    """The R of an environment."""

    _fields = {
        "r_version": None,
        "user_managed": None,
        "rscript_path": None,
        "snapshot_date": None,
        "cran_packages": [RCranPackage],
        "github_packages": [RGitHubPackage],
        "custom_url_packages": None,
        "bioconductor_packages": None,
    }

    def __init__(self) -> None:
        self.r_version: Optional[str] = None
        self.user_managed = False
        self.rscript_path: Optional[str] = None
        self.snapshot_date: Optional[str] = None
        self.cran_packages: List[RCranPackage] = []
        self.github_packages: List[RGitHubPackage] = []
        self.custom_url_packages: List[str] = []
        self.bioconductor_packages: List[str] = []
