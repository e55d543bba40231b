"""A real service in a home folder of its own, for the facade to talk to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import pytest


@pytest.fixture(scope="session")
def service_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    before = os.environ.get("PENSTOCK_HOME")
    os.environ["PENSTOCK_HOME"] = str(home)
    yield home
    from penstock.client import connect

    connect().stop_service()
    os.environ.pop("PENSTOCK_HOME")
    if before is not None:
        os.environ["PENSTOCK_HOME"] = before


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZUREML_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def workspace(service_home: Path, request: pytest.FixtureRequest) -> object:
    from azureml.core import Workspace

    name = "w" + str(abs(hash(request.node.nodeid)) % 10**12)
    return Workspace.create(name, subscription_id="sub", resource_group="group", exist_ok=True, show_output=False)


@pytest.fixture
def experiment(workspace: object) -> object:
    from azureml.core import Experiment

    return Experiment(workspace, "experiment")
