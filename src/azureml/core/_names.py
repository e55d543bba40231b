"""Which names v1 accepts."""

from __future__ import annotations

import re

_WORKSPACE = re.compile(r"[A-Za-z0-9][\w-]{2,32}", re.ASCII)
_EXPERIMENT = re.compile(r"[A-Za-z0-9][\w-]{0,254}", re.ASCII)


def check_workspace_name(name: object) -> str:
    """Return the name when a workspace may have it.

    Raises:
        UserErrorException: It may not.
    """
    return _check(name, _WORKSPACE, "workspace", "3 to 33 letters, digits, '_' or '-'")


def check_experiment_name(name: object) -> str:
    """Return the name when an experiment may have it.

    Raises:
        UserErrorException: It may not.
    """
    return _check(name, _EXPERIMENT, "experiment", "1 to 255 letters, digits, '_' or '-' and no spaces")


def _check(name: object, pattern: re.Pattern[str], kind: str, rule: str) -> str:
    if isinstance(name, str) and pattern.fullmatch(name):
        return name
    from azureml.exceptions import UserErrorException

    raise UserErrorException(
        f"{name!r} can't be the name of {'an' if kind[0] in 'aeiou' else 'a'} {kind}: use {rule}, the first a letter or a digit."
    )
