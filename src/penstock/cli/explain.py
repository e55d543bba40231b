"""`penstock explain`: why each step ran or was reused."""

from __future__ import annotations

import json
from typing import Any

from penstock.cli.lookup import SHORT, Run, get_run, list_steps
from penstock.cli.progress import Progress
from penstock.cli.runs import spell_status
from penstock.cli.tables import cut, format_table
from penstock.client import connect

WIDTH = 48


def print_explanation(text: str, step: str | None, *, as_json: bool) -> int:
    """Print, for each step of a run or for the named one, what decided between running and reusing it."""
    with Progress("asking why"):
        steps = list_steps(get_run(text), step)
        components = {item["id"]: connect().explain(item["id"]) for item in steps}
    if as_json:
        shown = [{**_facts(item), "components": components[item["id"]]} for item in steps]
        print(json.dumps(shown, indent=2))
        return 0
    print("\n\n".join(_explain(item, components[item["id"]]) for item in steps) or "This run has no steps.")
    return 0


def _facts(step: Run) -> dict[str, Any]:
    return {"run_id": step["id"], "step": step["name"], "status": step["status"], "reused": step["reused"], "reason": step.get("reason")}


def _explain(step: Run, components: list[dict[str, Any]]) -> str:
    source = step["reused"]
    if source:
        head = f"{step['name']}: reused from {source['experiment_name']} run {str(source['pipeline_run_id'])[:SHORT]}"
    else:
        head = f"{step['name']}: {spell_status(step)}"
    reason = f". {step['reason']}" if step.get("reason") else ""
    # A row without a component repeats the reason of the whole.
    rows = [
        (str(item["component"]), _cut(item["old"]), _cut(item["new"]), str(item["reason"] or ""))
        for item in components
        if item["component"]
    ]
    if not rows:
        return head + reason
    return f"{head}{reason}\n{format_table(('COMPONENT', 'BEFORE', 'NOW', 'WHY'), rows)}"


def _cut(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return cut(text, WIDTH)
