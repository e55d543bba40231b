"""Transfers at the service's own door: to and from a folder, Azurite and an S3 server; and their ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import kill_service, wait_until
from tests.parts.proxy import proxy_to

from penstock.model.datasets import Dataset, Place, format_dataset
from penstock.model.errors import Invalid, NotFound, Refused, Unsupported
from penstock.operations.transfers import Transfers


@pytest.fixture(params=["folder", "azurite", "s3"])
def place(request: pytest.FixtureRequest, rest: Any, tmp_path: Path) -> str:
    """The name of an empty datastore."""
    kind = request.param
    if kind == "folder":
        rest.client.register_datastore(rest.workspace_id, "place", "Local", root=str(tmp_path / "root"))
        return "place"
    pytest.importorskip("fsspec")
    if kind == "s3":
        server = request.getfixturevalue("s3_server")
        about = {"bucket": server.new_bucket(), "endpoint_url": server.endpoint}
        secrets = {"access_key_id": server.key, "secret_access_key": server.secret}
        rest.client.register_datastore(rest.workspace_id, "place", "S3", definition=about, secrets=secrets)
    else:
        server = request.getfixturevalue("azurite")
        about = {"account_name": server.account_name, "container_name": server.new_container(), "endpoint": server.endpoint}
        rest.client.register_datastore(
            rest.workspace_id, "place", "AzureBlob", definition=about, secrets={"account_key": server.account_key}
        )
    return "place"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Files of the user: their paths on the datastore and on this machine."""
    found = {"a/one.txt": "1", "a/b/two.txt": "22", "c [x].txt": "333", "ab.txt": "4"}
    for name, text in found.items():
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_text(text)
    return {name: str(tmp_path / "from" / name) for name in found}


def upload(rest: Any, files: dict[str, str], **more: Any) -> Any:
    pairs = [[local, name] for name, local in files.items()]
    return rest.client.transfer(rest.workspace_id, "upload", datastore="place", files=pairs, **more)


def test_files_go_up_are_listed_and_come_back(rest: Any, place: str, files: dict[str, str], tmp_path: Path) -> None:
    events: list[Any] = []
    assert upload(rest, files, tell=events.append) == {"copied": 4, "skipped": 0}
    assert {(event["path"], event["what"]) for event in events} == {(name, what) for name in files for what in ("start", "done")}
    assert [event["sequence"] for event in events] == list(range(1, 9))
    listed = rest.client.list_files_on(rest.workspace_id, place)
    assert {item["path"]: item["size"] for item in listed} == {name: len(Path(local).read_text()) for name, local in files.items()}
    assert [item["path"] for item in rest.client.list_files_on(rest.workspace_id, place, "a")] == ["a/b/two.txt", "a/one.txt", "ab.txt"]
    assert [item["path"] for item in rest.client.list_files_on(rest.workspace_id, place, "a/")] == ["a/b/two.txt", "a/one.txt"]
    wanted = [[item["path"], str(tmp_path / "to" / item["path"]), item["size"], item["token"], item["modified_at"]] for item in listed]
    assert rest.client.transfer(rest.workspace_id, "download", datastore=place, files=wanted) == {"copied": 4, "skipped": 0}
    assert all((tmp_path / "to" / name).read_text() == Path(local).read_text() for name, local in files.items())


def test_what_is_there_is_skipped_unless_overwritten(rest: Any, place: str, files: dict[str, str], tmp_path: Path) -> None:
    upload(rest, {"ab.txt": files["ab.txt"]})
    events: list[Any] = []
    assert upload(rest, files, tell=events.append) == {"copied": 3, "skipped": 1}
    assert [event["path"] for event in events if event["what"] == "skipped"] == ["ab.txt"]
    assert upload(rest, files, overwrite=True) == {"copied": 4, "skipped": 0}
    (tmp_path / "ab.txt").write_text("mine")
    wanted = [["ab.txt", str(tmp_path / "ab.txt")], ["a/one.txt", str(tmp_path / "one.txt")]]
    assert rest.client.transfer(rest.workspace_id, "download", datastore=place, files=wanted) == {"copied": 1, "skipped": 1}
    assert (tmp_path / "ab.txt").read_text() == "mine"
    rest.client.transfer(rest.workspace_id, "download", datastore=place, files=wanted, overwrite=True)
    assert (tmp_path / "ab.txt").read_text() == "4"


def test_a_file_that_is_not_there(rest: Any, place: str, files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file 'no/such' on the datastore 'place'"):
        rest.client.transfer(rest.workspace_id, "download", datastore=place, files=[["no/such", str(tmp_path / "x")]])
    with pytest.raises(NotFound, match=r"nothing-here"):
        upload(rest, {"x": str(tmp_path / "nothing-here")})
    assert rest.client.list_files_on(rest.workspace_id, place) == []


def test_files_of_a_dataset_come_here(rest: Any, place: str, files: dict[str, str]) -> None:
    upload(rest, files)
    document = format_dataset(Dataset("file", (Place(datastore=place, path="a/**/*.txt"),)))
    found = rest.client.transfer(rest.workspace_id, "stage", dataset=document)
    assert [file["path"] for file in found["files"]] == ["/b/two.txt", "/one.txt"]
    assert [Path(file["local"]).read_text() for file in found["files"]] == ["22", "1"]
    nowhere = format_dataset(Dataset("file", (Place(datastore=place, path="nowhere/*.csv"),)))
    with pytest.raises(NotFound, match="nowhere"):
        rest.client.transfer(rest.workspace_id, "stage", dataset=nowhere)


@pytest.mark.parametrize(
    ("kind", "about", "error", "words"),
    [
        ("sideways", {}, Invalid, "There are: upload, download, list, stage"),
        ("upload", {}, Invalid, "must name its 'datastore'"),
        ("upload", {"datastore": "workspaceblobstor", "files": []}, NotFound, "Did you mean 'workspaceblobstore'"),
        ("upload", {"datastore": "workspaceblobstore"}, Invalid, "must be a list of pairs"),
        ("upload", {"datastore": "workspaceblobstore", "files": [["/a"]]}, Invalid, "must be a list of pairs"),
        ("upload", {"datastore": "workspaceblobstore", "files": [["/a", 1]]}, Invalid, "has no path"),
        ("upload", {"datastore": "workspaceblobstore", "files": [["a", "b"]]}, Invalid, "'a' on this machine must be absolute"),
        ("upload", {"datastore": "workspaceblobstore", "files": [["/a", "../b"]]}, Invalid, "leaves its folder"),
        ("upload", {"datastore": "workspaceblobstore", "files": [["/a\0", "b"]]}, Invalid, "has no path"),
        ("download", {"datastore": "workspaceblobstore", "files": [["b", "a"]]}, Invalid, "must be absolute"),
        ("download", {"datastore": "workspaceblobstore", "files": [["b", "/a", "big", ""]]}, Invalid, "has no size and token"),
        ("download", {"datastore": "workspaceblobstore", "files": [["../../etc/passwd", "/x", 1, ""]]}, Invalid, "leaves its folder"),
        ("list", {"datastore": "workspaceblobstore", "prefix": "../"}, Invalid, "leaves"),
        ("stage", {}, Invalid, "dataset"),
    ],
)
def test_what_can_not_be_transferred(rest: Any, kind: str, about: dict[str, Any], error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        rest.client.transfer(rest.workspace_id, kind, **about)


def test_a_link_that_leads_out_is_not_followed(rest: Any, tmp_path: Path) -> None:
    rest.client.register_datastore(rest.workspace_id, "place", "Local", root=str(tmp_path / "root"))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("x")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(Invalid, match="symbolic link"):
        upload(rest, {"link/new": str(tmp_path / "outside" / "file")})
    with pytest.raises(Invalid, match="symbolic link"):
        rest.client.transfer(rest.workspace_id, "download", datastore="place", files=[["link/file", str(tmp_path / "x"), 1, ""]])


def test_a_kind_that_nothing_reaches(rest: Any) -> None:
    rest.client.register_datastore(rest.workspace_id, "old", "AzureDataLake")
    with pytest.raises(Unsupported, match="Gen1"):
        rest.client.list_files_on(rest.workspace_id, "old")


def test_a_transfer_that_nobody_knows(rest: Any) -> None:
    for ask in (rest.client.follow_transfer, rest.client.cancel_transfer):
        with pytest.raises(NotFound, match="no transfer with the id 'nothing'"):
            ask("nothing")


# Ending early


@pytest.fixture
def stalled(s3_server: Any) -> Iterator[Any]:
    """An S3 server behind a line on which bytes stand still until they are let go."""
    pytest.importorskip("fsspec")
    with proxy_to(s3_server.port) as proxy:
        proxy.stalled.set()
        yield proxy


def register_behind(client: Any, workspace_id: str, server: Any, proxy: Any) -> str:
    """Register the datastore 'place' behind a proxy; return its bucket."""
    bucket: str = server.new_bucket()
    about = {"bucket": bucket, "endpoint_url": f"http://127.0.0.1:{proxy.port}"}
    secrets = {"access_key_id": server.key, "secret_access_key": server.secret}
    client.register_datastore(workspace_id, "place", "S3", definition=about, secrets=secrets)
    return bucket


def test_a_transfer_is_cancelled(rest: Any, s3_server: Any, stalled: Any, files: dict[str, str]) -> None:
    bucket = register_behind(rest.client, rest.workspace_id, s3_server, stalled)
    pairs = [[local, name] for name, local in files.items()]
    name = rest.client.start_transfer(rest.workspace_id, "upload", datastore="place", files=pairs)["id"]
    wait_until(lambda: stalled.connections)
    assert rest.client.follow_transfer(name)["state"] == "running"
    rest.client.cancel_transfer(name)
    news = rest.client.follow_transfer(name, wait_seconds=30)
    assert (news["state"], news["error"]["code"]) == ("cancelled", "Refused")
    stalled.stalled.clear()
    assert s3_server.names(bucket) == []
    assert rest.client.cancel_transfer(name)["state"] == "cancelled"


def test_whatever_the_listener_raises_ends_the_transfer(rest: Any, tmp_path: Path, files: dict[str, str]) -> None:
    rest.client.register_datastore(rest.workspace_id, "place", "Local", root=str(tmp_path / "root"))

    def tell(event: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload(rest, files, tell=tell)
    assert not [
        path for path in (tmp_path / "root").rglob("*") if path.is_file() and path.relative_to(tmp_path / "root").as_posix() not in files
    ]


def test_one_who_follows_hears_of_the_end(
    rest: Any, s3_server: Any, stalled: Any, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    register_behind(rest.client, rest.workspace_id, s3_server, stalled)
    start, ids, ended = rest.client.start_transfer, [], []

    def remember(*args: Any, **more: Any) -> Any:
        ids.append(start(*args, **more))
        return ids[0]

    def follow() -> None:
        try:
            upload(rest, files)
        except Refused as error:
            ended.append(error)

    monkeypatch.setattr(rest.client, "start_transfer", remember)
    thread = threading.Thread(target=follow)
    thread.start()
    wait_until(lambda: ids and stalled.connections)
    rest.client.cancel_transfer(ids[0]["id"])
    thread.join(30)
    assert "cancelled from elsewhere" in str(ended[0])


def test_a_transfer_outlives_its_service(workspace: Any, home: Path, s3_server: Any, stalled: Any, files: dict[str, str]) -> None:
    client = workspace._client
    bucket = register_behind(client, workspace._id, s3_server, stalled)
    pairs = [[local, name] for name, local in files.items()]
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(client.transfer(workspace._id, "upload", datastore="place", files=pairs)))
    thread.start()
    wait_until(lambda: stalled.connections)
    assert kill_service(home)
    stalled.stalled.clear()
    thread.join(60)
    (result,) = results
    assert result["copied"] + result["skipped"] == 4, "the dying one may have brought some, which the next service skips"
    assert s3_server.names(bucket) == sorted(files)


def test_one_that_nobody_asks_for_ends_and_is_forgotten(rest: Any, s3_server: Any, stalled: Any, files: dict[str, str]) -> None:
    register_behind(rest.client, rest.workspace_id, s3_server, stalled)
    now = [0.0]
    transfers = Transfers(rest.context, clock=lambda: now[0])
    about = {"datastore": "place", "files": [[local, name] for name, local in files.items()]}
    name = transfers.start(rest.workspace_id, "upload", about)["id"]
    wait_until(lambda: stalled.connections)
    now[0] = 601.0
    wait_until(lambda: transfers._known[name].state == "cancelled")
    now[0] = 1300.0
    transfers.start(rest.workspace_id, "upload", {**about, "files": []})
    with pytest.raises(NotFound, match="ended long ago"):
        transfers.read(name)


def test_events_that_were_read_are_let_go(rest: Any, tmp_path: Path, files: dict[str, str]) -> None:
    rest.client.register_datastore(rest.workspace_id, "place", "Local", root=str(tmp_path / "root"))
    pairs = [[local, name] for name, local in files.items()]
    name = rest.client.start_transfer(rest.workspace_id, "upload", datastore="place", files=pairs)["id"]
    wait_until(lambda: rest.client.follow_transfer(name)["state"] == "done")
    assert [event["sequence"] for event in rest.client.follow_transfer(name, after=6)["events"]] == [7, 8]
    news = rest.client.follow_transfer(name)
    assert ([event["sequence"] for event in news["events"]], news["last"], news["bytes_done"], news["files_total"]) == ([7, 8], 8, 7, 4)
