"""What a built environment costs: built, and found again."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import Line

PACKAGES = ("scikit-learn", "pandas")
BASE = str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))  # has no packages of its own
BUILD_SECONDS, FOUND_SECONDS = 20, 0.02
DEFINITION = {
    "name": "bench",
    "python": {
        "userManagedDependencies": False,
        "interpreterPath": "python",
        "condaDependencies": {
            "name": "bench",
            "dependencies": [f"python={sys.version_info[0]}.{sys.version_info[1]}", {"pip": ["azureml-defaults", *PACKAGES]}],
        },
    },
}


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield what it costs to build an environment whose packages are on this machine, and to find it again."""
    name = f"environment of {' and '.join(PACKAGES)}, built, its packages on this machine"
    reason = warm(folder)
    if reason:
        yield Line(name, None, "s", budget=BUILD_SECONDS, note=reason)
        return
    ours, bare = [], []
    for number in range(min(rounds, 3)):
        bare.append(build_bare(folder / f"bare-{number}"))
        ours.append(build_ours(folder / f"built-{number}")[0])
    home = folder / "built-0"
    yield Line(name, statistics.median(ours), "s", bare=statistics.median(bare), budget=BUILD_SECONDS, note="bare: uv")
    found = [find_again(home) for _ in range(20)]
    yield Line("  chosen and found again, in the service", statistics.median(found[1:]), "s", budget=FOUND_SECONDS)
    yield Line("  the same for the first time in a process", first_time(home), "s")


def warm(folder: Path) -> str:
    """Bring the packages to this machine; return why that can't be done."""
    try:
        build_ours(folder / "warm")
    except Exception as error:  # the benchmark goes on without these lines
        return f"not measured: {str(error).splitlines()[0][:150]}"
    return ""


def build_ours(home: Path) -> tuple[float, Any]:
    """Return how long it takes to build the environment in a new home folder, and what was built."""
    from penstock.client.home import Home
    from penstock.engine import environments
    from penstock.model.requirements import parse_environment

    place = Home(home)
    place.create()
    began = time.perf_counter()
    choice = environments.choose(parse_environment(DEFINITION), "compatible", BASE, place)
    built = environments.build(place, choice, "compatible", lambda: None)
    return time.perf_counter() - began, built


def build_bare(folder: Path) -> float:
    """Return how long uv takes for the same by itself."""
    from penstock.engine.environments.uv import find_uv

    uv = find_uv()
    python = str(folder / "bin" / "python")
    began = time.perf_counter()
    subprocess.run([uv, "venv", "--quiet", "--python", BASE, str(folder)], check=True)
    command = [uv, "pip", "install", "--quiet", "--python", python, *PACKAGES, "pyarrow"]  # what azureml-defaults brings
    subprocess.run(command, check=True, env={**os.environ, "VIRTUAL_ENV": str(folder)})
    return time.perf_counter() - began


def find_again(home: Path) -> float:
    """Return how long it takes to choose the environment and to find it."""
    from penstock.client.home import Home
    from penstock.engine import environments
    from penstock.model.requirements import parse_environment

    began = time.perf_counter()
    choice = environments.choose(parse_environment(DEFINITION), "compatible", BASE, Home(home))
    assert choice.key is not None
    found = environments.find(Home(home), choice.key)
    spent = time.perf_counter() - began
    assert found is not None, choice
    return spent


def first_time(home: Path) -> float:
    """Return the same in a process that has just started."""
    code = f"from benchmarks.builds import find_again; from pathlib import Path; print(find_again(Path({str(home)!r})))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout)
