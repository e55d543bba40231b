"""Scripts that log with the unmodified client of MLflow, in steps and outside of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import kill_service, wait_until

pytest.importorskip("sklearn")

TRAIN = """
import mlflow, mlflow.sklearn
from azureml.core import Run
from sklearn.linear_model import LogisticRegression
import numpy

mlflow.sklearn.autolog()
with mlflow.start_run() as active:
    LogisticRegression(C=0.5).fit(numpy.array([[0.0], [1.0], [2.0], [3.0]]), numpy.array([0, 0, 1, 1]))
    mlflow.log_metric("mine", 0.25, step=3)
    mlflow.log_dict({"a": 1}, "notes/dict.json")
run = Run.get_context()
assert active.info.run_id == run.id
run.log("own", 7)
assert run.experiment.workspace.get_mlflow_tracking_uri() == mlflow.get_tracking_uri()
"""

LOOK = """
import json, sys
import mlflow
client = mlflow.MlflowClient()
run = client.get_run(sys.argv[1])
def files(path=None):
    for item in client.list_artifacts(sys.argv[1], path):
        yield from files(item.path) if item.is_dir else [item.path]
found = {"metrics": run.data.metrics, "params": run.data.params, "tags": run.data.tags, "status": run.info.status}
found["inputs"] = len(run.inputs.dataset_inputs)
found["files"] = sorted(files())
model = mlflow.sklearn.load_model(f"runs:/{sys.argv[1]}/model")
found["predicted"] = [int(value) for value in model.predict([[0.0], [3.0]])]
print(json.dumps(found))
"""

KEEPS_GOING = """
import mlflow
for step in range(60):
    mlflow.log_metric("m", step / 7, step=step)
    if step == 5:
        open("outputs/under_way", "w").close()
    import time; time.sleep(0.02)
"""


def run_outside(uri: str, script: str, *arguments: str, **variables: str) -> Any:
    """Run a script that knows MLflow's address and nothing else; return the JSON in its last line."""
    environment = {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def submit(workspace: Any, scripts: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Start a pipeline of one step that runs a script; give its run."""
    from azureml.core import Experiment
    from azureml.pipeline.core import Pipeline
    from azureml.pipeline.steps import PythonScriptStep

    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT", "1")  # it runs the model once more, to see what it imports

    def start(source: str) -> Any:
        step = PythonScriptStep(name="train", script_name="train.py", source_directory=str(scripts(train=source)))
        return Experiment(workspace, "work").submit(Pipeline(workspace, steps=[step]))

    return start


def test_autolog_in_a_step_lands_in_the_steps_run(workspace: Any, submit: Callable[[str], Any]) -> None:
    pipeline = submit(TRAIN)
    assert pipeline.wait_for_completion(show_output=False) == "Finished"
    (step,) = pipeline.get_children()
    seen = run_outside(workspace.get_mlflow_tracking_uri(), LOOK, step.id)

    metrics = step.get_metrics()
    assert {name: float(value) for name, value in metrics.items()} == seen["metrics"]
    assert (metrics["own"], metrics["mine"], metrics["training_score"]) == (7, 0.25, 1.0)
    assert {name: seen["tags"][name] for name in step.get_tags()} == step.get_tags()
    assert step.get_tags()["estimator_name"] == "LogisticRegression"
    assert seen["params"]["C"] == "0.5"
    assert seen["inputs"] == 1
    assert seen["files"] == sorted(step.get_file_names())
    assert {"model/MLmodel", "model/model.pkl", "notes/dict.json"} <= set(seen["files"])
    assert seen["predicted"] == [0, 1]
    assert (step.get_status(), seen["status"]) == ("Finished", "FINISHED")
    assert "~" not in step.get_stdout_log()  # which every token has


def test_a_step_goes_on_when_the_service_is_killed(home: Path, workspace: Any, submit: Callable[[str], Any]) -> None:
    pipeline = submit(KEEPS_GOING)
    (step,) = list(pipeline.get_children())
    wait_until(lambda: (home / "runs" / step.id / "work" / "outputs" / "under_way").exists())
    uri = workspace.get_mlflow_tracking_uri()
    assert kill_service(home)
    records = home / "runs" / step.id / "metrics.jsonl"
    wait_until(lambda: len(records.read_text().splitlines()) >= 59, seconds=60)  # nobody but the step itself asks for the service
    assert pipeline.wait_for_completion(show_output=False) == "Finished"
    assert step.get_metrics()["m"] == [number / 7 for number in range(60)]
    assert workspace.get_mlflow_tracking_uri() == uri


OUTSIDE = """
import json, sys
import mlflow
mlflow.set_experiment("outside")
with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_params({"a": 1})
    mlflow.log_metrics({"x": 0.5, "bad": float("inf")})
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.set_tag("kind", "child")
try:
    with mlflow.start_run() as failed:
        raise ValueError("no")
except ValueError:
    pass
wanted = "metrics.x > 0.4 and params.a = '1' and attributes.status = 'FINISHED'"
found = mlflow.search_runs(experiment_names=["outside"], filter_string=wanted)
print(json.dumps([parent.info.run_id, child.info.run_id, failed.info.run_id, list(found.run_id)]))
"""


def test_runs_outside_of_any_step(workspace: Any) -> None:
    import azureml.mlflow

    uri = workspace.get_mlflow_tracking_uri()
    assert azureml.mlflow.get_mlflow_tracking_uri(workspace) == uri
    parent_id, child_id, failed_id, found = run_outside(uri, OUTSIDE)
    assert found == [parent_id]
    parent, child, failed = (workspace.get_run(run_id) for run_id in (parent_id, child_id, failed_id))
    assert [run.get_status() for run in (parent, child, failed)] == ["Completed", "Completed", "Failed"]
    assert parent.get_metrics() == {"x": 0.5, "bad": float("inf")}
    assert (parent.display_name, child.parent.id, child.get_tags()["kind"]) == ("parent", parent_id, "child")
    assert [run.id for run in parent.get_children()] == [child_id]
    assert {run.id for run in workspace.experiments["outside"].get_runs()} == {parent_id, failed_id}


REGISTER = """
import json, sys
import mlflow
from mlflow.sklearn import log_model
from sklearn.linear_model import LinearRegression
with mlflow.start_run() as run:
    fitted = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    log_model(fitted, name="line", registered_model_name="line", serialization_format="cloudpickle", pip_requirements=["scikit-learn"])
loaded = mlflow.sklearn.load_model("models:/line/1")
client = mlflow.MlflowClient()
client.set_registered_model_alias("line", "best", "1")
client.set_model_version_tag("line", "1", "from", "mlflow")
other = mlflow.sklearn.load_model("models:/line@best")
print(json.dumps([run.info.run_id, float(loaded.predict([[3.0]])[0]), float(other.predict([[4.0]])[0])]))
"""


def test_a_model_that_mlflow_registers_is_v1s_too(workspace: Any, tmp_path: Path) -> None:
    from azureml.core import Model

    run_id, *predicted = run_outside(workspace.get_mlflow_tracking_uri(), REGISTER)
    assert predicted == pytest.approx([3.0, 4.0])
    model = Model(workspace, "line")
    assert (model.version, model.run_id, model.tags) == (1, run_id, {"from": "mlflow"})
    assert (Path(model.download(str(tmp_path))) / "MLmodel").is_file()
    assert "line/MLmodel" in workspace.get_run(run_id).get_file_names()


COMES_BACK = """
import json, os, signal
import mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("a", 1)
    with open(os.path.join(os.environ["PENSTOCK_HOME"], "service.lock")) as file:
        os.kill(int(file.read()), signal.SIGKILL)
    mlflow.log_metric("b", 2)
print(json.dumps(run.info.run_id))
"""


def test_mlflow_starts_the_service_where_none_answers(home: Path, workspace: Any) -> None:
    if not any(item.name == "penstock" for item in entry_points(group="mlflow.request_header_provider")):
        pytest.skip("Penstock was installed before it knew MLflow; install it again")
    run_id = run_outside(workspace.get_mlflow_tracking_uri(), COMES_BACK, PENSTOCK_HOME=str(home))
    run = workspace.get_run(run_id)
    assert (run.get_metrics(), run.get_status()) == ({"a": 1.0, "b": 2.0}, "Completed")
