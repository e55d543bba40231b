"""What concerns schedules: how late a tick starts its run, and what many schedules cost while nothing is due."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.report import Line

SCHEDULES, AT_ONCE, WATCHED_SECONDS = 10_000, 100, 30.0
FAR_AWAY = {"frequency": "Day", "interval": 1, "start_time": "2090-01-01T00:00:00", "time_zone": "W. Europe Standard Time"}
_THREADS = 4
_LEAD_SECONDS = 3.0  # between the making of a schedule and its tick


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield the lines of the section, each when it is known."""
    from azureml.core import Workspace
    from benchmarks import pipelines
    from benchmarks.__main__ import PARALLEL, quiet

    with quiet():
        workspace = Workspace.from_config()
        published = pipelines.chain(workspace, pipelines.compute_target(workspace, PARALLEL), 1).publish(name="scheduled")
    work = _Work(workspace, published.id)
    bare = work.idle_percent()
    many = int(SCHEDULES * data.SCALE)
    began = time.perf_counter()
    work.create([FAR_AWAY] * many)
    yield Line(f"making {many} schedules, each", 1000 * (time.perf_counter() - began) / many, "ms")
    yield Line(f"{many} schedules, nothing due: share of one core", work.idle_percent(), "%", bare=bare, budget=1)
    alone = [work.delays(1) for _ in range(max(3, rounds))]
    yield Line("a tick to the row of its run", statistics.median(late[0] for late, _ in alone), "s", budget=1)
    yield Line("  to the start of its first step", statistics.median(steps[0] for _, steps in alone), "s")
    together, _ = work.delays(AT_ONCE)
    yield Line(f"{AT_ONCE} ticks in the same second: median", statistics.median(together), "s")
    yield Line("  the last of them", max(together), "s", budget=1)


class _Work:
    """Schedules of one published pipeline."""

    def __init__(self, workspace: Any, pipeline_id: str) -> None:
        self._client, self._workspace_id, self._pipeline_id = workspace._client, workspace._id, pipeline_id

    def create(self, recurrences: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make schedules; return them."""

        def create(recurrence: dict[str, Any]) -> dict[str, Any]:
            about = {"pipeline_id": self._pipeline_id, "recurrence": recurrence}
            made: dict[str, Any] = self._client.create_schedule(self._workspace_id, "s", {"experiment_name": "scheduled"}, **about)
            return made

        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(create, recurrences))

    def idle_percent(self) -> float:
        """Return which share of a core the service takes while nobody asks it anything."""
        import psutil

        service = psutil.Process(self._client.service_info()["pid"])
        time.sleep(1.0)
        before = sum(service.cpu_times()[:2])
        time.sleep(WATCHED_SECONDS)
        return 100 * (sum(service.cpu_times()[:2]) - before) / WATCHED_SECONDS

    def delays(self, count: int) -> tuple[list[float], list[float]]:
        """Let schedules be due in the same second; return how many seconds later they had runs, and first steps."""
        due = datetime.now(timezone.utc) + timedelta(seconds=_LEAD_SECONDS)
        made = self.create([{"frequency": "Month", "interval": 1, "start_time": due.isoformat()}] * count)
        ticks = [self._await_tick(schedule) for schedule in made]
        rows = [_seconds_between(tick["due_at"], tick["at"]) for tick in ticks]
        return rows, [_seconds_between(tick["due_at"], self._await_step(tick["run_id"])) for tick in ticks[:1]]

    def _await_tick(self, schedule: dict[str, Any]) -> dict[str, Any]:
        while not (ticks := self._client.list_schedule_ticks(self._workspace_id, schedule["id"])):
            time.sleep(0.2)
        tick: dict[str, Any] = ticks[0]
        return tick

    def _await_step(self, run_id: str) -> str:
        """Return when the first step of a run began."""
        while not (begun := [step["started_at"] for step in self._client.list_children(run_id) if step["started_at"]]):
            time.sleep(0.1)
        return min(begun)


def _seconds_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second.replace("Z", "+00:00")) - datetime.fromisoformat(first.replace("Z", "+00:00"))).total_seconds()
