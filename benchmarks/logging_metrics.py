"""What metrics cost: logged in a step, a million of them; logged while the service is killed; read again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.data import SCALE
from benchmarks.report import Line

CALLS, KILLED_CALLS, POINTS, NAMES = 1_000_000, 300_000, 100_000, 10
CALL_MICROSECONDS, GROWN_MIB, READ_SECONDS = 20, 1, 1
KILL_EVERY_SECONDS = 0.3


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield what it costs to log metrics and to read them."""
    from azureml.core import Workspace
    from benchmarks.__main__ import quiet

    with quiet():
        workspace = Workspace.from_config()
    yield from measure_logging(workspace, folder)
    yield measure_loss(workspace, folder)
    yield measure_reading(workspace, rounds)


def measure_logging(workspace: Any, folder: Path) -> Iterator[Line]:
    """Yield the cost of a call of `run.log` in a step, beside that of a line of JSON, and the memory of the step."""
    count = max(int(CALLS * SCALE), 1000)
    run, result = submit(workspace, folder / "logged", count, "bare")
    wait(run)
    found = json.loads(result.read_text())
    note = "bare: a line of JSON, written"
    yield Line(f"run.log in a step, each of {count} calls", found["each"], "us", bare=found["bare"], budget=CALL_MICROSECONDS, note=note)
    yield Line("  growth of the step's memory meanwhile", found["grown"], "MiB", budget=GROWN_MIB)
    yield Line("  calls that get_metrics does not return", float(count - stored(run)), "", budget=0)


def measure_loss(workspace: Any, folder: Path) -> Line:
    """Return how many metrics are lost when the service is killed again and again while a step logs them."""
    count = max(int(KILLED_CALLS * SCALE), 1000)
    run, result = submit(workspace, folder / "killed", count)
    while not Path(f"{result}.begun").exists():
        time.sleep(0.005)
    kills = 0
    while not result.exists():
        kills += kill_service()
        time.sleep(KILL_EVERY_SECONDS)
    wait(run)
    return Line(f"metrics lost of {count}, the service killed {kills} times meanwhile", float(count - stored(run)), "", budget=0)


def submit(workspace: Any, result: Path, count: int, *more: str) -> tuple[Any, Path]:
    """Submit the step that logs; return its run, and where it writes down what it found out."""
    from azureml.core import Experiment
    from azureml.pipeline.core import Pipeline
    from azureml.pipeline.steps import PythonScriptStep
    from benchmarks.__main__ import quiet
    from benchmarks.pipelines import STEPS, compute_target

    with quiet():
        target, arguments = compute_target(workspace, 1), [str(result), str(count), *more]
        step = PythonScriptStep("log_much.py", arguments=arguments, compute_target=target, source_directory=STEPS, allow_reuse=False)
        return Experiment(workspace, "bench").submit(Pipeline(workspace, steps=[step])), result


def wait(run: Any) -> None:
    """Wait for a run, quietly."""
    from benchmarks.__main__ import quiet

    with quiet():
        run.wait_for_completion(show_output=False)


def stored(run: Any) -> int:
    """Return how many of the values come back, in their order."""
    values = next(iter(run.get_children())).get_metrics()["loss"]
    return sum(value == number * 0.5 for number, value in enumerate(values))


def kill_service() -> int:
    """Kill the service of the home folder; return how many there were. The keeper of the steps is another process."""
    try:
        pid = int(Path(os.environ["PENSTOCK_HOME"], "service.lock").read_text() or 0)
    except (OSError, ValueError):
        return 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        wake()
        return 1
    return 0


def wake() -> None:
    """Ask the service something, which starts it again."""
    from penstock.client import connect

    connect().service_info()


def measure_reading(workspace: Any, rounds: int) -> Line:
    """Return how long `get_metrics` takes for many points of one run, beside reading the same lines of JSON from the file."""
    from azureml.core import Experiment
    from benchmarks.__main__ import timed

    count = max(int(POINTS * SCALE), 1000)
    run = Experiment(workspace, "bench").start_logging()
    path = Path(workspace._client.get_run(run.id)["folder"], "metrics.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"kind": "scalar", "step": None, "at": "2026-01-01T00:00:00.000000Z"}
    path.write_text("".join(json.dumps({"name": f"m{number % NAMES}", **record, "value": number * 0.5}) + "\n" for number in range(count)))
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(timed(lambda: [json.loads(line) for line in path.read_bytes().splitlines()]))
        ours.append(timed(run.get_metrics))
    run.complete()
    name = f"get_metrics of a run with {count} points"
    return Line(name, statistics.median(ours), "s", bare=statistics.median(bare), budget=READ_SECONDS)
