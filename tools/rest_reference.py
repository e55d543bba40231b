"""Write docs/reference/rest.md from the description of the interface.

python tools/rest_reference.py > docs/reference/rest.md
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.service.app import TABLES
from penstock.service.openapi import describe

HEAD = """# REST

Every verb that the SDK, the command line and the pages use. Our own client asks over the Unix socket `service.sock` in the home folder,
which only the folder's owner can open; other programs ask [over loopback, with a token](../how-to/rest-api.md).

`GET /api/v1/openapi.json` gives the same as OpenAPI 3.1, with all types and schemas, for tools that make clients or tests of it.
Requests and answers are JSON, except bytes and the event stream. Members marked with `?` may be missing, or null; a misspelt one is
refused by its name. An error is `{"error": {"code": ..., "message": ..., "details": {...}}}` with a fitting HTTP status.

A creating request may carry a `request_id`, a UUID: sent twice with the same one, it finds its own work.

Roles: a *reader* looks, a *contributor* changes what is in a workspace, an *owner* the workspaces themselves; *home* is who comes through
the socket.
"""

_PLACES = {"query": "in the query", "header": "in the head"}


def main() -> None:
    """Print the page."""
    description = describe(item for table in TABLES for item in table.declarations)
    print(HEAD)
    print("| method | path | role | takes | gives | |\n|---|---|---|---|---|---|")
    for table in TABLES:
        for item in table.declarations:
            operation = description["paths"][item.path.replace(":path}", "}")][item.method.lower()]
            role = operation["security"][0]["token"][0]
            cells = (item.method, f"`{item.path}`", role, _takes(operation), _gives(operation), operation["summary"])
            print(f"| {' | '.join(cells)} |")


def _takes(operation: dict[str, Any]) -> str:
    asked = [(item["in"], item["name"], item["required"]) for item in operation["parameters"]]
    parts = [_names(f"{words} ", [(name, needed) for place, name, needed in asked if place == where]) for where, words in _PLACES.items()]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        members = [(name, name in schema["required"]) for name in schema.get("properties", ())]
        parts.append(_names("", members) if kind == "application/json" else "bytes")
    return "; ".join(filter(None, parts))


def _names(place: str, members: Iterable[tuple[str, bool]]) -> str:
    names = ", ".join(f"`{name}`" if is_needed else f"`{name}`?" for name, is_needed in members)
    return f"{place}{names}" if names else ""


def _gives(operation: dict[str, Any]) -> str:
    ((kind, content),) = operation["responses"]["200"]["content"].items()
    if kind != "application/json":
        return "events" if kind == "text/event-stream" else "bytes"
    schema = content["schema"]
    name = schema.get("items", schema)["$ref"].rpartition("/")[2]
    if name == "Nothing":
        return ""
    return f"list of `{name}`" if "items" in schema else f"`{name}`"


if __name__ == "__main__":
    main()
