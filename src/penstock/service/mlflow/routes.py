"""The routes of MLflow: each checks what was sent, and names the verb with all of its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from penstock.model.errors import Invalid
from penstock.operations.context import Context
from penstock.operations.mlflow import artifacts, batches, experiments, filters, inputs, logged_models, points, registry, runs, search
from penstock.operations.mlflow.artifacts import Client
from penstock.operations.tokens import Grant
from penstock.service.mlflow.asked import Asked
from penstock.service.routes import Role, RouteTable

BASE = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
table = RouteTable(prefix="")

Verb = Callable[[], Any]
_MOST_RUNS = 50_000
_MOST_FOUND = 50_000
_MOST_POINTS, _MOST_PAIRS = 1000, 1000  # in one batch, as MLflow's own server has it; its clients know


@dataclass(frozen=True)
class MlflowCall:
    """One request on its way through a route: who asks, with which client, for what."""

    context: Context
    grant: Grant
    client: Client
    asked: Asked
    path: dict[str, str]


def _verb(function: Callable[..., Any], call: MlflowCall, *values: Any, **named: Any) -> Verb:
    return partial(function, call.context, call.grant, *values, **named)


# Experiments


@table.add("POST", f"{BASE}/experiments/create", Role.CONTRIBUTOR)
def create_experiment(call: MlflowCall) -> Verb:
    """Create an experiment."""
    return _verb(experiments.create_experiment, call, call.asked.text("name"), call.asked.pairs("tags"))


@table.add("GET", f"{BASE}/experiments/get", Role.READER)
def get_experiment(call: MlflowCall) -> Verb:
    """Read an experiment; '0' is the one named Default."""
    return _verb(experiments.get_experiment, call, call.asked.text("experiment_id"))


@table.add("GET", f"{BASE}/experiments/get-by-name", Role.READER)
def get_experiment_by_name(call: MlflowCall) -> Verb:
    """Find an experiment by its name."""
    return _verb(experiments.get_by_name, call, call.asked.text("experiment_name"))


@table.add("GET", f"{BASE}/experiments/list", Role.READER)
@table.add("GET", f"{BASE}/experiments/search", Role.READER)
@table.add("POST", f"{BASE}/experiments/search", Role.READER)
def search_experiments(call: MlflowCall) -> Verb:
    """Search experiments by a filter, a page at a time."""
    asked = call.asked
    view = asked.text("view_type", experiments.ACTIVE_ONLY)
    wanted = asked.size(1000, _MOST_FOUND), asked.text("page_token", None), asked.text("filter", ""), asked.texts("order_by")
    return _verb(experiments.search, call, _view(view), *wanted)


def _view(word: str) -> str:
    found = {"1": experiments.ACTIVE_ONLY, "2": experiments.DELETED_ONLY, "3": experiments.ALL}.get(word, word)
    if found not in (experiments.ACTIVE_ONLY, experiments.DELETED_ONLY, experiments.ALL):
        raise Invalid(f"There is no view '{word[:40]}'. There are ACTIVE_ONLY, DELETED_ONLY and ALL.")
    return found


@table.add("POST", f"{BASE}/experiments/update", Role.CONTRIBUTOR)
def rename_experiment(call: MlflowCall) -> Verb:
    """Give an experiment another name."""
    return _verb(experiments.rename, call, call.asked.text("experiment_id"), call.asked.text("new_name"))


@table.add("POST", f"{BASE}/experiments/delete", Role.CONTRIBUTOR)
def delete_experiment(call: MlflowCall) -> Verb:
    """Archive an experiment."""
    return _verb(experiments.set_archived, call, call.asked.text("experiment_id"), True)


@table.add("POST", f"{BASE}/experiments/restore", Role.CONTRIBUTOR)
def restore_experiment(call: MlflowCall) -> Verb:
    """Bring an archived experiment back."""
    return _verb(experiments.set_archived, call, call.asked.text("experiment_id"), False)


@table.add("POST", f"{BASE}/experiments/set-experiment-tag", Role.CONTRIBUTOR)
def set_experiment_tag(call: MlflowCall) -> Verb:
    """Set a tag of an experiment."""
    return _verb(experiments.set_tag, call, call.asked.text("experiment_id"), call.asked.text("key"), call.asked.value("value"))


@table.add("POST", f"{BASE}/experiments/delete-experiment-tag", Role.CONTRIBUTOR)
def delete_experiment_tag(call: MlflowCall) -> Verb:
    """Remove a tag of an experiment."""
    return _verb(experiments.delete_tag, call, call.asked.text("experiment_id"), call.asked.text("key"))


# Runs


@table.add("POST", f"{BASE}/runs/create", Role.CONTRIBUTOR)
def create_run(call: MlflowCall) -> Verb:
    """Create a run that its client drives."""
    wanted = call.asked.text("experiment_id", "0"), call.client, call.asked.text("run_name", None), call.asked.pairs("tags")
    return _verb(runs.create_run, call, *wanted)


@table.add("GET", f"{BASE}/runs/get", Role.READER)
def get_run(call: MlflowCall) -> Verb:
    """Read a run with its params, tags and last metrics."""
    return _verb(runs.get_run, call, call.asked.run_id(), call.client)


@table.add("POST", f"{BASE}/runs/update", Role.CONTRIBUTOR)
def update_run(call: MlflowCall) -> Verb:
    """Name a run, or end it where its client drives it."""
    wanted = call.asked.text("status", None), call.asked.text("run_name", None)
    return _verb(runs.update_run, call, call.asked.run_id(), call.client, *wanted)


@table.add("POST", f"{BASE}/runs/delete", Role.CONTRIBUTOR)
def delete_run(call: MlflowCall) -> Verb:
    """Hide a run from MLflow's searches."""
    return _verb(runs.set_deleted, call, call.asked.run_id(), True)


@table.add("POST", f"{BASE}/runs/restore", Role.CONTRIBUTOR)
def restore_run(call: MlflowCall) -> Verb:
    """Show a hidden run again."""
    return _verb(runs.set_deleted, call, call.asked.run_id(), False)


@table.add("POST", f"{BASE}/runs/search", Role.READER)
def search_runs(call: MlflowCall) -> Verb:
    """Search runs by a filter, a page at a time."""
    asked = call.asked
    return _verb(
        search.search_runs,
        call,
        call.client,
        asked.texts("experiment_ids"),
        asked.text("filter", ""),
        _view(asked.text("run_view_type", experiments.ACTIVE_ONLY)),
        asked.size(1000, _MOST_RUNS),
        asked.texts("order_by"),
        asked.text("page_token", None),
    )


def _point(asked: Asked, timestamp: int | None = None) -> points.Point:
    return points.Point(
        asked.text("key"),
        asked.number("value"),
        asked.integer("timestamp") if timestamp is None else asked.integer("timestamp", timestamp),
        asked.integer("step", 0),
        asked.text("model_id", None),
    )


@table.add("POST", f"{BASE}/runs/log-metric", Role.CONTRIBUTOR)
def log_metric(call: MlflowCall) -> Verb:
    """Log a point of a metric."""
    return _verb(batches.log, call, call.asked.run_id(), [_point(call.asked)], [], {})


@table.add("POST", f"{BASE}/runs/log-parameter", Role.CONTRIBUTOR)
def log_param(call: MlflowCall) -> Verb:
    """Log a param, which can't change."""
    return _verb(batches.log, call, call.asked.run_id(), [], [(call.asked.text("key"), call.asked.value("value"))], {})


@table.add("POST", f"{BASE}/runs/log-batch", Role.CONTRIBUTOR)
def log_batch(call: MlflowCall) -> Verb:
    """Log metrics, params and tags at once."""
    asked = call.asked
    for name, most in (("metrics", _MOST_POINTS), ("params", _MOST_PAIRS), ("tags", _MOST_PAIRS)):
        if len(asked.objects(name)) > most:
            raise Invalid(f"A batch has at most {most} {name}.")
    params = [(item.text("key"), item.value("value")) for item in asked.members("params")]
    return _verb(batches.log, call, call.asked.run_id(), [_point(item) for item in asked.members("metrics")], params, asked.pairs("tags"))


@table.add("POST", f"{BASE}/runs/set-tag", Role.CONTRIBUTOR)
def set_tag(call: MlflowCall) -> Verb:
    """Set a tag of a run."""
    return _verb(runs.set_tag, call, call.asked.run_id(), call.asked.text("key"), call.asked.value("value"))


@table.add("POST", f"{BASE}/runs/delete-tag", Role.CONTRIBUTOR)
def delete_tag(call: MlflowCall) -> Verb:
    """Remove a tag of a run."""
    return _verb(runs.delete_tag, call, call.asked.run_id(), call.asked.text("key"))


@table.add("GET", f"{BASE}/metrics/get-history", Role.READER)
def get_metric_history(call: MlflowCall) -> Verb:
    """List the points of one metric of a run."""
    size = call.asked.size(_MOST_FOUND, _MOST_FOUND) if call.asked.has("max_results") else None
    return _verb(runs.metric_history, call, call.asked.run_id(), call.asked.text("metric_key"), size, call.asked.text("page_token", None))


@table.add("POST", f"{BASE}/runs/log-model", Role.CONTRIBUTOR)
def log_model(call: MlflowCall) -> Verb:
    """Note that a model lies among the files of a run."""
    return _verb(logged_models.log_model, call, call.asked.run_id(), call.asked.text("model_json"))


@table.add("POST", f"{BASE}/runs/log-inputs", Role.CONTRIBUTOR)
def log_inputs(call: MlflowCall) -> Verb:
    """Note which datasets and models a run read."""
    return _verb(batches.log_inputs, call, call.asked.run_id(), call.asked.objects("datasets"), call.asked.objects("models"))


@table.add("POST", f"{BASE}/runs/outputs", Role.CONTRIBUTOR)
def log_outputs(call: MlflowCall) -> Verb:
    """Note which models a run made."""
    return _verb(logged_models.log_outputs, call, call.asked.run_id(), inputs.MODEL_OUTPUT, call.asked.objects("models"))


# Artifacts


@table.add("GET", f"{BASE}/artifacts/list", Role.READER)
def list_run_artifacts(call: MlflowCall) -> Verb:
    """List the artifacts of a run, a folder at a time."""
    return _verb(artifacts.list_artifacts_of_run, call, call.asked.run_id(), call.asked.text("path", ""), call.client)


@table.add("GET", ARTIFACTS, Role.READER)
def list_artifacts(call: MlflowCall) -> Verb:
    """List what lies directly below an address."""
    return _verb(artifacts.list_artifacts_at, call, call.asked.text("path"), call.client)


@table.add("GET", f"{ARTIFACTS}/{{address:path}}", Role.READER)
def read_artifact(call: MlflowCall) -> Verb:
    """Read an artifact."""
    return _verb(artifacts.open_artifact, call, call.path["address"])


@table.add("PUT", f"{ARTIFACTS}/{{address:path}}", Role.CONTRIBUTOR, takes_json=False)
def write_artifact(call: MlflowCall) -> Verb:
    """Keep an artifact with a run."""
    return _verb(artifacts.receive_artifact, call, call.path["address"])


@table.add("DELETE", f"{ARTIFACTS}/{{address:path}}", Role.CONTRIBUTOR)
def delete_artifact(call: MlflowCall) -> Verb:
    """Remove an artifact of a run."""
    return _verb(artifacts.delete_artifact, call, call.path["address"])


# Logged models


@table.add("POST", f"{BASE}/logged-models", Role.CONTRIBUTOR)
def create_logged_model(call: MlflowCall) -> Verb:
    """Begin a logged model, whose files are those of its run."""
    asked = call.asked
    names = asked.text("name", None), asked.text("source_run_id", None), asked.text("model_type", None)
    return _verb(logged_models.create, call, asked.text("experiment_id", "0"), *names, asked.pairs("params"), asked.pairs("tags"))


@table.add("POST", f"{BASE}/logged-models/search", Role.READER)
def search_logged_models(call: MlflowCall) -> Verb:
    """Search logged models by a filter, a page at a time."""
    asked = call.asked
    orders = [
        filters.parse_order(item.text("field_name"), not item.has("ascending") or item.flag("ascending"))
        for item in asked.members("order_by")
    ]
    page = asked.size(100, _MOST_FOUND), asked.text("page_token", None), orders
    return _verb(logged_models.search, call, asked.texts("experiment_ids"), asked.text("filter", ""), *page)


@table.add("GET", f"{BASE}/logged-models/{{model_id}}", Role.READER)
def get_logged_model(call: MlflowCall) -> Verb:
    """Read a logged model."""
    return _verb(logged_models.get, call, call.path["model_id"], call.asked.flag("allow_deleted"))


@table.add("PATCH", f"{BASE}/logged-models/{{model_id}}", Role.CONTRIBUTOR)
def finalize_logged_model(call: MlflowCall) -> Verb:
    """Say that the files of a logged model are all there."""
    return _verb(logged_models.finalize, call, call.path["model_id"], call.asked.text("status"))


@table.add("DELETE", f"{BASE}/logged-models/{{model_id}}", Role.CONTRIBUTOR)
def delete_logged_model(call: MlflowCall) -> Verb:
    """Hide a logged model."""
    return _verb(logged_models.delete, call, call.path["model_id"])


@table.add("POST", f"{BASE}/logged-models/{{model_id}}/params", Role.CONTRIBUTOR)
def log_model_params(call: MlflowCall) -> Verb:
    """Add params to a logged model."""
    return _verb(logged_models.merge, call, call.path["model_id"], "params", call.asked.pairs("params"))


@table.add("PATCH", f"{BASE}/logged-models/{{model_id}}/tags", Role.CONTRIBUTOR)
def tag_logged_model(call: MlflowCall) -> Verb:
    """Set tags of a logged model."""
    return _verb(logged_models.merge, call, call.path["model_id"], "tags", call.asked.pairs("tags"))


@table.add("DELETE", f"{BASE}/logged-models/{{model_id}}/tags/{{key:path}}", Role.CONTRIBUTOR)
def untag_logged_model(call: MlflowCall) -> Verb:
    """Remove a tag of a logged model."""
    return _verb(logged_models.delete_tag, call, call.path["model_id"], call.path["key"])


# The registry


@table.add("POST", f"{BASE}/registered-models/create", Role.CONTRIBUTOR)
def create_registered_model(call: MlflowCall) -> Verb:
    """Make a model's name."""
    return _verb(registry.create_name, call, call.asked.text("name"), call.asked.text("description", None), call.asked.pairs("tags"))


@table.add("GET", f"{BASE}/registered-models/get", Role.READER)
def get_registered_model(call: MlflowCall) -> Verb:
    """Read a model's name with its latest versions."""
    return _verb(registry.get_name, call, call.asked.text("name"))


@table.add("GET", f"{BASE}/registered-models/list", Role.READER)
@table.add("GET", f"{BASE}/registered-models/search", Role.READER)
def search_registered_models(call: MlflowCall) -> Verb:
    """Search models' names by a filter, a page at a time."""
    return _verb(registry.search_names, call, *_search(call.asked))


def _search(asked: Asked) -> tuple[str, int, list[str], str | None]:
    return asked.text("filter", ""), asked.size(100, _MOST_FOUND), asked.texts("order_by"), asked.text("page_token", None)


@table.add("PATCH", f"{BASE}/registered-models/update", Role.CONTRIBUTOR)
def update_registered_model(call: MlflowCall) -> Verb:
    """Describe a model's name."""
    return _verb(registry.update_name, call, call.asked.text("name"), call.asked.text("description", None))


@table.add("DELETE", f"{BASE}/registered-models/delete", Role.CONTRIBUTOR)
def delete_registered_model(call: MlflowCall) -> Verb:
    """Delete a model's name with all of its versions."""
    return _verb(registry.delete_name, call, call.asked.text("name"))


@table.add("GET", f"{BASE}/registered-models/get-latest-versions", Role.READER)
@table.add("POST", f"{BASE}/registered-models/get-latest-versions", Role.READER)
def get_latest_versions(call: MlflowCall) -> Verb:
    """List the newest version of each stage."""
    return _verb(registry.latest_versions, call, call.asked.text("name"), call.asked.texts("stages"))


@table.add("POST", f"{BASE}/registered-models/set-tag", Role.CONTRIBUTOR)
def tag_registered_model(call: MlflowCall) -> Verb:
    """Set a tag of a model's name."""
    return _verb(registry.tag_name, call, call.asked.text("name"), call.asked.text("key"), call.asked.value("value"))


@table.add("DELETE", f"{BASE}/registered-models/delete-tag", Role.CONTRIBUTOR)
def untag_registered_model(call: MlflowCall) -> Verb:
    """Remove a tag of a model's name."""
    return _verb(registry.tag_name, call, call.asked.text("name"), call.asked.text("key"), None)


@table.add("POST", f"{BASE}/registered-models/alias", Role.CONTRIBUTOR)
def set_alias(call: MlflowCall) -> Verb:
    """Let an alias stand for a version."""
    return _verb(registry.set_alias, call, call.asked.text("name"), call.asked.text("alias"), call.asked.text("version"))


@table.add("DELETE", f"{BASE}/registered-models/alias", Role.CONTRIBUTOR)
def delete_alias(call: MlflowCall) -> Verb:
    """Remove an alias."""
    return _verb(registry.set_alias, call, call.asked.text("name"), call.asked.text("alias"), None)


@table.add("GET", f"{BASE}/registered-models/alias", Role.READER)
def get_by_alias(call: MlflowCall) -> Verb:
    """Read the version that an alias stands for."""
    return _verb(registry.get_by_alias, call, call.asked.text("name"), call.asked.text("alias"))


@table.add("POST", f"{BASE}/model-versions/create", Role.CONTRIBUTOR)
def create_model_version(call: MlflowCall) -> Verb:
    """Register files of a run as the next version of a model."""
    asked = call.asked
    texts = asked.text("run_id", None), asked.text("description", None)
    named = {"tags": asked.pairs("tags"), "model_id": asked.text("model_id", None)}
    return _verb(registry.create_version, call, asked.text("name"), asked.text("source"), *texts, **named)


def _version(call: MlflowCall) -> tuple[str, str]:
    return call.asked.text("name"), call.asked.text("version")


@table.add("GET", f"{BASE}/model-versions/get", Role.READER)
def get_model_version(call: MlflowCall) -> Verb:
    """Read a version of a model."""
    return _verb(registry.get_version, call, *_version(call))


@table.add("GET", f"{BASE}/model-versions/search", Role.READER)
def search_model_versions(call: MlflowCall) -> Verb:
    """Search versions of models by a filter, a page at a time."""
    return _verb(registry.search_versions, call, *_search(call.asked))


@table.add("PATCH", f"{BASE}/model-versions/update", Role.CONTRIBUTOR)
def update_model_version(call: MlflowCall) -> Verb:
    """Describe a version of a model."""
    return _verb(registry.update_version, call, *_version(call), call.asked.text("description", None))


@table.add("POST", f"{BASE}/model-versions/transition-stage", Role.CONTRIBUTOR)
def set_model_version_stage(call: MlflowCall) -> Verb:
    """Move a version of a model to a stage."""
    return _verb(registry.set_stage, call, *_version(call), call.asked.text("stage"), call.asked.flag("archive_existing_versions"))


@table.add("DELETE", f"{BASE}/model-versions/delete", Role.CONTRIBUTOR)
def delete_model_version(call: MlflowCall) -> Verb:
    """Delete a version of a model."""
    return _verb(registry.delete_version, call, *_version(call))


@table.add("GET", f"{BASE}/model-versions/get-download-uri", Role.READER)
def get_model_version_address(call: MlflowCall) -> Verb:
    """Tell where the files of a version are."""
    return _verb(registry.download_address, call, *_version(call), call.client)


@table.add("POST", f"{BASE}/model-versions/set-tag", Role.CONTRIBUTOR)
def tag_model_version(call: MlflowCall) -> Verb:
    """Set a tag of a version."""
    return _verb(registry.tag_version, call, *_version(call), call.asked.text("key"), call.asked.value("value"))


@table.add("DELETE", f"{BASE}/model-versions/delete-tag", Role.CONTRIBUTOR)
def untag_model_version(call: MlflowCall) -> Verb:
    """Remove a tag of a version."""
    return _verb(registry.tag_version, call, *_version(call), call.asked.text("key"), None)


# The server


@table.add("GET", "/api/3.0/mlflow/server-info", Role.READER)
def server_info(call: MlflowCall) -> Verb:
    """Tell which of MLflow 3's extras there are: none."""
    return lambda: {"workspaces_enabled": False, "multipart_uploads_enabled": False, "multipart_downloads_enabled": False}
