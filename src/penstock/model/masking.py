"""Hides secrets in texts that people will read."""

from __future__ import annotations

from typing import Iterable

MASK = "***"
# A shorter one stands in too many places where it means something else; hiding it would spoil the text and tell where it is.
_SHORTEST = 4


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with `***` in place of each secret; those of less than four characters stay.

    A secret of several lines is hidden line by line too, as logs often show only some of them.
    """
    hidden = {part for secret in secrets for part in (secret, *(line.strip() for line in secret.splitlines())) if len(part) >= _SHORTEST}
    for part in sorted(hidden, key=len, reverse=True):  # a secret may be a part of another
        text = text.replace(part, MASK)
    return text
