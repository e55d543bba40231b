"""Plain text for people: tables, durations, times."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

# What a line may take where nobody knows the width, in a file or a pipe.
WIDTH_WITHOUT_TERMINAL = 200
NARROWEST = 8
# The last column says why, or how much: it gives way before a name does, as far as this.
NARROW_LAST = 24
GAP = "  "

_LONG_ID = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
_STORED_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NESTED = re.compile(r"\b(from|to) [\[{].*?[\]}](?= to |, since |, | and |; |\.?$)")


def terminal_width() -> int:
    """Return how many letters a line may have: COLUMNS, or the terminal's width."""
    return shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns


def format_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], width: int | None = None, margins: Sequence[str] | None = None
) -> str:
    """Return rows below their heads, in columns as wide as their widest cell, or narrower where a line would not fit.

    Args:
        heads: The names of the columns.
        rows: The cells; what is no line of its own becomes one.
        width: How many letters a line may have; the terminal's width when None.
        margins: Where given, the last column goes on below instead of being cut, and these are the first cells of each row's further lines.
    """
    lines = [list(heads), *[[one_line(cell) for cell in row] for row in rows]]
    room = (terminal_width() if width is None else width) - len(GAP) * (len(heads) - 1)
    widths = _fit([max(len(line[index]) for line in lines) for index in range(len(heads))], room)
    if margins is not None:
        lines = [part for line, margin in zip(lines, ["", *margins], strict=True) for part in _wrap_last(line, widths[-1], margin)]
    return "\n".join(GAP.join(cut(cell, place).ljust(place) for cell, place in zip(line, widths, strict=True)).rstrip() for line in lines)


def _wrap_last(line: list[str], width: int, margin: str) -> list[list[str]]:
    first, *rest = textwrap.wrap(line[-1], max(width, 1)) or [""]
    return [[*line[:-1], first], *[[margin, *[""] * (len(line) - 2), part] for part in rest]]


def _fit(widths: Sequence[int], room: int) -> list[int]:
    """Take from the last column, then from the widest, until a line fits or all are narrow."""
    fitting = [min(width, max(room, NARROWEST)) for width in widths]
    while sum(fitting) > room and max(fitting) > NARROWEST:
        giving = -1 if fitting[-1] > NARROW_LAST else fitting.index(max(fitting))
        fitting[giving] -= 1
    return fitting


def cut(text: str, width: int) -> str:
    """Return a text, or its beginning and an ellipsis where it is longer than `width`."""
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def one_line(text: str) -> str:
    """Return a text with each stretch of blanks and line ends as one blank."""
    return " ".join(text.split())


def wrap(text: str, begin: str, indent: str) -> list[str]:
    """Return a text as lines that fit the terminal: the first after `begin`, the others after `indent`."""
    room = max(terminal_width(), 2 * NARROW_LAST)
    return textwrap.wrap(one_line(text), room, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False)


def tell_reason(text: str | None) -> str:
    """Return a reason that the service wrote as a person reads it: short ids, local times, no digests, no lists and dicts."""
    told = _NESTED.sub(r"\1 ...", text or "")
    told = _LONG_ID.sub(lambda found: found[0][:8], told)
    return _STORED_TIME.sub(lambda found: format_time(found[0]), told)


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
