"""Packages that only conda has: a conda-like engine on this machine makes the environment, and uv adds what comes from pip."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from penstock.engine.environments.choice import Plan
from penstock.engine.environments.failures import Unsolvable, read_failure
from penstock.engine.environments.interpreters import Interpreter, describe
from penstock.engine.environments.uv import Session

ENGINES = ("micromamba", "mamba", "conda", "pixi")  # the quickest first
_DEFAULT_CHANNEL = "conda-forge"


def find_engine() -> str | None:
    """Return the path of a conda-like engine on this machine, or None."""
    found = filter(None, map(shutil.which, ENGINES))
    return next((engine for engine in found if _tells_its_version(engine, os.stat(engine).st_mtime_ns)), None)


@functools.lru_cache(maxsize=16)
def _tells_its_version(engine: str, modified: int) -> bool:
    """Tell whether a program works: one on the PATH may be broken, or stand in for another."""
    try:
        done = subprocess.run([engine, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0 and re.search(r"\d+\.\d+", done.stdout) is not None


def command_line(engine: str, folder: Path, packages: tuple[str, ...], channels: tuple[str, ...]) -> list[str]:
    """Return the command that makes an environment in `<folder>/env`.

    Packages and channels stand after all options, or are values of them, so none of them is read as an option.
    """
    named = [word for channel in channels or (_DEFAULT_CHANNEL,) for word in ("--channel", channel)]
    if Path(engine).name == "pixi":
        return [engine, "exec", "--spec", "micromamba", "micromamba", *_create(folder, named, packages)]
    return [engine, *_create(folder, named, packages)]


def _create(folder: Path, channels: list[str], packages: tuple[str, ...]) -> list[str]:
    return ["create", "--yes", "--quiet", "--prefix", str(folder / "env"), *channels, "--", *packages]


def create(session: Session, plan: Plan) -> Interpreter:
    """Make the environment with conda's packages, Python among them; return its Python.

    Raises:
        Unsolvable: The engine can't.
    """
    assert plan.engine is not None
    packages = (f"python={plan.python}", "pip", *plan.conda)
    done, lines = session.run(command_line(plan.engine, session.folder, packages, plan.channels), dict(os.environ))
    if not done:
        raise Unsolvable(f"{Path(plan.engine).name} can't make it: {read_failure(lines).words[-1500:]}")
    return describe(str(session.folder / "env" / "bin" / "python"))
