"""Mappings of a pipeline's file: their members by kind, and messages that say where in the file something is wrong."""

from __future__ import annotations

import datetime
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Type, Union

from azureml.core._nearest import nearest

Kinds = Union[Type[Any], Tuple[Type[Any], ...]]

_NAMES = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", dict: "a mapping", list: "a list"}


class Entry:
    """A mapping of the file. Members that are null count as absent.

    Args:
        members: What the file says; None counts as an empty mapping.
        place: Where it stands, for messages.

    Raises:
        ValueError: It is no mapping.
    """

    def __init__(self, members: Any, place: str) -> None:
        self.place = place
        if members is not None and not isinstance(members, dict):
            raise ValueError(f"{place} must be a mapping, not {shown(members)}.")
        self._members: Dict[str, Any] = {str(key): value for key, value in (members or {}).items()}

    def __contains__(self, key: str) -> bool:
        return self._members.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def says(self, key: str) -> bool:
        """Tell whether a member stands there, be it null."""
        return key in self._members

    def error(self, message: str) -> ValueError:
        """Return the error that says this of the mapping."""
        return ValueError(f"{self.place}: {message}")

    def missing(self, key: str, message: str) -> ValueError:
        """Return the error that says that a member is not there: as nothing stands below it, or as another is spelt like it."""
        return self.error(f"nothing stands below the key '{key}'." if self.says(key) else f"{message}{nearest(key, self, 'keys')}")

    @contextmanager
    def located(self) -> Iterator[None]:
        """Put the place before what v1's exceptions say, unless they name the file already."""
        from azureml.exceptions import AzureMLException, ServiceException

        try:
            yield
        except (AzureMLException, ServiceException) as error:
            if not str(error.message).startswith(self.place.partition(", ")[0]):
                error.message = f"{self.place}: {error.message}"
            raise

    def with_members(self, other: Entry) -> Entry:
        """Return the mapping with another's members, which win."""
        return Entry({**self._members, **other._members}, other.place)

    # Members

    def value(self, key: str) -> Any:
        """Return a member, or None."""
        return self._members.get(key)

    def get(self, key: str, kinds: Kinds) -> Any:
        """Return a member of one of these kinds, or None.

        Raises:
            ValueError: It is of another kind.
        """
        found = self.value(key)
        if found is None or is_a(found, kinds):
            return found
        wanted = " or ".join(_NAMES[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise self.error(f"'{key}' must be {wanted}, not {shown(found)}.")

    def text(self, key: str) -> Optional[str]:
        """Return a text, or None."""
        found: Optional[str] = self.get(key, str)
        return found

    def required_text(self, key: str, why: str = "") -> str:
        """Return a text.

        Raises:
            ValueError: It is not there, or no text.
        """
        found = self.text(key)
        if not found:
            raise self.error(f"'{key}' is missing.{nearest(key, self._members, 'keys') if self._members else ''}{why}")
        return found

    def label(self, key: str) -> Optional[str]:
        """Return a text; a number or a date, which YAML makes of what looks like one, becomes its text."""
        found = self.value(key)
        return str(found) if isinstance(found, datetime.date) else None if found is None else str(self.get(key, (str, int, float)))

    def flag(self, key: str, default: Optional[bool] = None) -> Optional[bool]:
        """Return true or false, or the default."""
        found: Optional[bool] = self.get(key, bool)
        return default if found is None else found

    def texts(self, key: str) -> Optional[List[str]]:
        """Return a list of texts, or None.

        Raises:
            ValueError: It is no list, or holds something else.
        """
        found = self.get(key, list)
        for item in found or ():
            if not isinstance(item, str):
                raise self.error(f"'{key}' must be a list of texts; it holds {shown(item)}.")
        return None if found is None else list(found)

    def mapping(self, key: str) -> Dict[str, Any]:
        """Return a mapping as it stands there; {} where there is none."""
        return {str(name): value for name, value in (self.get(key, dict) or {}).items()}

    def entry(self, key: str) -> Entry:
        """Return a member that is a mapping; an empty one where there is none."""
        return Entry(self.value(key), f"{self.place}.{key}")

    def entries(self, key: str) -> Dict[str, Entry]:
        """Return the members of a mapping of mappings, in the file's order."""
        return {name: Entry(value, f"{self.place}.{key}.{name}") for name, value in self.entry(key)._members.items()}

    def choice(self, key: str, allowed: Iterable[str], default: Optional[str] = None) -> Optional[str]:
        """Return a text that is one of a few, or the default.

        Raises:
            ValueError: It is another.
        """
        found = self.text(key)
        if found is not None and found not in allowed:
            raise self.error(f"'{key}' can be {', '.join(allowed)}, not {found!r}.")
        return default if found is None else found


def is_a(value: Any, kinds: Kinds) -> bool:
    """Tell whether a value is of one of these kinds; true and false are no numbers here."""
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    return bool in wanted if isinstance(value, bool) else isinstance(value, wanted)


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, with its kind."""
    text = repr(value) if not isinstance(value, Mapping) else "a mapping"
    return f"{text[:60]}{'...' if len(text) > 60 else ''} ({type(value).__name__})" if text != "a mapping" else text
