"""Stores that are not on this machine, each kind through its own library. Only the carrier loads what is in here.

What they have in common is `Remote`: pages of a listing, one file's facts, bytes from a place on. Those that can be written to are sent
either bytes (`TakesParts`) or files (`TakesFiles`). Retries, concurrency, progress and unfinished files are `copies`' affair, and the
same for all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from penstock.model.errors import Unsupported
from penstock.storage.stores import Found, Store
from penstock.storage.stores.addresses import describe

PART_BYTES = 8 << 20  # how much of a file one request may hold in memory

Write = Callable[[bytes], Any]


class Upload(Protocol):
    """A large file on its way to a store; it appears there when it is finished."""

    async def put_part(self, number: int, data: bytes) -> None:
        """Send a part; they are numbered from 0, and may come in any order."""

    async def finish(self, md5: bytes) -> None:
        """Make the file of the parts appear. `md5` is the digest of all bytes."""

    async def abandon(self) -> None:
        """Let go of what was sent."""


class Remote(Protocol):
    """One store. Paths are relative to its root. Failures are the library's own errors; `failures.explain` puts them into words."""

    width: int  # how many requests it bears at once
    read_bytes: int  # how much of a large file one request reads; 0 where one reads all of it
    can_list: bool  # otherwise a path is one file's, letter by letter

    async def page(self, prefix: str, is_flat: bool, after: Any) -> tuple[list[Found], Any]:
        """Return files whose path begins with a text (`is_flat`: and no deeper), and where the next page begins; None after the last."""

    async def find(self, path: str) -> Found | None:
        """Return one file's facts; None when there is no such file."""

    async def read(self, file: Found, start: int, length: int, write: Write) -> None:
        """Pass bytes of a file on, from `start`; `length` -1: to the end. Raises Changed when it is another file now."""

    async def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    async def make(self) -> None:
        """Make the container or bucket when it is missing."""


@runtime_checkable
class TakesParts(Remote, Protocol):
    """A store that is sent bytes: small files whole, large ones in parts, several at once."""

    async def put(self, path: str, data: bytes, md5: bytes) -> None:
        """Write a small file whole."""

    def part_bytes(self, size: int) -> int:
        """Return how large the parts of a file are; what is not larger is sent whole."""

    async def begin(self, path: str, size: int) -> Upload:
        """Begin a large file."""


@runtime_checkable
class TakesFiles(Remote, Protocol):
    """A store that is sent a file from its place on this machine."""

    async def put_file(self, path: str, source: str) -> None:
        """Write a file whole."""


Taking = TakesParts | TakesFiles


class _Kind(NamedTuple):
    module: str
    maker: str
    package: str
    extra: str


_HTTP = _Kind("web", "Web", "aiohttp", "data")
_KINDS = {
    "abfs": _Kind("blobs", "Blobs", "adlfs", "azure"),
    "s3": _Kind("objects", "Objects", "s3fs", "s3"),
    "http": _HTTP,
    "https": _HTTP,
    "azfile": _Kind("shares", "Shares", "azure-storage-file-share", "azure"),
}
_OTHER = _Kind("others", "Others", "fsspec", "data")
_EXTRAS = {"gs": ("gcsfs", "gcs"), "gcs": ("gcsfs", "gcs")}
_FORGETFUL = {"memory", "file", "local"}


async def open_remote(store: Store) -> Taking:
    """Return a store, ready for use; nothing is asked of it yet.

    Raises:
        Unsupported: A package is missing, or no file system has this protocol.
    """
    if store.protocol in _FORGETFUL:
        raise Unsupported(f"{_big(store)} can't be of the kind '{store.protocol}'. Register a folder with Datastore.register_local.")
    kind = _KINDS.get(store.protocol, _OTHER)
    importlib.invalidate_caches()  # the package may have been installed a moment ago
    try:
        module = importlib.import_module(f"{__name__}.{kind.module}")
        remote: Taking = await getattr(module, kind.maker).open(store)
    except ImportError as error:
        raise _missing(store, kind, error) from error
    return remote


def _missing(store: Store, kind: _Kind, error: ImportError) -> Unsupported:
    lacks = f"{_big(store)} needs a package that is not installed where the service runs"
    package, extra = _EXTRAS.get(store.protocol, (kind.package, kind.extra))
    if kind is _OTHER and store.protocol not in _EXTRAS and error.name != "fsspec":  # fsspec's words then say what to install
        return Unsupported(f"{lacks}: {error}")
    return Unsupported(f'{lacks}: {package}. Install it: pip install "penstock[{extra}]"')


def _big(store: Store) -> str:
    name = describe(store)
    return name[0].upper() + name[1:]
