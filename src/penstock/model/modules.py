"""Modules: steps that are kept under a name and a version, with their ports open. A pipeline that uses one connects them.

The facade publishes these values, `format_module` writes the JSON document that is stored, and `parse_module` reads it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from penstock.model.errors import Invalid
from penstock.model.graph import Argument, Scalar

FORMAT = 1

# Why a version was taken where somebody asked for one; see penstock.operations.modules.resolve_version.
ASKED, DEFAULT, HIGHEST, NEWEST = "asked", "default", "highest", "newest"


@dataclass(frozen=True)
class ModuleInput:
    """Where data enters. What is None is said by who connects the port."""

    name: str
    data_types: Tuple[str, ...] = ()
    mode: Optional[str] = None
    path_on_compute: Optional[str] = None
    overwrite: Optional[bool] = None
    is_optional: bool = False
    is_resource: bool = False
    data_reference_name: Optional[str] = None
    label: Optional[str] = None


@dataclass(frozen=True)
class ModuleOutput:
    """Where data leaves. What is None is said by who connects the port."""

    name: str
    datastore: Optional[str] = None
    mode: Optional[str] = None
    path_on_compute: Optional[str] = None
    overwrite: Optional[bool] = None
    is_directory: Optional[bool] = None
    data_type: Optional[str] = None
    label: Optional[str] = None


@dataclass(frozen=True)
class ModuleParameter:
    """A value that the script sees as AML_PARAMETER_<name>, where the step sets no other."""

    name: str
    default: Optional[Scalar] = None
    is_optional: bool = False


@dataclass(frozen=True)
class ModuleDefinition:
    """What a version of a module is. It never changes."""

    script: str
    snapshot: str  # digest of the source folder's manifest
    step_type: str = "PythonScriptStep"
    execution_type: str = "escloud"
    inputs: Tuple[ModuleInput, ...] = ()
    outputs: Tuple[ModuleOutput, ...] = ()
    parameters: Tuple[ModuleParameter, ...] = ()
    arguments: Tuple[Argument, ...] = ()  # of a step that gives none of its own
    run_config: Mapping[str, Any] = field(default_factory=dict)  # the same; v1's run configuration
    can_be_ordered: bool = True  # whether steps of it may run after others without reading their data


def format_module(definition: ModuleDefinition) -> Dict[str, Any]:
    """Return the JSON document of a definition. Members that hold their default are left out."""
    return {"format": FORMAT, **_format(definition)}


def _format(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        members = {name: getattr(value, name) for name in value.__dataclass_fields__}
        return {
            name: _format(item)
            for name, item in members.items()
            if item is not None and item not in ((), {}) and item != value.__dataclass_fields__[name].default
        }
    return [_format(item) for item in value] if isinstance(value, tuple) else value


def parse_module(document: Mapping[str, Any]) -> ModuleDefinition:
    """Return the definition that a document describes. The types of its members are as the document has them.

    Raises:
        Invalid: The document is not one that `format_module` writes.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise Invalid(f"This is not the definition of a module: an object whose 'format' is {FORMAT}.")
    members = {name: value for name, value in document.items() if name != "format"}
    try:
        for name, kind in _LISTS.items():
            members[name] = tuple(kind(**item) for item in members.get(name, ()))
        members["inputs"] = tuple(_parse_input(item) for item in document.get("inputs", ()))
        return ModuleDefinition(**members)
    except (TypeError, AttributeError) as error:
        raise Invalid(f"This is not the definition of a module: {error}.") from error


_LISTS: Mapping[str, Any] = {"outputs": ModuleOutput, "parameters": ModuleParameter, "arguments": Argument}


def _parse_input(item: Mapping[str, Any]) -> ModuleInput:
    types = item.get("data_types", ())
    return ModuleInput(**{**item, "data_types": tuple(types) if isinstance(types, (list, tuple)) else types})
