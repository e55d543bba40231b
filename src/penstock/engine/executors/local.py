"""Steps as processes of this machine.

The keeper (`keeper.py`) is their parent, so neither they nor the record of their ends depend on the service's life. What the service
must know it finds in the attempt's folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil

from penstock.client.home import Home
from penstock.engine.environments import containers
from penstock.engine.executors import Handle, Outcome, Published, StepOrder
from penstock.engine.executors.attempts import (
    CONTAINER,
    LOG,
    MARK,
    REMOVE,
    STOP,
    clear_up,
    collect,
    end_container,
    groups,
    has_container,
    lock,
    read_manifest_file,
    write_fields,
)
from penstock.engine.executors.keeper import LEAVE
from penstock.model.fields import load

_PAUSES = (0.0, 0.1, 0.5)  # before a keeper is started again, in seconds
HAND_OVER_SECONDS = 10.0  # longer than a keeper needs to take a line from its pipe
STOP_TRIES = 20
SAME_START_SECONDS = 10.0  # a process and the record of its start are no further apart


class LocalExecutor:
    """Runs steps on this machine."""

    def __init__(self, home: Home, library: Path) -> None:
        self.home = home
        self._launcher = str(library / "penstock/runtime/launcher.py")
        self._pipe: int | None = None
        self._families: dict[str, Family] = {}
        self._ending: dict[tuple[str, str], threading.Thread] = {}  # what engines are at work on: attempt, stop or remove
        self._handed: dict[str, float] = {}  # when an attempt was put into the keeper's pipe, by our clock

    def open(self) -> None:
        """Make ready, so that the first step starts as quickly as the others."""
        self.start_keeper()

    def close(self) -> None:
        """Let the keeper leave when it has nothing to keep."""
        with contextlib.suppress(OSError):
            self._write(LEAVE)

    # Start

    def start(self, order: StepOrder) -> Handle:
        """Hand an attempt to the keeper; return what finds it again."""
        handle = self.find(order.step_run_id, order.attempt)
        folder, attempt = Path(handle["folder"]), Path(handle["attempt"])
        attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / LOG).parent.mkdir(exist_ok=True)
        (folder / LOG).touch()
        if order.container:
            commands = {STOP: containers.stop_command(order.container), REMOVE: containers.remove_command(order.container)}
            write_fields(attempt, CONTAINER, commands)
        write_fields(attempt, "order", self._fields(order, folder, attempt))
        self._tell_keeper(handle["attempt"])
        self._handed[handle["attempt"]] = time.monotonic()
        return handle

    def find(self, step_run_id: str, attempt: int) -> Handle:
        """Return the handle of an attempt whose start may not have been written down."""
        folder = self.home.run_folder(step_run_id)
        return {"folder": str(folder), "attempt": str(folder / "attempts" / str(attempt)), "mark": f"{step_run_id}/{attempt}"}

    def _fields(self, order: StepOrder, folder: Path, attempt: Path) -> dict[str, list[str]]:
        environment = {**order.environment, MARK: f"{order.step_run_id}/{order.attempt}"}
        return {
            "folder": [str(folder)],
            "blobs": [str(self.home.blobs)],
            "command": self._command(order, attempt),
            "environment": [text for pair in environment.items() for text in pair],
            "files": [part for path, digest, executable in order.files for part in (path, digest, "755" if executable else "644")],
            "folders": list(order.folders),
            "copies": [part for pair in order.copies for part in pair],
            "links": [part for pair in order.links for part in pair],
            "cached": [part for pair in order.cached for part in pair],
            "globs": [part for output in order.outputs for glob in output.globs for part in (output.name, glob)],
            "outputs": [part for output in order.outputs for part in (output.name, output.path, output.upload_from)],
        }

    def _command(self, order: StepOrder, attempt: Path) -> list[str]:
        command = [order.interpreter, self._launcher, str(attempt), order.script, *(order.command or order.arguments)]
        return containers.run_command(replace(order.container, command=command)) if order.container else command

    # The keeper

    def _tell_keeper(self, line: str) -> None:
        """Send the keeper a line; start it when there is none."""
        for pause in _PAUSES:
            try:
                return self._write(line)
            except OSError:  # nobody reads the pipe; or nobody yet, while what is left of a killed keeper holds its lock
                time.sleep(pause)
                self.start_keeper()
        self._write(line)

    def _write(self, line: str) -> None:
        if self._pipe is None:
            self._pipe = os.open(self.home.keeper_pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(self._pipe, os.fsencode(line) + b"\n")
        except OSError:
            os.close(self._pipe)
            self._pipe = None
            raise

    def start_keeper(self) -> None:
        """Start the keeper unless one lives; return when it listens."""
        command = [sys.executable, "-m", "penstock.engine.executors.keeper", str(self.home.path)]
        with open(self.home.service_log, "a") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=self.home.path, start_new_session=True
            )
        assert process.stdout is not None
        process.stdout.readline()  # 'ready', or nothing: another one was quicker, or it can't; the next write tells
        process.stdout.close()
        process.wait()  # it has left a child that goes on

    # Watch

    def poll(self, handle: Handle, thorough: bool = False) -> Outcome | None:
        """Return how an attempt ended, or None while it goes on."""
        attempt = Path(handle["attempt"])
        if (attempt / "exit").exists():
            self._forget(handle)
            return _read_outcome(attempt)
        return self._poll_dead(handle, attempt) if thorough else None

    def _poll_dead(self, handle: Handle, attempt: Path) -> Outcome | None:
        """Tell what became of an attempt that nobody may be working on any more."""
        if not attempt.is_dir():
            return Outcome(began=False, lost="it was never handed to the keeper")
        with lock(attempt) as mine:
            if not mine:
                return None
            if (attempt / "exit").exists():
                return _read_outcome(attempt)
            if self._is_on_its_way(handle):
                return None
            (attempt / "abandoned").touch()  # whoever comes late must not begin now
            (attempt / "order").unlink(missing_ok=True)
        began = (attempt / "started").exists()
        if began:
            self._clear_up(handle)
        self._forget(handle)
        return Outcome(began=began, lost="the process that kept it was killed" if began else "nobody took it up")

    def _clear_up(self, handle: Handle) -> None:
        """Do what the dead keeper can't do any more: end the script, keep its files."""
        end_container(Path(handle["attempt"]), REMOVE)
        for _ in range(STOP_TRIES):
            if self.stop(handle, force=True):
                break
        folder = Path(handle["folder"])
        collect(folder)
        clear_up(folder)

    def _forget(self, handle: Handle) -> None:
        self._handed.pop(handle["attempt"], None)
        self._ending = {key: thread for key, thread in self._ending.items() if thread.is_alive()}

    def _is_on_its_way(self, handle: Handle) -> bool:
        """Tell whether an attempt still waits in the pipe of a keeper that lives."""
        handed_at = self._handed.get(handle["attempt"])
        is_late = handed_at is None or time.monotonic() - handed_at > HAND_OVER_SECONDS
        if is_late or (Path(handle["attempt"]) / "abandoned").exists():
            return False
        with open(self.home.keeper_lock, "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return not (Path(handle["attempt"]) / "started").exists()
        return False

    # Stop

    def stop(self, handle: Handle, force: bool) -> bool:
        """Ask the whole process tree to end (`force`: end it); return True when nothing of it is left."""
        with contextlib.suppress(OSError):
            (Path(handle["attempt"]) / "abandoned").touch()  # what has not begun shall not begin, what is copied or hashed can stop
        family = self._families.setdefault(handle["attempt"], Family(handle))
        members = family.find()
        in_container = has_container(Path(handle["attempt"]))
        if in_container:
            self._end_container(handle["attempt"], REMOVE if force else STOP)
        if force or not in_container:  # else the engine asks
            _end(members, force)
        if not members:
            self._families.pop(handle["attempt"], None)
        return not members

    def _end_container(self, attempt: str, how: str) -> None:
        """Have the engine stop or remove an attempt's container, aside: it may take its time."""
        if (attempt, how) not in self._ending or not self._ending[attempt, how].is_alive():
            thread = threading.Thread(target=end_container, args=[Path(attempt), how], name=f"container {how}", daemon=True)
            self._ending[attempt, how] = thread
            thread.start()


class Family:
    """The processes of an attempt, as far as they were ever seen."""

    def __init__(self, handle: Handle) -> None:
        self._mark = handle["mark"]
        self._attempt = Path(handle["attempt"])
        self._seen: set[psutil.Process] = set()

    def find(self) -> list[psutil.Process]:
        """Return the living members, the youngest generation first.

        A member carries the attempt's mark in its environment, or belongs to the script's session, or descends from a member, or did so
        when it was seen before: a process that left its session and emptied its environment is known by its parent.
        """
        session = _session(self._attempt)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if _has_session(process.pid, session) or process.environ().get(MARK) == self._mark:
                    self._seen.add(process)
        for process in list(self._seen):
            with contextlib.suppress(psutil.Error):
                self._seen.update(process.children(recursive=True))
        self._seen = {process for process in self._seen if process.pid != os.getpid() and _is_alive(process)}
        return sorted(self._seen, key=_generation, reverse=True)


def _end(members: list[psutil.Process], force: bool) -> None:
    for process in members:  # children first: a parent can't start another one in the meantime and blame us
        with contextlib.suppress(psutil.Error):
            process.kill() if force else process.terminate()


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _generation(process: psutil.Process) -> int:
    try:
        return len(process.parents())
    except psutil.Error:
        return 0


def _read_outcome(attempt: Path) -> Outcome:
    try:
        return _parse_outcome(load(str(attempt / "exit")), attempt)
    except (KeyError, ValueError, IndexError):
        return Outcome(lost="its exit record is damaged")  # a power cut came between the file's name and its bytes


def _parse_outcome(record: dict[str, list[str]], attempt: Path) -> Outcome:
    error = record.get("error")
    return Outcome(
        exit_code=int(record["exit_code"][0]) if "exit_code" in record else None,
        signal=int(record["signal"][0]) if "signal" in record else None,
        error=(error[0], error[1], error[2]) if error else None,
        outputs=tuple(
            Published(name, bool(there), int(files), int(size), digest, read_manifest_file(attempt, digest))
            for name, there, files, size, digest in groups(record.get("outputs", []), 5)
        ),
        ended_at=float(record["ended_at"][0]),
    )


def _session(attempt: Path) -> int | None:
    """Return the id of the script's session, or None when it did not begin or its number belongs to another process by now."""
    try:
        started = attempt / "started"
        child = int(load(str(started))["child"][0])
        with contextlib.suppress(psutil.NoSuchProcess):
            if abs(psutil.Process(child).create_time() - started.stat().st_mtime) > SAME_START_SECONDS:
                return None
        return child
    except (OSError, KeyError, ValueError):
        return None


def _has_session(pid: int, session: int | None) -> bool:
    return session is not None and os.getsid(pid) == session
