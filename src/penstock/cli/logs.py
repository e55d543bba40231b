"""`penstock logs`: what the steps of a run wrote, once or as they write it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from penstock.cli.lookup import PIPELINE_RUN, Run, get_run, list_steps
from penstock.cli.progress import Progress
from penstock.client import connect
from penstock.model import status
from penstock.model.errors import NotFound

LOG = "user_logs/std_log.txt"
FOLLOW_SECONDS = 1.0  # a log is a file: nothing tells when it grows


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
        content = _read(item, 0)
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
    return "(has not started)" if run["status"] in (status.NOT_STARTED, status.QUEUED) else "(wrote nothing)"


def _read(run: Run, offset: int) -> bytes:
    try:
        return connect().read_file(run["id"], LOG, offset)
    except NotFound:
        return b""


@dataclass
class Tail:
    """How far one log has been printed; the last line waits until it is whole."""

    name: str
    offset: int = 0
    pending: bytes = field(default=b"")

    def advance(self, run: Run, *, prefix: bool) -> None:
        """Print the whole lines that were written since the last call; the rest too when the run has ended."""
        content = _read(run, self.offset)
        self.offset += len(content)
        *lines, self.pending = (self.pending + content).split(b"\n")
        if status.is_final(run["status"]) and self.pending:
            lines, self.pending = [*lines, self.pending], b""
        mark = f"{self.name} | ".encode() if prefix else b""
        for line in lines:
            sys.stdout.buffer.write(mark + line + b"\n")
        sys.stdout.flush()


def _follow(run: Run, step: str | None) -> int:
    """Print what is new until the runs have ended. Their status is read before their log, so the last lines are not missed."""
    client, tails, last = connect(), dict[str, Tail](), 0
    while True:
        runs = _runs_with_logs(run, step)
        for item in runs:
            tails.setdefault(item["id"], Tail(str(item["name"]))).advance(item, prefix=len(runs) > 1)
        if status.is_final(run["status"]) or (step and all(status.is_final(item["status"]) for item in runs)):
            return 0
        answer = client.follow_run(run["id"], after=last, wait_seconds=FOLLOW_SECONDS)
        run, last = answer["run"], answer["last"]
