"""Earlier results: finding one that still stands, and telling why a step ran or was reused."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.compile import fingerprints
from penstock.compile.manifests import Entry, manifest_digest, walk
from penstock.model.errors import Invalid, NotFound, Unsupported
from penstock.model.graph import parse_graph
from penstock.operations.context import Context
from penstock.operations.datastores import store_of
from penstock.operations.manifests import Digests, describe_changes, find_entries, list_path, stored_entry
from penstock.persistence.database import Row
from penstock.storage.stores import Check, Store

# How it is known that an output is as it was, where names and sizes are not enough.
BYTES = "bytes"
TOKENS = "tokens"

_LONGEST_SHOWN = 200  # of a text in a sentence; the difference itself has all of it

_RESULT = """
    select s.run_id, s.node_id, s.pipeline_run_id, s.outputs, s.components, r.ended_at, r.name, e.name as experiment_name
      from step_runs s join runs r on r.id = s.run_id join experiments e on e.id = r.experiment_id"""


def find_result(context: Context, workspace_id: str, key: str) -> Row | None:
    """Return the step run that made this key's result, or None."""
    return context.database.first(
        f"{_RESULT} join reuse u on u.run_id = s.run_id where u.workspace_id = ? and u.key = ? and r.status = 'Completed'",
        [workspace_id, key],
    )


@dataclass(frozen=True)
class Earlier:
    """An earlier result of the same key; `missing` names an output of it that is not there any more as it was."""

    row: Row
    missing: str | None


def find_earlier(context: Context, workspace_id: str, key: str, check: Check = lambda: None) -> Earlier | None:
    """Return this key's result and whether it still stands, or None when there is none. It may ask a datastore, which takes time."""
    row = find_result(context, workspace_id, key)
    return Earlier(row, find_missing_output(context, workspace_id, json.loads(row["outputs"]), check)) if row else None


def may_match(context: Context, workspace_id: str, name: str, position: int, shape: Sequence[tuple[str, int]]) -> bool:
    """Tell whether a result of a step of this name may have read files of these paths and sizes in the input at a position.

    Where the answer is no, no earlier result has the same key, and nothing needs to be read to know that.
    """
    rows = context.database.all(
        "select distinct json_extract(s.components, ?) as content from runs r join step_runs s on s.run_id = r.id"
        " where r.workspace_id = ? and r.name = ? and r.status = 'Completed' and s.reuse_key is not null limit ?",
        [f"$.inputs[{position}].content", workspace_id, name, _MOST_COMPARED + 1],
    )
    return len(rows) > _MOST_COMPARED or any(_has_shape(context, row["content"], shape) for row in rows if row["content"])


def _has_shape(context: Context, digest: str, shape: Sequence[tuple[str, int]]) -> bool:
    entries = find_entries(context, digest)
    return entries is None or sorted((entry.path, entry.size) for entry in entries) == sorted(shape)


_MOST_COMPARED = 100  # contents of an input; with more than that, reading the files is no more work


def find_missing_output(context: Context, workspace_id: str, outputs: list[dict[str, Any]], check: Check = lambda: None) -> str | None:
    """Return the name of an output that is not there any more as it was, or None.

    An output in a place of its own is known by its files' names and sizes. One in a place that others may write to is known by its bytes,
    one on another machine by what the datastore says of its files.

    Raises:
        Unavailable: A datastore can't be reached.
    """
    for output in outputs:
        try:
            stands = not output["is_published"] or _stands(context, workspace_id, output, check)
        except (NotFound, Invalid, Unsupported):  # its datastore is not what it was
            stands = False
        if not stands:
            return str(output["name"])
    return None


def _stands(context: Context, workspace_id: str, output: dict[str, Any], check: Check) -> bool:
    if output.get("dataset_id"):
        return context.database.first("select 1 from datasets where id = ?", [output["dataset_id"]]) is not None
    store = store_of(context, workspace_id, output["datastore"])
    by = (output.get("stored") or {}).get("by")
    if store.is_local != (by != TOKENS):
        return False
    if not store.is_local:
        return bool(manifest_digest(list_stored(context, store, output["path"], check)) == output["stored"]["digest"])
    place = context.stores.local_path(store, output["path"])
    if not os.path.exists(place):
        return False
    if by == BYTES:
        return bool(manifest_digest(Digests(context).of(place, check, within=True)) == output["stored"]["digest"])
    sizes = [os.path.getsize(place)] if os.path.isfile(place) else [about.st_size for _, _, about in walk(place)]
    return bool(len(sizes) == output["files"] and sum(sizes) == output["bytes"])


def list_stored(context: Context, store: Store, path: str, check: Check = lambda: None) -> list[Entry]:
    """Return the manifest of a path of another machine, by what its store says of each file; [] when nothing is there."""
    found = list_path(context, store, path, check)
    return [stored_entry(item, item.path[len(path) :].lstrip("/")) or Entry(item.path, item.size, "") for item in found]


def find_similar(context: Context, workspace_id: str, name: str, experiment_id: str, before: str | None = None) -> Row | None:
    """Return the last step run of this name with a result of its own, or None; one of the same experiment if there is any."""
    last = (
        f"{_RESULT} where r.workspace_id = ? and r.name = ? and r.status = 'Completed' and s.reused_run_id is null"
        " and s.components is not null and (? is null or r.created_at < ?) and (? is null or r.experiment_id = ?)"
        " order by r.created_at desc limit 1"
    )
    for experiment in (experiment_id, None):
        found = context.database.first(last, [workspace_id, name, before, before, experiment, experiment])
        if found:
            return found
    return None


def describe(context: Context, old: dict[str, Any], new: dict[str, Any], inputs: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return what differs between the components of two keys, each with a sentence; a source folder's difference names the files.

    `inputs` are the names of the step's inputs, as keys know only their places.
    """
    found = fingerprints.differences(old, new)
    told = [(item.old, item.new) for item in found if item.component.startswith("parameters.")]
    return [
        {"component": item.component, "old": item.old, "new": item.new, "reason": _sentence(context, item, inputs)}
        for item in found
        if not (item.component.startswith("arguments[") and (item.old, item.new) in told)  # the same change, as the script sees it
    ]


def _sentence(context: Context, item: fingerprints.Difference, inputs: Sequence[str]) -> str:
    if item.component == "snapshot":
        return f"the source folder changed ({_changed_files(context, item.old, item.new)})"
    if item.component.startswith("inputs["):
        place, _, member = item.component[7:].partition("].")
        name = f"the input '{inputs[int(place)]}'" if int(place) < len(inputs) else f"input {place}"
        if member == "content":
            return f"{name} has other content{_changed_data(context, item.old, item.new)}"
        if member == "name":
            return f"{name} had another name" + (f", '{item.old}'" if item.old else "")
        if member == "definition":
            return f"{name} is another dataset, or one that is read in another way"
    if item.component.startswith("environment"):
        return (
            "the environment changed"
            if item.component != "environment.python"
            else f"the interpreter changed from {item.old} to {item.new}"
        )
    if item.component.startswith("parameters."):
        return f"the parameter '{item.component[11:]}' changed from {_shown(item.old)} to {_shown(item.new)}"
    return f"{item.component} changed from {_shown(item.old)} to {_shown(item.new)}"


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return f"{value[:_LONGEST_SHOWN]!r}... ({len(value)} characters)"
    return repr(value)


def _changed_files(context: Context, old: str | None, new: str | None) -> str:
    return describe_changes(_snapshot(context, old), _snapshot(context, new)) or "unknown files"


def _snapshot(context: Context, digest: str | None) -> list[Entry]:
    row = context.database.first("select manifest from snapshots where digest = ?", [digest])
    return [Entry(*entry) for entry in json.loads(row["manifest"])] if row else []


def _changed_data(context: Context, old: str | None, new: str | None) -> str:
    """Return ` (changed: a.csv)`, or '' where it is not known which files differ."""
    before, after = find_entries(context, old), find_entries(context, new)
    changes = describe_changes(before, after) if before is not None and after is not None else ""
    return f" ({changes})" if changes else ""


def explain(context: Context, run_id: str) -> list[dict[str, Any]]:
    """Return why a step ran or was reused: one row for each component that differs from the last similar run.

    Raises:
        NotFound: There is no such step run.
    """
    row = context.database.first(
        "select s.*, r.name, r.workspace_id, r.experiment_id, r.created_at"
        " from step_runs s join runs r on r.id = s.run_id where s.run_id = ?",
        [run_id],
    )
    if row is None:
        raise NotFound(f"There is no step run '{run_id}'.", run_id=run_id)
    reason = {"component": "", "old": None, "new": None, "reason": row["reason"] or "It has not been decided yet."}
    if row["reused_run_id"] or not row["components"]:
        return [reason]
    similar = find_similar(context, row["workspace_id"], row["name"], row["experiment_id"], row["created_at"])
    if similar is None:
        return [reason]
    names = _input_names(context, row)
    return [reason, *describe(context, json.loads(similar["components"]), json.loads(row["components"]), names)]


def _input_names(context: Context, row: Row) -> list[str]:
    graph = context.database.first(
        "select document from graphs g join pipeline_runs p on p.graph_id = g.id where p.run_id = ?", [row["pipeline_run_id"]]
    )
    return [port.name for port in parse_graph(json.loads(graph["document"])).step(row["node_id"]).inputs] if graph else []
