"""The one place where a name that someone sent becomes a path."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.model.errors import Invalid

_LONGEST_PATH = 4000  # Linux stops at 4096 bytes; macOS at 1024, and says so itself
_LONGEST_PART = 255


def clean_relative(relative: str) -> str:
    """Return a relative path in its plain form: '/' between parts, no '.' parts, no doubled slashes.

    Raises:
        Invalid: It is empty, absolute, too long, leads upwards, or can't be a path at all.
    """
    if not isinstance(relative, str) or "\0" in relative:
        raise Invalid(f"{relative!r} can't be a path.")
    try:
        encoded = relative.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid(f"The path {relative!r} is not valid Unicode text.") from None
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if relative.startswith("/") or ".." in parts:
        raise Invalid(f"The path '{relative[:200]}' leaves its folder; name one below it.")
    if not parts:
        raise Invalid(f"The path '{relative[:200]}' names no file.")
    if len(encoded) > _LONGEST_PATH or any(len(part.encode("utf-8")) > _LONGEST_PART for part in parts):
        raise Invalid(f"The path '{relative[:200]}...' is too long.")
    return "/".join(parts)


def safe_join(root: Path, relative: str) -> Path:
    """Return `root/relative`, which need not exist, and never a path outside `root`, through symbolic links neither.

    Raises:
        Invalid: The path leaves its root, or can't be a path at all.
    """
    plain = clean_relative(relative)
    real_root = os.path.realpath(root)
    if not is_inside(os.path.realpath(os.path.join(real_root, plain)), real_root):
        raise Invalid(f"The path '{plain[:200]}' leaves its folder through a symbolic link.")
    return root / plain


def is_inside(real_path: str, real_root: str) -> bool:
    """Tell whether a path, links resolved, lies below a root, links resolved; the root itself does not."""
    return real_path.startswith(real_root.rstrip("/") + "/")
