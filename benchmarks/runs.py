"""What concerns runs: logging and reading metrics, listing many runs, built environments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Line


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield the lines of the section, each when it is known."""
    from benchmarks import builds, listing, logging_metrics

    for part in (logging_metrics, listing, builds):
        yield from part.measure(folder, rounds)
