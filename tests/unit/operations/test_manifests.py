from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.client.home import Home
from penstock.compile.manifests import Entry, manifest_digest, pack_entries, read_manifest, unpack_entries
from penstock.operations.context import Context
from penstock.operations.manifests import LOOK_ONLY, Digests, Unread, describe_changes, find_entries, remember, stored_entry
from penstock.persistence.database import Database
from penstock.settings import Settings
from penstock.storage.stores import Found


@pytest.fixture
def context(home: Path) -> Iterator[Context]:
    place = Home(home)
    place.create()
    database = Database(place.database)
    yield Context(database, place, Settings())
    database.close()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"a": "1"}, {"a": "2"}, "changed: a"),
        ({"a": "1", "b": "1"}, {"a": "1", "c": "1"}, "new: c, gone: b"),
        ({}, {str(number): "1" for number in range(9)}, "new: 0, 1, 2, 3, 4 ..."),
        ({"": "1"}, {"": "2"}, ""),
        ({"caf\udce9": "1"}, {}, "gone: caf\N{REPLACEMENT CHARACTER}"),
        ({"a": "1"}, {"a": "1"}, ""),
    ],
)
def test_changes_are_named(old: dict[str, str], new: dict[str, str], words: str) -> None:
    assert describe_changes(*([Entry(path, 1, digest) for path, digest in files.items()] for files in (old, new))) == words


def test_manifests_come_back_as_they_were(context: Context) -> None:
    entries = [Entry("a", 1, "x"), Entry("caf\udce9/b", 2, "y", True)]
    assert unpack_entries(pack_entries(entries)) == entries
    assert find_entries(context, remember(context, entries)) == entries
    assert find_entries(context, "unknown") is None


def test_what_a_store_says_of_a_file() -> None:
    assert stored_entry(Found("f", 3, "etag:1", None), "f") == Entry("f", 3, "etag:1")
    assert stored_entry(Found("f", 3, "", "2026-01-01"), "f") == Entry("f", 3, "modified:2026-01-01")
    assert stored_entry(Found("f", -1, "", None), "f") is None


def test_large_files_are_read_when_it_must_be(context: Context, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"x" * 100)
    digests, folder = Digests(context), str(tmp_path / "data")
    first = digests.measure(folder, 99)
    assert isinstance(first, Unread)
    assert first.shape == (("a", 100),)
    assert digests.measure(folder, 100) is None
    entries = digests.of(folder)
    assert entries == read_manifest(folder)
    assert digests.measure(folder, 0) == entries
    assert digests.measure(folder, LOOK_ONLY) == first, "nothing has changed"
    (tmp_path / "data" / "a").write_bytes(b"y" * 100)
    second = digests.measure(folder, LOOK_ONLY)
    assert isinstance(second, Unread)
    assert second.facts != first.facts
    assert manifest_digest(digests.of(folder)) != manifest_digest(entries)


def test_what_was_moved_is_known(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    digests = Digests(context)
    digests.note(str(tmp_path), [Entry("a", 100, "told"), Entry("gone", 1, "told")])
    assert digests.of(str(tmp_path)) == [Entry("a", 100, "told")]
