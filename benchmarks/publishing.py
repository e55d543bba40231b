"""What concerns published pipelines: how many submissions a second are accepted over REST, and how fast."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.report import Line

STEPS, RATE, SECONDS = 100, 100, 20


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield the lines of the section, each when it is known."""
    from azureml.core import Workspace
    from benchmarks import pipelines
    from benchmarks.__main__ import PARALLEL, quiet

    count = max(50, int(RATE * SECONDS * data.SCALE))
    with quiet():
        workspace = Workspace.from_config()
        published = pipelines.chain(workspace, pipelines.compute_target(workspace, PARALLEL), STEPS).publish(name="called")
    ours, bare = [], []
    for _ in range(max(1, min(rounds, 3))):
        bare.append(_call_bare(folder, count))
        ours.append(_call_published(published, count))
    yield from _lines(ours, bare)
    ids = [identity for answer in ours for identity in answer["ids"]]
    yield Line(f"submissions lost of {len(ids)}, the service killed after them", _count_lost(workspace, published, ids), "", budget=0)


def _lines(ours: list[dict[str, Any]], bare: list[dict[str, Any]]) -> Iterator[Line]:
    what = f"{STEPS} steps, {RATE} submissions a second over REST, while its steps run"
    yield Line(f"{what}: refused", float(sum(answer["refused_count"] for answer in ours)), "", budget=0)
    for name, share in (("median", 50), ("95th percentile", 95), ("99th percentile", 99)):
        mine, other = (statistics.median(_percentile(answer["seconds"], share) for answer in answers) for answers in (ours, bare))
        yield Line(f"  answer, {name}", mine, "s", bare=other, budget=0.1 if share == 95 else None)


def _percentile(values: list[float], share: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def _call_published(published: Any, count: int) -> dict[str, Any]:
    from azureml.core.authentication import InteractiveLoginAuthentication

    headers = InteractiveLoginAuthentication().get_authentication_header()
    return _call(published.endpoint, count, headers, {"ExperimentName": "called", "RunSource": "bench"})


def _call_bare(folder: Path, count: int) -> dict[str, Any]:
    with _bare_acceptor(folder) as address:
        return _call(address, count, {}, {"ExperimentName": "called", "RunSource": "bench"})


@contextlib.contextmanager
def _bare_acceptor(folder: Path) -> Iterator[str]:
    rows = folder / f"bare-{os.urandom(4).hex()}.db"
    command = [sys.executable, "-m", "benchmarks.bare_acceptor", str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/accept"
        finally:
            process.terminate()


def _call(address: str, count: int, headers: dict[str, str], body: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.caller", address, str(RATE), str(count)]
    asked = json.dumps({"headers": headers, "body": body})
    answer: dict[str, Any] = json.loads(subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout)
    return answer


def _count_lost(workspace: Any, published: Any, ids: list[str]) -> float:
    """Kill the service, and count which of these runs the next one does not know."""
    client = workspace._client
    os.kill(int(client.service_info()["pid"]), signal.SIGKILL)
    known = {run["id"] for run in client.list_runs_of_pipeline(workspace._id, published.id)}
    return float(len(set(ids) - known))
