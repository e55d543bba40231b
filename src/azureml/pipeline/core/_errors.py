"""Mistakes that v1 answered with a bare `Exception`; here they have a name, and `except Exception` still catches them."""

from __future__ import annotations

import difflib
from typing import Iterable


class PipelineParameterError(ValueError):
    """A value or a name that does not fit the parameters of a pipeline."""


class NameInUseError(ValueError):
    """A name stands for two different things."""


def nearest(name: str, known: Iterable[str], kind: str = "names") -> str:
    """Return the last sentence of a message about a misspelt name: the nearest known one, or all there are."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f" Did you mean '{near[0]}'?"
    if not names:
        return f" There are no {kind}."
    more = ", ..." if len(names) > 10 else ""
    return f" Known {kind}: {', '.join(names[:10])}{more}."
