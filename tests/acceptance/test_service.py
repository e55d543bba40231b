"""The local service: one per home folder, started by whoever needs it, honest about what it can't do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.conftest import end_processes, kill_service, processes_of, wait_until

from penstock.client import connect
from penstock.client.client import Client
from penstock.client.home import Home
from penstock.model.errors import Unavailable


def services_of(home: Path) -> list[psutil.Process]:
    return processes_of(home, "penstock.serve")


def test_ten_scripts_that_start_at_once_share_one_service(home: Path):
    code = "from penstock.client import connect; print(connect().service_info()['pid'])"
    scripts = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(10)]
    pids = {script.communicate(timeout=60)[0].strip() for script in scripts}
    assert len(pids) == 1
    assert [str(process.pid) for process in services_of(home)] == list(pids)


def test_only_its_owner_reaches_it(home: Path):
    connect().service_info()
    assert stat.S_IMODE((home / "service.sock").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_killed_service_is_started_again_by_the_next_call(home: Path):
    first = connect().service_info()["pid"]
    kill_service(home)
    second = connect().service_info()["pid"]
    assert first != second


def test_a_service_whose_socket_is_gone_makes_room_for_another(home: Path):
    first = connect().service_info()["pid"]
    (home / "service.sock").unlink()
    second = Client(Home(home)).service_info()["pid"]  # a new connection, as another script makes it
    assert first != second
    wait_until(lambda: [process.pid for process in services_of(home)] == [second])


def test_two_spellings_of_a_home_are_one(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    first = connect().service_info()["pid"]
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "link"))
    assert connect().service_info()["pid"] == first


def test_a_service_that_dies_while_it_starts_is_started_again(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flag, python = tmp_path / "died", tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ -e {flag} ] || {{ touch {flag}; kill -9 $$; }}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PENSTOCK_SERVICE_PYTHON", str(python))
    assert connect().service_info()["home"] == str(home)
    assert flag.exists(), "the first start died"


def test_services_that_end_leave_no_zombies(home: Path):
    for _ in range(3):
        connect().service_info()
        kill_service(home)
    ours = psutil.Process().children()
    assert [child for child in ours if child.status() == psutil.STATUS_ZOMBIE] == []


def test_it_leaves_when_idle_and_takes_its_keeper_along(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PENSTOCK_IDLE_SECONDS", "0.5")
    connect().service_info()
    wait_until(lambda: not processes_of(home))
    assert "service.stopped reason=idle" in (home / "service.log").read_text()


def test_it_stays_while_a_step_runs(workspace, home: Path, scripts, monkeypatch: pytest.MonkeyPatch):
    from azureml.core import Experiment
    from azureml.pipeline.core import Pipeline
    from azureml.pipeline.steps import PythonScriptStep

    connect().stop_service()
    wait_until(lambda: not services_of(home))
    monkeypatch.setenv("PENSTOCK_IDLE_SECONDS", "0.5")
    step = PythonScriptStep("slow.py", compute_target="local", source_directory=str(scripts(slow="import time; time.sleep(2)")))
    run = Experiment(workspace, "idle").submit(Pipeline(workspace, [step]))
    pid = connect().service_info()["pid"]
    time.sleep(1.5)
    assert [process.pid for process in services_of(home)] == [pid]
    wait_until(lambda: not processes_of(home))
    assert run.get_status() == "Finished"


def test_a_home_with_a_long_path_works(home: Path, monkeypatch: pytest.MonkeyPatch):
    long = home / ("x" * 60) / ("y" * 60)
    monkeypatch.setenv("PENSTOCK_HOME", str(long))
    try:
        assert connect().service_info()["home"] == str(long)
    finally:
        connect().stop_service()
        wait_until(lambda: not processes_of(long))
        end_processes(long)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(home: Path):
    Home(home).create()
    with contextlib.closing(sqlite3.connect(home / "penstock.db")) as database:
        database.execute("pragma user_version = 99")
    before = (home / "penstock.db").read_bytes()
    with pytest.raises(Unavailable, match=r"newer version of Penstock \(schema 99.*Upgrade Penstock"):
        connect().service_info()
    assert (home / "penstock.db").read_bytes() == before


def test_a_damaged_database_is_named(home: Path):
    Home(home).create()
    (home / "penstock.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(Unavailable, match=r"penstock\.db is damaged"):
        connect().service_info()


def test_a_home_that_can_not_be_made_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / "file").write_text("")
    monkeypatch.setenv("PENSTOCK_HOME", str(home / "file" / "below"))
    with pytest.raises(Unavailable, match=r"file/below can't be used.*PENSTOCK_HOME"):
        connect().service_info()


def test_a_bad_setting_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PENSTOCK_STEP_SLOTS", "many")
    with pytest.raises(Unavailable, match="'step_slots' must be a whole number above 0, not 'many'"):
        connect().service_info()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 6 MB."""
    folder = Path(f"/tmp/ps-small-{os.getpid()}")  # noqa: S108 - short, and ours by its number
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("this machine does not let us mount a small file system")
    try:
        yield folder
    finally:
        end_processes(folder / "home")
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


def fill(path: Path) -> None:
    """Write a file until there is no room."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"0" * 4096):
            pass


def make_many(client: Client, workspace_id: str) -> None:
    for number in range(2000):
        client.ensure_experiment(workspace_id, f"during{number}")


def test_a_full_disk_is_named_and_nothing_is_lost(small_disk: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PENSTOCK_HOME", str(small_disk / "home"))
    client: Client = connect()
    workspace = client.default_workspace()
    client.ensure_experiment(workspace["id"], "before")
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(Unavailable, match="full"):
        make_many(client, workspace["id"])
    assert "before" in [item["name"] for item in client.list_experiments(workspace["id"])], "what was written stays readable"
    filler.unlink()
    assert client.ensure_experiment(workspace["id"], "after")["name"] == "after", "with room again it goes on by itself"
