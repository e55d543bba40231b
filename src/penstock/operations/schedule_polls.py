"""Data-driven schedules: what they watch, what is new there, and the runs that it starts.

A poll is claimed in one guarded statement, which sets when the next one is due; so two services never do the same one. What it saw is
written with the runs that it starts. A service that dies in between loses nothing: the next one takes its looks up, or the next poll
finds the same changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from penstock.model.entity_status import ACTIVE
from penstock.model.errors import PenstockError
from penstock.operations.context import Change, Context, format_time
from penstock.operations.datastores import clean_pattern, file_store_of
from penstock.operations.schedule_ticks import FAILED, NONE, SKIPPED, submit_tick, write_tick
from penstock.operations.schedules import DATASTORE, due_after
from penstock.persistence.database import Row
from penstock.recurrence.recurrence import parse_moment
from penstock.storage.stores import Check, Found, Store

_NAMED = 3  # so many files are named in a reason
_WILD = "*?["


# Claiming


@dataclass(frozen=True)
class Poll:
    """One look at a datastore that is due."""

    schedule: Row
    due_at: str
    missed: int = 0  # polls before it that nobody was there for

    @property
    def trigger(self) -> dict[str, Any]:
        """What is watched."""
        trigger: dict[str, Any] = json.loads(self.schedule["trigger"])
        return trigger

    @property
    def place(self) -> tuple[str, str]:
        """The datastore: polls of one go on one after another."""
        return self.schedule["workspace_id"], self.trigger["datastore"]

    @property
    def every(self) -> timedelta:
        """How much time lies between two polls."""
        return timedelta(minutes=self.trigger["polling_interval"])

    def is_whole_interval_after(self, other: Poll) -> bool:
        """Tell whether so much time lies between this poll and an earlier one that it should have ended."""
        return parse_moment(self.due_at) - parse_moment(other.due_at) >= self.every


def claim_due(context: Context, now: datetime) -> list[Poll]:
    """Return the polls that are due, each to one caller only; those of one schedule that were missed are one."""
    rows = context.database.all(
        "select * from schedules where kind = ? and status = ? and next_at <= ? order by next_at", (DATASTORE, ACTIVE, format_time(now))
    )
    claimed = []
    for row in rows:
        poll = Poll(row, row["next_at"])
        with context.change() as change:
            is_ours = change.rows.execute(
                "update schedules set next_at = ? where id = ? and next_at = ? and modified_at = ?",
                (due_after(row, now), row["id"], row["next_at"], row["modified_at"]),
            )
        if is_ours:
            claimed.append(replace(poll, missed=(now - parse_moment(poll.due_at)) // poll.every))
    return claimed


def take_up_lost(context: Context) -> None:
    """Let looks that a service claimed and did not end be due again: it died, or left. The next ones may be a day away.

    A look that another service has under way may be done twice; it counts once.
    """
    for row in context.database.all("select * from schedules where kind = ? and status = ? and next_at is not null", (DATASTORE, ACTIVE)):
        poll = Poll(row, row["next_at"])
        claimed_at = parse_moment(poll.due_at) - poll.every
        if parse_moment(row["anchor_at"]) <= claimed_at and (row["seen_at"] or "") < format_time(claimed_at):
            with context.change() as change:
                guarded = "update schedules set next_at = ? where id = ? and next_at = ? and modified_at = ?"
                change.rows.execute(guarded, (format_time(claimed_at), row["id"], row["next_at"], row["modified_at"]))


# Looking


@dataclass(frozen=True)
class Sight:
    """What lies in a folder, by path."""

    began_at: str
    files: Mapping[str, Found]


def look(context: Context, poll: Poll, check: Check) -> Sight:
    """List the files that a schedule watches: those in its folder, not those further down. It may take as long as a network takes.

    Raises:
        PenstockError: The datastore is gone, or can't be read now.
    """
    began_at, trigger = context.now(), poll.trigger
    store = file_store_of(context, poll.schedule["workspace_id"], trigger["datastore"])
    return Sight(began_at, {file.path: file for file in _list(context, store, clean_pattern(trigger["path"] or ""), check)})


def _list(context: Context, store: Store, path: str, check: Check) -> list[Found]:
    """Return the files directly in a folder; a path that is a file's is that file."""
    inside = f"{path}/" if path else ""
    if any(letter in path for letter in _WILD):  # no pattern: the folder has such a name
        found = context.stores.list_prefix(store, inside, check)
    else:
        found = context.stores.list(store, f"{inside}*", check)
    files = [file for file in found if file.path.startswith(inside) and "/" not in file.path[len(inside) :]]
    if files or not path:
        return files
    return [file for file in context.stores.list_prefix(store, path, check) if file.path == path]


# Settling


def settle(context: Context, poll: Poll, sight: Sight) -> int:
    """Start the runs that a look gives reason for, write its ticks, and remember what was seen; return how many runs were started.

    A file whose run could not be accepted stays new: the next poll tries it again. A look that another service's look, a change of the
    schedule or its disabling came before changes nothing.
    """
    return _Settling(context, poll, sight).settle()


def fail(context: Context, poll: Poll, reason: str) -> None:
    """Write that a poll could not be done, and why; the next one tries again."""
    with context.change() as change:
        _fail(change, poll, "", reason)


def _fail(change: Change, poll: Poll, subject: str, reason: str) -> None:
    if change.rows.first("select 1 from schedules where id = ? and status = ?", (poll.schedule["id"], ACTIVE)):
        write_tick(change, poll.schedule["id"], poll.due_at, FAILED, reason, subject)


@dataclass(frozen=True)
class _Start:
    """A run to start, and for which files."""

    paths: list[str]
    reason: str
    subject: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


class _Settling:
    """One look, and what differs from what the schedule saw last."""

    def __init__(self, context: Context, poll: Poll, sight: Sight) -> None:
        self._context = context
        self._poll = poll
        self._schedule = poll.schedule
        self._sight = sight
        self._compare()

    def _compare(self) -> None:
        files, sql = self._sight.files, "select path, stamp from schedule_files where schedule_id = ?"
        seen = {row["path"]: row["stamp"] for row in self._context.database.all(sql, (self._schedule["id"],))}
        unseen = [path for path in files if path not in seen]
        self._was_there = {path for path in unseen if not self._came_later(files[path])}
        self._new = [path for path in unseen if path not in self._was_there]
        self._changed = [path for path, file in files.items() if path in seen and seen[path] != _stamp(file)]
        # Where nothing is there at all, a disk may not be mounted: its files would all be new when it is.
        self._gone = list(seen.keys() - files.keys()) if files else []

    def _came_later(self, file: Found) -> bool:
        """Tell whether a file came after the schedule began to watch; the first look can only know by the file's time."""
        began_at = max(self._schedule["created_at"], self._schedule["anchor_at"])
        return self._schedule["seen_at"] is not None or (file.modified_at or "") > began_at

    def settle(self) -> int:
        """Do what is to be done; return how many runs were started."""
        if self._poll.missed and self._catch_up() == NONE:
            return self._skip()
        if not self._remember():
            return 0
        return sum(self._start(wanted) for wanted in self._wanted())

    def _catch_up(self) -> str:
        return str(self._schedule["catch_up"] or self._context.settings.schedule_catch_up)

    def _wanted(self) -> list[_Start]:
        """Return the runs to start: one for each file where a parameter takes its path, else one for all."""
        paths, trigger = sorted([*self._new, *self._changed]), self._poll.trigger
        if not paths:
            return []
        if trigger["parameter"] is None:
            return [_Start(paths, self._tell())]
        is_new = set(self._new)
        return [
            _Start(
                [path],
                f"'{path}' is {'new' if path in is_new else 'changed'}.",
                path,
                {trigger["parameter"]: {"datastore": trigger["datastore"], "path": path}},
            )
            for path in paths
        ]

    def _start(self, wanted: _Start) -> int:
        """Start one run; return 1, or 0 when it can't start, which becomes a tick with the reason."""
        poll = self._poll
        try:
            with self._context.change() as change:
                if not self._is_newest(change):
                    return 0
                tick = (poll.due_at, wanted.reason, wanted.subject, wanted.parameters)
                if submit_tick(self._context, change, self._schedule, *tick) is None:
                    return 0  # this time was there before the clock was set back: the next poll does it
                self._keep(change, wanted.paths)
        except PenstockError as error:
            with self._context.change() as change:
                _fail(change, poll, wanted.subject, f"{wanted.reason} {error.message}")
            return 0
        return 1

    def _skip(self) -> int:
        """Take all that came while nobody was there as known."""
        with self._context.change() as change:
            if self._take(change):
                self._forget(change)
                self._keep(change, self._sight.files)
                if self._new or self._changed:
                    reason = f"Nobody was there to look, and the schedule catches up with none. {self._tell()}"
                    count: dict[str, Any] = {"missed_count": self._poll.missed + 1, "missed_until": change.at}
                    write_tick(change, self._schedule["id"], self._poll.due_at, SKIPPED, reason, **count)
        return 0

    def _remember(self) -> bool:
        """Write that a look was done, with all that needs no run; tell whether its news still count."""
        with self._context.change() as change:
            if not self._take(change):
                return False
            self._forget(change)
            self._keep(change, self._was_there)
        return True

    def _take(self, change: Change) -> bool:
        """Let this look be the newest one, unless the schedule is not what it was when the poll was claimed."""
        old = self._schedule
        return bool(
            change.rows.execute(
                "update schedules set seen_at = ?, error = null"
                " where id = ? and status = ? and trigger = ? and seen_at is ? and anchor_at = ?",
                (self._sight.began_at, old["id"], ACTIVE, old["trigger"], old["seen_at"], old["anchor_at"]),
            )
        )

    def _is_newest(self, change: Change) -> bool:
        sql = "select 1 from schedules where id = ? and status = ? and seen_at = ?"
        return change.rows.first(sql, (self._schedule["id"], ACTIVE, self._sight.began_at)) is not None

    def _keep(self, change: Change, paths: Iterable[str]) -> None:
        change.rows.execute_many(
            "insert into schedule_files (schedule_id, path, stamp) values (?, ?, ?)"
            " on conflict (schedule_id, path) do update set stamp = excluded.stamp",
            [(self._schedule["id"], path, _stamp(self._sight.files[path])) for path in paths],
        )

    def _forget(self, change: Change) -> None:
        sql = "delete from schedule_files where schedule_id = ? and path = ?"
        change.rows.execute_many(sql, [(self._schedule["id"], path) for path in self._gone])

    def _tell(self) -> str:
        """Return in words what is new and what changed."""
        both = ((self._new, "new"), (self._changed, "changed"))
        parts = [f"{_count(paths)} {word}: {_names(paths)}" for paths, word in both if paths]
        missed = self._poll.missed
        more = f" {missed} {'look was' if missed == 1 else 'looks were'} missed before." if missed else ""
        return f"{'; '.join(parts)}.{more}"


def _stamp(file: Found) -> str:
    """Return what differs when a file was written anew, were it with the same bytes."""
    return f"{file.size} {file.modified_at} {file.token}"


def _count(paths: list[str]) -> str:
    return "1 file is" if len(paths) == 1 else f"{len(paths)} files are"


def _names(paths: list[str]) -> str:
    return ", ".join(sorted(paths)[:_NAMED]) + (", ..." if len(paths) > _NAMED else "")
