"""From a ready step to the order that runs it: its inputs found, its reuse key computed, its command written down."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.compile import fingerprints
from penstock.engine import step_environment
from penstock.engine.aside import Check
from penstock.engine.delivery import Delivery, deliver
from penstock.engine.environments import Choice
from penstock.engine.executors import Output, StepOrder
from penstock.engine.executors.attempts import INPUTS
from penstock.engine.in_containers import put_in_container
from penstock.engine.inputs import Inputs, Source
from penstock.engine.places import find_place, is_shared
from penstock.engine.preparing import Choices, Place
from penstock.model.errors import NotFound, PenstockError, Unsupported
from penstock.model.graph import INPUT, LINE, LITERAL, OUTPUT, PARAMETER, Argument, DataNode, InputPort, OutputPort, StepNode, parse_graph
from penstock.model.steps import SCRIPT_STEP, find_obstacle
from penstock.operations import reuse
from penstock.operations.context import Context
from penstock.operations.datastores import store_of
from penstock.operations.manifests import LOOK_ONLY
from penstock.operations.mlflow.addresses import step_variables
from penstock.operations.reuse import Earlier
from penstock.persistence.database import Row

_GRAPHS_KEPT = 32
READ_AT_ONCE = 16 << 20  # bytes of an input: so much is read before it is known whether that is of use


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
    """A step that may be decided on: everything it depends on is known, or need not be known yet.

    Without a key, no earlier result can be its own; its key follows when its inputs were read.
    """

    row: Row
    node: StepNode
    pipeline: Pipeline
    sources: Mapping[str, Source]
    choice: Choice  # of the Python it runs on
    components: dict[str, Any]
    key: str | None
    earlier: Earlier | None  # None also where an earlier result may not be used

    def unread(self) -> dict[str, str]:
        """Return the inputs whose content is not known yet and shall be, each with what its files look like."""
        if self.node.step_type == SCRIPT_STEP:
            return {}
        return {name: source.unread.facts for name, source in self.sources.items() if source.unread}


class StepReader:
    """Reads what the rows say of a step, and what is in the datastores for it."""

    def __init__(self, context: Context, library: str) -> None:
        self._context = context
        self._library = library
        self._inputs = Inputs(context)
        self.choices = Choices(context)
        self._pipelines: OrderedDict[str, Pipeline] = OrderedDict()
        self._lock = threading.Lock()

    # Ready

    def read(self, row: Row, check: Check = lambda: None) -> ReadyStep:
        """Return a queued step with its inputs' content, its reuse key and what became of an earlier result.

        Large inputs are read only where that may lead to an earlier result. `check` is called now and then, and may raise to end it.

        Raises:
            PenstockError: It can't run; the message says what is missing and where.
        """
        pipeline = self.pipeline(row["pipeline_run_id"])
        node = pipeline.steps[row["node_id"]]
        obstacle = find_obstacle(node, pipeline.parameters)
        if obstacle:
            raise Unsupported(obstacle)
        if node.step_type == SCRIPT_STEP:  # it has no key, so nothing need be read before it runs
            choice = self.choices.of_step(node, row["pipeline_run_id"], pipeline.interpreter)
            return ReadyStep(row, node, pipeline, self._sources(row, node, pipeline, LOOK_ONLY, check), choice, {}, None, None)
        may_reuse = node.allow_reuse and not pipeline.regenerate_outputs
        sources = self._sources(row, node, pipeline, READ_AT_ONCE, check)
        if may_reuse and self._may_be_known(row, node, sources):
            sources = self._sources(row, node, pipeline, None, check)
        step = self._with_key(row, node, pipeline, sources)
        if not may_reuse or step.key is None:
            return step
        return replace(step, earlier=reuse.find_earlier(self._context, row["workspace_id"], step.key, check))

    def read_whole(self, row: Row, check: Check) -> ReadyStep:
        """Return a step with all of its content, whatever its size, and without looking for an earlier result."""
        pipeline = self.pipeline(row["pipeline_run_id"])
        node = pipeline.steps[row["node_id"]]
        return self._with_key(row, node, pipeline, self._sources(row, node, pipeline, None, check))

    def look(self, row: Row, check: Check) -> dict[str, str]:
        """Return for each input on this machine what its files look like now; nothing is read."""
        pipeline = self.pipeline(row["pipeline_run_id"])
        sources = self._sources(row, pipeline.steps[row["node_id"]], pipeline, LOOK_ONLY, check)
        return {name: source.unread.facts for name, source in sources.items() if source.unread}

    def _sources(self, row: Row, node: StepNode, pipeline: Pipeline, most_bytes: int | None, check: Check) -> dict[str, Source]:
        return {port.name: self._source(port, pipeline, row, most_bytes, check) for port in node.inputs}

    def _may_be_known(self, row: Row, node: StepNode, sources: Mapping[str, Source]) -> bool:
        """Tell whether all inputs that were not read look as if a step of this name had read them before."""
        unread = [(place, source.unread) for place, source in enumerate(sources[port.name] for port in node.inputs) if source.unread]
        return bool(unread) and all(
            reuse.may_match(self._context, row["workspace_id"], row["name"], place, files.shape) for place, files in unread
        )

    def _with_key(self, row: Row, node: StepNode, pipeline: Pipeline, sources: Mapping[str, Source]) -> ReadyStep:
        contents = {name: source.content for name, source in sources.items()}
        choice = self.choices.of_step(node, row["pipeline_run_id"], pipeline.interpreter)
        parts = fingerprints.components(node, pipeline.parameters, contents, choice.place, _node_count(node, pipeline), choice.key)
        if choice.image:
            parts["environment"]["container"] = fingerprints.digest(choice.image.arguments)
        key = None if any(source.unread for source in sources.values()) else fingerprints.reuse_key(parts)
        return ReadyStep(row, node, pipeline, sources, choice, parts, key, None)

    def takes_time(self, row: Row) -> bool:
        """Tell whether reading this step means to read files, to ask a datastore on another machine, or to look for interpreters."""
        pipeline = self.pipeline(row["pipeline_run_id"])
        node = pipeline.steps[row["node_id"]]
        if self.choices.takes_time(node, row["pipeline_run_id"], pipeline.interpreter):
            return True
        if any(port.source.node_id in pipeline.data or _reads_now(_producing_port(port, pipeline)) for port in node.inputs):
            return True
        return any(is_shared(port) or not self._is_local(row["workspace_id"], port) for port in node.outputs if port.mode != "link")

    def _is_local(self, workspace_id: str, port: OutputPort) -> bool:
        try:
            return store_of(self._context, workspace_id, port.datastore).is_local
        except PenstockError:  # reading says it
            return True

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

    def _source(self, port: InputPort, pipeline: Pipeline, row: Row, most_bytes: int | None, check: Check) -> Source:
        data = pipeline.data.get(port.source.node_id)
        if data is not None:
            return self._inputs.read_node(data, port, pipeline.parameters, row["workspace_id"], most_bytes, check)
        output = self._upstream(port, pipeline, row)
        return self._inputs.read_output(output, port, row["workspace_id"], _reads_now(_producing_port(port, pipeline)), check)

    def _upstream(self, port: InputPort, pipeline: Pipeline, row: Row) -> dict[str, Any]:
        """Return what an earlier step left for an input."""
        producer = self._context.database.first(
            "select outputs from step_runs where pipeline_run_id = ? and node_id = ?", [row["pipeline_run_id"], port.source.node_id]
        )
        outputs: list[dict[str, Any]] = json.loads(producer["outputs"]) if producer else []
        node = pipeline.steps[port.source.node_id]
        # By position: a reused result carries its own run's names, which may be random.
        place = next((index for index, output in enumerate(node.outputs) if output.name == port.source.port), None)
        if place is None or place >= len(outputs):
            raise NotFound(f"Input '{port.name}' needs the output '{port.source.port}' of step '{node.name}', which has none of that name.")
        if node.outputs[place].mode == "link" and not outputs[place]["is_published"]:
            raise NotFound(
                f"Input '{port.name}' needs the output '{port.source.port}' of step '{node.name}', whose script linked no dataset to it: "
                f"run.output_datasets['{port.source.port}'].link(dataset) does."
            )
        return outputs[place]

    # Order

    def order(self, step: ReadyStep, attempt: int, place: Place) -> StepOrder:
        """Return the order for an attempt of this step, on the interpreter of its place."""
        node, run_id = step.node, step.row["id"]
        folder = str(self._context.home.run_folder(run_id))
        work = os.path.join(folder, "work")
        delivery = deliver(node, step.sources, work, os.path.join(folder, INPUTS))
        outputs = {port.name: self._output(port, step.row) for port in node.outputs if port.mode != "link"}
        seen = {name: os.path.join(work, output.upload_from) if output.upload_from else output.path for name, output in outputs.items()}
        paths = {**seen, **delivery.paths}
        parameters = {name: str(value) for name, value in _parameters(node, step.pipeline.parameters).items()}
        environment = self._environment(step, place, delivery, seen, parameters)
        order = StepOrder(
            step_run_id=run_id,
            attempt=attempt,
            interpreter=place.interpreter,
            script=node.script or "",
            arguments=tuple(_argument(argument, delivery.paths, paths, parameters, environment) for argument in node.arguments),
            command=expand_command(node.command, environment, paths, is_in_container=step.choice.image is not None),
            environment=environment,
            files=self._files(node),
            folders=(*_output_folders(node, outputs, seen), *delivery.folders),
            copies=tuple(delivery.copies),
            links=tuple(delivery.links),
            cached=tuple(delivery.cached),
            outputs=tuple(outputs.values()),
        )
        if step.choice.image is None:
            return order
        context = self._context
        return put_in_container(order, step.choice, delivery.paths.values(), context.home, self._library, context.settings)

    def _output(self, port: OutputPort, row: Row) -> Output:
        place = find_place(self._context, row["workspace_id"], row["id"], port)
        if port.destination is not None:
            return Output(port.name, place.writing, port.path_on_compute or "", port.source_globs)
        return Output(port.name, place.writing, (port.path_on_compute or port.name) if port.mode == "upload" else "")

    def _files(self, node: StepNode) -> tuple[tuple[str, str, bool], ...]:
        row = self._context.database.first("select manifest from snapshots where digest = ?", [node.snapshot])
        if row is None:
            raise NotFound(f"The snapshot {node.snapshot} of step '{node.name}' is not in this home folder.")
        files = tuple((entry[0], entry[2], bool(entry[3])) for entry in json.loads(row["manifest"]))
        if node.script and node.script not in {path for path, _, _ in files}:
            raise NotFound.named(
                "script", node.script or "", [path for path, _, _ in files], where=f"the source directory of step '{node.name}'"
            )
        return files

    def _environment(
        self, step: ReadyStep, place: Place, delivery: Delivery, outputs: Mapping[str, str], parameters: Mapping[str, str]
    ) -> dict[str, str]:
        pipeline = step.pipeline
        row = self._context.database.first("select * from runs where id = ?", [step.row["id"]])
        assert row is not None
        environment = {
            **(step_environment.inherited(place.interpreter) if step.choice.image is None else step_environment.of_containers()),
            **place.variables,
            **step_environment.values({**outputs, **delivery.paths}, parameters),
            **step_environment.datasets(step.node, delivery.paths, outputs, delivery.written),
            **step_variables(self._context.home, row, pipeline.experiment),
            **step_environment.settings_of(step.node, _node_count(step.node, pipeline)),
            **step_environment.identity(self._context.home, row, pipeline.workspace, pipeline.experiment),
        }
        return step_environment.with_library(step_environment.directly(environment), self._library)


def _parameters(node: StepNode, values: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: values[item.pipeline_parameter] if item.pipeline_parameter else item.value for item in node.parameters}


def _node_count(node: StepNode, pipeline: Pipeline) -> Any:
    name = node.run_config_parameters.get("NodeCount")
    return pipeline.parameters.get(name) if name else None


def _producing_port(port: InputPort, pipeline: Pipeline) -> OutputPort | None:
    """Return the output of an earlier step that an input reads, or None where it reads other data."""
    node = pipeline.steps.get(port.source.node_id)
    return next((output for output in node.outputs if output.name == port.source.port), None) if node else None


def _reads_now(port: OutputPort | None) -> bool:
    """Tell whether what lies in an output's place now must be looked at: it need not be what its step left."""
    return port is not None and (port.mode == "link" or is_shared(port))


def _output_folders(node: StepNode, outputs: Mapping[str, Output], seen: Mapping[str, str]) -> list[str]:
    """Return the folders that exist when the script begins: those of dataset outputs, and above the others, as in v1."""
    folders = []
    for port in node.outputs:
        if port.name in outputs:
            place = outputs[port.name].path
            folders += [place, seen[port.name]] if port.destination is not None else [os.path.dirname(place)]
    return list(dict.fromkeys(folders))


def _argument(
    argument: Argument, inputs: Mapping[str, str], paths: Mapping[str, str], parameters: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    if argument.kind == LITERAL:
        return expand(argument.value, environment, paths)
    if argument.kind == INPUT:
        return inputs[argument.value]
    if argument.kind == OUTPUT:
        return paths.get(argument.value, "")  # a link has no path
    return parameters[argument.value] if argument.kind == PARAMETER else argument.value


def expand_command(
    command: tuple[str, ...], environment: Mapping[str, str], paths: Mapping[str, str], is_in_container: bool = False
) -> tuple[str, ...]:
    """Return a command with what its placeholders stand for. Variables in a line are left to the shell, bash where one is known of."""
    if command[: len(LINE)] != LINE:
        return tuple(expand(item, environment, paths) for item in command)
    shell = None if is_in_container else shutil.which("bash")
    return (shell or LINE[0], *LINE[1:], *(_PLACEHOLDER.sub(lambda found: _quoted(paths, found), text) for text in command[len(LINE) :]))


def _quoted(paths: Mapping[str, str], found: re.Match[str]) -> str:
    return shlex.quote(paths[found[1]]) if found[1] in paths else found[0]


def expand(text: str, environment: Mapping[str, str], paths: Mapping[str, str]) -> str:
    """Return a text with `$NAME` and `${NAME}` replaced by the step's variables, and v1's placeholders by the paths of its ports.

    Unknown names stay as they are.
    """
    text = _PLACEHOLDER.sub(lambda found: paths.get(found[1], found[0]), text)
    return _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], found[0]), text)


_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_PLACEHOLDER = re.compile(r"Dataset(?:Consumption|Output)Config:(\w+)")
