"""From a ready step to the order that runs it: its inputs found, its reuse key computed, its command written down."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.compile import fingerprints
from penstock.engine import step_environment
from penstock.engine.executors import Output, StepOrder
from penstock.engine.inputs import Digests, Source, download_target, output_path, resolve_data
from penstock.model.errors import Invalid, NotFound
from penstock.model.graph import INPUT, LITERAL, OUTPUT, PARAMETER, DataNode, InputPort, StepNode, parse_graph
from penstock.operations.context import Context
from penstock.persistence.database import Row
from penstock.storage.paths import safe_join

_GRAPHS_KEPT = 32


@dataclass(frozen=True)
class Pipeline:
    """What all steps of one pipeline run share."""

    steps: Mapping[str, StepNode]
    data: Mapping[str, DataNode]
    parameters: Mapping[str, Any]
    interpreter: str
    regenerate_outputs: bool
    run: Row
    workspace: Row
    experiment: Row


@dataclass(frozen=True)
class ReadyStep:
    """A step that may be decided on: everything it depends on is known."""

    row: Row
    node: StepNode
    pipeline: Pipeline
    sources: Mapping[str, Source]
    components: dict[str, Any]
    key: str


class StepReader:
    """Reads what the rows say of a step, and what is on disk for it."""

    def __init__(self, context: Context, library: str) -> None:
        self._context = context
        self._library = library
        self._digests = Digests(context)
        self._pipelines: OrderedDict[str, Pipeline] = OrderedDict()
        self._lock = threading.Lock()

    # Ready

    def read(self, row: Row, check: Callable[[], None] = lambda: None) -> ReadyStep:
        """Return a queued step with its inputs' content and its reuse key. `check` is called now and then, and may raise to end it.

        Raises:
            PenstockError: It can't run; the message says what is missing and where.
        """
        pipeline = self.pipeline(row["pipeline_run_id"])
        node = pipeline.steps[row["node_id"]]
        sources = {port.name: self._source(port, pipeline, row, check) for port in node.inputs}
        contents = {name: source.digest for name, source in sources.items()}
        parts = fingerprints.components(
            node, pipeline.parameters, contents, describe_interpreter(pipeline.interpreter), _node_count(node, pipeline)
        )
        return ReadyStep(row, node, pipeline, sources, parts, fingerprints.reuse_key(parts))

    def reads_data(self, row: Row) -> bool:
        """Tell whether reading this step means to read files, which may take long."""
        pipeline = self.pipeline(row["pipeline_run_id"])
        return any(port.source.node_id in pipeline.data for port in pipeline.steps[row["node_id"]].inputs)

    def pipeline(self, run_id: str) -> Pipeline:
        """Return what the steps of a pipeline run share; the last few are kept in memory. Threads may call it."""
        with self._lock:
            if run_id in self._pipelines:
                self._pipelines.move_to_end(run_id)
            else:
                self._pipelines[run_id] = self._read_pipeline(run_id)
                while len(self._pipelines) > _GRAPHS_KEPT:
                    self._pipelines.popitem(last=False)
            return self._pipelines[run_id]

    def _read_pipeline(self, run_id: str) -> Pipeline:
        database = self._context.database
        about = database.first("select * from pipeline_runs p join graphs g on g.id = p.graph_id where p.run_id = ?", [run_id])
        run = database.first("select * from runs where id = ?", [run_id])
        assert about is not None
        assert run is not None
        workspace = database.first("select * from workspaces where id = ?", [run["workspace_id"]])
        experiment = database.first("select * from experiments where id = ?", [run["experiment_id"]])
        assert workspace is not None
        assert experiment is not None
        graph = parse_graph(json.loads(about["document"]))
        return Pipeline(
            steps={step.id: step for step in graph.steps},
            data={node.id: node for node in graph.data},
            parameters=json.loads(about["parameters"]),
            interpreter=about["interpreter"] or sys.executable,
            regenerate_outputs=bool(about["regenerate_outputs"]),
            run=run,
            workspace=workspace,
            experiment=experiment,
        )

    def roots(self, workspace_id: str) -> dict[str, str]:
        """Return the local folder of each datastore of a workspace that has one."""
        rows = self._context.database.all("select name, root from datastores where workspace_id = ? and root is not null", [workspace_id])
        return {row["name"]: row["root"] for row in rows}

    def _source(self, port: InputPort, pipeline: Pipeline, row: Row, check: Callable[[], None]) -> Source:
        roots = self.roots(row["workspace_id"])
        data = pipeline.data.get(port.source.node_id)
        if data is not None:
            datastore, path, place = resolve_data(data, pipeline.parameters, roots)
            return Source(datastore, path, place, self._digests.of(place, check))
        return self._upstream(port, row, roots)

    def _upstream(self, port: InputPort, row: Row, roots: Mapping[str, str]) -> Source:
        producer = self._context.database.first(
            "select outputs from step_runs where pipeline_run_id = ? and node_id = ?", [row["pipeline_run_id"], port.source.node_id]
        )
        outputs = json.loads(producer["outputs"]) if producer else []
        node = self.pipeline(row["pipeline_run_id"]).steps[port.source.node_id]
        # By position: a reused result carries its own run's names, which may be random.
        place = next((index for index, output in enumerate(node.outputs) if output.name == port.source.port), None)
        if place is None or place >= len(outputs):
            raise NotFound(f"Input '{port.name}' needs the output '{port.source.port}' of step '{node.name}', which has none of that name.")
        found = outputs[place]
        if found["datastore"] not in roots:
            raise NotFound.named("datastore with a folder on this machine", found["datastore"], roots)
        return Source(found["datastore"], found["path"], str(safe_join(Path(roots[found["datastore"]]), found["path"])), found["digest"])

    # Order

    def order(self, step: ReadyStep, attempt: int) -> StepOrder:
        """Return the order for an attempt of this step."""
        node, run_id = step.node, step.row["id"]
        roots = self.roots(step.row["workspace_id"])
        outputs = [self._output(port, run_id, roots) for port in node.outputs]
        work = str(self._context.home.run_folder(run_id) / "work")
        inputs, copies, links = _deliver(node, step.sources, work)
        paths = {**{output.name: output.path for output in outputs}, **inputs}
        for output in outputs:
            if output.upload_from:
                paths[output.name] = os.path.join(work, output.upload_from)
        parameters = {name: str(value) for name, value in _parameters(node, step.pipeline.parameters).items()}
        environment = self._environment(step, paths, parameters)
        return StepOrder(
            step_run_id=run_id,
            attempt=attempt,
            interpreter=step.pipeline.interpreter,
            script=node.script or "",
            arguments=tuple(
                expand(argument.value, environment)
                if argument.kind == LITERAL
                else _argument(argument.kind, argument.value, inputs, paths, parameters)
                for argument in node.arguments
            ),
            environment=environment,
            files=self._files(node),
            folders=tuple(dict.fromkeys(os.path.dirname(output.path) for output in outputs)),
            copies=copies,
            links=links,
            outputs=tuple(outputs),
        )

    def _output(self, port: Any, run_id: str, roots: Mapping[str, str]) -> Output:
        if port.datastore not in roots:
            raise NotFound.named("datastore with a folder on this machine", port.datastore, roots)
        place = str(safe_join(Path(roots[port.datastore]), output_path(port, run_id)))
        return Output(port.name, place, (port.path_on_compute or port.name) if port.mode == "upload" else "")

    def _files(self, node: StepNode) -> tuple[tuple[str, str, bool], ...]:
        row = self._context.database.first("select manifest from snapshots where digest = ?", [node.snapshot])
        if row is None:
            raise NotFound(f"The snapshot {node.snapshot} of step '{node.name}' is not in this home folder.")
        files = tuple((entry[0], entry[2], bool(entry[3])) for entry in json.loads(row["manifest"]))
        if node.script not in {path for path, _, _ in files}:
            raise NotFound.named(
                "script", node.script or "", [path for path, _, _ in files], where=f"the source directory of step '{node.name}'"
            )
        return files

    def _environment(self, step: ReadyStep, paths: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
        pipeline = step.pipeline
        row = self._context.database.first("select * from runs where id = ?", [step.row["id"]])
        assert row is not None
        environment = {
            **step_environment.inherited(pipeline.interpreter),
            **step_environment.values(paths, parameters),
            **step_environment.settings_of(step.node, _node_count(step.node, pipeline)),
            **step_environment.identity(self._context.home, row, pipeline.workspace, pipeline.experiment),
        }
        return step_environment.with_library(environment, self._library)


def _parameters(node: StepNode, values: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: values[item.pipeline_parameter] if item.pipeline_parameter else item.value for item in node.parameters}


def _node_count(node: StepNode, pipeline: Pipeline) -> Any:
    name = node.run_config_parameters.get("NodeCount")
    return pipeline.parameters.get(name) if name else None


def _argument(kind: str, value: str, inputs: Mapping[str, str], paths: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    if kind == INPUT:
        return inputs[value]
    if kind == OUTPUT:
        return paths[value]
    return parameters[value] if kind == PARAMETER else value


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Return a text with `$NAME` and `${NAME}` replaced by the step's variables; unknown names stay as they are."""
    return _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], found[0]), text)


_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


Pairs = tuple[tuple[str, str], ...]


def _deliver(node: StepNode, sources: Mapping[str, Source], work: str) -> tuple[dict[str, str], Pairs, Pairs]:
    """Return where the script finds each input, what must be copied and what must be linked into the working directory."""
    paths: dict[str, str] = {}
    copies: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for port in node.inputs:
        source = sources[port.name]
        wanted = download_target(port, source) if port.mode == "download" else port.path_on_compute
        if not wanted:
            paths[port.name] = source.place
            continue
        paths[port.name] = os.path.join(work, wanted)
        if not os.path.isabs(wanted):
            safe_join(Path(work), wanted)  # refuses to leave the working directory
        (copies if port.mode == "download" else links).append((source.place, wanted))
    return paths, tuple(copies), tuple(links)


@functools.lru_cache(maxsize=64)
def _ask_interpreter(path: str, modified: float) -> str:
    code = "import sys; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3])"
    done = subprocess.run([path, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Invalid(f"The interpreter {path} does not run: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


def describe_interpreter(path: str) -> str:
    """Return name and version of an interpreter, such as 'cpython 3.11.7'.

    Raises:
        NotFound: It is gone.
        Invalid: It does not run.
    """
    try:
        return _ask_interpreter(path, os.stat(path).st_mtime)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise NotFound(
            f"The interpreter {path} that submitted this run is gone ({error.strerror}). Submit again from an environment that is there."
        ) from error
