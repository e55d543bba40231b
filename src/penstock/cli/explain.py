"""`penstock explain`: why each step ran or was reused."""

from __future__ import annotations

import json
import re
from typing import Any

from penstock.cli.lookup import Run, get_run, list_steps
from penstock.cli.progress import Progress
from penstock.cli.runs import spell_status
from penstock.cli.tables import cut, format_time, tell_reason, wrap
from penstock.client import connect
from penstock.model.ids import short_id

VALUE_WIDTH = 48

_ENDED = re.compile(r"which ended (\S+Z)")
_SINCE = re.compile(r"since run (\S+(?: of .+)?)\.$")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def print_explanation(text: str, step: str | None, *, as_json: bool) -> int:
    """Print, for each step of a run or for the named one, what decided between running and reusing it."""
    with Progress("asking why"):
        steps = list_steps(get_run(text), step)
        components = {item["id"]: connect().explain(item["id"]) for item in steps}
    if as_json:
        shown = [{**_facts(item), "components": components[item["id"]]} for item in steps]
        print(json.dumps(shown, indent=2))
        return 0
    print("\n\n".join(explain(item, components[item["id"]]) for item in steps) or "This run has no steps.")
    return 0


def _facts(step: Run) -> dict[str, Any]:
    return {"run_id": step["id"], "step": step["name"], "status": step["status"], "reused": step["reused"], "reason": step.get("reason")}


def explain(step: Run, components: list[dict[str, Any]]) -> str:
    """Return why one step ran or was reused, as lines for a person.

    Args:
        step: The step run.
        components: What differs from the last similar run; a row without a component repeats the reason of the whole.
    """
    if step["reused"]:
        return "\n".join(wrap(_say_reuse(step), "", "  "))
    told = [_say_difference(item) for item in components if item["component"]]
    reason = tell_reason(step.get("reason"))
    head = f"{step['name']}: {spell_status(step)}"
    if not told or (len(told) == 1 and told[0].lower() in reason.lower()):
        return "\n".join(wrap(f"{head}. {reason}" if reason else head, "", "  "))
    since = _SINCE.search(reason)
    lines = wrap(f"{head}. Changed since {f'run {since[1]}' if since else 'the last such run'}:", "", "  ")
    return "\n".join([*lines, *[line for item in told for line in wrap(item, "  - ", "    ")]])


def _say_reuse(step: Run) -> str:
    source, ended = step["reused"], _ENDED.search(step.get("reason") or "")
    when = f", which ended {format_time(ended[1])}" if ended else ""
    return f"{step['name']}: reused from {source['experiment_name']} run {short_id(str(source['pipeline_run_id']))}{when}."


def _say_difference(item: dict[str, Any]) -> str:
    """The service's sentence; where that would hold whole lists and dicts, one of our own with what can be said shortly."""
    component, old, new = item["component"], item["old"], item["new"]
    sentence = str(item["reason"] or f"{component} changed")
    if not any(value is not None and repr(value) in sentence for value in (old, new)):
        return tell_reason(sentence)
    if any(isinstance(value, dict | list) or _is_digest(value) for value in (old, new)):
        return f"{component} changed{_say_values(old, new)}"
    return cut(sentence, 4 * VALUE_WIDTH)


def _say_values(old: Any, new: Any) -> str:
    if _is_digest(old) or _is_digest(new):
        return ""
    if isinstance(old, dict) or isinstance(new, dict):
        names = sorted({*(old if isinstance(old, dict) else ()), *(new if isinstance(new, dict) else ())})
        return cut(f" ({', '.join(map(str, names))})", VALUE_WIDTH) if names else ""
    if isinstance(old, list) and isinstance(new, list):
        parts = [("new", _list_texts(new, old)), ("gone", _list_texts(old, new))]
        told = "; ".join(f"{word}: {cut(', '.join(texts), VALUE_WIDTH)}" for word, texts in parts if texts)
        return f" ({told})" if told else f" from {_short(old)} to {_short(new)}"
    return f" from {_short(old)} to {_short(new)}"


def _list_texts(items: list[Any], known: list[Any]) -> list[str]:
    return [item for item in items if isinstance(item, str) and item not in known]


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
    return cut(repr(value), VALUE_WIDTH)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
