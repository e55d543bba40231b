"""Files as they come in, grow and go out: what is seen of them is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from penstock.model.errors import Invalid, Refused, TooLarge, Unavailable


class IncomingFile:
    """A file on its way in: written beside its place, checked, then renamed, so that it appears whole or not at all.

    Args:
        path: Its place; an older file there is replaced.
        beside: Where it is written, on the same disk. Both folders are made when they are missing.
        digest: The sha256 that it must have; None when any will do.
        most_bytes: How many bytes it may have; None for any number.
    """

    def __init__(self, path: Path, beside: Path, digest: str | None = None, most_bytes: int | None = None) -> None:
        self.size = 0
        self._path, self._digest, self._most_bytes = path, digest, most_bytes
        self._hash = hashlib.sha256()
        self._is_done = False
        try:
            handle, self._temporary = _open_temporary(beside)
        except OSError as error:
            raise self._trouble(error) from error
        self._file = os.fdopen(handle, "wb")

    def _trouble(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"The file {self._path} can't be written: {error.strerror}. Nothing was changed; free some room or mend the permissions there."
        )

    def __enter__(self) -> IncomingFile:
        return self

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: They are too many.
        """
        self.size += len(data)
        if self._most_bytes is not None and self.size > self._most_bytes:
            raise TooLarge(f"One file of the source folder has more than {self._most_bytes} bytes (the setting snapshot_bytes).")
        if self._digest is not None:
            self._hash.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._trouble(error) from error

    def finish(self) -> None:
        """Check the digest and put the file in its place.

        Raises:
            Invalid: The bytes have another digest.
            Refused: A folder has that place, or a file that of its folder.
        """
        if self._digest is not None and self._hash.hexdigest() != self._digest:
            raise Invalid(f"The bytes sent have the sha256 {self._hash.hexdigest()}, not {self._digest}; nothing was stored.")
        try:
            self._file.close()
            self._replace()
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise Refused(f"The file can't be kept as {self._path}: a file and a folder would have the same name.") from error
        except OSError as error:
            raise self._trouble(error) from error
        self._is_done = True

    def _replace(self) -> None:
        try:
            os.replace(self._temporary, self._path)
        except FileNotFoundError:  # the first file of its folder
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._temporary, self._path)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_done:
            return
        for leave in (self._file.close, lambda: os.unlink(self._temporary)):
            try:
                leave()
            except OSError:  # the disk is full, say: there is nothing to keep
                pass


def _open_temporary(folder: Path) -> tuple[int, str]:
    try:
        return tempfile.mkstemp(dir=folder, prefix=".incoming-")  # readable by its owner only
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.mkstemp(dir=folder, prefix=".incoming-")


class OpenFile:
    """A file that is being read: what is left of it from an offset on, as it was when it was opened."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file = file
        end = file.seek(0, os.SEEK_END)
        self.size = max(end - offset, 0)
        file.seek(min(offset, end))

    def read(self, size: int) -> bytes:
        """Return the next bytes; b"" at the end."""
        return self._file.read(size)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def open_file(path: str) -> BinaryIO:
    """Open a file to read its bytes.

    Raises:
        OSError: It is none that has an end: a folder, a pipe (which would never open), a device.
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115 - the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "It is no file with an end", path)


def write_once(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, unless there is one: whoever is first wins, and nobody ever sees half of it."""
    handle, temporary = _open_temporary(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
    finally:
        os.unlink(temporary)


def replace_text(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in place of an older one; nobody ever sees half of it."""
    handle, temporary = _open_temporary(path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines in one write, on a line of their own even after a line that a killed writer left torn.

    Raises:
        Unavailable: The file can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                lines = b"\n" + lines
            os.write(handle, lines)
        finally:
            os.close(handle)
    except OSError as error:
        raise Unavailable(f"{path} can't be written: {error.strerror}. Nothing was kept.") from error
