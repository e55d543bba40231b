"""Values of pipeline parameters as programs send them: often as texts, whatever the parameter takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from penstock.model.graph import Parameter
from penstock.operations.submissions import check_values

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,1000}\s*")
_WORDS = {"true": True, "1": True, "false": False, "0": False}


def read_assignments(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every parameter, defaults included; a text is read as what its parameter takes, null as nothing given.

    Raises:
        Invalid: A name is unknown, a value can't be read so, or one has no value at all. Its details name the parameters.
    """
    known = {parameter.name: parameter for parameter in parameters}
    read = {name: _read(known[name].kind, value) if name in known else value for name, value in given.items() if value is not None}
    return check_values(known.values(), read)


def _read(kind: str, value: Any) -> Any:
    """Return a value as its parameter takes it; one that can't be read so is left as it is, for the check to name."""
    reader = _READERS.get(kind)
    try:
        return reader(value) if reader else value
    except (ValueError, KeyError, OverflowError):
        return value


def _read_int(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def _read_float(value: Any) -> Any:
    return float(value) if isinstance(value, str) and "_" not in value else value


def _read_bool(value: Any) -> Any:
    return _WORDS[str(value).strip().lower()] if isinstance(value, (str, int)) else value


def _read_str(value: Any) -> Any:
    return str(value) if isinstance(value, (bool, int, float)) else value


_READERS: dict[str, Callable[[Any], Any]] = {"int": _read_int, "float": _read_float, "bool": _read_bool, "str": _read_str}
