"""Paths that users give, made safe: one function cleans them, one joins them to a root and never leaves it."""

from __future__ import annotations

import os
from typing import List, Optional


def clean(path: Optional[str]) -> str:
    """Return a relative path with forward slashes, without empty, `.` and `..` parts; '' for None.

    A `..` takes back the part before it, and nothing above the root.

    Raises:
        UserErrorException: The path holds a NUL character.
    """
    parts: List[str] = []
    text = os.fspath(path) if path is not None else ""
    if "\0" in text:
        from azureml.exceptions import UserErrorException

        raise UserErrorException(f"The path {text!r} holds a NUL character.")
    for part in text.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def join_inside(root: str, path: Optional[str]) -> str:
    """Return the place of `path` below `root`.

    Raises:
        UserErrorException: A symbolic link on the way leads out of the root.
    """
    joined = os.path.join(root, *clean(path).split("/"))
    real_root, real = os.path.realpath(root), os.path.realpath(joined)
    if real != real_root and not real.startswith(real_root.rstrip(os.sep) + os.sep):
        from azureml.exceptions import UserErrorException

        raise UserErrorException(f"The path {path!r} leads out of {root}, to {real}. Take the symbolic link away or name another path.")
    return joined
