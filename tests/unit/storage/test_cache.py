from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from penstock.model.errors import Unavailable
from penstock.storage.stores import Found, Store
from penstock.storage.stores.cache import KEEP_SECONDS, Cache

STORE = Store("mydata", "abfs", "container", {"account_name": "one", "account_key": "secret"})


class Source:
    """Brings ten bytes of whatever it is asked for, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = ""

    def __call__(self, files: Sequence[tuple[Found, str]], arrived: Callable[[str], None]) -> None:
        for found, target in files:
            if found.path == self.broken:
                raise Unavailable("broken")
            self.asked.append(found.path)
            Path(target).write_bytes(b"x" * 10)
            arrived(found.path)


def file(path: str, token: str = "etag:1") -> Found:  # noqa: S107 - no password
    return Found(path, 10, token, None)


def go_on() -> None:
    pass


def test_a_file_is_brought_once(tmp_path: Path) -> None:
    cache, source = Cache(tmp_path, 2**30), Source()
    first = cache.fetch(STORE, [file("a"), file("b"), file("a")], source, go_on)
    assert first == cache.fetch(STORE, [file("a"), file("b"), file("a")], source, go_on)
    assert source.asked == ["a", "b"]
    assert Cache(tmp_path, 2**30).fetch(STORE, [file("b")], source, go_on) == first[1:2]  # also by the next service


@pytest.mark.parametrize(
    "other",
    [
        (STORE, file("a", "etag:2")),
        (STORE, Found("a", 11, "etag:1", None)),
        (Store("mydata", "abfs", "other", STORE.options), file("a")),
        (Store("mydata", "abfs", "container", {**STORE.options, "account_name": "two"}), file("a")),
        (Store("mydata", "abfs", "container", {"connection_string": "BlobEndpoint=http://x;AccountKey=secret"}), file("a")),
    ],
)
def test_other_files_have_other_places(tmp_path: Path, other: tuple[Store, Found]) -> None:
    cache, source = Cache(tmp_path, 2**30), Source()
    assert cache.fetch(STORE, [file("a")], source, go_on) != cache.fetch(other[0], [other[1]], source, go_on)


def test_another_key_of_the_same_account_is_no_reason_to_bring_again(tmp_path: Path) -> None:
    cache, source = Cache(tmp_path, 2**30), Source()
    again = Store("renamed", "abfs", "container", {**STORE.options, "account_key": "rotated"})
    assert cache.fetch(STORE, [file("a")], source, go_on) == cache.fetch(again, [file("a")], source, go_on)


def test_what_came_before_a_failure_stays(tmp_path: Path) -> None:
    cache, source = Cache(tmp_path, 2**30), Source()
    source.broken = "b"
    with pytest.raises(Unavailable):
        cache.fetch(STORE, [file("a"), file("b")], source, go_on)
    source.broken = ""
    cache.fetch(STORE, [file("a"), file("b")], source, go_on)
    assert source.asked == ["a", "b"]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    now = 1_000_000.0
    cache, source = Cache(tmp_path, 35, clock=lambda: now), Source()
    paths = {}
    for name in ("a", "b", "c"):
        (paths[name],) = cache.fetch(STORE, [file(name)], source, go_on)
        now += 10
    now += KEEP_SECONDS - 15
    cache.fetch(STORE, [file("a")], source, go_on)  # used again: b is now the oldest
    (paths["d"],) = cache.fetch(STORE, [file("d")], source, go_on)
    assert {name for name, path in paths.items() if Path(path).exists()} == {"a", "c", "d"}


def test_what_was_asked_for_lately_stays_beyond_the_bound(tmp_path: Path) -> None:
    now = 1_000_000.0
    cache, source = Cache(tmp_path, 15, clock=lambda: now), Source()
    assert all(Path(path).exists() for path in cache.fetch(STORE, [file(name) for name in "abcd"], source, go_on))


def test_the_content_names_what_has_no_token(tmp_path: Path) -> None:
    cache, source = Cache(tmp_path, 2**30), Source()
    first = cache.fetch(STORE, [file("a", ""), file("b", "")], source, go_on)
    assert first[0] == first[1]
    assert cache.fetch(STORE, [file("a", "")], source, go_on) == first[:1]
    assert source.asked == ["a", "b", "a"]
