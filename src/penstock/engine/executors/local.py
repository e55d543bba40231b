"""Steps as processes of this machine.

Each attempt is a keeper process (`penstock.runtime.launcher`) in a session of its own and its child, the script. Neither is bound to
the service's life: what the service must know it finds in the attempt's folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
from pathlib import Path

from penstock.client.home import Home
from penstock.engine.executors import Handle, Outcome, Published, StepOrder
from penstock.runtime.attempt import EXIT_REFUSED
from penstock.runtime.fields import load, pack

MARK = "PENSTOCK_ATTEMPT"  # in the environment of every process of an attempt: how a process that left its family is found
LOG = "user_logs/std_log.txt"


class LocalExecutor:
    """Runs steps on this machine."""

    def __init__(self, home: Home, library: Path) -> None:
        self.home = home
        self.library = library  # a folder that holds `azureml` and `penstock` and nothing else
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # Start

    def start(self, order: StepOrder) -> Handle:
        """Start an attempt; return what finds it again."""
        handle = self.find(order.step_run_id, order.attempt)
        folder, attempt = Path(handle["folder"]), Path(handle["attempt"])
        self._write_order(order, folder, attempt)
        log = folder / LOG
        log.parent.mkdir(exist_ok=True)
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [order.interpreter, str(self.library / "penstock/runtime/launcher.py"), str(attempt)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**order.environment, MARK: attempt_mark(order.step_run_id, order.attempt)},
                cwd=folder,
                start_new_session=True,
            )
        self._processes[handle["attempt"]] = process
        return {**handle, "pid": process.pid}

    def find(self, step_run_id: str, attempt: int) -> Handle:
        """Return the handle of an attempt whose start may not have been written down."""
        folder = self.home.run_folder(step_run_id)
        return {"folder": str(folder), "attempt": str(folder / "attempts" / str(attempt)), "mark": attempt_mark(step_run_id, attempt)}

    def _write_order(self, order: StepOrder, folder: Path, attempt: Path) -> None:
        attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
        fields = {
            "folder": [str(folder)],
            "blobs": [str(self.home.blobs)],
            "wake": [str(self.home.wake)],
            "script": [order.script],
            "arguments": list(order.arguments),
            "files": [part for path, digest, executable in order.files for part in (path, digest, "755" if executable else "644")],
            "folders": list(order.folders),
            "copies": [part for pair in order.copies for part in pair],
            "links": [part for pair in order.links for part in pair],
            "outputs": [part for output in order.outputs for part in (output.name, output.path, output.upload_from)],
        }
        (attempt / "order").write_text(pack(fields), encoding="utf-8", errors="surrogateescape")

    # Watch

    def poll(self, handle: Handle, thorough: bool = False) -> Outcome | None:
        """Return how an attempt ended, or None while it goes on."""
        attempt = Path(handle["attempt"])
        if (attempt / "exit").exists():
            self._reap(handle)
            return _read_outcome(attempt)
        process = self._processes.get(handle["attempt"])
        if process is not None:
            if process.poll() is None:
                return None
        elif not thorough:
            return None
        return self._poll_dead(handle, attempt)

    def _poll_dead(self, handle: Handle, attempt: Path) -> Outcome | None:
        """Tell what became of an attempt whose keeper seems to be gone."""
        if not attempt.is_dir():
            return Outcome(began=False, lost="its process was never started")
        with _lock(attempt) as mine:
            if not mine:
                return None
            if (attempt / "exit").exists():
                return _read_outcome(attempt)
            (attempt / "abandoned").touch()  # whoever comes late must not begin now
        began = (attempt / "started").exists()
        process = self._processes.pop(handle["attempt"], None)
        why = _describe_keeper(process.returncode) if process else "its process died while no service was running"
        if began:
            self.stop(handle, force=True)
        return Outcome(began=began, lost=why, error=None if began else self._start_error(handle, process))

    def _start_error(self, handle: Handle, process: subprocess.Popen[bytes] | None) -> tuple[str, str, str] | None:
        """Return why the interpreter itself would not run, from what it wrote."""
        if process is None or process.returncode in (0, EXIT_REFUSED) or process.returncode < 0:
            return None
        with contextlib.suppress(OSError):
            words = (Path(handle["folder"]) / LOG).read_text(errors="replace")[-2000:]
            return ("StartError", f"The interpreter ended with {process.returncode} before the script began: {words.strip()}", "")
        return None

    def _reap(self, handle: Handle) -> None:
        process = self._processes.get(handle["attempt"])
        if process is not None and process.poll() is not None:
            del self._processes[handle["attempt"]]

    def reap(self) -> None:
        """Let ended keepers go."""
        for name, process in list(self._processes.items()):
            if process.poll() is not None and (Path(name) / "exit").exists():
                del self._processes[name]

    # Stop

    def stop(self, handle: Handle, force: bool) -> bool:
        """Ask the whole process tree to end (`force`: end it); return True when nothing of it is left but its keeper."""
        family = _find_family(handle)
        if force and not family:
            family = self._keeper_without_child(handle)
        for process in family:  # children first: a parent can't start another one in the meantime and blame us
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL if force else signal.SIGTERM)
        return not family

    def _keeper_without_child(self, handle: Handle) -> list[int]:
        """Return the keeper that still prepares and has not begun the script, if there is one; it holds nothing worth keeping."""
        process = self._processes.get(handle["attempt"])
        started = Path(handle["attempt"]) / "started"
        if process is None or process.poll() is not None or not started.exists() or "child" in load(str(started)):
            return []
        return [process.pid]


def attempt_mark(step_run_id: str, attempt: int) -> str:
    """Return the text that marks the processes of an attempt."""
    return f"{step_run_id}/{attempt}"


def _describe_keeper(code: int) -> str:
    if code < 0:
        return f"its keeper process was killed by {signal.Signals(-code).name}"
    return f"its keeper process ended with {code} and left no record"


@contextlib.contextmanager
def _lock(attempt: Path):  # type: ignore[no-untyped-def]
    """Try to hold an attempt's lock; give whether it is ours. Who holds it knows that no keeper lives."""
    with open(attempt / "lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _read_outcome(attempt: Path) -> Outcome:
    record = load(str(attempt / "exit"))
    error, usage, values = record.get("error"), record.get("usage"), record.get("outputs", [])
    outputs = [values[place : place + 5] for place in range(0, len(values), 5)]
    return Outcome(
        exit_code=int(record["exit_code"][0]) if "exit_code" in record else None,
        signal=int(record["signal"][0]) if "signal" in record else None,
        error=(error[0], error[1], error[2]) if error else None,
        outputs=tuple(Published(name, bool(there), int(files), int(size), digest) for name, there, files, size, digest in outputs),
        ended_at=float(record["ended_at"][0]),
        usage=(float(usage[0]), float(usage[1]), int(usage[2])) if usage else None,
    )


def _find_family(handle: Handle) -> list[int]:
    """Return the ids of an attempt's living processes, its keeper excepted, the youngest generation first."""
    import psutil

    attempt = Path(handle["attempt"])
    started = load(str(attempt / "started")) if (attempt / "started").exists() else {}
    keeper = int(started.get("pid", [handle.get("pid", 0)])[0] or 0)
    found: dict[int, int] = {}  # process id -> generation
    for process in psutil.process_iter(["pid"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != keeper and process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == handle["mark"]:
                found[process.pid] = len(process.parents())
    with contextlib.suppress(psutil.Error):  # a process may have emptied its environment; its parents still tell
        for process in psutil.Process(keeper).children(recursive=True) if keeper and found else []:
            if process.status() != psutil.STATUS_ZOMBIE:
                found.setdefault(process.pid, len(process.parents()))
    return sorted(found, key=lambda pid: -found[pid])
