"""One suite for every kind of store: a folder of this machine, a blob container, an S3 bucket."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Invalid, NotFound, PenstockError, Refused, Unavailable
from penstock.storage.stores import Found, Progress, Store, Stores
from penstock.storage.stores.home_stores import HomeStores

ODD_NAMES = [
    "plain.txt",
    "with space.txt",
    "ümlaut-漢字.txt",
    "100%.txt",
    "a%20b.txt",
    "x#y&z=1+2.txt",
    "[ab].txt",
    "{a,b}.txt",
    "it's.txt",
    ".dot",
]
LARGE = 20 * 2**20 + 17  # several parts, the last one short


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    made = HomeStores(tmp_path_factory.mktemp("home"), 10 * 2**30)
    yield made
    made.close()


@pytest.fixture(params=["local", "azurite", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store, rooted in a folder."""
    if request.param == "local":
        (tmp_path / "store").mkdir()
        return Store("mydata", "file", str(tmp_path / "store"))
    if request.param == "azurite":
        azurite = request.getfixturevalue("azurite")
        return Store("mydata", "abfs", f"{azurite.new_container()}/some/root", azurite.options)
    s3_server = request.getfixturevalue("s3_server")
    return Store("mydata", "s3", f"{s3_server.new_bucket()}/some/root", s3_server.options)


@pytest.fixture
def fill(stores: Stores, store: Store, tmp_path: Path) -> Callable[..., list[Found]]:
    """Put files with these contents: fill({"a/b.txt": b"x"})."""

    def put(contents: dict[str, bytes], overwrite: bool = True) -> list[Found]:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        files = []
        for number, (path, data) in enumerate(contents.items()):
            (folder / str(number)).write_bytes(data)
            files.append((str(folder / str(number)), path))
        return list(stores.put(store, files, overwrite))

    return put


def names(found: list[Found]) -> list[str]:
    return [item.path for item in found]


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def everything(folder: Path) -> list[str]:
    """Return what lies below a folder, whatever its name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_come_back_as_they_were_put(stores: Stores, store: Store, fill: Callable[..., list[Found]], tmp_path: Path) -> None:
    contents = {f"odd/{name}": f"in {name}".encode() for name in ODD_NAMES} | {"empty": b"", "large.bin": os.urandom(LARGE)}
    put = fill(contents)
    assert names(put) == list(contents)
    assert [item.size for item in put] == [len(data) for data in contents.values()]
    found = stores.list(store, "")
    assert sorted(put) == found
    assert [read(path) for path in stores.fetch(store, found)] == [contents[item.path] for item in found]
    targets = [(item, str(tmp_path / "out" / item.path)) for item in found]
    assert stores.get(store, targets, overwrite=False) == len(contents)
    assert [read(target) for _, target in targets] == [contents[item.path] for item in found]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a/1.csv", "a/b/2.csv", "a/b/c/3.txt"]),
        ("a/", ["a/1.csv", "a/b/2.csv", "a/b/c/3.txt"]),
        ("/a/b", ["a/b/2.csv", "a/b/c/3.txt"]),
        ("a/1.csv", ["a/1.csv"]),
        ("a/1.csv/", []),
        ("a/1.cs", []),
        ("nowhere", []),
        ("nowhere/*", []),
        ("*", ["0.csv", "ab"]),
        ("*.csv", ["0.csv"]),
        ("a/*", ["a/1.csv"]),
        ("a/*/*", ["a/b/2.csv"]),
        ("**/*.csv", ["0.csv", "a/1.csv", "a/b/2.csv"]),
        ("a/**/*.csv", ["a/1.csv", "a/b/2.csv"]),
        ("a/**", ["a/1.csv", "a/b/2.csv", "a/b/c/3.txt"]),
        ("**", ["0.csv", "a/1.csv", "a/b/2.csv", "a/b/c/3.txt", "ab"]),
        ("?.csv", ["0.csv"]),
        ("a/[12].csv", ["a/1.csv"]),
        ("{a,b}/1.csv", []),
        ("A/1.csv", []),
        ("./a//b/./2.csv", ["a/b/2.csv"]),
    ],
)
def test_what_a_pattern_names(stores: Stores, seeded: Store, pattern: str, expected: list[str]) -> None:
    assert names(list(stores.list(seeded, pattern))) == expected


@pytest.fixture(scope="module", params=["local", "azurite", "s3"])
def seeded(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a few files, for tests that only read."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "source").write_bytes(b"x")
    if request.param == "local":
        made = Store("mydata", "file", str(folder / "root"))
    elif request.param == "azurite":
        azurite = request.getfixturevalue("azurite")
        made = Store("mydata", "abfs", azurite.new_container(), azurite.options)
    else:
        s3_server = request.getfixturevalue("s3_server")
        made = Store("mydata", "s3", s3_server.new_bucket(), s3_server.options)
    paths = ["0.csv", "ab", "a/1.csv", "a/b/2.csv", "a/b/c/3.txt", f"a/{UNFINISHED}4.csv"]
    stores.put(made, [(str(folder / "source"), path) for path in paths], overwrite=True)
    return made


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["0.csv", "a/1.csv", "a/b/2.csv", "a/b/c/3.txt", "ab"]),
        ("a", ["a/1.csv", "a/b/2.csv", "a/b/c/3.txt", "ab"]),
        ("a/", ["a/1.csv", "a/b/2.csv", "a/b/c/3.txt"]),
        ("a/b/2", ["a/b/2.csv"]),
        ("*", []),
    ],
)
def test_what_begins_with_a_text(stores: Stores, seeded: Store, prefix: str, expected: list[str]) -> None:
    assert names(list(stores.list_prefix(seeded, prefix))) == expected


@pytest.mark.parametrize("pattern", ["..", "a/../../x", "../*.csv"])
def test_nothing_leads_out_of_the_root(stores: Stores, seeded: Store, pattern: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(Invalid, match=r"leaves"):
        stores.list(seeded, pattern)
    with pytest.raises(Invalid, match="mydata"):
        stores.put(seeded, [(str(tmp_path / "x"), pattern)], overwrite=True)


def test_what_is_there_is_skipped_unless_overwritten(
    stores: Stores, store: Store, fill: Callable[..., list[Found]], tmp_path: Path
) -> None:
    (first,) = fill({"a.txt": b"old"})
    told: list[Progress] = []
    (tmp_path / "new").write_bytes(b"newer")
    files = [(str(tmp_path / "new"), "a.txt"), (str(tmp_path / "new"), "b.txt")]
    kept = stores.put(store, files, overwrite=False, tell=told.append)
    assert (names(list(kept)), kept[0].size) == (["a.txt", "b.txt"], 3)
    assert sorted(told) == [Progress("a.txt", "skipped", 0), Progress("b.txt", "done", 5), Progress("b.txt", "start", 5)]
    (second, _) = stores.put(store, files, overwrite=True)
    assert second.size == 5
    assert store.is_local or second.token != first.token

    target = tmp_path / "here"
    target.write_bytes(b"mine")
    assert stores.get(store, [(second, str(target))], overwrite=False) == 0
    assert target.read_bytes() == b"mine"
    assert stores.get(store, [(second, str(target))], overwrite=True) == 1
    assert target.read_bytes() == b"newer"


def test_many_files_of_one_folder(stores: Stores, store: Store, fill: Callable[..., list[Found]]) -> None:
    count = 1_050  # more than a page of S3's
    assert len(fill({f"many/{number:04}": b"%d" % number for number in range(count)})) == count
    found = stores.list(store, "many")
    assert names(list(found)) == [f"many/{number:04}" for number in range(count)]
    assert [read(path) for path in stores.fetch(store, found)[::100]] == [b"%d" % number for number in range(0, count, 100)]


def test_fetched_files_stay_as_they_are(stores: Stores, store: Store, fill: Callable[..., list[Found]]) -> None:
    (old,) = fill({"a/data.csv.gz": b"old"})
    (path,) = stores.fetch(store, [old])
    assert path.endswith(".csv.gz")
    assert stores.fetch(store, [old]) == [path]
    if store.is_local:
        assert path == stores.local_path(store, "a/data.csv.gz")
        return
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o444
    (new,) = fill({"a/data.csv.gz": b"new"})
    (other,) = stores.fetch(store, [new])
    assert (read(path), read(other)) == (b"old", b"new")


def test_a_file_that_is_gone_is_named(stores: Stores, store: Store, fill: Callable[..., list[Found]], tmp_path: Path) -> None:
    (found,) = fill({"a/b.txt": b"x"})
    stores.delete(store, ["a/b.txt", "a/never-there.txt"])
    assert stores.list(store, "") == []
    with pytest.raises(NotFound, match=r"'a/b.txt' on the datastore 'mydata'"):
        stores.get(store, [(found, str(tmp_path / "out" / "b.txt"))], overwrite=False)
    assert everything(tmp_path / "out") == []


def test_a_source_that_is_not_there_is_named(stores: Stores, store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no-such-file"):
        stores.put(store, [(str(tmp_path / "no-such-file"), "a.txt")], overwrite=False)
    assert stores.list(store, "") == []


class Enough(Exception):
    pass


def until_told() -> tuple[Callable[[], None], Callable[[Progress], None]]:
    """Return a `check` that gives up once something was told, and a `tell` for it that takes longer than the time between two checks."""
    began = threading.Event()

    def tell(progress: Progress) -> None:
        if not began.is_set():
            began.set()
            time.sleep(0.3)

    def check() -> None:
        if began.is_set():
            raise Enough

    return check, tell


def test_a_get_that_is_given_up_leaves_nothing(stores: Stores, store: Store, fill: Callable[..., list[Found]], tmp_path: Path) -> None:
    found = fill({f"large-{number}": os.urandom(LARGE) for number in range(3)})
    check, tell = until_told()

    with pytest.raises(Enough):
        stores.get(store, [(item, str(tmp_path / "out" / item.path)) for item in found], False, check, tell)
    assert not [name for name in everything(tmp_path / "out") if UNFINISHED in name]
    assert {len(read(str(tmp_path / "out" / name))) for name in everything(tmp_path / "out")} <= {LARGE}


def test_a_put_that_is_given_up_leaves_nothing_half(stores: Stores, store: Store, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(3 * LARGE))
    check, tell = until_told()

    with pytest.raises(Enough):
        stores.put(store, [(str(tmp_path / "large"), str(number)) for number in range(3)], False, check, tell)
    assert {item.size for item in stores.list(store, "")} <= {3 * LARGE}
    if store.is_local:
        assert not [name for name in everything(Path(store.root)) if UNFINISHED in name]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for a megabyte."""
    if os.getuid():
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_nothing_half(stores: Stores, store: Store, fill: Callable[..., list[Found]], small_disk: Path) -> None:
    found = fill({"fits": b"x" * 1000, "large": os.urandom(LARGE)})
    with pytest.raises(Unavailable, match="No space left"):
        stores.get(store, [(item, str(small_disk / "out" / item.path)) for item in found], overwrite=False)
    assert everything(small_disk) in ([], ["out/fits"])


def test_a_file_in_the_way_of_a_folder(stores: Stores, store: Store, fill: Callable[..., list[Found]], tmp_path: Path) -> None:
    (found,) = fill({"a/b.txt": b"x"})
    (tmp_path / "blocked").write_bytes(b"")
    with pytest.raises(PenstockError) as caught:
        stores.get(store, [(found, str(tmp_path / "blocked" / "b.txt"))], overwrite=False)
    assert isinstance(caught.value, Refused | Unavailable)
    assert "blocked" in caught.value.message


def test_a_store_is_shown_without_its_secrets(store: Store) -> None:
    assert not any(str(value) in repr(replace(store)) for value in store.options.values())
