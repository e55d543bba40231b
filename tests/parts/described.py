"""Watches a service's answers: each must be as the description of the interface says, with no member more."""

from __future__ import annotations

import copy
import functools
import json
from typing import Any

import jsonschema_rs
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.service import openapi
from penstock.service.app import TABLES

DECLARATIONS = [item for table in TABLES for item in table.declarations]


@functools.cache
def strict_description() -> dict[str, Any]:
    """Return the description with its objects closed: it lets clients meet members that are new to them, our tests do not."""
    found = copy.deepcopy(openapi.describe(DECLARATIONS))
    _close(found["components"]["schemas"])
    return found


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if "properties" in schema and isinstance(schema["properties"], dict):
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            _close(value)
    elif isinstance(schema, list):
        for value in schema:
            _close(value)


@functools.cache
def _operations() -> list[tuple[str, Any, dict[str, Any]]]:
    paths = strict_description()["paths"]
    plain = [(item, item.path.replace(":path}", "}")) for item in DECLARATIONS]
    return [(item.method, compile_path(item.path)[0], paths[path][item.method.lower()]) for item, path in plain]


@functools.cache
def _validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": strict_description()["components"]})


def find_fault(method: str, path: str, status: int, content_type: str, body: bytes) -> str | None:
    """Return what of an answer is not as described; None when all is well, or there is no such route."""
    operation = next((found for verb, pattern, found in _operations() if verb == method and pattern.match(path)), None)
    if operation is None:
        return None
    if status == 400 and not content_type:
        return None  # its client hung up: nobody reads it
    where = f"{method} {path[:200]} answered {status}"
    answer = operation["responses"].get(str(status))
    if answer is None:
        return f"{where}, which is not described"
    if "$ref" in answer:
        answer = strict_description()["components"]["responses"][str(status)]
    kind = content_type.partition(";")[0]
    if kind not in answer["content"]:
        return f"{where} with {kind}, where {', '.join(answer['content'])} is described"
    if kind != "application/json":
        return None
    value = json.loads(body, parse_constant=str)  # what runs log may be no number
    faults = [
        f"{error.instance_path}: {error.message}" for error in _validator(json.dumps(answer["content"][kind]["schema"])).iter_errors(value)
    ]
    return f"{where}, not as described in penstock.service.schemas: {'; '.join(faults)[:1000]}" if faults else None


class Described:
    """An application whose answers are compared with the description; `faults` holds what differs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.faults: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, content_type, body = 0, "", bytearray()

        async def watching(message: Message) -> None:
            nonlocal status, content_type
            if message["type"] == "http.response.start":
                status = message["status"]
                content_type = dict(message["headers"]).get(b"content-type", b"").decode()
            else:
                if content_type == "application/json":
                    body.extend(message.get("body", b""))
                if not message.get("more_body") and (
                    fault := find_fault(scope["method"], scope["path"], status, content_type, bytes(body))
                ):
                    self.faults.append(fault)
            await send(message)

        await self._app(scope, receive, watching if scope["type"] == "http" else send)
