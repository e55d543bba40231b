"""The environment of an estimator: packages, image and variables, put together from its many arguments."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Sequence

from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry
from azureml.core.environment import Environment
from azureml.exceptions import TrainingException

# With an environment of one's own, these can't be given: v1 would have to merge the two.
EXCLUDED = (
    "conda_packages",
    "pip_packages",
    "conda_dependencies_file_path",
    "pip_requirements_file_path",
    "conda_dependencies_file",
    "pip_requirements_file",
    "custom_docker_base_image",
    "custom_docker_image",
    "image_registry_details",
    "user_managed",
)


def make_environment(owner: str, folder: str, given: Mapping[str, Any], framework: Sequence[str]) -> Environment:
    """Return the environment that an estimator's arguments describe.

    Args:
        owner: The estimator's name, for messages.
        folder: The source folder, in which files of packages are looked for first.
        given: The estimator's arguments.
        framework: What the framework itself needs, as pip takes it.

    Raises:
        TrainingException: Arguments exclude each other, or one has a wrong type.
        FileNotFoundError: A file of packages is not there.
    """
    whole = given["environment_definition"]
    if whole is not None:
        return _check_whole(owner, whole, given)
    environment = Environment(f"{owner}-environment")
    environment.python.user_managed_dependencies = bool(given["user_managed"])
    environment.python.conda_dependencies = _conda(owner, folder, given, framework)
    _set_image(owner, environment, given)
    return environment


def _check_whole(owner: str, whole: Any, given: Mapping[str, Any]) -> Environment:
    if not isinstance(whole, Environment):
        raise TrainingException(f"{owner}: environment_definition must be an Environment, not a {type(whole).__name__}.")
    others = [name for name in EXCLUDED if given[name]]
    if others:
        raise TrainingException(f"{owner}: environment_definition replaces {', '.join(others)}. Put them into the environment.")
    return whole


def _conda(owner: str, folder: str, given: Mapping[str, Any], framework: Sequence[str]) -> CondaDependencies:
    from azureml.core._environment_files import read_requirements

    conda_file = _one_of(owner, given, "conda_dependencies_file", "conda_dependencies_file_path")
    pip_file = _one_of(owner, given, "pip_requirements_file", "pip_requirements_file_path")
    found = CondaDependencies(_find(folder, conda_file)) if conda_file else CondaDependencies()
    lines = read_requirements(_find(folder, pip_file)) if pip_file else []
    # The last of two lines for one package counts, so a script's own choice wins over the framework's.
    for line in (*framework, *lines, *_texts(owner, "pip_packages", given)):
        if line.startswith("-"):
            found.set_pip_option(line)
        else:
            found.add_pip_package(line)
    for package in _texts(owner, "conda_packages", given):
        found.add_conda_package(package)
    return found


def _one_of(owner: str, given: Mapping[str, Any], name: str, old_name: str) -> Any:
    if given[name] and given[old_name]:
        raise TrainingException(f"{owner}: {old_name} is the old name of {name}. Give one of them.")
    return given[name] or given[old_name]


def _find(folder: str, path: Any) -> str:
    inside = os.path.join(folder, os.fspath(path))
    return inside if os.path.isfile(inside) else os.fspath(path)


def _texts(owner: str, name: str, given: Mapping[str, Any]) -> List[str]:
    value = given[name]
    if value is None:
        return []
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise TrainingException(f"{owner}: {name} must be a list of texts such as ['numpy'], not {value!r}.")
    return list(value)


def _set_image(owner: str, environment: Environment, given: Mapping[str, Any]) -> None:
    docker: Dict[str, Any] = {"_enabled": bool(given["use_docker"]), "_shm_size": given["shm_size"] or environment.docker.shm_size}
    for name, value in docker.items():  # not through the properties: that these are old is no news to whoever uses an estimator
        setattr(environment.docker, name, value)
    image = given["custom_docker_image"] or given["custom_docker_base_image"]
    if image:
        environment.docker.base_image = image
    registry = given["image_registry_details"]
    if registry is not None and not isinstance(registry, ContainerRegistry):
        raise TrainingException(f"{owner}: image_registry_details must be a ContainerRegistry, not a {type(registry).__name__}.")
    if registry is not None:
        environment.docker.base_image_registry = registry
