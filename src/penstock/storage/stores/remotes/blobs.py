"""Azure blob containers. adlfs knows the many ways to log in; requests go through its client, with our own timeouts and tries."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from adlfs import AzureBlobFileSystem
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, ContentSettings
from azure.storage.blob.aio import BlobPrefix, BlobServiceClient

from penstock.storage.stores import Found, Store
from penstock.storage.stores.failures import Changed, code_of
from penstock.storage.stores.remotes import PART_BYTES, Upload, Write
from penstock.storage.stores.times import format_time

_MOST_BLOCKS = 50_000
_CLIENT = {
    "retry_total": 0,  # the tries are ours
    "connection_timeout": 10,
    "read_timeout": 60,
    "max_single_put_size": PART_BYTES,
    "max_single_get_size": PART_BYTES,
    "max_chunk_get_size": PART_BYTES,
}


class _Connection(AzureBlobFileSystem):  # type: ignore[misc]
    """adlfs, with a client of our own making."""

    def do_connect(self) -> None:
        """Make the client as adlfs does, in the same order of credentials."""
        if self.connection_string is not None:
            self.service_client = BlobServiceClient.from_connection_string(self.connection_string, **_CLIENT)
            return
        if self.account_name is None:
            raise ValueError("neither an account_name nor a connection_string is given")
        host = getattr(self, "account_host", None) or f"{self.account_name}.blob.core.windows.net"
        credential = self.credential or self.account_key or (self.sas_token or "").lstrip("?") or None
        self.service_client = BlobServiceClient(f"https://{host}", credential=credential, **_CLIENT)


class Blobs:
    """A blob container, or a folder of one."""

    width = 32
    read_bytes = PART_BYTES  # the library holds all of it in memory
    can_list = True

    def __init__(self, client: BlobServiceClient, root: str) -> None:
        self._client = client
        self._container, _, folder = root.strip("/").partition("/")
        self._base = f"{folder}/" if folder else ""

    @classmethod
    async def open(cls, store: Store) -> Blobs:
        """Return a store, logged in as its options say."""
        connection = _Connection(**store.options, asynchronous=True, skip_instance_cache=True)
        return cls(connection.service_client, store.root)

    def _blob(self, path: str) -> Any:
        return self._client.get_blob_client(self._container, self._base + path)

    async def page(self, prefix: str, is_flat: bool, after: Any) -> tuple[list[Found], Any]:
        """Return one page of a listing."""
        container = self._client.get_container_client(self._container)
        words = {"name_starts_with": self._base + prefix, "include": ["metadata"]}
        pages = (container.walk_blobs(delimiter="/", **words) if is_flat else container.list_blobs(**words)).by_page(after)
        try:
            items = [item async for item in await anext(pages)]
        except StopAsyncIteration:
            return [], None
        found = [self._found(item) for item in items if not isinstance(item, BlobPrefix) and not _is_folder(item)]
        return found, pages.continuation_token or None

    async def find(self, path: str) -> Found | None:
        """Return one blob's facts."""
        try:
            about = await self._blob(path).get_blob_properties()
        except ResourceNotFoundError as error:
            if code_of(error) == "ContainerNotFound":
                raise
            return None
        return None if _is_folder(about) else self._found(about)

    def _found(self, item: Any) -> Found:
        modified: datetime | None = item.last_modified
        md5 = item.content_settings.content_md5
        token = f"md5:{bytes(md5).hex()}" if md5 else f"etag:{(item.etag or '').strip(chr(34))}"
        return Found(item.name[len(self._base) :], item.size, token, format_time(modified) if modified else None)

    async def read(self, file: Found, start: int, length: int, write: Write) -> None:
        """Pass bytes of a blob on."""
        kind, _, tag = file.token.partition(":")
        same = {"etag": f'"{tag}"', "match_condition": MatchConditions.IfNotModified} if kind == "etag" and tag else {}
        try:
            stream = await self._blob(file.path).download_blob(offset=start, length=length if length >= 0 else None, **same)
            async for chunk in stream.chunks():
                write(chunk)
        except ResourceModifiedError as error:
            raise Changed from error

    async def put(self, path: str, data: bytes, md5: bytes) -> None:
        """Write a small blob; it carries its MD5."""
        settings = ContentSettings(content_md5=bytearray(md5))
        await self._blob(path).upload_blob(data, length=len(data), overwrite=True, content_settings=settings)

    def part_bytes(self, size: int) -> int:
        """Return how large the parts of a file must be, for as many as a blob may have."""
        return max(PART_BYTES, -(-size // (_MOST_BLOCKS - 1)))

    async def begin(self, path: str, size: int) -> Upload:
        """Begin a blob of many blocks."""
        return _Blocks(self._blob(path))

    async def delete(self, path: str) -> None:
        """Remove a blob."""
        try:
            await self._blob(path).delete_blob()
        except ResourceNotFoundError as error:
            if code_of(error) == "ContainerNotFound":
                raise

    async def make(self) -> None:
        """Make the container when it is missing."""
        try:
            await self._client.create_container(self._container)
        except ResourceExistsError:
            pass


class _Blocks:
    """A blob on its way: blocks that nobody sees until they are committed; what is not, the store forgets after a week."""

    def __init__(self, blob: Any) -> None:
        self._blob = blob
        self._count = 0

    async def put_part(self, number: int, data: bytes) -> None:
        """Send a block."""
        self._count = max(self._count, number + 1)
        await self._blob.stage_block(_block_id(number), data, length=len(data))

    async def finish(self, md5: bytes) -> None:
        """Commit the blocks; the blob carries its MD5."""
        blocks = [BlobBlock(_block_id(number)) for number in range(self._count)]
        await self._blob.commit_block_list(blocks, content_settings=ContentSettings(content_md5=bytearray(md5)))

    async def abandon(self) -> None:
        """Nothing to do: blocks that are not committed are no blob."""


def _block_id(number: int) -> str:
    return base64.b64encode(f"{number:08}".encode()).decode()


def _is_folder(item: Any) -> bool:
    """Tell whether a blob stands for a folder, as data lakes and adlfs keep them."""
    marks = {name.lower(): str(value).lower() for name, value in (item.metadata or {}).items()}
    return item.name.endswith("/") or "true" in (marks.get("hdi_isfolder"), marks.get("is_directory"))
