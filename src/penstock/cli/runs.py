"""`penstock runs` and `penstock cancel`."""

from __future__ import annotations

import argparse
import difflib
import json
import time
from typing import Any

from penstock.cli.lookup import SHORT, Run, describe, get_run
from penstock.cli.progress import Progress
from penstock.cli.tables import format_duration, format_table, format_time
from penstock.client import connect
from penstock.model import status
from penstock.model.errors import Invalid
from penstock.model.ids import short_id
from penstock.model.run_types import PIPELINE_RUN, STEP_RUN

CANCEL_WAIT_SECONDS = 60
POLL_SECONDS = 10


def spell_status(run: Run) -> str:
    """Return a run's status as v1 spells it for its kind of run."""
    if run["type"] == PIPELINE_RUN:
        return status.pipeline_spelling(run["status"])
    return status.step_spelling(run["status"]) if run["type"] == STEP_RUN else str(run["status"])


def print_runs(options: argparse.Namespace) -> int:
    """Print the runs that the options select, newest first."""
    wanted = sorted(parse_status(options.status)) if options.status else None
    with Progress("asking for the runs"):
        runs = connect().list_runs(
            experiment_name=options.experiment,
            tags=_parse_tags(options.tag) or None,
            include_children=options.all,
            status=wanted,
            limit=options.limit,
        )
    if options.json:
        print(json.dumps(runs, indent=2))
    elif runs:
        print(format_runs(runs))
    else:
        print("No runs.")
    return 0


def format_runs(runs: list[Run]) -> str:
    """Return a table of runs, in the order given."""
    heads = ("RUN", "NAME", "STATUS", "STARTED", "DURATION")
    shown = short_ids([run["id"] for run in runs])
    rows = [
        (
            shown[run["id"]],
            describe(run),
            spell_status(run),
            format_time(run["started_at"] or run["created_at"]),
            format_duration(run["started_at"], run["ended_at"]),
        )
        for run in runs
    ]
    return format_table(heads, rows)


def short_ids(ids: list[str]) -> dict[str, str]:
    """Return id -> what is shown of it: of UUIDs as many letters as tell these apart, at least eight; ids made of words whole.

    Scripts' ids begin with the experiment and the time, so that the next run soon begins like this one.
    """
    uuids = {text for text in ids if short_id(text) != text}
    longest = max(map(len, uuids), default=SHORT)
    width = next((width for width in range(SHORT, longest) if len({text[:width] for text in uuids}) == len(uuids)), longest)
    return {text: text[:width] if text in uuids else text for text in ids}


def parse_status(text: str) -> set[str]:
    """Return the stored words that a status as typed stands for: stored ones and v1's pipeline and step spellings.

    Raises:
        Invalid: There is no such status; the message names the nearest one.
    """
    known: dict[str, set[str]] = {}
    for word in status.ALL:
        for spelling in {word, status.pipeline_spelling(word), status.step_spelling(word)}:
            known.setdefault(spelling, set()).add(word)
    exact = {spelling.lower(): spelling for spelling in known}
    if text.lower() in exact:
        return known[exact[text.lower()]]
    near = difflib.get_close_matches(text.lower(), exact, n=1)
    hint = f"Did you mean '{exact[near[0]]}'?" if near else f"There are: {', '.join(known)}."
    raise Invalid(f"There is no status '{text}'. {hint}")


def _parse_tags(texts: list[str]) -> dict[str, Any] | str:
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise Invalid(f"With several tags each needs a value: --tag {name}=VALUE.")
        pairs[name] = value
    return pairs


def cancel(text: str, *, as_json: bool) -> int:
    """Cancel a run, wait until its processes have ended, and say so."""
    client = connect()
    run = get_run(text)
    if status.is_final(run["status"]):
        message = f"Run {run['id']} ({describe(run)}) has ended already: {spell_status(run)}."
    else:
        run = client.cancel_run(run["id"])
        with Progress(f"waiting for the processes of {describe(run)} to end"):
            run = _wait_for_end(run)
        message = _say_canceled(run)
    print(json.dumps(run, indent=2) if as_json else message)
    return 0


def _wait_for_end(run: Run) -> Run:
    client, last, deadline = connect(), 0, time.monotonic() + CANCEL_WAIT_SECONDS
    while not status.is_final(run["status"]) and time.monotonic() < deadline:
        answer = client.follow_run(run["id"], after=last, wait_seconds=POLL_SECONDS)
        run, last = answer["run"], answer["last"]
    return run


def _say_canceled(run: Run) -> str:
    if run["status"] == status.CANCELED:
        return f"Canceled run {run['id']} ({describe(run)})."
    if status.is_final(run["status"]):
        return f"Run {run['id']} ({describe(run)}) ended before it could be canceled: {spell_status(run)}."
    return f"Run {run['id']} ({describe(run)}) is asked to end and has not yet; 'penstock show {short_id(run['id'])}' tells."
