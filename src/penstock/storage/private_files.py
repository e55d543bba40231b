"""Files that only their owner may read: keys. One that others could read or replace is not used."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from penstock.model.errors import Unavailable
from penstock.storage.files import write_once

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, what: str, remedy: str, make: Callable[[], bytes] | None = None) -> bytes:
    """Return what a private file holds.

    Args:
        path: The file.
        what: What it holds, for messages.
        remedy: What to do when others can read it, for messages.
        make: Makes its bytes when there is none yet.

    Raises:
        FileNotFoundError: There is none, and none is made.
        Unavailable: It can't be read or made, or others can read or replace it.
    """
    try:
        if make is not None and not path.exists():
            write_once(path, make())
        about = path.lstat()  # a link could lead to somebody else's file
        if not stat.S_ISREG(about.st_mode) or about.st_mode & _OTHERS or about.st_uid != os.getuid():
            raise Unavailable(
                f"{path} holds {what}, and others than you can read or replace it (mode {stat.S_IMODE(about.st_mode):04o}). {remedy}"
            )
        return path.read_bytes()
    except OSError as error:
        if make is None and isinstance(error, FileNotFoundError):
            raise
        raise Unavailable(f"{path} can't be used: {error.strerror}. It holds {what}; mend its permissions.") from error
