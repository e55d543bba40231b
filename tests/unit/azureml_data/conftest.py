"""A workspace and a datastore that no service was asked for: making and transforming datasets needs none."""

from __future__ import annotations

from typing import Any

import pytest

from azureml.core import Workspace
from azureml.data.azure_storage_datastore import LocalDatastore

_RECORD = {"id": "w-1", "subscription_id": "sub", "resource_group": "group", "name": "work"}


@pytest.fixture
def workspace() -> Any:
    return Workspace._from_record(dict(_RECORD))


@pytest.fixture
def other_workspace() -> Any:
    return Workspace._from_record({**_RECORD, "id": "w-2", "name": "other"})


@pytest.fixture
def store(workspace: Any) -> Any:
    return LocalDatastore(workspace, "store")


@pytest.fixture(autouse=True)
def _no_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("nothing here asks the service")

    monkeypatch.setattr("penstock.client.transport.Transport.call", refuse)
