"""A run and the runs below it, as lines of text and as a table."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional

from penstock.model import status as words
from penstock.model.run_types import PIPELINE_RUN, STEP_RUN

Record = Dict[str, Any]


def steps_of(run: Any) -> List[Record]:
    """Return the runs directly below a run, in the order in which they were made."""
    found: List[Record] = run._client.list_children(run.id)
    return sorted(found, key=lambda record: (record.get("created_at") or "", record.get("number") or 0))


def lines(record: Record, steps: List[Record], link: str) -> Iterator[str]:
    """Give the view as lines: the run, its steps below it, the link."""
    yield f"Run {record['id']} ({record.get('type') or 'interactive'}): {_word(record)}{_duration(record)}"
    width = max([len(_name(step)) for step in steps] or [0])
    for step in steps:
        yield f"  {_name(step):{width}}  {_word(step)}{_duration(step)}{_note(step)}"
    yield f"Web View: {link}"


def advance(record: Record, event: Record) -> Optional[str]:
    """Bring a run's record up to an event; return the line that tells of it, or None when it tells nothing new.

    Events that led to what the record says already change nothing, so they may all be told from the first one on.
    """
    status, before = event["status"], _word(record)
    if not status or words.ALL.index(status) <= words.ALL.index(record["status"]) or words.is_final(record["status"]):
        return None
    detail = event.get("detail") or {}
    record["status"] = status
    if status == words.RUNNING or detail.get("reused"):
        record["started_at"] = event["at"]
    if words.is_final(status):
        record["ended_at"] = event["at"]
    record["reused"] = detail.get("reused") or record.get("reused")
    record["error"] = detail.get("error") or record.get("error")
    return None if _word(record) == before else f"{_name(record)}: {_word(record)}{_duration(record)}{_note(record)}"


def html(record: Record, steps: List[Record], link: str) -> str:
    """Return the view as a table. Names and errors are text, never markup."""
    from html import escape

    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in (_name(step), _word(step), _duration(step).strip(" ()"), _note(step).strip()))
        + "</tr>"
        for step in steps
    )
    head = f"<b>{escape(_name(record))}</b> {escape(_word(record))}{escape(_duration(record))} {escape(_note(record))}"
    table = f"<table><tr><th>step</th><th>status</th><th>time</th><th></th></tr>{rows}</table>" if steps else ""
    return f'<div>{head} <a href="{escape(link, quote=True)}">{escape(record["id"])}</a>{table}</div>'


def _name(record: Record) -> str:
    return str(record.get("display_name") or record.get("name") or record["id"])


def _word(record: Record) -> str:
    kind, status = record.get("type"), str(record["status"])
    if kind == PIPELINE_RUN:
        return words.pipeline_spelling(status)
    return words.step_spelling(status) if kind == STEP_RUN else status


def _note(record: Record) -> str:
    if record.get("reused"):
        return "  reused"
    error = record.get("error")
    return f"  {str(error.get('message') or '').splitlines()[0] if error.get('message') else error.get('code')}" if error else ""


def _duration(record: Record) -> str:
    from azureml.core._times import parse_time

    start, end = parse_time(record.get("started_at")), parse_time(record.get("ended_at"))
    return f" ({(end - start).total_seconds():.1f} s)" if start and end else ""
