"""Accepts calls and keeps one row of each: what a listener costs that checks nothing and runs nothing.

    python -m benchmarks.bare_acceptor FILE

Prints its port.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import uuid

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def main() -> None:
    """Serve until ended."""
    rows = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
    rows.execute("pragma journal_mode = wal")
    rows.execute("pragma synchronous = normal")
    rows.execute("create table calls (id text primary key, body text)")

    async def accept(request: Request) -> JSONResponse:
        identity = str(uuid.uuid4())
        rows.execute("insert into calls values (?, ?)", (identity, json.dumps(await request.json())))
        return JSONResponse({"Id": identity})

    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Route("/accept", accept, methods=["POST"])]), log_level="error"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
