"""Connections over loopback that are held for nothing: they end, and the home folder's socket answers whatever they do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.responses import Response

from penstock.service import server

HEAD = b"GET / HTTP/1.1\r\nhost: localhost\r\n"


@dataclass
class Doors:
    """The two ways to a service."""

    socket_path: str
    port: int

    def over_loopback(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def over_socket(self) -> socket.socket:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(120)
        found.connect(self.socket_path)
        return found


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    unix, tcp = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    unix.bind(str(tmp_path / "s"))
    tcp.bind(("127.0.0.1", 0))
    for listener in (unix, tcp):
        listener.listen(16)
    ended, ready = threading.Event(), threading.Event()
    stops = []

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        stops.append(lambda: loop.call_soon_threadsafe(over.set))
        made = server.make_server(Response("hello"), is_over=ended.is_set, over=over, ready=ready.set, leave=lambda: None)
        await made.serve(sockets=[unix, tcp])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(120)
    yield Doors(str(tmp_path / "s"), tcp.getsockname()[1])
    ended.set()
    stops[0]()
    thread.join(120)
    unix.close()
    tcp.close()


def is_let_go(connection: socket.socket, data: bytes = b"") -> bool:
    """Wait until the other side has ended a connection, whatever was sent."""
    with contextlib.suppress(ConnectionError):
        connection.sendall(data)
        return connection.recv(100) == b""
    return True


def is_answered(connection: socket.socket, data: bytes = HEAD + b"\r\n") -> bool:
    with contextlib.suppress(ConnectionError):
        connection.sendall(data)
        return connection.recv(100).startswith(b"HTTP/1.1 200")
    return False


def test_who_does_not_say_what_they_want_is_let_go(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.05)
    with doors.over_socket() as owner, doors.over_loopback() as slow, doors.over_loopback() as silent:
        owner.sendall(HEAD)
        assert is_let_go(slow, HEAD)
        assert is_let_go(silent)
        assert is_answered(owner, b"\r\n")


def test_there_are_only_so_many_guests(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "most_guests", lambda: 2)
    with contextlib.ExitStack() as held:
        first, second = (held.enter_context(doors.over_loopback()) for _ in range(2))
        assert is_answered(first)
        assert is_answered(second)
        assert is_let_go(held.enter_context(doors.over_loopback()))
        assert is_answered(held.enter_context(doors.over_socket()))
        first.close()
        for _ in range(1000):  # until the service has seen that the first is gone
            if is_answered(held.enter_context(doors.over_loopback())):
                return
        pytest.fail("Nobody is let in again.")
