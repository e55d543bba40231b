"""Misspelt names: the known one that was probably meant."""

from __future__ import annotations

import difflib
from typing import Iterable, Optional


def find_nearest(name: str, known: Iterable[str]) -> Optional[str]:
    """Return the known name that a misspelt one may mean, or None."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return near[0] if near else None


def nearest(name: str, known: Iterable[str], kind: str = "names") -> str:
    """Return the last sentence of a message about a misspelt name: the nearest known one, or all there are."""
    names = sorted(known)
    near = find_nearest(name, names)
    if near:
        return f" Did you mean '{near}'?"
    if not names:
        return f" There are no {kind}."
    more = ", ..." if len(names) > 10 else ""
    return f" Known {kind}: {', '.join(names[:10])}{more}."
