"""What decides a step's result, as one key.

The recipe (version 1) is written down in docs/explanation/reuse.md. The key covers content only: no absolute path, time, run id,
random name or compute target goes in, so an upstream step that ran again and made the same bytes changes nothing here.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from penstock.model.graph import INPUT, LITERAL, OUTPUT, PARAMETER, InputPort, OutputPort, StepNode

RECIPE = 1

# What of a run configuration can change a result; the rest says where and how fast, not what.
_SETTINGS = ("framework", "communicator", "nodeCount", "environmentVariables", "mpi", "pyTorch", "tensorflow", "spark", "command")


class Difference(NamedTuple):
    """One component in which two keys differ."""

    component: str
    old: Any
    new: Any


class Content(NamedTuple):
    """What an input holds."""

    digest: Optional[str]  # of the manifest of what will be read; None while that was not read
    definition: Optional[str] = None  # of a dataset: the hash of how those files are read


def components(
    step: StepNode,
    values: Mapping[str, Any],
    inputs: Mapping[str, Content],
    python: str,
    node_count: Any = None,
    packages: Optional[str] = None,
) -> Dict[str, Any]:
    """Return what the reuse key of a step is made of.

    Args:
        step: The step.
        values: The value of each pipeline parameter.
        inputs: For each input port, what it will read.
        python: The interpreter that will run it, such as "cpython 3.11.7".
        node_count: The value that replaces the run configuration's, if a parameter does.
        packages: The key of the built environment that it will run in; None for an interpreter that is used as it is.
    """
    ports = {port.name: f"input:{index}" for index, port in enumerate(step.inputs)}
    outputs = {port.name: f"output:{index}" for index, port in enumerate(step.outputs)}
    parameters = {item.name: values.get(item.pipeline_parameter) if item.pipeline_parameter else item.value for item in step.parameters}
    return {
        "recipe": RECIPE,
        "name": step.name,
        "type": step.step_type,
        "snapshot": step.snapshot,
        "script": step.script,
        **({"command": [_argument(LITERAL, text, ports, outputs, parameters) for text in step.command]} if step.command else {}),
        "arguments": [_argument(argument.kind, argument.value, ports, outputs, parameters) for argument in step.arguments],
        "parameters": {name: _text(value) for name, value in parameters.items()},
        "environment": {"python": python, "specification": _environment(step.run_config), **({"packages": packages} if packages else {})},
        "settings": {**_settings(step.run_config), **({"nodeCount": node_count} if node_count is not None else {})},
        "inputs": [_input(port, inputs[port.name]) for port in step.inputs],
        "outputs": [_output(port) for port in step.outputs],
        "version": step.version,
        **({"type_settings": dict(step.settings)} if step.settings else {}),
    }


def _input(port: InputPort, content: Content) -> Dict[str, Any]:
    shown = {"mode": port.mode, "path": port.path_on_compute, "content": content.digest}
    if content.definition:
        shown["definition"] = content.definition
    if port.dataset is not None and not _MADE_UP.fullmatch(port.name):
        shown["name"] = port.name  # the script asks for it: run.input_datasets[name]
    return shown


_MADE_UP = re.compile(r"input__?[0-9a-f]{8}")  # the name of a dataset input that the user gave none


def _output(port: OutputPort) -> Dict[str, Any]:
    """What decides the bytes and where they lie. How they are read as a dataset, and its name, do not."""
    shown: Dict[str, Any] = {"mode": port.mode, "path": port.path_on_compute, "datastore": port.datastore}
    chosen = {"destination": port.destination, "globs": list(port.source_globs)}
    return {**shown, **{name: value for name, value in chosen.items() if value}}


def _argument(kind: str, value: str, ports: Dict[str, str], outputs: Dict[str, str], parameters: Mapping[str, Any]) -> Any:
    if kind == INPUT:
        return {"port": ports[value]}
    if kind == OUTPUT:
        return {"port": outputs[value]}
    if kind == PARAMETER:
        return _text(parameters[value])
    places = {**outputs, **ports}  # as v1: of one name, the input is meant
    return _NAMED.sub(lambda found: found[1] + places.get(found[2], found[2]), value)


# How a port is named inside a longer text. The name may be random, its place is not.
_NAMED = re.compile(r"(AZUREML_DATAREFERENCE_|AZURE_ML_INPUT_|AZURE_ML_OUTPUT_|DatasetConsumptionConfig:|DatasetOutputConfig:)(\w+)")


def _text(value: Any) -> str:
    """Return a value as the script sees it: v1 sent `str(value)`, so True is the text 'True'."""
    return str(value)


def _environment(run_config: Mapping[str, Any]) -> Optional[str]:
    asked = dict(run_config.get("environment") or {})
    for name in ("name", "version", "assetId"):  # a registered copy has other names and the same content
        asked.pop(name, None)
    section = asked.get("python")
    if isinstance(section, Mapping) and str(section.get("interpreterPath") or "").startswith("/"):
        asked["python"] = {**section, "interpreterPath": None}  # where it lies decides nothing; what it is stands beside this
    return digest(asked) if asked else None


def _settings(run_config: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: run_config[name] for name in _SETTINGS if run_config.get(name) not in (None, "", {}, [])}


def digest(value: Any) -> str:
    """Return the sha256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def reuse_key(parts: Mapping[str, Any]) -> str:
    """Return the key of these components."""
    return digest(parts)


def definition_id(step: StepNode) -> str:
    """Return the id of a step's definition: all that is known of it before it is ready (v1's module id), 32 hexadecimal digits."""
    known = components(step, {}, {port.name: Content("") for port in step.inputs}, "")
    known["pipeline parameters"] = sorted(item.pipeline_parameter for item in step.parameters if item.pipeline_parameter)
    return digest(known)[:32]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> List[Difference]:
    """Return the components in which two keys differ, the deepest that can be named: `arguments[3]`, `inputs[0].content`."""
    found: List[Difference] = []
    _compare("", old, new, found)
    return found


def _compare(place: str, old: Any, new: Any, found: List[Difference]) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            _compare(f"{place}.{name}" if place else str(name), old.get(name), new.get(name), found)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new)):
            _compare(f"{place}[{index}]", before, after, found)
    elif old != new:
        found.append(Difference(place, old, new))
