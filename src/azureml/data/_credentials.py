"""Credentials as attributes of datastores: the service keeps them encrypted, and is asked when a script reads one."""

from __future__ import annotations

from typing import Any, Set


class Credential:
    """An attribute that is never kept with the object it belongs to, unless a script set it there.

    Args:
        key: The name under which the service keeps it; the attribute's own when None.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = self._key or name

    def __get__(self, datastore: Any, owner: Any = None) -> Any:
        if datastore is None:
            return self
        given = datastore.__dict__.get("_given_credentials", {})
        return given[self._key] if self._key in given else datastore._ask_credential(self._key)

    def __set__(self, datastore: Any, value: Any) -> None:
        if value is not None:
            datastore.__dict__.setdefault("_given_credentials", {})[self._key] = value


def credential_names(datastore: Any) -> Set[str]:
    """Return which credentials a datastore has, those of the object before those that were registered; nothing is asked for in clear."""
    return set(datastore.__dict__.get("_given_credentials", ())) or set(datastore._record.get("secret_names") or ())
