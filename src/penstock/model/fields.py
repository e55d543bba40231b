"""Named lists of text, packed with NUL bytes: the order and the exit record of an attempt.

JSON would do as well, but its import costs a step 6 ms, half of a bare interpreter's start. No path or argument can hold a NUL.
"""

from __future__ import annotations


def pack(fields: dict[str, list[str]]) -> str:
    """Return {name: [text, ...]} as one text."""
    parts: list[str] = []
    for name, values in fields.items():
        parts += [name, str(len(values))]
        parts += [value.replace("\0", "") for value in values]
    return "\0".join(parts)


def unpack(text: str) -> dict[str, list[str]]:
    """Return what `pack` packed."""
    parts, place = text.split("\0"), 0
    fields: dict[str, list[str]] = {}
    while place + 1 < len(parts):
        name, count = parts[place], int(parts[place + 1])
        fields[name] = parts[place + 2 : place + 2 + count]
        place += 2 + count
    return fields


def load(path: str) -> dict[str, list[str]]:
    """Return the fields of a file."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return unpack(file.read())
