"""Stored bytes of source folders: files by their sha256, and snapshots, which list them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from penstock.compile.manifests import Entry, manifest_digest
from penstock.model.errors import Invalid, NotFound, TooLarge, Unavailable
from penstock.operations.context import Context
from penstock.operations.names import as_json, check_digest
from penstock.storage.paths import clean_relative


def blob_path(context: Context, digest: str) -> Path:
    """Return where the bytes with this sha256 lie, or would lie."""
    check_digest(digest)
    return context.home.blobs / digest[:2] / digest


def missing_blobs(context: Context, digests: Iterable[str]) -> list[str]:
    """Return those of `digests` that are not stored yet, each once."""
    return [digest for digest in dict.fromkeys(digests) if not blob_path(context, digest).exists()]


class IncomingBlob:
    """Bytes on their way in: written beside their place, checked, then renamed. Left halfway, they leave nothing behind."""

    def __init__(self, context: Context, digest: str) -> None:
        self._path, self._digest = blob_path(context, digest), digest
        self._limit = context.settings.snapshot_bytes
        self._hash, self._size = hashlib.sha256(), 0
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, self._temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".incoming-")
        except OSError as error:
            raise _no_room(self._path, error) from error
        self._file = os.fdopen(handle, "wb")

    def __enter__(self) -> IncomingBlob:
        return self

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._size += len(data)
        if self._size > self._limit:
            raise TooLarge(f"One file of the source folder has more than {self._limit} bytes (the setting snapshot_bytes).")
        self._hash.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise _no_room(self._path, error) from error

    def finish(self) -> None:
        """Check the digest and put the bytes in their place.

        Raises:
            Invalid: The bytes have another digest.
        """
        if self._hash.hexdigest() != self._digest:
            raise Invalid(f"The bytes sent have the sha256 {self._hash.hexdigest()}, not {self._digest}; nothing was stored.")
        try:
            self._file.close()
            os.chmod(self._temporary, 0o600)
            os.replace(self._temporary, self._path)
        except OSError as error:
            raise _no_room(self._path, error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for leave in (self._file.close, lambda: os.unlink(self._temporary)):
            try:
                leave()
            except OSError:  # renamed already, or the disk is full: either way there is nothing to keep
                pass


def _no_room(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path.parent} can't be written: {error.strerror}. Nothing was changed; free some room or mend its permissions.")


# Snapshots


def put_snapshot(context: Context, digest: str, entries: Sequence[Any]) -> dict[str, Any]:
    """Keep a snapshot: the list of a source folder's files, all of whose bytes are here.

    Raises:
        Invalid: An entry is not [path, size, sha256, executable], leaves the folder, or the digest is not that of the list.
        NotFound: Bytes are missing; `details` lists their digests.
    """
    check_digest(digest)
    known = context.database.first("select 1 from snapshots where digest = ?", (digest,))
    if known:
        return {"digest": digest, "files": len(entries)}
    files = _check_entries(context, entries)
    if manifest_digest(files) != digest:
        raise Invalid(f"The snapshot's files have the digest {manifest_digest(files)}, not {digest}.")
    missing = missing_blobs(context, (entry.digest for entry in files))
    if missing:
        raise NotFound(f"{len(missing)} files of the snapshot were not sent yet.", missing=missing[:1000])
    with context.change() as change:
        change.rows.execute(
            "insert into snapshots (digest, manifest, created_at) values (?, ?, ?) on conflict do nothing",
            (digest, as_json([list(entry) for entry in files]), change.at),
        )
    return {"digest": digest, "files": len(files)}


def _check_entries(context: Context, entries: Sequence[Any]) -> list[Entry]:
    files = [_check_entry(entry) for entry in entries]
    if len({entry.path for entry in files}) != len(files):
        raise Invalid("Two files of the snapshot have the same path.")
    size = sum(entry.size for entry in files)
    if size > context.settings.snapshot_bytes:
        raise TooLarge(f"The snapshot has {size} bytes; at most {context.settings.snapshot_bytes} are taken (the setting snapshot_bytes).")
    return files


def _check_entry(entry: Any) -> Entry:
    if not isinstance(entry, (list, tuple)) or len(entry) != 4:
        raise Invalid("A snapshot's entry is [path, size, sha256, executable].")
    path, size, digest, executable = entry
    if isinstance(size, bool) or not isinstance(size, int) or size < 0 or not isinstance(executable, bool):
        raise Invalid("A snapshot's entry is [path, size, sha256, executable]: text, whole number, text, true or false.")
    if clean_relative(path) != path:
        raise Invalid(f"The snapshot's path '{path[:200]}' is not in its plain form.")
    return Entry(path, size, check_digest(digest), executable)


def get_snapshot(context: Context, digest: str) -> list[Entry]:
    """Return the files of a snapshot; NotFound when it is not stored."""
    row = context.database.first("select manifest from snapshots where digest = ?", (digest,))
    if row is None:
        raise NotFound(f"There is no snapshot {digest}.")
    return [Entry(*entry) for entry in json.loads(row["manifest"])]
