"""The description of the interface: made of the declared routes, valid, and true of a service that answers."""

from __future__ import annotations

import copy
import io
import json
import os
from functools import partial
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.parts.described import DECLARATIONS, strict_description
from tests.parts.loopback import Loopback

from penstock.compile.manifests import Entry, manifest_digest
from penstock.model.graph import Argument, OutputPort, Parameter, PipelineGraph, StepNode, format_graph
from penstock.operations.tokens import user_token
from penstock.service import openapi
from penstock.service.requests import Fields
from penstock.service.routes import UNSAID, Declaration, Role, RouteTable

# What is described


def test_description_is_valid() -> None:
    OpenAPIV31SpecValidator(openapi.describe(DECLARATIONS)).validate()


def test_the_service_gives_its_description(door: Loopback) -> None:
    status, answer = door.ask("GET", "/api/v1/openapi.json", token=user_token(door.context)["token"])
    assert (status, answer) == (200, json.loads(json.dumps(openapi.describe(DECLARATIONS))))


@pytest.mark.parametrize("route", DECLARATIONS, ids=lambda item: f"{item.method} {item.path}")
def test_every_route_says_what_it_answers(route: Declaration) -> None:
    assert route.answer != UNSAID
    assert (route.handler.__doc__ or "").strip()


def test_every_schema_is_used() -> None:
    text = json.dumps(openapi.describe(DECLARATIONS))
    assert [name for name in openapi.schemas.SCHEMAS if f'"#/components/schemas/{name}"' not in text] == [UNSAID]


def operation_of(table: RouteTable) -> dict[str, Any]:
    (path,) = openapi.describe(table.declarations)["paths"].values()
    (found,) = path.values()
    return dict(found)


def test_what_a_handler_asks_for_is_what_a_route_takes() -> None:
    table = RouteTable()

    @table.add("POST", "/things/{thing_id}", Role.CONTRIBUTOR, answer="Run")
    def make_thing(call: Any) -> Any:
        """Make a thing."""
        body, query = call.body, call.query
        asked = [call.path["thing_id"], body.text("name"), body.text("about", None), body.flag("quick"), body.number("count", 3, least=1)]
        return partial(print, asked, body.mapping("tags", None), body.items("list"), query.words("status"), query.filter("text"))

    found = operation_of(table)
    taken = found["requestBody"]["content"]["application/json"]["schema"]
    assert taken["required"] == ["name", "list"]
    assert taken["additionalProperties"] is False
    assert taken["properties"]["name"] == {"type": "string"}
    assert taken["properties"]["about"] == {"type": ["string", "null"]}
    assert taken["properties"]["quick"] == {"type": ["boolean", "null"], "default": False}
    assert taken["properties"]["count"] == {"type": ["integer", "null"], "minimum": 1, "maximum": 2**63 - 1, "default": 3}
    assert [(item["in"], item["name"]) for item in found["parameters"]] == [("path", "thing_id"), ("query", "status"), ("query", "text")]
    assert found["security"] == [{"token": ["contributor"]}]


def test_an_async_handler_is_run_until_it_has_read_all() -> None:
    table = RouteTable()

    @table.add("GET", "/things", Role.READER, answer=("Run",))
    async def follow_things(call: Any) -> Any:
        """Follow things."""
        after = call.query.number("after", 0)
        call.reject_others()
        return await call.run(print, after)

    assert [item["name"] for item in operation_of(table)["parameters"]] == ["after"]


def test_errors_are_told_in_the_words_of_the_verb() -> None:
    found = openapi.describe(DECLARATIONS)["paths"]["/api/v1/runs/{run_id}"]["get"]["responses"]
    assert found["404"]["description"] == "There is no such run."
    assert found["400"] == {"$ref": "#/components/responses/400"}


def test_a_handler_that_works_is_refused_by_name() -> None:
    table = RouteTable()
    table.add("GET", "/things", Role.READER, answer="Run")(lambda call: call.service.context + 1)
    with pytest.raises(ValueError, match=r"GET /api/v1/things does more with its call than to read it \(TypeError"):
        openapi.describe(table.declarations)


def test_two_handlers_of_one_name_are_refused() -> None:
    table = RouteTable()
    for path in ("/a", "/b"):
        table.add("GET", path, Role.READER, answer="Run")(nothing)
    with pytest.raises(ValueError, match="GET /api/v1/b is the second"):
        openapi.describe(table.declarations)


def test_an_answer_without_a_schema_is_refused() -> None:
    table = RouteTable()
    table.add("GET", "/things", Role.READER, answer="Thing")(nothing)
    with pytest.raises(ValueError, match="GET /api/v1/things answers 'Thing', which is no schema"):
        openapi.describe(table.declarations)


def nothing(call: Any) -> Any:
    """Do nothing."""
    return dict


def test_every_kind_of_member_is_watched() -> None:
    kinds = {name for name in vars(Fields) if not name.startswith("_")} - {"reject_others"}
    assert kinds <= set(vars(openapi._Watched))


# What is true


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # the sha256 of nothing
DATASET = {"format": 1, "type": "file", "places": [{"datastore": "workspaceblobstore", "path": "in"}]}
HOURLY = {"frequency": "Hour", "interval": 1}
GRAPH = PipelineGraph(
    "p",
    (StepNode("s", "s", script="s.py", arguments=(Argument("literal", "a"),), outputs=(OutputPort("o", "workspaceblobstore"),)),),
    parameters=(Parameter("p", "int", 3),),
)


@pytest.fixture(scope="module")
def leaving(loopback_service: Loopback) -> Loopback:
    """A service that was told to leave, and stays: it lets nobody wait, so that whatever is asked is answered at once."""
    loopback_service.client.stop_service()
    return loopback_service


@pytest.fixture
def known(leaving: Loopback, door: Loopback) -> dict[str, list[Any]]:
    """Good values for members of paths, queries and bodies, under their names: things that are there, and words that mean something."""
    client, here = door.client, door.workspace_id
    client.put_blob(EMPTY, b"")
    client.put_model_file(EMPTY, b"")
    entry = Entry("s.py", 0, EMPTY, False)
    snapshot = client.put_snapshot(manifest_digest([entry]), [entry])["digest"]
    definition = {"format": 1, "script": "s.py", "snapshot": snapshot}
    dataset = client.register_dataset(here, DATASET, "thing")["id"]
    client.register_model(here, "thing", files=[("m.pkl", 0, EMPTY)])
    client.register_environment(here, "thing", {"name": "thing"})
    client.set_secrets(here, {"thing": "x"})
    module = client.create_module(here, "thing")["id"]
    version = client.publish_module_version(here, module, definition)["id"]
    graph = format_graph(GRAPH)
    run = client.create_run(here, "thing")
    pipeline_run = client.submit_pipeline(here, "thing", {"graph": graph})["run"]["id"]
    client.put_file(run["id"], "a.txt", io.BytesIO(b"a"))
    pipeline = client.publish_pipeline(here, {"name": "thing", "graph": graph})["id"]
    schedule = client.create_schedule(here, "thing", {"experiment_name": "thing"}, pipeline_id=pipeline, recurrence=HOURLY)["id"]
    return {
        **WORDS,
        "workspace_id": [here],
        "run_id": [run["id"], pipeline_run],
        "parent_run_id": [run["id"]],
        "before": [run["id"]],
        "experiment_id": [run["experiment_id"]],
        "digest": [EMPTY, snapshot],
        "dataset_id": [dataset],
        "module": [module, "thing"],
        "version_id": [version],
        "pipeline_id": [pipeline],
        "endpoint_id": [client.create_pipeline_endpoint(here, "thing", pipeline)["id"]],
        "schedule_id": [schedule],
        "draft_id": [client.create_draft(here, {"name": "thing", "experiment_name": "thing", "graph": graph})["id"]],
        "transfer_id": [client.start_transfer(here, "list", datastore="workspaceblobstore")["id"]],
        "subject": [pipeline],
        "definition": [definition, {"a": 1}],
    }


WORDS: dict[str, list[Any]] = {
    **{key: ["thing", "other"] for key in ("name", "experiment_name")},
    **{key: ["sub", "group"] for key in ("subscription_id", "resource_group")},
    "id_prefix": ["a"],
    "version": ["1", "0"],
    "path": ["a.txt", "m.pkl"],
    "kind": ["pipeline", "endpoint", "swagger", "list", "stage"],
    "status": ["Running", "Completed", "Active", "Disabled"],
    "type": ["AmlCompute", "LocalFolder"],
    "root": [None],
    "datastore": ["workspaceblobstore"],
    "catch_up": ["none", "last", "all"],
    "direction": ["input", "output"],
    "mode": ["mount"],
    "interpreter": ["python"],
    "dataset": [DATASET],
    "graph": [format_graph(GRAPH)],
    "submission": [{"graph": format_graph(GRAPH)}, {"experiment_name": "thing"}],
    "parameters": [{}, {"p": "20"}, {"q": 1}],
    "recurrence": [HOURLY, {"frequency": "Week", "interval": 2, "week_days": ["Monday"], "hours": [5], "minutes": [0, 30]}],
    "trigger": [{"datastore": "workspaceblobstore", "polling_interval": 5}],
    "files": [[["m.pkl", 0, EMPTY]], None],
    "request_id": [None],
}

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "25"))
TEMPLATES = [(item.method, item.path.replace(":path}", "}")) for item in DECLARATIONS]


def fuzz(door: Loopback, known: dict[str, list[Any]], method: str, path: str, examples: int) -> None:
    """Send a route good values, what its description allows, and what it does not: that is refused, and every answer is as described."""
    there = {name: values[0] for name, values in known.items() if f"{{{name}}}" in path}
    plain, good = make_operation(method, path, {}), make_operation(method, path, known)
    cases = [
        good.as_strategy(GenerationMode.POSITIVE),
        plain.as_strategy(GenerationMode.POSITIVE, path_parameters=there or None),
        plain.as_strategy(GenerationMode.NEGATIVE, path_parameters=there or None),
        plain.as_strategy(GenerationMode.NEGATIVE),
    ]
    headers = {"Authorization": f"Bearer {user_token(door.context)['token']}"}

    takes_words = any("explode" in item for item in strict_description()["paths"][path][method.lower()]["parameters"])
    checks = CHECKS if takes_words else [*CHECKS, negative_data_rejection]  # in a query any text is a list of words, null too

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(st.one_of(*cases))
    def send(case: Any) -> None:
        answer = case.call(base_url=f"http://127.0.0.1:{door.port}", headers=headers)
        case.validate_response(answer, checks=checks)

    send()


def make_operation(method: str, path: str, known: dict[str, list[Any]]) -> Any:
    """Return a route as schemathesis sees it, with the members that are known by name narrowed to good values."""
    operation = copy.deepcopy(strict_description()["paths"][path][method.lower()])
    for parameter in operation["parameters"]:
        if parameter["name"] in known:
            parameter["schema"] = {"enum": known[parameter["name"]]}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        members = content.get("schema", {}).get("properties", {})
        members.update({name: {"enum": known[name]} for name in members if name in known})
    return schemathesis.openapi.from_dict({**strict_description(), "paths": {path: {method.lower(): operation}}})[path][method]


@pytest.mark.parametrize(("method", "path"), TEMPLATES)
def test_every_answer_is_as_described(leaving: Loopback, known: dict[str, list[Any]], method: str, path: str) -> None:
    fuzz(leaving, known, method, path, 8)


@pytest.mark.long
@pytest.mark.parametrize(("method", "path"), TEMPLATES)
def test_every_answer_is_as_described_however_often(leaving: Loopback, known: dict[str, list[Any]], method: str, path: str) -> None:
    fuzz(leaving, known, method, path, 4 * ROUNDS)
