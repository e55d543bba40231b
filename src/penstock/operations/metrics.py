"""What runs log: one JSON record a line in the run's folder, appended by the step itself or for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.model import metrics
from penstock.model.errors import Invalid
from penstock.operations import runs
from penstock.operations.context import Context
from penstock.operations.descendants import list_descendants
from penstock.operations.files import source_run_id
from penstock.storage.files import append_lines

_KINDS = (metrics.SCALAR, metrics.LIST, metrics.ROW, metrics.TABLE, metrics.IMAGE, metrics.JSON)
_LONGEST_NAME = 1000


def list_metrics(context: Context, run_id: str, recursive: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return run id -> its records in logging order; with `recursive` also those of all runs below. Runs without records are absent."""
    source_run_id(context, run_id)  # a run that is not there is an error, not an empty answer
    members = list_descendants(context, run_id) if recursive else [run_id]
    found = {member: list(_read(_path(context, source_run_id(context, member)))) for member in members}
    return {member: records for member, records in found.items() if records}


def log_metrics(context: Context, run_id: str, records: Sequence[Any]) -> int:
    """Append records for a run whose process does not do so itself; return how many.

    Raises:
        Invalid: A record is not {"name", "kind", "value", "step", "at"}.
    """
    runs.get_row(context, run_id)
    lines = [json.dumps(_check(item, context.now())) for item in records]
    if lines:
        append_lines(_path(context, run_id), "".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def _check(item: Any, now: str) -> dict[str, Any]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not 0 < len(item["name"]) <= _LONGEST_NAME:
        raise Invalid('A metric is {"name": text, "kind": word, "value": value, "step": number or null, "at": time}.')
    name, kind, value, step, at = (item.get(key) for key in ("name", "kind", "value", "step", "at"))
    if kind not in _KINDS:
        raise Invalid(f"The metric '{name}' has the kind {kind!r}; there are {', '.join(_KINDS)}.")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
        raise Invalid(f"The step of the metric '{name}' must be a whole number, not {step!r}.")
    wanted: dict[Any, type] = {metrics.LIST: list, metrics.ROW: dict, metrics.TABLE: dict}
    if not isinstance(value, wanted.get(kind, object)):
        raise Invalid(f"The metric '{name}' is a {kind}; its value can't be {type(value).__name__}.")
    return metrics.record(str(name), str(kind), value, at if isinstance(at, str) else now, step)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file; a torn line is skipped, for its writer was killed before it was done."""
    try:
        lines = path.read_bytes().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return
    for line in lines:
        try:
            item = json.loads(line) if line else None
        except ValueError:
            continue
        if isinstance(item, dict) and isinstance(item.get("name"), str) and item.get("kind") in _KINDS and "value" in item:
            yield item


def _path(context: Context, run_id: str) -> Path:
    return context.home.run_folder(run_id) / "metrics.jsonl"
