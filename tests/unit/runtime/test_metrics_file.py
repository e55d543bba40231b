"""The file that a step appends its metrics to: whole lines, whoever writes and however it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from penstock.runtime import metrics


@pytest.fixture(autouse=True)
def _closed() -> Any:
    """Let each test open its own file, and close it."""
    before = dict(metrics._OPEN)
    yield
    for key in [key for key in metrics._OPEN if key not in before]:
        os.close(metrics._OPEN[key])
        metrics._TORN.discard(metrics._OPEN.pop(key))


def names(folder: Path) -> list[str]:
    return [json.loads(line)["name"] for line in (folder / metrics.FILE).read_text().splitlines() if line]


def test_a_line_after_a_torn_one_is_a_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / metrics.FILE).write_bytes(b'{"name": "a"}\n{"name": "torn')
    metrics.append(str(tmp_path), {"name": "b"})
    metrics.append(str(tmp_path), {"name": "c"})
    assert (tmp_path / metrics.FILE).read_bytes() == b'{"name": "a"}\n{"name": "torn\n{"name": "b"}\n{"name": "c"}\n'


def test_threads_and_children_write_whole_lines(tmp_path: Path) -> None:
    def log(who: str) -> None:
        for number in range(200):
            metrics.append(str(tmp_path), {"name": f"{who}-{number}", "value": "x" * number})

    threads = [threading.Thread(target=log, args=(f"thread{number}",)) for number in range(4)]
    code = f"""
import os, sys
from penstock.runtime import metrics
children = []
for child in range(3):
    pid = os.fork()
    if pid == 0:
        for number in range(200):
            metrics.append({str(tmp_path)!r}, {{"name": f"child{{child}}-{{number}}", "value": "y" * number}})
        os._exit(0)
    children.append(pid)
sys.exit(any(os.waitpid(pid, 0)[1] for pid in children))
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.wait() == 0
    found = names(tmp_path)
    writers = [f"thread{number}" for number in range(4)] + [f"child{number}" for number in range(3)]
    for writer in writers:
        assert [name for name in found if name.startswith(writer)] == [f"{writer}-{number}" for number in range(200)]
    assert len(found) == 200 * len(writers)


def test_a_full_disk_costs_one_line_and_is_told(tmp_path: Path) -> None:
    code = f"""
import resource, signal
from penstock.runtime import metrics
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
def log(name):
    try:
        metrics.append({str(tmp_path)!r}, {{"name": name}})
    except OSError as error:
        print(name, error.strerror)
log("a")
resource.setrlimit(resource.RLIMIT_FSIZE, (20, most))
log("cut")
log("lost")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
log("b")
log("c")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["cut", "lost"]
    lines = (tmp_path / metrics.FILE).read_text().splitlines()
    assert lines[0] == '{"name": "a"}'
    assert lines[-2:] == ['{"name": "b"}', '{"name": "c"}']
    assert len(lines) == 4, "the torn one is by itself"
