"""A real service in this process: the real application, a real socket, real SQLite. Only the engine is missing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.parts.described import Described

from penstock.client.client import Client
from penstock.client.home import Home
from penstock.model.graph import Argument, InputPort, OutputPort, Parameter, PipelineGraph, PortRef, StepNode, format_graph
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.service.app import create_app
from penstock.service.bulletin import Bulletin
from penstock.settings import Settings


@dataclass
class Rest:
    """A service that answers, and what its tests need to look behind it."""

    client: Client
    context: Context
    home: Home
    workspace_id: str = ""
    touched: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    def submit(self, graph: PipelineGraph, experiment: str = "work", **more: Any) -> dict[str, Any]:
        """Submit a graph; return the answer."""
        return self.client.submit_pipeline(self.workspace_id, experiment, {"graph": format_graph(graph), **more})

    def write(self, run_id: str, name: str, data: bytes) -> Path:
        """Write a file into a run's folder, as its step would."""
        path = self.home.run_folder(run_id) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def execute(self, sql: str, *values: Any) -> None:
        """Change rows as the engine would."""
        with self.context.change() as change:
            change.rows.execute(sql, values)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    bulletin = Bulletin()
    context = Context(Database(home.database), home, Settings(snapshot_bytes=1_000_000), announce=bulletin.announce)
    rest = Rest(Client(home), context, home)
    app = Described(
        create_app(
            context,
            info=lambda: {"version": "test", "pid": 0, "limits": {"snapshot_bytes": 1_000_000, "snapshot_files": 100}},
            stop=lambda: rest.stopped.append(1),
            touch=lambda: rest.touched.append(1),
            bulletin=bulletin,
        )
    )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(home.socket))
    listener.listen(64)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=75, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield rest
    server.should_exit = True
    thread.join(10)
    listener.close()
    context.database.close()
    assert not app.faults, "\n".join(app.faults)


@pytest.fixture
def rest(service: Rest, request: pytest.FixtureRequest) -> Rest:
    """The service, with a workspace of the test's own."""
    service.workspace_id = service.client.create_workspace(f"ws-{abs(hash(request.node.nodeid))}", "sub", "group")["id"]
    return service


@pytest.fixture
def chain() -> Callable[[int], PipelineGraph]:
    """Graphs of n steps, each of which needs the one before; the last has an output with a name."""
    return make_chain


def make_chain(count: int, **more: Any) -> PipelineGraph:
    return PipelineGraph("chain", tuple(_step(number, number == count - 1) for number in range(count)), **more)


def _step(number: int, is_last: bool) -> StepNode:
    before = (InputPort("before", PortRef(f"node{number - 1}", "result")),) if number else ()
    return StepNode(
        id=f"node{number}",
        name=f"step {number}",
        script="step.py",
        inputs=before,
        outputs=(OutputPort("result", "workspaceblobstore", pipeline_output_name="final" if is_last else None),),
        arguments=(Argument("literal", "--out"), Argument("output", "result")),
    )


@pytest.fixture
def parameters() -> tuple[Parameter, ...]:
    return (Parameter("rate", "float", 0.1), Parameter("rounds", "int", 3), Parameter("deep", "bool", True), Parameter("label", "str", "x"))
