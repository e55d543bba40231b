"""Pipelines as YAML: v1's keys, and keys of our own for what v1's can't say.

`docs/reference/pipeline-yaml.md` describes the format; `_yaml_reading` gives an equal graph back.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Set

from azureml.pipeline.core._definitions import ANY_DIRECTORY, ANY_FILE
from azureml.pipeline.core._document import builder_of, to_document
from penstock.model import graph as model

if TYPE_CHECKING:
    from azureml.pipeline.core._graph import Graph

# How v1's files spell the kinds of parameters.
SPELLINGS = {"str": "string", "int": "int", "float": "float", "bool": "bool", "datapath": "datapath", "dataset": "dataset"}

_MARKS = (model.PARAMETER, model.INPUT, model.OUTPUT)  # before a colon, for an argument that is no literal


def save_graph(graph: Graph, path: Optional[str], default_name: Optional[str]) -> None:
    """Write a graph to a YAML file.

    Args:
        graph: The graph.
        path: The file; or a folder, which gets `<default_name>.yml`; None means the current folder.
        default_name: The file's name in a folder, with its ending or without.

    Raises:
        ValueError: There is no such folder.
    """
    from azureml.pipeline.core._yaml_documents import format_document

    place = os.fspath(path) if path is not None else os.curdir
    if os.path.isdir(place):
        place = os.path.join(place, f"{_file_name(default_name)}.yml")
    folder = os.path.dirname(os.path.abspath(place))
    if not os.path.isdir(folder):
        raise ValueError(f"The pipeline can't be saved to '{place}': there is no folder '{folder}'. Create it first.")
    text = format_document(generate_yaml(graph))
    with open(place, "w", encoding="utf-8") as stream:
        stream.write(text)


def _file_name(name: Optional[str]) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w.() -]", "_", re.sub(r"\.ya?ml$", "", name or "")).strip(". ") or "pipeline"


def generate_yaml(graph: Graph) -> Dict[str, Any]:
    """Return what a file says of a graph, as plain values."""
    folders = {node.node_id: builder_of(node).source_directory for node in graph.module_nodes}
    return {"pipeline": _Writer(to_document(graph), folders).write()}


class _Writer:
    """Writes one graph.

    Args:
        graph: The graph.
        folders: The source folders of steps whose snapshot was not taken yet, by node id.
    """

    def __init__(self, graph: model.PipelineGraph, folders: Mapping[str, Optional[str]]) -> None:
        self._graph, self._folders = graph, folders
        self._parameters = {item.name: item for item in graph.parameters}
        self._steps = _name_all(graph.steps, set())
        self._direct = {node.id: str(node.parameter) for node in graph.data if self._is_default(node)}
        referred = [node for node in graph.data if node.id not in self._direct]
        paths = {item.name for item in graph.parameters if item.kind == "datapath"}
        self._references = _name_all(referred, paths)  # a source is looked up among these parameters first
        self._sources = self._name_outputs(paths | set(self._references.values()))

    def write(self) -> Dict[str, Any]:
        """Return the members of `pipeline`."""
        graph = self._graph
        return {
            "name": graph.name,
            "parameters": {item.name: self._parameter(item) for item in graph.parameters} or None,
            "data_references": {self._references[node.id]: self._reference(node) for node in graph.data if node.id in self._references}
            or None,
            "steps": {self._steps[step.id]: self._step(step) for step in graph.steps},
        }

    # Names

    def _is_default(self, node: model.DataNode) -> bool:
        """Tell whether a data node is nothing but the default of a parameter, read once: then the parameter's name is its source."""
        parameter = self._parameters.get(node.parameter or "")
        if parameter is None or parameter.kind != "datapath" or node.dataset is not None:
            return False
        first = next(other for other in self._graph.data if other.parameter == node.parameter)
        readers = sum(port.source.node_id == node.id for step in self._graph.steps for port in step.inputs)
        place = {"datastore": node.datastore, "path": node.path}
        return readers == 1 and node.name == first.name and place == {"datastore": "", "path": "", **parameter.default}

    def _name_outputs(self, taken: Iterable[str]) -> Dict[model.PortRef, str]:
        """A name of each output that a step writes: v1's, `<port><node id>`, with underscores where another source has it."""
        known, named = set(taken), {}
        for step in self._graph.steps:
            for port in step.outputs:
                name = port.name + re.sub(r"\W", "_", step.id)
                while name in known:
                    name += "_"
                known.add(name)
                named[model.PortRef(step.id, port.name)] = name
        return named

    # What existed before

    def _parameter(self, parameter: model.Parameter) -> Dict[str, Any]:
        default = parameter.default
        if parameter.kind == "datapath":
            node = next((node for node in self._graph.data if self._direct.get(node.id) == parameter.name), None)
            default = _without_none(
                datastore=default.get("datastore"), path_on_datastore=default.get("path", ""), name=node.name if node is not None else None
            )
        elif parameter.kind == "dataset":
            default = {"dataset_id": default["id"]}
        return {"type": SPELLINGS[parameter.kind], "default": default}

    def _reference(self, node: model.DataNode) -> Dict[str, Any]:
        about: Dict[str, Any] = {"datastore": node.datastore, "path_on_datastore": node.path}
        if node.dataset is not None:
            spelled = {"name": "dataset_name", "version": "dataset_version", "id": "dataset_id"}
            about = {spelling: node.dataset[key] for key, spelling in spelled.items() if node.dataset.get(key) is not None}
        name = node.name if node.name != self._references[node.id] else None
        return {**about, **_without_none(parameter=node.parameter, name=name)}

    # Steps

    def _step(self, step: model.StepNode) -> Dict[str, Any]:
        """A step. One of a registered module is told in v1's way: the module says what runs."""
        return {
            **(self._module(step) if step.module else self._content(step)),
            **({"compute": step.compute.name, "compute_type": step.compute.type} if step.compute is not None else {}),
            **_without_none(
                runconfig=_shorten(step.run_config) if step.run_config else None,
                runconfig_parameters={key: {"source": name} for key, name in step.run_config_parameters.items()} or None,
            ),
            "parameters": {item.name: _value(item) for item in step.parameters} or None,
            "inputs": {port.name: self._input(step, port) for port in step.inputs} or None,
            "outputs": {port.name: self._output(step, port) for port in step.outputs} or None,
            **_without_none(
                arguments=[_argument(item, step) for item in step.arguments] or None,
                run_after=[self._steps[node_id] for node_id in step.run_after] or None,
            ),
            "snapshot": step.snapshot,  # always there: by it a saved step is known
        }

    def _module(self, step: model.StepNode) -> Dict[str, Any]:
        name = step.name if step.name != self._steps[step.id] else None
        return {"module": {"id": step.module["id"], "version": step.module["version"]}, **_without_none(name=name)}

    def _content(self, step: model.StepNode) -> Dict[str, Any]:
        return {
            "type": step.step_type,
            "name": step.name,
            **_without_none(
                script_name=step.script,
                command=list(step.command) or None,
                source_directory=self._folders.get(step.id) if step.snapshot is None else None,
                allow_reuse=step.allow_reuse,
                version=step.version,
                settings=dict(step.settings) or None,
            ),
        }

    def _input(self, step: model.StepNode, port: model.InputPort) -> Dict[str, Any]:
        data = port.source.node_id
        source = self._direct.get(data) or self._references.get(data) or self._sources[port.source]
        return {
            "source": source,
            "type" if step.module else "bind_mode": port.mode,
            **_without_none(path_on_compute=port.path_on_compute, overwrite=port.overwrite, dataset=port.dataset),
        }

    def _output(self, step: model.StepNode, port: model.OutputPort) -> Dict[str, Any]:
        implied = None if step.module else ANY_DIRECTORY if port.is_directory else ANY_FILE
        return {
            "destination": self._sources[model.PortRef(step.id, port.name)],
            "type" if step.module else "bind_mode": port.mode,
            "datastore": port.datastore,
            **_without_none(
                path_on_compute=port.path_on_compute,
                overwrite=port.overwrite,
                is_directory=port.is_directory,
                data_type=port.data_type if port.data_type != implied else None,
                pipeline_output_name=port.pipeline_output_name,
                path_on_datastore=port.destination,
                source_globs=list(port.source_globs) or None,
                dataset=port.dataset,
                registration=_registration(port.registration),
            ),
        }


def _name_all(nodes: Iterable[Any], taken: Set[str]) -> Dict[str, str]:
    """A key for each node: its name, with its id where the name is taken."""
    known, named = set(taken), {}
    for node in nodes:
        key = node.name if node.name not in known else f"{node.name}{node.id}"
        while key in known:
            key += "_"
        known.add(key)
        named[node.id] = key
    return named


def _without_none(**members: Any) -> Dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _value(parameter: model.StepParameter) -> Any:
    return {"source": parameter.pipeline_parameter} if parameter.pipeline_parameter else parameter.value


def _argument(argument: model.Argument, step: model.StepNode) -> Any:
    if argument.kind in _MARKS:
        return f"{argument.kind}:{argument.value}"
    return {"literal": argument.value} if has_meaning(argument.value, step_names(step)) else argument.value


def has_meaning(text: str, names: Mapping[str, Iterable[str]]) -> bool:
    """Tell whether an argument's text stands for a port or a parameter of the step, and not for itself.

    Args:
        text: The text.
        names: Per mark - input, output, parameter - the names that the step has.
    """
    mark, colon, name = text.partition(":")
    return bool(colon) and name in names.get(mark, ())


def step_names(step: model.StepNode) -> Dict[str, List[str]]:
    """Return the names of a step that an argument may mean, by mark."""
    return {
        model.INPUT: [port.name for port in step.inputs],
        model.OUTPUT: [port.name for port in step.outputs],
        model.PARAMETER: [item.name for item in step.parameters],
    }


def _registration(wanted: Optional[model.Registration]) -> Optional[Dict[str, Any]]:
    if wanted is None:
        return None
    about = _without_none(name=wanted.name, description=wanted.description, tags=dict(wanted.tags) or None)
    return about if wanted.create_new_version else {**about, "create_new_version": False}


def _shorten(document: Mapping[str, Any]) -> Dict[str, Any]:
    """A run configuration without the sections that have their defaults; the whole where the rest would not say the same."""
    from azureml.pipeline.core._yaml_reading import complete_run_config

    default = complete_run_config({})
    short = {key: value for key, value in document.items() if key not in default or default[key] != value}
    return short if complete_run_config(short) == document else {**document, "complete": True}
