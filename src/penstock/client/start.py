"""Finding the local service, or starting it: one per home folder, even when ten scripts start at once."""

from __future__ import annotations

import os
import sys
import time
from typing import IO, TYPE_CHECKING, Dict

from penstock.model.errors import Unavailable

if TYPE_CHECKING:
    from penstock.client.home import Home

START_SECONDS = 30.0
READY = "ready"


class StartedInVain(Unavailable):
    """A service was started and died without a word: it was killed, say. Another try may well succeed."""


def ensure_service(home: Home) -> None:
    """Return when the service of this home folder answers; start it if none does.

    Raises:
        Unavailable: It did not start; the message says why (full disk, unreadable folder, database of a newer version ...).
    """
    _refuse_windows()
    if is_answering(home):
        return
    home.create()
    import fcntl

    try:
        lock = open(home.start_lock, "a")  # noqa: SIM115 - closed below; whoever holds it is the one that starts the service
    except OSError as error:
        raise Unavailable(
            f"The home folder {home.path} can't be used: {error.strerror}. Mend its permissions, or set PENSTOCK_HOME."
        ) from error
    with lock:
        _wait_for(lock, fcntl)
        if not is_answering(home):
            _start(home)


def _refuse_windows() -> None:
    if sys.platform == "win32":
        raise Unavailable("Penstock needs Linux or macOS; on Windows run it inside WSL (wsl --install).")


def is_answering(home: Home) -> bool:
    """Tell whether something accepts connections at the home folder's socket."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(home.socket))
        except OSError:
            return False
        return True


def _wait_for(lock: IO[str], fcntl: object) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[attr-defined]
            return
        except OSError:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Another process has been starting the service for {START_SECONDS:.0f} seconds: {lock.name} is locked."
                ) from None
            time.sleep(0.01)


def _start(home: Home) -> None:
    """Start a service that outlives this process, and wait for its first word."""
    import subprocess

    command = [os.environ.get("PENSTOCK_SERVICE_PYTHON") or sys.executable, "-m", "penstock.serve", str(home.path)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=str(home.path),
        env=_own_environment(),
        start_new_session=True,
        universal_newlines=True,
    )
    assert process.stdout is not None
    words = _first_words(process.stdout)
    process.stdout.close()
    process.wait()  # it has left a child that goes on: see `detach`
    if words.strip() != READY:
        log = f" Its log is {home.service_log}." if home.service_log.exists() else ""
        if not words.strip():
            raise StartedInVain(f"The service of {home.path} ended before it was ready.{log}")
        raise Unavailable(words.strip())


def detach() -> None:
    """Let the starter go on without us: leave a child in our place, which nobody but the system's first process is the parent of.

    Otherwise a service that a step started would be found among the step's children, and end with them.
    """
    if os.fork():
        os._exit(0)


def _own_environment() -> Dict[str, str]:
    """Return our environment without what makes a process part of a step: a service that a step starts is not the step's."""
    private = ("AZUREML_", "AML_PARAMETER_", "PENSTOCK_ATTEMPT", "PENSTOCK_RUN_FOLDER", "MLFLOW_")
    return {name: value for name, value in os.environ.items() if not name.startswith(private)}


def _first_words(output: IO[str]) -> str:
    """Return what the service says: 'ready', or all of its complaint."""
    first = output.readline()
    return first if first.strip() == READY else first + output.read()
