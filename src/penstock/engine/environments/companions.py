"""Dependencies that old releases need held back, because they could not know what would come after them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.engine.environments.versions import fits
from penstock.model.requirements import Requirement, parse_requirement


@dataclass(frozen=True)
class Rule:
    """A package below a version needs a dependency held back."""

    package: str
    before: str
    hold: Requirement


def list_holds(solution: Mapping[str, str], others: Iterable[str] = ()) -> list[str]:
    """Return the conditions, such as 'numpy<2', that a solution (versions by name) breaks: the table's, and others that are to hold."""
    holds = [rule.hold for rule in _rules() if rule.package in solution and fits(solution[rule.package], f"<{rule.before}")]
    holds += [parse_requirement(line) for line in others]
    broken = [hold for hold in holds if hold.name in solution and fits(solution[str(hold.name)], hold.condition) is False]
    return list(dict.fromkeys(hold.line() for hold in broken))


@functools.cache
def _rules() -> tuple[Rule, ...]:
    content = json.loads(Path(__file__).with_name("companions.json").read_text(encoding="utf-8"))
    rules: Iterable[Mapping[str, str]] = content["rules"]
    return tuple(Rule(rule["package"], rule["before"], parse_requirement(rule["hold"])) for rule in rules)
