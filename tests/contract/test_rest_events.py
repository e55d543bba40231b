"""The event stream: what becomes of runs, as it happens, and again from where a client was cut off."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.parts.described import strict_description

from penstock.model.errors import Invalid, NotFound
from penstock.service import routes_events
from penstock.service.bulletin import EVERYTHING


class Stream:
    """One client of the stream."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""
        self.head = self._take(b"\r\n\r\n")

    def _take(self, end: bytes) -> str:
        while end not in self._data:
            more = self._connection.recv(65536)
            if not more:
                raise EOFError(self._data)
            self._data += more
        found, self._data = self._data.split(end, 1)
        return found.decode()

    def block(self) -> dict[str, str]:
        """Return the next block of lines as field -> value."""
        lines = [line for line in self._take(b"\n\n").splitlines() if ": " in line]  # lengths of chunks stand between them
        return {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}

    def event(self) -> dict[str, Any]:
        """Return the next event; its id is its sequence, and its kind is that of all."""
        block = self.block()
        while "data" not in block:
            block = self.block()
        event: dict[str, Any] = json.loads(block["data"])
        assert (block["id"], block["event"]) == (str(event["sequence"]), "run")
        return event

    def events(self, count: int) -> list[tuple[str, str | None]]:
        """Return run id and status of the next events."""
        return [(event["run_id"], event["status"]) for event in (self.event() for _ in range(count))]

    def rest(self) -> bytes:
        """Return what comes until the service ends the answer."""
        while not self._data.endswith(b"0\r\n\r\n"):
            more = self._connection.recv(65536)
            if not more:
                raise EOFError(self._data)
            self._data += more
        return self._data


@contextmanager
def streaming(rest: Any, query: str = "", **headers: str) -> Iterator[Stream]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(120)
        connection.connect(str(rest.home.socket))
        lines = [f"GET /api/v1/events?{query} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        yield Stream(connection)


def test_events_come_as_they_happen(rest: Any) -> None:
    with streaming(rest, f"workspace_id={rest.workspace_id}") as stream:
        assert stream.head.startswith("HTTP/1.1 200")
        assert "content-type: text/event-stream" in stream.head
        first = stream.block()
        assert first["retry"] == "1000"
        assert first["id"].isdigit()
        run = rest.client.create_run(rest.workspace_id, "e")["id"]
        assert stream.events(1) == [(run, "Running")]
        rest.client.set_run_status(run, "Completed")
        event = stream.event()
    schema = strict_description()["components"]["schemas"]["Event"]
    assert set(event) == set(schema["properties"])
    assert (event["run_id"], event["status"], event["actor"], event["workspace_id"]) == (run, "Completed", "client", rest.workspace_id)


def test_a_client_that_was_cut_off_goes_on_where_it_was(rest: Any) -> None:
    query = f"workspace_id={rest.workspace_id}"
    with streaming(rest, query) as stream:
        begin = stream.block()["id"]
    runs = [rest.client.create_run(rest.workspace_id, "e")["id"] for _ in range(3)]
    with streaming(rest, query, **{"Last-Event-ID": begin}) as stream:
        last = stream.event()["sequence"]
    with streaming(
        rest, f"{query}&after={begin}", **{"Last-Event-ID": str(last)}
    ) as stream:  # an address stays as it was: its word is the older
        assert stream.events(2) == [(run, "Running") for run in runs[1:]]
    with streaming(rest, f"{query}&after={begin}") as stream:
        assert stream.events(3) == [(run, "Running") for run in runs]


def test_only_what_was_asked_for(rest: Any) -> None:
    other = rest.client.create_workspace(f"{rest.workspace_id[-12:]}-other", "sub", "group")["id"]
    parent = rest.client.create_run(rest.workspace_id, "e")["id"]
    child = rest.client.create_run(rest.workspace_id, "e", parent_run_id=parent)["id"]
    rest.client.create_run(rest.workspace_id, "e")
    elsewhere = rest.client.create_run(other, "e")["id"]
    rest.client.set_run_status(child, "Completed")
    with streaming(rest, f"run_id={parent}&after=0") as stream:
        assert stream.events(3) == [(parent, "Running"), (child, "Running"), (child, "Completed")]
        rest.client.set_run_status(parent, "Completed")
        assert stream.events(1) == [(parent, "Completed")]
    with streaming(rest, f"run_id={child}&after=0") as stream:
        assert stream.events(2) == [(child, "Running"), (child, "Completed")]
    with streaming(rest, f"workspace_id={other}&after=0") as stream:
        assert stream.events(1) == [(elsewhere, "Running")]


def test_many_events_come_in_their_order(rest: Any) -> None:
    """More than are read at once, most of them of other workspaces."""
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    other = rest.client.create_run(rest.client.create_workspace(f"{run[-12:]}-other", "sub", "group")["id"], "e")["id"]
    with rest.context.change() as change:
        for number in range(2_500):
            change.tell(other if number % 5 else run, other if number % 5 else run, None, "client", str(number))
    with streaming(rest, f"workspace_id={rest.workspace_id}&after=0") as stream:
        stream.event()
        assert [stream.event()["reason"] for _ in range(500)] == [str(number) for number in range(0, 2_500, 5)]


def test_a_silent_stream_gives_signs_of_life(rest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its listener counts as one who asks: the service does not grow idle under it."""
    monkeypatch.setattr(routes_events, "_WAIT_SECONDS", 0.001)
    with streaming(rest) as stream:
        stream.block()
        before = len(rest.touched)
        assert [stream.block() for _ in range(3)] == [{"": "still here"}] * 3
        assert len(rest.touched) > before


def test_a_client_that_hangs_up_is_forgotten(rest: Any) -> None:
    listeners = rest.context.announce.__self__._listeners
    with streaming(rest) as stream:
        stream.block()
        assert EVERYTHING in listeners
    deadline = time.monotonic() + 120
    while EVERYTHING in listeners:  # the service learns of it in its own time
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_odd_requests(rest: Any) -> None:
    ask = rest.client._transport.call
    with pytest.raises(NotFound, match="There is no run with the id 'none'"):
        ask("GET", "/events", query={"run_id": "none"})
    with pytest.raises(NotFound, match="There is no workspace with the id 'none'"):
        ask("GET", "/events", query={"workspace_id": "none"})
    with pytest.raises(Invalid, match="'after' of the query must be a whole number"):
        ask("GET", "/events", query={"after": "-1"})
    for odd in ("x", "-1", "9" * 30, "1.5"):
        with streaming(rest, **{"Last-Event-ID": odd}) as stream:
            assert stream.head.startswith("HTTP/1.1 400")


def test_streams_end_when_the_service_leaves(rest: Any) -> None:
    """The last test of this module: afterwards the service lets nobody wait."""
    with streaming(rest) as stream, streaming(rest, "after=0") as other:
        stream.block()
        other.block()
        rest.client.stop_service()
        assert stream.rest().endswith(b"0\r\n\r\n")
        assert other.rest().endswith(b"0\r\n\r\n")
    with streaming(rest) as late:
        late.rest()
