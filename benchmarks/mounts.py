"""How soon a step starts that mounts a local folder, a large one beside a small one."""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.data import SCALE
from benchmarks.report import Line

LARGE_FILES, FILE_MEGABYTES = 32, 64
AS_FAST = 1.25  # times the start with a small folder: what two medians of the same differ by


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield how long it takes from the submission to the script's first line."""
    from azureml.core import Datastore, Workspace

    megabytes = write_folders(folder / "mounted")
    with contextlib.redirect_stdout(io.StringIO()):
        store = Datastore.register_local(Workspace.from_config(), "bench", str(folder / "mounted"))
        start_seconds(store, "small", folder / "small")
        first = start_seconds(store, "large", folder / "large")
        times: dict[str, list[float]] = {"small": [], "large": []}
        for number in range(rounds):
            for name, values in times.items():
                values.append(start_seconds(store, name, folder / f"{name}-{number}"))
    small, large = (statistics.median(times[name]) for name in ("small", "large"))
    what = f"a mounted folder of {megabytes:.0f} MiB"
    yield Line(f"submit to first user line with {what}, new to us", first, "s", note="it is read while the step runs")
    yield Line(f"submit to first user line with {what}", large, "s", bare=small, budget_ratio=AS_FAST, note="bare: a folder of 2 KiB")


def write_folders(top: Path) -> float:
    """Write a small and a large folder; return how many MiB the large one has."""
    for name, count, size in (("small", 2, 1024), ("large", max(int(LARGE_FILES * SCALE), 1), FILE_MEGABYTES * 2**20)):
        (top / name).mkdir(parents=True)
        for number in range(count):
            with open(top / name / f"{number}.bin", "wb") as file:
                file.write(f"{name} {number}".encode())
                file.truncate(size)
    return max(int(LARGE_FILES * SCALE), 1) * FILE_MEGABYTES


def start_seconds(store: Any, name: str, clock: Path) -> float:
    """Run a step that mounts a folder and writes down when it began; return how long that took."""
    from azureml.core import Dataset, Experiment
    from azureml.pipeline.core import Pipeline
    from azureml.pipeline.steps import PythonScriptStep
    from benchmarks.pipelines import STEPS

    data = Dataset.File.from_files((store, name)).as_named_input("data").as_mount()
    step = PythonScriptStep("clock.py", arguments=[str(clock), data], compute_target="local", source_directory=STEPS, allow_reuse=False)
    pipeline = Pipeline(store.workspace, steps=[step])
    began = time.time()
    Experiment(store.workspace, "bench").submit(pipeline).wait_for_completion(show_output=False)
    return float(clock.read_text()) - began
