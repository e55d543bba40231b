"""S3 buckets. s3fs knows the ways to log in and makes the requests; the tries are ours."""

from __future__ import annotations

import os
from typing import Any

from s3fs import S3FileSystem

from penstock.storage.stores import Found, Store
from penstock.storage.stores.failures import Changed, code_of, status_of
from penstock.storage.stores.remotes import PART_BYTES, Upload, Write
from penstock.storage.stores.times import format_time

_MOST_PARTS = 10_000
_PIECE = 1 << 18
_CONFIG = {"connect_timeout": 10, "read_timeout": 60, "max_pool_connections": 64, "retries": {"total_max_attempts": 1}}


class Objects:
    """A bucket, or a folder of one."""

    width = 32
    read_bytes = 64 << 20  # it comes in small pieces, and simple servers look through the whole object for each request
    can_list = True

    def __init__(self, connection: S3FileSystem, root: str) -> None:
        self._connection = connection
        self._bucket, _, folder = root.strip("/").partition("/")
        self._base = f"{folder}/" if folder else ""

    @classmethod
    async def open(cls, store: Store) -> Objects:
        """Return a store, logged in as its options say."""
        options = {**store.options, "config_kwargs": {**_CONFIG, **store.options.get("config_kwargs", {})}}
        authority = os.environ.get("SSL_CERT_FILE")
        if authority and not os.environ.get("AWS_CA_BUNDLE"):  # botocore brings its own authorities and knows only its own variable
            options["client_kwargs"] = {"verify": authority, **store.options.get("client_kwargs", {})}
        connection = S3FileSystem(**options, asynchronous=True, skip_instance_cache=True)
        connection.retries = 1
        return cls(connection, store.root)

    async def _call(self, verb: str, **about: Any) -> Any:
        return await self._connection._call_s3(verb, Bucket=self._bucket, **about)

    async def page(self, prefix: str, is_flat: bool, after: Any) -> tuple[list[Found], Any]:
        """Return one page of a listing."""
        more = {"ContinuationToken": after} if after else {}
        answer = await self._call("list_objects_v2", Prefix=self._base + prefix, **({"Delimiter": "/"} if is_flat else {}), **more)
        found = [
            Found(item["Key"][len(self._base) :], item["Size"], _token(item), format_time(item["LastModified"]))
            for item in answer.get("Contents", [])
            if not item["Key"].endswith("/")
        ]
        return found, answer.get("NextContinuationToken")

    async def find(self, path: str) -> Found | None:
        """Return one object's facts."""
        try:
            about = await self._call("head_object", Key=self._base + path)
        except Exception as error:
            if status_of(error) == 404 and code_of(error) != "NoSuchBucket":
                return None
            raise
        return Found(path, about["ContentLength"], _token(about), format_time(about["LastModified"]))

    async def read(self, file: Found, start: int, length: int, write: Write) -> None:
        """Pass bytes of an object on."""
        about: dict[str, Any] = {"Key": self._base + file.path}
        if start or length >= 0:
            about["Range"] = f"bytes={start}-{start + length - 1 if length >= 0 else ''}"
        if file.token:
            about["IfMatch"] = f'"{file.token.partition(":")[2]}"'
        try:
            answer = await self._call("get_object", **about)
        except Exception as error:
            if status_of(error) == 412:
                raise Changed from error
            raise
        async with answer["Body"] as body:
            while piece := await body.read(_PIECE):
                write(piece)

    async def put(self, path: str, data: bytes, md5: bytes) -> None:
        """Write a small object; its etag is its MD5 with most servers."""
        await self._call("put_object", Key=self._base + path, Body=data)

    def part_bytes(self, size: int) -> int:
        """Return how large the parts of a file must be, for as many as an object may have."""
        return max(PART_BYTES, -(-size // (_MOST_PARTS - 1)))

    async def begin(self, path: str, size: int) -> Upload:
        """Begin an object of many parts."""
        begun = await self._call("create_multipart_upload", Key=self._base + path)
        return _Parts(self, {"Key": self._base + path, "UploadId": begun["UploadId"]})

    async def delete(self, path: str) -> None:
        """Remove an object."""
        await self._call("delete_object", Key=self._base + path)

    async def make(self) -> None:
        """Make the bucket when it is missing."""
        try:
            await self._call("head_bucket")
        except Exception as error:
            if status_of(error) != 404:
                raise
            region = self._connection.client_kwargs.get("region_name")
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region and region != "us-east-1" else {}
            await self._call("create_bucket", **place)


class _Parts:
    """An object on its way: parts that nobody sees until it is finished."""

    def __init__(self, objects: Objects, about: dict[str, Any]) -> None:
        self._call = objects._call
        self._about = about
        self._tags: dict[int, str] = {}

    async def put_part(self, number: int, data: bytes) -> None:
        """Send a part."""
        answer = await self._call("upload_part", PartNumber=number + 1, Body=data, **self._about)
        self._tags[number] = answer["ETag"]

    async def finish(self, md5: bytes) -> None:
        """Make the object of its parts."""
        parts = [{"PartNumber": number + 1, "ETag": tag} for number, tag in sorted(self._tags.items())]
        await self._call("complete_multipart_upload", MultipartUpload={"Parts": parts}, **self._about)

    async def abandon(self) -> None:
        """Remove the parts: they would be kept, and paid for."""
        await self._call("abort_multipart_upload", **self._about)


def _token(about: Any) -> str:
    tag = str(about.get("ETag") or "").strip('"')
    return f"etag:{tag}" if tag else ""
