"""What is published: pipelines and their endpoints, through the client and a real service."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.model.errors import AlreadyExists, Invalid, InvalidGraph, NotFound, Refused
from penstock.model.graph import OutputPort, Parameter, PipelineGraph, StepNode, StepParameter, format_graph

Publish = Callable[..., dict[str, Any]]

GRAPH = PipelineGraph(
    "called",
    steps=(StepNode("s", "only", script="s.py", parameters=(StepParameter("rate", pipeline_parameter="rate"),)),),
    parameters=(Parameter("rate", "int", 3), Parameter("where", "datapath", {"datastore": "workspaceblobstore", "path": "in"})),
)


@pytest.fixture
def publish(rest: Any) -> Publish:
    """Publish the graph: publish(name="x")."""
    return lambda **more: rest.client.publish_pipeline(rest.workspace_id, {"graph": format_graph(GRAPH), "interpreter": "py", **more})


# Pipelines


def test_a_published_pipeline_says_what_it_is(rest: Any, publish: Publish) -> None:
    made = publish(
        name="Train/score", description="d", version="1.0", tags={"a": "b"}, properties={"git": "c"}, continue_on_step_failure=True
    )
    assert made.pop("definitions")["s"]["known"] is False
    assert made == rest.client.get_pipeline(rest.workspace_id, made["id"])
    assert {key: made[key] for key in ("name", "description", "version", "status", "step_count")} == {
        "name": "Train/score",
        "description": "d",
        "version": "1.0",
        "status": "Active",
        "step_count": 1,
    }
    assert (made["tags"], made["properties"], made["continue_on_step_failure"]) == ({"a": "b"}, {"git": "c"}, True)
    assert made["parameters"] == [
        {"name": "rate", "kind": "int", "default": 3},
        {"name": "where", "kind": "datapath", "default": {"datastore": "workspaceblobstore", "path": "in"}},
    ]
    assert rest.client.get_pipeline_graph(rest.workspace_id, made["id"]) == format_graph(GRAPH)


def test_without_a_name_it_is_called_as_its_graph(publish: Publish) -> None:
    first, second = publish(), publish()
    assert (first["name"], first["version"], first["continue_on_step_failure"]) == ("called", None, False)
    assert first["graph_id"] == second["graph_id"]
    assert first["id"] != second["id"]


def test_a_run_becomes_a_pipeline_with_the_defaults_of_its_parameters(rest: Any) -> None:
    run = rest.submit(GRAPH, parameters={"rate": 9}, interpreter="/its/python")["run"]
    made = rest.client.publish_pipeline(rest.workspace_id, {"run_id": run["id"], "name": "again"})
    assert made["source_run_id"] == run["id"]
    assert made["graph_id"] == run["graph_id"]
    assert made["parameters"][0]["default"] == 3
    assert made["definitions"]["s"]["known"], "the run has a step of this definition"
    called = rest.client.submit_published(rest.workspace_id, made["id"], {"experiment_name": "e"})
    assert called["parameters"]["rate"] == 3
    row = rest.context.database.first("select interpreter from pipeline_runs where run_id = ?", (called["id"],))
    assert row == {"interpreter": "/its/python"}


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ({"graph": None}, Invalid, "from a graph, or from a pipeline run"),
        ({"run_id": "r"}, NotFound, "no run with the id 'r'"),
        ({"name": "a\nb"}, Invalid, "without control characters"),
        ({"name": "x" * 256}, Invalid, "1 to 255 characters"),
        ({"version": " "}, Invalid, "published pipeline's version"),
        ({"tags": {"a": []}}, Invalid, "'a' in the tags"),
        ({"request_id": "no"}, Invalid, "UUID"),
        ({"graph": {"format": 9}}, Invalid, "format 9"),
    ],
)
def test_what_can_not_be_published(publish: Publish, wanted: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        publish(**wanted)


def test_what_could_not_run_is_not_published(rest: Any, publish: Publish) -> None:
    step = StepNode("s", "only", script="s.py", outputs=(OutputPort("out", "nowhere"),))
    with pytest.raises(InvalidGraph, match="datastore 'nowhere'"):
        publish(graph=format_graph(PipelineGraph("x", steps=(step,))))
    assert rest.client.list_pipelines(rest.workspace_id) == []


def test_runs_of_other_kinds_and_places_are_not_published(rest: Any) -> None:
    own = rest.client.create_run(rest.workspace_id, "e")["id"]
    far = rest.client.create_workspace(f"far-{uuid.uuid4()}", "sub", "group")["id"]
    other = rest.client.submit_pipeline(far, "e", {"graph": format_graph(GRAPH)})["run"]["id"]
    for run_id in (own, other):
        with pytest.raises(NotFound, match=f"has no pipeline run '{run_id}'"):
            rest.client.publish_pipeline(rest.workspace_id, {"run_id": run_id})


def test_a_request_that_is_sent_twice_counts_once(rest: Any, publish: Publish) -> None:
    request_id = str(uuid.uuid4())
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: publish(request_id=request_id), range(8)))
    assert len({item["id"] for item in made}) == 1
    assert all(item["definitions"].keys() == {"s"} for item in made)
    assert len(rest.client.list_pipelines(rest.workspace_id)) == 1


def test_lists_are_newest_first_and_filtered(rest: Any, publish: Publish) -> None:
    ids = [publish(name=name)["id"] for name in ("a", "b", "a")]
    assert rest.client.set_pipeline_status(rest.workspace_id, ids[2], "Disabled")["status"] == "Disabled"

    def listed(**filters: Any) -> list[int]:
        return [ids.index(item["id"]) for item in rest.client.list_pipelines(rest.workspace_id, **filters)]

    assert (listed(), listed(active_only=True), listed(name="a"), listed(limit=1)) == ([2, 1, 0], [1, 0], [2, 0], [2])
    assert rest.client.list_pipelines(rest.client.create_workspace(f"far-{uuid.uuid4()}", "sub", "group")["id"]) == []


def test_an_unknown_id_that_is_a_name_is_told_apart(rest: Any, publish: Publish) -> None:
    made = publish(name="nightly")
    with pytest.raises(NotFound, match=f"newest of this name has the id '{made['id']}'"):
        rest.client.get_pipeline(rest.workspace_id, "nightly")
    with pytest.raises(NotFound, match=r"PublishedPipeline\.list"):
        rest.client.set_pipeline_status(rest.workspace_id, "nothing", "Active")
    with pytest.raises(Invalid, match="There are: Active, Deprecated, Disabled"):
        rest.client.set_pipeline_status(rest.workspace_id, made["id"], "active")


@pytest.mark.parametrize("status", ["Disabled", "Deprecated"])
def test_only_an_active_one_runs(rest: Any, publish: Publish, status: str) -> None:
    made = publish()
    rest.client.set_pipeline_status(rest.workspace_id, made["id"], status)
    with pytest.raises(Refused, match=status):
        rest.client.submit_published(rest.workspace_id, made["id"], {"experiment_name": "e"})
    rest.client.set_pipeline_status(rest.workspace_id, made["id"], "Active")
    run = rest.client.submit_published(rest.workspace_id, made["id"], {"experiment_name": "e"})
    assert [item["id"] for item in rest.client.list_runs_of_pipeline(rest.workspace_id, made["id"])] == [run["id"]]


# Endpoints


def test_an_endpoint_begins_with_version_0(rest: Any, publish: Publish) -> None:
    pipeline = publish()["id"]
    made = rest.client.create_pipeline_endpoint(rest.workspace_id, "a / b", pipeline, "d", tags={"a": "b"})
    assert (made["name"], made["description"], made["status"], made["tags"]) == ("a / b", "d", "Active", {"a": "b"})
    assert (made["default_version"], made["versions"]) == ("0", [{"version": "0", "pipeline_id": pipeline}])
    assert made == rest.client.get_pipeline_endpoint(rest.workspace_id, made["id"])
    assert made == rest.client.get_pipeline_endpoint_by_name(rest.workspace_id, "a / b")


def test_endpoints_are_made_and_extended_once(rest: Any, publish: Publish) -> None:
    first, second, request_id = publish()["id"], publish()["id"], str(uuid.uuid4())
    about = {"name": "once", "pipeline_id": first, "request_id": request_id}
    path = f"/workspaces/{rest.workspace_id}/pipeline-endpoints"
    made = [rest.client._send("POST", path, **about) for _ in range(2)]
    assert made[0] == made[1]
    more = [rest.client._send("POST", f"{path}/{made[0]['id']}/versions", pipeline_id=second, request_id=request_id) for _ in range(2)]
    assert more[0] == more[1]
    assert [item["version"] for item in more[0]["versions"]] == ["0", "1"]
    with pytest.raises(AlreadyExists, match="is version 1 of this endpoint already"):
        rest.client.add_pipeline_endpoint_version(rest.workspace_id, made[0]["id"], second)


def test_versions_that_are_added_at_once_all_count(rest: Any, publish: Publish) -> None:
    endpoint = rest.client.create_pipeline_endpoint(rest.workspace_id, "busy", publish()["id"])["id"]
    pipelines = [publish()["id"] for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: rest.client.add_pipeline_endpoint_version(rest.workspace_id, endpoint, item, True), pipelines))
    found = rest.client.get_pipeline_endpoint(rest.workspace_id, endpoint)
    assert [item["version"] for item in found["versions"]] == [str(number) for number in range(9)]
    assert {item["pipeline_id"] for item in found["versions"][1:]} == set(pipelines)
    assert found["default_version"] == "8"


def test_what_endpoints_refuse(rest: Any, publish: Publish) -> None:
    client, place = rest.client, rest.workspace_id
    first, second = publish()["id"], publish()["id"]
    made = client.create_pipeline_endpoint(place, "main", first)["id"]
    client.create_pipeline_endpoint(place, "other", second)
    for refused, error, words in (
        (lambda: client.create_pipeline_endpoint(place, "main", first), AlreadyExists, "endpoint 'main' already"),
        (lambda: client.create_pipeline_endpoint(place, "new", "x"), NotFound, "published pipeline with the id 'x'"),
        (lambda: client.create_pipeline_endpoint(place, "", first), Invalid, "name of a pipeline endpoint"),
        (lambda: client.get_pipeline_endpoint(place, "main"), NotFound, "endpoint with the id 'main'"),
        (lambda: client.get_pipeline_endpoint_by_name(place, "mian"), NotFound, "Did you mean 'main'"),
        (lambda: client.update_pipeline_endpoint(place, made, name="other"), AlreadyExists, "endpoint 'other' already"),
        (lambda: client.update_pipeline_endpoint(place, made, status="on"), Invalid, "no status 'on'"),
        (lambda: client.set_default_pipeline_version(place, made, version="1"), NotFound, "There are: 0"),
        (lambda: client.set_default_pipeline_version(place, made, pipeline_id=second), NotFound, "Add it first"),
        (lambda: client.set_default_pipeline_version(place, made), Invalid, "Give one of them"),
        (lambda: client.submit_pipeline_endpoint(place, made, {"experiment_name": "e"}, "7"), NotFound, "There is no version '7'"),
        (lambda: client.submit_pipeline_endpoint(place, made, {"experiment_name": "e", "parameters": {"rat": 1}}), Invalid, "'rate'"),
    ):
        with pytest.raises(error, match=words):
            refused()
    assert client.update_pipeline_endpoint(place, made, name="main", description="same name")["description"] == "same name"


def test_an_endpoint_runs_the_version_that_is_asked_for(rest: Any, publish: Publish) -> None:
    client, place = rest.client, rest.workspace_id
    pipelines = [publish()["id"] for _ in range(2)]
    made = client.create_pipeline_endpoint(place, "main", pipelines[0])["id"]
    client.add_pipeline_endpoint_version(place, made, pipelines[1], default=True)
    wanted = {"experiment_name": "e", "parameters": {"rate": "5"}}
    runs = [client.submit_pipeline_endpoint(place, made, wanted, version) for version in (None, "0", "1")]
    assert [pipelines.index(run["pipeline_id"]) for run in runs] == [1, 0, 1]
    assert [run["parameters"]["rate"] for run in runs] == [5, 5, 5]
    assert [run["id"] for run in client.list_runs_of_pipeline_endpoint(place, made, limit=2)] == [runs[2]["id"], runs[1]["id"]]
    client.update_pipeline_endpoint(place, made, status="Disabled")
    with pytest.raises(Refused, match="Disabled"):
        client.submit_pipeline_endpoint(place, made, wanted)


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "add_default"]), st.integers(0, 4)),
        st.tuples(st.just("default"), st.sampled_from(["0", "1", "2", "3", "00", "-1"])),
        st.tuples(st.just("default_pipeline"), st.integers(0, 4)),
        st.tuples(st.just("rename"), st.sampled_from(["main", "taken", "free"])),
        st.tuples(st.just("status"), st.sampled_from(["Active", "Disabled"])),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_endpoints_follow_a_simple_model(rest: Any, publish: Publish, changes: list[Any]) -> None:
    """Whatever is asked in whatever order: what is refused changes nothing, what is done changes that alone."""
    client = rest.client
    place = client.create_workspace(f"model-{uuid.uuid4()}", "sub", "group")["id"]
    graph = {"graph": format_graph(PipelineGraph())}
    pipelines = [client.publish_pipeline(place, graph)["id"] for _ in range(5)]
    client.create_pipeline_endpoint(place, "taken", pipelines[0])
    made = client.create_pipeline_endpoint(place, "main", pipelines[0])["id"]
    versions, default, name, status = [pipelines[0]], 0, "main", "Active"
    for kind, value in changes:
        allowed = True
        if kind in ("add", "add_default"):
            allowed = pipelines[value] not in versions
            verb, given = client.add_pipeline_endpoint_version, {"pipeline_id": pipelines[value], "default": kind == "add_default"}
            if allowed:
                versions.append(pipelines[value])
                default = len(versions) - 1 if kind == "add_default" else default
        elif kind == "default":
            allowed = value in [str(number) for number in range(len(versions))]
            verb, given = client.set_default_pipeline_version, {"version": value}
            default = int(value) if allowed else default
        elif kind == "default_pipeline":
            allowed = pipelines[value] in versions
            verb, given = client.set_default_pipeline_version, {"pipeline_id": pipelines[value]}
            default = versions.index(pipelines[value]) if allowed else default
        else:
            allowed = (kind, value) != ("rename", "taken")
            verb, given = client.update_pipeline_endpoint, {"name" if kind == "rename" else "status": value}
            name = value if allowed and kind == "rename" else name
            status = value if kind == "status" else status
        try:
            verb(place, made, **given)
        except (AlreadyExists, NotFound):
            assert not allowed, (kind, value)
        else:
            assert allowed, (kind, value)
    found = client.get_pipeline_endpoint(place, made)
    assert [item["pipeline_id"] for item in found["versions"]] == versions
    assert (found["default_version"], found["name"], found["status"]) == (str(default), name, status)


def test_a_workspace_takes_what_is_published_in_it_along(rest: Any, publish: Publish) -> None:
    first, second = publish()["id"], publish()["id"]
    endpoint = rest.client.create_pipeline_endpoint(rest.workspace_id, "main", first)["id"]
    rest.client.add_pipeline_endpoint_version(rest.workspace_id, endpoint, second)
    rest.client.delete_workspace(rest.workspace_id)
    for table, column in (("pipelines", "id"), ("pipeline_endpoints", "id"), ("pipeline_endpoint_versions", "endpoint_id")):
        left = rest.context.database.all(f"select 1 from {table} where {column} in (?, ?, ?)", (first, second, endpoint))
        assert left == [], table
    assert rest.context.database.all("pragma foreign_key_check") == []
    with pytest.raises(NotFound, match="no workspace"):
        rest.client.list_pipeline_endpoints(rest.workspace_id)
