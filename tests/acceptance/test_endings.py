"""How steps end: well, badly, by a signal, too late, cancelled; and what their users are told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from tests.conftest import processes_of, wait_until

from azureml.core import Experiment, RunConfiguration
from azureml.exceptions import ActivityFailedException
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect


def submit(workspace, folder: Path, *names: str, runconfig=None, **keywords):
    steps = [
        PythonScriptStep(f"{name}.py", name, compute_target="local", source_directory=str(folder), runconfig=runconfig) for name in names
    ]
    return Experiment(workspace, "endings").submit(Pipeline(workspace, steps), **keywords)


def failure(run) -> str:
    with pytest.raises(ActivityFailedException) as raised:
        run.wait_for_completion(show_output=False)
    assert run.get_status() == "Failed"
    return raised.value.message


def log_of(run, name: str) -> str:
    return run.find_step_run(name)[0].get_job_log()


def test_an_exception_reaches_everyone_who_asks(workspace, scripts):
    run = submit(workspace, scripts(bad="def deep():\n    raise KeyError('no such column')\ndeep()"), "bad")
    message = failure(run)
    assert "Step 'bad' failed" in message
    assert "KeyError: 'no such column'" in message
    assert "penstock logs" in message
    details = run.get_details()
    assert "no such column" in str(details["error"])
    step = run.find_step_run("bad")[0]
    assert "no such column" in str(step.get_details()["error"])
    log = log_of(run, "bad")
    assert log.startswith("Traceback (most recent call last):")
    assert "launcher.py" not in log, "our own frames are no help"


def test_an_exit_status_is_named(workspace, scripts):
    assert "sys.exit(7)" in failure(submit(workspace, scripts(bad="import sys; sys.exit(7)"), "bad"))
    assert "exit status 9" in failure(submit(workspace, scripts(bad="import os; os._exit(9)"), "bad"))
    assert "needs --name" in failure(submit(workspace, scripts(bad="import sys; sys.exit('it needs --name')"), "bad"))


def test_a_mistake_in_the_arguments_is_told(workspace, scripts):
    text = "import argparse; parser = argparse.ArgumentParser(); parser.add_argument('--needed', required=True); parser.parse_args()"
    assert "the following arguments are required: --needed" in failure(submit(workspace, scripts(bad=text), "bad"))


def test_a_missing_package_is_told_where_to_install(workspace, scripts):
    message = failure(submit(workspace, scripts(bad="import no_such_package"), "bad"))
    assert "No module named 'no_such_package'" in message
    assert "the interpreter that submitted" in message


def test_a_signal_is_named(workspace, scripts):
    assert "SIGSEGV" in failure(submit(workspace, scripts(bad="import os; os.kill(os.getpid(), 11)"), "bad"))
    assert "SIGKILL" in failure(submit(workspace, scripts(bad="import os; os.kill(os.getpid(), 9)"), "bad"))


def test_a_syntax_error_shows_its_line(workspace, scripts):
    run = submit(workspace, scripts(bad="print(1)\nif True print(2)"), "bad")
    assert "SyntaxError" in failure(run)
    assert 'bad.py", line 2' in log_of(run, "bad")


def test_a_step_that_never_stops_is_stopped_at_its_limit(workspace, home, scripts):
    config = RunConfiguration()
    config.max_run_duration_seconds = 1
    run = submit(workspace, scripts(endless="import time\nwhile True: time.sleep(1)"), "endless", runconfig=config)
    message = failure(run)
    assert "max_run_duration_seconds = 1" in message
    assert not processes_of(home, "endless.py")


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)"
own_session = subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        open("orphan", "w").write(str(os.getpid()))
        while True: time.sleep(1)
    os._exit(0)
while not os.path.exists("orphan"): time.sleep(0.01)
time.sleep(0.05)
open(os.environ["PIDS"], "w").write(" ".join(map(str, [os.getpid(), own_session.pid, open("orphan").read()])))
while True: time.sleep(1)
"""


def test_cancel_ends_the_whole_tree_of_a_stubborn_script(workspace, scripts, tmp_path: Path):
    config = RunConfiguration()
    config.environment_variables = {"PIDS": str(tmp_path / "pids")}
    run = submit(workspace, scripts(stubborn=STUBBORN), "stubborn", runconfig=config)
    wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    family = [psutil.Process(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    asked_at = time.monotonic()
    run.cancel()
    assert run.wait_for_completion(show_output=False) == "Canceled"
    assert time.monotonic() - asked_at < 10
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert run.find_step_run("stubborn")[0].get_status() == "Canceled"
    run.cancel()  # once more: nothing happens
    assert run.get_status() == "Canceled"


RUNAWAY = """
import os, subprocess, time
hidden = subprocess.Popen(["env", "-i", "sleep", "1000"], start_new_session=True)
open(os.environ["PIDS"], "w").write(str(hidden.pid))
time.sleep(1000)
"""


def test_cancel_finds_a_child_without_session_or_environment(workspace, scripts, tmp_path: Path):
    config = RunConfiguration()
    config.environment_variables = {"PIDS": str(tmp_path / "pids")}
    run = submit(workspace, scripts(runaway=RUNAWAY), "runaway", runconfig=config)
    wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    hidden = psutil.Process(int((tmp_path / "pids").read_text()))
    run.cancel()
    assert run.wait_for_completion(show_output=False) == "Canceled"
    assert not hidden.is_running() or hidden.status() == psutil.STATUS_ZOMBIE


def test_cancel_does_not_wait_for_a_large_output_to_be_read(workspace, scripts):
    text = "import os, sys\nwith open(sys.argv[1], 'wb') as file: file.truncate(60 * 1024**3)"
    out = PipelineData("out", datastore=workspace.get_default_datastore())
    step = PythonScriptStep("sparse.py", arguments=[out], outputs=[out], compute_target="local", source_directory=str(scripts(sparse=text)))
    run = Experiment(workspace, "endings").submit(Pipeline(workspace, [step]))
    wait_until(lambda: run.find_step_run("sparse.py")[0].get_status() == "Running")
    time.sleep(1.0)
    asked_at = time.monotonic()
    run.cancel()
    assert run.wait_for_completion(show_output=False) == "Canceled"
    assert time.monotonic() - asked_at < 10


def test_reading_a_large_input_keeps_nobody_waiting(workspace, scripts):
    from azureml.data.data_reference import DataReference

    store = workspace.get_default_datastore()
    root = connect().get_default_datastore(workspace._id)["root"]
    with open(os.path.join(root, "sparse"), "wb") as file:
        file.truncate(60 * 1024**3)
    folder = scripts(small="print(1)")
    reference = DataReference(store, "sparse", "sparse")
    reader = PythonScriptStep("small.py", "reader", inputs=[reference], compute_target="local", source_directory=str(folder))
    slow = Experiment(workspace, "endings").submit(Pipeline(workspace, [reader]))
    quick = submit(workspace, folder, "small")
    assert quick.wait_for_completion(show_output=False) == "Finished"
    assert slow.get_status() == "Running"
    slow.cancel()
    assert slow.wait_for_completion(show_output=False) == "Canceled"
    os.truncate(os.path.join(root, "sparse"), 10)
    again = Experiment(workspace, "endings").submit(Pipeline(workspace, [reader]))
    assert again.wait_for_completion(show_output=False) == "Finished", "the cancelled step's reading is in nobody's way"


def test_cancel_of_a_queued_step_never_starts_it(workspace, scripts, tmp_path: Path):
    folder = scripts(first="import time; time.sleep(60)", second=f"open({str(tmp_path / 'ran')!r}, 'w')")
    first = PythonScriptStep("first.py", compute_target="local", source_directory=str(folder))
    second = PythonScriptStep("second.py", compute_target="local", source_directory=str(folder))
    second.run_after(first)
    run = Experiment(workspace, "endings").submit(Pipeline(workspace, [second]))
    wait_until(lambda: run.find_step_run("first.py")[0].get_status() == "Running")
    run.cancel()
    assert run.wait_for_completion(show_output=False) == "Canceled"
    assert not (tmp_path / "ran").exists()
    assert [step.name for step in run.get_steps()] == ["first.py"], "a step that never ran has no step run, as in v1"


def test_a_script_may_cancel_its_own_pipeline(workspace, scripts):
    run = submit(
        workspace,
        scripts(quitter="import time\nfrom azureml.core import Run\nRun.get_context().parent.cancel()\ntime.sleep(60)"),
        "quitter",
    )
    assert run.wait_for_completion(show_output=False) == "Canceled"


def failing_pipeline(workspace, scripts, tmp_path: Path):
    """bad -> after_bad; slow -> after_slow: two branches that do not know each other."""
    ran = tmp_path / "ran"
    ran.mkdir()
    note = f"import sys, os; open(os.path.join({str(ran)!r}, sys.argv[1]), 'w')\n"
    folder = scripts(bad="raise SystemExit(3)", good=note, slow="import time; time.sleep(1.5)\n" + note)

    def step(script: str, name: str, *after):
        item = PythonScriptStep(f"{script}.py", name, [name], "local", source_directory=str(folder))
        for before in after:
            item.run_after(before)
        return item

    bad, slow = step("bad", "bad"), step("slow", "slow")
    return Pipeline(workspace, [step("good", "after_bad", bad), step("good", "after_slow", slow)]), ran


def test_child_runs_of_a_script_end_with_it(workspace, scripts):
    text = "import sys\nfrom azureml.core import Run\nRun.get_context().child_run('left').log('x', 1)\nsys.exit(int(sys.argv[1]))"
    folder = scripts(parent=text)
    for code, status in ((0, "Completed"), (1, "Failed")):
        step = PythonScriptStep("parent.py", arguments=[code], compute_target="local", source_directory=str(folder), allow_reuse=False)
        run = Experiment(workspace, "endings").submit(Pipeline(workspace, [step]))
        run.wait_for_completion(show_output=False, raise_on_error=False)
        (child,) = run.find_step_run("parent.py")[0].get_children()
        assert child.get_status() == status
        assert child.get_metrics() == {"x": 1}


def test_a_failure_stops_the_rest(workspace, scripts, tmp_path: Path):
    pipeline, ran = failing_pipeline(workspace, scripts, tmp_path)
    run = Experiment(workspace, "endings").submit(pipeline)
    assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    assert os.listdir(ran) == []
    assert {step.name: step.get_status() for step in run.get_steps()} == {"bad": "Failed", "slow": "Canceled"}


def test_independent_steps_go_on_when_asked(workspace, scripts, tmp_path: Path):
    pipeline, ran = failing_pipeline(workspace, scripts, tmp_path)
    run = Experiment(workspace, "endings").submit(pipeline, continue_on_step_failure=True)
    assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    assert sorted(os.listdir(ran)) == ["after_slow", "slow"]
    rows = {step["name"]: step for step in connect().list_children(run.id)}
    assert rows["after_bad"]["status"] == "Skipped"
    assert "'bad', which failed" in rows["after_bad"]["reason"]


HALF = """
import os, sys
os.makedirs(sys.argv[1])
open(os.path.join(sys.argv[1], "half"), "w").write("x")
raise OSError("half")
"""


def test_an_output_that_fails_halfway_is_no_result(workspace, scripts):
    out = PipelineData("out", datastore=workspace.get_default_datastore())
    step = PythonScriptStep("half.py", arguments=[out], outputs=[out], compute_target="local", source_directory=str(scripts(half=HALF)))
    pipeline = Pipeline(workspace, [step])
    for _ in range(2):  # the second is not reused either
        run = Experiment(workspace, "endings").submit(pipeline)
        assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
        failed = run.find_step_run("half.py")[0]
        assert not failed.is_reused
        assert not any(output["is_published"] for output in connect().list_outputs(failed.id))


def test_what_v1_left_in_a_scripts_globals_is_there(workspace, scripts):
    run = submit(workspace, scripts(lazy="parser = argparse.ArgumentParser()\nprint(os.getcwd(), sys.argv)\nlogging.info('x')"), "lazy")
    assert run.wait_for_completion(show_output=False) == "Finished"


def test_a_killed_keeper_fails_its_steps_with_a_reason(workspace, home, scripts):
    run = submit(workspace, scripts(slow="import time; time.sleep(60)"), "slow")
    wait_until(lambda: run.find_step_run("slow")[0].get_status() == "Running")
    wait_until(lambda: processes_of(home, "slow.py"))
    keeper = processes_of(home, "penstock.engine.executors.keeper")[0]
    keeper.kill()
    assert "was killed" in failure(run)
    assert not processes_of(home, "slow.py"), "its script ended with it"
    again = submit(workspace, scripts(slow="print('well')"), "slow")
    assert again.wait_for_completion(show_output=False) == "Finished", "the next step gets a new keeper"
