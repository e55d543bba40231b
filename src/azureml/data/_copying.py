"""Copies files so that they appear whole or not at all."""

from __future__ import annotations

import os
from typing import Any

from azureml.data._paths import join_inside

_BLOCK = 1 << 20


def put_inside(root: str, path: str, source: Any) -> str:
    """Write a file below `root`, replacing one of that name, and return its place.

    Args:
        root: The folder that is not left.
        path: The place below it, as a user gave it.
        source: A path, or a stream of bytes.

    Raises:
        UserErrorException: A folder has that name, or a file has the name of a folder on the way.
    """
    target = join_inside(root, path)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy(source, target)
    except (IsADirectoryError, NotADirectoryError, FileExistsError):
        raise name_clash(path) from None
    return target


def name_clash(path: str) -> Exception:
    """Return the exception for a file that would be where a folder is, or below another file."""
    from azureml.exceptions import UserErrorException

    return UserErrorException(f"The file can't be stored as '{path}': a file and a folder would have the same name. Choose another one.")


def copy(source: Any, target: str) -> None:
    """Copy a path or a stream of bytes to `target`, through a neighbouring file that is renamed at the end."""
    from penstock.compile.manifests import UNFINISHED

    folder, name = os.path.split(target)
    unfinished = os.path.join(folder, f"{UNFINISHED}{os.getpid()}-{name[-100:]}")
    try:
        with open(unfinished, "wb") as out:
            if hasattr(source, "read"):
                _pour(source, out)
            else:
                with open(source, "rb") as stream:
                    _pour(stream, out)
        os.replace(unfinished, target)
    finally:
        if os.path.lexists(unfinished):
            os.unlink(unfinished)


def _pour(stream: Any, out: Any) -> None:
    while True:
        block = stream.read(_BLOCK)
        if not block:
            return
        out.write(block.encode("utf-8") if isinstance(block, str) else block)
