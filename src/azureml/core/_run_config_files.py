"""Run configurations as `.runconfig` files: where they are, how they are read and written."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional

from azureml.core._yaml_comments import find_comments, put_comments
from azureml.core._yaml_text import format_yaml, parse_yaml, read_text
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration, from_document
from azureml.exceptions import UserErrorException

FOLDERS = (".azureml", "aml_config")
SUFFIX = ".runconfig"
CONDA_FILE = "conda_dependencies.yml"
ENVIRONMENT_FILE = "environment.yml"


def load_run_config(path: str, name: Optional[str]) -> RunConfiguration:
    """Return the configuration in a file, or in a folder under a name."""
    found = path if os.path.isfile(path) else _find(path, name)
    text = read_text(found)
    document = parse_yaml(text, found)
    if not isinstance(document, dict):
        raise UserErrorException(f"'{found}' is not a run configuration: it holds no keys.")
    document = _modern(document)
    _inline_environment(document, os.path.dirname(os.path.abspath(found)))
    run_config = from_document(document)
    run_config._path, run_config._name = os.path.abspath(found), os.path.basename(found)
    run_config._comments = find_comments(text)
    return run_config


def save_run_config(run_config: RunConfiguration, path: Optional[str], name: Optional[str], separate_environment: bool) -> None:
    """Write a configuration to a file, with its conda specification beside it."""
    target = _target(run_config, path, name)
    folder = os.path.dirname(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    document = run_config._to_document(keep_secrets=True)
    _put_conda_beside(document["environment"], folder)
    if separate_environment:
        _write(os.path.join(folder, ENVIRONMENT_FILE), format_yaml(document["environment"]))
        document["environment"] = ENVIRONMENT_FILE
    _write(target, put_comments(format_yaml(document), run_config._comments))


def delete_run_config(path: str, name: str) -> None:
    """Remove a configuration from a folder."""
    for place in _places(path, name):
        if place.endswith(SUFFIX) and os.path.isfile(place):
            os.remove(place)
            return
    raise _not_there(path, name)


def _find(path: str, name: Optional[str]) -> str:
    if not name:
        raise UserErrorException(f"'{path}' is no file. Give the path of a run configuration, or its folder and its name.")
    for place in _places(path, name):
        if os.path.isfile(place):
            return place
    raise _not_there(path, name)


def _places(path: str, name: str) -> List[str]:
    inside = [os.path.join(path, folder, name + suffix) for folder in FOLDERS for suffix in ("", SUFFIX)]
    return [*inside, os.path.join(path, name + SUFFIX)]


def _not_there(path: str, name: str) -> UserErrorException:
    looked = ", ".join(f"'{place}'" for place in _places(path, name))
    return UserErrorException(f"There is no run configuration '{name}' in '{path}'. Looked for {looked}.")


def _target(run_config: RunConfiguration, path: Optional[str], name: Optional[str]) -> str:
    if path is None and name is None and run_config._path is not None:
        return run_config._path
    place = path or os.getcwd()
    if not (name or os.path.isdir(place)):
        return place
    chosen = name or run_config._name
    if not chosen:
        raise UserErrorException(f"'{place}' is a folder; give the configuration a name: save('{place}', name='my.runconfig').")
    return os.path.join(place, _folder_in(place), chosen)


def _folder_in(place: str) -> str:
    there = [folder for folder in FOLDERS if os.path.isdir(os.path.join(place, folder))]
    return there[0] if there else FOLDERS[0]


def _put_conda_beside(environment: Any, folder: str) -> None:
    python = environment.get("python") if isinstance(environment, dict) else None
    conda = python.pop("condaDependencies", None) if python else None
    if conda:
        _write(os.path.join(folder, CONDA_FILE), format_yaml(conda))
        environment["python"]["condaDependenciesFile"] = CONDA_FILE


def _inline_environment(document: Dict[str, Any], folder: str) -> None:
    key = _key_of(document, "environment")
    if key is None:
        return
    if isinstance(document[key], str):
        place = _beside(folder, document[key])
        document[key] = parse_yaml(read_text(place), place)
    python_key = _key_of(document[key], "python")
    python = document[key].get(python_key) if python_key else None
    file_key = _key_of(python, "condadependenciesfile") if python else None
    if python and file_key and python[file_key] and not _key_of(python, "condadependencies"):
        python["condaDependencies"] = CondaDependencies(_beside(folder, python[file_key])).as_dict()


def _key_of(document: Optional[Mapping[str, Any]], bare: str) -> Optional[str]:
    for key in document or ():
        if str(key).replace("_", "").replace("-", "").lower() == bare:
            return key
    return None


def _beside(folder: str, name: str) -> str:
    """Return the path of a file that a configuration names: relative to it, or to the project's folder above it."""
    for place in (os.path.join(folder, name), os.path.join(os.path.dirname(folder), name)):
        if os.path.isfile(place):
            return place
    raise UserErrorException(f"The run configuration names the file '{name}', which is neither in '{folder}' nor in the folder above.")


def _modern(document: Dict[str, Any]) -> Dict[str, Any]:
    """Return a document in today's layout: files of v1's first releases kept script and arguments in one list."""
    vector = document.pop(_key_of(document, "argumentvector") or "", None)
    if vector:
        document["script"], document["arguments"] = vector[0], list(vector[1:])
    conda_file = document.pop(_key_of(document, "condadependenciesfile") or "", None)
    if conda_file and _key_of(document, "environment") is None:
        document["environment"] = {"name": "default-environment", "python": {"condaDependenciesFile": conda_file}}
    return document


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
