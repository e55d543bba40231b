"""What `get_metrics` returns for what was logged: v1's shapes, from plain records."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional

SCALAR, LIST, ROW, TABLE, IMAGE, JSON = "scalar", "list", "row", "table", "image", "json"


def record(name: str, kind: str, value: Any, at: str, step: Optional[int] = None) -> Dict[str, Any]:
    """Return one logged record, ready to be written as a line of JSON."""
    return {"name": name, "kind": kind, "value": value, "step": step, "at": at}


def family(kind: str) -> str:
    """Return which kinds one name may hold: values and lists go together, rows and tables do; any other kind stays by itself."""
    return _FAMILY.get(kind, kind)


_FAMILY = {SCALAR: "vector", LIST: "vector", ROW: "table", TABLE: "table"}


class Shapes:
    """v1's dictionary of metrics, made record by record; only values are kept, so that very many need little memory.

    One value gives the scalar, several values under one name give a list in logging order. Rows and tables give a dict of
    columns; a single row gives scalars. Images and JSON metrics give their artifact address. A record whose kind clashes
    with the first one of its name is dropped, as v1 dropped it.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self._families: Dict[str, str] = {}
        self._kept: Dict[str, Any] = {}
        for item in records:
            self._add(item["name"], item["kind"], item["value"])

    def _add(self, name: str, kind: str, value: Any) -> None:
        own = _FAMILY.get(kind, kind)
        if self._families.setdefault(name, own) != own:
            return
        if kind == SCALAR:
            self._kept.setdefault(name, []).append(value)
        elif kind == LIST:
            self._kept.setdefault(name, []).extend(value)
        elif own == "table":
            _add_rows(self._kept.setdefault(name, {}), value)
        else:
            self._kept[name] = value

    def values(self) -> Dict[str, Any]:
        """Return name -> value, list, or columns; an empty list or table leaves no trace."""
        shaped = {name: _SHAPES.get(self._families[name], _as_it_is)(kept) for name, kept in self._kept.items()}
        return {name: value for name, value in shaped.items() if value is not _NOTHING}

    def artifacts(self) -> List[str]:
        """Return the names whose value is the address of a file: images and JSON metrics."""
        return [name for name, own in self._families.items() if own in (IMAGE, JSON)]


def shape(records: Iterable[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return v1's dictionary of metrics (see `Shapes`)."""
    return Shapes(records).values()


_NOTHING = object()


def _add_rows(columns: Dict[str, List[Any]], value: Mapping[str, Any]) -> None:
    for name, cells in value.items():
        column = columns.setdefault(name, [])
        if isinstance(cells, list):
            column.extend(cells)
        else:
            column.append(cells)


def _as_it_is(value: Any) -> Any:
    return value


def _one_or_all(values: List[Any]) -> Any:
    if not values:
        return _NOTHING
    return values[0] if len(values) == 1 else _one_type(values)


def _columns(columns: Dict[str, List[Any]]) -> Any:
    return {name: _one_or_all(values) for name, values in columns.items() if values} or _NOTHING


_SHAPES: Dict[str, Callable[[Any], Any]] = {"vector": _one_or_all, "table": _columns}


def _one_type(values: List[Any]) -> List[Any]:
    """A column that holds a float holds floats only, as v1 typed its columns; what has no value keeps none."""
    if {type(value) for value in values} - {type(None)} != {int, float}:
        return values
    try:
        return [value if value is None else float(value) for value in values]
    except OverflowError:  # an integer that no float can hold
        return values
