"""The service is killed at random moments; nothing is lost and nothing runs twice."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import kill_service, wait_until

from azureml.core import Experiment
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep

ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "25"))

# Appends its name: what runs twice is there twice. The output proves that it came to its end.
SCRIPT = """
import os, sys, time
name, ledger, output, *inputs = sys.argv[1:]
for path in inputs:
    assert open(os.path.join(path, "done")).read() == "done", path
with open(ledger, "a") as file:
    file.write(name + "\\n")
time.sleep(0.03)
os.makedirs(output)
open(os.path.join(output, "done"), "w").write("done")
"""


def twenty_steps(workspace, folder: Path, ledger: Path) -> Pipeline:
    """A chain of five, a fan of ten, a join, and a tail of four."""
    steps: list[PythonScriptStep] = []

    def add(*before: PipelineData) -> PipelineData:
        name = f"s{len(steps)}"
        output = PipelineData(f"out_{name}", datastore=workspace.get_default_datastore())
        arguments = [name, str(ledger), output, *before]
        steps.append(
            PythonScriptStep(
                "step.py", name, arguments, "local", inputs=list(before), outputs=[output], source_directory=str(folder), allow_reuse=False
            )
        )
        return output

    last = add()
    for _ in range(4):
        last = add(last)
    last = add(*[add(last) for _ in range(10)])
    for _ in range(4):
        last = add(last)
    return Pipeline(workspace, steps)


def one_round(workspace, home: Path, folder: Path, ledger: Path, delay: float) -> None:
    ledger.write_text("")
    run = Experiment(workspace, "crash").submit(twenty_steps(workspace, folder, ledger))
    time.sleep(delay)
    assert kill_service(home), "there was no service to kill"
    assert run.wait_for_completion(show_output=False, timeout_seconds=120) == "Finished", run.get_details().get("error")
    counts = Counter(ledger.read_text().split())
    assert counts == {f"s{number}": 1 for number in range(20)}


def test_a_killed_service_loses_nothing_and_runs_nothing_twice(workspace, home: Path, scripts, tmp_path: Path):
    folder = scripts(step=SCRIPT)
    for delay in (0.0, 0.15, 0.4):
        one_round(workspace, home, folder, tmp_path / "ledger", delay)


@pytest.mark.long
@pytest.mark.parametrize("number", range(ROUNDS))
def test_killed_at_a_random_moment(workspace, home: Path, scripts, tmp_path: Path, number: int):
    delay = random.Random(number).uniform(0.0, 0.9)  # noqa: S311 - a moment, not a secret
    one_round(workspace, home, scripts(step=SCRIPT), tmp_path / "ledger", delay)


STARTER = """
import time
from azureml.core import Run
run, end = Run.get_context(), time.monotonic() + 60
while time.monotonic() < end:
    run.tag("alive", str(time.monotonic()))
    time.sleep(0.05)
"""


def test_a_service_that_a_step_started_outlives_the_step(workspace, home: Path, scripts):
    folder = scripts(starter=STARTER, after="print('well')")
    step = PythonScriptStep("starter.py", compute_target="local", source_directory=str(folder))
    run = Experiment(workspace, "crash").submit(Pipeline(workspace, [step]))
    wait_until(lambda: "alive" in run.find_step_run("starter.py")[0].get_tags())
    killed = kill_service(home)
    wait_until(lambda: service_pid(home) not in (0, killed))  # nobody but the step asks for it
    again = service_pid(home)
    run.cancel()
    assert run.wait_for_completion(show_output=False) == "Canceled"
    after = PythonScriptStep("after.py", compute_target="local", source_directory=str(folder))
    assert Experiment(workspace, "crash").submit(Pipeline(workspace, [after])).wait_for_completion(show_output=False) == "Finished"
    assert service_pid(home) == again


def service_pid(home: Path) -> int:
    return int((home / "service.lock").read_text() or 0)


def test_steps_go_on_while_no_service_lives(workspace, home: Path, scripts, tmp_path: Path):
    ledger = tmp_path / "ledger"
    folder = scripts(slow=f"import time; time.sleep(1.0); open({str(ledger)!r}, 'a').write('x')")
    run = Experiment(workspace, "crash").submit(
        Pipeline(workspace, [PythonScriptStep("slow.py", compute_target="local", source_directory=str(folder))])
    )
    time.sleep(0.3)
    kill_service(home)
    time.sleep(1.5)
    assert ledger.read_text() == "x", "the step needs no service to go on"
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert ledger.read_text() == "x"
