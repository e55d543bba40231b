"""From what a person typed to a run or a step of it."""

from __future__ import annotations

import difflib
from typing import Any

from penstock.client import connect
from penstock.model.errors import Invalid, NotFound
from penstock.model.ids import short_id
from penstock.model.run_types import SCRIPT_RUN, STEP_RUN

LAST = "last"
SHORT = 8
_SHOWN = 5  # of the runs that a short id may mean
_TELLING = 4  # letters at the beginning of an id
_ALIKE = 0.75
_FOR_HINTS = 200  # so many of the newest runs are looked at to find what was probably meant

Run = dict[str, Any]


def get_run(text: str) -> Run:
    """Return the run that `text` names: a whole id, the unique beginning of one, or `last`.

    Raises:
        NotFound: There is none; the message names the nearest one.
        Invalid: Several runs begin so.
    """
    client = connect()
    if text == LAST:
        newest = client.list_runs(limit=1)
        if not newest:
            raise NotFound("There is no run yet. 'penstock run SCRIPT' starts one.")
        return newest[0]
    try:
        return client.get_run(text)
    except NotFound:
        return _get_by_prefix(text)


def _get_by_prefix(text: str) -> Run:
    client = connect()
    found = client.list_runs(id_prefix=text, include_children=True, limit=_SHOWN + 1)
    if len(found) == 1:
        return client.get_run(found[0]["id"])
    if found:
        listed = ", ".join(f"{run['id']} ({describe(run)})" for run in found[:_SHOWN])
        count = str(len(found)) if len(found) <= _SHOWN else f"More than {_SHOWN}"
        raise Invalid(f"{count} runs begin with '{text}': {listed}{', ...' if len(found) > _SHOWN else ''}. Type more of the id.")
    raise NotFound(f"There is no run '{text}'.{_hint(text, client.list_runs(include_children=True, limit=_FOR_HINTS))}")


def _hint(text: str, runs: list[Run]) -> str:
    if difflib.get_close_matches(text, [LAST]):
        return f" Did you mean '{LAST}'?"
    near = _find_nearest_id(text, [run["id"] for run in runs])
    if near:
        return f" Did you mean {near}?"
    named = difflib.get_close_matches(text, {str(run["name"]) for run in runs if run.get("name")}, n=1)
    if named:
        return f" A step is named '{named[0]}': 'penstock show last' lists steps, 'penstock logs last {named[0]}' prints its log."
    return " 'penstock runs' lists them." if runs else " There are no runs yet."


def _find_nearest_id(text: str, ids: list[str]) -> str | None:
    """The id that begins as the text does, else one much like it. Few letters resemble some id by chance."""
    if len(text) < _TELLING:
        return None
    same = next((item for item in ids if item.startswith(text[:_TELLING])), None)
    begins = {item[: len(text)]: item for item in reversed(ids)}
    near = difflib.get_close_matches(text, begins, n=1, cutoff=_ALIKE)
    return begins[near[0]] if near else same


def describe(run: Run) -> str:
    """Return a run's name for a person: its step's, or its experiment's with the number in it."""
    if run["type"] == STEP_RUN:
        return str(run["name"])
    return f"{run['experiment_name']} {run['number']}"


def list_steps(run: Run, step: str | None = None) -> list[Run]:
    """Return the step runs of a pipeline run in the order they started, or those named `step`.

    A step's or a script's run stands for itself.

    Raises:
        NotFound: No step has this name; the message names the nearest one.
    """
    steps = [run] if run["type"] in (STEP_RUN, SCRIPT_RUN) else _list_children(run)
    if step is None:
        return steps
    found = [item for item in steps if item["name"] == step or item["id"] == step]
    if not found:
        raise NotFound.named("step", step, {str(item["name"]) for item in steps}, f"run {short_id(run['id'])} ({describe(run)})")
    return found


def _list_children(run: Run) -> list[Run]:
    steps = connect().list_children(run["id"], type=STEP_RUN)
    return sorted(steps, key=lambda item: (item["started_at"] or "9", item["created_at"]))
