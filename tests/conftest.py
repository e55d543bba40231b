"""What all suites share: a home folder of their own, and small pipelines written as users write them."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.parts.azurite",
    "tests.parts.loopback",
    "tests.parts.packages",
    "tests.parts.postgres",
    "tests.parts.s3",
    "tests.parts.web",
]

# How long an example takes tells how busy the machine is. The same examples each time, so that a commit passes or does not;
# `--hypothesis-profile=roaming` looks at others.
settings.register_profile("roaming", deadline=None)
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# What the shell that starts the tests has set for its own services and runs is not for theirs.
for _name in list(os.environ):
    if _name.startswith(("PENSTOCK_", "AZUREML_")) and _name not in ("PENSTOCK_HOME", "PENSTOCK_AZURITE", "PENSTOCK_TEST_ROUNDS"):
        del os.environ[_name]
os.environ.pop("COLUMNS", None)  # tables are as wide as for a pipe

# Nor is a proxy to the world the way to what the tests serve themselves.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1", "localhost"]))

# A shell without job control lets what it starts in the background ignore interrupts, and all that is started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A service that a test left behind (the test process was killed, say) ends itself soon.
os.environ["PENSTOCK_IDLE_SECONDS"] = "120"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder for one test; whatever runs there ends with it."""
    with tempfile.TemporaryDirectory(prefix="ps", ignore_cleanup_errors=True) as folder:  # short: sockets have short paths
        monkeypatch.setenv("PENSTOCK_HOME", folder)
        for name in ("AZUREML_RUN_ID", "PENSTOCK_RUN_FOLDER"):
            monkeypatch.delenv(name, raising=False)
        try:
            yield Path(folder)
        finally:
            end_processes(Path(folder))


def end_processes(home: Path) -> None:
    """End the service, the keeper and the steps of a home folder, and nothing else."""
    for process in processes_of(home):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
            process.kill()
    psutil.wait_procs(processes_of(home), timeout=5)


def processes_of(home: Path, named: str = "") -> list[psutil.Process]:
    """Return the processes that a home folder's service started, itself included; with `named`, those whose command line holds that."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if process.pid == os.getpid() or named not in " ".join(words):
                continue
            if (
                str(home) in words
                or process.environ().get("PENSTOCK_RUN_FOLDER", "").startswith(str(home))
                or process.cwd().startswith(f"{home}{os.sep}environments{os.sep}")
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def kill_service(home: Path) -> int:
    """Send SIGKILL to a home folder's service; return its process id, 0 when none ran."""
    try:
        pid = int((home / "service.lock").read_text() or 0)
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return 0
    return pid


@pytest.fixture
def workspace(home: Path):
    """The default workspace of a fresh home folder."""
    from azureml.core import Workspace

    return Workspace.get("testing", subscription_id="sub", resource_group="group")


@pytest.fixture
def scripts(tmp_path: Path) -> Callable[..., Path]:
    """Write scripts into a source folder: scripts(train="print(1)") gives the folder with train.py."""

    def write(**sources: str) -> Path:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        for name, text in sources.items():
            (folder / f"{name}.py").write_text(text)
        return folder

    return write


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return as soon as the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
