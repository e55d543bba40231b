"""Copies to and from remote stores, in turns with fsspec's own bulk `put` and `get` of the same files."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import psutil
from tests.parts.azurite import run_azurite
from tests.parts.processes import PartMissing
from tests.parts.s3 import run_s3_server

from benchmarks.data import SCALE
from benchmarks.report import Line
from penstock.storage.stores import Store
from penstock.storage.stores.home_stores import HomeStores

SMALL_COUNT, SMALL_BYTES = 1000, 10_000
LARGE_MEGABYTES = 1024
SHARE = 0.8  # of fsspec's throughput
MOST_MEGABYTES = 300  # of the carrier's memory

Copy = Callable[[Path, str, int], object]


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield the lines of both stores."""
    sources = make_sources(folder / "sources")
    yield from measure_part("Azurite", _azurite, folder, sources, rounds)
    yield from measure_part("moto", _moto, folder, sources, rounds)


def make_sources(folder: Path) -> dict[str, list[Path]]:
    """Write the files that are copied: many small ones, one large one."""
    folder.mkdir()
    small = []
    for number in range(max(int(SMALL_COUNT * SCALE), 1)):
        small.append(folder / f"{number:05}.bin")
        small[-1].write_bytes(os.urandom(SMALL_BYTES))
    large = folder / "large.bin"
    with open(large, "wb") as file:
        for _ in range(max(int(LARGE_MEGABYTES * SCALE), 1)):
            file.write(os.urandom(2**20))
    return {"small": small, "large": [large]}


@contextlib.contextmanager
def _azurite() -> Iterator[tuple[Store, Any]]:
    with run_azurite() as part:
        yield Store("bench", "abfs", part.new_container(), part.options), fsspec.filesystem("abfs", **part.options)


@contextlib.contextmanager
def _moto() -> Iterator[tuple[Store, Any]]:
    with run_s3_server() as part:
        yield Store("bench", "s3", part.new_bucket(), part.options), fsspec.filesystem("s3", **part.options)


def measure_part(name: str, start: Callable[[], Any], folder: Path, sources: dict[str, list[Path]], rounds: int) -> Iterator[Line]:
    """Yield the lines of one store; one line that says why, where it is not installed."""
    try:
        with start() as (store, system), contextlib.closing(HomeStores(_home(folder, name), 2**40)) as stores:
            stores.list(store, "nothing")  # both are connected before anything is measured
            system.ls(store.root)
            for kind, files in sources.items():
                yield from measure_copies(name, kind, Sides(stores, store, system), files, folder / "copies", rounds)
            carrier = psutil.Process(stores.carrier_pid())
            yield Line(f"{name}: most memory of the carrier", _peak(carrier) / 2**20, "MiB", budget=MOST_MEGABYTES)
    except PartMissing as missing:
        yield Line(f"{name}: copies", None, "", note=str(missing))


def _home(folder: Path, name: str) -> Path:
    home = folder / f"home-{name}"
    home.mkdir()
    return home


def _peak(process: psutil.Process) -> int:
    """Return the most memory that a process had; what it has now, where the system does not keep that."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024
    return int(process.memory_info().rss)


class Sides:
    """The same copies, done by us and by fsspec."""

    def __init__(self, stores: HomeStores, store: Store, system: Any) -> None:
        self.stores, self.store, self.system = stores, store, system

    def put_ours(self, files: list[Path], prefix: str) -> None:
        """Send files."""
        self.stores.put(self.store, [(str(path), f"{prefix}/{path.name}") for path in files], overwrite=False)

    def put_bare(self, files: list[Path], prefix: str) -> None:
        """Send files with fsspec."""
        self.system.put([str(path) for path in files], [f"{self.store.root}/{prefix}/{path.name}" for path in files])

    def get_ours(self, files: list[Path], prefix: str, target: Path) -> None:
        """Receive files."""
        found = self.stores.list(self.store, prefix)
        self.stores.get(self.store, [(item, str(target / Path(item.path).name)) for item in found], overwrite=False)

    def get_bare(self, files: list[Path], prefix: str, target: Path) -> None:
        """Receive a folder with fsspec, which lists it too."""
        target.mkdir(parents=True)
        self.system.get(f"{self.store.root}/{prefix}/", f"{target}/", recursive=True)


def measure_copies(name: str, kind: str, sides: Sides, files: list[Path], folder: Path, rounds: int) -> Iterator[Line]:
    """Yield one line for sending and one for receiving."""
    times: dict[str, list[float]] = {"put": [], "put bare": [], "get": [], "get bare": []}
    for number in range(rounds):
        ours, bare = f"ours-{kind}-{number}", f"bare-{kind}-{number}"
        times["put"].append(_timed(lambda prefix=ours: sides.put_ours(files, prefix)))
        times["put bare"].append(_timed(lambda prefix=bare: sides.put_bare(files, prefix)))
        times["get"].append(_timed(lambda prefix=ours: sides.get_ours(files, prefix, folder / "ours")))
        times["get bare"].append(_timed(lambda prefix=bare: sides.get_bare(files, prefix, folder / "bare")))
        _compare(files, folder / "ours")
        shutil.rmtree(folder)
        sides.stores.delete(sides.store, [f"{prefix}/{path.name}" for prefix in (ours, bare) for path in files])
    amount, unit = (len(files), "files/s") if len(files) > 1 else (files[0].stat().st_size / 2**20, "MiB/s")
    what = f"{len(files)} small files" if len(files) > 1 else f"one file of {amount:.0f} MiB"
    for verb, words in (("put", "upload"), ("get", "download")):
        mine, other = statistics.median(times[verb]), statistics.median(times[f"{verb} bare"])
        yield Line(f"{name}: {words} of {what}", amount / mine, unit, bare=amount / other, budget_ratio=SHARE, more_is_better=True)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _compare(files: list[Path], folder: Path) -> None:
    """See that what came back is complete."""
    for path in files:
        if (folder / path.name).stat().st_size != path.stat().st_size:
            raise RuntimeError(f"{path.name} came back with another size")
