"""The Pythons of this machine: those on the PATH, pyenv's, uv's, conda's. Each is asked once what it is."""

from __future__ import annotations

import functools
import glob
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from penstock.engine.environments.versions import fits
from penstock.model.errors import Invalid, NotFound, Unsupported

OLDEST_FOR_STEPS = (3, 7)  # what steps import needs it
SECONDS_TO_ANSWER = 60

_QUESTION = """
import json, os, platform, sys, sysconfig
number = "%d.%d.%d" % sys.version_info[:3]
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "paths": [path for path in sys.path if path and os.path.isdir(path)],
    "markers": {
        "os_name": os.name, "sys_platform": sys.platform, "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(), "platform_release": platform.release(),
        "platform_system": platform.system(), "platform_version": platform.version(), "python_version": "%d.%d" % sys.version_info[:2],
        "python_full_version": number, "implementation_name": sys.implementation.name, "implementation_version": number, "extra": "",
    },
}))
"""
_ASKED_AT_ONCE = 8
_SHIMS = f"{os.sep}shims"  # pyenv's: slow programs that stand in for Pythons which are found in their own folders
_EXECUTABLE = re.compile(r"python(?:3(?:\.\d+)?)?")
_FOLDERS = ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")
_CONDA_ROOTS = ("~/miniconda3", "~/anaconda3", "~/miniforge3", "~/mambaforge", "~/micromamba", "/opt/conda", "/opt/miniconda3")


@dataclass(frozen=True)
class Interpreter:
    """One Python of this machine.

    Attributes:
        path: Where it is.
        implementation: 'cpython', 'pypy'.
        version: Major, minor, patch.
        paths: The folders it imports from.
        markers: What the markers of requirements are compared with.
    """

    path: str
    implementation: str
    version: tuple[int, int, int]
    paths: tuple[str, ...]
    markers: tuple[tuple[str, str], ...]

    @property
    def number(self) -> str:
        """Its version as text, such as '3.7.16'."""
        return ".".join(map(str, self.version))

    @property
    def text(self) -> str:
        """What it is, such as 'cpython 3.7.16'."""
        return f"{self.implementation} {self.number}"

    @property
    def minor(self) -> tuple[int, int]:
        """The part of the version that decides which packages fit."""
        return self.version[:2]

    @property
    def platform(self) -> str:
        """The system and machine it was made for, such as 'linux x86_64'."""
        markers = dict(self.markers)
        return f"{markers['sys_platform']} {markers['platform_machine']}"


def describe(path: str) -> Interpreter:
    """Return what an interpreter is; asked once, and again when its file changes.

    Raises:
        NotFound: It is gone.
        Invalid: It does not run.
    """
    return _ask(path, modified_at(path))


def modified_at(path: str) -> int:
    """Return when an interpreter's file was changed last, in nanoseconds.

    Raises:
        NotFound: It is gone.
    """
    try:
        return os.stat(path).st_mtime_ns
    except OSError as error:
        raise NotFound(f"The interpreter {path} is gone ({error.strerror}).") from error


@functools.lru_cache(maxsize=256)
def _ask(path: str, modified: int) -> Interpreter:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [path, "-c", _QUESTION], capture_output=True, text=True, timeout=SECONDS_TO_ANSWER, check=True, env=environment, cwd="/"
        )
        said = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip()
        raise Invalid(f"The interpreter {path} does not run: {reason[-300:]}") from error
    return Interpreter(path, said["implementation"], tuple(said["version"]), tuple(said["paths"]), tuple(sorted(said["markers"].items())))


@functools.lru_cache(maxsize=512)
def _answers(path: str, modified: int) -> bool:
    """Tell whether an interpreter runs. Those that don't, pyenv's empty shims say, are not asked twice."""
    try:
        _ask(path, modified)
    except (Invalid, OSError):
        return False
    return True


def list_interpreters() -> list[Interpreter]:
    """Return the CPythons of this machine that steps can run on or environments be built with, each once, newest first."""
    paths = {os.path.realpath(path): path for path in reversed(_list_paths(_folders_as_they_are()))}
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:  # the first time they are all asked; later none is
        found = [one for one in pool.map(_find, paths.values()) if one is not None and one.implementation == "cpython"]
    return sorted(found, key=lambda one: one.version, reverse=True)


def _find(path: str) -> Interpreter | None:
    try:
        modified = os.stat(path).st_mtime_ns
    except OSError:
        return None
    return _ask(path, modified) if _answers(path, modified) else None


def _folders_as_they_are() -> tuple[tuple[str, int], ...]:
    """Return the folders that may hold interpreters, with the moments of their last changes."""
    folders = []
    for folder in dict.fromkeys(_folders()):
        try:
            if not folder.endswith(_SHIMS):
                folders.append((folder, os.stat(folder).st_mtime_ns))
        except OSError:
            continue
    return tuple(folders)


def _folders() -> Iterator[str]:
    yield from filter(os.path.isabs, os.environ.get("PATH", os.defpath).split(os.pathsep))
    yield from _FOLDERS
    yield os.path.dirname(sys.executable)
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    yield os.environ.get("UV_PYTHON_INSTALL_DIR") or os.path.join(data, "uv", "python")
    yield os.path.join(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"), "versions")
    for root in (*filter(None, (os.environ.get("CONDA_ROOT"), _root_of(os.environ.get("CONDA_EXE")))), *_CONDA_ROOTS):
        yield os.path.join(os.path.expanduser(root), "bin")
        yield os.path.join(os.path.expanduser(root), "envs")


def _root_of(executable: str | None) -> str | None:
    return str(Path(executable).parent.parent) if executable else None


@functools.lru_cache(maxsize=4)
def _list_paths(folders: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Return the paths of interpreters in folders of programs, and in folders of whole Pythons."""
    paths: list[str] = []
    for folder, _ in folders:
        names = sorted(name for name in os.listdir(folder) if _EXECUTABLE.fullmatch(name))
        paths += [os.path.join(folder, name) for name in names]
        paths += sorted(glob.glob(os.path.join(glob.escape(folder), "*", "bin", "python3"))) if not names else []
    return tuple(path for path in paths if os.access(path, os.X_OK))


def pick(asked: str | None, submitting: Interpreter, policy: str) -> tuple[Interpreter, str | None]:
    """Return the Python to build an environment with, and a note when it is not what was asked for.

    The exact version is taken, else the same minor version, else the nearest; the submitting interpreter before others that fit as well.

    Raises:
        Unsupported: The policy is `exact` and the minor version is not on this machine.
    """
    found = [submitting, *(one for one in list_interpreters() if os.path.realpath(one.path) != os.path.realpath(submitting.path))]
    usable = [one for one in found if one.minor >= OLDEST_FOR_STEPS] or [submitting]
    if asked is None:
        return submitting, None
    fitting = [one for one in usable if _fits(asked, one)]
    if fitting:
        return max(fitting, key=lambda one: (one.number == asked, one is submitting, one.version)), None
    if policy == "exact":
        raise _missing(asked, found)
    nearest = min(usable, key=lambda one: (_distance(asked, one), one.minor < _wanted_minor(asked), one is not submitting, -one.version[2]))
    reason = "what steps import needs 3.7 or later" if _wanted_minor(asked) < OLDEST_FOR_STEPS else "it is not on this machine"
    return nearest, f"Python {asked} is asked for, but {reason}: the environment has {nearest.number}, the nearest."


def _fits(asked: str, one: Interpreter) -> bool:
    """Tell whether the minor version, or every condition, is met: a patch version is worth no refusal."""
    if re.fullmatch(r"\d+(?:\.\d+)*", asked):
        wanted = tuple(int(number) for number in asked.split("."))[:2]
        return one.version[: len(wanted)] == wanted
    return fits(one.number, asked) is True


def _wanted_minor(asked: str) -> tuple[int, int]:
    numbers = [int(number) for number in re.findall(r"\d+", asked)[:2]]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else OLDEST_FOR_STEPS


def _distance(asked: str, one: Interpreter) -> tuple[int, int]:
    major, minor = _wanted_minor(asked)
    return abs(one.version[0] - major), abs(one.version[1] - minor)


def _missing(asked: str, found: list[Interpreter]) -> Unsupported:
    there = ", ".join(sorted({one.number for one in found}, key=lambda number: [int(part) for part in number.split(".")]))
    reason = "what steps import needs 3.7 or later" if _wanted_minor(asked) < OLDEST_FOR_STEPS else "it is not on this machine"
    return Unsupported(
        f"The environment asks for Python {asked}, but {reason} (there are: {there}). Install it (with pyenv or 'uv python install'), "
        "or set the environment policy to 'compatible' (PENSTOCK_ENVIRONMENT_POLICY), which takes the nearest."
    )
