"""Steps in containers: the command line that docker or podman is called with. Used only where the setting names an engine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from penstock.model.errors import Invalid, Unsupported

ENGINES = ("docker", "podman")
_IMAGE = re.compile(r"[A-Za-z0-9][\w.:/@-]*")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
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


@dataclass(frozen=True)
class Container:
    """What one step needs of a container.

    Attributes:
        name: The container's name, by which it is stopped.
        image: The image.
        command: What runs in it.
        folder: The working directory, the same inside and outside.
        variables: Environment variables; only their names stand on the command line, so give them to the engine's process.
        shared: Folders that it sees at the same paths: the run folder, data, Penstock itself.
        read_only: Those it may not write.
        shm_size: Its shared memory, such as '2g'.
        arguments: v1's docker arguments.
    """

    name: str
    image: str
    command: Sequence[str]
    folder: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    shared: Sequence[str] = ()
    read_only: Sequence[str] = ()
    shm_size: str | None = None
    arguments: Sequence[str] = ()


def find_engine(name: str) -> str:
    """Return the path of the engine that the setting names.

    Raises:
        Invalid: It is none of docker and podman, or not on this machine.
    """
    if name not in ENGINES:
        raise Invalid(f"The container engine must be one of {', '.join(ENGINES)}, not '{name}'.")
    path = shutil.which(name)
    if path is None:
        raise Invalid(
            f"The container engine '{name}' is not on this machine. Install it, or take the setting away: steps then run without."
        )
    return path


def command_line(engine: str, container: Container) -> list[str]:
    """Return the command that runs a step in a container, as the user of this process.

    Raises:
        Invalid: The image's name is none.
        Unsupported: An argument is not allowed here.
    """
    if not _IMAGE.fullmatch(container.image):
        raise Invalid(
            f"'{container.image}' is no name of an image. One looks like 'python:3.8-slim' or 'registry.example.com/team/image:1'."
        )
    options = ["--rm", "--init", "--name", container.name, "--workdir", container.folder, "--network", "host"]
    options += ["--user", f"{os.getuid()}:{os.getgid()}"]
    if os.path.basename(engine) == "podman":
        options += ["--userns", "keep-id"]  # else the user inside is another one outside
    options += [word for path in container.shared for word in ("--mount", _mount(path))]
    options += [word for path in container.read_only for word in ("--mount", f"{_mount(path)},readonly")]
    options += [word for name in sorted(container.variables) if _VARIABLE.fullmatch(name) for word in ("--env", name)]
    options += ["--shm-size", container.shm_size] if container.shm_size else []
    return [engine, "run", *options, *_checked(container.arguments), container.image, *container.command]


def stop_command(engine: str, name: str, grace_seconds: float) -> list[str]:
    """Return the command that stops a container: TERM, a grace period, KILL."""
    return [engine, "stop", "--time", str(int(grace_seconds)), name]


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
