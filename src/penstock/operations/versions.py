"""Names with numbered versions, as datasets and models have them: which one is meant, and what to say where there is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from penstock.model.errors import Invalid

LATEST = "latest"
_SHOWN = 10


def parse_version(kind: str, version: int | str | None) -> int | None:
    """Return the number of a version, None for the newest; raise Invalid where it is neither a number nor 'latest'."""
    if version is None or version == LATEST:
        return None
    if isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 19:
        return int(version)
    if isinstance(version, int) and not isinstance(version, bool) and 0 <= version < 2**63:
        return version
    raise Invalid(f"The version of a {kind} is a number or '{LATEST}', not {str(version)[:40]!r}.")


def tell_versions(versions: Sequence[int]) -> str:
    """Return the sentence that names the versions there are, the last ones where they are many."""
    more = "..., " if len(versions) > _SHOWN else ""
    return f"Its versions are {more}{', '.join(map(str, versions[-_SHOWN:]))}."


def tell_names(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence that helps who asked for a name that is not there: the nearest ones, or the first ones."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    if not names:
        return f"No {kind} is registered in it."
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"There are: {', '.join(names[:_SHOWN])}{more}."
