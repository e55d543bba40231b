"""Azurite: Azure's own emulator of blob storage."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.parts.processes import PartMissing, running

ROOT = Path(__file__).resolve().parents[2]
# Azurite's well-known account; it guards nothing.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True)
class Azurite:
    """A running Azurite."""

    port: int
    account_name: str = ACCOUNT
    account_key: str = KEY
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def endpoint(self) -> str:
        """The blob endpoint of the account: http://127.0.0.1:PORT/devstoreaccount1."""
        return self.endpoint_on(self.port)

    def endpoint_on(self, port: int) -> str:
        """Return the same endpoint on another port, a proxy's say."""
        return f"http://127.0.0.1:{port}/{self.account_name}"

    @property
    def connection_string(self) -> str:
        """What Azure's own libraries connect with."""
        return self.connection_string_on(self.port)

    def connection_string_on(self, port: int) -> str:
        """Return the same on another port."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account_name};AccountKey={self.account_key};"
            f"BlobEndpoint={self.endpoint_on(port)};"
        )

    @property
    def options(self) -> dict[str, Any]:
        """What fsspec's 'abfs' wants."""
        return {"account_name": self.account_name, "connection_string": self.connection_string}

    def new_container(self) -> str:
        """Make an empty container; return its name."""
        from azure.storage.blob import BlobServiceClient

        name = f"container-{next(self._numbers)}"
        with BlobServiceClient.from_connection_string(self.connection_string) as client:
            client.create_container(name)
        return name

    def sas_token(self, container: str, permission: str = "racwdl") -> str:
        """Return a token for one container."""
        from azure.storage.blob import generate_container_sas

        until = datetime.now(timezone.utc) + timedelta(hours=4)
        return generate_container_sas(self.account_name, container, account_key=self.account_key, permission=permission, expiry=until)

    def names(self, container: str) -> list[str]:
        """Return the names of all blobs of a container."""
        from azure.storage.blob import ContainerClient

        with ContainerClient.from_connection_string(self.connection_string, container) as client:
            return sorted(client.list_blob_names())


def find_azurite() -> str | None:
    """Return the program: the one PENSTOCK_AZURITE names, that of `make parts`, of node_modules, or of the PATH."""
    beside = [ROOT / folder / "node_modules" / ".bin" / "azurite-blob" for folder in (".parts", ".")]
    places = [os.environ.get("PENSTOCK_AZURITE"), *map(str, beside), shutil.which("azurite-blob")]
    return next((place for place in places if place and os.access(place, os.X_OK)), None)


@contextlib.contextmanager
def run_azurite() -> Iterator[Azurite]:
    """Give a running Azurite while the block lasts.

    Raises:
        PartMissing: It, or the package to talk to it, is not installed.
    """
    program = find_azurite()
    if program is None:
        raise PartMissing("Azurite is not installed: run 'make parts', or name its program azurite-blob with PENSTOCK_AZURITE")
    if importlib.util.find_spec("adlfs") is None:
        raise PartMissing("the package adlfs is not installed: pip install 'penstock[azure]'")
    with tempfile.TemporaryDirectory(prefix="azurite-", ignore_cleanup_errors=True) as folder:
        words = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", "0"]
        with running([program, *words, "--location", folder], r"listens on http://127\.0\.0\.1:([1-9]\d*)") as ready:
            yield Azurite(int(ready[1]))


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azure blob storage, as Azurite emulates it."""
    with contextlib.ExitStack() as stack:
        try:
            part = stack.enter_context(run_azurite())
        except PartMissing as missing:
            pytest.skip(str(missing))
        yield part
