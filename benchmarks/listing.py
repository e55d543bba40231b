"""What it costs to look through very many runs: the command as a process, and the question itself."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.data import SCALE
from benchmarks.report import Line

RUNS, EXPERIMENTS, STEPS = 100_000, 10, 4  # of five runs one is a pipeline's, and the others are its steps'
LIST_SECONDS = 0.3
COMMANDS = {
    "": [],
    " --all": ["--all"],
    " --experiment": ["--experiment", "experiment-3"],
    " --status Failed": ["--status", "Failed"],
    " --status Finished --all": ["--status", "Finished", "--all"],
    " --tag, of one run in a thousand": ["--tag", "kind=rare"],
    " --tag --all, of no run": ["--tag", "kind=none", "--all"],
}


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield what `penstock runs` costs over many stored runs, in a home folder of its own."""
    from benchmarks.__main__ import penstock, timed

    before = os.environ["PENSTOCK_HOME"]
    os.environ["PENSTOCK_HOME"] = str(folder / "many-runs")
    try:
        count = fill(Path(os.environ["PENSTOCK_HOME"]), max(int(RUNS * SCALE), 1000))
        penstock("runs")  # starts the service
        bare = statistics.median(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)) for _ in range(rounds))
        for name, words in COMMANDS.items():
            spent = [timed(lambda words=words: penstock("runs", *words)) for _ in range(rounds)]
            note = "bare: a Python that does nothing"
            yield Line(f"penstock runs{name}, of {count} runs", statistics.median(spent), "s", bare=bare, budget=LIST_SECONDS, note=note)
        penstock("service", "stop")
        yield measure_questions(Path(os.environ["PENSTOCK_HOME"]), rounds, count, timed)
    finally:
        os.environ["PENSTOCK_HOME"] = before


def measure_questions(home: Path, rounds: int, count: int, timed: Callable[[Callable[[], object]], float]) -> Line:
    """Return how long the slowest of these questions takes in the service."""
    from penstock.operations import runs

    questions: list[dict[str, Any]] = [
        {},
        {"include_children": True},
        {"experiment_name": "experiment-3"},
        {"status": ["Completed"], "include_children": True},
        {"tags": {"kind": "rare"}},
        {"tags": {"kind": "none"}, "include_children": True},
        {"properties": {"number": "7"}, "include_children": True},
    ]
    with opened(home) as context:
        slowest = max(
            statistics.median(timed(lambda question=question: runs.list_runs(context, limit=20, **question)) for _ in range(rounds))
            for question in questions
        )
    return Line(f"  the slowest question of {len(questions)}, in the service", slowest, "s", note=f"over {count} runs")


def fill(home: Path, count: int) -> int:
    """Store so many runs; return how many."""
    from penstock.operations.experiments import ensure_in
    from penstock.operations.workspaces import resolve_workspace

    with opened(home) as context:
        workspace = resolve_workspace(context, "bench", "bench", "bench")["id"]
        with context.change() as change:
            names = [f"experiment-{number}" for number in range(EXPERIMENTS)]
            experiments = [ensure_in(context, change, workspace, name)["id"] for name in names]
            change.rows.insert("graphs", {"id": "graph", "document": "{}", "created_at": change.at})
            rows = [row(number, workspace, experiments) for number in range(count)]
            change.rows.insert_many("runs", rows)
            change.rows.insert_many("pipeline_runs", [pipeline_row(item) for item in rows if item["parent_run_id"] is None])
            change.rows.insert_many("step_runs", [step_row(item) for item in rows if item["parent_run_id"] is not None])
    return count


@contextlib.contextmanager
def opened(home: Path) -> Iterator[Any]:
    """Give the rows of a home folder."""
    from penstock.client.home import Home
    from penstock.operations.context import Context
    from penstock.persistence.database import Database
    from penstock.settings import Settings

    place = Home(home)
    place.create()
    database = Database(place.database)
    try:
        yield Context(database, place, Settings())
    finally:
        database.close()


def row(number: int, workspace: str, experiments: list[str]) -> dict[str, Any]:
    """Return the run of a number."""
    at = (datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    first = number - number % (STEPS + 1)
    is_pipeline = number == first
    return {
        "id": run_id(number),
        "workspace_id": workspace,
        "experiment_id": experiments[first // (STEPS + 1) % len(experiments)],
        "number": number + 1,
        "type": "azureml.PipelineRun" if is_pipeline else "azureml.StepRun",
        "name": None if is_pipeline else f"step-{number - first}",
        "status": "Failed" if number % 50 == 0 else "Completed",
        "parent_run_id": None if is_pipeline else run_id(first),
        "root_run_id": run_id(first),
        "created_at": at,
        "started_at": at,
        "ended_at": at,
        "target": "cpu",
        "tags": f'{{"kind": "{"rare" if number % 1000 == 0 else "usual"}", "rate": "{number % 7}"}}',
        "properties": f'{{"number": "{number}"}}',
    }


def run_id(number: int) -> str:
    """Return an id that tells nothing about the order."""
    return f"{(number * 0x9E3779B97F4A7C15) % 2**64:016x}-{number:08x}"


def pipeline_row(run: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a run that of a pipeline."""
    return {"run_id": run["id"], "graph_id": "graph"}


def step_row(run: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a run that of a step."""
    own = {"run_id": run["id"], "pipeline_run_id": run["parent_run_id"], "node_id": run["name"]}
    return {**own, "position": 1, "waiting_for": 0, "definition_id": "definition"}
