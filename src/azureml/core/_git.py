"""What git knows about a folder, as the properties that v1 put on runs. Reads git's files; starts no process."""

from __future__ import annotations

import os
import re
from typing import Dict, Optional

_VARIABLES = {
    "azureml.git.repository_uri": "AZUREML_GIT_REPOSITORY_URI",
    "azureml.git.branch": "AZUREML_GIT_BRANCH",
    "azureml.git.commit": "AZUREML_GIT_COMMIT",
    "azureml.git.dirty": "AZUREML_GIT_DIRTY",
    "azureml.git.build_id": "AZUREML_GIT_BUILD_ID",
    "azureml.git.build_uri": "AZUREML_GIT_BUILD_URI",
}
_MIRRORS = {
    "azureml.git.repository_uri": "mlflow.source.git.repoURL",
    "azureml.git.branch": "mlflow.source.git.branch",
    "azureml.git.commit": "mlflow.source.git.commit",
}
_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def git_properties(directory: str) -> Dict[str, str]:
    """Return v1's git properties of the work tree around `directory`; empty where there is none.

    The variables AZUREML_GIT_* win over what is found. Whether the tree is dirty is not looked at: that takes as long as
    the tree is big.
    """
    found = _read(directory)
    for name, variable in _VARIABLES.items():
        if os.environ.get(variable):
            found[name] = os.environ[variable]
    return {**found, **{mirror: found[name] for name, mirror in _MIRRORS.items() if name in found}}


def _read(directory: str) -> Dict[str, str]:
    try:
        git = _find(os.path.abspath(directory))
        if git is None:
            return {}
        shared = os.path.join(git, (_text(os.path.join(git, "commondir")) or ".").strip())
        head = (_text(os.path.join(git, "HEAD")) or "").strip()
        branch = head[len("ref: refs/heads/") :] if head.startswith("ref: refs/heads/") else None
        commit = _commit(git, shared, head)
        remote = _remote(shared)
    except (OSError, ValueError):
        return {}
    found = {"azureml.git.repository_uri": remote, "azureml.git.branch": branch, "azureml.git.commit": commit}
    return {name: value for name, value in found.items() if value}


def _find(folder: str) -> Optional[str]:
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return git
        pointer = _text(git)  # a linked work tree or a submodule: a file that says where the folder is
        if pointer and pointer.startswith("gitdir:"):
            return os.path.join(folder, pointer[len("gitdir:") :].strip())
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _commit(git: str, shared: str, head: str) -> Optional[str]:
    if not head.startswith("ref: "):
        return head or None
    name = head[len("ref: ") :]
    for place in (git, shared):
        commit = _text(os.path.join(place, name))
        if commit:
            return commit.strip()
    for line in (_text(os.path.join(shared, "packed-refs")) or "").splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return None


def _remote(shared: str) -> Optional[str]:
    inside = False
    for line in (_text(os.path.join(shared, "config")) or "").splitlines():
        if line.startswith("["):
            inside = line.strip() == '[remote "origin"]'
        elif inside and line.strip().startswith("url"):
            return _PASSWORD.sub("", line.partition("=")[2].strip())
    return None


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None
