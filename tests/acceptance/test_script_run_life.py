"""How script runs end, whom they start, and what they survive."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import kill_service, processes_of, wait_until

from azureml.core import Experiment, Run, ScriptRunConfig
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.runconfig import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
from azureml.core.script_run import ScriptRun
from azureml.exceptions import ActivityFailedException, ExperimentExecutionException, SnapshotException, UserErrorException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

# Says that it is there, and goes on until a file appears.
WAIT = """
import os, sys, time
with open(sys.argv[1] + ".begun", "a") as file:
    file.write("begun\\n")
print("waiting", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
print("done")
"""


@pytest.fixture(autouse=True)
def slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for all runs of a test, whatever the machine; tests of waiting for a place set it to 1."""
    monkeypatch.setenv("PENSTOCK_STEP_SLOTS", "4")


@pytest.fixture
def experiment(workspace):
    return Experiment(workspace, "life")


@pytest.fixture
def waiting(experiment, scripts, tmp_path):
    """A run whose script goes on until `tmp_path / "go"` exists."""
    folder = scripts(wait=WAIT)
    run = experiment.submit(ScriptRunConfig(str(folder), "wait.py", [str(tmp_path / "go")]))
    wait_until((tmp_path / "go.begun").exists)
    return run


def log_of(run: Run) -> str:
    return run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]


def failure(run: Run) -> str:
    with pytest.raises(ActivityFailedException) as raised:
        run.wait_for_completion()
    assert run.get_status() == "Failed"
    return raised.value.message


# Failures


def test_an_exception_is_told_with_its_log(experiment, scripts, capsys):
    config = ScriptRunConfig(str(scripts(bad="open('outputs/kept', 'w').write('x'); raise KeyError('no such column')")), "bad.py")
    run = experiment.submit(config)
    message = failure(run)
    assert message.startswith("Activity Failed:\n{")
    assert "KeyError: 'no such column'" in message
    assert f"penstock logs {run.id}" in message
    assert "outputs/kept" in run.get_file_names()
    capsys.readouterr()
    details = run.wait_for_completion(show_output=True, raise_on_error=False)
    assert "no such column" in details["error"]["error"]["message"]
    assert details["error"]["error"]["code"] == "UserError"
    shown = capsys.readouterr().out
    assert "Traceback (most recent call last):" in shown
    assert "\nError:\n{" in shown


def test_a_run_that_takes_too_long_is_stopped(experiment, scripts, tmp_path):
    folder = str(scripts(wait=WAIT))
    run = experiment.submit(ScriptRunConfig(folder, "wait.py", [str(tmp_path / "never")], max_run_duration_seconds=1))
    assert "The run ran longer than max_run_duration_seconds = 1" in failure(run)


def test_what_is_missing_is_said_at_submission(experiment, scripts, tmp_path):
    folder = str(scripts(train="pass"))
    for config, words in (
        (ScriptRunConfig(folder, "trian.py"), "no script 'trian.py'.*train.py"),
        (ScriptRunConfig(folder, "../train.py"), "relative to the source directory"),
        (ScriptRunConfig(str(tmp_path / "nowhere"), "train.py"), "does not exist"),
    ):
        with pytest.raises(ExperimentExecutionException, match=words):
            experiment.submit(config)
    with pytest.raises(UserErrorException, match="neither a script nor a command"):
        experiment.submit(ScriptRunConfig(folder))
    with pytest.raises(UserErrorException, match="one of them"):
        experiment.submit(ScriptRunConfig(folder, "train.py", command="ls"))
    (tmp_path / "source" / ".amlignore").write_text("train.py\n")
    with pytest.raises(ExperimentExecutionException, match="ignore file"):
        experiment.submit(ScriptRunConfig(folder, "train.py"))
    assert list(experiment.get_runs()) == []


def test_a_strange_compute_target_is_refused(experiment, scripts, workspace):
    ComputeTarget.create(workspace, "cpu-cluster", AmlCompute.provisioning_configuration("STANDARD_D2_V2", max_nodes=1))
    with pytest.raises(ExperimentExecutionException, match="cpu-cluster"):
        experiment.submit(ScriptRunConfig(str(scripts(train="pass")), "train.py", compute_target="cpu-clustre"))


def test_a_folder_that_is_too_large_is_refused(home, scripts, monkeypatch, tmp_path):
    monkeypatch.setenv("PENSTOCK_SNAPSHOT_BYTES", "1000")
    from azureml.core import Workspace

    folder = scripts(train="pass", large="#" * 2000)
    with pytest.raises(SnapshotException, match=r"large\.py"):
        Experiment(Workspace.get("testing"), "large").submit(ScriptRunConfig(str(folder), "train.py"))


@pytest.mark.parametrize(
    "distribution",
    [MpiConfiguration(process_count_per_node=2), PyTorchConfiguration("Nccl", 4, 2), TensorflowConfiguration(worker_count=2)],
)
def test_several_processes_are_refused_by_name(experiment, scripts, distribution):
    config = ScriptRunConfig(str(scripts(train="pass")), "train.py", distributed_job_config=distribution)
    with pytest.raises(NotImplementedError, match=type(distribution).__name__):
        experiment.submit(config)


def test_one_process_of_a_distribution_runs(experiment, scripts):
    run = experiment.submit(ScriptRunConfig(str(scripts(train="pass")), "train.py", distributed_job_config=MpiConfiguration()))
    assert run.wait_for_completion()["status"] == "Completed"


# Cancel


def test_a_cancelled_run_leaves_no_process(waiting, home, tmp_path):
    assert waiting.get_status() == "Running"
    waiting.cancel()
    details = waiting.wait_for_completion()
    assert details["status"] == "Canceled"
    assert "endTimeUtc" in details
    wait_until(lambda: not processes_of(home, "wait.py"))


def test_a_run_that_waits_for_a_place_is_cancelled_at_once(home, monkeypatch, scripts, tmp_path):
    monkeypatch.setenv("PENSTOCK_STEP_SLOTS", "1")
    from azureml.core import Workspace

    experiment = Experiment(Workspace.get("testing"), "queue")
    config = ScriptRunConfig(str(scripts(wait=WAIT)), "wait.py", [str(tmp_path / "go")])
    first = experiment.submit(config)
    wait_until((tmp_path / "go.begun").exists)
    second = experiment.submit(config)
    assert second.get_status() == "Queued"
    second.cancel()
    assert second.get_status() == "Canceled"
    (tmp_path / "go").touch()
    assert first.wait_for_completion()["status"] == "Completed"
    assert (tmp_path / "go.begun").read_text() == "begun\n"


def test_cancel_reaches_the_runs_below(waiting, scripts, tmp_path):
    folder = str(scripts(wait=WAIT))
    child = waiting.submit_child(ScriptRunConfig(folder, "wait.py", [str(tmp_path / "other")]))
    step = PythonScriptStep("wait.py", "step", [str(tmp_path / "third")], "local", source_directory=folder)
    pipeline = waiting.submit_child(Pipeline(waiting.experiment.workspace, [step]))
    driven = waiting.child_run("driven")
    wait_until(lambda: all((tmp_path / f"{name}.begun").exists() for name in ("other", "third")))
    waiting.cancel()
    assert waiting.wait_for_completion()["status"] == "Canceled"
    assert child.wait_for_completion()["status"] == "Canceled"
    assert pipeline.wait_for_completion(show_output=False) == "Canceled"
    assert driven.get_status() == "Canceled"


def test_who_stops_watching_stops_nothing(waiting, tmp_path):
    source = f"""
from azureml.core import Run, Workspace
from azureml.exceptions import ExperimentExecutionException
run = Run.get(Workspace.get("testing", subscription_id="sub", resource_group="group"), {waiting.id!r})
try:
    run.wait_for_completion(show_output=True)
except ExperimentExecutionException as error:
    print("TOLD", error.message)
"""
    watcher = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert watcher.stdout is not None
    for line in watcher.stdout:
        if line == "waiting\n":
            break
    watcher.send_signal(signal.SIGINT)
    rest = watcher.communicate(timeout=60)[0]
    assert f"TOLD The wait for run {waiting.id} was interrupted; the run goes on." in rest
    assert f"penstock cancel {waiting.id}" in rest
    assert waiting.get_status() == "Running"
    (tmp_path / "go").touch()
    assert waiting.wait_for_completion()["status"] == "Completed"


# Parents and children


def test_a_child_is_submitted_below_its_parent(waiting, scripts, tmp_path, workspace):
    folder = str(scripts(wait=WAIT, tell="from azureml.core import Run; print(Run.get_context().parent.id)"))
    child = waiting.submit_child(ScriptRunConfig(folder, "tell.py"), tags={"n": "1"})
    child.wait_for_completion()
    assert log_of(child).strip() == waiting.id
    assert (child.parent.id, type(child.parent), child.tags) == (waiting.id, ScriptRun, {"n": "1"})
    assert [run.id for run in waiting.get_children()] == [child.id]
    assert [run.id for run in Experiment(workspace, "life").get_runs()] == [waiting.id]
    (tmp_path / "go").touch()
    waiting.wait_for_completion()


DRIVER = """
import os
from azureml.core import Experiment, Run, ScriptRunConfig
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
run = Run.get_context()
workspace = run.experiment.workspace
steps = [PythonScriptStep("leaf.py", name, source_directory=".", compute_target={target!r}, allow_reuse=False) for name in ("one", "two")]
pipeline = Experiment(workspace, "inner").submit(Pipeline(workspace, steps))
pipeline.wait_for_completion(show_output=False)
inner = run.submit_child(ScriptRunConfig(".", "middle.py", compute_target={target!r}))
inner.wait_for_completion()
print("pipeline", pipeline.get_status(), "script", inner.get_status())
"""
MIDDLE = """
from azureml.core import Run, ScriptRunConfig
Run.get_context().submit_child(ScriptRunConfig(".", "leaf.py", compute_target={target!r})).wait_for_completion()
"""


@pytest.mark.parametrize("target", ["local", "one-node"])
def test_a_run_that_waits_for_runs_of_its_own_gives_them_its_place(home, monkeypatch, scripts, target):
    monkeypatch.setenv("PENSTOCK_STEP_SLOTS", "1")
    from azureml.core import Workspace

    workspace = Workspace.get("testing")
    ComputeTarget.create(workspace, "one-node", AmlCompute.provisioning_configuration("STANDARD_D1_V2", max_nodes=1))
    folder = scripts(driver=DRIVER.format(target=target), middle=MIDDLE.format(target=target), leaf="print('leaf')")
    run = Experiment(workspace, "outer").submit(ScriptRunConfig(str(folder), "driver.py", compute_target=target))
    run.wait_for_completion()
    assert log_of(run).splitlines()[-1] == "pipeline Finished script Completed"


# A service that dies

LEDGER = """
import sys, time
with open(sys.argv[1], "a") as file:
    file.write(sys.argv[2] + "\\n")
time.sleep(0.1)
with open("outputs/made", "w") as file:
    file.write(sys.argv[2])
"""


def test_a_killed_service_loses_no_run_and_runs_none_twice(experiment, home: Path, scripts, tmp_path):
    folder, ledger = scripts(note=LEDGER), tmp_path / "ledger"
    runs = []
    for number in range(8):
        runs.append(experiment.submit(ScriptRunConfig(str(folder), "note.py", [str(ledger), f"n{number}"])))
        if number % 2:
            assert kill_service(home), "there was no service to kill"
    for run in runs:
        assert run.wait_for_completion()["status"] == "Completed"
        assert "outputs/made" in run.get_file_names()
    assert sorted(ledger.read_text().split()) == [f"n{number}" for number in range(8)]


def test_a_run_goes_on_while_no_service_lives(waiting, home, tmp_path):
    assert kill_service(home)
    (tmp_path / "go").touch()
    assert waiting.wait_for_completion()["status"] == "Completed"
    assert log_of(waiting) == "waiting\ndone\n"
    assert (tmp_path / "go.begun").read_text() == "begun\n"


def test_a_cancel_outlives_the_service(waiting, home):
    waiting.cancel()
    kill_service(home)
    assert waiting.wait_for_completion()["status"] == "Canceled"
