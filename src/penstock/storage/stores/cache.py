"""Files of remote stores, kept on this machine under what decides their bytes: whose they are, their path, and the store's token.

A file that is here is whole and was verified. It can't be written, as many steps may read it. What was not used for long goes first
when the folder grows beyond its bound.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from penstock.compile.manifests import digest_file
from penstock.model.errors import Unavailable
from penstock.model.ids import new_id
from penstock.storage.stores import Check, Found, Store
from penstock.storage.stores.addresses import address_of

log = logging.getLogger("penstock.storage")

KEEP_SECONDS = 3600.0  # what was asked for so recently is in use
_ROOM_LEFT = 0.9  # of the bound, after making room: not to walk the folder for each file that comes
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,10}){1,3}$")
_WAIT_SECONDS = 0.2  # between two looks at `check`

Bring = Callable[[Sequence[tuple[Found, str]], Callable[[str], None]], None]  # copy files to places; say the path of each that is there


class Cache:
    """The cache of one home folder.

    Args:
        folder: Where it is; made when it is needed.
        most_bytes: How large it may grow.
        clock: Tells the time, as `time.time` does.
    """

    def __init__(self, folder: Path, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._files, self._incoming = folder / "files", folder / "incoming"
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._coming: dict[Path, threading.Event] = {}
        self._size: int | None = None  # unknown until the first file comes

    def remove_leftovers(self) -> None:
        """Remove what a carrier that was killed had begun to write."""
        shutil.rmtree(self._incoming, ignore_errors=True)

    def fetch(self, store: Store, files: Sequence[Found], bring: Bring, check: Check) -> list[str]:
        """Return where each file can be read. Those that are not here are brought, each once, however many ask for it.

        Raises:
            Unavailable: The cache's folder can't be written.
        """
        with_token = {found: self._place(store, found) for found in files if found.token}
        places: dict[Found, Path] = dict(with_token)
        missing = dict(with_token)
        while missing:
            mine, others = self._claim(missing)
            try:
                if mine:
                    self._bring(mine, bring)
            finally:
                self._release(mine.values())
            _wait(others, check)
            missing = {found: place for found, place in missing.items() if not self._touch(place)}
        unnamed = [found for found in dict.fromkeys(files) if not found.token]
        if unnamed:
            places.update(self._bring_unnamed(unnamed, bring))
        return [str(places[found]) for found in files]

    def new_place(self) -> Path:
        """Return a path for a file on its way in."""
        try:
            self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._trouble(error) from error
        return self._incoming / new_id()

    def keep_content(self, path: Path, digest: str, suffix: str = "") -> Path:
        """Keep a file that came in under its content's digest; return its place."""
        place = self._path(f"content {digest}", suffix)
        self._keep(path, place)
        self._make_room()
        return place

    def _place(self, store: Store, found: Found) -> Path:
        key = json.dumps([address_of(store), found.path, found.token, found.size])
        return self._path(key, _suffix_of(found.path))

    def _path(self, key: str, suffix: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self._files / name[:2] / f"{name[2:]}{suffix}"

    def _claim(self, missing: dict[Found, Path]) -> tuple[dict[Found, Path], list[threading.Event]]:
        """Return the files that we bring, and the events of those that others are bringing."""
        mine: dict[Found, Path] = {}
        others = []
        with self._lock:
            for found, place in {found.path: (found, place) for found, place in missing.items()}.values():  # one of each path at a time
                if place in self._coming:
                    others.append(self._coming[place])
                elif not self._touch(place):
                    self._coming[place] = threading.Event()
                    mine[found] = place
        return mine, others

    def _release(self, places: Iterable[Path]) -> None:
        with self._lock:
            for place in places:
                self._coming.pop(place).set()

    def _touch(self, place: Path) -> bool:
        """Note that a file is used; tell whether it is here."""
        try:
            about = place.stat()
            os.utime(place, (self._clock(), about.st_mtime))
        except OSError:
            return False
        return True

    def _bring(self, mine: dict[Found, Path], bring: Bring) -> None:
        incoming = {found: self.new_place() for found in mine}
        by_path = {found.path: found for found in mine}

        def arrived(path: str) -> None:
            found = by_path[path]
            self._keep(incoming[found], mine[found])

        bring([(found, str(place)) for found, place in incoming.items()], arrived)
        self._make_room()

    def _bring_unnamed(self, files: list[Found], bring: Bring) -> dict[Found, Path]:
        incoming = {found: self.new_place() for found in files}
        bring([(found, str(place)) for found, place in incoming.items()], lambda path: None)
        return {found: self.keep_content(place, digest_file(str(place)), _suffix_of(found.path)) for found, place in incoming.items()}

    def _keep(self, path: Path, place: Path) -> None:
        try:
            about = path.stat()
            os.chmod(path, 0o444)
            os.utime(path, (self._clock(), about.st_mtime))
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(path, place)
        except OSError as error:
            raise self._trouble(error) from error
        with self._lock:
            if self._size is not None:
                self._size += about.st_size

    def _trouble(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"The cache {self._files.parent} can't be written: {error.strerror}. Free some room or mend the permissions there."
        )

    def _make_room(self) -> None:
        """Remove what was not used for longest while the cache is larger than it may be."""
        with self._lock:
            if self._size is not None and self._size <= self._most_bytes:
                return
            kept = sorted(_walk(self._files))
            self._size = sum(size for _, size, _ in kept)
            if self._size <= self._most_bytes:
                return
            removed = 0
            for used_at, size, path in kept:
                if self._size <= self._most_bytes * _ROOM_LEFT or used_at > self._clock() - KEEP_SECONDS:
                    break
                with contextlib.suppress(OSError):
                    os.unlink(path)
                    self._size -= size
                    removed += 1
            log.info("cache.reduced files=%s bytes_left=%s bound=%s", removed, self._size, self._most_bytes)


def _wait(events: list[threading.Event], check: Check) -> None:
    for event in events:
        while not event.wait(_WAIT_SECONDS):
            check()


def _walk(folder: Path) -> list[tuple[float, int, str]]:
    """Return (last use, bytes, path) of each file."""
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            with contextlib.suppress(OSError):
                about = os.stat(path)
                found.append((about.st_atime, about.st_size, path))
    return found


def _suffix_of(path: str) -> str:
    """Return the end of a file's name: readers choose by it how to read."""
    found = _SUFFIX.search(path.rpartition("/")[2])
    return found[0] if found else ""
