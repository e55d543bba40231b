"""Steps in containers, where the setting names an engine: who asks for one, and the command lines of docker and podman."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model.errors import Invalid, Unsupported

_IMAGE = re.compile(r"[A-Za-z0-9][\w.:/@-]*")
_VARIABLE = re.compile(r"[\w.][\w.:-]*")
# Of v1's docker arguments those that say how much a container gets; others could reach what the step's user may not.
_ALLOWED = {
    "--cpus",
    "--cpuset-cpus",
    "--cpu-shares",
    "--env",
    "-e",
    "--gpus",
    "--hostname",
    "--ipc",
    "--label",
    "-l",
    "--memory",
    "-m",
    "--memory-swap",
    "--oom-score-adj",
    "--platform",
    "--pull",
    "--shm-size",
    "--stop-timeout",
    "--ulimit",
}


# Folders that an image has of its own: what the machine has there can't be put over them.
_OF_THE_SYSTEM = {"/", "/usr", "/usr/local"}
_LEADING = ("/bin/sh", "-c", 'export PATH="$0:$PATH"; exec "$@"')  # the image's PATH is not known here, so it is led from inside


@dataclass(frozen=True)
class Image:
    """An image that steps run in, and how its containers are started.

    Attributes:
        name: The image's name.
        shm_size: The shared memory of a container, such as '2g'.
        arguments: v1's docker arguments.
    """

    name: str
    shm_size: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """What one attempt needs of a container.

    Attributes:
        engine: The path of docker or podman.
        name: The container's name, by which it is stopped.
        image: The image.
        folder: The working directory, the same inside and outside.
        command: What runs in it.
        leads_path: The folder of programs that goes before the image's own, if there is one.
        variables: The names of its variables: their values are not on the command line, the engine's process has them.
        shared: Files and folders that it sees at the same paths.
        read_only: Those it may not write.
        grace_seconds: How long it has between TERM and KILL.
    """

    engine: str
    name: str
    image: Image
    folder: str
    command: Sequence[str] = ()
    leads_path: str | None = None
    variables: Sequence[str] = ()
    shared: Sequence[str] = ()
    read_only: Sequence[str] = ()
    grace_seconds: float = 3.0


def read_image(definition: Mapping[str, Any], base_image: str | None) -> Image | None:
    """Return the image that an environment's steps shall run in; None where it asks for no container, or for no particular image.

    Args:
        definition: v1's document of the environment.
        base_image: Its image, None for those of v1.

    Raises:
        Invalid: The image's name is none, or an argument lacks its value.
        Unsupported: It would have to be built, or an argument is not allowed here.
    """
    docker = definition.get("docker") or {}
    if not docker.get("enabled"):
        return None
    if docker.get("baseDockerfile") or docker.get("buildContext"):
        raise Unsupported(
            f"The environment '{definition.get('name')}' has a Dockerfile, and images are not built here. Build it with docker or podman "
            "and name the result as docker.base_image, or set docker.enabled = False."
        )
    if base_image is None:
        return None
    address = (docker.get("baseImageRegistry") or {}).get("address")
    name = f"{address}/{base_image}" if address and not base_image.startswith(f"{address}/") else base_image
    if not _IMAGE.fullmatch(name):
        raise Invalid(f"'{name}' is no name of an image. One looks like 'python:3.8-slim' or 'registry.example.com/team/image:1'.")
    return Image(name, docker.get("shmSize") or None, tuple(_checked(docker.get("arguments") or ())))


def with_docker(definition: Mapping[str, Any], docker: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an environment's document with what a run configuration says of docker, where that wants it used."""
    if not docker.get("useDocker"):
        return definition
    given = {name: docker[name] for name in ("shmSize", "arguments") if docker.get(name)}
    return {**definition, "docker": {**(definition.get("docker") or {}), "enabled": True, **given}}


def find_engine(name: str) -> str:
    """Return the path of the engine that the setting names.

    Raises:
        Invalid: It is not on this machine.
    """
    path = shutil.which(name)
    if path is None:
        raise Invalid(
            f"The container engine '{name}' is not on this machine. Install it, or take the setting container_engine away: steps then run "
            "without."
        )
    return path


def list_folders(interpreter: str) -> list[str]:
    """Return the folders that a Python of this machine consists of: its environment's, and that of the Python it was made from.

    Raises:
        Unsupported: It is a part of this machine's system, which can't be put into an image.
    """
    links = [interpreter]
    while os.path.islink(links[-1]):
        links.append(os.path.join(os.path.dirname(links[-1]), os.readlink(links[-1])))
    folders = [os.path.dirname(os.path.dirname(os.path.normpath(path))) for path in (*links, os.path.realpath(interpreter))]
    if not _OF_THE_SYSTEM.isdisjoint(folders):
        raise Unsupported(
            f"Its Python, {os.path.realpath(interpreter)}, belongs to this machine's system and can't be shown to a container. Install one "
            "with uv or pyenv and submit with it, or set python.user_managed_dependencies = True: then the image's own Python is used."
        )
    return list(dict.fromkeys(folders))


def run_command(container: Container) -> list[str]:
    """Return the command that runs a container as the user of this process, and ends when the container does."""
    options = ["--rm", "--init", "--name", container.name, "--workdir", container.folder, "--network", "host"]
    options += ["--user", f"{os.getuid()}:{os.getgid()}", "--env", f"HOME={container.folder}"]  # an image has no home for this user
    if _is_podman(container):
        options += ["--userns", "keep-id"]  # else the user inside is another one outside
    options += [word for path in container.shared for word in ("--mount", _mount(path))]
    options += [word for path in container.read_only for word in ("--mount", f"{_mount(path)},readonly")]
    options += [word for name in sorted(container.variables) if _VARIABLE.fullmatch(name) for word in ("--env", name)]
    options += ["--shm-size", container.image.shm_size] if container.image.shm_size else []
    leading = [*_LEADING, container.leads_path] if container.leads_path else []
    return [container.engine, "run", *options, *container.image.arguments, container.image.name, *leading, *container.command]


def stop_command(container: Container) -> list[str]:
    """Return the command that stops a container: TERM, a grace period, KILL."""
    return [container.engine, "stop", "-t", str(int(container.grace_seconds)), container.name]


def remove_command(container: Container) -> list[str]:
    """Return the command that ends a container at once and removes what is left of it."""
    at_once = ["-t", "0"] if _is_podman(container) else []  # docker never waits
    return [container.engine, "rm", "--force", *at_once, container.name]


def _is_podman(container: Container) -> bool:
    return os.path.basename(container.engine) == "podman"


def _mount(path: str) -> str:
    if "," in path or '"' in path:
        raise Invalid(f"The folder '{path}' can't be shared with a container: its name holds a comma or a quotation mark.")
    return f"type=bind,source={path},target={path}"


def _checked(arguments: Sequence[str]) -> list[str]:
    """Return v1's docker arguments, each of them allowed; a value belongs to the option before it."""
    checked: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        name, _, value = word.partition("=")
        if name not in _ALLOWED:
            raise Unsupported(f"The docker argument '{name}' is not passed on. Allowed: {', '.join(sorted(_ALLOWED))}.")
        if not value and not words:
            raise Invalid(f"The docker argument '{name}' lacks its value.")
        checked.append(word)
        if not value:
            checked.append(words.pop(0))
    return checked
