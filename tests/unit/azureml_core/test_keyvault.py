"""The key vault as scripts use it."""

from __future__ import annotations

from typing import Any

import pytest

from azureml.core import Keyvault
from azureml.core.keyvault import KeyVaultContentType
from azureml.exceptions import ServiceException, UserErrorException


@pytest.fixture
def vault(workspace: Any) -> Keyvault:
    found = workspace.get_default_keyvault()
    assert isinstance(found, Keyvault)
    assert found.workspace is workspace
    return found


def test_secrets_by_name(vault: Keyvault) -> None:
    vault.set_secret("user", "somebody")
    vault.set_secrets({"password": "swordfish", "PIN": "1234"})
    assert vault.get_secret("password") == "swordfish"
    assert vault.get_secrets(["user", "absent"]) == {"user": "somebody", "absent": None}
    assert vault.list_secrets() == [{"name": "PIN"}, {"name": "password"}, {"name": "user"}]
    vault.delete_secret("user")
    vault.delete_secrets(["pin", "PASSWORD"])
    assert Keyvault(vault.workspace).list_secrets() == []


def test_a_content_type(vault: Keyvault) -> None:
    vault.set_secret("a", "x")
    vault.set_secret("b", "x", content_type="text/plain")
    vault.set_secret("c", "x", KeyVaultContentType.not_provided)
    assert [vault.get_secret_content_type(name) for name in "abc"] == ["Not provided", "text/plain", "Not provided"]
    assert {"name": "b", "content_type": "text/plain"} in vault.list_secrets()


def test_an_unknown_secret_is_a_404(vault: Keyvault) -> None:
    for use in (vault.get_secret, vault.delete_secret, vault.get_secret_content_type):
        with pytest.raises(ServiceException, match="no secret 'absent'") as caught:
            use("absent")
        assert caught.value.status_code == 404


def test_what_cannot_be_kept(vault: Keyvault) -> None:
    wrong = [
        lambda: vault.set_secret("with space", "x"),
        lambda: vault.set_secret("under_score", "x"),
        lambda: vault.set_secret("a", None),  # type: ignore[arg-type]
        lambda: vault.set_secret("a", b"bytes"),  # type: ignore[arg-type]
        lambda: vault.set_secret("a", ""),
        lambda: vault.set_secret(None, "x"),  # type: ignore[arg-type]
        lambda: vault.set_secrets([("a", "b")]),  # type: ignore[arg-type]
        lambda: vault.get_secrets("a"),
        lambda: vault.delete_secrets("a"),
    ]
    for use in wrong:
        with pytest.raises(UserErrorException):
            use()


def test_a_run_reads_them_and_hides_them_in_its_log(vault: Keyvault, experiment: Any, capsys: pytest.CaptureFixture[str]) -> None:
    vault.set_secret("password", "swordfish")
    run = experiment.start_logging(outputs=False)

    def work() -> None:
        with run:
            print("got", run.get_secret("password"), run.get_secrets(["password", "absent"]))
            raise ValueError(f"refused: {run.get_secret('password')}")

    with pytest.raises(ValueError, match="refused: swordfish"):  # the caller gets what was raised
        work()
    assert "got swordfish" in capsys.readouterr().out  # the screen is the user's own
    run.download_file("logs/user_log.txt", "log.txt")
    with open("log.txt", encoding="utf-8") as file:
        assert file.read() == "got *** {'password': '***', 'absent': None}\n"
    assert run.get_details()["error"]["error"]["message"] == "User program failed with ValueError: refused: ***"
    assert "swordfish" not in repr(vault) + repr(run)
