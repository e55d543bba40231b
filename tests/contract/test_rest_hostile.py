"""Whatever is sent, the service answers with words and never breaks."""

from __future__ import annotations

import json
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.service.app import TABLES, _authorise
from penstock.service.entrance import Forbidden
from penstock.service.routes import PREFIX, Declaration, Role, RouteTable, check_declarations

ROUTES = [item for table in TABLES for item in table.declarations]
SAFE = [item for item in ROUTES if not item.path.endswith("/service/stop")]

TEXTS = ["", "x", "..", "../..", "%00", "%2e%2e%2f", "ä", "%ff", "'; drop table runs; --", "a" * 3000, "0" * 64, "%ed%a0%80", "None", "-1"]
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    float("nan"),
    "",
    "x",
    "\0",
    "\ud800",
    "a" * 5000,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    {"vm_size": float("nan"), "datasets": [float("inf")]},
    [None],
    [1],
    ["x"],
]
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"5",
    b'"x"',
    b"\xff\xfe",
    b'{"a": NaN}',
    b"[" * 100_000,
    b'{"x":' * 5_000,
    b'{"limit": 1' + b"0" * 6000 + b"}",
    b'{"name": "\\ud800"}',
]
NAMES = [
    *("name", "subscription_id", "resource_group", "create", "tags", "details", "exist_ok", "remove_tags", "archived", "type", "root"),
    *("definition", "overwrite", "version", "digests", "entries", "experiment_name", "submission", "run_id", "parent_run_id", "properties"),
    *("display_name", "description", "status", "error", "records", "request_id"),
    *("dataset", "create_new_version", "direction", "dataset_id", "port", "mode"),
    *("secrets", "kind", "datastore", "files", "prefix", "path", "unpack", "framework", "content_type", "names", "interpreter"),
    *("graph", "parameters", "step_tags", "pipeline_id", "default", "continue_on_step_failure"),
    *("recurrence", "trigger", "catch_up", "endpoint_id"),
]
QUERIES = [
    "",
    "limit=x",
    "limit=-1",
    "limit=99999999999999999999",
    "offset=1e9",
    "after=%00",
    "wait_seconds=nan",
    "wait_seconds=-1",
    "recursive=maybe",
]
QUERIES += [
    "tags={",
    "tags={}",
    'tags={"a":[]}',
    "tags=%7B%22a%22%3A%22%5Cud800%22%7D",
    "unknown=1",
    "%ff=%ff",
    "before=x",
    "type=%00",
    "a=b&a=c",
]


def exchange(rest: Any, data: bytes) -> int:
    """Send raw bytes; return the status of the answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(120)
        connection.connect(str(rest.home.socket))
        connection.sendall(data)
        answer = connection.recv(65536)
    return int(answer.split(b" ", 2)[1])


def request(method: str, target: str, body: bytes = b"") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def fill(path: str, values: dict[str, str], text: str) -> str:
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: values.get(found[1], text), path)


@pytest.mark.parametrize("route", SAFE, ids=lambda route: f"{route.method} {route.path}")
def test_garbage_gets_an_answer(rest: Any, chain: Any, route: Declaration) -> None:
    luck = random.Random(route.method + route.path)  # noqa: S311 - the same garbage every time
    known = {"workspace_id": rest.workspace_id, "run_id": rest.submit(chain(1))["run"]["id"]}
    targets = [fill(route.path, known if luck.random() < 0.5 else {}, text) for text in TEXTS]
    found = [exchange(rest, request(route.method, target, luck.choice(BODIES))) for target in targets]
    good = fill(route.path, {**known, "digest": "0" * 64}, "thing")
    found += [exchange(rest, request(route.method, good, body)) for body in BODIES]
    found += [exchange(rest, request(route.method, f"{good}?{query}")) for query in QUERIES]
    for _ in range(40 if route.takes_json else 4):  # other routes don't look at members
        members = {name: luck.choice(VALUES) for name in luck.sample(NAMES, luck.randint(1, len(NAMES)))}
        found.append(exchange(rest, request(route.method, good, json.dumps(members).encode())))
    assert max(found) < 500


EMPTY_SNAPSHOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # the sha256 of nothing
WORKSPACE = "/workspaces/{workspace_id}"
EXPRESSION = {"call": "eq", "arguments": [{"column": "name"}, {"value": "a"}]}
DATASET = {
    "format": 1,
    "type": "file",
    "places": [{"datastore": "workspaceblobstore", "path": "in"}],
    "partition_format": "/{name}.csv",
    "operations": [
        {"kind": "select_paths", "settings": {"pattern": "csv$"}},
        {"kind": "filter", "settings": {"expression": EXPRESSION}},
        {"kind": "partition_values", "settings": {"values": [{"name": "a"}]}},
        {"kind": "split", "settings": {"start": 0, "end": 1, "seed": 1}},
        {"kind": "take", "settings": {"count": 5}},
    ],
}
TABLE = {
    "format": 1,
    "type": "tabular",
    "places": [{"datastore": "workspaceblobstore", "query": "select 1", "timeout": 5}],
    "parsing": {"kind": "query", "column_types": {"a": {"type": "datetime", "formats": ["%Y"]}}},
    "operations": [
        {"kind": "time_range", "settings": {"column": "a", "start": None, "end": None, "start_inclusive": True, "end_inclusive": True}}
    ],
}
SCRIPT = {
    "graph": {
        "format": 1,
        "steps": [
            {
                "id": "s",
                "name": "n",
                "step_type": "ScriptRun",
                "command": ["ls", "-l"],
                "inputs": [{"name": "i", "source": {"node_id": "d", "port": "data"}, "mode": "mount"}],
                "outputs": [{"name": "o", "datastore": "workspaceblobstore", "destination": "x/{run-id}"}],
                "run_config": {"data": {"i": {"mechanism": "mount"}}, "environmentVariables": {"A": "b"}, "maxRunDurationSeconds": 5},
                "allow_reuse": False,
            }
        ],
        "data": [{"id": "d", "name": "d", "datastore": "workspaceblobstore", "path": "in"}],
    },
    "interpreter": "python",
    "parent_run_id": None,
    "run_id": None,
    "request_id": None,
    "submitter_run_id": None,
    "tags": {"a": "b"},
    "properties": {"c": "d"},
    "display_name": "d",
}
CALLED = {"format": 1, "parameters": [{"name": "p", "kind": "int", "default": 1}]}
CALL = {
    "experiment_name": "e",
    "parameters": {"p": "2"},
    "description": "d",
    "tags": {"a": "b"},
    "step_tags": {"a": "b"},
    "properties": {"a": "b"},
    "continue_on_step_failure": True,
    "parent_run_id": None,
    "run_source": "API",
    "run_type": "HTTP",
    "request_id": None,
    "submitter_run_id": None,
}
SCHEDULED = {"experiment_name": "e", "parameters": {"p": "2"}, "description": "d", "continue_on_step_failure": True}
DRAFT = {
    "name": "n",
    "description": "d",
    "experiment_name": "e",
    "interpreter": "python",
    "parameters": {},
    "tags": {"a": "b"},
    "continue_on_step_failure": True,
}
MODULE = {
    "format": 1,
    "script": "a.py",
    "snapshot": EMPTY_SNAPSHOT,
    "inputs": [{"name": "i", "data_types": ["AnyFile"], "mode": "mount", "is_optional": True}],
    "outputs": [{"name": "o", "datastore": "workspaceblobstore", "mode": "upload", "path_on_compute": "x"}],
    "parameters": [{"name": "p", "default": 1}],
    "arguments": [{"kind": "literal", "value": "--in"}, {"kind": "input", "value": "i"}],
    "run_config": {"environment": {"name": "e"}},
    "can_be_ordered": False,
}
BODY = {  # a good body for every route that takes one
    "POST /workspaces": {
        "name": "odd",
        "subscription_id": "s",
        "resource_group": "g",
        "location": "l",
        "tags": {"a": "b"},
        "details": {"a": 1},
        "exist_ok": True,
    },
    "POST /workspaces/resolve": {"name": "odd", "subscription_id": "s", "resource_group": "g", "create": True},
    "POST /workspaces/default": {},
    f"PATCH {WORKSPACE}": {"tags": {"a": "b"}, "details": {"a": 1}},
    f"PUT {WORKSPACE}/experiments/{{name}}": {},
    "PATCH /experiments/{experiment_id}": {"tags": {"a": "b"}, "remove_tags": ["a"], "archived": False},
    f"PUT {WORKSPACE}/default-datastore": {"name": "workspaceblobstore"},
    f"PUT {WORKSPACE}/datastores/{{name}}": {
        "type": "Fsspec",
        "root": None,
        "definition": {"url": "s3://bucket/x", "options": {"a": 1}, "secrets": {"b": "c"}},
        "overwrite": True,
        "secrets": {"d": "e"},
    },
    f"PUT {WORKSPACE}/compute-targets/{{name}}": {"type": "AmlCompute", "definition": {"max_nodes": 1}, "overwrite": True},
    f"POST {WORKSPACE}/environments/{{name}}": {"definition": {"a": 1}, "version": None},
    f"POST {WORKSPACE}/environments/{{name}}/builds": {"version": None, "interpreter": "python", "request_id": None},
    f"POST {WORKSPACE}/pipeline-runs": {"experiment_name": "e", "submission": {"graph": {"format": 1}}},
    f"POST {WORKSPACE}/experiments/{{name}}/script-runs": {"submission": SCRIPT},
    f"POST {WORKSPACE}/runs": {
        "experiment_name": "e",
        "name": "n",
        "run_id": None,
        "parent_run_id": None,
        "type": None,
        "tags": {"a": "b"},
        "properties": {},
        "display_name": "d",
        "description": "d",
        "status": "Running",
        "request_id": None,
    },
    "PATCH /runs/{run_id}": {"tags": {"a": "b"}, "remove_tags": ["x"], "properties": {}, "display_name": "d", "description": "d"},
    "PUT /runs/{run_id}/status": {"status": "Running", "error": {"code": "c", "message": "m", "details": {}}},
    "POST /runs/{run_id}/cancel": {},
    "POST /runs/{run_id}/metrics": {"records": [{"name": "a", "kind": "row", "value": {"a": 1}, "step": 1, "at": "now"}]},
    "POST /blobs/missing": {"digests": ["0" * 64]},
    "PUT /snapshots/{digest}": {"entries": []},
    f"POST {WORKSPACE}/saved-datasets": {"dataset": TABLE},
    f"POST {WORKSPACE}/resolved-datasets": {"dataset": DATASET},
    f"POST {WORKSPACE}/datasets/{{name}}": {"dataset": DATASET, "description": "d", "tags": {"a": "b"}, "create_new_version": True},
    f"PATCH {WORKSPACE}/datasets/{{name}}/versions/{{version}}": {"description": "d", "tags": {"a": "b"}, "remove_tags": ["a"]},
    f"POST {WORKSPACE}/models/{{name}}": {
        "files": [["m.pkl", 0, EMPTY_SNAPSHOT]],
        "run_id": None,
        "path": None,
        "unpack": False,
        "description": "d",
        "tags": {"a": "b"},
        "properties": {"a": "b"},
        "experiment_name": "e",
        "framework": "Onnx",
        "framework_version": "1",
        "details": {"datasets": [{"scenario": "training", "id": "d"}]},
        "request_id": None,
    },
    f"PATCH {WORKSPACE}/models/{{name}}/versions/{{version}}": {
        "description": "d",
        "tags": {"a": "b"},
        "remove_tags": ["x"],
        "properties": {"a": "b"},
        "details": {"datasets": []},
    },
    f"PUT {WORKSPACE}/secrets": {"secrets": {"a": "b"}, "content_type": "c"},
    f"POST {WORKSPACE}/secrets/read": {"names": ["a"]},
    f"POST {WORKSPACE}/transfers": {
        "kind": "download",
        "datastore": "workspaceblobstore",
        "files": [["in/a.csv", "/dev/null/a.csv", 0, "", None]],
        "overwrite": False,
        "prefix": "in",
        "dataset": DATASET,
    },
    "POST /transfers/{transfer_id}/cancel": {},
    f"POST {WORKSPACE}/pipelines": {
        "graph": CALLED,
        "run_id": None,
        "interpreter": "python",
        "name": "n",
        "description": "d",
        "version": "1",
        "continue_on_step_failure": True,
        "tags": {"a": "b"},
        "properties": {"a": "b"},
        "request_id": None,
    },
    f"PUT {WORKSPACE}/pipelines/{{pipeline_id}}/status": {"status": "Active"},
    f"POST {WORKSPACE}/pipelines/{{pipeline_id}}/runs": CALL,
    f"POST {WORKSPACE}/pipeline-endpoints": {
        "name": "odd",
        "pipeline_id": "",
        "description": "d",
        "tags": {"a": "b"},
        "properties": {"a": "b"},
        "request_id": None,
    },
    f"PATCH {WORKSPACE}/pipeline-endpoints/{{endpoint_id}}": {"name": "n", "description": "d", "status": "Active"},
    f"POST {WORKSPACE}/pipeline-endpoints/{{endpoint_id}}/versions": {"pipeline_id": "", "default": True, "request_id": None},
    f"PUT {WORKSPACE}/pipeline-endpoints/{{endpoint_id}}/default-version": {"version": "0", "pipeline_id": None},
    f"POST {WORKSPACE}/pipeline-endpoints/{{endpoint_id}}/runs": {**CALL, "version": "0"},
    f"POST {WORKSPACE}/drafts": {
        **DRAFT,
        "graph": CALLED,
        "pipeline_id": None,
        "run_id": None,
        "draft_id": None,
        "properties": {"a": "b"},
        "request_id": None,
    },
    f"PATCH {WORKSPACE}/drafts/{{draft_id}}": {**DRAFT, "graph": CALLED},
    f"POST {WORKSPACE}/drafts/{{draft_id}}/runs": {
        "experiment_name": "e",
        "parameters": {"p": "3"},
        "tags": {"a": "b"},
        "parent_run_id": None,
        "run_source": "CLI",
        "request_id": None,
        "submitter_run_id": None,
    },
    f"POST {WORKSPACE}/drafts/{{draft_id}}/publish": {"request_id": None},
    f"POST {WORKSPACE}/modules": {"name": "odd", "description": "d", "request_id": None},
    f"PATCH {WORKSPACE}/modules/{{module}}": {"name": "n", "description": "d", "status": "Active", "default_version": "1"},
    f"POST {WORKSPACE}/modules/{{module}}/versions": {
        "definition": MODULE,
        "version": None,
        "description": "d",
        "category": "c",
        "is_default": True,
        "request_id": None,
    },
    f"PATCH {WORKSPACE}/module-versions/{{version_id}}": {"description": "d", "status": "Active"},
    f"POST {WORKSPACE}/schedules": {
        "name": "n",
        "submission": SCHEDULED,
        "pipeline_id": "",
        "endpoint_id": None,
        "recurrence": {
            "frequency": "Week",
            "interval": 1,
            "start_time": "2021-01-01T08:00:00",
            "time_zone": "UTC",
            "hours": [1],
            "minutes": [2],
            "week_days": ["Monday"],
        },
        "trigger": None,
        "description": "d",
        "catch_up": "last",
        "request_id": None,
    },
    f"PATCH {WORKSPACE}/schedules/{{schedule_id}}": {
        "name": "n",
        "description": "d",
        "status": "Active",
        "submission": SCHEDULED,
        "recurrence": None,
        "trigger": {"datastore": "workspaceblobstore", "polling_interval": 5, "path": "in", "parameter": None},
        "catch_up": "all",
    },
    f"POST {WORKSPACE}/schedules/{{schedule_id}}/runs": {"parameters": {"p": "3"}, "request_id": None},
    "POST /runs/{run_id}/lineage": {"direction": "input", "dataset_id": "", "port": "p", "mode": "mount", "name": "n", "version": 1},
}


@pytest.mark.parametrize("route", [item for item in SAFE if item.takes_json], ids=lambda route: f"{route.method} {route.path}")
def test_one_odd_value(rest: Any, route: Declaration) -> None:
    """Put every odd value in every place of a good body."""
    run = rest.client.create_run(rest.workspace_id, "e")
    known = {"workspace_id": rest.workspace_id, "run_id": run["id"], "experiment_id": run["experiment_id"], "digest": EMPTY_SNAPSHOT}
    dataset = rest.client.register_dataset(rest.workspace_id, DATASET, "thing")
    rest.client.put_model_file(EMPTY_SNAPSHOT, b"")
    rest.client.register_model(rest.workspace_id, "thing", files=[("m.pkl", 0, EMPTY_SNAPSHOT)])
    rest.client.register_environment(rest.workspace_id, "thing", {"name": "thing"})
    known.update({"dataset_id": dataset["id"], "version": "1"})
    place = Path(rest.client.get_datastore(rest.workspace_id, "workspaceblobstore")["root"]) / "in" / "a.csv"
    place.parent.mkdir()
    place.touch()
    known["transfer_id"] = rest.client.start_transfer(rest.workspace_id, "list", datastore="workspaceblobstore")["id"]
    called, other = (rest.client.publish_pipeline(rest.workspace_id, {"graph": CALLED})["id"] for _ in range(2))
    known["endpoint_id"] = rest.client.create_pipeline_endpoint(rest.workspace_id, "thing", called)["id"]
    known["pipeline_id"] = other
    watching = {"pipeline_id": other, "trigger": {"datastore": "workspaceblobstore"}}
    known["schedule_id"] = rest.client.create_schedule(rest.workspace_id, "thing", SCHEDULED, **watching)["id"]
    known["draft_id"] = rest.client.create_draft(rest.workspace_id, {**DRAFT, "graph": CALLED})["id"]
    rest.client.put_snapshot(EMPTY_SNAPSHOT, [])
    known["module"] = rest.client.create_module(rest.workspace_id, "thing")["id"]
    known["version_id"] = rest.client.publish_module_version(rest.workspace_id, "thing", MODULE, version="1")["id"]
    target = fill(route.path, known, "thing")
    good: dict[str, Any] = BODY[f"{route.method} {route.path[len(PREFIX) :]}"]
    good = {**good, **{name: known[name] for name, value in good.items() if name in known and value == ""}}
    assert exchange(rest, request(route.method, target, json.dumps(good).encode())) == 200
    found = [exchange(rest, request(route.method, target, json.dumps(body).encode())) for body in spoilt(good)]
    assert max(found, default=0) < 500


def spoilt(good: Any) -> Iterator[Any]:
    """Yield copies of a JSON value, each with one odd value in one place."""
    if isinstance(good, (dict, list)):
        for key in good if isinstance(good, dict) else range(len(good)):
            for value in [*VALUES, *spoilt(good[key])]:
                copy: Any = good.copy()
                copy[key] = value
                yield copy


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "member",
    [
        "graph",
        "parameters",
        "continue_on_step_failure",
        "tags",
        "properties",
        "parent_run_id",
        "description",
        "interpreter",
        "run_source",
        "request_id",
    ],
)
def test_odd_submission(rest: Any, chain: Any, member: str, value: Any) -> None:
    from penstock.model.graph import format_graph

    body = json.dumps({"experiment_name": "e", "submission": {"graph": format_graph(chain(1)), member: value}})
    assert exchange(rest, request("POST", f"/api/v1/workspaces/{rest.workspace_id}/pipeline-runs", body.encode())) < 500


def test_odd_graphs(rest: Any, chain: Any) -> None:
    """Replace one value of a good graph at a time."""
    from penstock.model.graph import format_graph

    good = json.dumps(format_graph(chain(2)))
    luck = random.Random(5)  # noqa: S311 - the same garbage every time
    for _ in range(300):
        graph = json.loads(good)
        place: Any = graph
        while True:
            key = luck.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], (dict, list)) and place[key] and luck.random() < 0.8:
                place = place[key]
                continue
            place[key] = luck.choice(VALUES)
            break
        body = json.dumps({"experiment_name": "e", "submission": {"graph": graph}}).encode()
        assert exchange(rest, request("POST", f"/api/v1/workspaces/{rest.workspace_id}/pipeline-runs", body)) < 500, graph


def test_no_such_route(rest: Any) -> None:
    assert exchange(rest, request("GET", "/")) == 404
    assert exchange(rest, request("GET", "/api/v1/runs/")) == 404
    assert exchange(rest, request("DELETE", "/api/v1/runs")) == 405


def test_body_that_is_too_large(rest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.service.requests.BODY_BYTES", 1000)
    assert exchange(rest, request("POST", "/api/v1/workspaces", b'{"name": "' + b"x" * 2000 + b'"}')) == 413


def test_client_that_hangs_up(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    for data in (
        b"PUT /api/v1/blobs/" + b"0" * 64 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
        request("GET", f"/api/v1/runs/{run}/events?after=99&wait_seconds=9"),
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(rest.home.socket))
            connection.sendall(data)
    assert rest.client.service_info()["version"] == "test"
    deadline = time.monotonic() + 120
    while list(rest.home.blobs.glob("incoming/*")):  # the service learns of it in its own time
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_misspelt_member_is_refused(rest: Any) -> None:
    from penstock.model.errors import Invalid

    with pytest.raises(Invalid, match="has no 'nmae'"):
        rest.client._send("POST", "/workspaces", name="x", nmae="y")


def test_broken_verb_is_logged_under_a_name(rest: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from penstock.model.errors import PenstockError

    monkeypatch.setattr("penstock.operations.workspaces.list_workspaces", lambda *_: 1 / 0)
    with pytest.raises(PenstockError, match="its log tells more under") as caught:
        rest.client.list_workspaces()
    assert caught.value.status == 500
    assert caught.value.details["error_id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_bodies_and_answers_are_handled_in_the_threads_of_verbs(rest: Any, chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop, which everybody waits for, turns none of them into values or text."""
    places: set[tuple[str, str]] = set()
    for name in ("loads", "dumps"):
        real = getattr(json, name)

        def watched(*values: Any, name: str = name, real: Any = real, **more: Any) -> Any:
            if sys._getframe(1).f_code.co_filename.endswith(("service/requests.py", "service/answers.py")):
                places.add((name, threading.current_thread().name.split("_")[0]))
            return real(*values, **more)

        monkeypatch.setattr(json, name, watched)
    run = rest.submit(chain(3))["run"]["id"]
    rest.client.follow_run(run)
    rest.client.list_runs()
    assert places == {("loads", "verb"), ("dumps", "verb")}


def test_stop(rest: Any) -> None:
    rest.client.stop_service()
    assert rest.stopped == [1]


# Permissions


def test_every_route_states_its_permission() -> None:
    table = RouteTable()
    table.add("GET", "/open")(lambda call: None)
    with pytest.raises(ValueError, match="GET /api/v1/open states no permission"):
        check_declarations(table.declarations)
    assert check_declarations(ROUTES) == ROUTES


def test_only_the_owner_of_a_socket_comes_in() -> None:
    for route in ROUTES:
        _authorise({"server": ("/home/service.sock", None)}, route)
        for server in (("127.0.0.1", 80), None):
            with pytest.raises(Forbidden, match="needs the role"):
                _authorise({"server": server}, route)


def test_roles_are_ordered() -> None:
    assert Role.READER < Role.CONTRIBUTOR < Role.OWNER
    assert all(route.permission is not Role.READER for route in ROUTES if route.method != "GET")
