"""The files of datasets on other machines: the same answers as for a folder of this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azureml.core import Datastore
from penstock.model.datasets import FILE, QUERY, TABULAR, Dataset, Parsing, Place, format_dataset
from penstock.model.errors import NotFound

pytest.importorskip("fsspec")

NAMES = ("in/a.csv", "in/deep/b.csv", "in/deep/c.txt")


@pytest.fixture(params=["azurite", "s3_server"])
def far(request: pytest.FixtureRequest, workspace: Any, tmp_path: Path) -> Any:
    """A datastore on a server, with some files."""
    server = request.getfixturevalue(request.param)
    if request.param == "azurite":
        about = {"account_key": server.account_key, "endpoint": server.endpoint}
        store = Datastore.register_azure_blob_container(workspace, "far", server.new_container(), server.account_name, **about)
    else:
        about = {"endpoint_url": server.endpoint, "access_key_id": server.key, "secret_access_key": server.secret}
        store = Datastore.register_s3(workspace, "far", server.new_bucket(), **about)
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    store.upload(str(tmp_path), show_progress=False)
    return store


def resolve(workspace: Any, *places: Place, **more: Any) -> Any:
    return workspace._client.resolve_dataset(workspace._id, format_dataset(Dataset(FILE, places, **more)))


def paths(found: Any) -> list[str]:
    return [item["path"] for item in found["files"]]


@pytest.mark.parametrize(
    ("path", "shown", "is_single"),
    [
        ("in", ["/a.csv", "/deep/b.csv", "/deep/c.txt"], False),
        ("in/**", ["/a.csv", "/deep/b.csv", "/deep/c.txt"], False),
        ("in/**/*.csv", ["/a.csv", "/deep/b.csv"], False),
        ("in/?.csv", ["/in/a.csv"], False),
        ("in/deep/c.txt", ["/c.txt"], True),
    ],
)
def test_files_on_a_server(far: Any, workspace: Any, path: str, shown: list[str], is_single: bool) -> None:
    found = resolve(workspace, Place("far", path))
    assert (paths(found), found["is_single"], found["folder"]) == (shown, is_single, None)
    for item in found["files"]:
        assert (item["local"], item["size"] > 0, item["token"].partition(":")[0] in ("md5", "etag")) == (None, True, True)


def test_several_places_on_a_server(far: Any, workspace: Any) -> None:
    found = resolve(workspace, *(Place("far", name) for name in reversed(NAMES)), partition_format="/{name}.*")
    assert paths(found) == [f"/{name}" for name in reversed(NAMES)]
    assert [item["partition"]["name"] for item in found["files"]] == ["c", "b", "a"]


def test_nothing_on_a_server(far: Any, workspace: Any) -> None:
    with pytest.raises(NotFound, match=r"There is no file 'in/b\.csv' on the datastore 'far'\. Did you mean 'in/a\.csv'\?"):
        resolve(workspace, Place("far", "in/b.csv"))
    with pytest.raises(NotFound, match=r"No file on the datastore 'far' fits 'in/\*\.json'\. The folder 'in' holds a\.csv\."):
        resolve(workspace, Place("far", "in/*.json"), Place("far", "in"))


def test_files_of_a_web_server(http_server: Any, workspace: Any) -> None:
    folder, url = http_server.new_folder()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(name)
    found = resolve(workspace, Place(url=f"{url}/a.csv?version=2"))
    assert (paths(found), found["is_single"]) == (["/a.csv"], True)
    found = resolve(workspace, Place(url=f"{url}/a.csv"), Place(url=f"{url}/b.csv"))
    assert paths(found) == [f"/{folder.name}/a.csv", f"/{folder.name}/b.csv"]
    with pytest.raises(NotFound, match=rf"{folder.name}/c\.csv' on the host '127\.0\.0\.1'"):
        resolve(workspace, Place(url=f"{url}/c.csv?version=2"))


def test_rows_of_a_query_are_one_file(postgres: Any, workspace: Any) -> None:
    database = postgres.new_database()
    postgres.execute("create table words (word text)", database)
    postgres.execute("insert into words values ('one'), ('two')", database)
    about = {"server_name": postgres.host, "port_number": postgres.port, "enforce_ssl": False, "database_name": database}
    secret = {"user_id": postgres.user, "user_password": postgres.password}
    Datastore.register_azure_postgre_sql(workspace, "words", **about, **secret)
    query = Dataset(TABULAR, (Place("words", query="select * from words"),), parsing=Parsing(QUERY))
    found = workspace._client.resolve_dataset(workspace._id, format_dataset(query))
    (file,) = found["files"]
    assert Path(file["local"]).read_bytes()[:4] == b"PAR1"
    assert file["token"].startswith("sha256:")
    assert not found["is_single"]
