"""What a client of MLflow sends: members of a JSON body or of a query, checked for their types. Unknown ones are passed over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from penstock.model.errors import Invalid

_LARGEST = 2**63 - 1
_MISSING: Any = object()


class Asked:
    """The members of a request. A query's are texts, or lists of texts where one stands there twice."""

    def __init__(self, values: Mapping[str, Any], place: str = "request") -> None:
        self._values, self._place = values, place

    def has(self, name: str) -> bool:
        """Tell whether a member is there."""
        return self._values.get(name) is not None

    def text(self, name: str, default: Any = _MISSING) -> Any:
        """Return a text; '' counts as none where there is a default, as MLflow's messages do not tell them apart."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # old clients send ids as numbers
        if value is None or (value == "" and default is not _MISSING):
            if default is _MISSING:
                raise Invalid(f"Missing value for required parameter '{name}'.")
            return default
        if not isinstance(value, str):
            raise Invalid(f"'{name}' of the {self._place} must be a text, not {type(value).__name__}.")
        return value

    def value(self, name: str) -> str:
        """Return a text that may be empty: the value of a tag or a param."""
        value = self._values.get(name, "")
        if not isinstance(value, str):
            raise Invalid(f"'{name}' of the {self._place} must be a text, not {type(value).__name__}.")
        return value

    def run_id(self) -> str:
        """Return the id of a run, under its name of today or of yesterday."""
        return str(self.text("run_id") if self.text("run_id", None) else self.text("run_uuid", None) or self.text("run_id"))

    def integer(self, name: str, default: Any = _MISSING) -> Any:
        """Return a whole number, which may be spelled as a text."""
        value = self._values.get(name)
        if value is None and default is not _MISSING:
            return default
        if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
            raise Invalid(f"'{name}' of the {self._place} must be a whole number.")
        return value

    def size(self, default: int, most: int) -> int:
        """Return how many results may come at once."""
        size = self.integer("max_results", default)
        if not 0 < size <= most:
            raise Invalid(f"Invalid value {size} for parameter 'max_results' supplied. It must be at least 1 and at most {most}.")
        return int(size)

    def number(self, name: str) -> float:
        """Return a number; JSON has no word for what is not finite, so that comes as a text."""
        value = self._values.get(name)
        words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
        if isinstance(value, str) and value in words:
            return words[value]
        try:
            if isinstance(value, (int, float, str)) and not isinstance(value, bool):
                return float(value)
        except (ValueError, OverflowError):
            pass
        raise Invalid(f"Invalid value for parameter '{name}' supplied: it must be a number.")

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        value = self._values.get(name, False)
        if value in (True, False):
            return bool(value)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise Invalid(f"'{name}' of the {self._place} must be true or false.")

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; one text is a list of it."""
        value = self._values.get(name)
        found = [value] if isinstance(value, str) else [] if value is None else value
        if not isinstance(found, list) or not all(isinstance(item, (str, int)) for item in found):
            raise Invalid(f"'{name}' of the {self._place} must be a list of texts.")
        return [str(item) for item in found]

    def objects(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects as they were sent."""
        found = self._values.get(name) or []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise Invalid(f"'{name}' of the {self._place} must be a list of objects.")
        return found

    def members(self, name: str) -> list[Asked]:
        """Return a list of objects, to be asked in their turn."""
        return [Asked(item, f"members of '{name}'") for item in self.objects(name)]

    def pairs(self, name: str) -> dict[str, str]:
        """Return a list of keys and values, such as tags."""
        return {item.text("key"): item.value("value") for item in self.members(name)}
