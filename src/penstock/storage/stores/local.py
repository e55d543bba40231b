"""The verbs for a store that is a folder of this machine: read in place, written whole."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from penstock.compile.manifests import UNFINISHED, walk
from penstock.model.errors import Invalid, NotFound, PenstockError, Refused, Unavailable
from penstock.model.ids import new_id
from penstock.storage.files import open_file
from penstock.storage.paths import safe_join
from penstock.storage.stores import Check, Found, Progress, Store
from penstock.storage.stores.addresses import describe
from penstock.storage.stores.patterns import Pattern, is_unfinished
from penstock.storage.stores.times import format_time

_CHUNK = 4 << 20
_CHECK_EVERY = 500  # files
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def place_of(store: Store, path: str) -> str:
    """Return where a path of a local store lies; '' is its root.

    Raises:
        Invalid: It leaves the root.
    """
    root, plain = Path(store.root), path.lstrip("/")
    try:
        return str(root if plain in ("", ".") else safe_join(root, plain))
    except Invalid as error:
        raise Invalid(f"On {describe(store)}: {error.message}") from None


def places_of(store: Store, paths: Sequence[str]) -> list[str]:
    """Return where many paths of a local store lie. Each folder is looked at once, as long as no file is a link."""
    folders: dict[str, str] = {}
    places = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = place_of(store, folder)
        place = f"{folders[folder]}/{name}"
        places.append(place_of(store, path) if name in ("", ".", "..") or os.path.islink(place) else place)
    return places


def list_local(store: Store, text: str, check: Check) -> list[Found]:
    """Return the files that a path or pattern names, sorted by path.

    Raises:
        Invalid: The pattern leaves the store.
        Refused: A folder can't be read.
    """
    pattern = Pattern(text)
    return _collect(store, pattern.folder, pattern.matches, lambda folder: not pattern.may_hold(folder), check)


def list_local_prefix(store: Store, prefix: str, check: Check) -> list[Found]:
    """Return the files whose path begins with a text, sorted by path."""
    folder = prefix.rpartition("/")[0]

    def is_aside(path: str) -> bool:
        return not f"{path}/".startswith(prefix) and not prefix.startswith(f"{path}/")

    return _collect(store, folder, lambda path: path.startswith(prefix) and not is_unfinished(path), is_aside, check)


def _collect(store: Store, folder: str, wanted: Callable[[str], bool], is_aside: Callable[[str], bool], check: Check) -> list[Found]:
    top = place_of(store, folder)
    with _troubles(store, folder, "read"):
        if os.path.isfile(top):
            return [_found(folder, os.stat(top))] if wanted(folder) else []
        inside = f"{folder}/" if folder else ""
        found = []
        seen = 0

        def skip(relative: str, is_folder: bool) -> bool:
            nonlocal seen
            seen += 1
            if seen % _CHECK_EVERY == 0:
                check()
            return is_aside(inside + relative) if is_folder else not wanted(inside + relative)

        for _, relative, about in walk(top, skip, within=True):
            found.append(_found(inside + relative, about))
    return sorted(found)


def _found(path: str, about: os.stat_result) -> Found:
    return Found(path, about.st_size, "", format_time(datetime.fromtimestamp(about.st_mtime, timezone.utc)))


def get_local(store: Store, files: Sequence[tuple[Found, str]], overwrite: bool, check: Check, tell: Callable[[Progress], None]) -> int:
    """Copy files of the store to places outside of it; return how many were copied."""
    copied = 0
    for found, target in files:
        with _troubles(store, found.path, "copied"):
            copied += _copy(place_of(store, found.path), target, found.path, overwrite, check, tell)
    return copied


def put_local(
    store: Store, files: Sequence[tuple[str, str]], overwrite: bool, check: Check, tell: Callable[[Progress], None]
) -> list[Found]:
    """Copy files to the store; return what lies there now."""
    found = []
    for source, path in files:
        target = place_of(store, path)
        with _troubles(store, path, "written"):
            _copy(source, target, path, overwrite, check, tell)
            found.append(_found(os.path.relpath(target, store.root), os.stat(target)))
    return found


def delete_local(store: Store, paths: Sequence[str]) -> None:
    """Remove files; one that is not there is no error."""
    for path in paths:
        with _troubles(store, path, "removed"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(place_of(store, path))


def _copy(source: str, target: str, path: str, overwrite: bool, check: Check, tell: Callable[[Progress], None]) -> int:
    if not overwrite and os.path.lexists(target):
        tell(Progress(path, "skipped", 0))
        return 0
    with open_file(source) as reader:
        tell(Progress(path, "start", os.fstat(reader.fileno()).st_size))
        size = _write_whole(reader, target, check)
    tell(Progress(path, "done", size))
    return 1


def _write_whole(reader: BinaryIO, target: str, check: Check) -> int:
    """Write a file beside its place, then rename it: it appears whole or not at all."""
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f"{UNFINISHED}{new_id()}")
    size = 0
    try:
        with open(temporary, "xb", buffering=0) as writer:
            while chunk := reader.read(_CHUNK):
                check()
                size += writer.write(chunk)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return size


@contextlib.contextmanager
def _troubles(store: Store, path: str, verb: str) -> Iterator[None]:
    """Turn what the system says into words about the store and the path."""
    try:
        yield
    except OSError as error:
        raise _explain(store, path, verb, error) from error


def _explain(store: Store, path: str, verb: str, error: OSError) -> PenstockError:
    what = f"'{path}' on {describe(store)} (below {store.root}) can't be {verb}"
    why = f": {error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
    if error.errno in _NO_ROOM:
        return Unavailable(f"{what}{why}. Nothing half-written was left; free some room and try again.")
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{what}{why}. Check the path, and list what is there.", datastore=store.name, path=path)
    return Refused(f"{what}{why}. Mend the permissions there, or choose another path.", datastore=store.name, path=path)
