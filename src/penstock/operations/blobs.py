"""Stored bytes of source folders: files by their sha256, and snapshots, which list them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from penstock.compile.manifests import Entry, manifest_digest
from penstock.model.errors import Invalid, NotFound, TooLarge
from penstock.operations.context import Context
from penstock.operations.names import SHA256, as_json, check_digest
from penstock.storage.files import IncomingFile, OpenFile
from penstock.storage.paths import clean_relative


def blob_path(context: Context, digest: str) -> Path:
    """Return where the bytes with this sha256 lie, or would lie; raise Invalid for what is no sha256."""
    return context.home.blob(check_digest(digest))


def missing_blobs(context: Context, digests: Iterable[str]) -> list[str]:
    """Return those of `digests` that are not stored yet, each once."""
    return [digest for digest in dict.fromkeys(digests) if not blob_path(context, digest).exists()]


def receive_blob(context: Context, digest: str, most_bytes: int | None = None) -> IncomingFile:
    """Return the place for bytes with this sha256, to be written and finished; of at most so many, if that is said."""
    # One folder for all that come in: a disk makes many new files in one folder in a quarter of the time that it takes in 256.
    return IncomingFile(blob_path(context, digest), context.home.incoming, digest, most_bytes)


def remove_unused(context: Context, digests: Iterable[str]) -> None:
    """Free the room of those bytes that neither a source folder nor a model has.

    Rows are searched twice: at length while others may write, and once more, with nobody writing, for what came meanwhile. Who writes
    a row that names bytes looks for them then, and sends again what is missing.
    """
    begin, unused = context.now(), set(digests)
    _leave_out_used(context, unused, "")
    if not unused:
        return
    with context.change():
        _leave_out_used(context, unused, begin)
        for digest in unused:
            blob_path(context, digest).unlink(missing_ok=True)


def _leave_out_used(context: Context, digests: set[str], since: str) -> None:
    """Remove from `digests` what a row written since then names. Each row is read once, however many digests there are."""
    for table, column in (("models", "files"), ("snapshots", "manifest")):
        for row in context.database.each(f"select {column} as listed from {table} where created_at >= ?", (since,)):
            digests.difference_update(SHA256.findall(row["listed"]))
            if not digests:
                return


class IncomingBlobs:
    """Many files in one body: for each a line with its sha256 and its length, then its bytes. Each appears as soon as it is whole.

    What is stored already is passed over.

    Args:
        context: The surroundings.
        most_bytes: How many bytes all of them may have, where the setting snapshot_bytes counts; None for any number.
    """

    def __init__(self, context: Context, most_bytes: int | None = None) -> None:
        self.count = 0
        self._context = context
        self._unread = bytearray()
        self._current: IncomingFile | None = None
        self._left: int | None = None  # bytes of the current file that are still to come; None before a line
        self._most_bytes = most_bytes
        self._taken = 0

    def __enter__(self) -> IncomingBlobs:
        return self

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            Invalid: They are no such line, or the bytes of a file have another sha256.
            TooLarge: All files together have more bytes than a source folder may have.
        """
        self._unread += data
        while self._left is not None or self._begin():
            assert self._left is not None
            part = bytes(self._unread[: self._left])
            del self._unread[: self._left]
            self._left -= len(part)
            if self._current:
                self._current.write(part)
            if self._left:
                return
            self._end()

    def _begin(self) -> bool:
        """Read the next line; tell whether it is there."""
        end = self._unread.find(b"\n", 0, _LONGEST_LINE)
        if end < 0:
            if len(self._unread) >= _LONGEST_LINE:
                raise Invalid(_NO_LINE.format(bytes(self._unread[:80])))
            return False
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        digest, _, length = line.decode("ascii", "replace").partition(" ")
        if not length.isascii() or not length.isdigit():
            raise Invalid(_NO_LINE.format(line))
        path, self._left = blob_path(self._context, digest), int(length)
        self._taken += self._left
        if self._most_bytes is not None and self._taken > self._most_bytes:
            raise TooLarge(f"The files have more than {self._most_bytes} bytes (the setting snapshot_bytes).")
        self._current = None if path.exists() else receive_blob(self._context, digest)
        return True

    def _end(self) -> None:
        if self._current:
            self._current.finish()
        self._current, self._left = None, None
        self.count += 1

    def finish(self) -> None:
        """Say that these were all; raise Invalid when the last one is not whole."""
        if self._unread or self._left is not None:
            raise Invalid(f"The body ends in the middle of its file number {self.count + 1}.")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._current:
            self._current.__exit__(kind, error, trace)


_LONGEST_LINE = 64 + 1 + 19 + 1
_NO_LINE = "{!r} is not the line before a file: its sha256, a space, and its length in bytes."


# Snapshots


def put_snapshot(context: Context, digest: str, entries: Sequence[Any]) -> dict[str, Any]:
    """Keep a snapshot: the list of a source folder's files, all of whose bytes are here.

    Raises:
        Invalid: An entry is not [path, size, sha256, executable], leaves the folder, or the digest is not that of the list.
        NotFound: Bytes are missing; `details` lists their digests.
    """
    check_digest(digest)
    files = _check_entries(context, entries)
    if manifest_digest(files) != digest:
        raise Invalid(f"The snapshot's files have the digest {manifest_digest(files)}, not {digest}.")
    if context.database.first("select 1 from snapshots where digest = ?", (digest,)):
        return {"digest": digest, "files": len(files)}
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


def list_snapshot(context: Context, digest: str) -> list[list[Any]]:
    """Return the files of a snapshot as [path, size, sha256, executable]; NotFound when it is not stored."""
    return [list(entry) for entry in get_snapshot(context, check_digest(digest))]


def open_blob(context: Context, digest: str) -> OpenFile:
    """Open the bytes with this sha256; NotFound when they are not stored."""
    try:
        return OpenFile(blob_path(context, digest).open("rb"), 0)
    except FileNotFoundError:
        raise NotFound(f"There are no bytes with the sha256 {digest}.") from None


def get_snapshot(context: Context, digest: str) -> list[Entry]:
    """Return the files of a snapshot; NotFound when it is not stored."""
    row = context.database.first("select manifest from snapshots where digest = ?", (digest,))
    if row is None:
        raise NotFound(f"There is no snapshot {digest}.")
    return [Entry(*entry) for entry in json.loads(row["manifest"])]
