"""What a name, a set of tags or an id may be: the checks that all verbs share."""

from __future__ import annotations

import getpass
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from penstock.model.errors import Invalid

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LONGEST_NAME = 255
_LONGEST_VALUE = 1_000_000


def check_name(kind: str, name: Any) -> str:
    """Return `name` when it can name a thing of this kind.

    Raises:
        Invalid: It is no text, empty, too long, or holds a slash or a control character.
    """
    if not isinstance(name, str) or not name.strip():
        raise Invalid(f"The name of {_one(kind)} must be a text that is not empty, not {name!r}.")
    if len(name) > _LONGEST_NAME:
        raise Invalid(f"The name of {_one(kind)} has at most {_LONGEST_NAME} characters; '{name[:40]}...' has {len(name)}.")
    if name in (".", "..") or any(letter in "/\\" or not letter.isprintable() for letter in name):
        raise Invalid(f"'{name.encode('unicode_escape').decode()}' can't name {_one(kind)}: no slashes and no control characters.")
    return name


def check_title(kind: str, text: Any) -> str:
    """Return `text` when people can know a thing of this kind by it. Nothing is found by it in a path, so slashes may be in it.

    Raises:
        Invalid: It is no text, empty, too long, or holds a control character.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_NAME or not text.isprintable():
        raise Invalid(
            f"The name of {_one(kind)} is a text of 1 to {_LONGEST_NAME} characters without control characters, not {str(text)[:60]!r}."
        )
    return text


def _one(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def check_digest(digest: Any) -> str:
    """Return `digest` when it is a sha256 in lower-case hexadecimal; raise Invalid otherwise."""
    if not isinstance(digest, str) or not SHA256.fullmatch(digest):
        raise Invalid(f"{digest!r} is not a sha256: 64 hexadecimal digits in lower case.")
    return digest


def check_request_id(request_id: Any) -> str | None:
    """Return a client-made id in its plain form, None where none was given; raise Invalid when it is no UUID."""
    if request_id is None:
        return None
    try:
        return str(uuid.UUID(request_id))
    except (ValueError, AttributeError, TypeError):
        raise Invalid(f"A request_id must be a UUID, not {str(request_id)[:80]!r}.", member="request_id") from None


def check_run_id(run_id: str) -> str:
    """Return a run id that a client asks for; raise Invalid when it can't be one."""
    if not RUN_ID.fullmatch(run_id):
        raise Invalid(f"'{run_id[:80]}' can't be a run id: letters, digits, '.', '_' and '-', a letter or digit first, at most 255.")
    return run_id


def texts(kind: str, pairs: Any) -> dict[str, str | None]:
    """Return tags or properties as text -> text; numbers and truth values become their text, as in v1.

    Raises:
        Invalid: A key is no text, or a value is a list or an object.
    """
    if not isinstance(pairs, Mapping):
        raise Invalid(f"The {kind} must be an object of names and texts, not {type(pairs).__name__}.")
    return {_key(kind, key): _value(kind, key, value) for key, value in pairs.items()}


def _key(kind: str, key: Any) -> str:
    if not isinstance(key, str) or not key or len(key) > _LONGEST_NAME:
        raise Invalid(
            f"The {kind} have the key {str(key)[:60]!r}; a key is a text of 1 to {_LONGEST_NAME} characters.", member=_member(kind)
        )
    return key


def _value(kind: str, key: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        if value is not None and len(value) > _LONGEST_VALUE:
            raise Invalid(
                f"The value of '{key}' in the {kind} has {len(value)} characters; at most {_LONGEST_VALUE} are kept.", member=_member(kind)
            )
        return value
    if isinstance(value, (bool, int, float)):
        return str(value)
    raise Invalid(f"The value of '{key}' in the {kind} must be a text, not {type(value).__name__}.", member=_member(kind))


def _member(kind: str) -> str:
    return kind.replace(" ", "_")


def merge_tags(old: Mapping[str, Any], new: Mapping[str, Any] | None, removed: Iterable[str] | None = None) -> dict[str, str | None]:
    """Return tags with others set and some removed; raise Invalid where `texts` does."""
    merged = {**old, **texts("tags", new or {})}
    for key in removed or ():
        merged.pop(key, None)
    return merged


def check_description(description: Any) -> str | None:
    """Return a description; raise Invalid when it is none."""
    if description is not None and (not isinstance(description, str) or len(description) > _LONGEST_VALUE):
        raise Invalid(f"A description is a text of at most {_LONGEST_VALUE} characters.", member="description")
    return description


def as_json(value: Any) -> str:
    """Return the text of a JSON column."""
    return json.dumps(value, separators=(",", ":"))


@lru_cache(maxsize=1)
def current_user() -> str | None:
    """Return the name of the user who runs the service; over a socket that only this user can open, the caller's name too."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return None
