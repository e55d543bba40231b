"""Write docs/reference/rest.md from the declared routes.

python tools/rest_reference.py > docs/reference/rest.md
"""

from __future__ import annotations

import inspect

from penstock.service.app import TABLES

HEAD = """# REST

What the client asks of the service, over the Unix socket `service.sock` in the home folder. Only the folder's owner can open the socket.
Requests and answers are JSON. An error is `{"error": {"code": ..., "message": ..., "details": {...}}}` with a fitting HTTP status.

This interface serves Penstock's own client, and may change between versions. Scripts use `azureml`, or `penstock COMMAND --json`.
"""


def main() -> None:
    """Print the page."""
    print(HEAD)
    print("| method | path | role | |\n|---|---|---|---|")
    for table in TABLES:
        for item in table.declarations:
            promise = (inspect.getdoc(item.handler) or "").splitlines()[0]
            role = item.permission.name.lower() if item.permission else ""
            print(f"| {item.method} | `{item.path}` | {role} | {promise} |")


if __name__ == "__main__":
    main()
