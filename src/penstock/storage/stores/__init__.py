"""Stores: where datastores and URLs keep their files, behind one set of verbs.

A local store is a folder and is read in place. Every other store is reached through fsspec in a process of its own, the carrier, so that
the service stays small, and a library that hangs or dies takes nothing with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Check = Callable[[], None]  # called now and then; raises to end what is under way


@dataclass(frozen=True)
class Store:
    """One place that holds files, by its address. `options` are fsspec's and may hold secrets: they are never shown."""

    name: str  # as messages call it: the datastore's name, or the host of a URL
    protocol: str  # 'file', 'abfs', 's3', 'gs', 'http', ...
    root: str  # a folder of this machine, a 'container/folder', a 'bucket/folder', or 'https://host'
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_made: bool = False  # the container or bucket is made before the first file is put there, when it is missing

    @property
    def is_local(self) -> bool:
        """Whether its files are files of this machine."""
        return self.protocol == "file"


class Found(NamedTuple):
    """One file of a store."""

    path: str  # relative to the store's root, with '/'; never begins with one
    size: int  # bytes; -1 when the store does not say
    token: str  # changes when the bytes do: 'md5:...' or 'etag:...' where the store has one; '' for a local file
    modified_at: str | None  # ISO-8601 UTC, or None


class Progress(NamedTuple):
    """What became of one file of a transfer."""

    path: str
    what: str  # 'start', 'done', 'skipped'
    bytes: int


class Stores(Protocol):
    """The verbs. They block; any thread may call them. Errors are PenstockError and name the store and the path."""

    def list(self, store: Store, pattern: str, check: Check = ...) -> Sequence[Found]:
        """Return the files that a path or pattern names, sorted by path; [] when nothing is there."""

    def list_prefix(self, store: Store, prefix: str, check: Check = ...) -> Sequence[Found]:
        """Return the files whose path begins with a text, sorted by path."""

    def local_path(self, store: Store, path: str) -> str:
        """Return the place of a path of a local store on this machine; it never leaves the root."""

    def fetch(self, store: Store, files: Sequence[Found], check: Check = ...) -> Sequence[str]:
        """Return where on this machine each file can be read: in place for a local store, else in the cache, whole and verified."""

    def get(
        self, store: Store, files: Sequence[tuple[Found, str]], overwrite: bool, check: Check = ..., tell: Callable[[Progress], None] = ...
    ) -> int:
        """Copy files to absolute paths of this machine; return how many were copied. Existing ones are skipped unless `overwrite`."""

    def put(
        self,
        store: Store,
        files: Sequence[tuple[str, str]],
        overwrite: bool,
        check: Check = ...,
        tell: Callable[[Progress], None] = ...,
    ) -> Sequence[Found]:
        """Copy files of this machine to paths of the store; return what lies there now. Existing ones are skipped unless `overwrite`."""

    def delete(self, store: Store, paths: Sequence[str]) -> None:
        """Remove files; one that is not there is no error."""

    def query(self, store: Store, sql: str, timeout: int, check: Check = ...) -> tuple[str, str]:
        """Run a SQL query; return the Parquet file with its rows on this machine, and its content's digest."""

    def close(self) -> None:
        """Let go of the carrier and what it holds."""
