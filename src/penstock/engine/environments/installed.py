"""What is installed for an interpreter, read from its folders; and whether that is enough."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from penstock.engine.environments.interpreters import Interpreter
from penstock.engine.environments.versions import applies, fits, list_needed
from penstock.model.requirements import Requirement, normal_name

_DISTRIBUTION = re.compile(r"(.+?)-(\d[^-]*?)(?:-py\d[\d.]*.*)?\.(?:dist-info|egg-info)")


def list_installed(interpreter: Interpreter) -> dict[str, tuple[str, str]]:
    """Return version and metadata folder of each distribution by its normal name; what is imported first counts."""
    found: dict[str, tuple[str, str]] = {}
    for path in reversed(interpreter.paths):
        try:
            found.update(_list_folder(path, os.stat(path).st_mtime_ns))
        except OSError:
            continue
    return found


@functools.lru_cache(maxsize=256)
def _list_folder(path: str, modified: int) -> Mapping[str, tuple[str, str]]:
    names = ((name, _DISTRIBUTION.fullmatch(name)) for name in (os.listdir(path) if os.path.isdir(path) else ()))
    return {normal_name(match[1]): (match[2], os.path.join(path, name)) for name, match in names if match}


def find_lacking(requirements: Iterable[Requirement], interpreter: Interpreter) -> Requirement | None:
    """Return the first requirement that an interpreter does not meet as it is, or None when it meets all of them."""
    installed = list_installed(interpreter)
    return next((one for one in requirements if not _is_met(one, installed, interpreter)), None)


def _is_met(requirement: Requirement, installed: Mapping[str, tuple[str, str]], interpreter: Interpreter) -> bool:
    if requirement.marker and not applies(requirement.marker, dict(interpreter.markers)):
        return True
    if requirement.name is None or requirement.url or requirement.name not in installed:
        return False
    version, metadata = installed[requirement.name]
    if requirement.conditions and not fits(version, requirement.condition):
        return False
    return all(_has_extra(metadata, extra, installed, interpreter) for extra in requirement.extras)


def _has_extra(metadata: str, extra: str, installed: Mapping[str, tuple[str, str]], interpreter: Interpreter) -> bool:
    """Tell whether what an extra of a distribution brings is there, by name."""
    markers = dict(interpreter.markers)
    for name, marker in list_needed(_read_requires(metadata)):
        is_brought = marker and not applies(marker, markers) and applies(marker, markers, extra)
        if is_brought and normal_name(name) not in installed:
            return False
    return True


def _read_requires(metadata: str) -> list[str]:
    try:
        text = (Path(metadata) / "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    head = text.split("\n\n", 1)[0]
    return [line.partition(":")[2].strip() for line in head.splitlines() if line.startswith("Requires-Dist:")]
