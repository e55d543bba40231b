"""New ids."""

from __future__ import annotations

import os


def new_id() -> str:
    """Return a random UUID (version 4) as text. The module `uuid` would load `platform` and `subprocess` on older Pythons."""
    number = bytearray(os.urandom(16))
    number[6] = number[6] & 0x0F | 0x40
    number[8] = number[8] & 0x3F | 0x80
    text = number.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
