"""What it costs to know that data is what it was: the content of a folder, read at first, and told by what its files look like then."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.data import SCALE
from benchmarks.report import Line
from penstock.client.home import Home
from penstock.operations.context import Context
from penstock.operations.datastores import register_datastore
from penstock.operations.manifests import Digests
from penstock.operations.selection import resolve
from penstock.operations.workspaces import resolve_workspace
from penstock.persistence.database import Database
from penstock.settings import Settings

FILES, BYTES = 10_000, 1_000
AGAIN_SECONDS = 0.3


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield how long it takes to fingerprint a folder of many files, for the first time and again."""
    count = max(int(FILES * SCALE), 1)
    data = write_folder(folder / "fingerprinted", count)
    home = Home(folder / "fingerprints-home")
    home.create()
    database = Database(home.database)
    try:
        context = Context(database, home, Settings())
        first = seconds(context, data)
        again = statistics.median(seconds(context, data) for _ in range(rounds))
        listed = statistics.median(listing_seconds(context, data) for _ in range(rounds))
    finally:
        database.close()
    yield Line(f"fingerprint of a folder of {count} files, new to us", first, "s")
    yield Line(f"fingerprint of a folder of {count} files, unchanged", again, "s", budget=AGAIN_SECONDS)
    yield Line(f"files of a dataset over a folder of {count} files, found", listed, "s")


def write_folder(folder: Path, count: int) -> Path:
    """Write a folder of small files, a hundred in each folder below it."""
    for number in range(count):
        place = folder / f"part={number // 100:04}" / f"{number}.csv"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(f"{number},".encode() * (BYTES // 6))
    return folder


def seconds(context: Context, folder: Path) -> float:
    """Return how long it takes to know a folder's content."""
    began = time.perf_counter()
    Digests(context).of(str(folder))
    return time.perf_counter() - began


def listing_seconds(context: Context, folder: Path) -> float:
    """Return how long it takes to find the files of a dataset over the folder."""
    from penstock.model.datasets import FILE, Dataset, Place

    workspace = resolve_workspace(context, "bench", "bench", "fingerprints")
    register_datastore(context, workspace["id"], "bench", "AzureBlob", root=str(folder.parent), overwrite=True)
    began = time.perf_counter()
    resolve(context, workspace["id"], Dataset(FILE, (Place("bench", folder.name),)))
    return time.perf_counter() - began
