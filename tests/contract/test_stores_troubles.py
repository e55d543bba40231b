"""What goes wrong with remote stores: what is said then, what is tried again, and that nothing half-written or secret is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.conftest import wait_until
from tests.parts.azurite import Azurite
from tests.parts.proxy import Proxy, proxy_to
from tests.parts.s3 import S3Server
from tests.parts.web import HttpServer

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Invalid, NotFound, PenstockError, Refused, Unavailable, Unsupported
from penstock.storage.stores import Found, Progress, Store
from penstock.storage.stores.calls import Calls
from penstock.storage.stores.home_stores import HomeStores

LARGE = 20 * 2**20 + 17
WRONG_KEY = "d3Jvbmcga2V5LCB3cm9uZyBrZXksIHdyb25nIGtleSwgd3JvbmcgaGVyZSwgd3JvbmcgdGhlcmUsIHdyb25nLg=="


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeStores]:
    made = HomeStores(tmp_path_factory.mktemp("home"), 10 * 2**30)
    yield made
    made.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(os.urandom(LARGE))
    return path


@pytest.fixture(params=["azurite", "s3"])
def proxied(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Proxy]]:
    """An empty store behind a proxy."""
    if request.param == "azurite":
        azurite = request.getfixturevalue("azurite")
        with proxy_to(azurite.port) as proxy:
            options = {**azurite.options, "connection_string": azurite.connection_string_on(proxy.port)}
            yield Store("mydata", "abfs", azurite.new_container(), options), proxy
    else:
        server = request.getfixturevalue("s3_server")
        with proxy_to(server.port) as proxy:
            yield Store("mydata", "s3", server.new_bucket(), server.options_on(proxy.port)), proxy


def unfinished(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if UNFINISHED in path.name]


def no_files(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.is_file()]


# Refused and missing


def test_a_wrong_key_is_refused(stores: HomeStores, azurite: Azurite, tmp_path: Path) -> None:
    connection = azurite.connection_string.replace(azurite.account_key, WRONG_KEY)
    store = Store("mydata", "abfs", azurite.new_container(), {"connection_string": connection})
    (tmp_path / "x").write_bytes(b"x")
    for work in (lambda: stores.list(store, "a"), lambda: stores.put(store, [(str(tmp_path / "x"), "a/b")], True)):
        with pytest.raises(Refused, match=r"'mydata'.*register the datastore again") as caught:
            work()
        assert WRONG_KEY not in caught.value.message


def test_a_key_that_is_no_key_is_refused(stores: HomeStores, azurite: Azurite) -> None:
    connection = azurite.connection_string.replace(azurite.account_key, "not-base64!")
    store = Store("mydata", "abfs", azurite.new_container(), {"connection_string": connection})
    with pytest.raises(Refused, match="mydata") as caught:
        stores.list(store, "a")
    assert "not-base64" not in caught.value.message


def test_a_token_that_may_not_write_is_refused(stores: HomeStores, azurite: Azurite, tmp_path: Path) -> None:
    container = azurite.new_container()
    token = azurite.sas_token(container, permission="rl")
    store = Store("mydata", "abfs", container, {"connection_string": f"BlobEndpoint={azurite.endpoint};SharedAccessSignature={token}"})
    assert stores.list(store, "") == []
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(Refused, match=r"'a/b' on the datastore 'mydata'") as caught:
        stores.put(store, [(str(tmp_path / "x"), "a/b")], overwrite=True)
    assert "sig=" not in caught.value.message


def test_a_refused_key_of_s3(stores: HomeStores, http_server: HttpServer) -> None:
    folder, _ = http_server.new_folder()
    http_server.answer(folder, 403)
    options = {"key": "AKIAWRONG", "secret": "wrong-secret-key", "endpoint_url": http_server.url}
    with pytest.raises(Refused, match=r"'mydata'.*register the datastore again") as caught:
        stores.list(Store("mydata", "s3", folder.name, options), "a/*.csv")
    assert "wrong-secret-key" not in caught.value.message


@pytest.mark.parametrize("part", ["azurite", "s3_server"])
def test_a_container_that_does_not_exist(stores: HomeStores, request: pytest.FixtureRequest, part: str, tmp_path: Path) -> None:
    server = request.getfixturevalue(part)
    store = Store("mydata", "abfs" if part == "azurite" else "s3", "no-such-container/folder", server.options)
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(NotFound, match=r"'mydata'.*no 'no-such-container'"):
        stores.list(store, "a/*")
    with pytest.raises(NotFound, match=r"'mydata'.*no 'no-such-container'"):
        stores.list(store, "a/b")
    with pytest.raises(NotFound, match=r"'mydata'.*no 'no-such-container'"):
        stores.put(store, [(str(tmp_path / "x"), "a")], overwrite=False)
    with pytest.raises(NotFound, match=r"'mydata'.*no 'no-such-container'"):
        stores.put(store, [(str(tmp_path / "x"), "a")], overwrite=True)


@pytest.mark.parametrize("part", ["azurite", "s3_server"])
def test_a_container_that_is_to_be_made(stores: HomeStores, request: pytest.FixtureRequest, part: str, tmp_path: Path) -> None:
    server = request.getfixturevalue(part)
    store = Store("mydata", "abfs" if part == "azurite" else "s3", "made-when-needed", server.options, is_made=True)
    (tmp_path / "x").write_bytes(b"x")
    assert stores.list(store, "") == []
    for _ in range(2):
        assert [item.path for item in stores.put(store, [(str(tmp_path / "x"), "a")], overwrite=True)] == ["a"]


# Connections


@pytest.mark.parametrize(
    ("protocol", "root", "options"),
    [
        ("abfs", "container", {"connection_string": f"BlobEndpoint=http://127.0.0.1:1/acc;AccountName=acc;AccountKey={WRONG_KEY}"}),
        ("s3", "bucket", {"key": "somebody", "secret": "a-secret-of-s3", "endpoint_url": "http://127.0.0.1:1"}),
        ("http", "http://127.0.0.1:1", {"headers": {"Authorization": "Bearer a-secret-of-http"}}),
    ],
)
def test_nobody_answers(stores: HomeStores, protocol: str, root: str, options: dict[str, object]) -> None:
    with pytest.raises(Unavailable, match=r"'mydata' can't be listed: the connection failed .*tried 4 times") as caught:
        stores.list(Store("mydata", protocol, root, options), "a/b.csv")
    assert "secret-of" not in caught.value.message
    assert WRONG_KEY not in caught.value.message


def test_a_get_goes_on_where_its_connection_broke(stores: HomeStores, proxied: tuple[Store, Proxy], source: Path, tmp_path: Path) -> None:
    store, proxy = proxied
    (found,) = stores.put(store, [(str(source), "large.bin")], overwrite=True)
    proxy.close()
    proxy.cut(3_000_000, times=2)
    assert stores.get(store, [(found, str(tmp_path / "out" / "large.bin"))], overwrite=False) == 1
    assert (tmp_path / "out" / "large.bin").read_bytes() == source.read_bytes()
    assert proxy.cuts_left == 0


def test_a_put_goes_on_after_its_connection_broke(stores: HomeStores, proxied: tuple[Store, Proxy], source: Path) -> None:
    store, proxy = proxied
    proxy.cut(3_000_000, times=2)
    (found,) = stores.put(store, [(str(source), "large.bin")], overwrite=True)
    assert (found.path, found.size) == ("large.bin", LARGE)
    assert Path(stores.fetch(store, [found])[0]).read_bytes() == source.read_bytes()


def test_a_connection_that_always_breaks(stores: HomeStores, proxied: tuple[Store, Proxy], source: Path, tmp_path: Path) -> None:
    store, proxy = proxied
    (found,) = stores.put(store, [(str(source), "large.bin")], overwrite=True)
    proxy.close()
    proxy.cut(100_000)
    with pytest.raises(Unavailable, match=r"'large.bin' on the datastore 'mydata' can't be read"):
        stores.get(store, [(found, str(tmp_path / "out" / "large.bin"))], overwrite=False)
    with pytest.raises(Unavailable, match=r"'other.bin' on the datastore 'mydata' can't be written"):
        stores.put(store, [(str(source), "other.bin")], overwrite=True)
    assert no_files(tmp_path / "out")
    proxy.cut(0, times=0)
    assert [item.path for item in stores.list(store, "")] == ["large.bin"]


def test_uploads_that_failed_leave_no_parts(stores: HomeStores, s3_server: S3Server, source: Path) -> None:
    bucket = s3_server.new_bucket()
    with proxy_to(s3_server.port) as proxy:
        store = Store("mydata", "s3", bucket, s3_server.options_on(proxy.port))
        began = threading.Event()

        def check() -> None:
            if began.is_set():
                raise KeyboardInterrupt

        def tell(progress: Progress) -> None:
            proxy.stalled.set()
            began.set()

        with pytest.raises(KeyboardInterrupt):
            stores.put(store, [(str(source), "large.bin")], True, check, tell)
    assert "Uploads" not in s3_server.client().list_multipart_uploads(Bucket=bucket) or s3_server.names(bucket) == []


# The web


def web_store(server: HttpServer) -> Store:
    return Store("127.0.0.1", "http", server.url)


def test_files_of_the_web(stores: HomeStores, http_server: HttpServer) -> None:
    folder, _ = http_server.new_folder()
    (folder / "a b.csv").write_bytes(b"x" * 1000)
    store = web_store(http_server)
    (found,) = stores.list(store, f"/{folder.name}/a b.csv")
    assert (found.size, found.token[:5]) == (1000, "etag:")
    assert stores.list(store, f"{folder.name}/a%20b.csv")[0].token == found.token
    (path,) = stores.fetch(store, [found])
    assert (Path(path).read_bytes(), Path(path).suffix) == (b"x" * 1000, ".csv")
    asked = http_server.count(folder / "a b.csv")
    assert list(stores.fetch(store, [found])) == [path]
    assert http_server.count(folder / "a b.csv") == asked
    assert stores.list(store, f"{folder.name}/nothing.csv") == []
    with pytest.raises(Unsupported, match=r"can't be listed over http"):
        stores.list(store, f"{folder.name}/*.csv")
    with pytest.raises(Unsupported, match=r"nothing can be written"):
        stores.put(store, [(path, "x")], overwrite=True)


@pytest.mark.parametrize("without_ranges", [False, True])
def test_a_download_goes_on_where_it_broke(stores: HomeStores, http_server: HttpServer, tmp_path: Path, without_ranges: bool) -> None:
    folder, _ = http_server.new_folder()
    data = os.urandom(500_000)
    (folder / "data").write_bytes(data)
    if without_ranges:
        http_server.hide_ranges(folder / "data")
    store = web_store(http_server)
    (found,) = stores.list(store, f"{folder.name}/data")
    http_server.drop(folder / "data", after_bytes=200_000, times=2)
    stores.get(store, [(found, str(tmp_path / "data"))], overwrite=False)
    assert (tmp_path / "data").read_bytes() == data


def test_a_download_that_breaks_each_time(stores: HomeStores, http_server: HttpServer, tmp_path: Path) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(b"x" * 500_000)
    store = web_store(http_server)
    (found,) = stores.list(store, f"{folder.name}/data")
    http_server.drop(folder / "data", after_bytes=10)
    with pytest.raises(Unavailable, match=rf"'{folder.name}/data' on the host '127.0.0.1' can't be read: .*tried 4 times"):
        stores.get(store, [(found, str(tmp_path / "out" / "data"))], overwrite=False)
    assert no_files(tmp_path)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_may_pass_is_tried_again(stores: HomeStores, http_server: HttpServer, status: int) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(b"x")
    http_server.answer(folder / "data", status, times=2)
    assert len(stores.list(web_store(http_server), f"{folder.name}/data")) == 1


def test_what_is_refused_is_not_tried_again(stores: HomeStores, http_server: HttpServer) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(b"x")
    http_server.answer(folder / "data", 403)
    with pytest.raises(Refused, match="Name a URL that needs no login"):
        stores.list(web_store(http_server), f"{folder.name}/data?sig=secret")
    assert http_server.count(folder / "data") == 1  # after HEAD, which some servers refuse for everything


def test_a_file_that_changed_since_it_was_listed(stores: HomeStores, http_server: HttpServer, tmp_path: Path) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(b"old")
    store = web_store(http_server)
    (found,) = stores.list(store, f"{folder.name}/data")
    (folder / "data").write_bytes(b"new")
    with pytest.raises(Unavailable, match="changed while it was being read"):
        stores.get(store, [(found, str(tmp_path / "data"))], overwrite=False)
    assert no_files(tmp_path)


def test_a_blob_that_changed_since_it_was_listed(stores: HomeStores, azurite: Azurite, tmp_path: Path) -> None:
    store = Store("mydata", "abfs", azurite.new_container(), azurite.options)
    (tmp_path / "x").write_bytes(b"old")
    (found,) = stores.put(store, [(str(tmp_path / "x"), "x")], overwrite=True)
    (tmp_path / "x").write_bytes(b"new")
    stores.put(store, [(str(tmp_path / "x"), "x")], overwrite=True)
    with pytest.raises(Unavailable, match="changed while it was being read"):
        stores.fetch(store, [found])


def test_a_file_without_stamps_is_asked_for_each_time(stores: HomeStores, http_server: HttpServer) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data.txt").write_bytes(b"one")
    http_server.hide_stamps(folder / "data.txt")
    store = web_store(http_server)
    (found,) = stores.list(store, f"{folder.name}/data.txt")
    assert (found.size, found.token) == (-1, "")
    (first,) = stores.fetch(store, [found])
    (same,) = stores.fetch(store, [found])
    (folder / "data.txt").write_bytes(b"two!")
    (second,) = stores.fetch(store, [found])
    assert first == same != second
    assert (Path(first).read_bytes(), Path(second).read_bytes()) == (b"one", b"two!")


def test_one_file_is_fetched_once_however_many_ask(stores: HomeStores, http_server: HttpServer) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(os.urandom(3_000_000))
    store = web_store(http_server)
    found = stores.list(store, f"{folder.name}/data")
    paths: list[str] = []
    threads = [threading.Thread(target=lambda: paths.extend(stores.fetch(store, found))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1
    assert len(paths) == 8
    assert http_server.count(folder / "data") == 1


# Kinds


def test_a_file_system_that_nobody_knows(stores: HomeStores) -> None:
    with pytest.raises(Unsupported, match=r"No file system is called 'gopher', which the datastore 'mydata' names"):
        stores.list(Store("mydata", "gopher", "x"), "a")


def test_a_file_system_whose_package_is_missing(stores: HomeStores) -> None:
    try:
        import gcsfs  # noqa: F401
    except ImportError:
        with pytest.raises(Unsupported, match=r'\'mydata\' needs a package .*: gcsfs.*pip install "penstock\[gcs\]"'):
            stores.list(Store("mydata", "gs", "bucket"), "a")
    else:
        pytest.skip("gcsfs is installed")


def test_a_file_system_that_forgets(stores: HomeStores) -> None:
    with pytest.raises(Unsupported, match="register_local"):
        stores.list(Store("mydata", "memory", "x"), "a")


def test_options_that_do_not_fit(stores: HomeStores) -> None:
    store = Store("mydata", "s3", "bucket", {"no_such_option": 1, "secret": "very-secret", "key": "k", "username": "u"})
    with pytest.raises(Invalid, match=r"'mydata'.*options") as caught:
        stores.list(store, "a")
    assert "very-secret" not in caught.value.message


def test_another_file_system_of_fsspec(stores: HomeStores, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "x").write_bytes(b"one")
    store = Store("mydata", "dir", "", {"path": str(tmp_path / "root"), "target_protocol": "file"})
    files = [(str(tmp_path / "x"), "a/b/1.txt"), (str(tmp_path / "x"), "a/2.txt")]
    put = stores.put(store, files, overwrite=False)
    assert [(item.path, item.size) for item in put] == [("a/b/1.txt", 3), ("a/2.txt", 3)]
    assert [item.path for item in stores.list(store, "a/*")] == ["a/2.txt"]
    assert [item.path for item in stores.list(store, "a")] == ["a/2.txt", "a/b/1.txt"]
    assert [Path(path).read_bytes() for path in stores.fetch(store, put)] == [b"one", b"one"]
    assert not unfinished(tmp_path / "root")
    stores.delete(store, ["a/2.txt", "a/never"])
    assert [item.path for item in stores.list(store, "**")] == ["a/b/1.txt"]


# The carrier


def test_nothing_is_started_for_a_folder(tmp_path: Path) -> None:
    local = HomeStores(tmp_path / "home", 2**30)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_bytes(b"x")
    store = Store("mydata", "file", str(tmp_path / "data"))
    assert local.fetch(store, local.list(store, "")) == [str(tmp_path / "data" / "x")]
    assert local.carrier_pid() is None
    assert not (tmp_path / "home").exists()
    local.close()


def test_a_carrier_that_dies_in_the_middle(azurite: Azurite, source: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    stores = HomeStores(tmp_path / "home", 2**30)
    with proxy_to(azurite.port) as proxy:
        options = {**azurite.options, "connection_string": azurite.connection_string_on(proxy.port)}
        store = Store("mydata", "abfs", azurite.new_container(), options)
        found = stores.put(store, [(str(source), "large.bin")], overwrite=True)

        def tell(progress: Progress) -> None:
            proxy.stalled.set()
            os.kill(stores.carrier_pid() or 0, signal.SIGKILL)

        with pytest.raises(Unavailable, match=r"'mydata' died in the middle"):
            stores.get(store, [(item, str(tmp_path / "out" / item.path)) for item in found], False, tell=tell)
        proxy.stalled.clear()
        assert no_files(tmp_path / "out")
        assert Path(stores.fetch(store, found)[0]).read_bytes() == source.read_bytes()
    stores.close()


_SERVICE = """
import sys, time
from pathlib import Path
from penstock.storage.stores import Found, Store
from penstock.storage.stores.home_stores import HomeStores
home, url, path, size, target = sys.argv[1:]
stores = HomeStores(Path(home), 2**30)
store = Store("web", "http", url)
(found,) = stores.list(store, path)
stores.get(store, [(found, target)], False, tell=lambda told: print(stores.carrier_pid(), flush=True))
"""


def test_the_carrier_ends_with_the_service(http_server: HttpServer, tmp_path: Path) -> None:
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(b"x" * 64_000_000)
    (tmp_path / "home").mkdir()
    with proxy_to(http_server.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        command = [sys.executable, "-c", _SERVICE, str(tmp_path / "home"), url, f"{folder.name}/data", "0", str(tmp_path / "out" / "data")]
        service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert service.stdout is not None
        carrier = psutil.Process(int(service.stdout.readline()))
        proxy.stalled.set()
        service.kill()
        service.wait()
        service.stdout.close()
        wait_until(lambda: not carrier.is_running())
    assert not unfinished(tmp_path / "out")


def test_the_carrier_rests_not_for_long(http_server: HttpServer, tmp_path: Path) -> None:
    calls = Calls(tmp_path / "carrier.log", idle_seconds=0.1)
    folder, _ = http_server.new_folder()
    (folder / "data").write_bytes(b"x")
    for _ in range(2):
        assert len(calls.do("list", web_store(http_server), lambda: None, pattern=f"{folder.name}/data")[1]) == 1
        wait_until(lambda: calls.pid() is None)
    calls.close()
    with pytest.raises(Unavailable, match="stopping"):
        calls.do("list", web_store(http_server), lambda: None, pattern="x")


def test_leftovers_of_an_earlier_service_are_removed(tmp_path: Path) -> None:
    (tmp_path / "cache" / "incoming").mkdir(parents=True)
    (tmp_path / "cache" / "incoming" / f"{UNFINISHED}x").write_bytes(b"half")
    HomeStores(tmp_path, 2**30).close()
    assert no_files(tmp_path)


def test_secrets_are_not_in_the_log(azurite: Azurite, tmp_path: Path) -> None:
    stores = HomeStores(tmp_path, 2**30)
    store = Store("mydata", "abfs", "no-such-container", azurite.options)
    with pytest.raises(PenstockError):
        stores.list(store, "")
    pid = stores.carrier_pid()
    assert azurite.account_key not in " ".join(psutil.Process(pid).cmdline())
    stores.close()
    assert azurite.account_key not in (tmp_path / "carrier.log").read_text()


def test_a_found_file_of_another_store_is_not_mixed_up(stores: HomeStores, azurite: Azurite, tmp_path: Path) -> None:
    """Same path, size and token in two containers: the cache keeps them apart by the store's address."""
    found: list[Found] = []
    for text in (b"one", b"two"):
        (tmp_path / "x").write_bytes(text)
        store = Store("mydata", "abfs", azurite.new_container(), azurite.options)
        (item,) = stores.put(store, [(str(tmp_path / "x"), "x")], overwrite=True)
        (path,) = stores.fetch(store, [item])
        assert Path(path).read_bytes() == text
        found.append(item)


def test_a_carrier_that_dies_in_the_middle_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("""#!/bin/sh\nread request\nprintf '{"id": "torn'\n""")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    stores = HomeStores(tmp_path, 2**30)
    with pytest.raises(Unavailable, match=r"'mydata' died in the middle"):
        stores.list(Store("mydata", "s3", "bucket", {}), "x")
    stores.close()


def test_a_size_that_is_not_true(stores: HomeStores, s3_server: S3Server, tmp_path: Path) -> None:
    store = Store("mydata", "s3", s3_server.new_bucket(), s3_server.options)
    (tmp_path / "x").write_bytes(b"x")
    stores.put(store, [(str(tmp_path / "x"), "x")], overwrite=True)
    with pytest.raises(Unavailable, match="changed while it was being read"):
        stores.get(store, [(Found("x", 10**30, "etag:x", None), str(tmp_path / "out" / "x"))], overwrite=True)
    assert no_files(tmp_path / "out")


@pytest.mark.parametrize("is_local", [True, False])
def test_only_files_with_an_end_are_sent(stores: HomeStores, s3_server: S3Server, tmp_path: Path, is_local: bool) -> None:
    remote = Store("mydata", "s3", s3_server.new_bucket(), s3_server.options)
    store = Store("mydata", "file", str(tmp_path / "root")) if is_local else remote
    os.mkfifo(tmp_path / "pipe")
    for source in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(Refused, match="no file with an end"):
            stores.put(store, [(source, "x")], overwrite=True)
    assert not stores.list(store, "")
