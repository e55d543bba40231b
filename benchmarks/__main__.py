"""Measure, print a table beside the budgets, write JSON.

    python -m benchmarks [--rounds N] [--only pipelines|data|runs|publishing|schedules] [--json FILE]

What is compared with bare scripts is measured in turns with them, on the same machine, in the same run. Every figure is the median of its
rounds. Nothing here passes or fails: a budget that is not met says so in its line.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

from benchmarks import data, publishing, runs, schedules
from benchmarks.report import Line, document, format_report

ROOT = Path(__file__).resolve().parents[1]
CHAIN, FAN, PARALLEL, RERUN = 50, 100, 2, 100
IMPORTS = "import azureml.core, azureml.pipeline.core, azureml.pipeline.steps"
# What lies behind these packages is loaded when a name is first asked for, so this says what a script really pays.
NAMES = (
    "from azureml.core import Workspace, Experiment, RunConfiguration, Environment; "
    "from azureml.core.compute import AmlCompute, ComputeTarget; "
    "from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter; "
    "from azureml.pipeline.steps import PythonScriptStep"
)


def main(arguments: list[str]) -> int:
    """Measure everything; return 0."""
    options = parse(arguments)
    sections = [measure_all for name, measure_all in SECTIONS.items() if options.only in (None, name)]
    lines = []
    for measure_all in sections:
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder, service_home(folder):
            lines += list(measure_all(Path(folder), options.rounds))
    print(format_report(lines))
    path = Path(options.json or ROOT / "benchmarks" / "results" / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(lines, options.rounds, data.SCALE), indent=1) + "\n")
    print(f"\nwritten to {path}")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured (default: 5)")
    parser.add_argument("--only", choices=list(SECTIONS), help="only this section (default: all)")
    parser.add_argument("--json", metavar="FILE", help="where the figures go (default: benchmarks/results/)")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def service_home(folder: str) -> Iterator[None]:
    """Give the service a home folder of its own, and stop it at the end."""
    os.environ.update(PENSTOCK_HOME=os.path.join(folder, "home"), PENSTOCK_STEP_SLOTS=str(PARALLEL))
    os.chdir(folder)
    Path("config.json").write_text('{"subscription_id": "0", "resource_group": "bench", "workspace_name": "bench"}')
    sys.path.insert(0, str(ROOT))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    try:
        yield
    finally:
        penstock("service", "stop")


def penstock(*words: str) -> None:
    """Run one command; a failure ends the benchmark."""
    subprocess.run([sys.executable, "-m", "penstock", *words], check=True, stdout=subprocess.DEVNULL)


def measure_pipelines(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield what starting, running and reusing steps costs, each line when it is known."""
    yield from measure_starts(rounds)
    from azureml.core import Workspace

    with quiet():
        workspace = Workspace.from_config()
    yield measure_memory("idle memory of the service, just started")
    yield from measure_graphs(workspace, rounds)
    yield measure_rerun(workspace, rounds)
    yield measure_first_line(folder, rounds, "submit to first user line, service running", "submit", 0.1)
    yield measure_first_line(
        folder, rounds, "first call to first user line, no service", "workspace", 1.2, prepare=lambda: penstock("service", "stop")
    )
    yield measure_memory("idle memory of the service, after all this")


def quiet() -> contextlib.AbstractContextManager[object]:
    """Keep what the facade prints out of the report."""
    return contextlib.redirect_stdout(io.StringIO())


def measure_starts(rounds: int) -> Iterator[Line]:
    """Yield what imports and the command line cost, beside a bare interpreter."""
    commands = {
        "bare": [sys.executable, "-c", "pass"],
        "import of azureml.core, pipeline.core, pipeline.steps": [sys.executable, "-c", IMPORTS],
        "import of ten usual names of these": [sys.executable, "-c", NAMES],
        "penstock --help": [str(Path(sys.executable).parent / "penstock"), "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(2 * rounds + 1):
        for name, command in commands.items():
            times[name].append(timed(lambda command=command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)))
    bare = statistics.median(times.pop("bare"))
    for name, values in times.items():
        yield Line(name, statistics.median(values), "s", bare=bare, budget=0.15)


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare_seconds(stages: list[int]) -> float:
    """Return how long the same scripts take when they are started directly, stage after stage, at the same parallelism."""
    command = [sys.executable, str(ROOT / "benchmarks" / "steps" / "nothing.py")]

    def start(number: int) -> None:
        subprocess.run([*command, str(number)], check=True)

    with ThreadPoolExecutor(PARALLEL) as pool:
        began = time.perf_counter()
        for width in stages:
            list(pool.map(start, range(width)))
        return time.perf_counter() - began


def measure_graphs(workspace: object, rounds: int) -> Iterator[Line]:
    """Yield the cost of a chain and of a fan, in turns with the same scripts started bare."""
    from benchmarks import pipelines

    with quiet():
        target = pipelines.compute_target(workspace, PARALLEL)
    shapes = {
        f"chain of {CHAIN} steps": (lambda: pipelines.chain(workspace, target, CHAIN), [1] * CHAIN, CHAIN),
        f"1 to {FAN} to 1 steps at parallelism {PARALLEL}": (
            lambda: pipelines.fan(workspace, target, FAN),
            [1, FAN, 1],
            2 + FAN / PARALLEL,
        ),
    }
    ours: dict[str, list[float]] = {name: [] for name in shapes}
    bare: dict[str, list[float]] = {name: [] for name in shapes}
    for _ in range(rounds):
        for name, (build, stages, _) in shapes.items():
            bare[name].append(bare_seconds(stages))
            with quiet():
                ours[name].append(pipelines.run_seconds(workspace, build())[0])
    for name, (_, _, turns) in shapes.items():
        mine, other = statistics.median(ours[name]), statistics.median(bare[name])
        yield Line(name, mine, "s", bare=other)
        yield Line("  a step's own cost in it", 1000 * (mine - other) / turns, "ms", budget=15, note="(ours - bare) / steps in a row")


def measure_rerun(workspace: object, rounds: int) -> Line:
    """Return how long the engine takes for a pipeline that it can reuse whole."""
    from benchmarks import pipelines

    times = []
    with quiet():
        target = pipelines.compute_target(workspace, PARALLEL)
        pipelines.run_seconds(workspace, pipelines.fan(workspace, target, RERUN - 2, allow_reuse=True))
        for _ in range(rounds):
            _, run = pipelines.run_seconds(workspace, pipelines.fan(workspace, target, RERUN - 2, allow_reuse=True))
            times.append(pipelines.engine_seconds(run))
    return Line(f"unchanged rerun of {RERUN} steps, in the engine", statistics.median(times), "s", budget=0.5)


def measure_first_line(
    folder: Path, rounds: int, name: str, since: str, budget: float, prepare: Callable[[], object] = lambda: None
) -> Line:
    """Return how long it takes until a submitted step's first line runs."""
    times = []
    for number in range(rounds):
        prepare()
        command = [sys.executable, "-m", "benchmarks.first_line", str(folder / f"{since}-{number}"), since]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        times.append(float(done.stdout.split()[-1]))
    return Line(name, statistics.median(times), "s", budget=budget)


def measure_memory(name: str) -> Line:
    """Return the resident memory of the service."""
    import psutil

    from penstock.client import connect

    pid = connect().service_info()["pid"]
    return Line(name, psutil.Process(pid).memory_info().rss / 2**20, "MiB", budget=90)


SECTIONS = {
    "pipelines": measure_pipelines,
    "data": data.measure,
    "runs": runs.measure,
    "publishing": publishing.measure,
    "schedules": schedules.measure,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
