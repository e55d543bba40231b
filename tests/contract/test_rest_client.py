"""What the client does when the service, the connection or its own process is not what it was."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.client import connect, transport
from penstock.client.client import Client
from penstock.client.home import Home
from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, Refused, Unavailable

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Fickle:
    """A server at a home folder's socket that does what it is told for each connection, one after the other."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.requests: list[bytes] = []
        self.delay_seconds = 0.0  # before the first answer
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(home.socket))
        self._listener.listen(5)
        self._thread: threading.Thread | None = None

    def answer(self, *answers: bytes) -> Client:
        """Give each connection its answer and close it; return a client."""
        self._thread = threading.Thread(target=self._serve, args=(answers,))
        self._thread.start()
        return Client(self.home)

    def _serve(self, answers: tuple[bytes, ...]) -> None:
        for answer in answers:
            with self._listener.accept()[0] as connection:
                self.requests.append(connection.recv(65536))
                time.sleep(self.delay_seconds)
                self.delay_seconds = 0
                connection.sendall(answer)

    def close(self) -> None:
        self._listener.close()
        if self._thread:
            self._thread.join(5)


@pytest.fixture
def fickle(tmp_path: Path) -> Iterator[Fickle]:
    home = Home(tmp_path)
    home.create()
    server = Fickle(home)
    yield server
    server.close()
    gc.collect()


@pytest.mark.parametrize("half", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_dropped_connection_is_tried_again(fickle: Fickle, half: bytes) -> None:
    assert fickle.answer(half, half, GOOD).get_run("x") == {}
    assert len(fickle.requests) == 3


def test_long_wait_that_breaks_is_tried_again(fickle: Fickle, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service did before it died does not count: a long poll may have lasted."""
    monkeypatch.setattr(transport, "RETRY_SECONDS", 0.3)
    fickle.delay_seconds = 0.6
    assert fickle.answer(b"", GOOD).follow_run("x", wait_seconds=5) == {}


def test_submission_is_the_same_the_second_time(fickle: Fickle) -> None:
    fickle.answer(b"", GOOD).submit_pipeline("w", "e", {"graph": {}})
    assert fickle.requests[0] == fickle.requests[1]
    assert b"request_id" in fickle.requests[0]


def test_what_may_have_happened_is_not_repeated(fickle: Fickle) -> None:
    with pytest.raises(Unavailable, match="may have done it or not"):
        fickle.answer(b"").create_run("w", "e", run_id="mine")


def test_a_run_without_a_chosen_id_is_the_same_the_second_time(fickle: Fickle) -> None:
    fickle.answer(b"", GOOD).create_run("w", "e", request_id="0" * 32)
    assert fickle.requests[0] == fickle.requests[1]


def test_metrics_are_the_same_the_second_time(fickle: Fickle) -> None:
    fickle.answer(b"", GOOD).log_metrics("x", [{"name": "a"}])
    assert fickle.requests[0] == fickle.requests[1]
    assert b"request_id" in fickle.requests[0]


def test_download_that_breaks_leaves_nothing(fickle: Fickle, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="in the middle of its answer"):
        fickle.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").download_file("x", "f", tmp_path / "out" / "f")
    assert os.listdir(tmp_path / "out") == []


def test_chunked_answer(fickle: Fickle) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    assert fickle.answer(answer).read_file("x", "f") == b"abcde"


def test_error_that_is_no_json(fickle: Fickle) -> None:
    with pytest.raises(PenstockError, match="odd"):
        fickle.answer(b"HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\nodd").get_run("x")


def test_silent_service(fickle: Fickle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="is silent"):  # the listener's queue takes us, nobody reads
        Client(fickle.home).get_run("x")


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Client(Home(tmp_path)).service_info(start=False)
    Client(Home(tmp_path)).stop_service()
    assert os.listdir(tmp_path) == []


def test_name_that_no_path_can_hold(rest: Any) -> None:
    with pytest.raises(Invalid):
        rest.client.get_run("\ud800")


# Where the service does what it was told, and its answer is lost


class Lossy:
    """Stands between a client and a real service: the first answer of each method in `drops` never arrives."""

    def __init__(self, rest: Any, home: Home) -> None:
        self.drops: set[bytes] = set()
        self.client = Client(home)
        self._target = str(rest.home.socket)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(home.socket))
        self._listener.listen(5)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            with connection:
                self._exchange(connection)

    def _exchange(self, connection: socket.socket) -> None:
        request = connection.recv(65536)
        if not request:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
            service.connect(self._target)
            service.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b"".join(iter(lambda: service.recv(65536), b""))
        method = request.split(b" ", 1)[0]
        if method in self.drops:
            self.drops.remove(method)
        else:
            connection.sendall(answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def lossy(rest: Any, tmp_path: Path) -> Iterator[Lossy]:
    home = Home(tmp_path)
    home.create()
    proxy = Lossy(rest, home)
    yield proxy
    proxy.close()
    gc.collect()


AT_ITS_END = """
import atexit, pathlib, sys
from penstock.client.client import Client
from penstock.client.home import Home
client = Client(Home(pathlib.Path(sys.argv[1])))
atexit.register(lambda: print(client.get_workspace(sys.argv[2])["id"]))
client.service_info()
"""


def test_what_a_process_says_at_its_very_end_arrives(rest: Any) -> None:
    # Who registers before the first connection is made speaks after all connections were let go.
    command = [sys.executable, "-c", AT_ITS_END, str(rest.home.path), rest.workspace_id]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (rest.workspace_id, "")


def test_lost_answer_to_a_create_is_no_error(rest: Any, lossy: Lossy, tmp_path: Path) -> None:
    client, workspace = lossy.client, rest.workspace_id
    lossy.drops = {b"POST"}
    made = client.create_workspace("lost", "s", "g", tags={"a": 1})
    lossy.drops = {b"PUT"}
    assert client.register_datastore(workspace, "lost", "Custom", root=str(tmp_path / "data"))["name"] == "lost"
    lossy.drops = {b"PUT"}
    assert client.put_compute_target(workspace, "lost", "AmlCompute", {"max_nodes": 3})["definition"] == {"max_nodes": 3}
    assert lossy.drops == set()
    assert [item["id"] for item in rest.client.list_workspaces("s", "g") if item["name"] == "lost"] == [made["id"]]
    for again in (
        lambda: client.create_workspace("lost", "s", "g", tags={"a": 1}),
        lambda: client.register_datastore(workspace, "lost", "Custom", root=str(tmp_path / "data")),
        lambda: client.put_compute_target(workspace, "lost", "AmlCompute", {"max_nodes": 3}),
    ):
        with pytest.raises(AlreadyExists):
            again()


def test_lost_answer_to_a_create_of_what_was_there_is_one(rest: Any, lossy: Lossy) -> None:
    rest.client.create_workspace("there", "s", "g")
    rest.client.put_compute_target(rest.workspace_id, "there", "AmlCompute", {})
    lossy.drops = {b"POST", b"PUT"}
    with pytest.raises(AlreadyExists):
        lossy.client.create_workspace("there", "s", "g")
    with pytest.raises(AlreadyExists):
        lossy.client.put_compute_target(rest.workspace_id, "there", "AmlCompute", {})
    assert lossy.drops == set()


def test_lost_answer_to_a_delete_is_no_error(rest: Any, lossy: Lossy) -> None:
    client, workspace = rest.client, rest.client.create_workspace("gone", "s", "g")["id"]
    client.register_datastore(workspace, "gone", "Custom")
    client.put_compute_target(workspace, "gone", "AmlCompute", {})
    experiment = client.ensure_experiment(workspace, "gone")["id"]
    for delete in (
        lambda: lossy.client.unregister_datastore(workspace, "gone"),
        lambda: lossy.client.delete_compute_target(workspace, "gone"),
        lambda: lossy.client.delete_experiment(experiment),
        lambda: lossy.client.delete_workspace(workspace),
    ):
        lossy.drops = {b"DELETE"}
        delete()
        assert lossy.drops == set()
        with pytest.raises(NotFound):
            delete()
    lossy.drops = {b"DELETE"}
    with pytest.raises(Refused):
        lossy.client.unregister_datastore(rest.workspace_id, "workspaceblobstore")


# One connection, many users


def test_half_read_answer_is_not_mixed_up(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    rest.write(run, "files/big", b"x" * 3_000_000)
    parts = rest.client._stream_file(run, "big")
    next(parts)
    assert rest.client.get_run(run)["id"] == run
    unread = rest.client._stream_file(run, "big")
    assert rest.client.get_run(run)["id"] == run
    del parts, unread


def test_threads_share_a_client(rest: Any) -> None:
    runs = [rest.client.create_run(rest.workspace_id, "e")["id"] for _ in range(8)]
    wrong: list[str] = []

    def read(run_id: str) -> None:
        wrong.extend(run_id for _ in range(30) if rest.client.get_run(run_id)["id"] != run_id)

    threads = [threading.Thread(target=read, args=(run_id,)) for run_id in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    gc.collect()


def test_forked_child_has_its_own_connection(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, str(rest.home.path), run], capture_output=True, text=True, timeout=60
    )
    assert (child.stdout.split(), child.stderr) == (["child", "parent"], "")


FORK = """
import os, sys
from pathlib import Path
from penstock.client.client import Client
from penstock.client.home import Home
client = Client(Home(Path(sys.argv[1])))
client.get_run(sys.argv[2])
if os.fork() == 0:
    assert client.get_run(sys.argv[2])["id"] == sys.argv[2]
    print("child", flush=True)
    os._exit(0)
assert os.wait()[1] == 0
assert client.get_run(sys.argv[2])["id"] == sys.argv[2]
print("parent")
"""


def test_client_imports_nothing_heavy(rest: Any) -> None:
    code = "import sys; from penstock.client import connect; connect().service_info(start=False); print(*sys.modules)"
    environment = {**os.environ, "PENSTOCK_HOME": str(rest.home.path)}
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert not {"asyncio", "http.client", "ssl", "email", "subprocess", "tempfile", "urllib.request", "dataclasses"} & set(loaded)


# The service as its own process


def test_one_client_for_a_home(home: Path) -> None:
    assert connect() is connect()
    assert connect().home.path == home


def test_killed_service_does_not_end_a_wait(home: Path) -> None:
    client = connect()
    workspace_id = client.default_workspace()["id"]
    run = client.create_run(workspace_id, "e")
    first = client.service_info()["pid"]
    seen = client.follow_run(run["id"])["last"]

    def kill_and_end() -> None:
        time.sleep(0.3)
        os.kill(first, 9)
        connect().set_run_status(run["id"], "Completed")

    other = threading.Thread(target=kill_and_end)
    other.start()
    news = client.follow_run(run["id"], after=seen, wait_seconds=20)
    other.join()
    if not news["events"]:  # the new service was asked before the run ended
        news = client.follow_run(run["id"], after=seen, wait_seconds=20)
    assert news["run"]["status"] == "Completed"
    assert client.service_info()["pid"] != first


def test_killed_service_does_not_submit_twice(home: Path, chain: Callable[[int], Any]) -> None:
    from penstock.model.graph import format_graph

    client = connect()
    workspace_id = client.default_workspace()["id"]
    submission = {"graph": format_graph(chain(0)), "request_id": str(uuid.uuid4())}
    first = client.submit_pipeline(workspace_id, "e", submission)
    os.kill(client.service_info()["pid"], 9)
    assert client.submit_pipeline(workspace_id, "e", submission)["run"]["id"] == first["run"]["id"]
    assert len(client.list_runs(workspace_id)) == 1


def test_waiting_client_is_let_go_when_the_service_stops(home: Path) -> None:
    client = connect()
    run = client.create_run(client.default_workspace()["id"], "e")
    timer = threading.Timer(1.0, connect().stop_service)
    timer.start()
    started = time.monotonic()
    client.follow_run(run["id"], after=10**6, wait_seconds=30)
    timer.join()
    assert time.monotonic() - started < 15
    with pytest.raises(NotFound):
        client.get_run("nobody")
