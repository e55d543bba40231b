"""Files on their way to the service, many in one request; and from it: whole, or not at all."""

from __future__ import annotations

import os
from typing import Iterator, Sequence, Tuple, Union

from penstock.model.ids import new_id


def write_parts(parts: Iterator[bytes], target_path: Union[str, os.PathLike[str]]) -> None:
    """Write bytes to a path as they come; folders on the way are made, and an older file is replaced when all are there."""
    target = os.path.abspath(os.fspath(target_path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = f"{target}.{new_id()[:8]}.part"
    try:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


class Frames:
    """Files one after the other, each behind a line with its sha256 and length; read from the beginning whenever `seek` is called."""

    def __init__(self, files: Sequence[Tuple[str, str]]) -> None:
        self._files = files
        self.seek(0)

    def tell(self) -> int:
        """Return where it begins."""
        return 0

    def seek(self, place: int) -> None:
        """Go back to the beginning."""
        self._frames = self._read_files()

    def read(self, size: int) -> bytes:
        """Return the next bytes: some more than `size`, fewer at the end, b"" behind it."""
        parts, length = [], 0
        for frame in self._frames:
            parts.append(frame)
            length += len(frame)
            if length >= size:
                break
        return b"".join(parts)

    def _read_files(self) -> Iterator[bytes]:
        for digest, path in self._files:
            with open(path, "rb") as file:
                data = file.read()
            yield b"%b %d\n%b" % (digest.encode(), len(data), data)
