"""What every executor must do. Each implementation runs the whole suite."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import processes_of, wait_until

from penstock.bootstrap import make_library
from penstock.client.home import Home
from penstock.engine.executors import Executor, Outcome, Output, StepOrder
from penstock.engine.executors.local import LocalExecutor


@pytest.fixture(params=["local"])
def executor(request: pytest.FixtureRequest, home: Path) -> Iterator[Executor]:
    place = Home(home)
    place.create()
    made = {"local": LocalExecutor}[request.param](place, make_library(place))
    made.open()
    yield made
    made.close()


def order(home: Path, source: str, attempt: int = 1, **members: object) -> StepOrder:
    digest = hashlib.sha256(source.encode()).hexdigest()
    blob = home / "blobs" / digest[:2] / digest
    blob.parent.mkdir(exist_ok=True)
    blob.write_text(source)
    given = {"arguments": (), "environment": dict(os.environ), "files": (("step.py", digest, False),), **members}
    return StepOrder("run-1", attempt, sys.executable, "step.py", **given)


def outcome(executor: Executor, handle: dict) -> Outcome:
    found: list[Outcome] = []

    def ended() -> bool:
        found.extend(filter(None, [executor.poll(handle, thorough=True)]))
        return bool(found)

    wait_until(ended)
    return found[0]


def test_success_and_what_it_left(executor: Executor, home: Path, tmp_path: Path) -> None:
    output = Output("out", str(tmp_path / "place" / "out"))
    source = "import sys; open(sys.argv[1], 'w').write('bytes')"
    ended = outcome(
        executor, executor.start(order(home, source, arguments=(output.path,), folders=(str(tmp_path / "place"),), outputs=(output,)))
    )
    assert (ended.exit_code, ended.signal, ended.error, ended.lost) == (0, None, None, None)
    assert [(item.name, item.exists, item.files, item.bytes) for item in ended.outputs] == [("out", True, 1, 5)]
    assert ended.ended_at is not None


def test_a_command_in_place_of_a_script(executor: Executor, home: Path, tmp_path: Path) -> None:
    output = Output("out", str(tmp_path / "out"))
    made = replace(order(home, "pass", outputs=(output,)), script="", command=("/bin/sh", "-c", f"pwd > {output.path}"))
    ended = outcome(executor, executor.start(made))
    assert (ended.exit_code, ended.error) == (0, None)
    assert (tmp_path / "out").read_text().strip() == str(home / "runs/run-1/work")
    assert [(item.name, item.files) for item in ended.outputs] == [("out", 1)]


def test_a_command_that_is_not_there(executor: Executor, home: Path) -> None:
    ended = outcome(executor, executor.start(replace(order(home, "pass"), script="", command=("no-such-program", "-x"))))
    assert ended.exit_code == 127
    assert ended.error is not None
    assert ended.error[0] == "CommandError"
    assert "no-such-program" in ended.error[1]


def test_failure_and_why(executor: Executor, home: Path) -> None:
    ended = outcome(executor, executor.start(order(home, "raise ValueError('bad column')")))
    assert ended.exit_code == 1
    assert ended.error is not None
    assert ended.error[:2] == ("ValueError", "bad column")


def test_an_exception_that_can_not_be_shown(executor: Executor, home: Path) -> None:
    source = "class Bad(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise Bad()"
    ended = outcome(executor, executor.start(order(home, source)))
    assert ended.error is not None
    assert ended.error[0] == "Bad"


def test_a_signal(executor: Executor, home: Path) -> None:
    assert outcome(executor, executor.start(order(home, "import os; os.kill(os.getpid(), 9)"))).signal == 9


def test_an_interpreter_that_is_gone(executor: Executor, home: Path) -> None:
    wanted = order(home, "pass")
    ended = outcome(executor, executor.start(StepOrder(**{**vars_of(wanted), "interpreter": "/nowhere/python"})))
    assert ended.error is not None
    assert "/nowhere/python" in ended.error[1]


def vars_of(wanted: StepOrder) -> dict:
    return {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}


def test_an_order_runs_once_however_often_it_is_handed_over(executor: Executor, home: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    wanted = order(home, f"open({str(ledger)!r}, 'a').write('x')")
    first = executor.start(wanted)
    outcome(executor, first)
    executor.start(wanted)
    time.sleep(0.3)
    assert ledger.read_text() == "x"


def test_an_attempt_that_was_never_handed_over_may_begin_again(executor: Executor) -> None:
    ended = outcome(executor, executor.find("run-2", 1))
    assert not ended.began


def test_stop_asks_then_ends(executor: Executor, home: Path, tmp_path: Path) -> None:
    note = "signal.signal(15, lambda *_: open({asked!r}, 'w'))\nopen({up!r}, 'w')\n"
    note = note.format(asked=str(tmp_path / "asked"), up=str(tmp_path / "up"))
    source = f"import signal, time\n{note}while 1: time.sleep(1)"
    handle = executor.start(order(home, source))
    wait_until((tmp_path / "up").exists)
    assert not executor.stop(handle, force=False)
    wait_until((tmp_path / "asked").exists)
    assert executor.poll(handle) is None
    wait_until(lambda: executor.stop(handle, force=True))
    assert outcome(executor, handle).signal == 9
    assert not processes_of(home, "step.py")


def test_what_was_stopped_before_it_began_never_begins(executor: Executor, home: Path, tmp_path: Path) -> None:
    handle = executor.find("run-1", 1)
    Path(handle["attempt"]).mkdir(parents=True)
    executor.stop(handle, force=False)
    executor.start(order(home, f"open({str(tmp_path / 'ran')!r}, 'w')"))
    time.sleep(0.3)
    assert not (tmp_path / "ran").exists()


def test_a_damaged_exit_record_counts_as_lost(executor: Executor, home: Path) -> None:
    handle = executor.start(order(home, "pass"))
    outcome(executor, handle)
    (Path(handle["attempt"]) / "exit").write_text("")
    assert "damaged" in str(outcome(executor, handle).lost)
