"""The keeper: parent of all step processes of a home folder. `python -m penstock.engine.executors.keeper HOME`.

It is a process of its own so that steps and the record of their ends do not depend on the service's life: a service may be killed at any
moment, the next one finds the keeper at work. It decides nothing. Attempt folders come in through a named pipe, one on a line; for
each a thread prepares the working directory, runs the script, waits, and writes down how it ended. With no attempt left and no
service it leaves.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

from penstock.client.home import Home
from penstock.engine.executors.attempts import (
    LOG,
    REMOVE,
    Abandoned,
    check_wanted,
    clear_up,
    collect,
    end_container,
    has_container,
    hold,
    prepare,
    publish,
    script_error,
    system_error,
    withdraw,
    write_fields,
)
from penstock.model.fields import load

IDLE_SECONDS = 5.0
LEAVE = "leave"


class Keeper:
    """Runs attempts until nobody needs it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._threads: list[threading.Thread] = []

    def serve(self, pipe: int) -> None:
        """Take attempts from the pipe."""
        rest = b""
        while True:
            ready, _, _ = select.select([pipe], [], [], IDLE_SECONDS)
            lines = (rest + os.read(pipe, 65536)).split(b"\n") if ready else [rest]
            rest = lines.pop()
            leaving = LEAVE.encode() in lines
            for line in lines:
                if line and line != LEAVE.encode():
                    self._begin(Path(os.fsdecode(line)))
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if not self._threads and (leaving or (not ready and self._is_alone())):
                return

    def _begin(self, attempt: Path) -> None:
        thread = threading.Thread(target=run_attempt, args=(self.home, attempt), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _is_alone(self) -> bool:
        """Tell whether no service lives: its lock is free."""
        try:
            with open(self.home.service_lock) as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def run_attempt(home: Home, attempt: Path) -> None:
    """Run one attempt to its end, unless it was given up."""
    with hold(attempt):
        if (attempt / "abandoned").exists() or (attempt / "started").exists():
            _wake(home)
            return
        order = load(str(attempt / "order"))
        folder = Path(order["folder"][0])
        try:
            record = _run(order, attempt, folder)
        except Abandoned:
            record = {"signal": [str(int(signal.SIGTERM))]}
        except OSError as error:
            record = {"error": system_error(error)}
        except Exception as error:  # whatever it is, the step's end must be told
            record = {"error": ["KeeperError", f"{type(error).__name__}: {error}", traceback.format_exc()]}
        record.setdefault("ended_at", [repr(time.time())])
        withdraw(order, folder)
        _write_exit(attempt, record)
    _wake(home)
    clear_up(folder)


def _run(order: dict[str, list[str]], attempt: Path, folder: Path) -> dict[str, list[str]]:
    """Prepare, start, wait, collect; return the exit record."""
    work = folder / "work"
    environment = dict(zip(order["environment"][::2], order["environment"][1::2], strict=True))
    write_fields(attempt, "started", {"keeper": [str(os.getpid())]})
    (attempt / "order").unlink()  # it holds the environment, and with it whatever secrets the user's shell had
    prepare(order, attempt, work)
    check_wanted(attempt)
    with open(folder / LOG, "ab") as log:
        process = subprocess.Popen(
            order["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=work, start_new_session=True
        )
    with contextlib.suppress(OSError):  # a full disk: then the script is found by its mark alone
        write_fields(attempt, "started", {"keeper": [str(os.getpid())], "child": [str(process.pid)]})
    code = process.wait()
    record = {"ended_at": [repr(time.time())]}
    with contextlib.suppress(OSError):  # what the script left running in its group ends with it
        os.killpg(process.pid, signal.SIGKILL)
    if has_container(attempt):
        end_container(attempt, REMOVE)  # it goes on where only the process that started it was killed
        code = _unwrap(code)
    record.update({"signal": [str(-code)]} if code < 0 else {"exit_code": [str(code)]})
    record.update(_results(order, attempt, folder, record))
    return record


def _unwrap(code: int) -> int:
    """Return how a container's process ended, as of one of our own: engines tell of a signal as shells do."""
    return 128 - code if code - 128 in set(signal.Signals) else code


def _results(order: dict[str, list[str]], attempt: Path, folder: Path, record: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what the script left: its outputs when it ended well, else its exception."""
    try:
        collect(folder)
        if record.get("exit_code") == ["0"]:
            return {"outputs": publish(order, attempt, folder / "work")}
    except OSError as error:
        return {"error": system_error(error)}
    error_record = script_error(attempt)
    return {"error": error_record} if error_record else {}


def _write_exit(attempt: Path, record: dict[str, list[str]]) -> None:
    """Write the exit record; on a full disk as soon as there is room, as without it the step's end would be lost."""
    while True:
        try:
            write_fields(attempt, "exit", record)
            return
        except OSError:
            time.sleep(1.0)
            if not attempt.is_dir():
                return


def _wake(home: Home) -> None:
    with contextlib.suppress(OSError):  # no service now: the next one finds the record
        pipe = os.open(home.wake, os.O_WRONLY | os.O_NONBLOCK)
        os.write(pipe, b"\n")
        os.close(pipe)


def open_pipe(home: Home) -> int:
    """Return the reading end of the keeper's pipe."""
    path = home.keeper_pipe
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)  # RDWR: without a writer it must not report its end


def main() -> int:
    """Keep the steps of a home folder; a second keeper leaves at once."""
    if os.fork():  # as `penstock.client.start.detach`: whoever started us is not our parent
        return 0
    home = Home(Path(sys.argv[1]))
    with open(home.keeper_lock, "a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        pipe = open_pipe(home)
        print("ready", flush=True)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        Keeper(home).serve(pipe)
    return 0


if __name__ == "__main__":
    sys.exit(main())
