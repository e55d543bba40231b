"""A web server that gives out the files of a folder, and fails in ways that a test chooses."""

from __future__ import annotations

import email.utils
import hashlib
import http.server
import itertools
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Fault:
    """What goes wrong with one file: an answer of another status, or a connection that ends after some bytes."""

    times: int
    status: int | None = None
    after_bytes: int = 0


@dataclass
class HttpServer:
    """A running web server."""

    port: int
    folder: Path
    requests: list[tuple[str, str]] = field(default_factory=list)  # (method, path), oldest first
    faults: dict[str, Fault] = field(default_factory=dict)
    without_stamps: set[str] = field(default_factory=set)  # files that come without ETag, Last-Modified and length
    without_ranges: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def new_folder(self) -> tuple[Path, str]:
        """Make a folder for a test's files; return its place and its URL."""
        name = f"f{next(self._numbers)}"
        (self.folder / name).mkdir()
        return self.folder / name, f"{self.url}/{name}"

    def drop(self, path: Path, after_bytes: int, times: int = 1_000_000) -> None:
        """End the connection after so many bytes of a file."""
        self.faults[self._name(path)] = Fault(times, after_bytes=after_bytes)

    def answer(self, path: Path, status: int, times: int = 1_000_000) -> None:
        """Answer with a status instead of a file."""
        self.faults[self._name(path)] = Fault(times, status=status)

    def hide_stamps(self, path: Path) -> None:
        """Send a file without ETag, Last-Modified and length."""
        self.without_stamps.add(self._name(path))

    def hide_ranges(self, path: Path) -> None:
        """Answer requests for a part of a file with all of it."""
        self.without_ranges.add(self._name(path))

    def count(self, path: Path, method: str = "GET") -> int:
        """Return how often a file was asked for."""
        return self.requests.count((method, self._name(path)))

    def _name(self, path: Path) -> str:
        return "/" + path.relative_to(self.folder).as_posix()

    def take_fault(self, name: str) -> Fault | None:
        """Return what goes wrong this time, if anything does."""
        fault = self.faults.get(name)
        if fault is None or fault.times <= 0:
            return None
        fault.times -= 1
        return fault


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: HttpServer

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer with a file, or a part of it."""
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.web.requests.append((self.command, name))
        path = (self.web.folder / name.lstrip("/")).resolve()
        fault = self.web.take_fault(name)
        if fault is not None and fault.status is not None:
            self._refuse(fault.status)
        elif not path.is_file() or self.web.folder not in path.parents:
            self._refuse(404)
        else:
            self._send(name, path.read_bytes(), path.stat().st_mtime, fault)

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, name: str, data: bytes, modified_at: float, fault: Fault | None) -> None:
        start, end = self._range(name, len(data))
        is_part = (start, end) != (0, len(data))
        self.send_response(206 if is_part else 200)
        self.send_header("Content-Type", "application/octet-stream")
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        if name in self.web.without_stamps:
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(end - start))
            self.send_header("ETag", f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"')
            self.send_header("Last-Modified", email.utils.formatdate(modified_at, usegmt=True))
            self.send_header("Accept-Ranges", "none" if name in self.web.without_ranges else "bytes")
        self.end_headers()
        if self.command == "HEAD":
            return
        body = data[start:end]
        if fault is not None:
            self.close_connection = True
            body = body[: fault.after_bytes]
        self.wfile.write(body)

    def _range(self, name: str, size: int) -> tuple[int, int]:
        wanted = self.headers.get("Range", "")
        if not wanted.startswith("bytes=") or name in self.web.without_ranges | self.web.without_stamps:
            return 0, size
        first, _, last = wanted[6:].partition("-")
        if not first:
            return max(size - int(last), 0), size
        return int(first), min(int(last) + 1, size) if last else size


@pytest.fixture(scope="session")
def http_server() -> Iterator[HttpServer]:
    """A web server; `new_folder()` gives a test a place of its own there."""
    with tempfile.TemporaryDirectory(prefix="web-") as folder:
        handler = type("Handler", (_Handler,), {})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        handler.web = HttpServer(server.server_address[1], Path(folder).resolve())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield handler.web
        server.shutdown()
        server.server_close()
        thread.join(10)
