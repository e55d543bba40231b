"""Remote datastores as scripts use them: registered, filled, read and forgotten, through a real service, on Azurite and on an S3 server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wait_until
from tests.parts.proxy import proxy_to

from azureml.core import Datastore
from azureml.data.azure_storage_datastore import AzureBlobDatastore
from azureml.data.remote_datastores import FsspecDatastore, S3Datastore
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import PortDataReference
from penstock.client.home import Home
from penstock.persistence.database import Database

pytest.importorskip("fsspec")


@pytest.fixture(params=["blob", "blob-sas", "s3", "fsspec"])
def far(request: pytest.FixtureRequest, workspace: Any) -> Callable[[], Any]:
    """A datastore on a server."""
    kind = request.param
    server = request.getfixturevalue("azurite" if kind.startswith("blob") else "s3_server")
    if kind == "s3":
        about = {"endpoint_url": server.endpoint, "access_key_id": server.key, "secret_access_key": server.secret}
        return Datastore.register_s3(workspace, "far", server.new_bucket(), prefix="a folder/", **about)
    if kind == "fsspec":
        return Datastore.register_fsspec(workspace, "far", f"s3://{server.new_bucket()}/deep", **server.options)
    container = server.new_container()
    secret = {"account_key": server.account_key} if kind == "blob" else {"sas_token": f"?{server.sas_token(container)}"}
    return Datastore.register_azure_blob_container(workspace, "far", container, server.account_name, endpoint=server.endpoint, **secret)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of the user."""
    folder = tmp_path / "source"
    for name, text in {"a.txt": "a", "in/b.txt": "bb", "in/deep/grün [1].txt": "ccc", "empty": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_goes_up_and_comes_back(far: Any, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = far.upload(str(source), "/../data", show_progress=False)
    assert (reference.path_on_datastore, capsys.readouterr().out) == ("data", "")
    assert far.download(str(tmp_path / "got"), prefix="data") == 4
    assert names_below(tmp_path / "got" / "data") == names_below(source)
    assert (tmp_path / "got" / "data" / "in" / "deep" / "grün [1].txt").read_text() == "ccc"
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Downloading an estimated total of 4 files"
    assert sum(line.startswith("Downloading data/") for line in printed) == 4
    assert any(line.endswith("4 files out of an estimated total of 4") for line in printed)
    assert printed[-1] == "Download is complete: 4 files"


def test_what_is_there_is_skipped_unless_overwritten(far: Any, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    far.upload_files([str(source / "a.txt")], target_path="x", show_progress=False)
    (source / "a.txt").write_text("new")
    far.upload_files([str(source / "a.txt"), str(source / "empty")], target_path="x")
    printed = capsys.readouterr().out
    assert "Skipping the upload of x/a.txt" in printed
    assert printed.splitlines()[-1] == "Upload is complete: 1 file"
    assert far.download(str(tmp_path / "got"), show_progress=False) == 2
    assert (tmp_path / "got" / "x" / "a.txt").read_text() == "a"
    far.upload_files([str(source / "a.txt")], target_path="x", overwrite=True, show_progress=False)
    assert far.download(str(tmp_path / "got"), show_progress=False) == 0
    assert far.download(str(tmp_path / "got"), overwrite=True, show_progress=False) == 2
    assert (tmp_path / "got" / "x" / "a.txt").read_text() == "new"


def test_a_prefix_is_a_text(far: Any, source: Path, tmp_path: Path) -> None:
    for place in ("out", "out2", "other"):
        far.upload_files([str(source / "a.txt")], target_path=place, show_progress=False)
    assert far.download(str(tmp_path / "one"), prefix="out", show_progress=False) == 2
    assert far.download(str(tmp_path / "two"), prefix="out/", show_progress=False) == 1
    assert far.download(str(tmp_path / "none"), prefix="nowhere", show_progress=False) == 0


def test_produced_data_is_downloaded_and_nothing_beside_it(far: Any, source: Path, tmp_path: Path) -> None:
    far.upload(str(source), "azureml/run/out", show_progress=False)
    far.upload(str(source), "azureml/run/out2", show_progress=False)
    produced = PortDataReference(None, "run", far.path("azureml/run/out"))
    assert produced.download(str(tmp_path / "got")) == 4
    assert names_below(tmp_path / "got" / "azureml" / "run") == [f"out/{name}" for name in names_below(source)]


def test_the_right_class_comes_back_without_its_secrets(far: Any, workspace: Any, home: Path) -> None:
    found = Datastore.get(workspace, "far")
    assert type(found) is type(far)
    secrets = workspace._client.get_datastore_secrets(workspace._id, "far")
    assert secrets
    record = workspace._client.get_datastore(workspace._id, "far")
    assert (record["secret_names"], record["is_remote"], record["root"]) == (sorted(secrets), True, None)
    shown = f"{found!r} {found.__dict__} {record}"
    assert not [name for name, value in secrets.items() if len(value) > 8 and value in shown]
    if isinstance(found, AzureBlobDatastore):
        assert found.credential_type == ("Sas" if found.is_sas else "AccountKey")
        assert (found.sas_token if found.is_sas else found.account_key) in secrets.values()
    elif isinstance(found, S3Datastore):
        assert (found.access_key_id, found.secret_access_key) == (secrets["access_key_id"], secrets["secret_access_key"])
    else:
        assert isinstance(found, FsspecDatastore)
        assert set(secrets) == {"key", "secret"}


def test_secrets_lie_nowhere_in_clear_and_go_with_their_datastore(far: Any, workspace: Any, home: Path, source: Path) -> None:
    secrets = list(workspace._client.get_datastore_secrets(workspace._id, "far").values())
    far.upload(str(source), show_progress=False)
    far.unregister()
    for path in [path for path in home.rglob("*") if path.is_file() and not path.is_socket()]:
        data = path.read_bytes()
        assert not [path for secret in secrets if len(secret) > 8 and secret.encode() in data]
    database = Database(Home(home).database)
    assert database.all("select * from secrets") == []
    database.close()
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_container_is_made_when_it_is_first_written_to(azurite: Any, workspace: Any, source: Path, tmp_path: Path) -> None:
    about = {"account_key": azurite.account_key, "endpoint": azurite.endpoint}
    made = Datastore.register_azure_blob_container(
        workspace, "made", "not-there-yet", azurite.account_name, create_if_not_exists=True, **about
    )
    made.upload(str(source), show_progress=False)
    assert azurite.names("not-there-yet") == names_below(source)
    other = Datastore.register_azure_blob_container(workspace, "other", "never-there", azurite.account_name, **about)
    for use in (lambda: other.upload(str(source), show_progress=False), lambda: other.download(str(tmp_path / "got"))):
        with pytest.raises(Exception, match=r"'other' can't be .*no 'never-there'"):
            use()


def test_a_wrong_key_is_named_and_not_shown(azurite: Any, workspace: Any, source: Path) -> None:
    wrong = Datastore.register_azure_blob_container(
        workspace,
        "wrong",
        azurite.new_container(),
        azurite.account_name,
        account_key="c2VjcmV0LXRoYXQtaXMtd3Jvbmc=",
        endpoint=azurite.endpoint,
    )
    with pytest.raises(Exception, match="'wrong'") as caught:
        wrong.upload(str(source), show_progress=False)
    assert "c2VjcmV0" not in str(caught.value)


def test_kinds_that_nothing_reaches_say_so_when_they_are_used(workspace: Any, source: Path, tmp_path: Path) -> None:
    share = Datastore.register_azure_file_share(workspace, "share", "share", "account")
    with pytest.raises(UserErrorException, match="'share' is an Azure file share"):
        share.upload(str(source))
    for name, store in {
        "gen1": Datastore.register_azure_data_lake(workspace, "gen1", "store"),
        "dbfs": Datastore.register_dbfs(workspace, "dbfs"),
    }.items():
        assert Datastore.get(workspace, name).datastore_type == store.datastore_type
        with pytest.raises(Exception, match=rf"(?s)'{name}' is .*(Gen1|Databricks).*datastore_redirects"):
            workspace._client.list_files_on(workspace._id, name)


UPLOAD = """
import sys
from azureml.core import Datastore, Workspace

workspace = Workspace.get("testing", subscription_id="sub", resource_group="group")
Datastore.get(workspace, "far").upload(sys.argv[1], "data")
"""


def test_ctrl_c_ends_an_upload(s3_server: Any, workspace: Any, source: Path) -> None:
    bucket = s3_server.new_bucket()
    with proxy_to(s3_server.port) as proxy:
        proxy.stalled.set()
        about = {"endpoint_url": f"http://127.0.0.1:{proxy.port}", "access_key_id": s3_server.key, "secret_access_key": s3_server.secret}
        Datastore.register_s3(workspace, "far", bucket, **about)
        script = subprocess.Popen([sys.executable, "-c", UPLOAD, str(source)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        wait_until(lambda: proxy.connections)
        script.send_signal(signal.SIGINT)
        _, trouble = script.communicate(timeout=30)
    assert (script.returncode, "KeyboardInterrupt" in trouble) == (-signal.SIGINT, True)
    assert s3_server.names(bucket) == []


def test_a_download_that_is_cut_leaves_nothing_half(s3_server: Any, workspace: Any, source: Path, tmp_path: Path) -> None:
    bucket = s3_server.new_bucket()
    s3_server.client().put_object(Bucket=bucket, Key="large", Body=b"x" * 3_000_000)
    with proxy_to(s3_server.port) as proxy:
        about = {"endpoint_url": f"http://127.0.0.1:{proxy.port}", "access_key_id": s3_server.key, "secret_access_key": s3_server.secret}
        far = Datastore.register_s3(workspace, "far", bucket, **about)
        proxy.cut(1_000_000, times=1)
        assert far.download(str(tmp_path / "got"), show_progress=False) == 1
    assert (tmp_path / "got" / "large").stat().st_size == 3_000_000
    assert names_below(tmp_path / "got") == ["large"]


def test_a_cloud_script_runs_offline_where_an_operator_says_so(home: Path, source: Path, tmp_path: Path) -> None:
    from azureml.core import Workspace

    places = {"acc/box": str(tmp_path / "box"), "share": f"file://{tmp_path}/share"}
    (home / "settings.json").write_text(json.dumps({"datastore_redirects": places}))
    workspace = Workspace.get("testing", subscription_id="sub", resource_group="group")
    blob = Datastore.register_azure_blob_container(workspace, "mine", "box", "acc", account_key="a2V5")
    share = Datastore.register_azure_file_share(workspace, "share", "files", "acc")
    for store, folder in ((blob, "box"), (share, "share")):
        store.upload(str(source), "data", show_progress=False)
        assert names_below(tmp_path / folder / "data") == names_below(source)
        assert store.download(str(tmp_path / "got" / folder), prefix="data/in", show_progress=False) == 2
    record = workspace._client.get_datastore(workspace._id, "mine")
    assert (record["redirected_to"], record["is_remote"]) == (str(tmp_path / "box"), False)
    assert (blob.account_name, blob.container_name, blob.account_key) == ("acc", "box", "a2V5")
