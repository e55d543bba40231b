"""Steps in containers, end to end.

No docker is needed, and none is used: a program of ours named `docker` stands in for it (`tests/parts/stand_in_docker.py`). It shows that
the commands we call docker with do what a step needs: that its mounts suffice (as root on Linux; elsewhere it hides nothing), that
variables reach it by their names, and how it ends. It can't show that docker takes these commands, pulls images or keeps users apart.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.conftest import kill_service, processes_of, wait_until
from tests.parts import stand_in_docker
from tests.parts.packages import Index

from azureml.core import Dataset, Environment, Experiment, RunConfiguration, ScriptRunConfig
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import DEFAULT_CPU_IMAGE, DockerConfiguration
from azureml.exceptions import ActivityFailedException
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep

IMAGE = "python:3.8-slim"
SYSTEMS = os.path.realpath(sys.base_prefix) in ("/usr", "/usr/local")
WAIT = "import time; open('outputs/begun', 'w').close()\nwhile True: time.sleep(0.05)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"


@dataclass(frozen=True)
class Docker:
    """The stand-in, and what it was called with."""

    state: Path

    def calls(self, verb: str) -> list[list[str]]:
        lines = (self.state / "calls").read_text().splitlines() if (self.state / "calls").exists() else []
        return [words for words in map(json.loads, lines) if words[0] == verb]

    def containers(self) -> list[str]:
        return [path.name for path in (self.state / "containers").glob("penstock-*") if path.suffix != ".new"]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    state, programs = tmp_path / "docker", tmp_path / "programs"
    state.mkdir()
    programs.mkdir()
    (programs / "docker").write_text(f'#!/bin/sh\nexec {sys.executable} -I {stand_in_docker.__file__} {state} "$@"\n')
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PENSTOCK_CONTAINER_ENGINE", "docker")
    monkeypatch.setenv("OF_THE_SHELL", "shown")
    return Docker(state)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CANCEL_GRACE_SECONDS", "1")


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CONTAINER_ENGINE", "podman")
    monkeypatch.setenv("PATH", "/nowhere")


def in_image(image: str = IMAGE, **docker: object) -> RunConfiguration:
    config = RunConfiguration()
    config.environment = Environment.from_docker_image("imaged", image)
    config.docker = DockerConfiguration(use_docker=True, **docker)
    return config


def submit(workspace, folder: Path, config: RunConfiguration, script: str = "step.py", **keywords):
    step = PythonScriptStep(script, "a", compute_target="local", source_directory=str(folder), runconfig=config, **keywords)
    return Experiment(workspace, "containers").submit(Pipeline(workspace, [step]))


def wait(run) -> str:
    return run.wait_for_completion(show_output=False, timeout_seconds=120)


def failure(run) -> str:
    with pytest.raises(ActivityFailedException) as raised:
        wait(run)
    return raised.value.message


def step_of(run, name: str = "a"):
    return run.find_step_run(name)[0]


def begin(docker: Docker, home: Path, run) -> None:
    """Return when the step's script is at work in its container."""
    wait_until(lambda: docker.containers() and list(home.glob("runs/*/work/outputs/begun")))


def inner_processes(docker: Docker) -> list[psutil.Process]:
    return [psutil.Process(int((docker.state / "containers" / name).read_text())) for name in docker.containers()]


def test_a_step_runs_in_the_image_that_it_names(docker: Docker, workspace, scripts):
    script = """
import os
from azureml.core import Run

run = Run.get_context()
run.log("score", 3)
run.tag("from", "inside")
open("outputs/model", "w").write("bytes")
print("hidden", HIDDEN, not os.path.exists(HIDDEN))
print("in", os.environ["IMAGE"], os.environ["MINE"], os.environ["HOME"] == os.getcwd(), os.environ.get("OF_THE_SHELL"))
"""
    config = in_image(arguments=["--cpus=2"], shm_size="1g")
    config.environment_variables = {"MINE": "not-to-be-shown"}
    script = f"HIDDEN = {stand_in_docker.__file__!r}\n{script}"
    run = submit(workspace, scripts(step=script), config)
    assert wait(run) == "Finished"
    step = step_of(run)
    assert f"in {IMAGE} not-to-be-shown True None" in step.get_job_log()
    assert f"hidden {stand_in_docker.__file__} {stand_in_docker.can_isolate()}" in step.get_job_log()
    assert step.get_metrics() == {"score": 3}
    assert step.get_tags()["from"] == "inside"
    assert "outputs/model" in step.get_file_names()
    assert not step.get_details().get("warnings")
    (command,) = docker.calls("run")
    assert command[command.index("--shm-size") + 1] == "1g"
    assert command[command.index(IMAGE) - 1 : command.index(IMAGE) + 2] == ["--cpus=2", IMAGE, "python"]
    assert "not-to-be-shown" not in json.dumps(docker.calls("run"))
    assert docker.containers() == []


def test_data_goes_from_container_to_container(docker: Docker, workspace, scripts):
    made = PipelineData("made", datastore=workspace.get_default_datastore())
    folder = scripts(make="import sys, os; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/x', 'w').write('bytes')")
    scripts(read="import sys; print('read', open(sys.argv[1] + '/x').read())")
    about = {"compute_target": "local", "source_directory": str(folder), "runconfig": in_image()}
    first = PythonScriptStep("make.py", "make", arguments=[made], outputs=[made], **about)
    second = PythonScriptStep("read.py", "read", arguments=[made], inputs=[made], **about)
    run = Experiment(workspace, "containers").submit(Pipeline(workspace, [first, second]))
    assert wait(run) == "Finished"
    assert "read bytes" in step_of(run, "read").get_job_log()
    assert len(docker.calls("run")) == 2


def test_a_command_reads_a_dataset_where_it_asked_for_it(docker: Docker, workspace, scripts, tmp_path: Path):
    (tmp_path / "data.txt").write_text("bytes")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "data.txt")], target_path="data", show_progress=False)
    place = str(tmp_path / "place")
    data = Dataset.File.from_files((store, "data")).as_named_input("data").as_mount(place)
    config = in_image()
    command = f"cat {place}/data.txt && echo in $IMAGE"
    script = ScriptRunConfig(str(scripts(step="")), command=command, environment=config.environment, docker_runtime_config=config.docker)
    script.run_config.data = {"data": data}
    run = Experiment(workspace, "containers").submit(script)
    run.wait_for_completion()
    assert f"bytesin {IMAGE}" in run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert f"type=bind,source={place},target={place}" in docker.calls("run")[0]


@pytest.mark.skipif(SYSTEMS, reason="the Python of these tests belongs to the system, which is not shown to containers")
def test_packages_that_are_built_here_are_found_in_the_container(docker: Docker, index: Index, workspace, scripts):
    index.add("probe", "1.5")
    config = RunConfiguration()
    config.environment = Environment("probing")
    config.environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["probe"], python_version=f"{sys.version_info[0]}.{sys.version_info[1]}"
    )
    config.environment.docker.base_image = "team/image:1"
    config.docker = DockerConfiguration(use_docker=True)
    script = """
import os, sys, shutil, probe

print(probe.VERSION, os.environ["VIRTUAL_ENV"] == sys.prefix, shutil.which("python") == sys.executable)
"""
    run = submit(workspace, scripts(step=script), config)
    assert wait(run) == "Finished"
    assert "1.5 True True" in step_of(run).get_job_log()
    assert "team/image:1" in docker.calls("run")[0]


@pytest.mark.skipif(not SYSTEMS, reason="the Python of these tests can be shown to a container")
def test_a_python_of_the_system_is_not_shown_to_a_container(docker: Docker, workspace, scripts):
    config = RunConfiguration()
    config.environment.docker.base_image = "team/image:1"
    config.docker = DockerConfiguration(use_docker=True)
    assert "user_managed_dependencies" in failure(submit(workspace, scripts(step="pass"), config))


def test_v1s_own_image_means_no_container(docker: Docker, workspace, scripts):
    config = RunConfiguration()
    config.docker = DockerConfiguration(use_docker=True)
    config.environment.docker.base_image = DEFAULT_CPU_IMAGE
    run = submit(workspace, scripts(step="pass"), config)
    assert wait(run) == "Finished"
    assert not step_of(run).get_details().get("warnings")
    assert docker.calls("run") == []


def test_an_image_without_docker_enabled_is_told_of(docker: Docker, workspace, scripts):
    config = in_image()
    config.docker.use_docker = False
    run = submit(workspace, scripts(step="pass"), config)
    assert wait(run) == "Finished"
    (warning,) = step_of(run).get_details()["warnings"]
    assert "its docker.enabled is not set" in warning["message"]
    assert docker.calls("run") == []


def test_reuse_sees_the_image_and_the_container(docker: Docker, home: Path, workspace, scripts, monkeypatch: pytest.MonkeyPatch):
    folder = scripts(step="pass")

    def runs(config: RunConfiguration) -> int:
        before = len(docker.calls("run"))
        assert wait(submit(workspace, folder, config)) == "Finished"
        return len(docker.calls("run")) - before

    assert runs(in_image()) == 1
    assert runs(in_image()) == 0
    assert runs(in_image("python:3.9-slim")) == 1
    assert runs(in_image(arguments=["-e", "X=1"])) == 1
    monkeypatch.setenv("PENSTOCK_CONTAINER_ENGINE", "")
    pid = kill_service(home)
    wait_until(lambda: not psutil.pid_exists(pid))
    run = submit(workspace, folder, in_image())
    assert wait(run) == "Finished"
    assert not step_of(run).is_reused


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("raise ValueError('wrong')", "ValueError: wrong"),
        ("import sys; sys.exit(3)", "exit status 3|sys.exit\\(3\\)"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    ],
)
def test_a_failure_is_told_as_of_other_steps(docker: Docker, workspace, scripts, script, words):
    assert re.search(words, failure(submit(workspace, scripts(step=script), in_image())))


def test_an_image_that_can_not_be_had_is_told(docker: Docker, workspace, scripts):
    assert "pull access denied for team/gone" in failure(submit(workspace, scripts(step="pass"), in_image("team/gone")))


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("script", [WAIT, STUBBORN])
def test_cancelling_ends_the_container(docker: Docker, home: Path, workspace, scripts, script):
    run = submit(workspace, scripts(step=script), in_image())
    begin(docker, home, run)
    (inner,) = inner_processes(docker)
    run.cancel()
    wait_until(lambda: run.get_status() == "Canceled")
    assert not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE
    (words,) = docker.calls("stop")
    name = docker.calls("run")[0][docker.calls("run")[0].index("--name") + 1]
    assert words == ["stop", "-t", "1", name]
    assert docker.containers() == []


def test_a_container_survives_the_service(docker: Docker, home: Path, workspace, scripts):
    script = """
import os, time

open("outputs/begun", "w").close()
while not os.path.exists("outputs/go"):
    time.sleep(0.02)
print("ended well")
"""
    run = submit(workspace, scripts(step=script), in_image())
    begin(docker, home, run)
    (begun,) = home.glob("runs/*/work/outputs/begun")
    kill_service(home)
    (begun.parent / "go").touch()
    assert wait(run) == "Finished"
    assert "ended well" in step_of(run).get_job_log()
    assert len(docker.calls("run")) == 1


def test_a_container_does_not_outlive_the_process_that_started_it(docker: Docker, home: Path, workspace, scripts):
    run = submit(workspace, scripts(step=WAIT), in_image())
    begin(docker, home, run)
    (inner,) = inner_processes(docker)
    (starter,) = processes_of(home, "stand_in_docker")
    starter.send_signal(signal.SIGKILL)
    assert "SIGKILL" in failure(run)
    assert not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE
    assert docker.containers() == []


def test_a_container_does_not_outlive_its_keeper(docker: Docker, home: Path, workspace, scripts):
    run = submit(workspace, scripts(step=WAIT), in_image())
    begin(docker, home, run)
    (inner,) = inner_processes(docker)
    (keeper,) = processes_of(home, "penstock.engine.executors.keeper")
    keeper.send_signal(signal.SIGKILL)
    kill_service(home)  # the next one looks thoroughly
    assert "the process that kept it was killed" in failure(run)
    assert not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE


def test_what_can_not_be_done_is_refused_by_name(docker: Docker, workspace, scripts, tmp_path: Path):
    folder = scripts(step="pass")
    config = in_image()
    config.environment = Environment.from_dockerfile("filed", "FROM scratch")
    assert "'filed' has a Dockerfile" in failure(submit(workspace, folder, config))
    assert "'--privileged' is not passed on" in failure(submit(workspace, folder, in_image(arguments=["--privileged"])))
    away = PipelineData("away", output_mode="upload", output_path_on_compute=str(tmp_path / "away"))
    message = failure(submit(workspace, folder, in_image(), arguments=[away], outputs=[away]))
    assert "The output 'away'" in message
    assert "would stay in the container" in message


@pytest.mark.usefixtures("no_engine")
def test_an_engine_that_is_not_on_this_machine_is_named(workspace, scripts):
    assert "'podman' is not on this machine" in failure(submit(workspace, scripts(step="pass"), in_image()))
