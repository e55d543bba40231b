"""Environments through crashes: whatever is killed while they are built, the run ends well, and nothing half-built is used."""

from __future__ import annotations

import contextlib
import os
import random
import time
from pathlib import Path

import psutil
import pytest
from tests.acceptance.test_environment_builds import PROBE, builds, make_environment, processes_that_build, submit, wait
from tests.conftest import kill_service, wait_until
from tests.parts.packages import Index

from penstock.cli.main import main
from penstock.client import connect

pytestmark = pytest.mark.long
ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "10"))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_whatever_is_killed_the_run_ends_well(index: Index, workspace, home: Path, scripts, seed: int):
    chance = random.Random(seed)  # noqa: S311
    slow = index.add_slow("probe")
    steps = chance.choice([1, 3, 20])
    run = submit(workspace, scripts(step=PROBE), {f"s{number}": make_environment("probe") for number in range(steps)})
    for _ in range(chance.choice([1, 2, 3])):
        time.sleep(chance.random())
        end_service(index, home, chance)
        connect().get_run(run.id)  # the next service
    slow.open()
    assert wait(run) == "Finished"
    wait_until(lambda: not processes_that_build(index))
    assert [build["status"] for build in builds()] == ["Succeeded"]
    assert [folder.name for folder in (home / "environments").iterdir() if folder.is_dir()] == [builds()[0]["key"]]


def end_service(index: Index, home: Path, chance: random.Random) -> None:
    """End a service in one of three ways: its builders live on, are killed with it, or are ended by it."""
    way = chance.choice(["killed", "all killed", "stopped"])
    if way == "stopped":
        assert main(["service", "stop"]) == 0
        wait_until(lambda: not processes_that_build(index))
        return
    kill_service(home)
    for process in processes_that_build(index) if way == "all killed" else ():
        with contextlib.suppress(psutil.Error):
            process.kill()
