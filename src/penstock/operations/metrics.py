"""What runs log: one JSON record a line in the run's folder, appended by the step itself or for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.model import metrics
from penstock.model.errors import Invalid
from penstock.operations import runs
from penstock.operations.context import Context
from penstock.operations.descendants import list_descendants
from penstock.operations.files import source_run_id
from penstock.operations.names import check_request_id
from penstock.storage.files import append_lines

_KINDS = (metrics.SCALAR, metrics.LIST, metrics.ROW, metrics.TABLE, metrics.IMAGE, metrics.JSON)
_TYPES: dict[Any, type] = {metrics.LIST: list, metrics.ROW: dict, metrics.TABLE: dict}  # of the value; of other kinds any
_LONGEST_NAME = 1000
_AT_ONCE = 1 << 20  # bytes of lines
_REQUEST = "request_id"  # in the last record of a request
_REPEATED_WITHIN = 1 << 14  # bytes of lines: what may be logged beside, until a request is repeated


def list_metrics(context: Context, run_id: str, recursive: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return run id -> its records in logging order; with `recursive` also those of all runs below. Runs without records are absent."""
    source_run_id(context, run_id)  # a run that is not there is an error, not an empty answer
    members = list_descendants(context, run_id) if recursive else [run_id]
    found = {member: list(_read(_path(context, source_run_id(context, member)))) for member in members}
    for record in (record for records in found.values() for record in records):
        record.pop(_REQUEST, None)
    return {member: records for member, records in found.items() if records}


def read_metrics(context: Context, run_id: str) -> Iterator[dict[str, Any]]:
    """Yield the records of one run in logging order; they are read as they are asked for, so that very many need little memory."""
    return _read(_path(context, source_run_id(context, run_id)))


def count_bytes(context: Context, run_id: str) -> int:
    """Return how much there is to read for `read_metrics`."""
    try:
        return _path(context, source_run_id(context, run_id)).stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def list_metric_values(context: Context, run_id: str, recursive: bool = False, name: str | None = None) -> dict[str, dict[str, Any]]:
    """Return run id -> {"values", "artifacts"}: v1's dictionary of metrics, and which of them are files. Runs without metrics are absent.

    With `name` only that metric; with `recursive` also those of all runs below. The records are not kept: very many need little memory.
    """
    source_run_id(context, run_id)
    members = list_descendants(context, run_id) if recursive else [run_id]
    shapes = {member: metrics.Shapes(_read_named(context, member, name)) for member in members}
    found = {member: {"values": shape.values(), "artifacts": shape.artifacts()} for member, shape in shapes.items()}
    return {member: document for member, document in found.items() if document["values"]}


def _read_named(context: Context, run_id: str, name: str | None) -> Iterator[dict[str, Any]]:
    records = _read(_path(context, source_run_id(context, run_id)))
    return records if name is None else (item for item in records if item["name"] == name)


def list_last_metrics(context: Context, run_id: str, most_bytes: int) -> list[dict[str, Any]]:
    """Return the records in the last bytes of what a run itself logged: what was logged just now, however much there is."""
    is_whole, end = _read_end(_path(context, run_id), most_bytes)
    lines = end.splitlines(keepends=True)
    return list(filter(_is_record, _parse(lines if is_whole else lines[1:])))


def log_metrics(context: Context, run_id: str, records: Sequence[Any], request_id: str | None = None) -> int:
    """Append records for a run whose process does not do so itself; return how many.

    Sent twice with the same `request_id`, a UUID of the client's, they are appended once.

    Raises:
        Invalid: A record is not {"name", "kind", "value", "step", "at"}.
    """
    runs.get_row(context, run_id)
    checked = [_check(item, context.now()) for item in records]
    path = _path(context, run_id)
    if checked and request_id:
        checked[-1][_REQUEST] = check_request_id(request_id)
        if _has_request(path, checked[-1][_REQUEST]):
            return len(checked)
    if checked:
        append_lines(path, "".join(f"{json.dumps(item)}\n" for item in checked).encode())
    return len(checked)


def _has_request(path: Path, request_id: str) -> bool:
    """Tell whether a request's last record, which ends with its id, is among the newest. A client that repeats does so at once."""
    return f'"{_REQUEST}": "{request_id}"}}\n'.encode() in _read_end(path, _REPEATED_WITHIN)[1]


def _read_end(path: Path, most_bytes: int) -> tuple[bool, bytes]:
    """Return whether these are all of a file's bytes, and its last ones."""
    try:
        with path.open("rb") as file:
            start = max(file.seek(0, os.SEEK_END) - most_bytes, 0)
            file.seek(start)
            return start == 0, file.read()
    except (FileNotFoundError, NotADirectoryError):
        return True, b""


def _check(item: Any, now: str) -> dict[str, Any]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise Invalid('A metric is {"name": text, "kind": word, "value": value, "step": number or null, "at": time}.')
    if not 0 < len(item["name"]) <= _LONGEST_NAME:
        raise Invalid(f"The name of a metric has 1 to {_LONGEST_NAME} characters, not {len(item['name'])}.")
    name, kind, value, step, at = (item.get(key) for key in ("name", "kind", "value", "step", "at"))
    if kind not in _KINDS:
        raise Invalid(f"The metric '{name}' has the kind {kind!r}; there are {', '.join(_KINDS)}.")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
        raise Invalid(f"The step of the metric '{name}' must be a whole number, not {step!r}.")
    if not isinstance(value, _TYPES.get(kind, object)) or (kind == metrics.SCALAR and isinstance(value, (list, dict))):
        raise Invalid(f"The metric '{name}' is a {kind}; its value can't be {type(value).__name__}.")
    return metrics.record(str(name), str(kind), value, at if isinstance(at, str) else now, step)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file; a torn line is skipped, for its writer was killed before it was done."""
    try:
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return
    with file:
        while lines := file.readlines(_AT_ONCE):
            yield from filter(_is_record, _parse(lines))


def _is_record(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or "value" not in item:
        return False
    kind = item.get("kind")
    return kind == metrics.SCALAR or (kind in _KINDS and isinstance(item["value"], _TYPES.get(kind, object)))


def _parse(lines: list[bytes]) -> list[Any]:
    """Return what lines hold, those that are no JSON left out: all as one document, which is quicker, unless one of them is torn."""
    try:
        items: list[Any] = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        return [item for line in lines for item in _parse_line(line)]
    # two torn lines may make one value between them
    return items if len(items) == len(lines) else [item for line in lines for item in _parse_line(line)]


def _parse_line(line: bytes) -> list[Any]:
    try:
        return [json.loads(line)]
    except (ValueError, RecursionError):
        return []


def _path(context: Context, run_id: str) -> Path:
    return context.home.run_folder(run_id) / "metrics.jsonl"
