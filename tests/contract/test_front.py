"""The door over loopback: who comes in, and what each token opens."""

from __future__ import annotations

import socket
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.parts.loopback import Loopback

from penstock.client.home import Home
from penstock.model.errors import Invalid, NotFound, Unavailable
from penstock.model.graph import PipelineGraph, format_graph
from penstock.operations import addresses, tokens
from penstock.operations.context import Context, format_time
from penstock.service.app import TABLES
from penstock.service.loopback import listen
from penstock.service.routes import PREFIX, Role

OWN = f"{PREFIX}/workspaces"
KINDS = ("InteractiveLoginAuthentication", "AzureCliAuthentication", "MsiAuthentication", "ServicePrincipalAuthentication")


@pytest.fixture
def user(door: Loopback) -> str:
    return str(door.client.user_token()["token"])


def publish(door: Loopback) -> str:
    graph = format_graph(PipelineGraph("p"))
    return str(door.client.publish_pipeline(door.workspace_id, {"graph": graph, "name": "published"})["id"])


# The user's token


def test_the_users_token_opens_every_workspace_and_our_own_interface(door: Loopback, user: str) -> None:
    other = door.client.create_workspace(f"other-{time.monotonic_ns()}", "sub", "group")["id"]
    for workspace_id in (door.workspace_id, other):
        assert door.ask("GET", f"{OWN}/{workspace_id}", token=user)[1]["id"] == workspace_id
        assert door.ask("GET", f"/mlflow/{workspace_id}/api/2.0/mlflow/experiments/search", {"max_results": 5}, token=user)[0] == 200
    assert other in [item["id"] for item in door.ask("GET", OWN, token=user)[1]]
    status, answer = door.ask("PATCH", f"{OWN}/{other}", {"tags": {"a": "b"}}, token=user)  # for owners only
    assert (status, answer["tags"]) == (200, {"a": "b"})
    assert door.ask("GET", "/mlflow/none/api/2.0/mlflow/experiments/search", token=user)[0] == 404


def test_the_users_token_is_given_through_the_socket_only(door: Loopback, user: str) -> None:
    status, answer = door.ask("GET", f"{PREFIX}/service/token", token=user)
    assert (status, answer["error"]["code"]) == (403, "Forbidden")
    assert "socket in the home folder" in answer["error"]["message"]
    assert [item.path for table in TABLES for item in table.declarations if item.permission is Role.HOME] == [f"{PREFIX}/service/token"]


def test_the_users_token_ends(door: Loopback, user: str) -> None:
    def context(days: float) -> Context:
        moment = format_time(datetime.now(timezone.utc) + timedelta(days=days))
        return Context(door.context.database, door.home, door.context.settings, now=lambda: moment)

    found = tokens.user_token(context(0))
    assert found["token"] == user
    assert 29 * 24 * 3600 < found["expires_on"] - time.time() <= 60 * 24 * 3600
    grant = tokens.find_grant(context(29), user)
    assert grant is not None
    assert grant.is_users
    assert grant.opens("any")
    assert tokens.find_grant(context(61), user) is None


def test_the_users_token_in_a_script_says_whose_it_is(door: Loopback, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = door.make_run()
    monkeypatch.setenv("AZUREML_RUN_ID", run_id)
    found = door.client.user_token()
    grant = tokens.find_grant(door.context, found["token"])
    assert grant == tokens.Grant("all", run_id)
    assert grant.is_users
    assert tokens.find_grant(door.context, user) == tokens.Grant("all")
    assert tokens.find_grant(door.context, found["token"].replace(run_id, "another")) is None


def test_no_other_token_becomes_the_users(door: Loopback, user: str) -> None:
    kind, every, until, signature = user.split("~")
    _, _, _, of_workspace = tokens.workspace_token(door.context, door.workspace_id).split("~")
    changed = [
        f"workspace~{every}~{until}~{signature}",
        f"user~{door.workspace_id}~{until}~{of_workspace}",
        f"user~{every}~{int(until) + 1}~{signature}",
        f"{kind}~{every}~{until}~{of_workspace}",
        tokens.run_token(door.home, every, "r"),
    ]
    assert [tokens.find_grant(door.context, text) for text in changed] == [None] * len(changed)


# Tokens of workspaces and runs


def test_a_workspaces_token_opens_what_contributors_may_in_its_own(door: Loopback) -> None:
    own = f"{OWN}/{door.workspace_id}"
    other = door.client.create_workspace(f"other-{time.monotonic_ns()}", "sub", "group")["id"]
    run_id = door.make_run()
    for token in (tokens.workspace_token(door.context, door.workspace_id), tokens.run_token(door.home, door.workspace_id, run_id)):
        assert door.ask("GET", own, token=token)[0] == 200
        assert door.ask("PUT", f"{own}/experiments/made", token=token)[0] == 200
        refused = [
            door.ask("PATCH", own, {"tags": {}}, token=token),
            door.ask("DELETE", own, token=token),
            door.ask("GET", OWN, token=token),
            door.ask("GET", f"{OWN}/{other}", token=token),
            door.ask("GET", f"{PREFIX}/runs/{run_id}", token=token),
            door.ask("POST", f"{PREFIX}/service/stop", {}, token=token),
            door.ask("GET", f"{PREFIX}/service/token", token=token),
        ]
        assert {(status, answer["error"]["code"]) for status, answer in refused} == {(403, "Forbidden")}
        assert f"of the workspace {door.workspace_id} only" in refused[4][1]["error"]["message"]


# Who has none


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic ====", "Bearer " + "a" * 5000, "Bearer user~all~9999999999~x"])
def test_without_a_token_nothing_is_learned(door: Loopback, header: str) -> None:
    for path in ("/", "/none", f"{PREFIX}/service", f"{PREFIX}/none", f"{OWN}/{door.workspace_id}"):
        status, answer = door.ask("GET", path, token="", Authorization=header)
        assert (status, answer["error"]["code"]) == (401, "Unauthenticated")
        assert "get_authentication_header()" in answer["error"]["message"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:x", "[::1]"])
def test_a_page_in_a_browser_can_not_ask_under_its_own_name(door: Loopback, user: str, host: str) -> None:
    status, answer = door.ask("GET", OWN, token=user, Host=host)
    assert (status, answer["error"]["code"]) == (403, "Forbidden")


def test_no_answer_lets_other_origins_read_it(door: Loopback, user: str) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=120)
    connection.request("OPTIONS", OWN, headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"})
    answer = connection.getresponse()
    assert answer.status == 401
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]
    connection.close()


def test_a_body_that_is_too_large_gets_an_answer_that_can_be_read(door: Loopback, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.service.requests.BODY_BYTES", 1000)
    status, answer = door.ask("POST", OWN, b'{"name": "' + b"x" * 5_000_000 + b'"}', token=user)
    assert (status, answer["error"]["code"]) == (413, "TooLarge")


# Authentication objects


def test_every_kind_of_login_gives_the_users_header_silently(
    door: Loopback, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from azureml.core import authentication

    monkeypatch.setenv("PENSTOCK_HOME", str(door.home.path))
    for name in KINDS:
        arguments = ("tenant", "id", "password") if name.startswith("Service") else ()
        made = getattr(authentication, name)(*arguments)
        header = made.get_authentication_header()
        held = made.get_token("https://management.azure.com/.default")
        assert header == {"Authorization": f"Bearer {held.token}"}
        assert held.expires_on > time.time() + 24 * 3600
        assert door.ask("GET", OWN, token=held.token)[0] == 200
        assert held.token not in repr(made)
    assert capsys.readouterr() == ("", "")


def test_a_token_that_is_about_to_end_is_asked_for_again(door: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    from azureml.core import authentication

    monkeypatch.setenv("PENSTOCK_HOME", str(door.home.path))
    stale = authentication.AccessToken("stale", int(time.time()) + 3600)
    monkeypatch.setattr(authentication, "_tokens", {str(door.home.path): stale})
    assert authentication.InteractiveLoginAuthentication().get_token() == authentication.AccessToken(**door.client.user_token())


# Addresses


def test_what_is_published_has_an_address_and_the_service_stays_for_it(door: Loopback) -> None:
    pipeline_id = publish(door)
    del door.stays[:]
    workspace = door.client.get_workspace(door.workspace_id)
    address = door.client.rest_address(door.workspace_id, "pipeline", pipeline_id)
    assert address == (
        f"http://127.0.0.1:{door.port}/pipelines/v1.0/subscriptions/sub/resourceGroups/group/providers/"
        f"Microsoft.MachineLearningServices/workspaces/{workspace['name']}/PipelineRuns/PipelineSubmit/{pipeline_id}"
    )
    assert door.stays == ["programs may call it over REST"]
    endpoint = door.client.create_pipeline_endpoint(door.workspace_id, "e", pipeline_id)["id"]
    of_endpoint = door.client.rest_address(door.workspace_id, "endpoint", endpoint)
    assert of_endpoint.endswith(f"/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint}")
    assert door.client.rest_address(door.workspace_id, "endpoint", endpoint, "0") == f"{of_endpoint}/0"
    description = door.client.rest_address(door.workspace_id, "swagger", "any")
    assert description == f"http://127.0.0.1:{door.port}/pipelines/swagger/pipelineendpointsubmit/swagger.json"


def test_only_what_is_there_has_an_address(door: Loopback) -> None:
    pipeline_id = publish(door)
    other = door.client.create_workspace(f"other-{time.monotonic_ns()}", "sub", "group")["id"]
    del door.stays[:]
    wrong: list[tuple[Any, ...]] = [("nothing", pipeline_id), ("pipeline", pipeline_id, "0"), ("swagger", "any", "x")]
    for asked in wrong:
        with pytest.raises(Invalid):
            door.client.rest_address(door.workspace_id, *asked)
    for workspace_id, kind, subject in (
        (door.workspace_id, "endpoint", pipeline_id),
        (other, "pipeline", pipeline_id),
        ("none", "swagger", "a"),
    ):
        with pytest.raises(NotFound):
            door.client.rest_address(workspace_id, kind, subject)
    assert door.stays == []


def test_a_service_that_can_not_listen_says_why(door: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert listen(home) is None
    assert addresses.find_port(home) is None
    with pytest.raises(Unavailable, match=r"could not listen on 127\.0\.0\.1 \(Permission denied\)"):
        addresses.base_address(home)
    monkeypatch.undo()
    again = listen(home)
    assert again is not None
    assert addresses.base_address(home) == f"http://127.0.0.1:{again.getsockname()[1]}"
    again.close()
