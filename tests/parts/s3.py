"""An S3 server: moto's, in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.parts.processes import PartMissing, running

_SERVER = """
import signal, sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("port", server.get_host_and_port()[1], flush=True)
signal.sigwait([signal.SIGINT, signal.SIGTERM])
"""


@dataclass(frozen=True)
class S3Server:
    """A running S3 server; it takes any key."""

    port: int
    key: str = "testing"
    secret: str = "testing-secret"  # noqa: S105 - it guards nothing
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def options(self) -> dict[str, Any]:
        """What fsspec's 's3' wants."""
        return self.options_on(self.port)

    def options_on(self, port: int) -> dict[str, Any]:
        """Return the same on another port, a proxy's say."""
        return {"key": self.key, "secret": self.secret, "endpoint_url": f"http://127.0.0.1:{port}"}

    def client(self) -> Any:
        """Return a boto3 client."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.key, aws_secret_access_key=self.secret, region_name="us-east-1"
        )

    def new_bucket(self) -> str:
        """Make an empty bucket; return its name."""
        name = f"bucket-{next(self._numbers)}"
        self.client().create_bucket(Bucket=name)
        return name

    def names(self, bucket: str) -> list[str]:
        """Return the keys of all objects of a bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))


@contextlib.contextmanager
def run_s3_server() -> Iterator[S3Server]:
    """Give a running S3 server while the block lasts.

    Raises:
        PartMissing: It, or the package to talk to it, is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("moto", "flask", "s3fs")):
        raise PartMissing("moto's server or s3fs is not installed: pip install 'moto[s3,server]' 'penstock[s3]'")
    with running([sys.executable, "-c", _SERVER], r"port (\d+)") as ready:
        yield S3Server(int(ready[1]))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 object store."""
    with contextlib.ExitStack() as stack:
        try:
            part = stack.enter_context(run_s3_server())
        except PartMissing as missing:
            pytest.skip(str(missing))
        yield part
