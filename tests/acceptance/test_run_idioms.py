"""What v1 scripts do around their training: the idioms that nearly all of them use, each as they write it, against a real service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import wait_until

import azureml.core
from azureml.core import Dataset, Environment, Experiment, Model, Run, ScriptRunConfig, Workspace
from azureml.core.authentication import AzureCliAuthentication, InteractiveLoginAuthentication, ServicePrincipalAuthentication
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import DEFAULT_CPU_IMAGE, RunConfiguration
from azureml.exceptions import ActivityFailedException, UserErrorException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from azureml.widgets import RunDetails

CLOUD_WORKSPACE = {
    "subscription_id": "00000000-0000-0000-0000-0000000000aa",
    "resource_group": "cloud-group",
    "workspace_name": "cloud-workspace",
}

# What scripts print for their tests.
TELL = """
import json


def tell(**facts):
    print("TOLD " + json.dumps(facts))


"""

LOGGED = """
run.log("Accuracy", np.float64(.9))
os.makedirs("outputs", exist_ok=True)
joblib.dump({"weights": [1, 2]}, "outputs/m.pkl")
run.complete()
"""

TRAIN = (
    """
import os
import joblib
import numpy as np
from azureml.core import Run

run = Run.get_context()
ws = run.experiment.workspace
print("in", ws.name)
"""
    + LOGGED
)

ANYWHERE = (
    """
import os
import joblib
import numpy as np
from azureml.core import Run, Workspace

run = Run.get_context()
if run.id.startswith("OfflineRun"):
    ws = Workspace.from_config()
else:
    ws = run.experiment.workspace
print("in", ws.name)
"""
    + LOGGED
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, where the driver runs."""
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def packages_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps run on the interpreter of the tests, whatever they ask for."""
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_POLICY", "current")


def submit(workspace: Workspace, folder: Path, script: str = "train.py", arguments: object = None, **more: object) -> Run:
    """Submit a script."""
    source = ScriptRunConfig(str(folder), script, arguments, **more)
    return Experiment(workspace, "idioms").submit(source)


def finish(run: Run) -> Run:
    """Wait for a script's run, which must end well."""
    assert run.wait_for_completion(show_output=False)["status"] == "Completed"
    return run


def told(run: Run) -> dict[str, object]:
    """Return what a script told."""
    (name,) = (name for name in run.get_file_names() if name == "user_logs/std_log.txt")
    log = run.get_details_with_logs()["logFiles"][name]
    lines = [line[5:] for line in log.splitlines() if line.startswith("TOLD ")]
    return {name: value for line in lines for name, value in json.loads(line).items()}


def outside(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script by hand, in no run."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AZUREML_")}
    return subprocess.run([sys.executable, script], cwd=folder, env=variables, capture_output=True, text=True, timeout=120)


# ---- where everything begins ----


def test_the_configuration_of_a_cloud_workspace_is_found_from_a_nested_folder(home: Path, folder: Path, monkeypatch):
    (folder / ".azureml").mkdir()
    (folder / ".azureml" / "config.json").write_text(json.dumps(CLOUD_WORKSPACE))
    (folder / "code" / "train").mkdir(parents=True)
    monkeypatch.chdir(folder / "code" / "train")
    ws = Workspace.from_config()
    assert (ws.name, ws.resource_group, ws.subscription_id) == tuple(
        CLOUD_WORKSPACE[key] for key in ("workspace_name", "resource_group", "subscription_id")
    )
    assert f"{ws.name} {ws.resource_group} {ws.location} {ws.subscription_id}".count(" ") == 3
    assert ws.location


def test_a_workspace_is_made_where_it_can_not_be_had_and_found_where_it_can(home: Path, folder: Path):
    def get() -> tuple[Workspace, str]:
        identity = {"subscription_id": "sub", "resource_group": "group"}
        try:
            ws = Workspace(workspace_name="mine", **identity)
            ws.write_config()
            return ws, "found"
        except Exception:
            return Workspace.create(name="mine", location="westeurope", create_resource_group=True, exist_ok=True, **identity), "made"

    first, _ = get()
    second, how = get()
    assert how == "found"
    assert (first.name, first.id if hasattr(first, "id") else None) == (second.name, second.id if hasattr(second, "id") else None)
    assert Workspace.from_config().name == "mine"
    assert Workspace.create(name="mine", subscription_id="sub", resource_group="group", exist_ok=True).name == "mine"


def test_a_compute_target_is_made_once_and_found_again(workspace: Workspace, capsys):
    messages: list[str] = []

    def get() -> tuple[ComputeTarget, bool]:
        try:
            return ComputeTarget(workspace=workspace, name="cpu-cluster"), False
        except ComputeTargetException as error:
            messages.append(error.message)
            configuration = AmlCompute.provisioning_configuration(
                vm_size="STANDARD_D2_V2", vm_priority="lowpriority", min_nodes=0, max_nodes=4
            )
            return ComputeTarget.create(workspace, "cpu-cluster", configuration), True

    target, made = get()
    target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
    assert made
    assert messages[0].startswith("ComputeTargetNotFound:")
    status = target.get_status().serialize()
    print(status)
    assert status["provisioningState"] == "Succeeded"
    assert status["scaleSettings"]["maxNodeCount"] == 4
    assert "Succeeded" in capsys.readouterr().out
    again, made = get()
    assert not made
    assert isinstance(again, AmlCompute)
    assert again.type == "AmlCompute"


# ---- a script as a run ----


@pytest.mark.usefixtures("packages_as_they_are")
def test_a_configuration_with_docker_and_packages_runs(workspace: Workspace, scripts):
    configuration = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=2)
    cluster = ComputeTarget.create(workspace, "cpu-cluster", configuration)
    aml_config = RunConfiguration()
    aml_config.target = cluster
    aml_config.environment.docker.enabled = True
    aml_config.environment.docker.base_image = DEFAULT_CPU_IMAGE
    aml_config.environment.python.user_managed_dependencies = False
    aml_config.environment.python.conda_dependencies = CondaDependencies.create(
        conda_packages=["pandas", "scikit-learn"], pip_packages=["azureml-sdk", "pyarrow"]
    )
    run = finish(submit(workspace, scripts(train="print('ran')"), run_config=aml_config))
    assert run.get_details()["target"] == "cpu-cluster"
    assert "ran" in run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    step = PythonScriptStep("train.py", "train", runconfig=aml_config, source_directory=str(scripts(train="print('ran')")))
    pipeline_run = Experiment(workspace, "idioms").submit(Pipeline(workspace, [step]))
    assert pipeline_run.wait_for_completion(show_output=False) == "Finished"


def test_a_script_run_reads_a_named_input(workspace: Workspace, scripts, tmp_path: Path):
    (tmp_path / "rows.csv").write_text("number,text\n1,a\n2,b\n")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "rows.csv")], target_path="x", show_progress=False)
    ds = Dataset.Tabular.from_delimited_files((store, "x/*.csv"))
    read = """
import argparse
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument("--ds", type=str)
args = parser.parse_args()
run = Run.get_context()
tell(id=args.ds, rows=run.input_datasets["d"].to_pandas_dataframe().to_dict("list"))
"""
    run = finish(submit(workspace, scripts(train=TELL + read), arguments=["--ds", ds.as_named_input("d")]))
    found = told(run)
    assert found["rows"] == ds.to_pandas_dataframe().to_dict("list") == {"number": [1, 2], "text": ["a", "b"]}
    assert found["id"]
    (given,) = run.get_details()["inputDatasets"]
    assert given["consumptionDetails"]["inputName"] == "d"


@pytest.mark.parametrize(("path", "kind"), [("x/one.txt", "file"), ("x", "folder")])
def test_a_script_run_gets_a_file_as_a_file_and_a_folder_as_a_folder(workspace: Workspace, scripts, tmp_path: Path, path: str, kind: str):
    (tmp_path / "one.txt").write_text("one")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "one.txt")], target_path="x", show_progress=False)
    fds = Dataset.File.from_files((store, path))
    look = """
import os, sys
path = sys.argv[2]
tell(kind="file" if os.path.isfile(path) else "folder" if os.path.isdir(path) else "nothing", same=os.environ["f"] == path)
"""
    run = finish(submit(workspace, scripts(train=TELL + look), arguments=["--in", fds.as_named_input("f").as_mount()]))
    assert told(run) == {"kind": kind, "same": True}


def test_a_training_script_logs_and_leaves_files(workspace: Workspace, scripts):
    run = finish(submit(workspace, scripts(train=TRAIN)))
    assert run.get_metrics() == {"Accuracy": 0.9}
    assert "outputs/m.pkl" in run.get_file_names()
    assert run.get_status() == "Completed"


def test_the_caller_waits_reads_and_registers(workspace: Workspace, scripts, capsys):
    run = submit(workspace, scripts(train=TRAIN))
    run.wait_for_completion(show_output=True)
    shown = capsys.readouterr().out
    assert f"RunId: {run.id}" in shown
    assert "Streaming user_logs/std_log.txt" in shown
    assert "in testing" in shown
    assert "Execution Summary" in shown
    metrics = run.get_metrics()
    assert "outputs/m.pkl" in run.get_file_names()
    model = run.register_model("m", "outputs/m.pkl", tags={"area": "test"}, properties={"Accuracy": metrics["Accuracy"]})
    assert (model.name, model.version) == ("m", 1)
    assert (model.tags, model.properties["Accuracy"]) == ({"area": "test"}, "0.9")
    assert model.run_id == run.id
    assert run.register_model(model_name="m", model_path="outputs/m.pkl").version == 2


def test_the_same_script_runs_by_hand(home: Path, folder: Path):
    (folder / "train.py").write_text(ANYWHERE)
    done = outside(folder, "train.py")
    assert done.returncode == 0, done.stderr
    assert "Accuracy" in done.stdout
    assert "0.9" in done.stdout
    assert (folder / "outputs" / "m.pkl").is_file()


def test_a_script_finds_its_workspace_inside_a_run_and_outside(workspace: Workspace, scripts):
    folder = scripts(train=ANYWHERE)
    run = finish(submit(workspace, folder))
    assert "in testing" in run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    workspace.write_config(path=str(folder))
    done = outside(folder, "train.py")
    assert done.returncode == 0, done.stderr
    assert "in testing" in done.stdout


# ---- runs of the process itself, and their relatives ----


def test_an_error_inside_an_interactive_run_fails_it_and_goes_on(workspace: Workspace, folder: Path):
    experiment = Experiment(workspace, "idioms")
    with pytest.raises(ZeroDivisionError), experiment.start_logging() as run:  # noqa: PT012  the block is what is shown
        run.log("before", 1)
        run.log("after", 1 / 0)
    assert run.get_status() == "Failed"
    assert "ZeroDivisionError" in json.dumps(run.get_details()["error"])
    assert run.get_metrics() == {"before": 1}


def test_the_newest_run_comes_first(workspace: Workspace, folder: Path, scripts):
    experiment = Experiment(workspace, "idioms")
    experiment.start_logging(snapshot_directory=None).complete()
    parent = experiment.start_logging(snapshot_directory=None)
    for number in range(2):
        child = parent.child_run(name=f"child {number}")
        child.log("number", number)
        child.complete()
    parent.complete()
    assert next(experiment.get_runs()).id == parent.id
    submitted = finish(submit(workspace, scripts(train="print('newest')")))
    assert list(experiment.get_runs())[0].id == submitted.id  # noqa: RUF015  as scripts write it
    assert [run.id for run in experiment.get_runs()][1] == parent.id
    assert [child.get_metrics() for child in parent.get_children()] == [{"number": 1}, {"number": 0}]


def test_a_step_logs_into_its_pipeline_and_tags_it(workspace: Workspace, scripts):
    text = """
from azureml.core import Run
run = Run.get_context()
run.parent.log("x", 1)
run.parent.tag("k", "v")
"""
    run = Experiment(workspace, "idioms").submit(
        Pipeline(workspace, [PythonScriptStep("tell.py", compute_target="local", source_directory=str(scripts(tell=text)))])
    )
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.get_metrics() == {"x": 1}
    assert run.get_tags()["k"] == "v"


def test_a_step_cancels_its_pipeline(workspace: Workspace, scripts):
    text = """
import time
from azureml.core import Run
Run.get_context().parent.cancel()
time.sleep(600)
"""
    run = Experiment(workspace, "idioms").submit(
        Pipeline(workspace, [PythonScriptStep("stop.py", compute_target="local", source_directory=str(scripts(stop=text)))])
    )
    run.wait_for_completion(show_output=False, raise_on_error=False)
    assert run.get_status() == "Canceled"


# ---- models, environments, authentication, display ----


def test_a_step_finds_a_model_by_its_name(workspace: Workspace, folder: Path, scripts):
    (folder / "model.txt").write_text("first")
    Model.register(workspace, "model.txt", "n", tags={"accuracy": "0.5"})
    (folder / "model.txt").write_text("second")
    Model.register(workspace, model_path="model.txt", model_name="n", tags={"accuracy": "0.9"})
    (latest,) = Model.list(workspace, name="n", latest=True)
    assert (latest.version, Model(workspace, "n").tags["accuracy"]) == (2, "0.9")
    assert [model.version for model in Model.list(workspace, name="n")] == [2, 1]
    text = """
from azureml.core import Model, Run
ws = Run.get_context().experiment.workspace
tell(newest=open(Model.get_model_path("n")).read(), first=open(Model.get_model_path("n", 1)).read())
tell(tag=Model(ws, "n").tags["accuracy"], names=[model.name for model in Model.list(ws, name="n", latest=True)])
"""
    run = finish(submit(workspace, scripts(train=TELL + text)))
    assert told(run) == {"newest": "second", "first": "first", "tag": "0.9", "names": ["n"]}


@pytest.mark.parametrize(
    "make",
    [
        InteractiveLoginAuthentication,
        AzureCliAuthentication,
        lambda: ServicePrincipalAuthentication("tenant", "principal", service_principal_password="x"),  # noqa: S106
    ],
    ids=["interactive", "cli", "service principal"],
)
def test_every_kind_of_authentication_gives_a_header_that_http_clients_take(home: Path, folder: Path, make):
    import requests

    auth = make()
    header = auth.get_authentication_header()
    prepared = requests.Request("POST", "http://localhost/", headers=header, json={"ExperimentName": "idioms"}).prepare()
    kind, token = prepared.headers["Authorization"].split(" ")
    assert (kind, bool(token)) == ("Bearer", True)
    assert Workspace.get("testing", auth=auth, subscription_id="sub", resource_group="group").name == "testing"


@pytest.mark.usefixtures("packages_as_they_are")
def test_a_curated_environment_is_found_and_used(workspace: Workspace, scripts):
    environment = Environment.get(workspace, "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")
    packages = environment.python.conda_dependencies
    asked = [*packages.conda_packages, *packages.pip_packages]
    assert any(name.startswith("scikit-learn") and "0.24" in name for name in asked)
    assert packages.serialize_to_string().count("python=3.7") == 1
    mine = environment.clone("mine")
    mine.python.conda_dependencies.add_pip_package("joblib")
    run = finish(submit(workspace, scripts(train="print('ran')"), compute_target="local", environment=mine.register(workspace)))
    assert run.get_environment().name == "mine"


def test_run_details_return_at_once(workspace: Workspace, scripts, tmp_path: Path, capsys):
    gate = tmp_path / "gate"
    text = f"""
import os, time
while not os.path.exists({str(gate)!r}):
    time.sleep(0.01)
"""
    run = submit(workspace, scripts(train=text))
    assert RunDetails(run).show() is None
    assert run.get_status() not in ("Completed", "Failed")
    assert run.id in capsys.readouterr().out
    gate.write_text("")
    finish(run)


def test_run_details_return_at_once_in_a_notebook(home: Path, folder: Path):
    (folder / "train.py").write_text("print('ran')")
    cells = [
        "from azureml.core import Experiment, ScriptRunConfig, Workspace\nfrom azureml.widgets import RunDetails",
        "ws = Workspace.from_config()\nrun = Experiment(ws, 'idioms').submit(ScriptRunConfig('.', 'train.py'))",
        "RunDetails(run).show()",
        "run.wait_for_completion()['status']",
    ]
    notebook = {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": f"c{number}", "metadata": {}, "outputs": [], "source": cell}
            for number, cell in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "driver.ipynb").write_text(json.dumps(notebook))
    command = [sys.executable, "-m", "penstock", "run", "driver.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Completed" in done.stdout


def test_the_version_can_be_compared():
    from packaging.version import Version

    assert Version(azureml.core.VERSION) >= Version("1.0.0")
    assert azureml.core.VERSION.split(".")[0] == "1"


def test_a_workspace_lists_models_and_experiments_by_name(workspace: Workspace, folder: Path, scripts):
    (folder / "model.txt").write_text("weights")
    Model.register(workspace, "model.txt", "n")
    finish(submit(workspace, scripts(train="print('ran')")))
    models = {name: workspace.models[name] for name in workspace.models}
    assert {name: (model.name, model.version) for name, model in models.items()} == {"n": ("n", 1)}
    experiments = {name: workspace.experiments[name] for name in workspace.experiments}
    assert {name: experiment.name for name, experiment in experiments.items()} == {"idioms": "idioms"}


def test_the_first_cell_of_a_deployment_notebook():
    from azureml.core import Image
    from azureml.core.image import ContainerImage
    from azureml.core.model import InferenceConfig, Model
    from azureml.core.webservice import AciWebservice, AksWebservice, LocalWebservice, Webservice

    names = (AciWebservice, AksWebservice, ContainerImage, Image, InferenceConfig, LocalWebservice, Model, Webservice)
    assert all(isinstance(name, type) for name in names)
    config = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1)
    with pytest.raises(NotImplementedError, match=r"Model\.deploy"):
        Model.deploy(None, "service", [], InferenceConfig("score.py"), config)


# ---- traps ----


def test_the_same_configuration_is_submitted_twice(workspace: Workspace, scripts):
    source = ScriptRunConfig(str(scripts(train="import sys; print('given', sys.argv[1:])")), "train.py", ["--rate", 0.1, "--n", 3])
    runs = [finish(Experiment(workspace, "idioms").submit(source)) for _ in range(2)]
    assert runs[0].id != runs[1].id
    assert source.arguments == ["--rate", 0.1, "--n", 3]
    for run in runs:
        arguments = run.get_details()["runDefinition"]["arguments"]
        assert arguments[arguments.index("--rate") + 1] == "0.1"
        assert run.id.startswith("idioms_")


def test_complete_inside_a_script_does_not_end_its_run(workspace: Workspace, scripts):
    run = submit(workspace, scripts(train="from azureml.core import Run\nRun.get_context().complete()\nraise SystemExit(3)"))
    with pytest.raises(ActivityFailedException):
        run.wait_for_completion(show_output=False)
    assert run.get_status() == "Failed"


def test_outputs_are_kept_even_of_a_script_that_fails(workspace: Workspace, scripts):
    run = submit(workspace, scripts(train="open('outputs/kept', 'w').write('kept')\nraise ValueError('no good')"))
    details = run.wait_for_completion(show_output=False, raise_on_error=False)
    assert details["status"] == "Failed"
    assert "no good" in details["error"]["error"]["message"]
    assert "outputs/kept" in run.get_file_names()


def test_a_child_process_in_another_folder_is_in_the_same_run(workspace: Workspace, scripts):
    child = """
import os
os.chdir("/")
from azureml.core import Run
run = Run.get_context()
run.log("from the child", 1)
print("workspace", run.experiment.workspace.name)
"""
    text = "import os, subprocess, sys\nsubprocess.run([sys.executable, os.path.abspath('child.py')], check=True)"
    run = finish(submit(workspace, scripts(train=text, child=child)))
    assert run.get_metrics() == {"from the child": 1}


def test_a_driver_that_is_itself_a_run_submits_to_its_own_experiment(workspace: Workspace, scripts):
    driver = """
from azureml.core import Run
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

run = Run.get_context()
step = PythonScriptStep("step.py", "inner", compute_target="local", source_directory=".")
inner = run.experiment.submit(Pipeline(run.experiment.workspace, steps=[step]))
print("inner run", inner.id)
inner.wait_for_completion(show_output=False)
"""
    run = finish(submit(workspace, scripts(train=driver, step="print('inside')")))
    kinds = [found.type for found in Experiment(workspace, "idioms").get_runs()]
    assert kinds == ["azureml.PipelineRun", "azureml.scriptrun"]
    assert run.type == "azureml.scriptrun"


def test_a_script_that_runs_may_be_cancelled(workspace: Workspace, scripts):
    run = submit(workspace, scripts(train="import time\nprint('began', flush=True)\ntime.sleep(600)"))
    wait_until(lambda: run.get_status() == "Running")
    run.cancel()
    details = run.wait_for_completion(show_output=False)
    assert details["status"] == "Canceled"


def test_what_can_not_be_submitted_is_refused_by_name(workspace: Workspace):
    with pytest.raises(Exception, match="RunConfiguration"):
        Experiment(workspace, "idioms").submit(RunConfiguration())
    with pytest.raises(UserErrorException):
        Experiment(workspace, "no good name!")
