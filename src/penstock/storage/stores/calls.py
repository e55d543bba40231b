"""The service's end of the carrier: starts it, passes jobs to it, and hears how they end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Unavailable, parse_error
from penstock.model.ids import new_id
from penstock.storage.stores import Check, Found, Progress, Store
from penstock.storage.stores.addresses import describe

log = logging.getLogger("penstock.storage")

IDLE_SECONDS = 60.0
_CHECK_SECONDS = 0.2
_CANCEL_SECONDS = 10.0  # a job that was cancelled has so long to clear up
_GONE: dict[str, Any] = {"gone": True}

Tell = Callable[[Progress], None]


class Calls:
    """Jobs for the carrier; any thread may give some. It is started when there is one, and ends when there was none for a while.

    Args:
        log_file: Where it writes what is not an answer.
        idle_seconds: How long it may rest before it is ended.
    """

    def __init__(self, log_file: Path, idle_seconds: float = IDLE_SECONDS) -> None:
        self._log_file = log_file
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._carrier: _Carrier | None = None
        self._is_closed = False

    def do(self, verb: str, store: Store, check: Check, tell: Tell = lambda progress: None, **about: Any) -> tuple[Any, list[Found]]:
        """Have a job done; return its result, and the files that it named.

        Raises:
            PenstockError: The job failed, or the carrier died meanwhile (Unavailable). What `check` raises, after the job was cancelled.
        """
        job = new_id()
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        carrier = self._send(job, answers, {"id": job, "verb": verb, "store": asdict(store), **about})
        files: list[Found] = []
        listen = _Listening(answers, check)
        try:
            while True:
                answer = listen.next()
                if "progress" in answer:
                    for progress in answer["progress"]:
                        tell(Progress(*progress))
                elif "files" in answer:
                    files += [Found(*found) for found in answer["files"]]
                elif "result" in answer:
                    return answer["result"], files
                else:
                    raise self._failure(store, job, answer, [target for _, target in about["files"]] if verb == "get" else [])
        except BaseException:
            carrier.cancel(job, answers)
            raise
        finally:
            carrier.forget(job)

    def close(self) -> None:
        """End the carrier; what is under way fails."""
        with self._lock:
            self._is_closed = True
            carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.end()

    def pid(self) -> int | None:
        """Return the process id of the carrier; None when there is none."""
        carrier = self._carrier
        return carrier.process.pid if carrier is not None and carrier.process.poll() is None else None

    def _send(self, job: str, answers: queue.SimpleQueue[dict[str, Any]], request: dict[str, Any]) -> _Carrier:
        """Pass a job on; to a new carrier where there is none, or the old one has just died."""
        for _ in range(2):
            with self._lock:
                if self._is_closed:
                    raise Unavailable("The service is stopping. Try again in a moment.")
                if self._carrier is None or not self._carrier.is_alive:
                    self._carrier = _Carrier(self._log_file, self._rest)
                carrier = self._carrier
                carrier.jobs[job] = answers
            if carrier.write(request):
                return carrier
            carrier.forget(job)
        raise Unavailable(f"The process that reaches remote stores does not stay alive; {self._log_file} says why.")

    def _rest(self, carrier: _Carrier) -> bool:
        """Let go of a carrier that has nothing to do; tell whether it was."""
        with self._lock:
            if carrier.jobs or time.monotonic() - carrier.rested_at < self._idle_seconds:
                return False
            if self._carrier is carrier:
                self._carrier = None
        carrier.end()
        return True

    def _failure(self, store: Store, job: str, answer: dict[str, Any], targets: Sequence[str]) -> Exception:
        if "error" in answer:
            return parse_error(answer, 500)
        _remove_unfinished(job, targets)
        return Unavailable(
            f"The process that moves files to and from {describe(store)} died in the middle; nothing half-written was left. "
            f"Try again; {self._log_file} may say why."
        )


class _Carrier:
    """One process."""

    def __init__(self, log_file: Path, rest: Callable[[_Carrier], bool]) -> None:
        self.jobs: dict[str, queue.SimpleQueue[dict[str, Any]]] = {}
        self.is_alive = True
        self.rested_at = time.monotonic()
        self._rest = rest
        self._writing = threading.Lock()
        command = [sys.executable, "-m", "penstock.storage.stores.carrier"]
        try:
            with open(os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as errors:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
                )
        except OSError as error:
            raise Unavailable(f"The process that reaches remote stores can't be started: {error.strerror}. Try again.") from error
        log.info("carrier.started pid=%s", self.process.pid)
        threading.Thread(target=self._read, name="carrier", daemon=True).start()
        threading.Thread(target=self._watch, name="carrier-rest", daemon=True).start()

    def write(self, request: dict[str, Any]) -> bool:
        """Send one line; tell whether there is still someone to read it."""
        assert self.process.stdin is not None
        try:
            with self._writing:
                self.process.stdin.write(json.dumps(request).encode() + b"\n")
                self.process.stdin.flush()
        except (OSError, ValueError):
            return False
        return self.is_alive

    def cancel(self, job: str, answers: queue.SimpleQueue[dict[str, Any]]) -> None:
        """End a job that is under way, and wait until it left nothing."""
        if job not in self.jobs or not self.write({"cancel": job}):
            return
        deadline = time.monotonic() + _CANCEL_SECONDS
        with contextlib.suppress(queue.Empty):
            while not {"result", "error", "gone"} & answers.get(timeout=max(deadline - time.monotonic(), 0)).keys():
                pass

    def forget(self, job: str) -> None:
        """The job is over."""
        self.rested_at = time.monotonic()
        self.jobs.pop(job, None)

    def end(self) -> None:
        """Close its input, at which it leaves; make sure that it does."""
        with contextlib.suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self) -> None:
        """Pass each answer to the one who waits for it."""
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                if not line.endswith(b"\n"):  # torn: it was killed while it wrote
                    break
                answer = json.loads(line)
                waiting = self.jobs.get(answer["id"])
                if waiting is not None:
                    waiting.put(answer)
                    if "progress" not in answer and "files" not in answer:
                        self.jobs.pop(answer["id"], None)
        self.is_alive = False
        with contextlib.suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        log.info("carrier.ended pid=%s status=%s", self.process.pid, self.process.wait())
        for waiting in list(self.jobs.values()):
            waiting.put(_GONE)

    def _watch(self) -> None:
        while self.is_alive and not self._rest(self):
            time.sleep(1.0)


class _Listening:
    """Waits for the answers of one job, and asks now and then whether it is still wanted."""

    def __init__(self, answers: queue.SimpleQueue[dict[str, Any]], check: Check) -> None:
        self._answers, self._check = answers, check
        self._checked_at = time.monotonic()

    def next(self) -> dict[str, Any]:
        """Return the next answer."""
        while True:
            if time.monotonic() - self._checked_at >= _CHECK_SECONDS:
                self._check()
                self._checked_at = time.monotonic()
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=_CHECK_SECONDS)


def _remove_unfinished(job: str, targets: Sequence[str]) -> None:
    """Remove what a carrier that was killed had begun to write beside the places of a job's files."""
    for folder in {os.path.dirname(target) for target in targets}:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                if name.startswith(f"{UNFINISHED}{job}-"):
                    os.unlink(os.path.join(folder, name))
