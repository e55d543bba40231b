"""Clients of MLflow of other years, in environments that are built for a step from the package index. Skipped where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_environments_of_v1s_years import package_index

from penstock.engine.environments.interpreters import list_interpreters

__all__ = ["package_index"]

TRAIN = """
import json
import os
import sys
import mlflow
from mlflow.tracking import MlflowClient

client = MlflowClient()
with mlflow.start_run() as active:
    mlflow.log_param("rate", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    mlflow.set_tag("kind", "old")
    os.makedirs("made/below")
    for name in ("made/a.txt", "made/below/b.txt"):
        with open(name, "w") as file:
            file.write(name)
    mlflow.log_artifacts("made", "texts")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("inner", 1)
run = client.get_run(active.info.run_id)
assert run.data.metrics == {"loss": 1.0 / 3}, run.data.metrics
assert run.data.params == {"rate": "0.1"}
assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [0, 1, 2]
assert [item.path for item in client.list_artifacts(run.info.run_id, "texts")] == ["texts/a.txt", "texts/below"]
wanted = "metrics.loss < 0.5 and params.rate = '0.1' and tags.kind = 'old'"
assert [one.info.run_id for one in client.search_runs([run.info.experiment_id], wanted)] == [run.info.run_id]
client.create_registered_model("old")
client.create_model_version("old", run.info.artifact_uri + "/texts", run.info.run_id)
client.transition_model_version_stage("old", "1", "Production")
assert [one.version for one in client.get_latest_versions("old", ["Production"])] == ["1"]
print(sys.version_info[:2], mlflow.__version__, run.info.artifact_uri.split(":")[0])
"""


@pytest.mark.parametrize(
    ("python", "packages", "scheme"),
    [
        pytest.param("3.7", ["mlflow-skinny==1.20.2", "protobuf<3.21", "setuptools<69", "numpy", "pandas"], "file", marks=pytest.mark.long),
        ("3.8", ["mlflow-skinny==1.30.1", "setuptools<69"], "mlflow-artifacts"),
        pytest.param("3.9", ["mlflow-skinny==2.22.0"], "mlflow-artifacts", marks=pytest.mark.long),
    ],
)
def test_a_client_of_another_year_logs_into_its_step(
    package_index: None, workspace: Any, scripts: Callable[..., Path], python: str, packages: list[str], scheme: str
) -> None:
    from azureml.core import Environment, Experiment, Model, ScriptRunConfig
    from azureml.core.conda_dependencies import CondaDependencies

    if not any(".".join(map(str, one.minor)) == python for one in list_interpreters()):
        pytest.skip(f"There is no Python {python} on this machine.")
    environment = Environment("old")
    environment.python.conda_dependencies = CondaDependencies.create(python_version=python, pip_packages=packages)
    config = ScriptRunConfig(str(scripts(train=TRAIN)), "train.py", compute_target="local", environment=environment)
    run = Experiment(workspace, "old").submit(config)
    run.wait_for_completion()

    log = "".join(run.get_details_with_logs()["logFiles"].values())
    assert f"({python.replace('.', ', ')}) {packages[0].partition('==')[2]} {scheme}" in log
    assert run.get_metrics() == {"loss": [1.0, 0.5, 1.0 / 3]}
    assert run.get_tags()["kind"] == "old"
    assert {"texts/a.txt", "texts/below/b.txt"} <= set(run.get_file_names())
    assert [child.get_metrics() for child in run.get_children()] == [{"inner": 1.0}]
    model = Model(workspace, "old")
    assert (model.version, model.run_id) == (1, run.id)
