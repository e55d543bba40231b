"""What inputs and outputs held: the digests of files, and the manifests behind a step's key, so that a change can be named."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from penstock.compile.manifests import Digester, Entry, digest_file, manifest_digest, pack_entries, read_manifest, unpack_entries
from penstock.model.datasets import literal
from penstock.model.errors import Unavailable
from penstock.operations.context import Change, Context
from penstock.storage.stores import Check, Found, Store

READ_TRIES = 3
LOOK_ONLY = -1  # bytes to read at most: none, and what is known of them does not count either
_NAMES = 5  # of files, in a sentence

_Facts = tuple[int, int, int, str]  # size, time, inode, digest


def _go_on() -> None:
    """Check nothing."""


class Unread(NamedTuple):
    """What is known of files without reading them."""

    shape: tuple[tuple[str, int], ...]  # path and size of each
    facts: str  # changes when a file's size, time or inode does


class Digests:
    """Digests of files of this machine, read again only when size, time or inode changed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def of(self, place: str, check: Check = _go_on, within: bool = False) -> list[Entry]:
        """Return the manifest of a file or folder; its files' paths are relative to it. `check` is called now and then, and may raise."""
        return self._try(place, lambda digester: read_manifest(place, digester, within), check)

    def of_files(self, files: Sequence[tuple[str, str]], check: Check = _go_on) -> list[Entry]:
        """Return the manifest of files, each given as its place and its path in the manifest."""
        return self._try(_common_folder(files), lambda digester: _entries(files, digester), check)

    def measure(self, place: str, most_bytes: int) -> list[Entry] | Unread | None:
        """Return the manifest of a file or folder if nothing must be read for it, or what can be told without reading.

        None: something must be read, and it has no more than `most_bytes`.
        """
        return self._measure(place, lambda digester: read_manifest(place, digester), most_bytes)

    def measure_files(self, files: Sequence[tuple[str, str]], most_bytes: int) -> list[Entry] | Unread | None:
        """Return for files what `measure` returns for a folder."""
        return self._measure(_common_folder(files), lambda digester: _entries(files, digester), most_bytes)

    def _measure(self, root: str, read: Callable[[Digester], list[Entry]], most_bytes: int) -> list[Entry] | Unread | None:
        known, seen, unread = self._known(root), [], 0

        def digester(path: str, about: os.stat_result) -> str:
            nonlocal unread
            facts = (about.st_size, about.st_mtime_ns, about.st_ino)
            seen.append((path, *facts))
            if path in known and known[path][:3] == facts:
                return known[path][3]
            unread += about.st_size
            return ""

        try:
            entries = read(digester)
        except FileNotFoundError:  # it went away while we looked
            return None
        if most_bytes != LOOK_ONLY and all(entry.digest for entry in entries):
            return entries
        if unread <= most_bytes:
            return None
        return Unread(tuple((entry.path, entry.size) for entry in entries), hashlib.sha256(repr(sorted(seen)).encode()).hexdigest())

    def note(self, root: str, entries: Sequence[Entry]) -> None:
        """Take the digests of files below a folder as known: they were read in another place, and moved."""
        fresh = []
        for entry in entries:
            place = os.path.join(root, entry.path)
            with contextlib.suppress(OSError):
                about = os.stat(place)
                if about.st_size == entry.size and _is_text(place):
                    fresh.append((place, about.st_size, about.st_mtime_ns, about.st_ino, entry.digest))
        self._remember(fresh)

    def _try(self, root: str, read: Callable[[Digester], list[Entry]], check: Check) -> list[Entry]:
        for _ in range(READ_TRIES - 1):
            with contextlib.suppress(FileNotFoundError):  # a file that went away while we looked: look again
                return self._read(root, read, check)
        return self._read(root, read, check)

    def _read(self, root: str, read: Callable[[Digester], list[Entry]], check: Check) -> list[Entry]:
        fresh: list[tuple[str, int, int, int, str]] = []
        known = self._known(root)

        def digester(path: str, about: os.stat_result) -> str:
            facts = (about.st_size, about.st_mtime_ns, about.st_ino)
            if path in known and known[path][:3] == facts:
                return known[path][3]
            digest = digest_file(path, about, check)
            if _is_text(path):
                fresh.append((path, *facts, digest))
            return digest

        entries = read(digester)
        self._remember(fresh)
        return entries

    def _known(self, root: str) -> dict[str, _Facts]:
        if not _is_text(root):
            return {}
        below = root.rstrip("/")
        rows = self._context.database.all(
            "select * from file_digests where path = ? or (path > ? and path < ?)", [root, below + "/", below + "0"]
        )
        return {row["path"]: (row["size"], row["modified_ns"], row["inode"], row["digest"]) for row in rows}

    def _remember(self, fresh: list[tuple[str, int, int, int, str]]) -> None:
        if fresh:  # what can't be remembered is read again another time
            with contextlib.suppress(Unavailable), self._context.database.transaction() as transaction:
                transaction.execute_many(
                    "insert or replace into file_digests (path, size, modified_ns, inode, digest) values (?, ?, ?, ?, ?)", fresh
                )


def _common_folder(files: Sequence[tuple[str, str]]) -> str:
    places = [place for place, _ in files]
    return places[0] if len(places) == 1 else os.path.commonpath(places) if places else "/"


def _entries(files: Sequence[tuple[str, str]], digester: Digester) -> list[Entry]:
    return [_entry(place, path, os.stat(place), digester) for place, path in files]


def _entry(place: str, path: str, about: os.stat_result, digester: Digester) -> Entry:
    return Entry(path, about.st_size, digester(place, about), bool(about.st_mode & 0o100))


def _is_text(path: str) -> bool:
    """Tell whether a path can be kept as text; a file's name may hold any bytes."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def list_path(context: Context, store: Store, path: str, check: Check = _go_on) -> list[Found]:
    """Return the file at a path of a store, or all files below it; its letters mean themselves. [] when nothing is there."""
    if literal(path) == path:
        return list(context.stores.list(store, path, check))
    return [item for item in context.stores.list_prefix(store, path, check) if item.path == path or item.path.startswith(f"{path}/")]


def stored_entry(found: Found, path: str) -> Entry | None:
    """Return the entry of a file on another machine, by what its store says of its bytes; None where it says nothing."""
    if found.token:
        return Entry(path, found.size, found.token)
    return Entry(path, found.size, f"modified:{found.modified_at}") if found.modified_at else None


# Manifests that are kept


def remember(context: Context, entries: Sequence[Entry]) -> str:
    """Keep a manifest when it is new; return its digest."""
    digest = manifest_digest(entries)
    if not context.database.first("select 1 from manifests where digest = ?", [digest]):
        with contextlib.suppress(Unavailable), context.change() as change:  # without it a change has no name, and nothing else is lost
            keep(change, digest, pack_entries(entries))
    return digest


def keep(change: Change, digest: str, packed: bytes) -> None:
    """Keep a manifest in its packed form, if it is new."""
    change.rows.execute(
        "insert into manifests (digest, entries, created_at) values (?, ?, ?) on conflict do nothing", [digest, packed, change.at]
    )


def find_entries(context: Context, digest: str | None) -> list[Entry] | None:
    """Return the entries behind a digest, or None when they were not kept."""
    row = context.database.first("select entries from manifests where digest = ?", [digest])
    return unpack_entries(row["entries"]) if row else None


def describe_changes(old: Iterable[Entry], new: Iterable[Entry]) -> str:
    """Return which files of two manifests differ, such as `changed: a.csv, new: b.csv`; '' where both are one file, without a name."""
    before, after = ({entry.path: entry[1:] for entry in entries} for entries in (old, new))
    kinds = {
        "changed": [path for path in after if path in before and before[path] != after[path]],
        "new": [path for path in after if path not in before],
        "gone": [path for path in before if path not in after],
    }
    return ", ".join(f"{kind}: {_some(paths)}" for kind, paths in kinds.items() if paths and paths != [""])


def _some(paths: list[str]) -> str:
    shown = [os.fsencode(path).decode("utf-8", "replace") for path in sorted(paths)[:_NAMES]]  # a name may hold any bytes, a text may not
    return f"{', '.join(shown)}{' ...' if len(paths) > _NAMES else ''}"
