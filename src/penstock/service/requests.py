"""What a route learns of its request: path, query and body, checked for their types before any verb sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from penstock.model.errors import Invalid, TooLarge
from penstock.operations.context import Context
from penstock.operations.transfers import Transfers
from penstock.service.bulletin import Bulletin

BODY_BYTES = 64 * 1024 * 1024  # a graph of some ten thousand steps
_DRAINED_BYTES = 64 * 1024 * 1024
MISSING: Any = object()
_T = TypeVar("_T")
LARGEST_NUMBER = 2**63 - 1  # what a row can hold


class Fields:
    """The members of a JSON object, or the values of a query. Whoever asks for a member says its type; `reject_others` ends it."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values, self._place = values, place
        self._asked: set[str] = set()

    def _get(self, name: str, default: Any, kinds: tuple[type, ...], words: str) -> Any:
        self._asked.add(name)
        value = self._values.get(name)
        if value is None:
            if default is MISSING:
                raise Invalid(f"The {self._place} must have '{name}', {words}.")
            return default
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise Invalid(f"'{name}' of the {self._place} must be {words}, not {type(value).__name__}.")
        return value

    def text(self, name: str, default: Any = MISSING) -> Any:
        """Return a text."""
        return self._get(name, default, (str,), "a text")

    def flag(self, name: str, default: bool | None = False) -> Any:
        """Return true or false; a query spells them as words."""
        value = self._get(name, default, (bool, str), "true or false")
        if isinstance(value, str):
            if value not in ("true", "false"):
                raise Invalid(f"'{name}' of the {self._place} must be true or false, not '{value[:40]}'.")
            return value == "true"
        return value

    def number(self, name: str, default: int | None = None, least: int = 0) -> Any:
        """Return a whole number, at least `least`."""
        value = self._get(name, default, (int, str), "a whole number")
        if isinstance(value, str):
            value = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else -1
        if value is not None and not least <= value <= LARGEST_NUMBER:
            raise Invalid(f"'{name}' of the {self._place} must be a whole number, at least {least}.")
        return value

    def seconds(self, name: str, default: float, most: float) -> float:
        """Return a duration, at most `most`."""
        value = self._get(name, default, (int, float, str), "a number of seconds")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = -1.0
        if not number >= 0:  # not a number is refused too
            raise Invalid(f"'{name}' of the {self._place} must be a number of seconds, not '{str(value)[:40]}'.")
        return min(number, most)

    def mapping(self, name: str, default: Any = MISSING) -> Any:
        """Return an object."""
        return self._get(name, default, (dict,), "an object")

    def items(self, name: str, default: Any = MISSING) -> Any:
        """Return a list."""
        return self._get(name, default, (list,), "a list")

    def texts(self, name: str, default: Any = MISSING) -> Any:
        """Return a list of texts."""
        found = self.items(name, default)
        if found is not None and not all(isinstance(item, str) for item in found):
            raise Invalid(f"'{name}' of the {self._place} must be a list of texts.")
        return found

    def words(self, name: str) -> Any:
        """Return a list of words, or None: in a query, they stand with commas between them."""
        value = self._get(name, None, (str,), "words with commas between them")
        return value if value is None else value.split(",")

    def filter(self, name: str) -> Any:
        """Return a key or pairs, as the lists of runs take them: in a query, pairs are a JSON object."""
        value = self._get(name, None, (str,), "a key, or an object of pairs as JSON")
        if value is None or not value.startswith("{"):
            return value
        return parse_object(value.encode(), f"'{name}' of the {self._place}")

    def reject_others(self) -> None:
        """Refuse members that nobody asked for: a misspelt one would be ignored in silence."""
        others = sorted(set(self._values) - self._asked)
        if others:
            raise Invalid(f"The {self._place} has no '{others[0][:60]}'. There are: {', '.join(sorted(self._asked))}.")


@dataclass(frozen=True)
class Service:
    """What routes share: the verbs' surroundings, the threads that verbs run in, and the hooks of the process."""

    context: Context
    pool: Executor
    bulletin: Bulletin
    transfers: Transfers
    info: Callable[[], dict[str, Any]]
    stop: Callable[[], None]
    touch: Callable[[], None]
    stay: Callable[[str], None] = lambda reason: None  # from now on, leave only when told to

    async def run(self, verb: Callable[..., _T], *values: Any) -> _T:
        """Run a verb in a thread: the event loop never waits for a row or a disk."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, verb, *values)


@dataclass
class Call:
    """One request on its way through a route."""

    service: Service
    request: Request
    path: dict[str, str]
    query: Fields
    body: Fields

    @property
    def context(self) -> Context:
        """The surroundings of the verb."""
        return self.service.context

    def header(self, name: str) -> str | None:
        """Return a header of the request; None when it has none of this name."""
        found: str | None = self.request.headers.get(name)
        return found

    async def run(self, verb: Callable[..., Any], *values: Any) -> Any:
        """Run a verb in a thread."""
        return await self.service.run(verb, *values)

    def reject_others(self) -> None:
        """Refuse a request that holds more than was asked for."""
        self.query.reject_others()
        self.body.reject_others()


def make_call(service: Service, request: Request, data: bytes) -> Call:
    """Return the call that a request makes, its path, query and JSON body checked."""
    query = Fields(check_text(dict(request.query_params), "query"), "query")
    path = check_text(dict(request.path_params), "path")
    return Call(service, request, path, query, Fields(parse_object(data, "body"), "body"))


async def read_body(request: Request, most_bytes: int | None = None) -> bytes:
    """Return the bytes of a request's body; raise TooLarge when they are too many."""
    chunks, size, most = [], 0, BODY_BYTES if most_bytes is None else most_bytes
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge(f"The body has more than {most} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def drain_body(request: Request) -> None:
    """Read what is left of a body, for a while: a client that still sends would not read the answer."""
    left = _DRAINED_BYTES
    try:
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                return
    except (RuntimeError, ClientDisconnect):  # it was read already
        return


def parse_object(data: bytes, place: str) -> dict[str, Any]:
    """Return the JSON object that a text holds, {} for none; raise Invalid when it is no object, or no text that can be kept."""
    if not data:
        return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The {place} is not JSON: {type(error).__name__}: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise Invalid(f"The {place} must be a JSON object, not {_KINDS[type(found)]}.")
    if rb"\ud" in data or rb"\uD" in data:
        check_text(found, place)
    return found


_KINDS = {type(None): "null", bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}


def check_text(value: Any, place: str) -> Any:
    """Refuse half characters (lone surrogates): JSON can spell them, but no row and no file can hold them."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        raise Invalid(f"The {place} holds a text that is not valid Unicode.") from None
    return value
