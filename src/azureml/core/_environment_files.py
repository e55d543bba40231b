"""An environment's files: its folder, requirements files, conda's export, private wheels."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Optional

from azureml.core._deprecation import note
from azureml.core._yaml_text import read_text
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import Environment
from azureml.exceptions import UserErrorException

DEFINITION_FILE = "azureml_environment.json"
CONDA_FILE = "conda_dependencies.yml"
DOCKERFILE = "BaseDockerfile"

_WHEELS = os.path.join("azureml", "private-packages")


def save_environment(environment: Environment, path: str, overwrite: bool) -> None:
    """Write an environment to a folder: the definition, and beside it the conda specification and the Dockerfile."""
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"'{path}' exists. Choose another folder, or pass overwrite=True.")
    document = environment._to_document()
    conda = document["python"].pop("condaDependencies", None)
    dockerfile = document["docker"].pop("baseDockerfile", None)
    os.makedirs(path, exist_ok=True)
    _write(os.path.join(path, DEFINITION_FILE), json.dumps(document, indent=4))
    _write(os.path.join(path, CONDA_FILE), _conda_text(conda))
    _write(os.path.join(path, DOCKERFILE), dockerfile)


def load_environment(path: str) -> Environment:
    """Return the environment that `save_environment` wrote."""
    if not os.path.isdir(path):
        raise FileNotFoundError(f"There is no folder '{path}'.")
    document = json.loads(read_text(os.path.join(path, DEFINITION_FILE)))
    environment: Environment = Environment._from_document(document)
    conda_file = os.path.join(path, CONDA_FILE)
    environment.python.conda_dependencies = CondaDependencies(conda_file) if os.path.isfile(conda_file) else None
    if os.path.isfile(os.path.join(path, DOCKERFILE)):
        environment.docker.base_dockerfile = read_text(os.path.join(path, DOCKERFILE))
    return environment


def read_requirements(path: str) -> List[str]:
    """Return the requirements of a pip file, without comments and blank lines, other files it names included."""
    lines: List[str] = []
    for line in _joined_lines(read_text(path)):
        words = line.split(None, 1)
        if words[0] in ("-r", "--requirement") and len(words) == 2:
            lines.extend(read_requirements(os.path.join(os.path.dirname(path), words[1])))
        else:
            lines.append(line)
    return lines


def _joined_lines(text: str) -> List[str]:
    lines = text.replace("\\\n", " ").splitlines()
    bare = [line.split(" #", 1)[0].strip() for line in lines]  # a '#' inside a word is part of an address
    return [line for line in bare if line and not line.startswith("#")]


def export_conda_environment(name: str) -> Optional[Dict[str, Any]]:
    """Return the conda specification of an environment on this machine, or None when it can't be had."""
    import subprocess

    command = ["conda", "env", "export", "--name", name, "--no-builds", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        note(f"The conda environment '{name}' can't be exported: {error}.")
        return None
    document: Dict[str, Any] = json.loads(done.stdout)
    return document


def store_wheel(datastore: Dict[str, Any], file_path: str, exist_ok: bool) -> str:
    """Copy a wheel to a datastore; return its URL."""
    import shutil
    from pathlib import Path

    if not os.path.isfile(file_path):
        raise UserErrorException(f"There is no file '{file_path}'.")
    folder = os.path.join(datastore["root"], _WHEELS)
    target = os.path.join(folder, os.path.basename(file_path))
    if os.path.exists(target) and not exist_ok:
        raise UserErrorException(f"A wheel '{os.path.basename(file_path)}' is there already. Pass exist_ok=True to use it.")
    if not os.path.exists(target):
        os.makedirs(folder, exist_ok=True)
        shutil.copyfile(file_path, target + ".part")
        os.replace(target + ".part", target)
    return Path(target).as_uri()


def _conda_text(conda: Optional[Dict[str, Any]]) -> Optional[str]:
    return None if conda is None else CondaDependencies._from_document(conda).serialize_to_string()


def _write(path: str, text: Optional[str]) -> None:
    if text is None:
        if os.path.exists(path):  # left by what was here before
            os.remove(path)
        return
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
