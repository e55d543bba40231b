"""Who read and wrote a dataset, asked from both ends: in a run's details, and on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Dataset, Experiment, Run, Workspace
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline, PipelineRun
from azureml.pipeline.steps import PythonScriptStep

PREPARE = """
import os, sys
for name in os.listdir(sys.argv[1]):
    with open(os.path.join(sys.argv[1], name)) as source, open(os.path.join(sys.argv[2], name), "w") as target:
        target.write(source.read().upper())
"""
TRAIN = """
import os, sys
from azureml.core import Dataset, Run
run = Run.get_context()
workspace = run.experiment.workspace
print(sorted(os.listdir(sys.argv[1])))
Dataset.get_by_name(workspace, "labels")
"""


@pytest.fixture
def finished(workspace: Workspace, scripts: Any, tmp_path: Path) -> PipelineRun:
    """Two steps: one reads a registered dataset and registers what it wrote, the other reads that, and another by name."""
    store = workspace.get_default_datastore()
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(name)
    store.upload_files([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")], target_path="raw", show_progress=False)
    Dataset.File.from_files((store, "raw")).register(workspace, "raw", tags={"from": "tests"})
    Dataset.File.from_files((store, "raw/a.txt")).register(workspace, "labels")
    return submit(workspace, scripts)


def submit(workspace: Workspace, scripts: Any) -> PipelineRun:
    store, folder = workspace.get_default_datastore(), str(scripts(prepare=PREPARE, train=TRAIN))
    raw = Dataset.get_by_name(workspace, "raw").as_named_input("source").as_mount()
    clean = OutputFileDatasetConfig("out", (store, "clean/{run-id}")).register_on_complete("clean", tags={"step": "prepare"})
    prepare = PythonScriptStep("prepare.py", "prepare", [raw, clean], "local", source_directory=folder)
    train = PythonScriptStep("train.py", "train", [clean.as_input("data").as_download()], "local", source_directory=folder)
    run = Experiment(workspace, "lines").submit(Pipeline(workspace, [prepare, train]))
    assert run.wait_for_completion(show_output=False) == "Finished"
    return run


def command(*words: str, status: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "penstock", *words], env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_what_the_details_of_a_run_tell(finished: PipelineRun, workspace: Workspace) -> None:
    prepare = finished.find_step_run("prepare")[0].get_details()
    (use,) = prepare["inputDatasets"]
    assert use["consumptionDetails"] == {"type": "RunInput", "inputName": "source", "mechanism": "Mount", "pathOnCompute": None}
    assert (use["dataset"].name, use["dataset"].version, use["dataset"].tags) == ("raw", 1, {"from": "tests"})
    assert sorted(use["dataset"].to_path()) == ["/a.txt", "/b.txt"]
    (use,) = prepare["outputDatasets"]
    assert (use["outputType"], use["outputDetails"]) == ("RunOutput", {"outputName": "out"})
    assert use["identifier"] == {"savedId": use["dataset"].id}
    assert (use["dataset"].name, use["dataset"].version, use["dataset"].tags) == ("clean", 1, {"step": "prepare"})

    train = Run.get(workspace, finished.find_step_run("train")[0].id).get_details()
    uses = {item["dataset"].name: item["consumptionDetails"] for item in train["inputDatasets"]}
    assert {name: (about["type"], about["inputName"], about["mechanism"]) for name, about in uses.items()} == {
        "clean": ("RunInput", "data", "Download"),
        "labels": ("Reference", None, "Direct"),
    }
    assert json.loads(json.dumps(train["outputDatasets"])) == []
    details = finished.get_details()
    assert (details["inputDatasets"], details["outputDatasets"]) == ([], [])


def test_the_command_from_both_ends(finished: PipelineRun, workspace: Workspace) -> None:
    of_dataset = command("lineage", "clean")
    written, read = of_dataset.split("read by:")
    assert "written by:" in written
    assert f"prepare of lines {finished.id[:8]}" in written
    assert f"train of lines {finished.id[:8]}" in read
    assert "clean:1" in written
    clean = Dataset.get_by_name(workspace, "clean")
    for words in ("clean:1", "clean:latest", clean.id):
        assert f"train of lines {finished.id[:8]}" in command("lineage", words)

    of_run = command("lineage", "last").splitlines()
    rows = [line.split()[:4] for line in of_run if line.startswith(("prepare", "train"))]
    assert rows == [
        ["prepare", "read", "raw:1", "source"],
        ["prepare", "wrote", "clean:1", "out"],
        ["train", "read", "labels:1", "workspaceblobstore/raw/a.txt"],
        ["train", "read", "clean:1", "data"],
    ]
    (reading,) = [line for line in of_run if "train" in line and "data" in line]
    assert reading.endswith(f"written by prepare of lines {finished.id[:8]}")
    step = finished.find_step_run("train")[0]
    found = json.loads(command("lineage", step.id, "--json"))
    assert {(row["direction"], row["name"], row["version"]) for row in found} == {("input", "clean", 1), ("input", "labels", 1)}
    assert {row["pipeline_run_id"] for row in found} == {finished.id}


def test_a_step_that_was_reused_wrote_nothing(finished: PipelineRun, workspace: Workspace, scripts: Any) -> None:
    again = submit(workspace, scripts)
    assert again.find_step_run("prepare")[0].get_properties()["azureml.isreused"] == "true"
    rows = [line.split() for line in command("lineage", "last").splitlines()]
    assert ["prepare", "reused", "clean:1", "out"] in [row[:4] for row in rows]
    assert ["prepare", "would", "read", "raw:1"] in [row[:4] for row in rows]
    written = command("lineage", "clean").split("read by:")[0]
    assert "Finished (reused)" in written
    (use,) = again.find_step_run("prepare")[0].get_details()["outputDatasets"]
    assert (use["dataset"].name, use["dataset"].version) == ("clean", 1)
    assert [item["version"] for item in workspace._client.list_dataset_versions(workspace._id, "clean")] == [1]


def test_what_can_be_asked_when_nothing_was_run(workspace: Workspace, tmp_path: Path) -> None:
    assert command("datasets").startswith("No datasets are registered")
    store = workspace.get_default_datastore()
    Dataset.File.from_files((store, "x/*.csv")).register(workspace, "weather")
    Dataset.File.from_files([(store, "x"), (store, "y")]).register(workspace, "weather", create_new_version=True)
    lines = command("datasets").splitlines()
    assert [line.split()[:3] for line in lines] == [["NAME", "VERSION", "TYPE"], ["weather", "2", "file"]]
    assert lines[1].endswith("workspaceblobstore/x and 1 more")
    (shown,) = json.loads(command("datasets", "--json", "--workspace", "TESTING"))
    assert (shown["name"], shown["version"], shown["workspace"]) == ("weather", 2, "testing")
    assert "No run has read or written it yet" in command("lineage", "weather:1")
    assert "Its versions are 1, 2" in command("lineage", "weather:7", status=1)
    assert "neither a run nor a dataset 'wether'. Did you mean 'weather'?" in command("lineage", "wether", status=1)
    assert "There are no runs yet" in command("lineage", "zzz", status=1)
    assert "no workspace 'testin'. Did you mean 'testing'?" in command("datasets", "--workspace", "testin", status=1)


def test_one_name_in_two_workspaces(workspace: Workspace) -> None:
    other = Workspace.get("second", subscription_id="sub", resource_group="group")
    for place in (workspace, other):
        Dataset.File.from_files((place.get_default_datastore(), "x")).register(place, "same")
    assert "several workspaces" in command("lineage", "same", status=1)
    assert "No run has read" in command("lineage", "same", "--workspace", "second")
    assert command("datasets").splitlines()[0].startswith("WORKSPACE")
