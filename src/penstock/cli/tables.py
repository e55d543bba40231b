"""Plain text for people: tables, durations, times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone


def format_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows below their heads, in columns as wide as their widest cell."""
    lines = [list(heads), *[[_one_line(cell) for cell in row] for row in rows]]
    widths = [max(len(line[index]) for line in lines) for index in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def parse_time(text: str | None) -> datetime | None:
    """Return the aware time that the service wrote, or None."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(timezone.utc)


def format_time(text: str | None) -> str:
    """Return a stored time in the reader's own time zone, to the second."""
    moment = parse_time(text)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def format_seconds(seconds: float) -> str:
    """Return a duration as a person says it: 0.42 s, 12.3 s, 3 min 05 s, 2 h 07 min."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_duration(started_at: str | None, ended_at: str | None) -> str:
    """Return how long a run took, or has taken so far; nothing when it has not begun."""
    begin = parse_time(started_at)
    if begin is None:
        return ""
    return format_seconds(max(((parse_time(ended_at) or now()) - begin).total_seconds(), 0.0))
