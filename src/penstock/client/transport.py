"""HTTP over the service's Unix socket, with as little as that needs: the standard library's client costs 30 ms to import.

A connection is kept for each thread. What a killed service leaves half done is tried again where a second try can do no harm.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from typing import (
    IO,
    TYPE_CHECKING,
    Any,
    BinaryIO,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    TypeVar,
    Union,
    cast,
)
from urllib.parse import quote, urlencode

from penstock.client.start import StartedInVain, ensure_service
from penstock.model.errors import Invalid, NotFound, PenstockError, Unavailable, parse_error

if TYPE_CHECKING:
    from penstock.client.home import Home

_T = TypeVar("_T")
Body = Union[bytes, IO[bytes], None]

TIMEOUT_SECONDS = 60.0  # between two bytes; a long poll adds its own wait
RETRY_SECONDS = 30.0
_CHUNK = 256 * 1024
_LONGEST_HEAD = 64 * 1024


class _NotReached(Exception):
    """Nobody took the connection: the service has seen nothing."""


class _Dropped(Exception):
    """The connection ended before the answer did: the service may have done what was asked, or not."""


class Transport:
    """Calls to the service of one home folder."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._local = threading.local()

    def call(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        document: Optional[Mapping[str, Any]] = None,
        can_repeat: bool = True,
        start: bool = True,
        wait_seconds: float = 0.0,
        after_drop: Optional[Callable[[PenstockError], Any]] = None,
    ) -> Any:
        """Send a request with a JSON body, return the JSON answer.

        Args:
            method: GET, PUT, ...
            path: The path below /api/v1, quoted.
            query: Its query; members that are None are left out.
            document: The body.
            can_repeat: Whether a second request does no harm when the first may have arrived.
            start: Whether to start the service when none runs.
            wait_seconds: How long the service may wait by itself before it answers.
            after_drop: Gives the answer for an error that a later try meets when an earlier one broke off: what that one did may be
                the very reason. It raises the error where it is not.

        Raises:
            PenstockError: What the service says.
            Unavailable: It can't be started, or does not answer.
        """
        body = None if document is None else json.dumps(document, separators=(",", ":")).encode()
        order = _Order(method, _target(path, query), body, "application/json", TIMEOUT_SECONDS + wait_seconds)
        return self._repeat(order, lambda: json.loads(b"".join(self._parts(self._ask(order, start)))), can_repeat, start, after_drop)

    def delete(self, path: str) -> None:
        """Send a DELETE; the errors are those of `call`. A second try that finds nothing has found the first one's work."""
        self.call("DELETE", path, after_drop=_accept_not_found)

    def stream(self, method: str, path: str, query: Optional[Mapping[str, Any]] = None, body: Body = None) -> Iterator[bytes]:
        """Send a request with bytes, yield the bytes of its answer; the errors are those of `call`.

        A file as the body is sent from where it stands, and again from there on a second try.
        """
        order = _Order(method, _target(path, query), body, "application/octet-stream", TIMEOUT_SECONDS)
        begin = None if body is None or isinstance(body, bytes) else body.tell()

        def attempt() -> _Answer:
            if begin is not None:
                body.seek(begin)  # type: ignore[union-attr]
            return self._ask(order, start=True)

        return self._parts_or_words(self._repeat(order, attempt, can_repeat=True, start=True))

    def _repeat(
        self,
        order: _Order,
        attempt: Callable[[], _T],
        can_repeat: bool,
        start: bool,
        after_drop: Optional[Callable[[PenstockError], _T]] = None,
    ) -> _T:
        """Return what an attempt gives; attempt again while the service is not there, for a while from the first failure on."""
        deadline, pause, was_dropped = 0.0, 0.01, False
        while True:
            try:
                return attempt()
            except (_NotReached, _Dropped) as error:
                self._forget()
                deadline = deadline or time.monotonic() + RETRY_SECONDS
                was_dropped = was_dropped or isinstance(error, _Dropped)
                if isinstance(error, _Dropped) and not can_repeat:
                    raise Unavailable(
                        f"The service went away during {order}; it may have done it or not. Look before you repeat it."
                    ) from error
                if not start or time.monotonic() > deadline:
                    raise Unavailable(
                        f"The service of {self._home.path} does not answer: {error}. Its log is {self._home.service_log}."
                    ) from error
            except PenstockError as error:
                if was_dropped and after_drop:
                    return after_drop(error)
                raise
            except BaseException:  # Ctrl-C: what comes later on this connection belongs to nobody
                self._forget()
                raise
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _ask(self, order: _Order, start: bool) -> _Answer:
        """Send a request; return its answer when it is a good one, and raise what it says otherwise."""
        answer = self._connect(start).request(order)
        if answer.status >= 400:
            raise _error(b"".join(self._parts(answer)), answer.status)
        return answer

    def _parts(self, answer: _Answer) -> Iterator[bytes]:
        yield from answer.parts()
        if answer.closes:
            self._forget()

    def _parts_or_words(self, answer: _Answer) -> Iterator[bytes]:
        """Yield the bytes of an answer that can't be asked for again, as some of them are used already."""
        try:
            yield from self._parts(answer)
        except _Dropped as error:
            self._forget()
            raise Unavailable("The service went away in the middle of its answer; ask again.") from error

    def _connect(self, start: bool) -> _Connection:
        """Return this thread's connection; a forked child never speaks on its parent's."""
        connection: Optional[_Connection] = getattr(self._local, "connection", None)
        if connection is not None and connection.is_usable():
            return connection
        self._forget()
        try:
            connection = _Connection(self._home)
        except _NotReached:
            if not start:
                raise
            try:
                ensure_service(self._home)
            except StartedInVain as error:
                raise _NotReached(error.message) from error
            connection = _Connection(self._home)
        self._local.connection = connection
        return connection

    def _forget(self) -> None:
        connection: Optional[_Connection] = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()


def _target(path: str, query: Optional[Mapping[str, Any]]) -> str:
    pairs = {name: _query_text(value) for name, value in (query or {}).items() if value is not None and value is not False}
    return f"/api/v1{path}" + (f"?{urlencode(pairs)}" if pairs else "")


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _accept_not_found(error: PenstockError) -> None:
    if not isinstance(error, NotFound):
        raise error


def quoted(name: str, safe: str = "", kind: str = "a name") -> str:
    """Return a name as part of a path; raise Invalid for one that no path can hold. The message says what `kind` of name it is."""
    try:
        if not name or ("/" in name and not safe):
            raise Invalid(f"{name!r} can't be {kind}: that is a text, is not empty, and has no '/'.")
        return quote(name, safe=safe)
    except (UnicodeEncodeError, TypeError):
        raise Invalid(f"{name!r} can't be {kind}.") from None


def _error(data: bytes, status: int) -> PenstockError:
    try:
        document = json.loads(data)
    except ValueError:
        document = {"error": {"message": data.decode("utf-8", "replace")[:500]}}
    return parse_error(document, status)


# One connection


class _Order(NamedTuple):
    """What is asked of the service."""

    method: str
    target: str
    body: Body
    kind: str
    timeout_seconds: float

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


class _Connection:
    """One connection to the service's socket."""

    def __init__(self, home: Home) -> None:
        import socket

        self.pid = os.getpid()
        self._last: Optional[_Answer] = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._reader = cast("BinaryIO", self._socket.makefile("rb", buffering=_CHUNK))
        # When its thread has ended, or the process does. A `__del__` would not do: in a cycle the socket may be found first, and warns.
        self._let_go = weakref.finalize(self, _close, self._reader, self._socket)
        try:
            self._socket.settimeout(TIMEOUT_SECONDS)
            self._socket.connect(str(home.socket))
        except OSError as error:  # nobody listens, or too many ask at once
            self.close()
            raise _NotReached(error.strerror or str(error)) from error

    def is_usable(self) -> bool:
        """Tell whether a request can go this way.

        Not in a forked child, which must not speak on its parent's connection; not while an answer is unread; not when the service
        has closed it: between two requests there is nothing to read but the end; not when this process has, as it ends, and somebody
        has something left to say.
        """
        import select

        if self.pid != os.getpid() or self._socket.fileno() < 0 or (self._last is not None and not self._last.is_read):
            return False
        poll = select.poll()  # unlike select(), it takes file numbers over 1023
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Let it go."""
        self._let_go.detach()
        _close(self._reader, self._socket)

    def request(self, order: _Order) -> _Answer:
        """Send a request and return the answer, its head read."""
        import socket

        self._socket.settimeout(order.timeout_seconds)
        trouble: Optional[OSError] = None
        try:
            self._send(order)
        except socket.timeout as error:
            raise Unavailable(f"The service took no bytes of {order} for {order.timeout_seconds:.0f} seconds.") from error
        except OSError as error:  # it may have answered before it closed: a body too large, say
            trouble = error
        try:
            self._last = self._receive(trouble)
        except socket.timeout as error:
            raise Unavailable(f"The service is silent: it took {order} and does not answer. Its log may tell more.") from error
        except OSError as error:
            raise _Dropped(str(trouble or error)) from error
        return self._last

    def _send(self, order: _Order) -> None:
        body = order.body
        head = [f"{order.method} {order.target} HTTP/1.1", "Host: penstock", f"Content-Type: {order.kind}"]
        if body is None or isinstance(body, bytes):
            head += [f"Content-Length: {len(body or b'')}", "", ""]
            self._socket.sendall("\r\n".join(head).encode("ascii") + (body or b""))
            return
        head += ["Transfer-Encoding: chunked", "", ""]
        self._socket.sendall("\r\n".join(head).encode("ascii"))
        while True:
            data = body.read(_CHUNK)
            self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            if not data:
                return

    def _receive(self, trouble: Optional[OSError]) -> _Answer:
        status, headers = self._read_head()
        while status == 100:
            status, headers = self._read_head()
        return _Answer(status, headers, self._reader, trouble is not None)

    def _read_head(self) -> Tuple[int, Dict[str, str]]:
        lines: List[bytes] = []
        while not lines or lines[-1] not in (b"\r\n", b""):
            lines.append(self._reader.readline(_LONGEST_HEAD))
        if lines[-1] == b"":
            raise OSError("the connection was closed")
        pairs = (line.decode("latin-1").partition(":") for line in lines[1:-1])
        return int(lines[0].split(None, 2)[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _close(*parts: Any) -> None:
    for part in parts:
        try:
            part.close()
        except OSError:
            pass


class _Answer:
    """An answer whose bytes are still to be read."""

    def __init__(self, status: int, headers: Mapping[str, str], reader: BinaryIO, closes: bool) -> None:
        self.status = status
        self.closes = closes or headers.get("connection", "").lower() == "close"
        self.is_read = False
        self._headers, self._reader = headers, reader

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes; raise _Dropped when the connection ends before them."""
        try:
            if self._headers.get("transfer-encoding", "").lower() == "chunked":
                yield from self._chunks()
            else:
                yield from self._exactly(int(self._headers.get("content-length", "0")))
            self.is_read = True
        except OSError as error:  # a silent service, too: what it sent so far is of no use
            raise _Dropped(str(error)) from error

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = int(self._reader.readline(_LONGEST_HEAD).split(b";")[0].strip() or b"-1", 16)
            if size < 0:
                raise OSError("the connection was closed")
            yield from self._exactly(size)
            self._reader.readline(_LONGEST_HEAD)
            if size == 0:
                return

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            data = self._reader.read(min(size, _CHUNK))
            if not data:
                raise OSError("the connection was closed")
            size -= len(data)
            yield data
