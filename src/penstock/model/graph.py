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

PARAMETER_KINDS = ("int", "float", "bool", "str", "datapath")

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
    """Where data enters a step. `mode` is mount or download; `path_on_compute` may be relative to the working directory."""

    name: str
    source: PortRef
    mode: str = "mount"
    path_on_compute: Optional[str] = None
    overwrite: Optional[bool] = None


@dataclass(frozen=True)
class OutputPort:
    """Where data leaves a step. `mode` is mount or upload (upload: the script writes to `path_on_compute`)."""

    name: str
    datastore: str
    mode: str = "mount"
    path_on_compute: Optional[str] = None
    overwrite: Optional[bool] = None
    is_directory: Optional[bool] = None
    data_type: Optional[str] = None
    pipeline_output_name: Optional[str] = None


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

    def predecessors(self) -> Tuple[str, ...]:
        """Return the ids of the nodes that come first: producers and `run_after`, each once, in order."""
        return tuple(dict.fromkeys([port.source.node_id for port in self.inputs] + list(self.run_after)))


@dataclass(frozen=True)
class DataNode:
    """Data that exists before the run: a path on a datastore. `parameter` names the DataPath parameter that may replace it."""

    id: str
    name: str
    datastore: str
    path: str = ""
    parameter: Optional[str] = None


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter. A datapath's value is {"datastore": name, "path": path}; all others are scalars."""

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
            if item is not None and item != () and item != {} and item != about.default:
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
            "parameters": tuple(StepParameter(**parameter) for parameter in item.get("parameters", ())),
            "inputs": tuple(_parse_input(port) for port in item.get("inputs", ())),
            "outputs": tuple(OutputPort(**port) for port in item.get("outputs", ())),
            "run_after": tuple(item.get("run_after", ())),
            "compute": ComputeRef(**compute) if compute else None,
        }
    )


def _parse_input(item: Mapping[str, Any]) -> InputPort:
    return InputPort(**{**item, "source": PortRef(**item["source"])})


def variable_name(name: str) -> str:
    """Return `name` as v1 spells it in an environment variable: `~` and every non-word character become `_`."""
    return "".join(letter if letter == "_" or letter.isalnum() else "_" for letter in name)
