"""Earlier results: finding one that still stands, and telling why a step ran or was reused."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.compile import fingerprints
from penstock.compile.manifests import walk
from penstock.model.errors import NotFound
from penstock.model.graph import parse_graph
from penstock.operations.context import Context
from penstock.persistence.database import Row
from penstock.storage.paths import safe_join

_RESULT = """
    select s.run_id, s.node_id, s.pipeline_run_id, s.outputs, s.components, r.ended_at, r.name, e.name as experiment_name
      from step_runs s join runs r on r.id = s.run_id join experiments e on e.id = r.experiment_id"""


def find_result(context: Context, workspace_id: str, key: str) -> Row | None:
    """Return the step run that made this key's result, or None."""
    return context.database.first(
        f"{_RESULT} join reuse u on u.run_id = s.run_id where u.workspace_id = ? and u.key = ? and r.status = 'Completed'",
        [workspace_id, key],
    )


def find_missing_output(outputs: list[dict[str, Any]], roots: dict[str, str]) -> str | None:
    """Return the name of an output that is not there any more as it was, or None. Looks at names and sizes, reads nothing."""
    for output in outputs:
        root = roots.get(output["datastore"])
        if root is None:
            return str(output["name"])
        if not output["is_published"]:
            continue
        path = str(safe_join(Path(root), output["path"]))
        sizes = [os.path.getsize(path)] if os.path.isfile(path) else [about.st_size for _, _, about in walk(path)]
        if not os.path.exists(path) or len(sizes) != output["files"] or sum(sizes) != output["bytes"]:
            return str(output["name"])
    return None


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
    if item.component.startswith("inputs[") and item.component.endswith(".content"):
        place = int(item.component[7:].partition("]")[0])
        return f"the input '{inputs[place]}' has other content" if place < len(inputs) else f"input {place} has other content"
    if item.component.startswith("environment"):
        return (
            "the environment changed"
            if item.component != "environment.python"
            else f"the interpreter changed from {item.old} to {item.new}"
        )
    if item.component.startswith("parameters."):
        return f"the parameter '{item.component[11:]}' changed from {item.old!r} to {item.new!r}"
    return f"{item.component} changed from {item.old!r} to {item.new!r}"


def _changed_files(context: Context, old: str | None, new: str | None) -> str:
    before, after = _manifest(context, old), _manifest(context, new)
    words = [("changed", [path for path in after if path in before and before[path] != after[path]])]
    words += [("new", [path for path in after if path not in before]), ("gone", [path for path in before if path not in after])]
    return (
        ", ".join(f"{word}: {', '.join(paths[:5])}{' ...' if len(paths) > 5 else ''}" for word, paths in words if paths) or "unknown files"
    )


def _manifest(context: Context, digest: str | None) -> dict[str, Any]:
    row = context.database.first("select manifest from snapshots where digest = ?", [digest])
    return {entry[0]: entry[2:] for entry in json.loads(row["manifest"])} if row else {}


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
