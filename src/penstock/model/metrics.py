"""What `get_metrics` returns for what was logged: v1's shapes, from plain records."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional

SCALAR, LIST, ROW, TABLE, IMAGE, JSON = "scalar", "list", "row", "table", "image", "json"


def record(name: str, kind: str, value: Any, at: str, step: Optional[int] = None) -> Dict[str, Any]:
    """Return one logged record, ready to be written as a line of JSON."""
    return {"name": name, "kind": kind, "value": value, "step": step, "at": at}


def shape(records: Iterable[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return v1's dictionary of metrics.

    One value gives the scalar, several values under one name give a list in logging order. Rows and tables give a dict of
    columns; a single row gives scalars. Images and JSON metrics give their artifact address. A record whose kind clashes
    with the first one of its name is dropped, as v1 dropped it.
    """
    grouped: Dict[str, List[Mapping[str, Any]]] = {}
    for item in records:
        group = grouped.setdefault(item["name"], [])
        if not group or _family(group[0]) == _family(item):
            group.append(item)
    shaped = {name: _shape_group(group) for name, group in grouped.items()}
    return {name: value for name, value in shaped.items() if value is not None}


def _family(item: Mapping[str, Any]) -> str:
    kind = str(item["kind"])
    return {SCALAR: "vector", LIST: "vector", ROW: "table", TABLE: "table"}.get(kind, kind)


def _shape_group(group: List[Mapping[str, Any]]) -> Any:
    family = _family(group[0])
    if family == "vector":
        values = [value for item in group for value in (item["value"] if item["kind"] == LIST else [item["value"]])]
        return _one_or_all(_one_type(values))
    if family == "table":
        return _shape_table(group)
    return group[-1]["value"]


def _shape_table(group: List[Mapping[str, Any]]) -> Dict[str, Any]:
    columns: Dict[str, List[Any]] = {}
    for item in group:
        for name, value in item["value"].items():
            columns.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return {name: _one_or_all(_one_type(values)) for name, values in columns.items()}


def _one_or_all(values: List[Any]) -> Any:
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def _one_type(values: List[Any]) -> List[Any]:
    """A column that holds a float holds floats only, as v1 typed its columns."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return [float(value) for value in values] if numbers and any(isinstance(value, float) for value in values) else values
