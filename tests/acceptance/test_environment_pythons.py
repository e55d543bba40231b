"""Steps on the Pythons that v1 projects pin: what they import from us works there as it does here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.acceptance.test_environment_builds import make_environment, step_of, wait
from tests.parts.packages import Index

from azureml.core import Dataset, Experiment, RunConfiguration
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep
from penstock.engine.environments.interpreters import list_interpreters

# As a v1 step is written: arguments, the run's context, metrics, a mounted dataset, an output, child runs.
SCRIPT = """
import argparse, os, sys
import probe
from azureml.core import Dataset, Datastore, Environment, Experiment, Run, Workspace

parser = argparse.ArgumentParser()
parser.add_argument("--files")
parser.add_argument("--out")
arguments = parser.parse_args()

run = Run.get_context()
workspace = run.experiment.workspace
print("python", "%d.%d" % sys.version_info[:2], workspace.name, run.experiment.name, run.parent.id)
run.log("minor", sys.version_info[1])
run.log_list("list", [1, 2, 3])
run.log_row("row", x=1, y=2.5)
run.log_table("table", {"x": [1, 2], "y": [0.1, 0.2]})
run.tag("python", sys.version.split()[0])
run.parent.log("of the step", sys.version_info[1])
assert arguments.files == run.input_datasets["files"]
text = open(os.path.join(run.input_datasets["files"], "data.csv")).read()
os.makedirs("outputs", exist_ok=True)
open("outputs/seen.txt", "w").write(text)
run.upload_file("more/seen.txt", "outputs/seen.txt")
with run.child_run("child") as child:
    child.log("inner", 1)
os.makedirs(arguments.out, exist_ok=True)
open(os.path.join(arguments.out, "result.csv"), "w").write(text)
"""


def installed(minor: str) -> bool:
    return any(".".join(map(str, one.minor)) == minor for one in list_interpreters())


@pytest.mark.parametrize("minor", ["3.7", *(pytest.param(minor, marks=pytest.mark.long) for minor in ("3.8", "3.9", "3.12")), "3.13"])
def test_a_v1_step_runs_on_the_python_it_pins(index: Index, workspace, scripts, tmp_path: Path, minor: str):
    if not installed(minor):
        pytest.skip(f"There is no Python {minor} on this machine.")
    index.add("probe")
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "data.csv")], target_path="raw", overwrite=True, show_progress=False)
    files = Dataset.File.from_files((store, "raw"))
    config = RunConfiguration()
    config.environment = make_environment("probe", python=minor)
    out = OutputFileDatasetConfig("out", destination=(store, "out/{run-id}")).register_on_complete("kept")
    arguments = ["--files", files.as_named_input("files").as_mount(), "--out", out]
    step = PythonScriptStep("step.py", "a", arguments, "local", source_directory=str(scripts(step=SCRIPT)), runconfig=config)
    run = Experiment(workspace, "pythons").submit(Pipeline(workspace, [step]))
    assert wait(run) == "Finished"
    done = step_of(run)
    assert f"python {minor} testing pythons {run.id}" in done.get_job_log()
    metrics = done.get_metrics()
    assert metrics["minor"] == int(minor.split(".")[1])
    assert metrics["list"] == [1, 2, 3]
    assert {"outputs/seen.txt", "more/seen.txt"} <= set(done.get_file_names())
    assert next(done.get_children()).get_metrics() == {"inner": 1}
    assert Dataset.get_by_name(workspace, "kept").to_path() == ["/result.csv"]
    assert not done.get_details().get("warnings")


def test_a_step_without_pandas_is_told_how_to_get_it(index: Index, workspace, scripts, tmp_path: Path):
    index.add("probe")
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "data.csv")], target_path="raw", overwrite=True, show_progress=False)
    table = Dataset.Tabular.from_delimited_files((store, "raw/data.csv"))
    text = """
import probe
from azureml.core import Run
try:
    Run.get_context().input_datasets["table"].to_pandas_dataframe()
except Exception as error:
    print("told:", error)
"""
    config = RunConfiguration()
    config.environment = make_environment("probe")
    step = PythonScriptStep(
        "step.py",
        "a",
        inputs=[table.as_named_input("table")],
        compute_target="local",
        source_directory=str(scripts(step=text)),
        runconfig=config,
    )
    run = Experiment(workspace, "pythons").submit(Pipeline(workspace, [step]))
    assert wait(run) == "Finished"
    assert "Name it in the step's environment" in step_of(run).get_job_log()


def test_an_interpreter_of_the_users_own_is_used_as_it_is(workspace, scripts, tmp_path: Path):
    minor = next((minor for minor in ("3.8", "3.9", "3.10", "3.12") if installed(minor)), None)
    if minor is None:
        pytest.skip("There is no other Python on this machine.")
    path = next(one.path for one in list_interpreters() if ".".join(map(str, one.minor)) == minor)
    environment = make_environment("never-installed", python="3.6")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = path
    config = RunConfiguration()
    config.environment = environment
    folder = scripts(
        step="import sys, os; print('ran on', sys.executable, os.environ.get('VIRTUAL_ENV'), os.environ['PATH'].split(':')[0])"
    )
    step = PythonScriptStep("step.py", "a", compute_target="local", source_directory=str(folder), runconfig=config)
    run = Experiment(workspace, "pythons").submit(Pipeline(workspace, [step]))
    assert wait(run) == "Finished"
    assert f"ran on {path} None {os.path.dirname(path)}" in step_of(run).get_job_log()


def test_the_output_of_an_old_python_feeds_a_new_one(index: Index, workspace, scripts):
    if not installed("3.7"):
        pytest.skip("There is no Python 3.7 on this machine.")
    index.add("probe")
    folder = scripts(
        old="import sys, os, probe; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/v', 'w').write('%d.%d' % sys.version_info[:2])",
        new="import sys; print('from', open(sys.argv[1] + '/v').read())",
    )
    config = RunConfiguration()
    config.environment = make_environment("probe", python="3.7")
    data = PipelineData("data", datastore=workspace.get_default_datastore())
    old = PythonScriptStep("old.py", "old", [data], "local", outputs=[data], source_directory=str(folder), runconfig=config)
    new = PythonScriptStep("new.py", "a", [data], "local", inputs=[data], source_directory=str(folder))
    run = Experiment(workspace, "pythons").submit(Pipeline(workspace, [old, new]))
    assert wait(run) == "Finished"
    assert "from 3.7" in step_of(run).get_job_log()
