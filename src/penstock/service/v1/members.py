"""What v1's callers send, read as generously as they send it: keys in any case, numbers for texts, what nobody knows left alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock.model.errors import Invalid

_FLAGS = {"true": True, "false": False, "1": True, "0": False}


class Members:
    """The members of a JSON object, or the values of a query. One that is null counts as not sent.

    Args:
        values: They.
        place: Where they stand, as errors say it: `DataPathAssignments.input`, or '' for the body itself.

    Raises:
        Invalid: One stands there twice, in different case: one of the values would be lost.
    """

    def __init__(self, values: Mapping[str, Any], place: str = "") -> None:
        self.place = place
        self._values: dict[str, Any] = {}
        for name, value in values.items():
            if name.lower() in self._values:
                raise Invalid(f"'{self.target(name)}' was sent twice, in different case. Send it once.", target=self.target(name))
            if value is not None:
                self._values[name.lower()] = value

    def target(self, name: str) -> str:
        """Return how errors name a member."""
        return f"{self.place}.{name}" if self.place else name

    def has(self, name: str) -> bool:
        """Tell whether a member was sent."""
        return name.lower() in self._values

    def text(self, name: str) -> str | None:
        """Return a text, or None; numbers, true and false are taken as their text.

        Raises:
            Invalid: It is a list or an object.
        """
        return as_text(self._values.get(name.lower()), self.target(name))

    def flag(self, name: str) -> bool | None:
        """Return true or false, which may be sent as words, or None.

        Raises:
            Invalid: It is neither.
        """
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in _FLAGS:
            raise Invalid(f"'{self.target(name)}' must be true or false, not '{value[:40]}'.", target=self.target(name))
        return _FLAGS[value.lower()]

    def pairs(self, name: str) -> dict[str, Any]:
        """Return an object with its names as they are, without what is null; {} when it was not sent.

        Raises:
            Invalid: It is no object.
        """
        value = self._values.get(name.lower(), {})
        if not isinstance(value, Mapping):
            raise Invalid(f"'{self.target(name)}' must be an object, not {_KINDS[type(value)]}.", target=self.target(name))
        return {key: item for key, item in value.items() if item is not None}

    def texts(self, name: str) -> dict[str, str | None]:
        """Return an object of names and texts; {} when it was not sent.

        Raises:
            Invalid: It is no object, or one of its values is a list or an object.
        """
        return {key: as_text(value, f"{self.target(name)}.{key}") for key, value in self.pairs(name).items()}

    def members(self, name: str) -> Members | None:
        """Return the members of an object, or None.

        Raises:
            Invalid: It is no object.
        """
        return Members(self.pairs(name), self.target(name)) if self.has(name) else None


_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


def as_text(value: Any, target: str) -> str | None:
    """Return a value as the text that v1 makes of it; raise Invalid for a list or an object."""
    if isinstance(value, (list, dict)):
        raise Invalid(f"'{target}' must be a text, not {_KINDS[type(value)]}.", target=target)
    return value if value is None or isinstance(value, str) else str(value)


def as_scalar(value: Any, target: str) -> Any:
    """Return a text, a number, true or false as it is; raise Invalid for all else, and for numbers that JSON does not have."""
    if isinstance(value, (list, dict)) or (isinstance(value, float) and json.dumps(value) in ("NaN", "Infinity", "-Infinity")):
        shown = _KINDS[type(value)] if isinstance(value, (list, dict)) else str(value)
        raise Invalid(f"'{target}' must be a text, a number, true or false, not {shown}.", target=target)
    return value
