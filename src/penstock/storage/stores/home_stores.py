"""The stores as one home folder's service reaches them: folders in place, the rest through the carrier and the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.model.errors import Unsupported
from penstock.storage.stores import Check, Found, Progress, Store
from penstock.storage.stores.addresses import describe
from penstock.storage.stores.cache import Cache
from penstock.storage.stores.calls import Calls
from penstock.storage.stores.local import delete_local, get_local, list_local, list_local_prefix, place_of, places_of, put_local

Tell = Callable[[Progress], None]


def _go_on() -> None:
    """Check nothing."""


def _tell_nobody(progress: Progress) -> None:
    """Tell nobody."""


class HomeStores:
    """The verbs of `Stores`. Nothing is started or written before a remote store is used.

    Args:
        home: The home folder.
        cache_bytes: How large the cache of remote files may grow.
    """

    def __init__(self, home: Path, cache_bytes: int) -> None:
        self._cache = Cache(home / "cache", cache_bytes)
        self._calls = Calls(home / "carrier.log")
        self._cache.remove_leftovers()

    def list(self, store: Store, pattern: str, check: Check = _go_on) -> Sequence[Found]:
        """Return the files that a path or pattern names, sorted by path; [] when nothing is there."""
        if store.is_local:
            return list_local(store, pattern, check)
        return self._calls.do("list", store, check, pattern=pattern)[1]

    def list_prefix(self, store: Store, prefix: str, check: Check = _go_on) -> Sequence[Found]:
        """Return the files whose path begins with a text, sorted by path."""
        if store.is_local:
            return list_local_prefix(store, prefix, check)
        return self._calls.do("list_prefix", store, check, prefix=prefix)[1]

    def local_path(self, store: Store, path: str) -> str:
        """Return the place of a path of a local store on this machine; it never leaves the root."""
        if not store.is_local:
            raise Unsupported(f"{describe(store)} is not on this machine; its files are fetched into the cache.")
        return place_of(store, path)

    def fetch(self, store: Store, files: Sequence[Found], check: Check = _go_on) -> Sequence[str]:
        """Return where on this machine each file can be read: in place for a local store, else in the cache, whole and verified."""
        if store.is_local:
            return places_of(store, [found.path for found in files])

        def bring(wanted: Sequence[tuple[Found, str]], arrived: Callable[[str], None]) -> None:
            self.get(store, wanted, True, check, lambda progress: arrived(progress.path) if progress.what == "done" else None)

        return self._cache.fetch(store, files, bring, check)

    def get(
        self,
        store: Store,
        files: Sequence[tuple[Found, str]],
        overwrite: bool,
        check: Check = _go_on,
        tell: Tell = _tell_nobody,
    ) -> int:
        """Copy files to absolute paths of this machine; return how many were copied. Existing ones are skipped unless `overwrite`."""
        if store.is_local:
            return get_local(store, files, overwrite, check, tell)
        return int(self._calls.do("get", store, check, tell, files=list(files), overwrite=overwrite)[0])

    def put(
        self,
        store: Store,
        files: Sequence[tuple[str, str]],
        overwrite: bool,
        check: Check = _go_on,
        tell: Tell = _tell_nobody,
    ) -> Sequence[Found]:
        """Copy files of this machine to paths of the store; return what lies there now. Existing ones are skipped unless `overwrite`."""
        if store.is_local:
            return put_local(store, files, overwrite, check, tell)
        if not files:
            return []
        return self._calls.do("put", store, check, tell, files=list(files), overwrite=overwrite)[1]

    def delete(self, store: Store, paths: Sequence[str]) -> None:
        """Remove files; one that is not there is no error."""
        if store.is_local:
            delete_local(store, paths)
        elif paths:
            self._calls.do("delete", store, _go_on, paths=list(paths))

    def query(self, store: Store, sql: str, timeout: int, check: Check = _go_on) -> tuple[str, str]:
        """Run a SQL query; return the Parquet file with its rows on this machine, and its content's digest."""
        target = self._cache.new_place()
        try:
            digest = str(self._calls.do("query", store, check, sql=sql, timeout=timeout, target=str(target))[0])
            return str(self._cache.keep_content(target, digest, ".parquet")), digest
        finally:
            target.unlink(missing_ok=True)

    def carrier_pid(self) -> int | None:
        """Return the process id of the carrier; None when there is none now."""
        return self._calls.pid()

    def close(self) -> None:
        """Let go of the carrier and what it holds."""
        self._calls.close()
