"""A pipeline as a plain graph: steps, data, parameters, and how they hang together.

The facade builds these values from v1 objects, `format_graph` writes the JSON document that travels and is stored, and
`parse_graph` reads it back. They are frozen; a change is a new value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from penstock.model.errors import Invalid

FORMAT = 1

LITERAL = "literal"
PARAMETER = "parameter"
INPUT = "input"
OUTPUT = "output"

LOCAL = "local"  # the compute target that every workspace has: this machine
LINE = ("/bin/sh", "-c")  # how a command begins that is one line for the shell

PARAMETER_KINDS = ("int", "float", "bool", "str", "datapath", "dataset")

Scalar = Union[str, int, float, bool]


@dataclass(frozen=True)
class Argument:
    """One element of a step's argument list.

    `kind` is literal (`value` is the text), parameter (`value` names one of the step's parameters), input or output
    (`value` names one of the step's ports; the script receives the path).
    """

    kind: str
    value: str


@dataclass(frozen=True)
class PortRef:
    """A port of another node: where an edge begins. A data node has one port, `data`."""

    node_id: str
    port: str


@dataclass(frozen=True)
class InputPort:
    """Where data enters a step. `mode` is mount, download or direct; `path_on_compute` may be relative to the working directory.

    `dataset` is set where the script consumes a dataset (v1's DatasetConsumptionConfig) and not a bare path. Of a data node it is {}.
    Of another step's output it says what that output is read as: {"parsing": document or absent, "partition_format": text or absent,
    "operations": [documents]}; see penstock.model.datasets. Direct mode hands over the id of that dataset and needs it.
    """

    name: str
    source: PortRef
    mode: str = "mount"
    path_on_compute: Optional[str] = None
    overwrite: Optional[bool] = None
    dataset: Optional[Mapping[str, Any]] = None


@dataclass(frozen=True)
class Registration:
    """Under which name the dataset over an output is registered when the step ends well."""

    name: str
    description: Optional[str] = None
    tags: Mapping[str, str] = field(default_factory=dict)
    create_new_version: bool = True


@dataclass(frozen=True)
class OutputPort:
    """Where data leaves a step. `mode` is mount, upload (the script writes to `path_on_compute`, the bytes travel at the end), or link
    (the script names a dataset that exists).

    A plain output (v1's PipelineData) lies at `azureml/<step run id>/<name>`, and its path does not exist when the script starts. One with
    a `destination` (v1's OutputFileDatasetConfig) lies where that template says - `{run-id}` and `{output-name}` are replaced - and is a
    folder that exists. `dataset` is set where a dataset is made over what was written; its members are those of `InputPort.dataset`.
    """

    name: str
    datastore: str
    mode: str = "mount"
    path_on_compute: Optional[str] = None
    overwrite: Optional[bool] = None
    is_directory: Optional[bool] = None
    data_type: Optional[str] = None
    pipeline_output_name: Optional[str] = None
    destination: Optional[str] = None
    source_globs: Tuple[str, ...] = ()  # upload: only these, below the folder
    dataset: Optional[Mapping[str, Any]] = None
    registration: Optional[Registration] = None


@dataclass(frozen=True)
class StepParameter:
    """A value that the script sees as AML_PARAMETER_<name>: a fixed `value`, or that of a pipeline parameter."""

    name: str
    value: Optional[Scalar] = None
    pipeline_parameter: Optional[str] = None


@dataclass(frozen=True)
class ComputeRef:
    """The compute target of a step by name; `type` is None where the script gave only a name."""

    name: str
    type: Optional[str] = None


@dataclass(frozen=True)
class StepNode:
    """A step's place in the graph."""

    id: str
    name: str
    step_type: str = "PythonScriptStep"
    script: Optional[str] = None
    command: Tuple[str, ...] = ()  # instead of a script: a program and its arguments; `LINE` and a text: a line for the shell
    snapshot: Optional[str] = None  # digest of the source folder's manifest
    arguments: Tuple[Argument, ...] = ()
    parameters: Tuple[StepParameter, ...] = ()
    inputs: Tuple[InputPort, ...] = ()
    outputs: Tuple[OutputPort, ...] = ()
    run_after: Tuple[str, ...] = ()
    compute: Optional[ComputeRef] = None
    run_config: Mapping[str, Any] = field(default_factory=dict)  # v1's run configuration, camelCase, environment inlined
    run_config_parameters: Mapping[str, str] = field(default_factory=dict)  # NodeCount, ... -> pipeline parameter
    allow_reuse: bool = True
    version: Optional[str] = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # what the step's type has beside a script, under v1's names
    module: Mapping[str, str] = field(default_factory=dict)  # of a registered module: its id, its version and version_id

    def predecessors(self) -> Tuple[str, ...]:
        """Return the ids of the nodes that come first: producers and `run_after`, each once, in order."""
        return tuple(dict.fromkeys([port.source.node_id for port in self.inputs] + list(self.run_after)))


@dataclass(frozen=True)
class DataNode:
    """Data that exists before the run: a path on a datastore, or a dataset. `parameter` names the parameter whose value replaces it.

    `dataset` is {"id": of a saved dataset}; {"id", "name", "version"} of one that was taken by that name and version, which lineage then
    tells; or {"name", "version"}, with None as version for the latest when the step starts.
    """

    id: str
    name: str
    datastore: str = ""
    path: str = ""
    parameter: Optional[str] = None
    dataset: Optional[Mapping[str, Any]] = None


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter. A datapath's value is {"datastore": name, "path": path}, a dataset's {"id": of a saved dataset, "type":
    "file" or "tabular"}; all others are scalars."""

    name: str
    kind: str
    default: Any = None


@dataclass(frozen=True)
class PipelineGraph:
    """A whole pipeline."""

    name: Optional[str] = None
    steps: Tuple[StepNode, ...] = ()
    data: Tuple[DataNode, ...] = ()
    parameters: Tuple[Parameter, ...] = ()

    def step(self, node_id: str) -> StepNode:
        """Return the step with this node id; KeyError when there is none."""
        for node in self.steps:
            if node.id == node_id:
                return node
        raise KeyError(node_id)


def format_graph(graph: PipelineGraph) -> Dict[str, Any]:
    """Return the JSON document of a graph. Members that hold their default are left out."""
    document = _format(graph)
    assert isinstance(document, dict)
    return {"format": FORMAT, **document}


def _format(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        shown = {}
        for name, about in value.__dataclass_fields__.items():
            item = getattr(value, name)
            if item is None or item == () or item == about.default or (item == {} and about.default is not None):
                continue
            shown[name] = _format(item)
        return shown
    if isinstance(value, tuple):
        return [_format(item) for item in value]
    return value


def parse_graph(document: Mapping[str, Any]) -> PipelineGraph:
    """Return the graph that a document describes.

    Raises:
        Invalid: The document is not one that `format_graph` writes.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise Invalid(f"This graph has format {_get(document, 'format')!r}; this version of Penstock reads format {FORMAT}.")
    try:
        return PipelineGraph(
            name=document.get("name"),
            steps=tuple(_parse_step(item) for item in document.get("steps", ())),
            data=tuple(DataNode(**item) for item in document.get("data", ())),
            parameters=tuple(Parameter(**item) for item in document.get("parameters", ())),
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise Invalid(f"This is not a graph document: {error}.") from error


def _get(document: Any, key: str) -> Any:
    return document.get(key) if isinstance(document, Mapping) else None


def _parse_step(item: Mapping[str, Any]) -> StepNode:
    compute = item.get("compute")
    return StepNode(
        **{
            **item,
            "arguments": tuple(Argument(**argument) for argument in item.get("arguments", ())),
            "command": _texts(item, "command"),
            "parameters": tuple(StepParameter(**parameter) for parameter in item.get("parameters", ())),
            "inputs": tuple(_parse_input(port) for port in item.get("inputs", ())),
            "outputs": tuple(_parse_output(port) for port in item.get("outputs", ())),
            "run_after": _texts(item, "run_after"),
            "compute": ComputeRef(**compute) if compute else None,
        }
    )


def _texts(item: Mapping[str, Any], name: str) -> Tuple[str, ...]:
    """A list of the document as a tuple; a text is no list of its letters."""
    value = item.get(name, ())
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"'{name}' must be a list, not {type(value).__name__}")
    return tuple(value)


def _parse_input(item: Mapping[str, Any]) -> InputPort:
    return InputPort(**{**item, "source": PortRef(**item["source"])})


def _parse_output(item: Mapping[str, Any]) -> OutputPort:
    registration = item.get("registration")
    return OutputPort(
        **{
            **item,
            "source_globs": _texts(item, "source_globs"),
            "registration": Registration(**registration) if registration else None,
        }
    )


def variable_name(name: str) -> str:
    """Return `name` as v1 spells it in an environment variable: `~` and every non-word character become `_`."""
    return "".join(letter if letter == "_" or letter.isalnum() else "_" for letter in name)
