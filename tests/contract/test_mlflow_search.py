"""MLflow's searches: the database narrows them, and the filter decides; reading makes nothing, and needs little memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.parts.loopback import Loopback

from penstock.operations.mlflow import filters, search

FILTERS = [
    "attributes.run_id = '{first}'",
    "attributes.run_id != '{first}'",
    "attributes.run_id IN ('{first}', 'none')",
    "attributes.run_id NOT IN ('{first}')",
    "attributes.run_id LIKE '{first}%'",
    "status = 'FINISHED'",
    "status != 'FINISHED'",
    "status IN ('RUNNING', 'KILLED')",
    "status LIKE 'F%'",
    "status IS NOT NULL",
    "status = 'none'",
    "start_time = {start}",
    "start_time > {start}",
    "start_time >= {start}",
    "start_time < {start}",
    "start_time <= {start}",
    "start_time != {start}",
    "start_time > {start}.5",
    "start_time < 99999999999999999999",
    "start_time > -1",
    "tags.x = 'y'",
    "tags.x != 'y'",
    "tags.x = 'Y'",
    "tags.x ILIKE 'Y'",
    "tags.x IS NULL",
    "tags.`mlflow.runName` = 'run 1'",
    "tags.`mlflow.parentRunId` = '{first}'",
    "tags.`mlflow.rootRunId` = '{first}'",
    "tags.`mlflow.note.content` = 'note 2'",
    "tags.`mlflow.source.name` = 'main.py'",
    "tags.`strange 'key'` = 'it''s'",
    "params.p = '1'",
    "params.p != '1'",
    "params.p = '1' and tags.x = 'y' and status = 'FINISHED'",
    "metrics.m > 0.5 and params.p = '1'",
]


def test_what_the_database_leaves_out_the_filter_would_too(door: Loopback) -> None:
    experiment, ids = _make_different_runs(door)
    everything = door.post("runs/search", experiment_ids=[experiment])["runs"]
    for pattern in FILTERS:
        text = pattern.format(first=ids[0], start=everything[2]["info"]["start_time"])
        wanted = [run["info"]["run_id"] for run in everything if filters.matches(filters.parse_filter(text), _lookup(run))]
        found = door.post("runs/search", experiment_ids=[experiment], filter=text)["runs"]
        assert [run["info"]["run_id"] for run in found] == wanted, text


def _make_different_runs(door: Loopback) -> tuple[str, list[str]]:
    experiment = door.post("experiments/create", name="e")["experiment_id"]
    ids: list[str] = []
    for number in range(4):
        tags = {"x": "xyyY"[number], "mlflow.note.content": f"note {number}", "strange 'key'": "it's" if number == 2 else "its"}
        if number == 3:
            tags |= {"mlflow.parentRunId": ids[0], "mlflow.source.name": "main.py"}
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        run = door.post("runs/create", experiment_id=experiment, run_name=f"run {number}", tags=listed)["run"]["info"]["run_id"]
        metrics = [{"key": "m", "value": number / 2, "timestamp": 1}]
        door.post("runs/log-batch", run_id=run, params=[{"key": "p", "value": str(number % 2)}], metrics=metrics)
        ids.append(run)
    door.post("runs/update", run_id=ids[1], status="FINISHED")
    return experiment, ids


def _lookup(run: dict[str, Any]) -> filters.Lookup:
    def look_up(kind: str, name: str) -> Any:
        if kind == filters.ATTRIBUTE:
            return run["info"].get(name)
        return {item["key"]: item["value"] for item in run["data"][f"{kind}s"]}.get(name)

    return look_up


def test_a_page_of_much_ends_early_and_the_next_goes_on(door: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = door.post("experiments/create", name="e")["experiment_id"]
    ids = []
    for number in range(5):
        ids.append(door.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"])
        metrics = [{"key": "m", "value": number, "timestamp": 1, "step": step} for step in range(10)]
        door.post("runs/log-batch", run_id=ids[-1], metrics=metrics)
    size = len((door.home.run_folder(ids[0]) / "metrics.jsonl").read_bytes())

    def pages(**more: Any) -> list[list[int]]:
        found, token = [], None
        while True:
            asked = {"page_token": token} if token else {}
            answer = door.post("runs/search", experiment_ids=[experiment], max_results=4, **asked, **more)
            found.append([ids.index(run["info"]["run_id"]) for run in answer["runs"]])
            token = answer.get("next_page_token")
            if not token:
                return found

    assert pages() == [[4, 3, 2, 1], [0]]
    for left, expected in ((2.5, [[4, 3], [2, 1], [0]]), (0.5, [[4], [3], [2], [1], [0]])):
        monkeypatch.setattr(search, "_PAGE_BYTES", size * left)
        assert pages() == pages(filter="metrics.m >= 0") == expected
        assert pages(order_by=["metrics.m ASC"]) == [[4 - number for number in page] for page in expected]
    monkeypatch.setattr(search, "_RUNS_AT_ONCE", 1)
    assert pages(filter="metrics.m >= 2") == [[4], [3], [2]]


def test_reading_makes_no_experiment(door: Loopback) -> None:
    shown = door.get("experiments/get", experiment_id="0")["experiment"]
    assert (shown["experiment_id"], shown["name"], shown["lifecycle_stage"]) == ("0", "Default", "active")
    assert door.post("runs/search", experiment_ids=["0", "none"])["runs"] == []
    assert door.post("logged-models/search", experiment_ids=["0"]) == {"models": []}
    assert door.post("experiments/search")["experiments"] == []
    run = door.post("runs/create", experiment_id="0")["run"]["info"]
    assert [one["info"]["run_id"] for one in door.post("runs/search", experiment_ids=["0"])["runs"]] == [run["run_id"]]
    assert door.get("experiments/get", experiment_id="0")["experiment"]["experiment_id"] == run["experiment_id"]


def test_whatever_a_step_writes_into_its_metrics_is_read(door: Loopback) -> None:
    run_id = door.make_run()
    lines = [
        {"name": "m", "kind": "scalar", "value": 1, "step": "first", "at": 5},
        {"name": "m", "kind": "scalar", "value": 10**400, "step": None, "at": None},
        {"name": "m", "kind": "scalar", "value": -(10**400), "step": [], "at": "yesterday"},
        {"name": "l", "kind": "list", "value": [1, None, "x", True, 2.5]},
    ]
    path = door.home.run_folder(run_id) / "metrics.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "torn")
    points = door.get("metrics/get-history", run_id=run_id, metric_key="m")["metrics"]
    assert [(point["value"], point["step"]) for point in points] == [(1.0, 0), ("Infinity", 1), ("-Infinity", 2)]
    latest = door.get("runs/get", run_id=run_id)["run"]["data"]["metrics"]
    assert [(item["key"], item["value"], item["step"]) for item in latest] == [("l", 2.5, 2), ("m", "-Infinity", 2)]


def test_the_last_point_is_the_one_of_the_last_step(door: Loopback) -> None:
    run_id = door.make_run()
    sent = [(1, 5, 7), (2, 9, 3), (3, 5, 6), (4, 5, 7), ("NaN", 5, 7)]  # value, step, time
    door.post("runs/log-batch", run_id=run_id, metrics=[{"key": "m", "value": v, "step": s, "timestamp": t} for v, s, t in sent])
    door.post("runs/log-batch", run_id=run_id, metrics=[{"key": "n", "value": v, "step": 0, "timestamp": t} for v, _, t in sent])
    latest = door.get("runs/get", run_id=run_id)["run"]["data"]["metrics"]
    assert [(item["key"], item["value"]) for item in latest] == [("m", 2.0), ("n", 4.0)]


def test_metrics_of_a_model_that_is_not_there_are_refused_and_nothing_is_kept(door: Loopback) -> None:
    run_id = door.make_run()
    metric = {"key": "m", "value": 1, "timestamp": 1, "model_id": "m-none"}
    status, answer = door.ask("POST", "runs/log-batch", {"run_id": run_id, "metrics": [metric], "params": [{"key": "p", "value": "1"}]})
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    data = door.get("runs/get", run_id=run_id)["run"]["data"]
    assert data["metrics"] == data["params"] == []


def test_versions_are_searched_by_name_and_run(door: Loopback) -> None:
    run_id = door.make_run()
    door.ask("PUT", door.artifacts(f"/runs/{run_id}/model/MLmodel"), b"x")
    for name in ("a", "b"):
        door.post("registered-models/create", name=name)
        for _ in range(2):
            door.post("model-versions/create", name=name, source=f"runs:/{run_id}/model", run_id=run_id if name == "a" else None)

    def found(filter: str) -> list[tuple[str, str]]:
        listed = door.get("model-versions/search", filter=filter)["model_versions"]
        return sorted((item["name"], item["version"]) for item in listed)

    assert found("name = 'a'") == [("a", "1"), ("a", "2")]
    assert found("name = 'a' and name = 'b'") == found("name = 'none'") == []
    assert found("name LIKE '%'") == found("") == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]
    assert found(f"run_id = '{run_id}' and version_number > 1")[0] == ("a", "2")
    names = door.get("registered-models/search")["registered_models"]
    assert [(item["name"], [one["version"] for one in item["latest_versions"]]) for item in names] == [("a", ["2"]), ("b", ["2"])]
