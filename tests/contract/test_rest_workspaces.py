from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from penstock.model.errors import AlreadyExists, Invalid, NotFound, Refused, Unavailable


def test_workspace_is_found_whatever_the_case(rest: Any) -> None:
    made = rest.client.resolve_workspace("Sub-1", "Group", "Name")
    again = rest.client.resolve_workspace("SUB-1", "group", "nAME")
    assert again == made
    assert (made["name"], made["subscription_id"], made["resource_group"], made["location"]) == ("Name", "Sub-1", "Group", "local")


def test_workspace_that_must_not_be_made(rest: Any) -> None:
    with pytest.raises(NotFound, match="no workspace 'nowhere'"):
        rest.client.resolve_workspace("s", "g", "nowhere", create=False)


def test_workspace_name_is_taken(rest: Any) -> None:
    made = rest.client.create_workspace("taken", "s", "g", location="north", tags={"a": 1}, details={"friendly_name": "T"})
    assert (made["tags"], made["details"], made["location"]) == ({"a": "1"}, {"friendly_name": "T"}, "north")
    with pytest.raises(AlreadyExists, match="'TAKEN' exists already"):
        rest.client.create_workspace("TAKEN", "S", "G")
    assert rest.client.create_workspace("taken", "s", "g", exist_ok=True)["id"] == made["id"]
    assert [item["id"] for item in rest.client.list_workspaces("S", "G") if item["name"] == "taken"] == [made["id"]]


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\nb", "x" * 300])
def test_workspace_name_that_is_none(rest: Any, name: str) -> None:
    with pytest.raises(Invalid):
        rest.client.create_workspace(name, "s", "g")


def test_default_workspace(rest: Any) -> None:
    found = rest.client.default_workspace()
    assert found == rest.client.default_workspace()
    assert (found["name"], found["resource_group"], found["location"]) == ("default", "local", "local")
    assert found["subscription_id"] == "00000000-0000-0000-0000-000000000000"


def test_workspace_changes_and_goes(rest: Any) -> None:
    rest.client.update_workspace(rest.workspace_id, tags={"a": "1"}, details={"description": "d"})
    found = rest.client.update_workspace(rest.workspace_id, tags={"b": None})
    assert (found["tags"], found["details"]) == ({"a": "1", "b": None}, {"description": "d"})
    run = rest.client.create_run(rest.workspace_id, "e")
    with pytest.raises(Refused, match="1 runs that go on"):
        rest.client.delete_workspace(rest.workspace_id)
    rest.client.set_run_status(run["id"], "Completed")
    rest.client.delete_workspace(rest.workspace_id)
    with pytest.raises(NotFound):
        rest.client.get_workspace(rest.workspace_id)


def test_deleted_workspace_leaves_nothing_but_data(rest: Any, chain: Any) -> None:
    kept = rest.client.create_workspace("kept", "s", "g")["id"]
    other = rest.client.create_run(kept, "e")["id"]
    runs = [rest.client.create_run(rest.workspace_id, "e")["id"] for _ in range(3)]
    below = rest.client.create_run(kept, "e", parent_run_id=runs[0])["id"]
    data = Path(rest.client.get_datastore(rest.workspace_id, "workspaceblobstore")["root"]) / "data.csv"
    data.write_text("1,2")
    for run_id in (*runs, below, other):
        rest.write(run_id, "files/model", b"m")
    with pytest.raises(Refused, match="4 runs that go on"):
        rest.client.delete_workspace(rest.workspace_id)
    for run_id in (*runs, below):
        rest.client.set_run_status(run_id, "Completed")
    rest.client.delete_workspace(rest.workspace_id)
    assert [run_id for run_id in (*runs, below, other) if rest.home.run_folder(run_id).exists()] == [other]
    assert rest.context.database.first("select count(*) as left from events where run_id <> ?", (other,)) == {"left": 0}
    assert rest.client.follow_run(other)["events"]
    assert data.read_text() == "1,2"
    deadline = time.monotonic() + 10
    while (rest.home.path / "discarded").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_workspace_whose_folders_can_not_be_made(rest: Any) -> None:
    aside = rest.home.workspaces.rename(rest.home.path / "aside")
    rest.home.workspaces.write_text("in the way")
    try:
        with pytest.raises(Unavailable, match=r"The folder .*workspaces/odd-.* of the workspace 'odd' can't be made: Not a directory"):
            rest.client.create_workspace("odd", "s", "g")
    finally:
        rest.home.workspaces.unlink()
        aside.rename(rest.home.workspaces)
    with pytest.raises(NotFound):
        rest.client.resolve_workspace("s", "g", "odd", create=False)


def test_folders_are_made_outside_of_the_transaction(rest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, inside = Path.mkdir, []

    def mkdir(path: Path, *args: Any, **more: Any) -> None:
        inside.append(rest.context.database._writer.in_transaction)
        real(path, *args, **more)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    rest.client.create_workspace("quick", "s", "g")
    assert inside
    assert not any(inside)


# Experiments


def test_experiment_is_made_once(rest: Any) -> None:
    made = rest.client.ensure_experiment(rest.workspace_id, "first try")
    assert rest.client.ensure_experiment(rest.workspace_id, "first try") == made
    assert (made["name"], made["tags"], made["archived_at"]) == ("first try", {}, None)


def test_experiment_is_archived_and_comes_back(rest: Any) -> None:
    made = rest.client.ensure_experiment(rest.workspace_id, "e")
    rest.client.update_experiment(made["id"], tags={"a": "1", "b": "2"}, archived=True)
    assert rest.client.list_experiments(rest.workspace_id) == []
    assert len(rest.client.list_experiments(rest.workspace_id, include_archived=True)) == 1
    found = rest.client.update_experiment(made["id"], remove_tags=["a"], archived=False)
    assert (found["tags"], found["archived_at"]) == ({"b": "2"}, None)


def test_experiment_with_runs_stays(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")
    with pytest.raises(Refused, match="has 1 runs"):
        rest.client.delete_experiment(run["experiment_id"])
    empty = rest.client.ensure_experiment(rest.workspace_id, "empty")
    rest.client.delete_experiment(empty["id"])
    with pytest.raises(NotFound):
        rest.client.delete_experiment(empty["id"])


def test_experiment_of_no_workspace(rest: Any) -> None:
    with pytest.raises(NotFound, match="no workspace"):
        rest.client.ensure_experiment("nowhere", "e")


# Datastores


def test_built_in_datastores(rest: Any) -> None:
    found = {item["name"]: item for item in rest.client.list_datastores(rest.workspace_id)}
    folder = rest.client.get_workspace(rest.workspace_id)["folder"]
    assert {name: item["type"] for name, item in found.items()} == {
        "workspaceblobstore": "AzureBlob",
        "workspacefilestore": "AzureFile",
        "workspaceartifactstore": "AzureBlob",
        "workspaceworkingdirectory": "AzureFile",
    }
    assert all(item["root"] == f"{folder}/{name}" and Path(item["root"]).is_dir() for name, item in found.items())
    assert rest.client.get_default_datastore(rest.workspace_id)["name"] == "workspaceblobstore"


def test_datastore_is_registered_and_replaced(rest: Any, tmp_path: Path) -> None:
    made = rest.client.register_datastore(rest.workspace_id, "mine", "Custom", root=str(tmp_path / "new" / "folder"), definition={"k": 1})
    assert Path(made["root"]).is_dir()
    with pytest.raises(AlreadyExists, match="overwrite=True"):
        rest.client.register_datastore(rest.workspace_id, "mine", "Custom")
    found = rest.client.register_datastore(rest.workspace_id, "mine", "AzureSqlDatabase", overwrite=True)
    assert (found["type"], found["root"], found["definition"]) == ("AzureSqlDatabase", None, {})


def test_datastore_root_must_be_a_folder(rest: Any, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="absolute path"):
        rest.client.register_datastore(rest.workspace_id, "mine", "Custom", root="here")
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="can't be used"):
        rest.client.register_datastore(rest.workspace_id, "mine", "Custom", root=str(tmp_path / "file" / "below"))


def test_default_datastore_moves_and_is_kept(rest: Any) -> None:
    rest.client.set_default_datastore(rest.workspace_id, "workspacefilestore")
    assert [item["name"] for item in rest.client.list_datastores(rest.workspace_id) if item["is_default"]] == ["workspacefilestore"]
    with pytest.raises(Refused, match="default datastore"):
        rest.client.unregister_datastore(rest.workspace_id, "workspacefilestore")
    rest.client.unregister_datastore(rest.workspace_id, "workspaceblobstore")
    with pytest.raises(NotFound):
        rest.client.get_datastore(rest.workspace_id, "workspaceblobstore")


def test_misspelt_datastore(rest: Any) -> None:
    with pytest.raises(NotFound, match="Did you mean 'workspaceblobstore'"):
        rest.client.get_datastore(rest.workspace_id, "workspacblobstore")


# Compute targets


def test_compute_target_lives(rest: Any) -> None:
    made = rest.client.put_compute_target(rest.workspace_id, "cpu-cluster", "AmlCompute", {"max_nodes": 4, "vm_size": "D2"})
    assert (made["type"], made["definition"], made["active_runs"]) == ("AmlCompute", {"max_nodes": 4, "vm_size": "D2"}, 0)
    with pytest.raises(AlreadyExists):
        rest.client.put_compute_target(rest.workspace_id, "cpu-cluster", "AmlCompute", {})
    changed = rest.client.put_compute_target(rest.workspace_id, "cpu-cluster", "AmlCompute", {"max_nodes": 2}, overwrite=True)
    assert changed["created_at"] == made["created_at"] < changed["modified_at"]
    with pytest.raises(NotFound, match="Did you mean 'cpu-cluster'"):
        rest.client.get_compute_target(rest.workspace_id, "cpu-clster")
    rest.client.delete_compute_target(rest.workspace_id, "cpu-cluster")
    assert rest.client.list_compute_targets(rest.workspace_id) == []


@pytest.mark.parametrize("nodes", [-1, 0, "four", True, 1.5])
def test_compute_target_with_odd_nodes(rest: Any, nodes: Any) -> None:
    with pytest.raises(Invalid, match="max_nodes"):
        rest.client.put_compute_target(rest.workspace_id, "c", "AmlCompute", {"max_nodes": nodes})


def test_local_is_reserved(rest: Any) -> None:
    with pytest.raises(Invalid, match="reserved"):
        rest.client.put_compute_target(rest.workspace_id, "Local", "AmlCompute", {})


# Environments


def test_same_content_keeps_its_version(rest: Any) -> None:
    def register(definition: dict[str, Any], version: str | None = None) -> str:
        return str(rest.client.register_environment(rest.workspace_id, "env", definition, version)["version"])

    assert register({"python": 1, "name": "env"}) == "1"
    assert register({"python": 1, "name": "other", "version": "9"}) == "1"
    assert register({"python": 2}) == "2"
    assert register({"python": 1}) == "3"
    assert register({"python": 3}, "10") == "10"
    assert register({"python": 4}) == "11"
    assert register({"python": 5}, "final") == "final"
    assert rest.client.get_environment(rest.workspace_id, "env")["version"] == "11"
    assert rest.client.get_environment(rest.workspace_id, "env", "2")["definition"] == {"python": 2}
    assert [item["version"] for item in rest.client.list_environments(rest.workspace_id)] == ["11"]
    assert register({"python": 6}, "10") == "12", "what was fetched as version 10 and changed is the next one"


def test_misspelt_environment(rest: Any) -> None:
    rest.client.register_environment(rest.workspace_id, "training", {})
    with pytest.raises(NotFound, match="Did you mean 'training'"):
        rest.client.get_environment(rest.workspace_id, "trainin")
    with pytest.raises(NotFound, match="no version '7'"):
        rest.client.get_environment(rest.workspace_id, "training", "7")
