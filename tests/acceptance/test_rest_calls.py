"""Programs call what is published over HTTP, as they have always done: with an address, a header and a body."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from tests.conftest import kill_service, wait_until

from azureml.core.authentication import InteractiveLoginAuthentication
from azureml.pipeline.core import Pipeline, PipelineParameter, PipelineRun
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect

TRAIN = "import sys; print('rounds', sys.argv[1])"
CALL = """
import sys
import requests
from azureml.core import Run
from azureml.core.authentication import InteractiveLoginAuthentication
from azureml.pipeline.core import PublishedPipeline

workspace = Run.get_context().experiment.workspace
published = PublishedPipeline.get(workspace, sys.argv[1])
header = InteractiveLoginAuthentication().get_authentication_header()
answer = requests.post(published.endpoint, headers=header, json={"ExperimentName": "called", "ParameterAssignments": {"rounds": 7}})
answer.raise_for_status()
print("started", answer.json()["Id"])
"""


@pytest.fixture
def published(workspace, scripts):
    rounds = PipelineParameter("rounds", 10)
    step = PythonScriptStep(
        "train.py", name="train", arguments=[rounds], source_directory=str(scripts(train=TRAIN)), compute_target="local"
    )
    return Pipeline(workspace, [step]).publish("published", "what is called", version="1.0")


def test_a_program_starts_a_published_pipeline_and_follows_it(workspace, published):
    header = InteractiveLoginAuthentication().get_authentication_header()
    body = {"ExperimentName": "by-rest", "ParameterAssignments": {"rounds": 45}, "RunSource": "SDK"}
    answer = requests.post(published.endpoint, headers=header, json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    run = PipelineRun(workspace.experiments["by-rest"], answer.json()["Id"])
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert "rounds 45" in run.find_step_run("train")[0].get_job_log()
    told = requests.get(f"{published.endpoint.partition('/PipelineRuns')[0]}/PipelineRuns/{run.id}", headers=header, timeout=120).json()
    assert (told["Status"]["StatusCode"], told["Status"]["EndTime"] is None) == (3, False)


def test_what_goes_wrong_is_said_with_the_field(published):
    header = InteractiveLoginAuthentication().get_authentication_header()
    answer = requests.post(
        published.endpoint, headers=header, json={"ExperimentName": "e", "ParameterAssignments": {"round": 1}}, timeout=120
    )
    assert (answer.status_code, answer.json()["Error"]["Target"]) == (400, "ParameterAssignments.round")
    assert requests.post(published.endpoint, json={"ExperimentName": "e"}, timeout=120).status_code == 401
    published.disable()
    assert requests.post(published.endpoint, headers=header, json={"ExperimentName": "e"}, timeout=120).status_code == 409


def test_a_step_calls_too(workspace, published, tmp_path: Path):
    (tmp_path / "caller").mkdir()
    (tmp_path / "caller" / "call.py").write_text(CALL)
    step = PythonScriptStep("call.py", arguments=[published.id], source_directory=str(tmp_path / "caller"), compute_target="local")
    run = Pipeline(workspace, [step]).submit("calling")
    assert run.wait_for_completion(show_output=False) == "Finished"
    called = next(iter(workspace.experiments["called"].get_runs()))
    assert called.wait_for_completion(show_output=False) == "Finished"
    assert "rounds 7" in called.find_step_run("train")[0].get_job_log()


def test_the_service_stays_for_callers_until_it_is_stopped(published, home: Path):
    assert connect().service_info()["stays"] is None
    address = published.endpoint
    reason = "programs may call it over REST"
    assert connect().service_info()["stays"] == reason
    kill_service(home)
    assert connect().service_info()["stays"] == reason  # so does the one that follows a killed one, at the same address
    assert published.endpoint == address
    shown = subprocess.run([sys.executable, "-m", "penstock", "service", "status"], capture_output=True, text=True, check=True).stdout
    assert f"It does not stop itself: {reason}." in shown
    pid = connect().service_info()["pid"]
    connect().stop_service()
    wait_until(lambda: connect().service_info()["pid"] != pid)
    assert connect().service_info()["stays"] is None
