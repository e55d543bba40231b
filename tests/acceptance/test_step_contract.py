"""What a running script sees: its arguments, its environment, its folders; and what is left of it afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azureml.core import Experiment, RunConfiguration
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect

SHOW = """
import json, os, sys
print(json.dumps({"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path[0], "listing": sorted(os.listdir("."))}))
"""


def run_one(workspace, folder: Path, script: str = "show.py", **members):
    keywords = {"parameters": members.pop("parameters", None), "tags": members.pop("tags", None)}
    step = PythonScriptStep(script, "show", compute_target="local", source_directory=str(folder), **members)
    run = Experiment(workspace, "contract").submit(
        Pipeline(workspace, [step]), pipeline_parameters=keywords["parameters"], tags=keywords["tags"]
    )
    assert run.wait_for_completion(show_output=False) == "Finished"
    return run.find_step_run("show")[0]


def seen(step) -> dict:
    return json.loads(step.get_job_log())


@pytest.fixture
def store(workspace, tmp_path: Path):
    (tmp_path / "titanic.csv").write_text("a,b\n")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "titanic.csv")], target_path="titanic", show_progress=False)
    return store


def root(workspace) -> str:
    return connect().get_default_datastore(workspace._id)["root"]


def test_every_kind_of_argument(workspace, store, scripts):
    reference = DataReference(store, "raw", "titanic/titanic.csv")
    path = (PipelineParameter("data", DataPath(store, "titanic", name="by_path")), DataPathComputeBinding("mount"))
    out = PipelineData("out", datastore=store)
    flag, rate = PipelineParameter("flag", True), PipelineParameter("rate", 0.5)
    config = RunConfiguration()
    config.environment_variables = {"COLOUR": "blue"}
    arguments = [
        "--n",
        3,
        1.5,
        True,
        None,
        "$COLOUR/${COLOUR} $NOTHING",
        reference,
        f"--in={reference}",
        path,
        out,
        f"{out}/sub",
        flag,
        rate,
    ]
    step = run_one(
        workspace,
        scripts(show=SHOW),
        arguments=arguments,
        inputs=[reference, path],
        outputs=[out],
        runconfig=config,
        parameters={"rate": 0.25},
    )
    sight = seen(step)
    place = root(workspace)
    raw, folder, output = f"{place}/titanic/titanic.csv", f"{place}/titanic", f"{place}/azureml/{step.id}/out"
    words = "blue/blue $NOTHING"
    assert sight["argv"] == [
        "show.py", "--n", "3", "1.5", "True", "None", words, raw, f"--in={raw}", folder, output, f"{output}/sub", "True", "0.25",
    ]  # fmt: skip
    assert sight["env"]["AZUREML_DATAREFERENCE_raw"] == raw
    assert sight["env"]["AZUREML_DATAREFERENCE_out"] == output
    assert sight["env"]["AML_PARAMETER_flag"] == "True"
    assert sight["env"]["AML_PARAMETER_rate"] == "0.25"
    assert arguments[1] == 3, "the caller's list is the caller's"


def test_the_identity_of_the_run(workspace, scripts):
    step = run_one(workspace, scripts(show=SHOW))
    environment = seen(step)["env"]
    assert environment["AZUREML_RUN_ID"] == step.id
    assert environment["AZUREML_ROOT_RUN_ID"] == step.pipeline_run_id == step.parent.id
    assert environment["AZUREML_ARM_SUBSCRIPTION"] == "sub"
    assert environment["AZUREML_ARM_RESOURCEGROUP"] == "group"
    assert environment["AZUREML_ARM_WORKSPACE_NAME"] == "testing"
    assert environment["AZUREML_ARM_PROJECT_NAME"] == "contract"
    assert "EXAMPLE_ENV_VAR" not in environment


def test_the_folders(workspace, scripts):
    folder = scripts(show=SHOW)
    (folder / "sub").mkdir()
    (folder / "sub" / "deep.py").write_text("import beside\n" + SHOW)
    (folder / "sub" / "beside.py").write_text("")
    (folder / "data.txt").write_text("x")
    step = run_one(workspace, folder, script="sub/deep.py")
    sight = seen(step)
    assert sight["listing"] == ["data.txt", "logs", "outputs", "show.py", "sub"]
    assert sight["path"] == f"{sight['cwd']}/sub", "the script's own folder comes first"
    assert sight["argv"] == ["sub/deep.py"]


def test_outputs_and_logs_are_kept_even_of_a_failed_step(workspace, scripts, tmp_path: Path):
    text = """
import os
os.makedirs("outputs/deep", exist_ok=True)
open("outputs/deep/model.bin", "w").write("model"); open("logs/own.log", "w").write("line"); open("lost", "w").write("x")
raise SystemExit(1)
"""
    step = PythonScriptStep("bad.py", compute_target="local", source_directory=str(scripts(bad=text)))
    run = Experiment(workspace, "contract").submit(Pipeline(workspace, [step]))
    run.wait_for_completion(show_output=False, raise_on_error=False)
    failed = run.find_step_run("bad.py")[0]
    names = failed.get_file_names()
    assert {"outputs/deep/model.bin", "logs/own.log", "user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"} <= set(names)
    assert "lost" not in names
    failed.download_file("outputs/deep/model.bin", str(tmp_path / "model"))
    assert (tmp_path / "model").read_text() == "model"


def test_what_a_link_in_outputs_leads_to_is_kept(workspace, scripts):
    text = """
import os
open("model.pkl", "w").write("model"); os.makedirs("checkpoints/a"); open("checkpoints/a/b", "w").write("deep")
os.symlink("../model.pkl", "outputs/model.pkl"); os.symlink(os.path.abspath("checkpoints"), "outputs/linked")
os.symlink("/", "outputs/everything"); os.symlink("nowhere", "outputs/dangling")
"""
    step = run_one(workspace, scripts(link=text), script="link.py")
    names = [name for name in step.get_file_names() if name.startswith("outputs/")]
    assert names == ["outputs/linked/a/b", "outputs/model.pkl"]
    log = step.get_job_log()
    assert "outputs/everything is a link" in log
    assert "outputs/dangling is a link" in log


def test_an_output_that_links_outside_is_read_no_further_than_itself(workspace, store, scripts):
    text = "import os, sys; os.makedirs(sys.argv[1]); os.symlink('/', sys.argv[1] + '/root'); open(sys.argv[1] + '/own', 'w')"
    out = PipelineData("out", datastore=store)
    step = run_one(workspace, scripts(link=text), script="link.py", arguments=[out], outputs=[out])
    assert [output["files"] for output in connect().list_outputs(step.id)] == [1]


def test_an_argument_is_expanded_once(workspace, store, scripts, tmp_path: Path, monkeypatch):
    config = RunConfiguration()
    config.environment_variables = {"A": "$B", "B": "x"}
    step = run_one(workspace, scripts(show=SHOW), arguments=["$A", "$PENSTOCK_HOME"], runconfig=config)
    assert seen(step)["argv"][1] == "$B"


OUTPUTS = """
import os, sys
kind, path = sys.argv[1:]
assert os.path.isdir(os.path.dirname(path)) and not os.path.exists(path), "the parent is there, the output is not"
if kind == "file": open(path, "w").write("one file")
if kind == "folder": os.makedirs(path); open(os.path.join(path, "inside"), "w").write("in a folder")
"""


@pytest.mark.parametrize(("kind", "count"), [("file", 1), ("folder", 1), ("nothing", 0)])
def test_an_output_may_be_a_file_a_folder_or_nothing(workspace, store, scripts, tmp_path: Path, kind: str, count: int):
    out = PipelineData("out", datastore=store)
    step = run_one(workspace, scripts(make=OUTPUTS), script="make.py", arguments=[kind, out], outputs=[out])
    data = step.get_output_data("out")
    assert data.download(str(tmp_path / "down")) == count
    place = tmp_path / "down" / data.path_on_datastore
    assert {"file": place.is_file(), "folder": (place / "inside").is_file(), "nothing": not place.exists()}[kind]


def test_upload_and_download_modes(workspace, store, scripts, tmp_path: Path):
    folder = scripts(
        make="import os; os.makedirs('here'); open('here/x', 'w').write('made')",
        read="import sys; path = sys.argv[1]; print(path, open(path + '/x').read()); open(path + '/mine', 'w').write('mine')",
    )
    out = PipelineData("out", datastore=store, output_mode="upload", output_path_on_compute="here")
    PythonScriptStep("make.py", outputs=[out], compute_target="local", source_directory=str(folder))  # found through its output
    given = out.as_download(path_on_compute="there")
    read = PythonScriptStep("read.py", arguments=[given], inputs=[given], compute_target="local", source_directory=str(folder))
    run = Experiment(workspace, "contract").submit(Pipeline(workspace, [read]))
    assert run.wait_for_completion(show_output=False) == "Finished"
    log = run.find_step_run("read.py")[0].get_job_log()
    assert log.strip().endswith("/work/there made")
    data = run.find_step_run("make.py")[0].get_output_data("out")
    assert data.download(str(tmp_path / "down")) == 1, "the reader's copy did not touch the output"


def test_metrics_parent_and_children_from_inside(workspace, scripts):
    text = """
from azureml.core import Run
run = Run.get_context()
assert Run.get_context() is run
run.log("accuracy", 0.5); run.log("accuracy", 0.75); run.log("epochs", 3)
run.log_list("losses", [1, 2, 3]); run.log_row("row", a=1, b="x"); run.log_table("table", {"a": [1, 2], "b": [3, 4]})
run.parent.log("from_step", 1); run.parent.tag("kind", "test"); run.tag("mine", "yes")
with run.child_run("inner") as child: child.log("deep", 9)
print(run.experiment.name, run.experiment.workspace.name, run.parent.get_tags())
run.complete()
"""
    step = run_one(workspace, scripts(log=text), script="log.py", tags={"before": "start"})
    assert step.get_metrics() == {
        "accuracy": [0.5, 0.75],
        "epochs": 3,
        "losses": [1, 2, 3],
        "row": {"a": 1, "b": "x"},
        "table": {"a": [1, 2], "b": [3, 4]},
    }
    assert step.parent.get_metrics() == {"from_step": 1}
    assert step.get_tags()["mine"] == "yes"
    assert "'before': 'start'" in step.get_job_log()
    assert step.parent.get_tags() == {"before": "start", "kind": "test"}
    assert [(child.name, child.get_metrics()) for child in step.get_children()] == [("show>inner", {"deep": 9})]


def test_snapshot_is_of_the_submission(workspace, scripts):
    folder = scripts(slow="import time; time.sleep(0.7)", show="print('old')")
    slow = PythonScriptStep("slow.py", compute_target="local", source_directory=str(folder))
    show = PythonScriptStep("show.py", compute_target="local", source_directory=str(folder))
    show.run_after(slow)
    run = Experiment(workspace, "contract").submit(Pipeline(workspace, [show]))
    (folder / "show.py").write_text("print('new')")
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.find_step_run("show.py")[0].get_job_log() == "old\n"
