"""Schedules of a real service: it stays for them, and when it dies they go on where they were."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import kill_service, wait_until

from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from penstock.operations.context import utc_now

ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "25"))
MONTHLY = {"frequency": "Month", "interval": 1}
PATIENCE_SECONDS = 120.0


class Scheduled:
    """A published pipeline that writes a line, and schedules of it."""

    def __init__(self, workspace: Any, folder: Path, ledger: Path) -> None:
        self.client, self.workspace_id, self.ledger = workspace._client, workspace._id, ledger
        step = PythonScriptStep("note.py", "note", [str(ledger)], "local", source_directory=str(folder), allow_reuse=False)
        self.pipeline_id = Pipeline(workspace, [step]).publish(name="noted").id

    def create(self, recurrence: dict[str, Any], **more: Any) -> str:
        submission = {"experiment_name": "nightly"}
        about = {"pipeline_id": self.pipeline_id, "recurrence": recurrence, **more}
        return str(self.client.create_schedule(self.workspace_id, "monthly", submission, **about)["id"])

    def ticks(self, schedule_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.list_schedule_ticks(self.workspace_id, schedule_id)
        return found[::-1]

    def ended_runs(self, schedule_id: str) -> list[dict[str, Any]]:
        runs = [self.client.get_run(tick["run_id"]) for tick in self.ticks(schedule_id) if tick["run_id"]]
        return [run for run in runs if run["status"] == "Completed"]

    def notes(self) -> list[str]:
        return self.ledger.read_text().split() if self.ledger.exists() else []


@pytest.fixture
def scheduled(workspace: Any, scripts: Callable[..., Path], tmp_path: Path) -> Scheduled:
    note = "import os, sys; open(sys.argv[1], 'a').write(os.environ['AZUREML_RUN_ID'] + '\\n')"
    return Scheduled(workspace, scripts(note=note), tmp_path / "ledger")


def let_it_be_due_since(home: Path, schedule_id: str, moment: str) -> None:
    """Turn a schedule back, as if no service had run since then."""
    with contextlib.closing(sqlite3.connect(home / "penstock.db", timeout=30)) as rows, rows:
        rows.execute("update schedules set next_at = ? where id = ?", (moment, schedule_id))


def test_the_service_stays_for_an_active_schedule_and_runs_it(scheduled: Scheduled) -> None:
    schedule_id = scheduled.create(MONTHLY)
    wait_until(lambda: scheduled.ended_runs(schedule_id), PATIENCE_SECONDS)
    assert len(scheduled.notes()) == 1
    wait_until(lambda: "schedules" in str(scheduled.client.service_info()["stays"]))
    scheduled.client.update_schedule(scheduled.workspace_id, schedule_id, status="Disabled")
    wait_until(lambda: "schedules" not in str(scheduled.client.service_info()["stays"]))


def test_what_was_missed_while_no_service_ran_is_made_up_for(scheduled: Scheduled, home: Path) -> None:
    schedule_id = scheduled.create({**MONTHLY, "start_time": "2020-01-31T08:00:00"})
    kill_service(home)
    let_it_be_due_since(home, schedule_id, "2020-01-31T08:00:00.000000Z")
    wait_until(lambda: scheduled.ended_runs(schedule_id), PATIENCE_SECONDS)
    skipped, made_up = scheduled.ticks(schedule_id)
    assert (skipped["outcome"], skipped["due_at"][:10], made_up["outcome"]) == ("Skipped", "2020-01-31", "Submitted")
    assert skipped["missed_count"] > 50
    assert "made up for" in made_up["reason"]


def survive(scheduled: Scheduled, home: Path, kills: int, count: int) -> None:
    """Kill the service at random moments while it makes up for so many ticks; see that each has one run, which ran once."""
    chance = random.Random(kills)  # noqa: S311
    since = f"{datetime.now(timezone.utc) - timedelta(days=20 * count - 10):%Y-%m-%dT%H:%M:%S}"
    schedule_id = scheduled.create({"frequency": "Day", "interval": 20, "start_time": since}, catch_up="all")
    kill_service(home)
    let_it_be_due_since(home, schedule_id, f"{since}.000000Z")
    for _ in range(kills):
        scheduled.client.service_info()
        time.sleep(chance.random() ** 3 * 0.5)
        kill_service(home)
    wait_until(lambda: scheduled.client.get_schedule(scheduled.workspace_id, schedule_id)["next_at"] > utc_now(), PATIENCE_SECONDS)
    ticks = scheduled.ticks(schedule_id)
    assert {tick["outcome"] for tick in ticks} == {"Submitted"}
    wait_until(lambda: len(scheduled.ended_runs(schedule_id)) == len(ticks), PATIENCE_SECONDS)
    started = {tick["run_id"] for tick in ticks}
    assert len(started) == len(ticks) == count
    assert {run["id"] for run in scheduled.client.list_runs_of_schedule(scheduled.workspace_id, schedule_id)} == started
    assert set(Counter(scheduled.notes()).values()) == {1}
    assert len(scheduled.notes()) == len(ticks)


def test_a_killed_service_leaves_no_tick_out_and_does_none_twice(scheduled: Scheduled, home: Path) -> None:
    survive(scheduled, home, 3, 15)


@pytest.mark.long
def test_a_service_that_is_killed_again_and_again(scheduled: Scheduled, home: Path) -> None:
    survive(scheduled, home, ROUNDS, 200)
