"""What a step reads and where it writes: paths on this machine, and the digests of what is there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.compile.manifests import Entry, digest_file, manifest_digest, read_manifest
from penstock.model.errors import NotFound, Unavailable
from penstock.model.graph import DataNode, InputPort, OutputPort
from penstock.operations.context import Context
from penstock.storage.paths import safe_join

READ_TRIES = 3


@dataclass(frozen=True)
class Source:
    """What one input port reads."""

    datastore: str
    path: str  # on the datastore
    place: str  # on this machine
    digest: str


def resolve_data(node: DataNode, parameters: Mapping[str, Any], roots: Mapping[str, str]) -> tuple[str, str, str]:
    """Return datastore, path on it, and path on this machine of a data node, a DataPath parameter's value considered.

    Raises:
        NotFound: The datastore is unknown or has no folder here, or nothing is at that path; the message names both.
    """
    datastore, path = node.datastore, node.path
    if node.parameter and isinstance(parameters.get(node.parameter), Mapping):
        datastore, path = parameters[node.parameter]["datastore"], parameters[node.parameter]["path"]
    if datastore not in roots:
        raise NotFound.named("datastore with a folder on this machine", datastore, roots)
    path = path.strip("/")
    place = str(safe_join(Path(roots[datastore]), path)) if path not in ("", ".") else roots[datastore]
    if not os.path.exists(place):
        raise NotFound(f"There is nothing at '{path}' on datastore '{datastore}' ({place}). Upload the data first, or mend the path.")
    return datastore, path, place


class Digests:
    """Digests of files, read again only when size, time or inode changed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def of(self, place: str, check: Callable[[], None] = lambda: None) -> str:
        """Return the manifest digest of a file or folder on this machine. `check` is called now and then, and may raise to end it."""
        for _ in range(READ_TRIES - 1):
            with contextlib.suppress(FileNotFoundError):  # a file that went away while we looked: look again
                return self._read(place, check)
        return self._read(place, check)

    def _read(self, place: str, check: Callable[[], None]) -> str:
        fresh: dict[str, tuple[str, int, int, int, str]] = {}
        known = self._known(place)

        def digester(path: str, about: os.stat_result) -> str:
            facts = (about.st_size, about.st_mtime_ns, about.st_ino)
            if path in known and known[path][:3] == facts:
                return known[path][3]
            digest = digest_file(path, about, check)
            if _is_text(path):
                fresh[path] = (path, *facts, digest)
            return digest

        entries: list[Entry] = read_manifest(place, digester)
        self._remember(list(fresh.values()))
        return manifest_digest(entries)

    def _known(self, place: str) -> dict[str, tuple[int, int, int, str]]:
        if not _is_text(place):
            return {}
        rows = self._context.database.all(
            "select * from file_digests where path = ? or (path > ? and path < ?)", [place, place + "/", place + "0"]
        )
        return {row["path"]: (row["size"], row["modified_ns"], row["inode"], row["digest"]) for row in rows}

    def _remember(self, fresh: list[tuple[str, int, int, int, str]]) -> None:
        if fresh:  # what can't be remembered is read again another time
            with contextlib.suppress(Unavailable), self._context.database.transaction() as transaction:
                transaction.execute_many(
                    "insert or replace into file_digests (path, size, modified_ns, inode, digest) values (?, ?, ?, ?, ?)", fresh
                )


def _is_text(path: str) -> bool:
    """Tell whether a path can be kept as text; a file's name may hold any bytes."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def output_path(port: OutputPort, step_run_id: str) -> str:
    """Return where an output lies on its datastore: `azureml/<step run id>/<output name>`, as v1 laid it."""
    return f"azureml/{step_run_id}/{port.name}"


def download_target(port: InputPort, source: Source) -> str:
    """Return where a downloaded input lies, relative to the working directory unless an absolute path was asked for."""
    return port.path_on_compute or f"{source.datastore}/{source.path}".rstrip("/")
