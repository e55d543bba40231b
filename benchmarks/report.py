"""What was measured, and how it is shown: a table for people, JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report.

    A budget bounds the value, or the ratio of the value to `bare`; from above, or from below where more is better.
    """

    name: str
    value: float | None  # None: not measured; the note says why
    unit: str
    bare: float | None = None  # the same without Penstock, in the same unit
    budget: float | None = None
    budget_ratio: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return the value in shares of the bare one; None where one of them is missing."""
        return self.value / self.bare if self.value is not None and self.bare else None

    @property
    def is_met(self) -> bool | None:
        """Tell whether the line is within its budget; None without one, and without a measurement."""
        measured, bound = (self.ratio, self.budget_ratio) if self.budget_ratio is not None else (self.value, self.budget)
        if measured is None or bound is None:
            return None
        return measured >= bound if self.more_is_better else measured <= bound


def format_report(lines: Sequence[Line]) -> str:
    """Return the table for people."""
    from penstock.cli.tables import format_table

    rows = [
        (
            _unbroken(line.name),
            show(line.value, line.unit),
            show(line.bare, line.unit),
            f"{line.ratio:.2f}" if line.ratio is not None else "",
            _show_budget(line),
            _unbroken(f" {line.note}".rstrip()) if line.value is None else {True: "met", False: "NOT MET", None: ""}[line.is_met],
        )
        for line in lines
    ]
    return format_table(("MEASURED", "PENSTOCK", "BARE", "RATIO", "BUDGET", ""), rows).replace("\0", " ")


def _unbroken(text: str) -> str:
    """Return a text that the table neither strips nor wraps."""
    return text.replace(" ", "\0")


def _show_budget(line: Line) -> str:
    if line.budget_ratio is not None:
        return f"{'>=' if line.more_is_better else '<='}\0{line.budget_ratio:g}\0x"
    return ("" if line.budget is None or not line.more_is_better else ">=\0") + show(line.budget, line.unit)


def show(value: float | None, unit: str) -> str:
    """Return a figure with its unit; short times in milliseconds; '' for none."""
    if value is None:
        return ""
    if unit == "s" and value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.0f} {unit}" if value >= 1000 else f"{value:.1f} {unit}" if unit != "s" else f"{value:.2f} {unit}"


def document(lines: Sequence[Line], rounds: int, scale: float) -> dict[str, object]:
    """Return the JSON form of the report."""
    machine = {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    measured = [{**asdict(line), "name": line.name.strip(), "ratio": line.ratio, "is_met": line.is_met} for line in lines]
    return {"at": datetime.now(timezone.utc).isoformat(), "machine": machine, "rounds": rounds, "scale": scale, "lines": measured}
