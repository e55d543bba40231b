"""Whether a version fits, and whether a marker holds, by the rules of PyPI. They are loaded when they are first needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def fits(version: str, condition: str) -> bool | None:
    """Tell whether a version meets a condition such as '>=1,<2'; None when one of them can't be read. Previews count as versions."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(condition).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def applies(marker: str, markers: Mapping[str, str], extra: str = "") -> bool:
    """Tell whether a marker holds for an interpreter's markers; one that can't be read does."""
    from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

    try:
        return Marker(marker).evaluate({**markers, "extra": extra})
    except (InvalidMarker, UndefinedEnvironmentName):
        return True


def list_needed(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and marker of what a distribution needs, from the lines of its metadata."""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        yield requirement.name, str(requirement.marker or "")
