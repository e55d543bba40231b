"""Every other file system that fsspec knows: gcs, sftp, smb, hdfs ... through its plain verbs, in threads."""

from __future__ import annotations

import asyncio
import base64
import posixpath
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

import fsspec

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Unsupported
from penstock.model.ids import new_id
from penstock.storage.stores import Found, Store
from penstock.storage.stores.addresses import describe
from penstock.storage.stores.remotes import Write
from penstock.storage.stores.times import format_time

T = TypeVar("T")

_PIECE = 1 << 20
_OBJECT_STORES = {"gs", "gcs", "oss", "oci", "abfs", "az", "s3", "s3a"}  # a file appears there when its last byte is sent


class Others:
    """A file system of fsspec's, from a root on."""

    read_bytes = 0
    can_list = True

    def __init__(self, system: Any, store: Store) -> None:
        self._system = system
        self._root = system._strip_protocol(store.root)
        self._is_whole = store.protocol in _OBJECT_STORES
        self.width = 16 if system.async_impl else 1
        self._one = asyncio.Lock()  # a connection of ssh, ftp or smb does one thing at a time

    @classmethod
    async def open(cls, store: Store) -> Others:
        """Return a store, logged in as its options say."""
        try:
            kind = fsspec.get_filesystem_class(store.protocol)
        except ValueError:
            known = ", ".join(sorted(fsspec.available_protocols()))
            raise Unsupported(f"No file system is called '{store.protocol}', which {describe(store)} names. There are: {known}.") from None
        return cls(await asyncio.to_thread(partial(kind, **store.options, skip_instance_cache=True)), store)

    def _place(self, path: str) -> str:
        root = self._root.rstrip("/")
        return f"{root}/{path}" if root or self._root.startswith("/") else path

    async def _do(self, work: Callable[[], T]) -> T:
        if self._system.async_impl:
            return await asyncio.to_thread(work)
        async with self._one:
            return await asyncio.to_thread(work)

    async def page(self, prefix: str, is_flat: bool, after: Any) -> tuple[list[Found], Any]:
        """Return the whole listing as one page."""
        return await self._do(lambda: self._list(prefix, is_flat)), None

    def _list(self, prefix: str, is_flat: bool) -> list[Found]:
        self._system.invalidate_cache()
        folder = self._place(prefix.rpartition("/")[0]) or "/"
        try:
            depth = {"maxdepth": 1} if is_flat else {}
            items = self._system.find(folder, detail=True, **depth)
        except (FileNotFoundError, NotADirectoryError):
            return []
        start = len(self._place(""))
        found = [self._found(name[start:].lstrip("/"), about) for name, about in items.items() if about.get("type") != "directory"]
        return [item for item in found if item.path.startswith(prefix)]

    async def find(self, path: str) -> Found | None:
        """Return one file's facts."""
        return await self._do(lambda: self._find(path))

    def _find(self, path: str) -> Found | None:
        self._system.invalidate_cache()
        try:
            about = self._system.info(self._place(path))
        except FileNotFoundError:
            return None
        return None if about.get("type") == "directory" else self._found(path, about)

    def _found(self, path: str, about: dict[str, Any]) -> Found:
        size = about.get("size")
        modified = _modified_at(about)
        return Found(path, -1 if size is None else int(size), _token(about, modified), modified)

    async def read(self, file: Found, start: int, length: int, write: Write) -> None:
        """Pass bytes of a file on."""

        def work() -> None:
            with self._system.open(self._place(file.path), "rb", cache_type="readahead") as reader:
                if start:
                    reader.seek(start)
                while piece := reader.read(_PIECE):
                    write(piece)

        await self._do(work)

    async def put_file(self, path: str, source: str) -> None:
        """Write a file; beside its place first, where it would be seen half-written."""
        await self._do(lambda: self._put_file(self._place(path), source))

    def _put_file(self, place: str, source: str) -> None:
        if self._is_whole:
            self._system.put_file(source, place)
            return
        folder = posixpath.dirname(place)
        self._system.makedirs(folder, exist_ok=True)
        beside = f"{folder}/{UNFINISHED}{new_id()}"
        try:
            self._system.put_file(source, beside)
            if self._system.exists(place):  # not every file system moves onto a file
                self._system.rm_file(place)
            self._system.mv(beside, place)
        except BaseException:
            if self._system.exists(beside):
                self._system.rm_file(beside)
            raise

    async def delete(self, path: str) -> None:
        """Remove a file."""
        try:
            await self._do(lambda: self._system.rm_file(self._place(path)))
        except FileNotFoundError:
            pass

    async def make(self) -> None:
        """Make the root when it is missing."""
        await self._do(lambda: self._system.makedirs(self._root, exist_ok=True))


def _token(about: dict[str, Any], modified: str | None) -> str:
    """Return what these file systems say of a file's content: Google's MD5, an etag, or the time of its last change."""
    if md5 := about.get("md5Hash"):
        return f"md5:{base64.b64decode(md5).hex()}"
    tag = str(about.get("etag") or about.get("ETag") or "").strip('"')
    if tag:
        return f"etag:{tag}"
    return f"modified:{modified}:{about.get('size')}" if modified else ""


def _modified_at(about: dict[str, Any]) -> str | None:
    for name in ("mtime", "modified", "last_modified", "LastModified", "last_write_time", "updated"):
        value = about.get(name)
        if isinstance(value, datetime):
            return format_time(value if value.tzinfo else value.replace(tzinfo=timezone.utc))
        if isinstance(value, int | float) and value > 0:
            return format_time(datetime.fromtimestamp(value, timezone.utc))
        if isinstance(value, str) and value:
            return value
    return None
