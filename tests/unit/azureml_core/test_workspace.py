"""Workspaces, experiments and datastores against a real service."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Datastore, Experiment, Workspace
from azureml.core import _workspace_compute as module
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.data.azure_storage_datastore import AbstractAzureStorageDatastore, AzureBlobDatastore, AzureFileDatastore
from azureml.exceptions import ServiceException, UserErrorException, WorkspaceException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

DETAILS = """id name identity location type tags sku workspaceid sdkTelemetryAppInsightsKey description friendlyName creationTime
containerRegistry keyVault applicationInsights storageAccount hbiWorkspace allowPublicAccessWhenBehindVnet provisioningState
imageBuildCompute discoveryUrl notebookInfo"""


def test_no_configuration_means_the_default_workspace(service_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    module.TOLD.clear()
    first, second = Workspace.from_config(), Workspace.from_config()
    assert first._id == second._id
    assert (first.name, first.location) == ("default", "local")
    assert caplog.text.count("default local workspace") == 1


def test_an_azure_configuration_names_a_local_workspace(service_home: Path, tmp_path: Path) -> None:
    (tmp_path / ".azureml").mkdir()
    names = {"subscription_id": "AbC-1", "resource_group": "Group", "workspace_name": "cloudy-ws"}
    (tmp_path / ".azureml" / "config.json").write_text(json.dumps(names))
    (tmp_path / "deep").mkdir()
    found = Workspace.from_config(tmp_path / "deep")
    assert (found.subscription_id, found.resource_group, found.name) == ("AbC-1", "Group", "cloudy-ws")
    assert Workspace("abc-1", "group", "cloudy-ws")._id == found._id
    assert Workspace.get("cloudy-ws")._id == found._id


def test_create_and_write_config(service_home: Path) -> None:
    made = Workspace.create("made-here", tags={"team": "a"}, location="westeurope")
    assert made.location == "westeurope"
    assert made.tags["team"] == "a"
    assert "createdByToolkit" in made.tags
    with pytest.raises(WorkspaceException, match="made-here"):
        Workspace.create("made-here")
    assert Workspace.create("made-here", exist_ok=True)._id == made._id
    made.write_config()
    assert Workspace.from_config()._id == made._id
    assert made._id in {item._id for items in Workspace.list(made.subscription_id).values() for item in items}


@pytest.mark.parametrize("name", ["ab", "has space", "_first", "x" * 34, ""])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(UserErrorException):
        Workspace.create(name)


def test_details_have_every_key(workspace: Any) -> None:
    details = workspace.get_details()
    assert sorted(details) == sorted(DETAILS.split())
    assert details["storageAccount"].split("/")[-1]
    assert workspace.update(friendly_name="Friendly", description="words")["friendlyName"] == "Friendly"
    assert repr(workspace).startswith(f"Workspace.create(name='{workspace.name}'")


def test_compute_target_is_made_when_indexed(workspace: Any, caplog: pytest.LogCaptureFixture) -> None:
    targets = workspace.compute_targets
    assert "gpu-cluster" not in targets
    assert targets.get("gpu-cluster") is None
    assert targets["gpu-cluster"].name == "gpu-cluster"
    assert list(workspace.compute_targets) == ["gpu-cluster"]
    assert "gpu-cluster" in caplog.text
    assert workspace.get_default_compute_target("GPU").name == "gpu-cluster"
    assert workspace.get_default_compute_target("CPU") is None


def pipeline_on(workspace: Any, *targets: str) -> Pipeline:
    Path("train.py").touch()
    return Pipeline(workspace, [PythonScriptStep("train.py", name=name, compute_target=name) for name in targets])


def test_compute_targets_of_steps_are_made_where_the_user_made_none(workspace: Any, caplog: pytest.LogCaptureFixture) -> None:
    pipeline_on(workspace, "cpu-cluster", "gpu-cluster", "cpu-cluster")
    assert sorted(workspace.compute_targets) == ["cpu-cluster", "gpu-cluster"]
    assert caplog.text.count(f"The workspace '{workspace.name}' had no compute target 'cpu-cluster'") == 1
    assert workspace.compute_targets["nights"].name == "nights"
    with pytest.raises(ValueError, match=r"'cpu-clutser', which does not exist .*Did you mean 'cpu-cluster'"):
        pipeline_on(workspace, "cpu-clutser")
    with pytest.raises(ValueError, match=r"'no name', which does not exist .*can't name a compute target"):
        pipeline_on(workspace, "no name")
    pipeline_on(workspace, "local")
    assert sorted(workspace.compute_targets) == ["cpu-cluster", "gpu-cluster", "nights"]


def test_compute_targets_of_steps_must_exist_where_the_user_made_one(workspace: Any) -> None:
    ComputeTarget.create(workspace, "cpu-cluster", AmlCompute.provisioning_configuration(max_nodes=1))
    for name in ("gpu-cluster", "nights"):
        with pytest.raises(ValueError, match=f"'{name}', which does not exist in the workspace .*cpu-cluster"):
            pipeline_on(workspace, name)
    assert list(workspace.compute_targets) == ["cpu-cluster"]


def test_copies_share_the_workspace(workspace: Any) -> None:
    held = {"store": workspace.get_default_datastore(), "ws": workspace}
    assert copy.deepcopy(held)["ws"] is workspace
    assert copy.deepcopy(held)["store"].workspace is workspace


def test_later_collections_are_empty(workspace: Any) -> None:
    for name in ("datasets", "models", "images", "webservices", "linked_services", "private_endpoints"):
        assert getattr(workspace, name) == {}
    with pytest.raises(NotImplementedError, match="list_keys"):
        workspace.list_keys()


def test_experiments(workspace: Any) -> None:
    experiment = Experiment(workspace, "one")
    assert Experiment(workspace, "one").id == experiment.id
    experiment.tag("k", "v")
    experiment.set_tags({"n": 1})
    assert Experiment(workspace, "one").tags == {"k": "v", "n": "1"}
    experiment.remove_tags(["k"])
    assert experiment.tags == {"n": "1"}
    assert [item.name for item in Experiment.list(workspace, tags={"n": "1"})] == ["one"]
    experiment.archive()
    assert workspace.experiments == {}
    assert experiment.archived_time.tzinfo is not None
    assert [item.name for item in Experiment.list(workspace, view_type="ArchivedOnly")] == ["one"]
    experiment.reactivate()
    assert list(workspace.experiments) == ["one"]
    assert experiment.get_portal_url().endswith(f"/workspaces/{workspace.name}")
    with pytest.raises(UserErrorException, match="keep their names"):
        experiment.reactivate("two")
    with pytest.raises(UserErrorException):
        Experiment(workspace, "no spaces please")
    with pytest.raises(ValueError, match="tags"):
        experiment.get_runs(tags=["x"])


def test_built_in_datastores(workspace: Any) -> None:
    stores = workspace.datastores
    assert sorted(stores) == ["workspaceartifactstore", "workspaceblobstore", "workspacefilestore", "workspaceworkingdirectory"]
    assert isinstance(stores["workspaceblobstore"], AzureBlobDatastore)
    assert isinstance(Datastore(workspace, "workspacefilestore"), AzureFileDatastore)
    assert workspace.get_default_datastore().name == "workspaceblobstore"
    Datastore.get(workspace, "workspacefilestore").set_as_default()
    assert Datastore(workspace).name == "workspacefilestore"
    with pytest.raises(UserErrorException, match="workspacefilestor'"):
        Datastore.get(workspace, "workspacefilestor")


def test_files_go_up_and_come_back(workspace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = workspace.get_default_datastore()
    (tmp_path / "src" / "in").mkdir(parents=True)
    (tmp_path / "src" / "a.txt").write_text("a")
    (tmp_path / "src" / "in" / "b.txt").write_text("b")
    reference = store.upload(str(tmp_path / "src"), "/../up", show_progress=False)
    assert reference.path_on_datastore == "up"
    assert capsys.readouterr().out == ""
    store.upload_files([str(tmp_path / "src" / "a.txt")], target_path="single")
    assert "a.txt" in capsys.readouterr().out
    assert store.download(str(tmp_path / "got"), prefix="up") == 2
    assert (tmp_path / "got" / "up" / "in" / "b.txt").read_text() == "b"
    assert store.download(str(tmp_path / "got"), prefix="up", show_progress=False) == 0
    assert store.download(str(tmp_path / "all"), show_progress=False) == 3
    assert (tmp_path / "all" / "single" / "a.txt").is_file()


def test_existing_files_are_skipped_unless_overwritten(workspace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = workspace.get_default_datastore()
    file = tmp_path / "a.txt"
    file.write_text("old")
    store.upload_files([str(file)])
    file.write_text("new")
    store.upload_files([str(file)])
    assert "Skipping" in capsys.readouterr().out
    store.download(str(tmp_path / "got"), show_progress=False)
    assert (tmp_path / "got" / "a.txt").read_text() == "old"
    store.upload_files([str(file)], overwrite=True)
    store.download(str(tmp_path / "got"), overwrite=True, show_progress=False)
    assert (tmp_path / "got" / "a.txt").read_text() == "new"


def test_bad_uploads_are_refused(workspace: Any, tmp_path: Path) -> None:
    store = workspace.get_default_datastore()
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(UserErrorException, match="not a folder"):
        store.upload(str(tmp_path / "a.txt"))
    with pytest.raises(UserErrorException, match="there is no file"):
        store.upload_files([str(tmp_path / "b.txt")])
    with pytest.raises(UserErrorException, match="not below relative_root"):
        store.upload_files([str(tmp_path / "a.txt")], relative_root=str(tmp_path / "elsewhere"))


def test_a_folder_becomes_a_datastore(workspace: Any, tmp_path: Path) -> None:
    store = Datastore.register_local(workspace, "folder", tmp_path / "store")
    (tmp_path / "a.txt").write_text("a")
    store.upload_files([str(tmp_path / "a.txt")], target_path="x", show_progress=False)
    assert (tmp_path / "store" / "x" / "a.txt").is_file()
    assert isinstance(Datastore(workspace, "folder"), AbstractAzureStorageDatastore)
    with pytest.raises(ServiceException) as caught:
        Datastore.register_local(workspace, "folder", tmp_path)
    assert caught.value.status_code == 409
    store.unregister()
    assert "folder" not in workspace.datastores
    assert (tmp_path / "store" / "x" / "a.txt").is_file()


def test_secrets_of_remote_stores_are_asked_for_when_they_are_read(workspace: Any, caplog: pytest.LogCaptureFixture) -> None:
    made = Datastore.register_azure_blob_container(workspace, "Remote", "box", account_name="acc", account_key="c2VjcmV0")
    assert made.account_key == "c2VjcmV0"
    assert "Remote" in caplog.text
    found = Datastore(workspace, "remote")
    assert (found.container_name, found.account_name, found.account_key, found.sas_token) == ("box", "acc", "c2VjcmV0", None)
    assert (found.credential_type, found.is_sas) == ("AccountKey", False)
    assert "c2VjcmV0" not in json.dumps(workspace._client.list_datastores(workspace._id)) + repr(made) + repr(vars(made))
    assert found.path("x").path_on_datastore == "x"
    with pytest.raises(NotImplementedError, match=r"blob_service.*upload_files"):
        found.blob_service  # noqa: B018
    found.account_key = "mine"
    assert (found.account_key, Datastore(workspace, "remote").account_key) == ("mine", "c2VjcmV0")


def test_other_kinds_have_their_classes(workspace: Any, tmp_path: Path) -> None:
    assert Datastore.register_azure_data_lake_gen2(workspace, "lake", "fs", "acc").container_name == "fs"
    assert Datastore.register_azure_data_lake(workspace, "lake1", "store").store_name == "store"
    sql = Datastore.register_azure_sql_database(workspace, "sql", "server", "base", password="p")  # noqa: S106
    assert (sql.server_name, sql.datastore_type) == ("server", "AzureSqlDatabase")
    assert Datastore.register_azure_postgre_sql(workspace, "pg", "server", "base", "u", "p").enforce_ssl is True
    assert Datastore.register_azure_my_sql(workspace, "my", "server", "base", "u", "p").database_name == "base"
    assert Datastore.register_dbfs(workspace, "dbfs").datastore_type == "DBFS"
    (tmp_path / "cert").write_text("certificate")
    about = (workspace, "hdfs", "https", "name:50070", str(tmp_path / "cert"), "r", "k", "p")
    hdfs = Datastore.register_hdfs(*about, kerberos_password="x")  # noqa: S106
    assert (hdfs.namenode_address, hdfs.credential_type, hdfs.credential_value) == ("name:50070", "KerberosPassword", "x")
    with pytest.raises(UserErrorException, match="keytab can't be read"):
        Datastore.register_hdfs(*about, kerberos_keytab=str(tmp_path / "keytab"), overwrite=True)
    assert not hasattr(sql, "upload")
    with pytest.raises(UserErrorException, match="client_secret"):
        Datastore.register_azure_data_lake_gen2(workspace, "lake2", "fs", "acc", tenant_id="t")
    with pytest.raises(UserErrorException, match="user_password"):
        Datastore.register_azure_my_sql(workspace, "my2", "s", "b", "u", "")
