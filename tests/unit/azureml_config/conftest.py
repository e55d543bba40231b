"""A workspace whose client keeps its rows in memory: enough for objects that only read and write records."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from azureml.core import _deprecation
from penstock.model.errors import NotFound

NOW = "2026-01-02T03:04:05.000006Z"


class MemoryClient:
    """The client's verbs for compute targets and environments, in memory."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.targets: Dict[str, Dict[str, Any]] = {}
        self.environments: Dict[str, List[Dict[str, Any]]] = {}
        self.runs: List[Dict[str, Any]] = []

    def list_compute_targets(self, workspace_id: str) -> List[Dict[str, Any]]:
        return list(self.targets.values())

    def get_compute_target(self, workspace_id: str, name: str) -> Dict[str, Any]:
        if name not in self.targets:
            raise NotFound.named("compute target", name, self.targets)
        return self.targets[name]

    def put_compute_target(self, workspace_id: str, name: str, type: str, definition: Dict[str, Any], overwrite: bool = False) -> None:
        times = {"created_at": NOW, "modified_at": NOW}
        self.targets[name] = {"name": name, "type": type, "definition": definition, "active_runs": 0, **times}

    def delete_compute_target(self, workspace_id: str, name: str) -> None:
        self.get_compute_target(workspace_id, name)
        del self.targets[name]

    def register_environment(self, workspace_id: str, name: str, definition: Dict[str, Any], version: Any = None) -> Dict[str, Any]:
        versions = self.environments.setdefault(name, [])
        if not versions or versions[-1]["definition"] != definition:
            versions.append({"name": name, "version": version or str(len(versions) + 1), "definition": definition})
        return versions[-1]

    def get_environment(self, workspace_id: str, name: str, version: Any = None) -> Dict[str, Any]:
        for record in reversed(self.environments.get(name, [])):
            if version in (None, record["version"]):
                return record
        raise NotFound.named("environment", name, self.environments)

    def list_environments(self, workspace_id: str) -> List[Dict[str, Any]]:
        return [versions[-1] for versions in self.environments.values()]

    def get_default_datastore(self, workspace_id: str) -> Dict[str, Any]:
        return {"name": "workspaceblobstore", "root": self.root}

    def list_runs(self, status: Any, target: str, **filters: Any) -> List[Dict[str, Any]]:
        return [run for run in self.runs if run["target"] == target and run["status"] in status]


class MemoryWorkspace:
    """A workspace around the client in memory."""

    name, subscription_id, resource_group, location = "default", "subscription", "local", "local"
    _id = "workspace-1"

    def __init__(self, root: str) -> None:
        self._client = MemoryClient(root)

    def get_run(self, run_id: str) -> str:
        return f"run {run_id}"

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        raise AssertionError("a copied configuration must not drag its workspace along")


@pytest.fixture
def workspace(tmp_path: Any) -> MemoryWorkspace:
    return MemoryWorkspace(str(tmp_path / "store"))


@pytest.fixture(autouse=True)
def _unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test hear the notes that are given once per process."""
    monkeypatch.setattr(_deprecation, "_said", set())
