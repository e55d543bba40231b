"""What a file or folder holds: each file's relative path, size and digest.

A manifest is what reuse compares, so it holds content only: no times, no owners, no absolute paths.
"""

from __future__ import annotations

import hashlib
import os
from typing import Callable, Iterable, List, NamedTuple, Optional, Tuple

_CHUNK = 1 << 20
UNFINISHED = ".penstock-unfinished-"  # how the name of a file begins that is still being written; it is nobody's data


class Entry(NamedTuple):
    """One file: path relative to the root with '/' ('' when the root itself is the file), bytes, sha256, may be executed."""

    path: str
    size: int
    digest: str
    executable: bool = False


Digester = Callable[[str, os.stat_result], str]


def digest_file(path: str, about: Optional[os.stat_result] = None, check: Callable[[], None] = lambda: None) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal. `check` is called now and then, and may raise to end it."""
    found = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while True:
            chunk = file.read(_CHUNK)
            if not chunk:
                return found.hexdigest()
            found.update(chunk)
            check()


def read_manifest(root: str, digester: Digester = digest_file, within: bool = False) -> List[Entry]:
    """Return the entries of a file or folder, sorted by path; [] when nothing is there.

    Links are followed as files; `within` leaves out what lies outside the root. What is not a regular file is left out.
    """
    if os.path.isfile(root):
        return [_entry(root, "", os.stat(root), digester)]
    entries = [_entry(path, relative, about, digester) for path, relative, about in walk(root, within=within)]
    return sorted(entries)


def walk(root: str, skip: Optional[Callable[[str, bool], bool]] = None, within: bool = False) -> Iterable[tuple[str, str, os.stat_result]]:
    """Yield (path, relative path, stat) of every regular file below a folder.

    `skip(relative path, is a folder)` leaves things out. A link that leads to its own parent is not entered; `within` also leaves out links
    that lead outside the root.
    """
    inside = os.path.realpath(root) + os.sep
    pending: List[Tuple[str, str, Tuple[str, ...]]] = [("", os.path.realpath(root), ())]  # relative, real, real parents
    while pending:
        folder, real, parents = pending.pop()
        try:
            items = list(os.scandir(os.path.join(root, folder)))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for item in items:
            relative = f"{folder}/{item.name}" if folder else item.name
            is_folder = item.is_dir()
            if item.name.startswith(UNFINISHED) or (skip and skip(relative, is_folder)):
                continue
            if within and item.is_symlink() and not os.path.realpath(item.path).startswith(inside):
                continue
            if is_folder:
                target = os.path.realpath(item.path)
                if target != real and target not in parents:
                    pending.append((relative, target, (*parents, real)))
            elif item.is_file():
                yield item.path, relative, item.stat()


def _entry(path: str, relative: str, about: os.stat_result, digester: Digester) -> Entry:
    return Entry(relative, about.st_size, digester(path, about), bool(about.st_mode & 0o100))


def manifest_digest(entries: Iterable[Entry]) -> str:
    """Return the sha256 that names a manifest: over each path, size, digest and executable flag, in path order."""
    found = hashlib.sha256()
    for entry in sorted(entries):
        found.update(f"{entry.path}\0{entry.size}\0{entry.digest}\0{int(entry.executable)}\n".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def total_size(entries: Iterable[Entry]) -> int:
    """Return the bytes of all files together."""
    return sum(entry.size for entry in entries)


def pack_entries(entries: Iterable[Entry]) -> bytes:
    """Return the form in which a manifest is kept."""
    import json
    import zlib

    return zlib.compress(json.dumps([list(entry) for entry in entries], separators=(",", ":")).encode(), 1)


def unpack_entries(packed: bytes) -> List[Entry]:
    """Return what `pack_entries` packed."""
    import json
    import zlib

    return [Entry(*item) for item in json.loads(zlib.decompress(packed))]
