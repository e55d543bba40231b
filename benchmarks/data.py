"""What concerns data: stores, tables, fingerprints. Sizes are those of the budgets; PENSTOCK_BENCH_SCALE makes them smaller."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Line

SCALE = float(os.environ.get("PENSTOCK_BENCH_SCALE", "1"))


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield the lines of the section, each when it is known."""
    from benchmarks import fingerprints, mounts, stores, tables

    for part in (stores, tables, fingerprints, mounts):
        yield from part.measure(folder, rounds)
