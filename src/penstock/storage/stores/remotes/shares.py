"""Azure file shares, over their REST interface: it takes keys and tokens, and passes where SMB's port is closed."""

from __future__ import annotations

import contextlib
import posixpath
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.fileshare import ContentSettings
from azure.storage.fileshare.aio import ShareClient

from penstock.compile.manifests import UNFINISHED
from penstock.model.ids import new_id
from penstock.storage.stores import Found, Store
from penstock.storage.stores.failures import code_of
from penstock.storage.stores.remotes import PART_BYTES, Upload, Write
from penstock.storage.stores.times import format_time

_RANGE = 4 << 20  # the most that one request may write
_CLIENT: dict[str, Any] = {
    "retry_total": 0,  # the tries are ours
    "connection_timeout": 10,
    "read_timeout": 60,
    "max_single_get_size": PART_BYTES,
    "max_chunk_get_size": PART_BYTES,
}


class Shares:
    """A file share, or a folder of one. Options: `connection_string`."""

    width = 16
    read_bytes = PART_BYTES
    can_list = True

    def __init__(self, share: ShareClient, folder: str) -> None:
        self._share = share
        self._folder = folder

    @classmethod
    async def open(cls, store: Store) -> Shares:
        """Return a share, logged in as its options say."""
        name, _, folder = store.root.strip("/").partition("/")
        return cls(ShareClient.from_connection_string(store.options["connection_string"], name, **_CLIENT), folder)

    def _place(self, path: str) -> str:
        return posixpath.join(self._folder, path)

    def _file(self, path: str) -> Any:
        return self._share.get_file_client(self._place(path))

    async def page(self, prefix: str, is_flat: bool, after: Any) -> tuple[list[Found], Any]:
        """Return the whole listing as one page: folders are listed one by one."""
        found: list[Found] = []
        folders = [prefix.rpartition("/")[0]]
        while folders:
            folder = folders.pop()
            try:
                items = [item async for item in self._list(folder)]
            except ResourceNotFoundError as error:
                if code_of(error) == "ShareNotFound":
                    raise
                continue
            for item in items:
                path = posixpath.join(folder, item.name)
                if not item.is_directory:
                    found.append(_found(path, item))
                elif not is_flat and (f"{path}/".startswith(prefix) or prefix.startswith(f"{path}/")):
                    folders.append(path)
        return [item for item in found if item.path.startswith(prefix)], None

    def _list(self, folder: str) -> Any:
        client = self._share.get_directory_client(self._place(folder).rstrip("/"))
        return client.list_directories_and_files(include=["Timestamps", "Etag"])

    async def find(self, path: str) -> Found | None:
        """Return one file's facts."""
        try:
            return _found(path, await self._file(path).get_file_properties())
        except ResourceNotFoundError as error:
            if code_of(error) == "ShareNotFound":
                raise
            return None

    async def read(self, file: Found, start: int, length: int, write: Write) -> None:
        """Pass bytes of a file on."""
        stream = await self._file(file.path).download_file(offset=start, length=length if length >= 0 else None)
        async for chunk in stream.chunks():
            write(chunk)

    def part_bytes(self, size: int) -> int:
        """Return how much one request may write."""
        return _RANGE

    async def put(self, path: str, data: bytes, md5: bytes) -> None:
        """Write a small file: beside its place, as it would be seen while it is empty."""
        upload = await self._begin(path, len(data))
        try:
            if data:
                await upload.put_part(0, data)
            await upload.finish(md5)
        except BaseException:
            with contextlib.suppress(Exception):
                await upload.abandon()
            raise

    async def begin(self, path: str, size: int) -> Upload:
        """Begin a large file."""
        return await self._begin(path, size)

    async def _begin(self, path: str, size: int) -> _Ranges:
        place = self._place(path)
        beside = self._share.get_file_client(posixpath.join(posixpath.dirname(place), f"{UNFINISHED}{new_id()}"))
        try:
            await beside.create_file(size)
        except ResourceNotFoundError as error:
            if code_of(error) == "ShareNotFound":
                raise
            await self._make_folders(posixpath.dirname(place))
            await beside.create_file(size)
        return _Ranges(beside, place)

    async def _make_folders(self, folder: str) -> None:
        names = folder.split("/")
        for count in range(1, len(names) + 1):
            try:
                await self._share.get_directory_client("/".join(names[:count])).create_directory()
            except ResourceExistsError:
                pass

    async def delete(self, path: str) -> None:
        """Remove a file."""
        try:
            await self._file(path).delete_file()
        except ResourceNotFoundError as error:
            if code_of(error) == "ShareNotFound":
                raise

    async def make(self) -> None:
        """Make the share when it is missing."""
        try:
            await self._share.create_share()
        except ResourceExistsError:
            pass


class _Ranges:
    """A file that is written beside its place, and then renamed."""

    def __init__(self, beside: Any, place: str) -> None:
        self._beside, self._place = beside, place

    async def put_part(self, number: int, data: bytes) -> None:
        """Write a range."""
        await self._beside.upload_range(data, offset=number * _RANGE, length=len(data))

    async def finish(self, md5: bytes) -> None:
        """Give the file its digest and its name."""
        await self._beside.set_http_headers(ContentSettings(content_type="application/octet-stream", content_md5=bytearray(md5)))
        await self._beside.rename_file(self._place, overwrite=True)

    async def abandon(self) -> None:
        """Remove what was written."""
        await self._beside.delete_file()


def _found(path: str, item: Any) -> Found:
    modified = item.last_modified
    tag = (item.etag or "").strip('"')
    return Found(path, item.size, f"etag:{tag}" if tag else "", format_time(modified) if modified else None)
