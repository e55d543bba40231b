"""The file that names a workspace: where it is looked for, and what it says."""

from __future__ import annotations

import json
import logging
import os
from typing import Any, Dict, Iterator, NamedTuple, Optional

_FILES = ("config.json", "project.json")
# The kind of folder comes first, the distance second: a parent's `.azureml` wins over a file beside the script.
_FOLDERS = (".azureml", "aml_config", "")
_SCOPE = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}"
_LOGGER = logging.getLogger("penstock")


class Identity(NamedTuple):
    """The three names that make a workspace."""

    subscription_id: str
    resource_group: str
    name: str

    @property
    def scope(self) -> str:
        """The workspace's resource id, as Azure wrote it."""
        return _SCOPE.format(*self)


def find(path: Optional[str] = None, file_name: Optional[str] = None) -> Optional[str]:
    """Return the configuration file that v1 would use from here, or None.

    Args:
        path: A file, or the folder where the search begins; the current folder when None.
        file_name: The only file name to look for.
    """
    start = os.path.abspath(path or os.getcwd())
    if os.path.isfile(start):
        return start
    found = next((name for name in _candidates(start, file_name) if os.path.isfile(name)), None)
    if not os.path.exists(start):
        instead = f"; the workspace comes from {found} instead" if found else ", and no configuration file in a folder above it"
        _LOGGER.warning("There is no %s%s.", start, instead)
    return found


def _candidates(start: str, file_name: Optional[str]) -> Iterator[str]:
    for folder in _FOLDERS:
        for level in _upward(start):
            for name in (file_name,) if file_name else _FILES:
                yield os.path.join(level, folder, name)


def _upward(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def read(path: str) -> Identity:
    """Return the workspace that a configuration file names.

    Raises:
        UserErrorException: The file is not JSON, lacks the three names, or names a server.
    """
    from azureml.exceptions import UserErrorException

    content = _load(path)
    if content.get("endpoint"):
        raise UserErrorException(
            f"{path} names the server {content['endpoint']}. This version of Penstock runs on the local machine only: "
            "take 'endpoint' out of the file to use a local workspace of that name."
        )
    parts = str(content.get("Scope") or "").split("/")
    if len(parts) > 8:
        return Identity(parts[2], parts[4], parts[8])
    names = [content.get(key) for key in ("subscription_id", "resource_group", "workspace_name")]
    if not all(isinstance(name, str) and name for name in names):
        raise UserErrorException(
            f"The file {path} lacks the required parameters: it needs subscription_id, resource_group and workspace_name, "
            "or Scope with the workspace's resource id."
        )
    return Identity(*[str(name) for name in names])


def _load(path: str) -> Dict[str, Any]:
    from azureml.exceptions import UserErrorException

    try:
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
    except (OSError, ValueError) as error:
        raise UserErrorException(f"The workspace's configuration file {path} can't be read: {error}.") from error
    if not isinstance(content, dict):
        raise UserErrorException(f"The workspace's configuration file {path} must hold a JSON object.")
    return content


def write(identity: Identity, path: Optional[str] = None, file_name: Optional[str] = None) -> str:
    """Write a file that `read` understands, and genuine v1 clients too. Return its path.

    Raises:
        UserErrorException: The folder or the file can't be written.
    """
    from azureml.exceptions import UserErrorException

    target = _target(os.path.abspath(path or os.getcwd()), file_name)
    names = dict(zip(("subscription_id", "resource_group", "workspace_name"), identity))
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            json.dump({**names, "Id": None, "Scope": identity.scope}, file, indent=4)
    except OSError as error:
        raise UserErrorException(f"The workspace's configuration can't be written to {target}: {error.strerror}.") from error
    return target


def _target(path: str, file_name: Optional[str]) -> str:
    old = os.path.join(path, "aml_config")
    folder = old if os.path.isdir(old) else os.path.join(path, ".azureml")
    if file_name:
        return os.path.join(folder, os.path.splitext(file_name)[0] + ".json")
    project = os.path.join(folder, "project.json")
    return project if os.path.isfile(project) else os.path.join(folder, "config.json")
