"""Experiment.submit(ScriptRunConfig): a run of one script or command, from its submission to its end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from azureml.core import Dataset, Environment, Experiment, Run, ScriptRunConfig
from azureml.core.runconfig import EnvironmentReference
from azureml.core.script_run import ScriptRun
from azureml.data import OutputFileDatasetConfig
from azureml.exceptions import (
    ActivityFailedException,
    ServiceException,
)

TELL = "import sys; print(sys.argv[1:])"


@pytest.fixture
def experiment(workspace):
    return Experiment(workspace, "scripts")


def log_of(run: Run) -> str:
    return run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]


def run_to_its_end(experiment, *args, **keywords) -> ScriptRun:
    run = experiment.submit(ScriptRunConfig(*args, **keywords))
    run.wait_for_completion()
    return run


# From beginning to end


def test_a_script_runs_and_leaves_what_it_made(experiment, scripts, capsys):
    source = """
import argparse
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
run = Run.get_context()
print("rate is", parser.parse_args().rate)
run.log("accuracy", 0.75)
with open("outputs/model.txt", "w") as file:
    file.write("a model")
run.complete()
"""
    run = experiment.submit(ScriptRunConfig(str(scripts(train=source)), "train.py", ["--rate", 0.5]), tags={"kind": "try"})
    assert re.fullmatch(r"scripts_\d{10}_[0-9a-f]{8}", run.id)
    assert (type(run), run.type, run.tags) == (ScriptRun, "azureml.scriptrun", {"kind": "try"})
    details = run.wait_for_completion(show_output=True)
    assert (details["status"], run.get_status(), details["target"]) == ("Completed", "Completed", "local")
    assert run.get_metrics() == {"accuracy": 0.75}
    assert {"outputs/model.txt", "user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"} <= set(run.get_file_names())
    assert run.parent is None
    shown = capsys.readouterr().out
    log = "user_logs/std_log.txt"
    lines = [f"RunId: {run.id}", f"Web View: {run.get_portal_url()}", "", f"Streaming {log}", "=" * (len(log) + 10), "", "rate is 0.5"]
    assert shown.splitlines()[:7] == lines
    assert shown.splitlines()[7:] == ["", "Execution Summary", "=================", *lines[:2], ""]


def test_details_tell_the_run_as_v1_does(experiment, scripts):
    config = ScriptRunConfig(str(scripts(tell=TELL)), "tell.py", ["--n", 3, "--rate", 0.1, "--flag", True])
    details = experiment.submit(config).wait_for_completion()
    definition = details["runDefinition"]
    assert definition["arguments"] == ["--n", "3", "--rate", "0.1", "--flag", "True"]
    assert definition["arguments"][definition["arguments"].index("--n") + 1] == "3"
    assert (definition["script"], definition["target"], definition["framework"]) == ("tell.py", "local", "Python")
    assert definition["maxRunDurationSeconds"] == ScriptRunConfig.MAX_DURATION_SECONDS_DEFAULT
    assert definition["environment"]["name"]
    assert details["properties"]["_azureml.ComputeTargetType"] == "local"
    assert re.fullmatch("[0-9a-f]{64}", details["properties"]["ContentSnapshotId"])
    for moment in (details["startTimeUtc"], details["endTimeUtc"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", moment)
    assert "error" not in details
    assert details["submittedBy"]


def test_arguments_reach_the_script_as_texts(experiment, scripts):
    given = ["--path", Path("/some/place"), "--n", 3, "--text", "two words", "--empty", ""]
    run = run_to_its_end(experiment, str(scripts(tell=TELL)), "tell.py", given)
    assert log_of(run).strip() == str(["--path", "/some/place", "--n", "3", "--text", "two words", "--empty", ""])
    run = run_to_its_end(experiment, str(scripts(tell=TELL)), "tell.py", "--text 'two words' --n 3")
    assert log_of(run).strip() == str(["--text", "two words", "--n", "3"])


def test_a_script_in_a_subfolder_imports_from_beside_it_and_from_the_top(experiment, scripts):
    folder = scripts(helper="WHERE = 'the top'", shared="NAME = 'shared'")
    (folder / "evaluate").mkdir()
    (folder / "evaluate" / "helper.py").write_text("WHERE = 'beside'")
    (folder / "evaluate" / "evaluate.py").write_text(
        "import os, helper, shared; print(helper.WHERE, shared.NAME, os.listdir('evaluate') != [])"
    )
    run = run_to_its_end(experiment, str(folder), "evaluate/evaluate.py")
    assert log_of(run) == "beside shared True\n"


def test_one_object_is_submitted_twice_and_stays_as_it_is(experiment, scripts, workspace):
    data = workspace.get_default_datastore().path("somewhere").as_mount()
    given = ["--data", data, OutputFileDatasetConfig("out")]
    config = ScriptRunConfig(str(scripts(tell=TELL)), "tell.py", given)
    kept = list(given)
    first, second = experiment.submit(config), experiment.submit(config)
    assert first.id != second.id
    assert config.arguments is given
    assert given == kept
    assert not config.run_config.data_references
    assert not config.run_config.output_data
    for run in (first, second):
        assert "nothing at 'somewhere'" in run.wait_for_completion(raise_on_error=False)["error"]["error"]["message"]


def test_the_run_is_found_again_as_what_it_is(experiment, scripts, workspace):
    run = run_to_its_end(experiment, str(scripts(tell=TELL)), "tell.py")
    found = [Run.get(workspace, run.id), next(experiment.get_runs()), next(experiment.get_runs(type="azureml.scriptrun"))]
    assert {(type(item), item.id, item.status) for item in found} == {(ScriptRun, run.id, "Completed")}


def test_an_id_that_is_asked_for(experiment, scripts):
    config = ScriptRunConfig(str(scripts(tell=TELL)), "tell.py")
    run = experiment.submit(config, run_id="my-own-id")
    assert run.id == "my-own-id"
    run.wait_for_completion()
    with pytest.raises(ServiceException, match="my-own-id"):
        experiment.submit(config, run_id="my-own-id")


def test_an_environment_that_is_only_named(experiment, scripts, workspace):
    environment = Environment("mine")
    environment.environment_variables = {"MINE": "yes"}
    environment.python.user_managed_dependencies = True
    environment.register(workspace)
    config = ScriptRunConfig(str(scripts(tell="import os; print(os.environ['MINE'])")), "tell.py")
    config.run_config.environment = EnvironmentReference("mine")
    run = experiment.submit(config)
    assert run.wait_for_completion()["runDefinition"]["environment"]["name"] == "mine"
    assert log_of(run) == "yes\n"
    assert isinstance(config.run_config.environment, EnvironmentReference)
    config.run_config.environment = EnvironmentReference("nobody's")
    with pytest.raises(Exception, match="nobody's"):
        experiment.submit(config)


# Commands


def test_a_line_is_run_by_a_shell(experiment, scripts):
    folder = scripts(tell=TELL)
    run = run_to_its_end(experiment, str(folder), command="export A=b && python tell.py $A 'c d' | tr a-z A-Z; echo $AZUREML_RUN_ID")
    assert log_of(run).splitlines() == ["['B', 'C D']", run.id]
    assert run.name == "export"


def test_a_list_is_a_program_and_its_arguments(experiment, scripts):
    folder = scripts(tell=TELL)
    run = run_to_its_end(experiment, str(folder), command=["python", "tell.py", "--n", 1, "two words", "$NOBODY;"])
    assert log_of(run).strip() == str(["--n", "1", "two words", "$NOBODY;"])
    run = run_to_its_end(experiment, str(folder), command=["echo", "one", "&&", "python", "tell.py", 2])
    assert log_of(run).splitlines() == ["one", "['2']"]
    run = run_to_its_end(experiment, str(folder), command=["python tell.py --a", "b"])
    assert log_of(run).strip() == str(["--a", "b"])


def test_a_command_finds_its_data_and_its_outputs(experiment, scripts, workspace, tmp_path):
    (tmp_path / "in.txt").write_text("read me")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "in.txt")], target_path="given", show_progress=False)
    data = Dataset.File.from_files((store, "given/in.txt")).as_named_input("data").as_mount()
    out = OutputFileDatasetConfig("out", destination=(store, "made/{run-id}"))
    run = run_to_its_end(experiment, str(scripts(tell=TELL)), command=["cp", data, out])
    assert [Path(path).name for path in run.get_details()["outputDatasets"][0]["dataset"].to_path()] == ["in.txt"]
    line = f"cat {data} > {out}/copy.txt; echo copied > outputs/said.txt"
    config = ScriptRunConfig(str(scripts(tell=TELL)), command=line)
    config.run_config.data = {"data": data}
    config.run_config.output_data = {"out": out}
    run = experiment.submit(config)
    run.wait_for_completion()
    store.download(str(tmp_path / "back"), prefix=f"made/{run.id}", show_progress=False)
    assert (tmp_path / "back" / "made" / run.id / "copy.txt").read_text() == "read me"
    assert "outputs/said.txt" in run.get_file_names()


def test_a_command_that_fails(experiment, scripts):
    folder = str(scripts(tell=TELL))
    run = experiment.submit(ScriptRunConfig(folder, command="echo that was all; exit 3"))
    with pytest.raises(ActivityFailedException, match=r"The command ended with exit status 3.*that was all"):
        run.wait_for_completion()
    run = experiment.submit(ScriptRunConfig(folder, command=["no-such-program", "-x"]))
    with pytest.raises(ActivityFailedException, match="no-such-program") as raised:
        run.wait_for_completion()
    assert '"code": "UserError"' in raised.value.message
