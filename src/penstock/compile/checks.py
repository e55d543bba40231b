"""What can be wrong with a graph, found before anything runs."""

from __future__ import annotations

import difflib
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from penstock.model.datasets import Place, over_place, parse_dataset
from penstock.model.errors import Invalid, InvalidGraph
from penstock.model.graph import INPUT, OUTPUT, PARAMETER, PARAMETER_KINDS, InputPort, OutputPort, PipelineGraph, StepNode
from penstock.model.steps import SPARK_STEP, find_refused

DATA_PORT = "data"
INPUT_MODES = ("mount", "download", "direct")
OUTPUT_MODES = ("mount", "upload", "link")
HDFS = "hdfs"  # for Spark alone


def check(graph: PipelineGraph) -> None:
    """Do nothing for a graph that can run.

    Raises:
        InvalidGraph: With all that is wrong, and each step of a kind that this version can't run.
    """
    problems = find_obstacles(graph)
    if problems:
        raise InvalidGraph(problems)


def find_problems(graph: PipelineGraph) -> List[str]:
    """Return all that is wrong with a graph, one sentence each; [] when nothing is."""
    problems = [*_node_ids(graph), *_parameters(graph)]
    for step in graph.steps:
        problems += [*_ports(step), *_arguments(step)]
    if not problems:
        problems += [*_edges(graph), *_pipeline_outputs(graph)]
    if not problems:
        cycle = find_cycle(graph)
        if cycle:
            problems.append(f"The steps wait for each other in a circle: {' -> '.join(cycle)}. Remove one of these dependencies.")
    return problems


def find_obstacles(graph: PipelineGraph) -> List[str]:
    """Return all that keeps a graph from running: what is wrong with it, else each step of a kind that this version can't run."""
    return find_problems(graph) or find_refused(graph)


def _twice(names: Iterable[str]) -> List[str]:
    seen: Set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _node_ids(graph: PipelineGraph) -> Iterator[str]:
    for name in _twice([node.id for node in graph.steps] + [node.id for node in graph.data]):
        yield f"Two nodes have the id '{name}'; node ids must differ."


def _parameters(graph: PipelineGraph) -> Iterator[str]:
    for name in _twice(parameter.name for parameter in graph.parameters):
        yield f"The pipeline parameter '{name}' is defined twice."
    for parameter in graph.parameters:
        if parameter.kind not in PARAMETER_KINDS:
            yield f"The pipeline parameter '{parameter.name}' has the kind '{parameter.kind}'; there are {', '.join(PARAMETER_KINDS)}."
    known = [parameter.name for parameter in graph.parameters]
    for step in graph.steps:
        wanted = [item.pipeline_parameter for item in step.parameters if item.pipeline_parameter]
        for name in [*wanted, *step.run_config_parameters.values()]:
            if name not in known:
                yield f"Step '{step.name}' uses the pipeline parameter '{name}', which the pipeline does not define.{_near(name, known)}"
    for node in graph.data:
        if node.parameter and node.parameter not in known:
            hint = _near(node.parameter, known)
            yield f"Data '{node.name}' uses the pipeline parameter '{node.parameter}', which the pipeline does not define.{hint}"


def _ports(step: StepNode) -> Iterator[str]:
    further = (HDFS,) if step.step_type == SPARK_STEP else ()
    for side, names in (("inputs", [port.name for port in step.inputs]), ("outputs", [port.name for port in step.outputs])):
        for name in _twice(names):
            yield f"Step '{step.name}' has two {side} named '{name}'; give one of them another name."
        for name in names:
            if not name or not all(letter == "_" or letter.isalnum() for letter in name):
                yield f"Step '{step.name}': '{name}' can't be the name of one of its {side}; use letters, digits and underscores."
    for port in step.inputs:
        yield from _input_port(f"Input '{port.name}' of step '{step.name}'", port, (*INPUT_MODES, *further))
    for output in step.outputs:
        yield from _output_port(f"Output '{output.name}' of step '{step.name}'", output, (*OUTPUT_MODES, *further))


def _input_port(who: str, port: InputPort, modes: Tuple[str, ...]) -> Iterator[str]:
    if port.mode not in modes:
        yield f"{who} has the mode '{port.mode}'; there are {', '.join(modes)}."
    if port.mode == "direct" and port.dataset is None:
        yield f"{who} has the mode 'direct', which hands over a dataset, and it is a path; mount or download it."
    if port.dataset:
        yield from _transformation(who, port.dataset)


def _output_port(who: str, port: OutputPort, modes: Tuple[str, ...]) -> Iterator[str]:
    if port.mode not in modes:
        yield f"{who} has the mode '{port.mode}'; there are {', '.join(modes)}."
    if port.source_globs and port.mode != "upload":
        yield f"{who} has source_globs, which choose what is uploaded; its mode is '{port.mode}'."
    if port.registration and port.dataset is None and port.mode != "link":
        yield f"{who} is to be registered as '{port.registration.name}', and is no dataset."
    if port.dataset:
        yield from _transformation(who, port.dataset)


def _transformation(who: str, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with how a port's data is read as a dataset."""
    unknown = set(document) - {"parsing", "partition_format", "operations"}
    if unknown:
        yield f"{who} says of its dataset {', '.join(sorted(unknown))}; a port knows parsing, partition_format and operations."
        return
    try:
        parse_dataset(over_place(Place("store", "path"), document))
    except Invalid as error:
        yield f"{who}: {error.message}"


def _arguments(step: StepNode) -> Iterator[str]:
    known = {
        INPUT: [port.name for port in step.inputs],
        OUTPUT: [port.name for port in step.outputs],
        PARAMETER: [item.name for item in step.parameters],
    }
    for argument in step.arguments:
        if argument.kind in known and argument.value not in known[argument.kind]:
            hint = _near(argument.value, known[argument.kind])
            yield f"An argument of step '{step.name}' names the {argument.kind} '{argument.value}', which the step does not have.{hint}"


def _edges(graph: PipelineGraph) -> Iterator[str]:
    ports: Dict[str, List[str]] = {node.id: [DATA_PORT] for node in graph.data}
    ports.update({step.id: [port.name for port in step.outputs] for step in graph.steps})
    for step in graph.steps:
        for port in step.inputs:
            if port.source.node_id not in ports:
                yield f"Input '{port.name}' of step '{step.name}' comes from a node that is not in the pipeline."
            elif port.source.port not in ports[port.source.node_id]:
                where = f"an output '{port.source.port}' that its producer does not have"
                yield f"Input '{port.name}' of step '{step.name}' comes from {where}."
        for node_id in step.run_after:
            if node_id not in ports:
                yield f"Step '{step.name}' runs after a step that is not in the pipeline."


def _pipeline_outputs(graph: PipelineGraph) -> Iterator[str]:
    names = [port.pipeline_output_name for step in graph.steps for port in step.outputs if port.pipeline_output_name]
    for name in _twice(names):
        yield f"Two outputs have the pipeline_output_name '{name}'; give one of them another."


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


# Order


def order(graph: PipelineGraph) -> Tuple[str, ...]:
    """Return the step ids so that each comes after all that it waits for; steps in a cycle are left out."""
    steps = {step.id: step for step in graph.steps}
    waiting = {step.id: {node for node in step.predecessors() if node in steps} for step in graph.steps}
    followers: Dict[str, List[str]] = {node_id: [] for node_id in steps}
    for node_id, before in waiting.items():
        for node in before:
            followers[node].append(node_id)
    ready = [node_id for node_id, before in waiting.items() if not before]
    for node_id in ready:  # grows while it is read
        for follower in followers[node_id]:
            waiting[follower].discard(node_id)
            if not waiting[follower]:
                ready.append(follower)
    return tuple(ready)


def find_cycle(graph: PipelineGraph) -> Optional[List[str]]:
    """Return the names of steps that wait for each other, the first one again at the end; None when there is no cycle."""
    done = set(order(graph))
    steps = {step.id: step for step in graph.steps if step.id not in done}
    if not steps:
        return None
    # Every step that is left waits for a step that is left, so walking backwards must meet one twice.
    path = [next(iter(steps))]
    while path.count(path[-1]) < 2:
        path.append(next(node for node in steps[path[-1]].predecessors() if node in steps))
    circle = path[path.index(path[-1]) :]
    return [steps[node_id].name for node_id in reversed(circle)]
