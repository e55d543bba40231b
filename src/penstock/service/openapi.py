"""The description of the interface as OpenAPI 3.1, made of the declared routes: nothing is said twice.

What a route takes is learned by running its handler once on a call that watches: handlers only read their call, so what they ask of
it, with types, defaults and limits, is all that they take. What it answers, it states by the name of a schema. What can go wrong
stands where the verb says it: under Raises.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import penstock
from penstock.model import errors
from penstock.operations.transfers import Transfers
from penstock.service import schemas
from penstock.service.requests import LARGEST_NUMBER, MISSING, Call, Fields
from penstock.service.routes import Declaration

Schema = dict[str, Any]

_ABOUT = (
    "Every verb that the SDK, the command line and the pages use. Over the home folder's socket its owner needs no token; over "
    "loopback, ask for one with `InteractiveLoginAuthentication().get_authentication_header()`."
)
_SECURITY = {"token": {"type": "http", "scheme": "bearer", "description": "A user's token, or one of a workspace."}}
_JSON = "application/json"
_IN_PATH = re.compile(r"\{(\w+)(:path)?\}")
_RAISED = re.compile(r"^ {4}(\w+): (.+?)(?=^ {4}\w|^\S|\Z)", re.MULTILINE | re.DOTALL)

# What every route may answer, beside what its verb says of it.
_ALWAYS = {
    401: "There is no token, or its time is over.",
    403: "The token does not allow it.",
    500: "Something in the service broke; its log tells more under the `error_id` of the details.",
}
_KINDS: dict[str, type[errors.PenstockError]] = {
    kind.__name__: kind for kind in (*errors.BY_CODE.values(), errors.InvalidGraph) if kind is not errors.PenstockError
}


def describe(declarations: Iterable[Declaration]) -> dict[str, Any]:
    """Return the OpenAPI document of these routes.

    Raises:
        ValueError: A handler does more with its call than to read it, or says nothing of itself; two have the same name; an answer has no
            schema.
    """
    paths: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for item in declarations:
        name = item.handler.__name__
        if name in seen:
            raise ValueError(f"Two routes are called {name}: {item.method} {item.path} is the second. Give it a name of its own.")
        seen.add(name)
        paths.setdefault(_IN_PATH.sub(r"{\1}", item.path), {})[item.method.lower()] = _operation(item)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Penstock", "version": penstock.__version__, "description": _ABOUT},
        "servers": [{"url": "/", "description": "The service that gave this description."}],
        "paths": paths,
        "components": {"schemas": schemas.SCHEMAS, "responses": _error_answers(), "securitySchemes": _SECURITY},
    }


def _operation(item: Declaration) -> dict[str, Any]:
    call, verb = watch(item)
    assert item.permission is not None  # the application refuses others
    told: dict[str, Any] = {
        "operationId": item.handler.__name__,
        "summary": _promise(item),
        "tags": [item.handler.__module__.rpartition(".")[2].replace("routes_", "")],
        "security": [{"token": [item.permission.name.lower()]}],
        "parameters": [*_path_parameters(item.path), *call.query.parameters("query"), *call.headers.parameters("header")],
        "responses": {"200": _answer(item), **_errors(verb)},
    }
    if item.takes_json:
        told["requestBody"] = call.body.json_body()
    elif item.method in ("POST", "PUT"):
        told["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return told


def _promise(item: Declaration) -> str:
    text = inspect.getdoc(item.handler)
    if not text:
        raise ValueError(f"The handler of {item.method} {item.path} does not say what it does. Give it a docstring.")
    return text.splitlines()[0]


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": found[1],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            **({"description": "May have slashes in it."} if found[2] else {}),
        }
        for found in _IN_PATH.finditer(path)
    ]


# What a handler takes


class _Read(BaseException):
    """An async handler has read its call; what follows is its work."""


class _Watched(Fields):
    """Fields that note what is asked for, and answer as if it had not been sent, or with the plainest value where it must be."""

    def __init__(self, place: str) -> None:
        super().__init__({}, place)
        self._schemas: dict[str, Schema] = {}
        self._needed: list[str] = []

    def _note(self, name: str, default: Any, schema: Schema, plain: Any) -> Any:
        is_needed = default is MISSING
        self._schemas[name] = schema if default is None or is_needed else {**schema, "default": default}
        if is_needed and name not in self._needed:
            self._needed.append(name)
        return plain if is_needed else default

    def text(self, name: str, default: Any = MISSING) -> Any:
        """Note a text."""
        return self._note(name, default, schemas.MEMBERS.get(name, {"type": "string"}), "")

    def flag(self, name: str, default: bool | None = False) -> Any:
        """Note true or false."""
        return self._note(name, default, {"type": "boolean"}, False)

    def number(self, name: str, default: int | None = None, least: int = 0) -> Any:
        """Note a whole number."""
        return self._note(name, default, {"type": "integer", "minimum": least, "maximum": LARGEST_NUMBER}, least)

    def seconds(self, name: str, default: float, most: float) -> float:
        """Note a duration."""
        longest = f"Seconds; more than {most:g} count as {most:g}."
        self._note(name, default, {"type": "number", "minimum": 0, "description": longest}, default)
        return default

    def mapping(self, name: str, default: Any = MISSING) -> Any:
        """Note an object."""
        return self._note(name, default, schemas.MEMBERS.get(name, {"type": "object"}), {})

    def items(self, name: str, default: Any = MISSING) -> Any:
        """Note a list."""
        return self._note(name, default, schemas.MEMBERS.get(name, {"type": "array", "items": {}}), [])

    def texts(self, name: str, default: Any = MISSING) -> Any:
        """Note a list of texts."""
        return self._note(name, default, {"type": "array", "items": {"type": "string"}}, [])

    def words(self, name: str) -> Any:
        """Note words with commas between them."""
        return self._note(name, None, {"type": "array", "items": {"type": "string"}}, None)

    def filter(self, name: str) -> Any:
        """Note a key or pairs."""
        pairs = "A key that must be there, or a JSON object of pairs that must all match."
        return self._note(name, None, {"type": "string", "description": pairs}, None)

    def parameters(self, place: str) -> list[dict[str, Any]]:
        """Return what was asked for as parameters of a query or of headers."""
        return [
            {
                "name": name,
                "in": place,
                "required": name in self._needed,
                "schema": schema,
                **({"style": "form", "explode": False} if schema.get("type") == "array" else {}),
            }
            for name, schema in self._schemas.items()
        ]

    def json_body(self) -> dict[str, Any]:
        """Return what was asked for as a JSON body. Null means the same as a member that is not there, where it need not be."""
        members = {name: schema if name in self._needed else _or_null(schema) for name, schema in self._schemas.items()}
        whole = {"type": "object", "properties": members, "required": self._needed, "additionalProperties": False}
        return {"required": bool(self._needed), "content": {_JSON: {"schema": whole}}}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


class _AnyNames(dict[str, str]):
    """The values of a path, whatever their names."""

    def __missing__(self, name: str) -> str:
        return ""


class _Surroundings:
    """What a handler passes on to its verb, and does not look at."""

    transfers = Transfers  # its verbs are methods; they say what can go wrong

    def __getattr__(self, name: str) -> _Surroundings:
        return self


class _WatchedCall(Call):
    """A call that notes what its handler asks of it."""

    query: _Watched
    body: _Watched

    def __init__(self) -> None:
        self.query, self.body, self.headers = _Watched("query"), _Watched("body"), _Watched("head")
        self.path = _AnyNames()
        self.service = _Surroundings()  # type: ignore[assignment]

    def header(self, name: str) -> str | None:
        """Note a header."""
        found: str | None = self.headers.text(name, None)
        return found

    def reject_others(self) -> None:
        """End here: all has been read."""
        raise _Read


def watch(item: Declaration) -> tuple[_WatchedCall, Any]:
    """Run a route's handler on a call that watches; return the call and, where the handler gives one, the verb.

    Raises:
        ValueError: The handler does more with its call than to read it.
    """
    call = _WatchedCall()
    try:
        verb = item.handler(call)
        if item.is_async:
            verb.send(None)
            raise TypeError("it does not end its reading with call.reject_others()")
        return call, verb
    except _Read:
        return call, None
    except Exception as error:
        raise ValueError(
            f"The handler of {item.method} {item.path} does more with its call than to read it ({type(error).__name__}: {error}). "
            "Let its verb do that."
        ) from error


# What it answers


def _answer(item: Declaration) -> dict[str, Any]:
    name = item.answer if isinstance(item.answer, str) else item.answer[0]
    if name not in schemas.SCHEMAS and name not in schemas.MEDIA:
        raise ValueError(f"{item.method} {item.path} answers '{name}', which is no schema of penstock.service.schemas.")
    if name in schemas.MEDIA:
        kind, what = schemas.MEDIA[name]
        return {"description": what, "content": {kind: {"schema": {"type": "string"}}}}
    one = {"$ref": f"#/components/schemas/{name}"}
    schema = one if isinstance(item.answer, str) else {"type": "array", "items": one}
    return {"description": schemas.SCHEMAS[name].get("description", name), "content": {_JSON: {"schema": schema}}}


def _errors(verb: Any) -> dict[str, Any]:
    """Return the errors of a route by status: those of all routes, in the words of its verb where that has some."""
    told = _raised(getattr(verb, "func", verb))
    return {str(status): _error(told[status]) if status in told else {"$ref": f"#/components/responses/{status}"} for status in _common()}


def _common() -> dict[int, str]:
    """Return status -> what it means, of all that can go wrong anywhere."""
    found = dict(_ALWAYS)
    for kind in _KINDS.values():
        what = (inspect.getdoc(kind) or "").splitlines()[0]
        found[kind.status] = f"{found[kind.status]} {what}" if kind.status in found else what
    return dict(sorted(found.items()))


def _raised(verb: Callable[..., Any]) -> dict[int, str]:
    """Return status -> words, of what a verb's docstring says under Raises."""
    _, _, section = (inspect.getdoc(verb) or "").partition("\nRaises:\n")
    found: dict[int, str] = {}
    for kind, words in _RAISED.findall(section):
        if kind in _KINDS:
            status, words = _KINDS[kind].status, " ".join(words.split())
            found[status] = f"{found[status]} {words}" if status in found else words
    return found


def _error_answers() -> dict[str, Any]:
    return {str(status): _error(words) for status, words in _common().items()}


def _error(words: str) -> dict[str, Any]:
    return {"description": words, "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
