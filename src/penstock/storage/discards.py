"""Folders that nobody needs any more."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

from penstock.model.ids import new_id


def discard(bin_folder: Path, folders: Iterable[Path]) -> threading.Thread:
    """Take folders away at once, and free their room in the background; return the thread that does.

    They are moved into `bin_folder` first, which must be on the same disk. Whatever is found there is removed: what an earlier process
    did not finish, too. A folder that is not there, or can't be moved, is left as it is.
    """
    for folder in folders:
        with contextlib.suppress(OSError):
            _move(folder, bin_folder / new_id())
    thread = threading.Thread(target=shutil.rmtree, args=(bin_folder,), kwargs={"ignore_errors": True}, name="discard", daemon=True)
    thread.start()
    return thread


def _move(folder: Path, place: Path) -> None:
    try:
        os.rename(folder, place)
    except FileNotFoundError:  # the bin is not there: removed this very moment, or never made
        place.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(folder, place)
