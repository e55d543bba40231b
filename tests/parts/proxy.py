"""A TCP proxy that cuts connections where a test says so."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes bytes between its own port and another, and cuts connections on demand."""

    target: int
    port: int = 0
    connections: int = 0
    cuts_left: int = 0  # how many connections more are cut
    cut_after: int = 0  # bytes, in either direction, that a connection may carry before it is cut
    stalled: threading.Event = field(default_factory=threading.Event)  # set: bytes stand still
    _sockets: set[socket.socket] = field(default_factory=set)

    def cut(self, after_bytes: int, times: int = 1_000_000) -> None:
        """Cut the next connections once they carried so many bytes."""
        self.cut_after, self.cuts_left = after_bytes, times

    def cut_all(self, after_bytes: int) -> None:
        """End the connections that are kept for later, and cut all that come once they carried so many bytes."""
        self.cut(after_bytes)
        self._end_all()

    def accept(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                ours, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            theirs = socket.create_connection(("127.0.0.1", self.target))
            self._sockets |= {ours, theirs}
            is_cut = self.cuts_left > 0
            self.cuts_left -= is_cut
            budget = [self.cut_after if is_cut else -1]
            for source, sink in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass, args=(source, sink, budget), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, budget: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self.stalled.is_set():
                    threading.Event().wait(0.01)
                if 0 <= budget[0] < len(data):
                    sink.sendall(data[: budget[0]])
                    break
                budget[0] = budget[0] - len(data) if budget[0] >= 0 else -1
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Close what is open."""
        self.stalled.clear()
        self._end_all()

    def _end_all(self) -> None:
        for end in list(self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextlib.contextmanager
def proxy_to(target: int) -> Iterator[Proxy]:
    """Give a proxy in front of a port of this machine, while the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(target, listener.getsockname()[1])
        thread = threading.Thread(target=proxy.accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            proxy.close()
            thread.join(5)
