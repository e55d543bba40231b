"""Which requirement gives way when not all can be met: the one that uv names, in as small a step as helps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from penstock.model.requirements import Requirement

# How far a requirement has given way: not at all, to the nearest later version that is ready-made, to any later one, to any.
AS_ASKED, NEAREST, LATER, ANY = range(4)


@dataclass(frozen=True)
class Line:
    """One requirement on its way: as it was asked for, as it is now, and how far it has given way."""

    asked: Requirement
    now: Requirement
    stage: int = AS_ASKED

    @property
    def can_give_way(self) -> bool:
        """Whether there is a condition left to drop."""
        return self.stage < ANY and self.asked.is_pinned and self.asked.url is None


def lower_bound(requirement: Requirement) -> str | None:
    """Return the version that a requirement means: of '==1.2.*', '~=1.2', '>=1.2,<2' and '<1.2' it is 1.2."""
    order = ("==", "===", "~=", ">=", ">", "<=", "<")
    known = [(order.index(operator), version) for operator, version in requirement.conditions if operator in order]
    return re.sub(r"(\.\*)+$", "", min(known)[1]) if known else None


def at_least(requirement: Requirement) -> Requirement:
    """Return a requirement that any version from the one it means on meets."""
    bound = lower_bound(requirement)
    return replace(requirement, conditions=((">=", bound),) if bound else ())


def give_way(line: Line, nearest: str | None) -> Line:
    """Return a line one step further; `nearest` is the first later version that is ready-made, None when there is none."""
    if line.stage < NEAREST and nearest is not None:
        now = replace(line.asked, conditions=(("==", nearest),))
        return Line(line.asked, now, NEAREST)
    if line.stage < LATER and lower_bound(line.asked):
        return Line(line.asked, at_least(line.asked), LATER)
    return Line(line.asked, replace(line.asked, conditions=()), ANY)


def find_next(lines: Iterable[Line], named: Iterable[str]) -> Line | None:
    """Return the line that gives way next: of those that uv named the one that gave way least, in uv's order. None: none can."""
    order = {name: position for position, name in enumerate(named)}
    candidates = [line for line in lines if line.can_give_way and line.asked.name in order]
    return min(candidates, key=lambda line: (line.stage, order[str(line.asked.name)]), default=None)


def describe(line: Line, installed: str | None, python: str) -> str:
    """Return what the run says of a requirement that gave way."""
    there = f"{installed} was installed instead" if installed else "another version was installed instead"
    return f"'{line.asked.line()}' can't be met on Python {python}; {there}."
