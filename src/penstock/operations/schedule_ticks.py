"""Ticks: what became of each time that a schedule was due. One row each, written with its run in one transaction or not at all.

So each happens once, also when several services look after the same rows. What nobody was there for follows the catch-up rule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from penstock.model.errors import PenstockError
from penstock.operations.context import Change, Context, format_time
from penstock.operations.mishaps import tell, will_pass
from penstock.operations.published_runs import accept_in
from penstock.operations.schedules import DATASTORE, RECURRENCE, due_after, find_pipeline, recurrence_of, wanted_of
from penstock.persistence.database import Row
from penstock.recurrence.recurrence import Recurrence, count_between, last_until, next_after, parse_moment

log = logging.getLogger("penstock.schedules")

SUBMITTED, SKIPPED, FAILED = "Submitted", "Skipped", "Failed"
NONE, LAST, ALL = "none", "last", "all"

ON_TIME = timedelta(seconds=60)  # a tick that is done so late was late, not missed
_INSTANT = timedelta(microseconds=1)
_MOST_AT_ONCE = 20  # ticks of one schedule that makes up for all; then the others have their turn
_MOST_IN_A_LOOK = 100  # ticks of all schedules; then it is looked which others became due meanwhile, for they go first

_ON_TIME_REASON = "due"
_LATE_REASON = "missed while no service ran, and made up for"
_SKIPPED_REASON = "missed while no service ran; the catch-up rule is '{rule}'"


# When


def next_due(context: Context) -> str | None:
    """Return when the next schedule of this home is due, of whatever kind; None when none is."""
    row = context.database.first("select min(next_at) as next_at from schedules where next_at is not null")
    return row["next_at"] if row else None


@dataclass(frozen=True)
class Turn:
    """What to do about a schedule that is due: which ticks to skip, which one to run, and when it is due then.

    Attributes:
        tick: The tick to run; None to run none.
        is_late: Whether it was missed, and is made up for.
        skipped_from: The first tick to skip; None to skip none.
        skipped_until: The last one.
        skipped_count: How many these are.
        following: When the schedule is due then; None when it never is again.
        planned_at: The time by which this was decided.
    """

    tick: datetime | None
    is_late: bool
    skipped_from: datetime | None
    skipped_until: datetime | None
    skipped_count: int
    following: datetime | None
    planned_at: datetime


def plan_turn(recurrence: Recurrence, anchor: datetime, due: datetime, now: datetime, rule: str) -> Turn:
    """Return what to do about a schedule that has been due since `due`.

    Args:
        recurrence: Its recurrence.
        anchor: From when that counts.
        due: The first tick that nothing was done about.
        now: The time.
        rule: none, last or all: which ticks that were missed are made up for.
    """
    following = next_after(recurrence, anchor, due)
    if rule == ALL or following is None or following > now:
        last = due
    else:
        last = max(last_until(recurrence, anchor, now) or due, due)
        following = next_after(recurrence, anchor, last)
    is_late = now - last > ON_TIME
    runs = rule != NONE or not is_late
    if runs and last == due:
        return Turn(due, is_late, None, None, 0, following, now)
    skipped_until = max(last_until(recurrence, anchor, last - _INSTANT) or due, due) if runs else last
    skipped_count = 1 + count_between(recurrence, anchor, due, skipped_until)
    return Turn(last if runs else None, is_late, due, skipped_until, skipped_count, following, now)


# Doing


def fire_due(context: Context, is_wanted: Callable[[], bool] = lambda: True) -> int:
    """Do what schedules with a recurrence are due for, or some of it; return how many ticks were dealt with. Call it again while it
    returns any.

    Args:
        context: The surroundings.
        is_wanted: Asked between two schedules; the rest is left for the next time when it says no.
    """
    now = context.now()
    # Those that are due just now go before those that have much to make up for.
    due = context.database.all("select id from schedules where next_at <= ? and kind = ? order by next_at desc", (now, RECURRENCE))
    done = 0
    for row in due:
        if done >= _MOST_IN_A_LOOK or not is_wanted():
            break
        done += _fire(context, row["id"], now)
    return done


def _fire(context: Context, schedule_id: str, now: str) -> int:
    """Do what one schedule is due for. What can't be done now is left for the next time; the other schedules don't wait for it."""
    done = 0
    try:
        while done < _MOST_AT_ONCE:
            row = context.database.first("select * from schedules where id = ? and next_at <= ?", (schedule_id, now))
            if row is None or not _do_turn(context, row, parse_moment(now)):
                break
            done += 1
    except Exception as error:
        log.error("schedule.postponed schedule_id=%s reason=%s", schedule_id, error, exc_info=not will_pass(error))
    return done


def _do_turn(context: Context, row: Row, now: datetime) -> bool:
    """Write the next ticks of a schedule; return False when somebody else did, or changed it meanwhile."""
    rule = row["catch_up"] or context.settings.schedule_catch_up
    turn = plan_turn(recurrence_of(row), parse_moment(row["anchor_at"]), parse_moment(row["next_at"]), now, rule)
    try:
        return _write_turn(context, row, turn, rule)
    except Exception as error:
        if will_pass(error):
            raise
        if not isinstance(error, PenstockError):
            log.exception("schedule.broke schedule_id=%s", row["id"])
        return _write_turn(context, row, turn, rule, tell(error))


def _write_turn(context: Context, row: Row, turn: Turn, rule: str, failure: str | None = None) -> bool:
    """Write all of a turn in one transaction, its run included; or, after a failure, the reason in its place."""
    with context.change() as change:
        if not holds_still(change, row):
            return False
        if turn.skipped_from is not None and turn.skipped_until is not None:
            missed: dict[str, Any] = {"missed_count": turn.skipped_count, "missed_until": format_time(turn.skipped_until)}
            write_tick(change, row["id"], format_time(turn.skipped_from), SKIPPED, _SKIPPED_REASON.format(rule=rule), **missed)
        if turn.tick is not None:
            due_at = format_time(turn.tick)
            if failure is not None:
                write_tick(change, row["id"], due_at, FAILED, failure)
            else:
                submit_tick(context, change, row, due_at, _LATE_REASON if turn.is_late else _ON_TIME_REASON)
        following = turn.following and format_time(turn.following)
        seen_at = format_time(turn.planned_at)  # not that of the change: the clock may have been set back just now
        change.rows.execute("update schedules set next_at = ?, seen_at = ? where id = ?", (following, seen_at, row["id"]))
        return True


def realign(context: Context) -> None:
    """Let schedules go by a clock that was set back: while it was wrong, they may have been put off to a time far from now.

    What was done while the clock was ahead of its time has rows, and is not done again. A schedule that was made later than it is now stays
    as it is: then it may as well be now that the clock is wrong.
    """
    now = context.now()
    rows = context.database.all(_PUT_OFF, {"now": now, "datastore": DATASTORE})
    nearer = [(row, due_after(row, parse_moment(now))) for row in rows]
    wrong = [(row, due_at) for row, due_at in nearer if due_at is not None and due_at < row["next_at"]]
    if wrong:
        with context.change() as change:
            for row, due_at in wrong:
                if holds_still(change, row):
                    change.rows.execute("update schedules set next_at = ? where id = ?", (due_at, row["id"]))


# Schedules that something was done about at a time which is still to come. Those that watch files may have failed to look then.
_PUT_OFF = """
    select * from schedules
     where next_at > :now and created_at <= :now and (seen_at > :now or modified_at > :now or kind = :datastore)"""


def holds_still(change: Change, row: Row) -> bool:
    """Tell whether a schedule is still as it was read: nobody changed it, and nobody did what it was due for."""
    return bool(
        change.rows.first(
            "select 1 from schedules where id = ? and next_at is ? and modified_at = ?", (row["id"], row["next_at"], row["modified_at"])
        )
    )


def submit_tick(
    context: Context,
    change: Change,
    row: Row,
    due_at: str,
    reason: str,
    subject: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> str | None:
    """Start the run of a tick and write its row, both in the transaction of `change`; return the run's id, None for a tick done before.

    Args:
        context: The surroundings.
        change: The transaction.
        row: The schedule.
        due_at: The tick.
        reason: Why it is done.
        subject: The file that changed, where each has a run of its own.
        parameters: Values beside those of the schedule.

    Raises:
        PenstockError: It can't run: what it runs is disabled or gone, or does not fit its parameters. The transaction must not go on.
    """
    key = (row["id"], due_at, subject, SKIPPED)
    if change.rows.first("select 1 from schedule_ticks where schedule_id = ? and due_at = ? and subject = ? and outcome <> ?", key):
        return None
    run_id = accept_in(context, change, find_pipeline(change, row), wanted_of(row, parameters), row["endpoint_id"])
    write_tick(change, row["id"], due_at, SUBMITTED, reason, subject, run_id=run_id)
    return run_id


_WRITTEN = ("at", "outcome", "run_id", "reason", "missed_count", "missed_until")
_ONCE = (
    f"on conflict (schedule_id, due_at, subject) do update set {', '.join(f'{name} = excluded.{name}' for name in _WRITTEN)}"
    " where outcome = ? and ? <> outcome"
)


def write_tick(change: Change, schedule_id: str, due_at: str, outcome: str, reason: str, subject: str = "", **more: Any) -> None:
    """Write what became of a tick, unless that is written already, and whether its schedule can run.

    A tick that was skipped while the clock was ahead of its time is done after all when its time comes.

    Args:
        change: The transaction.
        schedule_id: The schedule.
        due_at: When it was due.
        outcome: Submitted, Skipped or Failed.
        reason: Why.
        subject: The file that changed, where each has a run of its own.
        more: Other columns: run_id; missed_count and missed_until.
    """
    row = {"schedule_id": schedule_id, "due_at": due_at, "subject": subject, "at": change.at, "outcome": outcome, "reason": reason, **more}
    names, places = ", ".join(row), ", ".join("?" * len(row))
    values = (*row.values(), SKIPPED, outcome)
    change.rows.execute(f"insert into schedule_ticks ({names}) values ({places}) {_ONCE}", values)
    if outcome != SKIPPED:
        error = reason if outcome == FAILED else None
        change.rows.execute("update schedules set error = ? where id = ? and error is not ?", (error, schedule_id, error))
    log.info("schedule.tick schedule_id=%s due_at=%s outcome=%s run_id=%s", schedule_id, due_at, outcome, more.get("run_id"))
