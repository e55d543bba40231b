"""The key vault behind REST: what is kept, how it is kept, and what is never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.model.errors import Invalid, NotFound, Unavailable
from penstock.operations.keyvault import hide_secrets

VALUE = "correct-horse-battery"


def test_a_secret_comes_back_and_only_its_name_is_listed(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"Data-Base": VALUE}, content_type="password")
    assert rest.client.get_secret(rest.workspace_id, "Data-Base") == {"name": "Data-Base", "value": VALUE, "content_type": "password"}
    (listed,) = rest.client.list_secrets(rest.workspace_id)
    assert (listed["name"], listed["content_type"]) == ("Data-Base", "password")
    assert VALUE not in str(listed)


def test_names_are_the_same_in_capitals(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"Pass-Word": "first"})
    rest.client.set_secrets(rest.workspace_id, {"PASS-word": "second"})
    assert [item["name"] for item in rest.client.list_secrets(rest.workspace_id)] == ["Pass-Word"]
    assert rest.client.get_secret(rest.workspace_id, "pass-word")["value"] == "second"
    assert rest.client.get_secrets(rest.workspace_id, ["pass-WORD", "other"]) == {"pass-WORD": "second", "other": None}
    rest.client.delete_secret(rest.workspace_id, "pASS-wORD")
    assert rest.client.list_secrets(rest.workspace_id) == []


def test_what_a_route_might_be_called_is_a_name_too(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"read": VALUE})
    assert rest.client.get_secret(rest.workspace_id, "read")["value"] == VALUE
    assert rest.client.get_secrets(rest.workspace_id, ["read"]) == {"read": VALUE}


def test_no_file_of_the_home_folder_holds_it(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"a": VALUE})
    rest.client.get_secret(rest.workspace_id, "a")
    files = [path for path in Path(rest.home.path).rglob("*") if path.is_file()]
    assert rest.home.database in files
    assert not [path for path in files if VALUE.encode() in path.read_bytes()]


def test_an_unknown_name_gets_the_nearest(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"password": VALUE})
    for ask in (rest.client.get_secret, rest.client.delete_secret):
        with pytest.raises(NotFound, match=r"no secret 'pasword' in the key vault .*Did you mean 'password'") as caught:
            ask(rest.workspace_id, "pasword")
        assert caught.value.status == 404
    for ask in (rest.client.list_secrets, lambda workspace: rest.client.get_secrets(workspace, ["a"])):
        with pytest.raises(NotFound):
            ask("nowhere")


@pytest.mark.parametrize("name", ["a b", "a_b", "", "é", "x" * 128, "a.b", "a\n"])
def test_a_name_that_is_none(rest: Any, name: str) -> None:
    with pytest.raises(Invalid, match="letters, digits"):
        rest.client.set_secrets(rest.workspace_id, {"fine": "x", name: VALUE})
    assert rest.client.list_secrets(rest.workspace_id) == []  # all or none


@pytest.mark.parametrize("value", ["", None, 3, ["x"], "x" * 70_000])
def test_a_value_that_is_none(rest: Any, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        rest.client.set_secrets(rest.workspace_id, {"a": value})
    assert "'a'" in caught.value.message
    with pytest.raises(Invalid, match="content type"):
        rest.client.set_secrets(rest.workspace_id, {"a": "x"}, content_type="y" * 300)


def test_workspaces_and_datastores_have_secrets_of_their_own(rest: Any) -> None:
    other = rest.client.create_workspace("other-vault", "sub", "group", exist_ok=True)["id"]
    rest.client.set_secrets(rest.workspace_id, {"sas-token": VALUE})
    assert rest.client.get_secrets(other, ["sas-token"]) == {"sas-token": None}
    about = {"account_name": "account", "container_name": "container"}
    rest.client.register_datastore(rest.workspace_id, "keyvault", "AzureBlob", definition=about, secrets={"account_key": "a2V5"})
    assert [item["name"] for item in rest.client.list_secrets(rest.workspace_id)] == ["sas-token"]
    rest.client.unregister_datastore(rest.workspace_id, "keyvault")
    assert rest.client.get_secret(rest.workspace_id, "sas-token")["value"] == VALUE


def test_a_lost_key_is_told_with_the_way_back(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"a": VALUE})
    key = rest.home.path / "secret.key"
    held = key.read_bytes()
    key.unlink()
    try:
        with pytest.raises(Unavailable, match=r"secret\.key is missing"):
            rest.client.get_secret(rest.workspace_id, "a")
        run = rest.client.create_run(rest.workspace_id, "e")
        ended = rest.client.set_run_status(run["id"], "Failed", error={"message": "all the same"})
        assert ended["error"]["message"] == "all the same"
    finally:
        key.touch(0o600)
        key.write_bytes(held)
    assert rest.client.get_secret(rest.workspace_id, "a")["value"] == VALUE


def test_a_runs_error_hides_them(rest: Any) -> None:
    rest.client.set_secrets(rest.workspace_id, {"a": VALUE, "many": "first-line\nsecond-line"})
    run = rest.client.create_run(rest.workspace_id, "e")
    error = {
        "message": f"login with {VALUE} failed",
        "details": {"traceback": ["x", {"line": f"...{VALUE}... second-line"}], "exit_code": 1},
    }
    ended = rest.client.set_run_status(run["id"], "Failed", error=error)
    assert ended["error"]["message"] == "login with *** failed"
    assert ended["error"]["details"] == {"traceback": ["x", {"line": "...***... ***"}], "exit_code": 1}
    assert hide_secrets(rest.context, "no such run", VALUE) == VALUE
