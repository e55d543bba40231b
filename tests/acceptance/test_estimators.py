"""Estimators, secrets and what a run knows of its source, against a real service: the scripts are users' scripts."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Dataset, Environment, Experiment, Run, ScriptRunConfig
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.script_run import ScriptRun
from azureml.data import OutputFileDatasetConfig
from azureml.exceptions import ActivityFailedException, SnapshotException, TrainingException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from azureml.train.dnn import Mpi
from azureml.train.estimator import Estimator

TRAIN = """
import json, os, sys
from azureml.core import Run
run = Run.get_context()
run.log("arguments", json.dumps(sys.argv[1:]))
run.log("variable", os.environ.get("FLAVOUR"))
if "--data" in sys.argv:
    run.log("files", json.dumps(sorted(os.listdir(sys.argv[sys.argv.index("--data") + 1]))))
if "table" in run.input_datasets:
    run.log("rows", len(run.input_datasets["table"].to_pandas_dataframe()))
"""
CONFESS = """
from azureml.core import Run
run = Run.get_context()
password = run.get_secret("password")
assert run.get_secrets(["PASSWORD", "absent"]) == {"PASSWORD": password, "absent": None}
assert run.experiment.workspace.get_default_keyvault().get_secret("password") == password
raise RuntimeError("the server refused " + password)
"""


@pytest.fixture
def environment() -> Environment:
    """The interpreter that is there."""
    found = Environment("as-it-is")
    found.python.user_managed_dependencies = True
    return found


def wait(run: Any) -> dict[str, Any]:
    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Completed", details.get("error")
    return run.get_metrics()


def test_an_estimator_runs_as_a_script(workspace: Any, scripts: Any, environment: Environment, tmp_path: Path) -> None:
    folder, store = scripts(train=TRAIN), workspace.get_default_datastore()
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    store.upload_files([str(tmp_path / "a.csv")], target_path="in", show_progress=False)
    table = Dataset.Tabular.from_delimited_files((store, "in/a.csv"))
    estimator = Estimator(
        source_directory=str(folder),
        compute_target="local",
        entry_script="train.py",
        script_params={"--data": store.path("in").as_mount(), "--quick": "", "--rounds": 3},
        inputs=[table.as_named_input("table")],
        environment_definition=environment,
        environment_variables={"FLAVOUR": "sweet"},
    )
    experiment = Experiment(workspace, "estimators")
    run = experiment.submit(estimator, tags={"a": "b"})
    assert isinstance(run, ScriptRun)
    metrics = wait(run)
    _, place, *rest = json.loads(metrics["arguments"])
    assert rest == ["--quick", "--rounds", "3"]
    assert (metrics["files"], metrics["variable"], metrics["rows"]) == ('["a.csv"]', "sweet", 2)
    assert run.get_tags()["a"] == "b"
    assert run.get_details()["runDefinition"]["arguments"][2:] == ["--quick", "--rounds", "3"]

    again = experiment.submit(estimator, script_params={"--rounds": 9, "--more": "x"})
    assert json.loads(wait(again)["arguments"]) == ["--data", place, "--quick", "--rounds", "9", "--more", "x"]
    assert estimator.run_config.arguments[2:] == ["--quick", "--rounds", "3"]  # an override is for one run
    child = run.submit_child(estimator)
    assert child.parent.id == run.id
    wait(child)


def test_datasets_among_the_parameters(workspace: Any, scripts: Any, environment: Environment, tmp_path: Path) -> None:
    folder = scripts(
        train="import os, shutil, sys; found = dict(zip(sys.argv[1::2], sys.argv[2::2])); "
        "shutil.copytree(found['--in'], found['--out'], dirs_exist_ok=True); print(os.listdir(found['--out']), found['--table'])"
    )
    store = workspace.get_default_datastore()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x,y\n1,2\n")
        store.upload_files([str(tmp_path / name)], target_path="in", show_progress=False)
    files = Dataset.File.from_files((store, "in"))
    table = Dataset.Tabular.from_delimited_files((store, "in/a.csv")).register(workspace, "table")
    out = OutputFileDatasetConfig("out", destination=(store, "copied")).register_on_complete("copied")
    params = {"--in": files.as_named_input("files").as_mount(), "--out": out, "--table": table.as_named_input("table")}
    estimator = Estimator(
        str(folder), compute_target="local", entry_script="train.py", script_params=params, environment_definition=environment
    )
    run = Experiment(workspace, "estimators").submit(estimator)
    wait(run)
    assert sorted(Dataset.get_by_name(workspace, "copied").to_path()) == ["/a.csv", "/b.csv"]
    assert {use["consumptionDetails"]["inputName"] for use in run.get_details()["inputDatasets"]} == {"files", "table"}


def test_what_an_estimator_cannot_be_submitted_with(workspace: Any, scripts: Any, environment: Environment) -> None:
    given = {"source_directory": str(scripts(train=TRAIN)), "compute_target": "local", "entry_script": "train.py"}
    experiment = Experiment(workspace, "estimators")
    with pytest.raises(TrainingException, match="flavour"):
        experiment.submit(Estimator(**given), flavour="x")
    with pytest.raises(TrainingException, match="max_run_duration_seconds") as caught:
        experiment.submit(Estimator(**given, max_run_duration_seconds=-1))
    assert caught.value.inner_exception is not None
    with pytest.raises(NotImplementedError, match="2 processes"):
        experiment.submit(Estimator(**given, distributed_training=Mpi(2)))
    assert list(experiment.get_runs()) == []


def test_a_script_reads_secrets_and_its_error_hides_them(workspace: Any, scripts: Any, environment: Environment, home: Path) -> None:
    workspace.get_default_keyvault().set_secret("password", "swordfish-and-chips")
    config = ScriptRunConfig(str(scripts(train=CONFESS)), "train.py", environment=environment)
    run = Experiment(workspace, "secrets").submit(config)
    with pytest.raises(ActivityFailedException, match=r"the server refused \*\*\*") as caught:
        run.wait_for_completion()
    assert "swordfish" not in str(caught.value)
    assert "swordfish" not in str(run.get_details())
    (events,) = (workspace._client.follow_run(run.id)["events"],)
    assert "swordfish" not in str(events)
    rows = [path for path in home.glob("penstock.db*") if b"swordfish" in path.read_bytes()]
    assert not rows
    assert "swordfish" not in (home / "service.log").read_text()


def test_a_step_of_a_pipeline_too(workspace: Any, scripts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace.get_default_keyvault().set_secret("password", "swordfish-and-chips")
    step = PythonScriptStep("train.py", source_directory=str(scripts(train=CONFESS)), compute_target="local")
    run = Experiment(workspace, "secrets").submit(Pipeline(workspace, [step]))
    run.wait_for_completion(show_output=False, raise_on_error=False)
    assert "the server refused ***" in run.get_details()["error"]["error"]["message"]
    (failed,) = run.get_steps()
    for shown in (run, failed):
        assert "swordfish" not in str(shown.get_details())
    run.download_file("logs/azureml/stderrlogs.txt", "stderr.txt")
    assert "swordfish" not in Path("stderr.txt").read_text()
    with zipfile.ZipFile(failed.restore_snapshot(path="step")) as archive:
        assert archive.namelist() == ["train.py"]
    with pytest.raises(SnapshotException, match="get_steps"):
        run.restore_snapshot()


def test_a_run_knows_its_source_and_its_environment(
    workspace: Any, scripts: Any, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment.register(workspace)
    run = Experiment(workspace, "sources").submit(ScriptRunConfig(str(scripts(train="print(1)")), "train.py", environment=environment))
    wait(run)
    with zipfile.ZipFile(run.restore_snapshot()) as archive:
        assert archive.namelist() == ["train.py"]
    assert run.get_snapshot_id() == run.get_properties()["ContentSnapshotId"]
    found = run.get_environment()
    assert (found.name, found.python.user_managed_dependencies) == ("as-it-is", True)


def test_runs_by_compute_target(workspace: Any, scripts: Any, environment: Environment) -> None:
    cluster = ComputeTarget.create(workspace, "cpu-cluster", AmlCompute.provisioning_configuration(max_nodes=1))
    folder, experiment = str(scripts(train="print(1)")), Experiment(workspace, "places")
    here = experiment.submit(ScriptRunConfig(folder, "train.py", environment=environment))
    there = experiment.submit(ScriptRunConfig(folder, "train.py", compute_target=cluster, environment=environment), tags={"a": "b"})
    step = PythonScriptStep("train.py", source_directory=folder, compute_target=cluster)
    pipeline = experiment.submit(Pipeline(workspace, [step]))
    for run in (here, there):
        wait(run)
    pipeline.wait_for_completion(show_output=False)
    (step_run,) = pipeline.get_steps()
    assert [run.id for run in Run.list_by_compute(cluster)] == [step_run.id, there.id]
    assert [run.id for run in Run.list_by_compute(cluster, tags="a")] == [there.id]
    assert [run.id for run in Run.list_by_compute(cluster, type="azureml.StepRun")] == [step_run.id]
    assert list(Run.list_by_compute(cluster, status="Failed")) == []
    with pytest.raises(ValueError, match="tags=3"):
        Run.list_by_compute(cluster, tags=3)
