"""MLflow's REST interface over loopback: who gets in, what is kept, and that nothing breaks it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.parts.loopback import Loopback

from penstock.model.graph import PipelineGraph, format_graph
from penstock.operations import tokens
from penstock.operations.context import Context, format_time
from penstock.service.loopback import listen
from penstock.service.mlflow import front
from penstock.service.mlflow.routes import table
from penstock.service.routes import PREFIX

ALL = [(item.method, item.path) for item in table.declarations]


# Who gets in


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic x", "Basic ====", "Digest abc", "Bearer " + "a" * 5000, "Bearer ä"]
)
def test_without_a_token_nothing_is_learned(door: Loopback, header: str) -> None:
    for path in (f"/mlflow/{door.workspace_id}/api/2.0/mlflow/experiments/search", "/mlflow/none/api"):
        status, answer = door.ask("GET", path, token="", Authorization=header.encode().decode("latin-1"))
        assert (status, answer["error_code"]) == (401, "UNAUTHENTICATED")


def test_a_token_of_another_workspace_opens_nothing(door: Loopback) -> None:
    other = door.client.create_workspace(f"other-{time.monotonic_ns()}", "sub", "group")["id"]
    status, answer = door.ask("GET", "experiments/search", token=tokens.workspace_token(door.context, other))
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")


def test_runs_of_another_workspace_are_not_there(door: Loopback) -> None:
    run_id = door.make_run()
    other = door.client.create_workspace(f"other-{time.monotonic_ns()}", "sub", "group")["id"]
    mine, door.workspace_id = door.workspace_id, other
    experiment = door.client.get_run(run_id)["experiment_id"]
    asked = [
        door.ask("GET", "runs/get", {"run_id": run_id}),
        door.ask("POST", "runs/update", {"run_id": run_id, "status": "KILLED"}),
        door.ask("POST", "runs/log-metric", {"run_id": run_id, "key": "a", "value": 1, "timestamp": 1}),
        door.ask("POST", "runs/set-tag", {"run_id": run_id, "key": "a", "value": "1"}),
        door.ask("POST", "runs/delete", {"run_id": run_id}),
        door.ask("GET", "experiments/get", {"experiment_id": experiment}),
        door.ask("POST", "experiments/delete", {"experiment_id": experiment}),
        door.ask("GET", door.artifacts(""), {"path": f"runs/{run_id}"}),
        door.ask("PUT", door.artifacts(f"/runs/{run_id}/x"), b"x"),
        door.ask("POST", "logged-models", {"experiment_id": experiment, "source_run_id": run_id, "name": "m"}),
        door.ask("POST", "runs/create", {"tags": [{"key": "mlflow.parentRunId", "value": run_id}]}),
    ]
    assert {(status, answer["error_code"]) for status, answer in asked} == {(404, "RESOURCE_DOES_NOT_EXIST")}
    assert door.post("runs/search", experiment_ids=[experiment])["runs"] == []
    assert door.client.get_run(run_id)["workspace_id"] == mine
    assert not door.home.run_folder(run_id).joinpath("files").exists()


def test_a_token_that_was_changed_is_none(door: Loopback) -> None:
    token = tokens.workspace_token(door.context, door.workspace_id)
    kind, workspace_id, until, signature = token.split("~")
    changed = [
        f"run~{workspace_id}~{until}~{signature}",
        f"{kind}~{workspace_id}~{int(until) + 1}~{signature}",
        f"{kind}~{workspace_id}~{until}~{signature[:-1]}",
        f"{kind}~{workspace_id}~{until}~",
        f"{kind}~{workspace_id}~{until}",
        token + "~",
        token.upper(),
        "~~~",
        "",
    ]
    assert [tokens.find_grant(door.context, text) for text in changed] == [None] * len(changed)
    assert tokens.find_grant(door.context, token) == tokens.Grant(door.workspace_id)


def test_a_token_ends(door: Loopback) -> None:
    def context(days: float) -> Context:
        moment = format_time(datetime.now(timezone.utc) + timedelta(days=days))
        return Context(door.context.database, door.home, door.context.settings, now=lambda: moment)

    token = tokens.workspace_token(door.context, door.workspace_id)
    assert tokens.workspace_token(context(0.001), door.workspace_id) in (token, tokens.workspace_token(context(0.001), door.workspace_id))
    assert tokens.find_grant(context(29), token) is not None
    assert tokens.find_grant(context(61), token) is None

    run_id = door.make_run()
    of_run = tokens.run_token(door.home, door.workspace_id, run_id)
    assert tokens.find_grant(context(400), of_run) == tokens.Grant(door.workspace_id, run_id)
    door.client.set_run_status(run_id, "Completed")
    assert tokens.find_grant(context(0.9), of_run) is not None
    assert tokens.find_grant(context(1.1), of_run) is None
    assert tokens.find_grant(door.context, tokens.run_token(door.home, door.workspace_id, "none")) is None


def test_a_key_that_others_can_read_signs_nothing(door: Loopback, tmp_path: Path) -> None:
    from penstock.client.home import Home
    from penstock.model.errors import Unavailable

    home = Home(tmp_path)
    first = tokens.run_token(home, "w", "r")
    assert tokens.run_token(home, "w", "r") == first
    assert home.token_key.stat().st_mode & 0o777 == 0o600
    home.token_key.chmod(0o644)
    with pytest.raises(Unavailable, match="others than you can read"):
        tokens.run_token(home, "w", "r")
    home.token_key.unlink()
    home.token_key.symlink_to("/etc/passwd")
    with pytest.raises(Unavailable):
        tokens.run_token(home, "w", "r")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.2", "0.0.0.0", "", "localhost:x", "[::1]", "127.0.0.1@evil"]
)
def test_a_page_in_a_browser_can_not_ask_under_its_own_name(door: Loopback, host: str) -> None:
    status, answer = door.ask("GET", "experiments/search", Host=host)
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")


def test_only_mlflow_answers_over_loopback(door: Loopback) -> None:
    for path in (f"/mlflow/{door.workspace_id}{PREFIX}/service", f"/mlflow/{door.workspace_id}/", f"/mlflow/{door.workspace_id}"):
        assert door.ask("GET", path)[0] == 404
    for path in (f"{PREFIX}/service", f"{PREFIX}/runs", f"/mlflow/../{PREFIX}/service"):
        assert door.ask("GET", path)[0] == 403
    assert door.ask("POST", f"{PREFIX}/service/stop", {})[0] == 403


def test_the_password_of_an_address_is_a_token_too(door: Loopback) -> None:
    words = base64.b64encode(f"penstock:{tokens.workspace_token(door.context, door.workspace_id)}".encode()).decode()
    assert door.ask("GET", "experiments/search", token="", Authorization=f"Basic {words}")[0] == 200
    assert tokens.workspace_token(door.context, door.workspace_id) in door.uri
    assert door.ask("GET", f"/mlflow/{door.workspace_id}/api/2.0/preview/mlflow/experiments/list")[0] == 200


def test_the_port_is_kept(door: Loopback, tmp_path: Path) -> None:
    from penstock.client.home import Home

    home = Home(tmp_path)
    first = listen(home)
    assert first is not None
    port = first.getsockname()[1]
    assert first.getsockname()[0] == "127.0.0.1"
    assert first.proto == socket.IPPROTO_TCP  # else asyncio lets each answer wait for the client's acknowledgement
    first.close()
    second = listen(home)
    assert second is not None
    assert second.getsockname()[1] == port == int(home.port.read_text())
    third = listen(home)  # it is taken now, as by a stranger
    assert third is not None
    assert third.getsockname()[1] == int(home.port.read_text()) != port
    for listener in (second, third):
        listener.close()


# Runs


def test_what_one_side_writes_the_other_reads(door: Loopback) -> None:
    run = door.post("runs/create", run_name="name", tags=[{"key": "a", "value": "b"}, {"key": "mlflow.note.content", "value": "note"}])
    run_id = run["run"]["info"]["run_id"]
    door.post("runs/log-metric", run_id=run_id, key="m", value=1.5, timestamp="1700000000123", step="7")
    door.post("runs/log-metric", run_uuid=run_id, key="m", value="NaN", timestamp=1700000000124)
    door.post("runs/log-parameter", run_id=run_id, key="p/q", value="v")
    door.post("runs/set-tag", run_id=run_id, key="c", value="")
    ours = door.client.get_run(run_id)
    assert (ours["tags"], ours["display_name"], ours["description"]) == ({"a": "b", "c": ""}, "name", "note")
    assert ours["experiment_name"] == "Default"
    records = door.client.list_metrics(run_id)[run_id]
    assert (records[0]["value"], records[0]["step"], records[0]["at"]) == (1.5, 7, "2023-11-14T22:13:20.123000Z")

    door.client.log_metrics(run_id, [{"name": "x", "kind": "scalar", "value": 2}, {"name": "x", "kind": "scalar", "value": 3}])
    door.client.log_metrics(
        run_id, [{"name": "text", "kind": "scalar", "value": "no number"}, {"name": "r", "kind": "row", "value": {"a": 1}}]
    )
    data = door.get("runs/get", run_id=run_id)["run"]["data"]
    assert [(item["key"], item["value"]) for item in data["metrics"]] == [("m", 1.5), ("x", 3.0)]
    assert data["params"] == [{"key": "p/q", "value": "v"}]
    points = door.get("metrics/get-history", run_id=run_id, metric_key="x")["metrics"]
    assert [(point["value"], point["step"]) for point in points] == [(2.0, 0), (3.0, 1)]
    page = door.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=1)
    rest = door.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=1, page_token=page["next_page_token"])
    assert [page["metrics"][0]["value"], rest["metrics"][0]["value"]] == [1.5, "NaN"]
    assert "next_page_token" not in rest


def test_what_is_sent_again_counts_once(door: Loopback) -> None:
    run_id = door.make_run()
    batch = {"run_id": run_id, "metrics": [{"key": "m", "value": step / 3, "timestamp": 5, "step": step} for step in range(1000)]}
    for _ in range(2):
        door.post("runs/log-batch", **batch, params=[{"key": "p", "value": "1"}], tags=[{"key": "t", "value": "2"}])
    assert len(door.client.list_metrics(run_id)[run_id]) == 1000


def test_a_param_can_not_change_and_then_nothing_is_kept(door: Loopback) -> None:
    run_id = door.make_run()
    door.post("runs/log-parameter", run_id=run_id, key="p", value="1")
    door.post("runs/log-parameter", run_id=run_id, key="p", value="1")
    batch = {"params": [{"key": "q", "value": "1"}, {"key": "p", "value": "2"}], "metrics": [{"key": "m", "value": 1, "timestamp": 1}]}
    status, answer = door.ask("POST", "runs/log-batch", {"run_id": run_id, **batch, "tags": [{"key": "t", "value": "x"}]})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    run = door.get("runs/get", run_id=run_id)["run"]["data"]
    assert (run["params"], run["metrics"]) == ([{"key": "p", "value": "1"}], [])
    assert "t" not in door.client.get_run(run_id)["tags"]


@pytest.mark.parametrize(("word", "status"), [("FINISHED", "Completed"), ("FAILED", "Failed"), ("KILLED", "Canceled")])
def test_a_client_ends_its_own_runs(door: Loopback, word: str, status: str) -> None:
    run_id = door.post("runs/create")["run"]["info"]["run_id"]
    info = door.post("runs/update", run_id=run_id, status=word, end_time=1)["run_info"]
    assert info["status"] == word
    assert door.client.get_run(run_id)["status"] == status
    again = door.post("runs/update", run_id=run_id, status="RUNNING", run_name="new")["run_info"]  # mlflow.start_run(run_id=...)
    assert (again["status"], again["run_name"]) == (word, "new")
    door.post("runs/log-metric", run_id=run_id, key="later", value=1, timestamp=1)


def test_the_end_of_a_step_is_its_process_to_say(door: Loopback, chain: Callable[[int], PipelineGraph]) -> None:
    pipeline = door.client.submit_pipeline(door.workspace_id, "e", {"graph": format_graph(chain(1))})["run"]["id"]
    (step,) = door.client.list_children(pipeline)
    for run_id in (pipeline, step["id"]):
        before = door.client.get_run(run_id)["status"]
        for word in ("FINISHED", "FAILED", "KILLED", "RUNNING"):
            door.post("runs/update", run_id=run_id, status=word)
        assert door.client.get_run(run_id)["status"] == before


def test_children_go_below_their_parent_or_the_run_of_the_token(door: Loopback) -> None:
    parent = door.make_run()
    child = door.post("runs/create", tags=[{"key": "mlflow.parentRunId", "value": parent}])["run"]
    assert {"key": "mlflow.parentRunId", "value": parent} in child["data"]["tags"]
    of_run = tokens.run_token(door.home, door.workspace_id, parent)
    _, other = door.ask("POST", "runs/create", {}, token=of_run)
    assert {item["id"] for item in door.client.list_children(parent)} == {child["info"]["run_id"], other["run"]["info"]["run_id"]}


def test_deleted_runs_and_experiments_are_hidden_and_come_back(door: Loopback) -> None:
    experiment = door.post("experiments/create", name="e", tags=[{"key": "a", "value": "b"}])["experiment_id"]
    run_id = door.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    door.post("runs/delete", run_id=run_id)
    views = [
        len(door.post("runs/search", experiment_ids=[experiment], run_view_type=view)["runs"])
        for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")
    ]
    assert views == [0, 1, 1]
    door.post("runs/restore", run_id=run_id)
    assert len(door.post("runs/search", experiment_ids=[experiment])["runs"]) == 1
    door.post("experiments/delete", experiment_id=experiment)
    assert door.get("experiments/get", experiment_id=experiment)["experiment"]["lifecycle_stage"] == "deleted"
    assert door.post("experiments/search")["experiments"] == []
    assert [item["name"] for item in door.post("experiments/search", view_type="DELETED_ONLY")["experiments"]] == ["e"]
    status, answer = door.ask("POST", "experiments/create", {"name": "e"})
    assert (status, answer["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    door.post("experiments/restore", experiment_id=experiment)
    door.post("experiments/update", experiment_id=experiment, new_name="f")
    door.post("experiments/set-experiment-tag", experiment_id=experiment, key="c", value="d")
    door.post("experiments/delete-experiment-tag", experiment_id=experiment, key="a")
    found = door.get("experiments/get-by-name", experiment_name="f")["experiment"]
    assert (found["experiment_id"], found["tags"]) == (experiment, [{"key": "c", "value": "d"}])
    assert door.ask("GET", "experiments/get-by-name", {"experiment_name": "none"})[1]["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_runs_are_searched(door: Loopback) -> None:
    experiment = door.post("experiments/create", name="e")["experiment_id"]
    ids = []
    for number in range(7):
        run_id = door.post("runs/create", experiment_id=experiment, run_name=f"run {number}")["run"]["info"]["run_id"]
        door.post(
            "runs/log-batch",
            run_id=run_id,
            metrics=[{"key": "a", "value": number / 10, "timestamp": 1}] if number else [],
            params=[{"key": "p", "value": str(number % 2)}],
            tags=[{"key": "x", "value": "y" if number > 3 else "z"}],
        )
        ids.append(run_id)
    door.post("runs/update", run_id=ids[5], status="FINISHED")

    def search(filter: str = "", *order_by: str, **more: Any) -> list[int]:
        found = door.post("runs/search", experiment_ids=[experiment], filter=filter, order_by=order_by, **more)["runs"]
        return [ids.index(run["info"]["run_id"]) for run in found]

    assert search() == [6, 5, 4, 3, 2, 1, 0]
    assert search("metrics.a > 0.45 and tags.x = 'y' and attributes.status = 'FINISHED'") == [5]
    assert search("metrics.a != 0.1 AND params.p = '0'", "metrics.a ASC") == [2, 4, 6]
    assert search("", "metrics.a DESC", "start_time") == [6, 5, 4, 3, 2, 1, 0]  # without the metric: last
    assert search("", "metrics.a") == [1, 2, 3, 4, 5, 6, 0]
    assert search("run_name LIKE 'run %' and attributes.run_name ILIKE '% 3'") == [3]
    assert search(f"attributes.run_id IN ('{ids[2]}', '{ids[0]}')") == [2, 0]
    assert search("tags.`mlflow.runName` = 'run 4'") == [4]
    assert search("attributes.start_time > 0 and end_time > 0") == [5]
    assert search("params.none = 'x'") == search("tags.none != 'x'") == []

    pages, token = [], None
    while True:
        answer = door.post("runs/search", experiment_ids=[experiment], max_results=3, **({"page_token": token} if token else {}))
        pages.append([ids.index(run["info"]["run_id"]) for run in answer["runs"]])
        token = answer.get("next_page_token")
        if not token:
            break
    assert pages == [[6, 5, 4], [3, 2, 1], [0]]


@pytest.mark.parametrize(
    "filter",
    [
        "metrics.a > 'x'",
        "params.a > 1",
        "a.b.c = 1",
        "x",
        "tags.a = 'b' or tags.c = 'd'",
        "status = 'a' and",
        "none = 'x'",
        "(" * 1000,
        "'",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(door: Loopback, filter: str) -> None:
    run_id = door.make_run()
    experiment = door.client.get_run(run_id)["experiment_id"]
    status, answer = door.ask("POST", "runs/search", {"experiment_ids": [experiment], "filter": filter})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


# Artifacts


def test_artifacts_are_files_of_the_run(door: Loopback) -> None:
    run_id = door.make_run()
    data = os.urandom(3_000_000)
    assert door.ask("PUT", door.artifacts(f"/runs/{run_id}/model/data.bin"), data)[0] == 200
    assert door.ask("PUT", door.artifacts(f"/runs/{run_id}/a%20b.txt"), b"x")[0] == 200
    assert {item["name"]: item["size"] for item in door.client.list_files(run_id)} == {"model/data.bin": 3_000_000, "a b.txt": 1}
    assert hashlib.sha256(door.ask("GET", door.artifacts(f"/runs/{run_id}/model/data.bin"))[1]).digest() == hashlib.sha256(data).digest()
    listed = door.ask("GET", door.artifacts(""), {"path": f"runs/{run_id}"})[1]["files"]
    assert listed == [{"path": "a b.txt", "is_dir": False, "file_size": 1}, {"path": "model", "is_dir": True}]
    below = door.get("artifacts/list", run_id=run_id, path="model")
    assert below["files"] == [{"path": "model/data.bin", "is_dir": False, "file_size": 3_000_000}]
    assert door.ask("DELETE", door.artifacts(f"/runs/{run_id}/model"))[0] == 200
    assert [item["name"] for item in door.client.list_files(run_id)] == ["a b.txt"]
    assert door.ask("GET", door.artifacts(f"/runs/{run_id}/model/data.bin"))[0] == 404


@pytest.mark.parametrize(
    "path",
    ["../x", "%2e%2e/x", "..%2fx", "a/../../x", "%2fetc/passwd", "a/%2e%2e/%2e%2e/%2e%2e/token.key", "a%00b", "", "%ff", "x" * 5000, "%2e"],
)
def test_no_artifact_leaves_its_run(door: Loopback, path: str) -> None:
    run_id = door.make_run()
    before = {str(item) for item in door.home.path.rglob("*")}
    for method in ("PUT", "GET", "DELETE"):
        status, answer = door.ask(method, door.artifacts(f"/runs/{run_id}/{path}"), b"data" if method == "PUT" else None)
        assert status < 500, answer
        assert status >= 400 or answer in ({}, b"data")  # it has become a path below the run's files
    door.ask("GET", door.artifacts(f"?path=runs/{run_id}/{path}"))
    after = {str(item) for item in door.home.path.rglob("*")}
    assert all(str(door.home.run_folder(run_id)) in item for item in after - before)
    assert before <= after


def test_no_link_leads_out_of_a_run(door: Loopback, tmp_path: Path) -> None:
    run_id = door.make_run()
    (tmp_path / "secret").write_text("secret")
    files = door.home.run_folder(run_id) / "files"
    files.mkdir(parents=True)
    (files / "out").symlink_to(tmp_path)
    for method in ("GET", "PUT", "DELETE"):
        status, answer = door.ask(method, door.artifacts(f"/runs/{run_id}/out/secret"), b"x" if method == "PUT" else None)
        assert 400 <= status < 500, answer
    assert (tmp_path / "secret").read_text() == "secret"
    assert door.ask("GET", door.artifacts(""), {"path": f"runs/{run_id}"})[1]["files"] == []


# Models


def _model(door: Loopback, run_id: str) -> dict[str, Any]:
    experiment = door.client.get_run(run_id)["experiment_id"]
    made = door.post("logged-models", experiment_id=experiment, name="model", source_run_id=run_id, params=[{"key": "a", "value": "1"}])[
        "model"
    ]
    address = made["info"]["artifact_uri"].removeprefix("mlflow-artifacts:")
    assert door.ask("PUT", door.artifacts(f"{address}/MLmodel"), b"flavors: {}")[0] == 200
    door.post(f"logged-models/{made['info']['model_id']}", "PATCH", status="LOGGED_MODEL_READY")
    return dict(made["info"])


def test_a_logged_model_is_a_folder_of_its_run(door: Loopback) -> None:
    run_id = door.make_run()
    first, second = _model(door, run_id), _model(door, run_id)
    assert len({item["name"] for item in door.client.list_files(run_id)}) == 2
    assert "model/MLmodel" in {item["name"] for item in door.client.list_files(run_id)}
    got = door.get(f"logged-models/{first['model_id']}")["model"]
    assert (got["info"]["status"], got["data"]["params"]) == ("LOGGED_MODEL_READY", [{"key": "a", "value": "1"}])
    door.post("runs/outputs", run_id=run_id, models=[{"model_id": first["model_id"], "step": 0}])
    assert door.get("runs/get", run_id=run_id)["run"]["outputs"] == {"model_outputs": [{"model_id": first["model_id"], "step": 0}]}
    experiment = first["experiment_id"]
    assert len(door.post("logged-models/search", experiment_ids=[experiment], filter="name = 'model' and params.a = '1'")["models"]) == 2
    door.post(f"logged-models/{second['model_id']}", "DELETE")
    assert len(door.post("logged-models/search", experiment_ids=[experiment])["models"]) == 1
    point = {"key": "m", "value": 1.5, "timestamp": 3, "step": 0}
    door.post("runs/log-batch", run_id=run_id, metrics=[point])
    door.post("runs/log-batch", run_id=run_id, metrics=[{**point, "model_id": first["model_id"]}])  # as MLflow 3 does
    assert len(door.client.list_metrics(run_id)[run_id]) == 1
    assert door.get(f"logged-models/{first['model_id']}")["model"]["data"]["metrics"][0]["value"] == 1.5


def test_the_registry_is_ours(door: Loopback) -> None:
    run_id = door.make_run()
    info = _model(door, run_id)
    door.post("registered-models/create", name="name", description="d", tags=[{"key": "a", "value": "b"}])
    sources = [f"runs:/{run_id}/model", f"mlflow-artifacts:/runs/{run_id}/model", f"models:/{info['model_id']}", "models:/name/1"]
    sources.append((door.home.run_folder(run_id) / "files" / "model").as_uri())
    for number, source in enumerate(sources, 1):
        made = door.post("model-versions/create", name="name", source=source, run_id=run_id)["model_version"]
        assert (made["version"], made["status"], made["run_id"]) == (str(number), "READY", run_id)
    ours = door.client.get_model(door.workspace_id, "name", 1)
    assert [path for path, _, _ in ours["files"]] == ["model/MLmodel"]
    address = door.get("model-versions/get-download-uri", name="name", version="4")["artifact_uri"].removeprefix("mlflow-artifacts:")
    assert door.ask("GET", door.artifacts(f"{address}/MLmodel"))[1] == b"flavors: {}"
    assert door.ask("GET", door.artifacts(""), {"path": address.strip("/")})[1]["files"] == [
        {"path": "MLmodel", "is_dir": False, "file_size": 11}
    ]
    assert door.ask("PUT", door.artifacts(f"{address}/MLmodel"), b"other")[0] == 409
    door.post("model-versions/transition-stage", name="name", version="1", stage="production", archive_existing_versions=True)
    door.post("model-versions/transition-stage", name="name", version="2", stage="Production", archive_existing_versions=True)
    stages = {item["version"]: item["current_stage"] for item in door.get("model-versions/search", filter="name='name'")["model_versions"]}
    assert stages == {"1": "Archived", "2": "Production", "3": "None", "4": "None", "5": "None"}
    latest = door.get("registered-models/get-latest-versions", name="name", stages=["Production"])["model_versions"]
    assert [item["version"] for item in latest] == ["2"]
    door.post("registered-models/alias", name="name", alias="best", version="3")
    assert door.get("registered-models/alias", name="name", alias="best")["model_version"]["aliases"] == ["best"]
    door.post("model-versions/delete", "DELETE", name="name", version="3")
    assert door.ask("GET", "registered-models/alias", {"name": "name", "alias": "best"})[0] == 404
    assert [item["name"] for item in door.get("registered-models/search", filter="name LIKE 'n%'")["registered_models"]] == ["name"]
    door.post("registered-models/delete", "DELETE", name="name")
    assert door.ask("GET", "registered-models/get", {"name": "name"})[1]["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    "source",
    [
        "/etc",
        "file:///etc",
        "s3://bucket/x",
        "runs:/none/model",
        "mlflow-artifacts:/../x",
        "models:/none/1",
        "models:/m-0",
        "",
        "file:runs/x",
    ],
)
def test_a_model_comes_from_this_workspace_only(door: Loopback, source: str) -> None:
    door.post("registered-models/create", name="name")
    status, _ = door.ask("POST", "model-versions/create", {"name": "name", "source": source})
    assert 400 <= status < 500
    assert door.get("model-versions/search")["model_versions"] == []


# Whatever is sent


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "\0",
    "a" * 5000,
    [],
    [[]],
    {},
    {"a": 1},
    [None],
    [1],
    ["x"],
    [{}],
    [{"key": 1}],
    "NaN",
]
NAMES = (
    *(
        "run_id",
        "experiment_id",
        "experiment_ids",
        "name",
        "key",
        "value",
        "timestamp",
        "step",
        "metrics",
        "params",
        "tags",
        "filter",
        "order_by",
    ),
    *(
        "max_results",
        "page_token",
        "status",
        "view_type",
        "run_view_type",
        "path",
        "source",
        "version",
        "models",
        "datasets",
        "model_json",
        "alias",
    ),
    *(
        "stage",
        "stages",
        "new_name",
        "metric_key",
        "experiment_name",
        "description",
        "allow_deleted",
        "model_id",
        "source_run_id",
        "end_time",
    ),
)
BODIES = [b"", b"{", b"null", b"[]", b"5", b'"x"', b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"x":' * 5_000, b'{"name": "\\ud800"}']


@pytest.mark.parametrize(("method", "path"), ALL, ids=[f"{method} {path}" for method, path in ALL])
def test_whatever_is_sent_the_answer_is_words(door: Loopback, method: str, path: str) -> None:
    run_id = door.make_run()
    place = (
        f"/mlflow/{door.workspace_id}{path}".replace("{address:path}", f"runs/{run_id}/x")
        .replace("{model_id}", "m-1")
        .replace("{key:path}", "k")
    )
    chance = random.Random(f"{method}{path}")  # noqa: S311 - the same ones each time
    sent: list[Any] = [*BODIES]
    for _ in range(25):
        some = {name: chance.choice(VALUES) for name in chance.sample(NAMES, 12)}
        sent.append({**some, "run_id": run_id} if chance.random() < 0.7 else some)
    for body in sent:
        if method == "GET" and isinstance(body, dict):
            status, answer = door.ask(method, place, {name: str(value) for name, value in body.items()})
        else:
            status, answer = door.ask(method, place, body if isinstance(body, bytes) else json.dumps(body).encode())
        assert status < 500, (body, answer)
        assert status < 400 or set(answer) == {"error_code", "message"}


def test_a_body_that_is_too_large_is_refused(door: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "BODY_BYTES", 1000)
    monkeypatch.setattr("penstock.operations.mlflow.artifacts.MOST_BYTES", 1000)
    run_id = door.make_run()
    status, answer = door.ask("POST", "runs/set-tag", {"run_id": run_id, "key": "a", "value": "x" * 2000})
    assert (status, answer["error_code"]) == (413, "REQUEST_LIMIT_EXCEEDED")
    assert door.ask("PUT", door.artifacts(f"/runs/{run_id}/x"), b"x" * 2000)[0] == 413
    assert door.client.list_files(run_id) == []


def test_a_time_that_no_calendar_has_is_refused_and_nothing_is_kept(door: Loopback) -> None:
    run_id = door.make_run()
    batch = {"params": [{"key": "p", "value": "1"}], "metrics": [{"key": "m", "value": 1, "timestamp": 2**62}]}
    assert door.ask("POST", "runs/log-batch", {"run_id": run_id, **batch})[0] == 400
    assert door.get("runs/get", run_id=run_id)["run"]["data"]["params"] == []


def test_a_batch_is_bounded(door: Loopback) -> None:
    run_id = door.make_run()
    points = [{"key": "m", "value": 1, "timestamp": number} for number in range(1001)]
    assert door.ask("POST", "runs/log-batch", {"run_id": run_id, "metrics": points})[0] == 400
    assert door.ask("POST", "runs/search", {"experiment_ids": [], "max_results": 10**9})[0] == 400


def test_an_upload_that_breaks_off_leaves_nothing(door: Loopback) -> None:
    run_id = door.make_run()
    token = tokens.workspace_token(door.context, door.workspace_id)
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        place = door.artifacts(f"/runs/{run_id}/x")
        head = f"PUT {place} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"half")
    for _ in range(200):
        if not list(door.home.run_folder(run_id).rglob("*.incoming*")) and door.client.list_files(run_id) == []:
            break
        time.sleep(0.01)
    assert door.client.list_files(run_id) == []


def test_no_token_is_written_down(door: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token = tokens.workspace_token(door.context, door.workspace_id)
    door.ask("GET", "experiments/search")
    _, answer = door.ask("GET", "experiments/search", token=f"{token}x")
    assert token not in json.dumps(answer)
    assert token not in caplog.text


def test_a_client_that_knows_files_only_gets_files(door: Loopback) -> None:
    run_id = door.make_run()
    old = {"User-Agent": "mlflow-python-client/1.20.2"}
    _, answer = door.ask("GET", "runs/get", {"run_id": run_id}, **old)
    assert answer["run"]["info"]["artifact_uri"] == (door.home.run_folder(run_id) / "files").as_uri()
    _, answer = door.ask("GET", "runs/get", {"run_id": run_id}, **{"User-Agent": "mlflow-python-client/1.30.0"})
    assert answer["run"]["info"]["artifact_uri"] == f"mlflow-artifacts:/runs/{run_id}"
