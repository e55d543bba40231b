"""The conda and pip packages of an environment: `CondaDependencies` and the words of a conda specification."""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from azureml.exceptions import UserErrorException

CHANNELS = "channels"
PACKAGES = "dependencies"
PIP = "pip"
PYTHON_PREFIX = "python"
CONDA_FILE_NAME = "auto_conda_dependencies.yml"
BASE_PROJECT_MODULE = "azureml._project"
BASE_PROJECT_FILE_RELATIVE_PATH = "base_project_files/conda_dependencies.yml"
PYTHON_DEFAULT_VERSION = "3.10.18"
LINUX_PLATFORM = "linux"
WINDOWS_PLATFORM = "win32"
CPU = "cpu"
GPU = "gpu"
TENSORFLOW_DEFAULT_VERSION = "2.2.0"
TENSORFLOW_PACKAGE_PREFIX = "tensorflow"
PYTORCH_DEFAULT_VERSION = "1.6.0"
PYTORCH_PACKAGE_PREFIX = "torch"
TORCHVISION_DEFAULT_VERSION = "0.7.0"
TORCHVISION_PACKAGE_PREFIX = "torchvision"
CNTK_DEFAULT_VERSION = "2.7"
CNTK_PACKAGE_PREFIX = "cntk"
CHAINER_PACKAGE_PREFIX = "chainer"
DEFAULT_CHAINER_VERSION = "7.7.0"
CUPY_DEFAULT_VERSION = "cupy-cuda102"
HOROVOD_DEFAULT_VERSION = "0.19.5"
# The index that pip is set up to use is the one that counts; none is named here.
DEFAULT_SDK_ORIGIN = ""
INVALID_PATHON_MESSAGE = "A conda specification needs a Python version: call set_python_version('3.10') before it is saved."
VERSION_REGEX = re.compile(r"(\d+)\.(\d+)(\.\d+)?$")

_ALLOWED_KEYS = ("name", CHANNELS, PACKAGES, "prefix", "variables")
# A name, its extras, and then a version, a marker or an address. A bare address or path has no name.
_NAMED = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*(?:[@<>=!~;\s]|$)")
_FOLDER = ".azureml"


def _default_document() -> Dict[str, Any]:
    return {
        "name": "project_environment",
        PACKAGES: ["python=3.8.13", {PIP: ["azureml-defaults"]}],
        CHANNELS: ["anaconda", "conda-forge"],
    }


class CondaDependencies:
    """The packages of an environment, in the words of a conda specification.

    Args:
        conda_dependencies_file_path: A conda specification to read; without one, v1's default content.

    Raises:
        FileNotFoundError: There is no such file.
        UserErrorException: The file is not a conda specification.
    """

    DEFAULT_NUMBER_OF_CONDA_PACKAGES: ClassVar[int] = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES: ClassVar[int] = 0

    def __init__(
        self, conda_dependencies_file_path: Optional[str] = None, _underlying_structure: Optional[Mapping[str, Any]] = None
    ) -> None:
        if conda_dependencies_file_path and _underlying_structure:
            raise UserErrorException("Give a file or a structure, not both.")
        if conda_dependencies_file_path:
            document = _read_file(conda_dependencies_file_path)
        else:
            document = _checked(_underlying_structure, "the structure") if _underlying_structure else _default_document()
        self._document = document

    @classmethod
    def _from_document(cls, document: Mapping[str, Any]) -> CondaDependencies:
        return cls(_underlying_structure=document) if document else cls._empty()

    @classmethod
    def _empty(cls) -> CondaDependencies:
        result = cls()
        result._document = {PACKAGES: []}
        return result

    def _to_document(self) -> Dict[str, Any]:
        return self.as_dict()

    @staticmethod
    def create(
        pip_indexurl: Optional[str] = None,
        pip_packages: Optional[List[str]] = None,
        conda_packages: Optional[List[str]] = None,
        python_version: str = PYTHON_DEFAULT_VERSION,
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """Return dependencies made of packages.

        Args:
            pip_indexurl: An index for pip to use instead of its own.
            pip_packages: Packages for pip; without them, `azureml-defaults`.
            conda_packages: Packages for conda; a `python=...` among them sets the Python version.
            python_version: The Python version.
            pin_sdk_version: Accepted and without effect: `azureml-*` packages always mean this Penstock.
        """
        result = CondaDependencies()
        result.set_python_version(python_version)
        if pip_packages is not None:
            result.set_pip_requirements(_as_list(pip_packages, "pip_packages"))
        if pip_indexurl:
            result.set_pip_index_url(pip_indexurl)
        for package in _as_list(conda_packages or [], "conda_packages"):
            result.add_conda_package(package)
        return result

    # What is there

    @property
    def conda_channels(self) -> Iterator[str]:
        """The channels, one after the other."""
        return iter(list(self._document.get(CHANNELS) or ()))

    @property
    def conda_packages(self) -> Iterator[str]:
        """The packages for conda, python among them, one after the other."""
        return iter([item for item in self._packages() if isinstance(item, str)])

    @property
    def pip_packages(self) -> Iterator[str]:
        """The packages for pip, one after the other."""
        return iter([item for item in self._pip_lines() if not item.startswith("-")])

    @property
    def pip_options(self) -> Iterator[str]:
        """The options for pip, one after the other."""
        return iter([item for item in self._pip_lines() if item.startswith("-")])

    def get_default_number_of_packages(self) -> Tuple[int, int]:
        """Return how many packages a new object has beyond v1's own: none for conda, none for pip."""
        return self.DEFAULT_NUMBER_OF_CONDA_PACKAGES, self.DEFAULT_NUMBER_OF_PIP_PACKAGES

    def get_python_version(self) -> Optional[str]:
        """Return the Python version, or None when none is asked for."""
        for package in self.conda_packages:
            if _base_name(package) == PYTHON_PREFIX:
                return _version_of(package)
        return None

    @staticmethod
    def sdk_origin_url() -> str:
        """Return the index of v1's SDK: empty, because pip's own settings say where packages come from."""
        return DEFAULT_SDK_ORIGIN

    # Changes

    def add_channel(self, channel: str) -> None:
        """Add a channel, unless it is there."""
        channels = self._document.setdefault(CHANNELS, [])
        if channel not in channels:
            channels.append(channel)

    def remove_channel(self, channel: str) -> None:
        """Remove a channel, if it is there."""
        channels = self._document.get(CHANNELS) or []
        if channel in channels:
            channels.remove(channel)

    def set_python_version(self, version: str) -> None:
        """Ask for a Python version."""
        text = f"{PYTHON_PREFIX}={version}"
        packages = self._packages()
        for position, package in enumerate(packages):
            if isinstance(package, str) and _base_name(package) == PYTHON_PREFIX:
                packages[position] = text
                return
        packages.insert(0, text)

    def add_conda_package(self, conda_package: str) -> None:
        """Add a package for conda, instead of one of the same name; `python=...` sets the Python version."""
        _replace(self._packages(), conda_package)

    def remove_conda_package(self, conda_package: str) -> None:
        """Remove a package for conda by name.

        Raises:
            UserErrorException: The package is python, which every specification needs.
        """
        name = _base_name(conda_package)
        if name == PYTHON_PREFIX:
            raise UserErrorException("Python can't be removed; set another version with set_python_version.")
        packages = self._packages()
        packages[:] = [item for item in packages if not isinstance(item, str) or _base_name(item) != name]

    def add_pip_package(self, pip_package: str) -> None:
        """Add a package for pip, instead of one of the same name.

        Raises:
            UserErrorException: It is an option (set_pip_option takes those).
        """
        if pip_package.strip().startswith("-"):
            raise UserErrorException(f"'{pip_package}' is an option of pip, not a package; use set_pip_option.")
        _replace(self._pip_lines(make=True), pip_package)

    def remove_pip_package(self, pip_package: str) -> None:
        """Remove a package for pip by name."""
        name, lines = _base_name(pip_package), self._pip_lines()
        lines[:] = [item for item in lines if item.startswith("-") or _base_name(item) != name]

    def set_pip_requirements(self, pip_requirements: List[str]) -> None:
        """Replace all that pip gets, options included, by the lines of a requirements file."""
        lines = self._pip_lines(make=True)
        lines[:] = [str(line) for line in pip_requirements]

    def set_pip_option(self, pip_option: str) -> None:
        """Give pip an option, instead of one of the same name (such as `--pre`)."""
        self.remove_pip_option(pip_option)
        self._pip_lines(make=True).insert(0, pip_option)

    def remove_pip_option(self, pip_option: str) -> None:
        """Remove an option for pip by its name."""
        name, lines = _option_name(pip_option), self._pip_lines()
        lines[:] = [item for item in lines if not item.startswith("-") or _option_name(item) != name]

    def set_pip_index_url(self, index_url: str) -> None:
        """Let pip use this index."""
        self.set_pip_option(index_url if index_url.startswith("-") else f"--index-url {index_url}")

    def add_tensorflow_conda_package(self, core_type: str = CPU, version: Optional[str] = None) -> None:
        """Add TensorFlow for conda; `core_type` is cpu or gpu."""
        name = _for_cores(TENSORFLOW_PACKAGE_PREFIX, core_type)
        self.add_conda_package(f"{name}={version or TENSORFLOW_DEFAULT_VERSION}")

    def add_tensorflow_pip_package(self, core_type: str = CPU, version: Optional[str] = None) -> None:
        """Add TensorFlow for pip; `core_type` is cpu or gpu."""
        name = _for_cores(TENSORFLOW_PACKAGE_PREFIX, core_type)
        self.remove_pip_package(TENSORFLOW_PACKAGE_PREFIX)
        self.remove_pip_package(f"{TENSORFLOW_PACKAGE_PREFIX}-gpu")
        self.add_pip_package(f"{name}=={version or TENSORFLOW_DEFAULT_VERSION}")

    def add_cntk_package(self, core_type: str = CPU) -> None:
        """Add CNTK for pip; `core_type` is cpu or gpu."""
        self.add_pip_package(f"{_for_cores(CNTK_PACKAGE_PREFIX, core_type)}=={CNTK_DEFAULT_VERSION}")

    @staticmethod
    def merge_requirements(requirements: List[str]) -> List[str]:
        """Return one requirement for each package, with the version conditions of all that name it."""
        merged: Dict[str, Tuple[str, List[str]]] = {}
        for requirement in requirements:
            head = re.split(r"[<>=!~]", requirement, maxsplit=1)[0]
            conditions = merged.setdefault(head.strip().lower(), (head.strip(), []))[1]
            conditions.extend(item.strip() for item in requirement[len(head) :].split(",") if item.strip())
        return [head + ",".join(dict.fromkeys(conditions)) for head, conditions in merged.values()]

    # Text and files

    def as_dict(self) -> Dict[str, Any]:
        """Return the conda specification as a plain dictionary of its own."""
        return _copied(self._document)  # type: ignore[no-any-return]

    def serialize_to_string(self) -> str:
        """Return the conda specification as YAML text."""
        from azureml.core._yaml_text import format_yaml

        return format_yaml(self.as_dict())

    def save_to_file(self, base_directory: str, conda_file_path: Optional[str] = None) -> str:
        """Write the conda specification below a folder.

        Args:
            base_directory: The folder.
            conda_file_path: Where in it; `.azureml/auto_conda_dependencies.yml` by default.

        Returns:
            The path relative to `base_directory`.

        Raises:
            UserErrorException: No Python version is asked for.
        """
        relative = conda_file_path or os.path.join(_FOLDER, CONDA_FILE_NAME)
        self._write(os.path.join(base_directory, relative))
        return relative

    def save(self, path: Optional[str] = None) -> str:
        """Write the conda specification to a file (`conda_dependencies.yml` here by default); return its path.

        Raises:
            UserErrorException: The path is a folder, or no Python version is asked for.
        """
        target = path or os.path.join(os.getcwd(), "conda_dependencies.yml")
        if os.path.isdir(target):
            raise UserErrorException(f"'{target}' is a folder; give the path of a file in it.")
        self._write(target)
        return target

    def _write(self, target: str) -> None:
        if not any(_base_name(package) == PYTHON_PREFIX for package in self.conda_packages):
            raise UserErrorException(INVALID_PATHON_MESSAGE)
        text = self.serialize_to_string()
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        with open(target, "w", encoding="utf-8") as stream:
            stream.write(text)

    # The parts of the document

    def _packages(self) -> List[Any]:
        packages: List[Any] = self._document.setdefault(PACKAGES, [])
        return packages

    def _pip_lines(self, make: bool = False) -> List[str]:
        for item in self._packages():
            if isinstance(item, dict) and PIP in item:
                lines: List[str] = item[PIP]
                return lines
        lines = []
        if make:
            self._packages().append({PIP: lines})
        return lines

    def __repr__(self) -> str:
        return f"CondaDependencies({self.as_dict()})"


def _read_file(path: str) -> Dict[str, Any]:
    from azureml.core._yaml_text import parse_yaml, read_text

    return _checked(parse_yaml(read_text(path), path), f"'{path}'")


def _checked(document: Any, where: str) -> Dict[str, Any]:
    if not isinstance(document, Mapping):
        raise UserErrorException(f"A conda specification is a mapping with 'dependencies'; {where} is not one.")
    unknown = [str(key) for key in document if key not in _ALLOWED_KEYS]
    if unknown:
        raise UserErrorException(
            f"{where} has keys that no conda specification has: {', '.join(unknown)}. Known: {', '.join(_ALLOWED_KEYS)}."
        )
    copy: Dict[str, Any] = _copied(document)
    packages = copy.get(PACKAGES) or []
    if not isinstance(packages, list):
        raise UserErrorException(f"'dependencies' of {where} must be a list.")
    copy[PACKAGES] = [_checked_package(item, where) for item in packages]
    return copy


def _checked_package(item: Any, where: str) -> Any:
    if not isinstance(item, dict):
        return str(item)
    if list(item) != [PIP]:
        raise UserErrorException(f"'dependencies' of {where} holds {item}; only packages and one 'pip' list can stand there.")
    return {PIP: [str(line) for line in item[PIP] or []]}


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, (list, tuple)) else value


def _as_list(packages: Iterable[str], name: str) -> List[str]:
    if isinstance(packages, str):
        raise UserErrorException(f"{name} must be a list of packages, not one text: ['{packages}'].")
    return [str(package) for package in packages]


def _base_name(package: str) -> str:
    """Return a package's bare name, spelled as pip compares names."""
    text = package.rpartition("::")[2].strip()
    found = _NAMED.match(text)
    return re.sub(r"[-_.]+", "-", found.group(1)).lower() if found else text


def _version_of(package: str) -> Optional[str]:
    return package.rpartition("::")[2].strip()[len(PYTHON_PREFIX) :].lstrip(" =") or None


def _option_name(option: str) -> str:
    return re.split(r"[\s=]", option.strip(), maxsplit=1)[0]


def _replace(lines: List[Any], package: str) -> None:
    name = _base_name(package)
    for position, item in enumerate(lines):
        if isinstance(item, str) and not item.startswith("-") and _base_name(item) == name:
            lines[position] = package
            return
    lines.append(package)


def _for_cores(name: str, core_type: str) -> str:
    if core_type not in (CPU, GPU):
        raise UserErrorException(f"core_type must be '{CPU}' or '{GPU}', not '{core_type}'.")
    return name if core_type == CPU else f"{name}-gpu"
