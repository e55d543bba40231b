"""A real service in this process that listens on loopback too, as MLflow's clients need it. Only the engine is missing."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn

from penstock.client.client import Client
from penstock.client.home import Home
from penstock.operations.context import Context
from penstock.operations.tokens import workspace_token
from penstock.persistence.database import Database
from penstock.service.app import create_app
from penstock.service.loopback import listen
from penstock.settings import Settings

BASE = "/api/2.0/mlflow/"


@dataclass
class Loopback:
    """A service with two doors, and a workspace of the test's own."""

    client: Client
    context: Context
    home: Home
    port: int
    workspace_id: str = ""
    stays: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """The address for MLflow."""
        return self.client.get_mlflow_address(self.workspace_id)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> tuple[int, Any]:
        """Send a request over loopback; return status and answer. A path that does not begin with '/' is below MLflow's own."""
        if not path.startswith("/"):
            path = f"/mlflow/{self.workspace_id}{BASE}{path}"
        if method == "GET" and isinstance(body, dict):
            path, body = f"{path}?{urlencode(body, doseq=True, errors='surrogatepass')}", None
        token = workspace_token(self.context, self.workspace_id) if token is None else token
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, data, {"Authorization": f"Bearer {token}", **headers})
            answer = connection.getresponse()
            read = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(read)
        except ValueError:
            return answer.status, read

    def get(self, route: str, **query: Any) -> Any:
        """Return the answer to a GET that must go well."""
        status, answer = self.ask("GET", route, query)
        assert status == 200, answer
        return answer

    def post(self, route: str, method: str = "POST", **body: Any) -> Any:
        """Return the answer to a POST that must go well."""
        status, answer = self.ask(method, route, body)
        assert status == 200, answer
        return answer

    def make_run(self, experiment: str = "exp", **more: Any) -> str:
        """Make a run as MLflow does; return its id."""
        client_run = self.client.create_run(self.workspace_id, experiment, **more)
        return str(client_run["id"])

    def artifacts(self, path: str) -> str:
        """Return the path of artifacts, for `ask`."""
        return f"/mlflow/{self.workspace_id}/api/2.0/mlflow-artifacts/artifacts{path}"


@pytest.fixture(scope="module")
def loopback_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    context = Context(Database(home.database), home, Settings(snapshot_bytes=1_000_000))
    stays: list[str] = []
    app = create_app(context, info=lambda: {"version": "test", "pid": 0}, stop=lambda: None, touch=lambda: None, stay=stays.append)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(str(home.socket))
    unix.listen(64)
    tcp = listen(home)
    assert tcp is not None
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([unix, tcp])))
    thread.start()
    yield Loopback(Client(home), context, home, int(Path(home.port).read_text()), stays=stays)
    server.should_exit = True
    thread.join(10)
    unix.close()
    tcp.close()
    context.database.close()


@pytest.fixture
def door(loopback_service: Loopback, request: pytest.FixtureRequest) -> Loopback:
    """The service, with a workspace of the test's own."""
    name = f"ws-{abs(hash(request.node.nodeid))}"
    loopback_service.workspace_id = loopback_service.client.create_workspace(name, "sub", "group")["id"]
    return loopback_service
