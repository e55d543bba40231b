"""Whether a graph that came from outside holds the types that it should, before any rule reads it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from penstock.model.errors import Invalid
from penstock.model.graph import PipelineGraph

_Fits = Callable[[Any], bool]


def check_shape(graph: PipelineGraph) -> None:
    """Do nothing for a graph whose every member has its declared type.

    Raises:
        Invalid: The message names the first member that has not.
    """
    check_members(graph, "a graph document")
    for step in graph.steps:
        for complaint in _run_config_misfits(step.run_config):
            raise Invalid(f"The run configuration of step '{step.name}': {complaint}.")


def check_members(value: Any, what: str) -> None:
    """Do nothing for a frozen value all of whose members have their declared types.

    Raises:
        Invalid: The message names the first member that has not.
    """
    for place in _misfits(value):
        raise Invalid(f"This is not {what}: '{place}' does not hold what it should.")


_LONGEST_RUN_SECONDS = 10 * 366 * 24 * 3600


def _run_config_misfits(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the members of a run configuration that decide how a step is run."""
    environment = config.get("environment") or {}
    if not isinstance(environment, Mapping):
        yield "environment must be an object"
        return
    python = environment.get("python") or {}
    conda = python.get("condaDependencies") or {} if isinstance(python, Mapping) else None
    if not isinstance(conda, Mapping) or not isinstance(conda.get("dependencies") or [], list):
        yield "environment.python must be an object with condaDependencies, an object with a list of dependencies"
    yield from _variable_misfits("environment.environmentVariables", environment.get("environmentVariables"))
    yield from _variable_misfits("environmentVariables", config.get("environmentVariables"))
    seconds = config.get("maxRunDurationSeconds")
    if seconds is not None and (
        isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < _LONGEST_RUN_SECONDS
    ):
        yield f"maxRunDurationSeconds must be a number of seconds above 0 and below {_LONGEST_RUN_SECONDS}, not {seconds!r:.40}"


def _variable_misfits(place: str, variables: Any) -> Iterator[str]:
    if not isinstance(variables or {}, Mapping):
        yield f"{place} must be an object of names and values"
        return
    for name, value in (variables or {}).items():
        if not name or "=" in name or "\0" in name or "\0" in str(value):
            yield f"{place} has {name!r:.80}, which can't be the name (or have the value) of an environment variable"


def _misfits(value: Any) -> Iterator[str]:
    kind: Any = type(value)
    for name, fits in _members(kind).items():
        if not fits(getattr(value, name)):
            yield f"{type(value).__name__}.{name}"


@cache
def _members(kind: Any) -> dict[str, _Fits]:
    hints = typing.get_type_hints(kind)
    return {name: _fits(hints[name]) for name in kind.__dataclass_fields__}


def _fits(hint: Any) -> _Fits:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value: True
    if origin is typing.Union:
        any_of = [_fits(item) for item in inner]
        return lambda value: any(fits(value) for fits in any_of)
    if origin is tuple:
        member = _fits(inner[0])
        return lambda value: isinstance(value, tuple) and all(member(item) for item in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        of_value = _fits(inner[1])
        return lambda value: isinstance(value, Mapping) and all(of_value(item) for item in value.values())
    if hasattr(hint, "__dataclass_fields__"):
        return lambda value: isinstance(value, hint) and next(_misfits(value), None) is None
    return lambda value: type(value) is hint or (hint is float and type(value) is int)
