"""New ids."""

from __future__ import annotations

import os

_OF_A_UUID = frozenset("0123456789abcdef-")
_OF_AN_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def new_id() -> str:
    """Return a random UUID (version 4) as text. The module `uuid` would load `platform` and `subprocess` on older Pythons."""
    number = bytearray(os.urandom(16))
    number[6] = number[6] & 0x0F | 0x40
    number[8] = number[8] & 0x3F | 0x80
    text = number.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def script_run_id(experiment_name: str, seconds: float) -> str:
    """Return a new id of a script's run, as v1 made them: `<experiment>_<seconds since 1970>_<8 hexadecimal digits>`.

    Letters that an id can't have become `-`.
    """
    plain = "".join(letter if letter in _OF_AN_ID else "-" for letter in experiment_name)[:200].lstrip("._-")
    return f"{plain or 'run'}_{int(seconds)}_{new_id()[:8]}"


def short_id(run_id: str) -> str:
    """Return what people type for a run: the first 8 letters of a UUID; all of an id that was made of words."""
    is_uuid = len(run_id) == 36 and run_id.count("-") == 4 and not set(run_id) - _OF_A_UUID
    return run_id[:8] if is_uuid else run_id
