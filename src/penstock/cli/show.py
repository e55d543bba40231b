"""`penstock show`: one run, its steps as a tree, and what went wrong."""

from __future__ import annotations

import json
import shlex
from typing import Any

from penstock.cli.lookup import Run, describe, get_run, list_steps
from penstock.cli.progress import Progress
from penstock.cli.runs import spell_status
from penstock.cli.tables import cut, format_duration, format_table, format_time, one_line, tell_reason, terminal_width, wrap
from penstock.cli.trees import Branch, list_branches
from penstock.client import connect
from penstock.model import status
from penstock.model.graph import PipelineGraph, parse_graph
from penstock.model.ids import short_id
from penstock.model.run_types import PIPELINE_RUN, STEP_RUN

ERROR_LINES = 20
WARNING_LETTERS = 240
WARNED_STEPS = 3
VALUE_WIDTH = 80
NAME_WIDTH = 60
_HAVE_PLACES = (status.STARTING, status.RUNNING, status.FINALIZING, status.CANCEL_REQUESTED)


def print_run(text: str, *, as_json: bool) -> int:
    """Print the run that `text` names, as lines for a person or as JSON."""
    with Progress("asking for the run"):
        run = get_run(text)
        is_pipeline = run["type"] == PIPELINE_RUN
        steps = list_steps(run) if is_pipeline else []
        graph = parse_graph(connect().get_graph(run["id"])) if is_pipeline else PipelineGraph()
        metrics = connect().list_metric_values(run["id"], recursive=True)
        is_full = _is_waited_for(steps)
    shown = {key: found["values"] for key, found in metrics.items()}
    if as_json:
        print(json.dumps(_document(run, steps, graph, shown), indent=2))
        return 0
    lines = [
        *_head(run),
        *_tree(steps, graph, is_full=is_full),
        *_metrics(run, steps, shown),
        *_errors(run, steps),
        *_warnings([run, *steps]),
    ]
    print("\n".join(lines))
    return 0


def _is_waited_for(steps: list[Run]) -> bool:
    """Tell whether a step is ready and others, of this run or any, have taken the places."""
    found = {step["status"] for step in steps}
    if status.QUEUED not in found:
        return False
    return bool(found & set(_HAVE_PLACES)) or bool(
        connect().list_runs(type=STEP_RUN, status=list(_HAVE_PLACES), include_children=True, limit=1)
    )


def _document(run: Run, steps: list[Run], graph: PipelineGraph, metrics: dict[str, Any]) -> dict[str, Any]:
    names = {node.id: node.name for node in graph.steps}
    after = {node.id: [names[item] for item in node.predecessors() if item in names] for node in graph.steps}
    shown = [{**step, "after": after.get(step["node_id"], []), "metrics": metrics.get(step["id"], {})} for step in steps]
    return {**run, "metrics": metrics.get(run["id"], {}), "steps": shown}


def _head(run: Run) -> list[str]:
    facts = [
        ("run", run["id"]),
        ("name", describe(run)),
        ("status", _say_status(run)),
        ("started", format_time(run["started_at"] or run["created_at"])),
        ("parameters", _pairs(run.get("parameters") or {})),
        ("tags", _pairs(run["tags"] or {})),
        ("reused", _say_reuse(run)),
    ]
    width = max(len(name) for name, _ in facts)
    return [cut(f"{name.ljust(width)}  {one_line(value)}", terminal_width()) for name, value in facts if value]


def _say_status(run: Run) -> str:
    word = " in " if status.is_final(run["status"]) else " for "
    return word.join(filter(None, [spell_status(run), format_duration(run["started_at"], run["ended_at"])]))


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items())


def _tree(steps: list[Run], graph: PipelineGraph, *, is_full: bool) -> list[str]:
    if not graph.steps:
        return []
    runs = {step["node_id"]: step for step in steps}
    names = {node.id: node.name for node in graph.steps}
    rows = []
    for branch in list_branches(graph):
        step = runs.get(branch.node_id)
        rows.append((branch.drawing, _label(branch, names), *(_step_cells(step, is_full=is_full) if step else ("NotStarted", "", ""))))
    return ["", format_tree(rows)]


def _label(branch: Branch, names: dict[str, str]) -> str:
    if not branch.also_after:
        return names[branch.node_id]
    after = ", ".join(names[item] for item in branch.also_after)
    return f"{names[branch.node_id]} ({'also after' if branch.shows_parent else 'after'} {after})"


def _step_cells(step: Run, *, is_full: bool) -> tuple[str, str, str]:
    duration = "" if step["reused"] else format_duration(step["started_at"], step["ended_at"])
    reason = _say_reuse(step) or tell_reason(step.get("reason"))
    if is_full and step["status"] == status.QUEUED:
        reason = "waits for a free place"
    return spell_status(step), duration, reason


def _say_reuse(run: Run) -> str:
    source = run.get("reused")
    if not source:
        return ""
    return f"reused from {source['experiment_name']} run {short_id(str(source['pipeline_run_id']))}"


def format_tree(rows: list[tuple[str, str, str, str, str]]) -> str:
    """Return a table whose first column is a drawn tree, which keeps its leading blanks."""
    cells = [(drawing.replace(" ", "\0") + name, *rest) for drawing, name, *rest in rows]
    below = [drawing for drawing, *_ in rows[1:]] + [""]
    margins = ["".join("│" if sign in "│├└" else "\0" for sign in drawing) for drawing in below]
    return format_table(("STEP", "STATUS", "DURATION", "WHY"), cells, margins=margins).replace("\0", " ")


def _metrics(run: Run, steps: list[Run], metrics: dict[str, Any]) -> list[str]:
    names = {run["id"]: "", **{step["id"]: str(step["name"]) for step in steps}}
    rows = [(names.get(key, short_id(key)), name, _short(value)) for key, values in metrics.items() for name, value in values.items()]
    rows.sort(key=lambda row: list(names.values()).index(row[0]) if row[0] in names.values() else len(names))
    return ["", format_table(("STEP", "METRIC", "VALUE"), rows)] if rows else []


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else json.dumps(value)
    return cut(text, VALUE_WIDTH)


def _errors(run: Run, steps: list[Run]) -> list[str]:
    lines = []
    failed = [step for step in steps if step.get("error")]
    for step in failed:
        name = one_line(str(step["name"]))
        lines += ["", f"step {cut(name, NAME_WIDTH)} failed:", *_error_lines(step)]
        argument = step["name"] if len(name) <= NAME_WIDTH else step["id"]
        if "penstock logs " not in str(step["error"].get("message")):
            lines.append(f"  Its log: penstock logs {short_id(run['id'])} {shlex.quote(str(argument))}")
    if run.get("error") and not failed:
        lines += ["", "error:", *_error_lines(run)]
    return lines


def _warnings(runs: list[Run]) -> list[str]:
    """Each warning once, with the steps that have it."""
    found: dict[str, list[str]] = {}
    for run in runs:
        for warning in run.get("warnings") or []:
            text = one_line(str(warning.get("message", warning) if isinstance(warning, dict) else warning))
            names = found.setdefault(text.replace(f" of step '{run['name']}'", "").replace(f"step '{run['name']}'", "the step"), [])
            if run["type"] == STEP_RUN:
                names.append(cut(one_line(str(run["name"])), NAME_WIDTH))
    lines = []
    for text, names in found.items():
        more = f" and {len(names) - WARNED_STEPS} more" if len(names) > WARNED_STEPS else ""
        who = f" ({', '.join(names[:WARNED_STEPS])}{more})" if names else ""
        lines += ["", *wrap(cut(text, WARNING_LETTERS), f"warning{who}: ", "  ")]
    return lines


def _error_lines(run: Run) -> list[str]:
    lines = str((run["error"] or {}).get("message", "")).splitlines()
    cut = lines[-ERROR_LINES:]
    return [*(["  ..."] if len(lines) > ERROR_LINES else []), *[f"  {line}" for line in cut]]
