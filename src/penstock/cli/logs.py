"""`penstock logs`: what the steps of a run wrote, once or as they write it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from penstock.cli.lookup import Run, get_run, list_steps
from penstock.cli.progress import Progress
from penstock.client import connect
from penstock.model import status
from penstock.model.errors import NotFound
from penstock.model.run_types import PIPELINE_RUN, SCRIPT_RUN, STEP_RUN

LOG = "user_logs/std_log.txt"
KEPT_LOG = "logs/user_log.txt"
FOLLOW_SECONDS = 1.0  # a log is a file: nothing tells when it grows
QUIET_SECONDS = 20.0  # no step has a process: an event tells when one has
_NEVER_WRITTEN = (*status.WAITING, status.SKIPPED)


def print_logs(text: str, step: str | None, *, follow: bool) -> int:
    """Print the log of the run that `text` names: of its step `step`, or of all its steps one after the other."""
    run = get_run(text)
    if follow:
        return _follow(run, step)
    with Progress("reading the logs"):
        runs = _runs_with_logs(run, step)
    for index, item in enumerate(runs):
        if len(runs) > 1:
            print(("\n" if index else "") + f"== {item['name']} ==")
        sys.stdout.flush()
        content = _read(item["id"], 0) or _read_kept(item)
        sys.stdout.buffer.write(content)
        if content and not content.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
        if not content:
            print(_say_empty(item), file=sys.stderr)
    sys.stdout.flush()
    return 0


def _runs_with_logs(run: Run, step: str | None) -> list[Run]:
    return list_steps(run, step) if run["type"] == PIPELINE_RUN or step else [run]


def _say_empty(run: Run) -> str:
    if run.get("reused"):
        return f"(reused; the log is that of run {run['reused']['run_id']})"
    return "(has not started)" if run["status"] in status.WAITING else "(wrote nothing)"


def _read_kept(run: Run) -> bytes:
    """What a run that its client drove printed in its `with` block; it is stored when that ends."""
    return b"" if run["type"] in (STEP_RUN, SCRIPT_RUN) else _read(run["id"], 0, KEPT_LOG)


def _read(run_id: str, offset: int, path: str = LOG) -> bytes:
    try:
        return connect().read_file(run_id, path, offset)
    except NotFound:
        return b""


@dataclass
class Tail:
    """How far one log has been printed; the last line waits until it is whole."""

    name: str
    status: str
    offset: int = 0
    pending: bytes = field(default=b"")

    @property
    def is_written(self) -> bool:
        """Whether a process may be writing this log."""
        return self.status not in status.WAITING and not status.is_final(self.status)

    def advance(self, run_id: str, *, prefix: bool) -> None:
        """Print the whole lines that were written since the last call; the rest too when the run has ended."""
        content = _read(run_id, self.offset)
        self.offset += len(content)
        *lines, self.pending = (self.pending + content).split(b"\n")
        if status.is_final(self.status) and self.pending:
            lines, self.pending = [*lines, self.pending], b""
        mark = f"{self.name} | ".encode() if prefix else b""
        for line in lines:
            sys.stdout.buffer.write(mark + line + b"\n")
        sys.stdout.flush()


class Screen:
    """The logs of some runs, and what is known of their status: events tell of it, so nobody asks for what has not changed."""

    def __init__(self, runs: list[Run]) -> None:
        self._tails = {run["id"]: Tail(str(run["name"]), run["status"]) for run in runs}
        self._prefix = len(runs) > 1
        self._next_look = 0.0
        for run_id, tail in self._tails.items():
            if tail.status not in _NEVER_WRITTEN:
                tail.advance(run_id, prefix=self._prefix)

    @property
    def is_over(self) -> bool:
        """Whether all of the runs have ended."""
        return all(status.is_final(tail.status) for tail in self._tails.values())

    @property
    def rest_seconds(self) -> float:
        """How long nothing but an event can bring news."""
        if not any(tail.is_written for tail in self._tails.values()):
            return QUIET_SECONDS
        return max(self._next_look - time.monotonic(), 0)

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event; what a run wrote before its end is printed."""
        tail = self._tails.get(event["run_id"])
        if tail is None or not event["status"] or status.is_final(tail.status):
            return
        tail.status = event["status"]
        if status.is_final(tail.status) and tail.status not in _NEVER_WRITTEN:
            tail.advance(event["run_id"], prefix=self._prefix)

    def look(self) -> None:
        """Print what is new in the logs that are being written, once a second."""
        if self._next_look > time.monotonic():
            return
        for run_id, tail in self._tails.items():
            if tail.is_written:
                tail.advance(run_id, prefix=self._prefix)
        self._next_look = time.monotonic() + FOLLOW_SECONDS


def _follow(run: Run, step: str | None) -> int:
    """Print what is new until the runs have ended. Their end is heard before their log is read, so the last lines are not missed."""
    client, last = connect(), 0
    screen = Screen(_runs_with_logs(run, step))
    while True:
        answer = client.follow_run(run["id"], after=last, wait_seconds=screen.rest_seconds)
        for event in answer["events"]:
            screen.hear(event)
        if screen.is_over or (status.is_final(answer["run"]["status"]) and not answer["is_full"]):
            return 0
        screen.look()
        last = answer["last"]
