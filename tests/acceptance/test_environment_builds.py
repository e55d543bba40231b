"""Steps whose environments are built: once for all who ask, aside, through crashes, and told of."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from tests.conftest import kill_service, wait_until
from tests.parts.packages import Index

from azureml.core import Environment, Experiment, RunConfiguration
from azureml.core.conda_dependencies import CondaDependencies
from azureml.exceptions import ActivityFailedException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from penstock.cli.main import main
from penstock.client import connect

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
BUILD_LOG = "azureml-logs/20_image_build_log.txt"
EMPTY = "No environment has been built. One is built when a step asks for packages or a Python that its submitter lacks.\n"
PROBE = "import sys, os, probe; print('probe', probe.VERSION, sys.prefix); assert os.environ['VIRTUAL_ENV'] == sys.prefix"


@pytest.fixture
def one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_STEP_SLOTS", "1")


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_POLICY", "exact")


@pytest.fixture
def current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_POLICY", "current")


def make_environment(*packages: str, name: str = "probing", python: str = PYTHON) -> Environment:
    environment = Environment(name)
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=list(packages), python_version=python)
    return environment


def submit(workspace, folder: Path, steps: dict[str, Environment | None], script: str = "step.py", **keywords):
    made = []
    for name, environment in steps.items():
        config = RunConfiguration()
        if environment is not None:
            config.environment = environment
        made.append(PythonScriptStep(script, name, compute_target="local", source_directory=str(folder), runconfig=config))
    return Experiment(workspace, "environments").submit(Pipeline(workspace, made), **keywords)


def step_of(run, name: str = "a"):
    return run.find_step_run(name)[0]


def record_of(run, name: str = "a") -> dict:
    return connect().get_run(step_of(run, name).id)


def wait(run) -> str:
    return run.wait_for_completion(show_output=False, timeout_seconds=120)


def failure(run) -> str:
    with pytest.raises(ActivityFailedException) as raised:
        wait(run)
    return raised.value.message


def builds() -> list[dict]:
    return connect().list_environment_builds()


def test_a_step_runs_in_the_environment_it_asks_for(index: Index, workspace, scripts):
    index.add("probe", "1.5")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe==1.5")})
    assert wait(run) == "Finished"
    assert "probe 1.5" in step_of(run).get_job_log()
    (build,) = builds()
    assert build["status"] == "Succeeded"
    assert "probe" in connect().read_file(step_of(run).id, BUILD_LOG).decode()
    assert BUILD_LOG in step_of(run).get_file_names()
    words = [event["status"] for event in connect().follow_run(run.id)["events"] if event["run_id"] == step_of(run).id]
    assert "Preparing" in words


def test_twenty_steps_that_ask_at_once_build_once(index: Index, workspace, scripts):
    slow = index.add_slow("probe")
    run = submit(workspace, scripts(step=PROBE), {f"s{number}": make_environment("probe") for number in range(20)})
    wait_until(slow.times_begun)
    wait_until(lambda: {record_of(run, f"s{number}")["status"] for number in range(20)} == {"Preparing"})
    slow.open()
    assert wait(run) == "Finished"
    assert slow.times_begun() == 1
    assert len(builds()) == 1
    assert builds()[0]["steps"] == 20


@pytest.mark.usefixtures("one_slot")
def test_a_step_that_is_prepared_takes_no_slot(index: Index, workspace, scripts):
    slow = index.add_slow("probe")
    folder = scripts(step=PROBE, plain="print('plain')")
    waiting = submit(workspace, folder, {"a": make_environment("probe")})
    wait_until(slow.times_begun)
    other = submit(workspace, folder, {"b": None}, "plain.py")
    assert wait(other) == "Finished"
    assert record_of(waiting)["status"] == "Preparing"
    assert waiting.get_status() == "Running"
    slow.open()
    assert wait(waiting) == "Finished"


def test_the_log_can_be_read_while_the_build_goes_on(index: Index, workspace, scripts):
    slow = index.add_slow("probe")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    wait_until(slow.times_begun)
    wait_until(lambda: BUILD_LOG in step_of(run).get_file_names())
    assert record_of(run)["status"] == "Preparing"
    slow.open()
    assert wait(run) == "Finished"
    assert len(connect().read_file(step_of(run).id, BUILD_LOG)) > 0


@pytest.mark.parametrize("who", ["step", "pipeline"])
def test_what_waits_for_a_build_can_be_cancelled(index: Index, workspace, scripts, who: str):
    slow = index.add_slow("probe")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    wait_until(slow.times_begun)
    wait_until(lambda: record_of(run)["status"] == "Preparing")
    connect().cancel_run(step_of(run).id if who == "step" else run.id)
    wait_until(lambda: run.get_status() == "Canceled")
    wait_until(lambda: builds()[0]["status"] == "Failed")
    assert "nobody waits" in builds()[0]["error"]
    wait_until(lambda: not processes_that_build(index))
    slow.open()
    again = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    assert wait(again) == "Finished"


def processes_that_build(index: Index) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("UV_FIND_LINKS") == str(index.folder) and "uv" in process.name():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_build_that_is_killed_leaves_nothing_half_built(index: Index, workspace, home: Path, scripts):
    slow = index.add_slow("probe")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe"), "b": make_environment("probe")})
    wait_until(slow.times_begun)
    assert kill_service(home)
    for process in processes_that_build(index):
        process.send_signal(signal.SIGKILL)
    slow.open()
    assert wait(run) == "Finished"
    assert slow.times_begun() == 2
    assert [build["status"] for build in builds()] == ["Succeeded"]
    assert all((folder / "complete").exists() for folder in (home / "environments").iterdir() if folder.is_dir())


def test_a_service_that_is_killed_leaves_no_second_builder(index: Index, workspace, home: Path, scripts):
    slow = index.add_slow("probe")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    wait_until(slow.times_begun)
    assert kill_service(home)
    assert connect().get_run(run.id)["status"] == "Running"  # the next service
    slow.open()
    assert wait(run) == "Finished"
    assert [build["status"] for build in builds()] == ["Succeeded"]


def test_a_service_that_is_stopped_ends_its_builds_and_the_next_begins_them_again(index: Index, workspace, home: Path, scripts):
    slow = index.add_slow("probe")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    wait_until(slow.times_begun)
    wait_until(lambda: record_of(run)["status"] == "Preparing")
    assert main(["service", "stop"]) == 0
    wait_until(lambda: not processes_that_build(index))
    assert not any(home.glob("environments/*/env"))
    assert record_of(run)["status"] in ("Preparing", "Queued")  # asked of the next service
    slow.open()
    assert wait(run) == "Finished"
    assert slow.times_begun() == 2
    assert [build["status"] for build in builds()] == ["Succeeded"]


@pytest.mark.usefixtures("exact")
def test_a_package_that_does_not_exist_fails_the_step(index: Index, workspace, scripts):
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("no-such-package")})
    message = failure(run)
    assert "no-such-package" in message
    assert "penstock environments log" in message
    error = connect().get_run(step_of(run).id)["error"]
    assert error["code"] == "UserError"
    assert BUILD_LOG in step_of(run).get_file_names()


def test_what_is_relaxed_is_told(index: Index, workspace, scripts):
    index.add("probe", "2.0")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe==1.0")})
    assert wait(run) == "Finished"
    assert "probe 2.0" in step_of(run).get_job_log()
    (warning,) = step_of(run).get_details()["warnings"]
    assert "probe==1.0" in warning["message"]


def test_a_built_environment_serves_other_runs_and_reuse_sees_it(index: Index, workspace, scripts):
    index.add("probe", "1.0")
    index.add("probe", "2.0")
    folder = scripts(step=PROBE)
    assert wait(submit(workspace, folder, {"a": make_environment("probe==1.0")})) == "Finished"
    again = submit(workspace, folder, {"a": make_environment("probe==1.0", name="another name")})
    assert wait(again) == "Finished"
    assert record_of(again)["reused"]
    renewed = submit(workspace, folder, {"a": make_environment("probe==1.0")}, regenerate_outputs=True)
    assert wait(renewed) == "Finished"
    assert BUILD_LOG not in step_of(renewed).get_file_names()
    assert len(builds()) == 1
    other = submit(workspace, folder, {"a": make_environment("probe==2.0")})
    assert wait(other) == "Finished"
    assert not record_of(other)["reused"]
    assert "the environment changed" in record_of(other)["reason"]


def test_later_steps_find_their_environment_ready(index: Index, workspace, scripts):
    slow = index.add_slow("probe")
    folder = scripts(step=PROBE, first="import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.02)")
    gate = folder.parent / "first.gate"
    first = PythonScriptStep("first.py", "first", [str(gate)], "local", source_directory=str(folder))
    config = RunConfiguration()
    config.environment = make_environment("probe")
    second = PythonScriptStep("step.py", "a", compute_target="local", source_directory=str(folder), runconfig=config)
    second.run_after(first)
    run = Experiment(workspace, "environments").submit(Pipeline(workspace, [second]))
    wait_until(slow.times_begun)  # while the first step runs
    assert record_of(run)["status"] == "NotStarted"
    slow.open()
    wait_until(lambda: builds()[0]["status"] == "Succeeded")
    gate.touch()
    assert wait(run) == "Finished"
    words = [event["status"] for event in connect().follow_run(run.id)["events"] if event["run_id"] == step_of(run).id]
    assert "Preparing" not in words


def test_a_wait_with_output_tells_what_is_built(index: Index, workspace, scripts, capsys):
    index.add("probe")
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    run.wait_for_completion(show_output=True, timeout_seconds=120)
    assert "Its environment 'probing' is being built on cpython" in capsys.readouterr().out


def test_an_image_is_not_used_and_the_run_says_so(index: Index, workspace, scripts):
    environment = Environment.from_docker_image("imaged", "registry.example.com/team/image:1")
    run = submit(workspace, scripts(step="print('without')"), {"a": environment})
    assert wait(run) == "Finished"
    (warning,) = step_of(run).get_details()["warnings"]
    assert "registry.example.com/team/image:1" in warning["message"]


@pytest.mark.usefixtures("current")
def test_the_policy_current_builds_nothing(index: Index, workspace, scripts):
    run = submit(workspace, scripts(step="print('ran')"), {"a": make_environment("probe==9.9", python="3.6")})
    assert wait(run) == "Finished"
    assert builds() == []
    assert not step_of(run).get_details().get("warnings")


@pytest.mark.usefixtures("exact")
def test_a_python_that_is_not_here_fails_before_anything_runs(index: Index, workspace, scripts):
    folder = scripts(step=PROBE, first="print('never')")
    first = PythonScriptStep("first.py", "first", compute_target="local", source_directory=str(folder))
    config = RunConfiguration()
    config.environment = make_environment("probe", python="3.1")
    second = PythonScriptStep("step.py", "a", compute_target="local", source_directory=str(folder), runconfig=config)
    second.run_after(first)
    run = Experiment(workspace, "environments").submit(Pipeline(workspace, [second]))
    assert "Python 3.1" in failure(run)
    words = {event["status"] for event in connect().follow_run(run.id)["events"]}
    assert "Skipped" in words
    assert "Starting" not in words


# What a person asks to have built


def test_environment_build(index: Index, workspace, capsys):
    index.add("probe", "1.5")
    details = make_environment("probe").build(workspace)
    details.wait_for_completion(show_output=True)
    assert details.status == "Succeeded"
    assert "probe" in details.get_log()
    assert "Succeeded" in capsys.readouterr().out
    environment = Environment.get(workspace, "probing")
    assert environment.version == "1"
    about = environment.get_image_details(workspace)
    assert about.image_exist
    assert os.access(about.interpreter_path, os.X_OK)


def test_a_build_that_needs_nothing_says_so(index: Index, workspace):
    log = Environment("plain").build_local(workspace)
    assert "Nothing need be built" in log
    assert builds() == []


@pytest.mark.usefixtures("exact")
def test_a_build_that_fails_raises(index: Index, workspace):
    details = make_environment("no-such-package").build(workspace)
    with pytest.raises(ActivityFailedException, match="no-such-package"):
        details.wait_for_completion(show_output=False)
    assert details.status == "Failed"
    assert not Environment.get(workspace, "probing").get_image_details(workspace).image_exist


# The command line


def command(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["environments", *words])
    captured = capfd.readouterr()
    return status, captured.out + captured.err


def test_penstock_environments(index: Index, workspace, scripts, capfd):
    index.add("probe", "1.5")
    make_environment("probe").register(workspace)
    assert command(capfd) == (0, EMPTY)
    status, said = command(capfd, "build", "probing")
    assert status == 0
    assert "probe" in said
    assert "is ready: cpython" in said
    (build,) = builds()
    for words in (["list"], ["show", build["key"][:8]], ["log", build["key"][:8]], ["log", build["key"], "--follow"]):
        status, said = command(capfd, *words)
        assert status == 0
        assert "probe" in said
    assert json.loads(command(capfd, "list", "--json")[1])[0]["key"] == build["key"]
    assert json.loads(command(capfd, "show", build["key"], "--json")[1])["interpreter"] == build["interpreter"]
    assert "Nothing to remove" in command(capfd, "clean")[1]
    assert Path(build["folder"]).is_dir()
    assert "Removed" in command(capfd, "clean", build["key"])[1]
    assert not Path(build["folder"]).exists()
    assert builds() == []
    run = submit(workspace, scripts(step=PROBE), {"a": make_environment("probe")})
    assert wait(run) == "Finished"
    assert len(builds()) == 1


def test_penstock_environments_says_what_is_wrong(index: Index, workspace, scripts, capfd):
    index.add("probe")
    assert "There is no built environment 'abcdef'" in command(capfd, "show", "abcdef")[1]
    assert "too short" in command(capfd, "log", "ab")[1]
    make_environment("probe").register(workspace)
    assert "Did you mean 'probing'?" in command(capfd, "build", "probin")[1]
    slow = index.add_slow("slowly")
    run = submit(workspace, scripts(step="import slowly, sys, time; time.sleep(60)"), {"a": make_environment("slowly")})
    wait_until(slow.times_begun)
    assert "is being built" in command(capfd, "clean", builds()[0]["key"])[1]
    slow.open()
    wait_until(lambda: record_of(run)["status"] == "Running")
    assert "in use by step 'a'" in command(capfd, "clean", builds()[0]["key"])[1]
    run.cancel()
    assert wait(run) == "Canceled"
