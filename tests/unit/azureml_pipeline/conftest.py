"""A workspace that exists in memory only: building a pipeline asks a workspace for names, and for nothing else."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Dict

import pytest

from azureml.data.azure_storage_datastore import AzureBlobDatastore
from penstock.model.datasets import definition_hash


class Cluster:
    """A compute target object, as far as steps look at it."""

    type = "AmlCompute"

    def __init__(self, name: str) -> None:
        self.name = name


class Client:
    """What building a pipeline asks the service: to save datasets. Equal definitions have equal ids."""

    def __init__(self) -> None:
        self.saved: Dict[str, Any] = {}

    def save_dataset(self, workspace_id: str, document: Any) -> Any:
        identity = str(uuid.UUID(definition_hash(document)[:32]))
        self.saved[identity] = document
        return {"id": identity, "definition": document, "created_at": None, "registrations": []}

    def get_dataset(self, workspace_id: str, dataset_id: str) -> Any:
        return {"id": dataset_id, "definition": self.saved[dataset_id], "created_at": None, "registrations": []}


class Workspace:
    """What building a pipeline needs of a workspace."""

    name, subscription_id, resource_group, portal_url, _id = "unit", "sub", "group", "penstock://local", "w1"

    def __init__(self, root: Path, client: Any = None) -> None:
        self._client = client or Client()
        self.compute_targets: Dict[str, Any] = {"cpu-cluster": Cluster("cpu-cluster"), "gpu": Cluster("gpu")}
        self.store = AzureBlobDatastore(self, "workspaceblobstore", "container", "account")  # type: ignore[arg-type]
        self.store._known = {"name": "workspaceblobstore", "root": str(root / "store")}

    def get_default_datastore(self) -> Any:
        return self.store


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A source folder with the scripts prep.py and train.py."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("prep.py", "train.py"):
        (folder / name).write_text("print('hello')\n")
    return str(folder)
