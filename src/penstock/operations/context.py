"""What every verb needs: the rows, the home folder, the settings, the time, and who must hear of a change."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from penstock.client.home import Home
from penstock.model.status import is_final
from penstock.persistence.database import Database, Transaction
from penstock.settings import Settings
from penstock.storage.stores import Stores
from penstock.storage.stores.home_stores import HomeStores


def utc_now() -> str:
    """Return the time as ISO-8601 text in UTC, with microseconds and 'Z'."""
    return format_time(datetime.now(timezone.utc))


def format_time(moment: datetime) -> str:
    """Return an aware time as ISO-8601 text in UTC, with microseconds and 'Z'; such texts sort as the times do."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Context:
    """The surroundings of a verb."""

    database: Database
    home: Home
    settings: Settings
    now: Callable[[], str] = utc_now
    wake_engine: Callable[[], None] = lambda: None  # rows changed that the engine may act on
    wake_triggers: Callable[[], None] = lambda: None  # it changed when some schedule is due next
    announce: Callable[[set[str], set[str]], None] = lambda roots, ended: None  # root runs with new events; runs that ended
    stores: Stores = None  # type: ignore[assignment]  # those of the home folder, unless others are given
    _under_way: threading.local = field(default_factory=threading.local, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.stores is None:
            object.__setattr__(self, "stores", HomeStores(self.home.path, self.settings.cache_bytes))

    @contextlib.contextmanager
    def change(self) -> Iterator[Change]:
        """Give one transaction with its events; who listens hears of them after the commit, never before.

        Inside another one of the same thread it is that one: a verb that uses others is done whole or not at all.
        """
        outer: Change | None = getattr(self._under_way, "change", None)
        if outer is not None:
            yield outer
            return
        with self.database.transaction() as transaction:
            change = self._under_way.change = Change(transaction, self.now())
            try:
                yield change
            finally:
                self._under_way.change = None
        if change.roots:
            self.announce(change.roots, change.ended)
        if change.for_engine:
            self.wake_engine()
        if change.for_triggers:
            self.wake_triggers()


@dataclass
class Change:
    """One transaction under way: rows to write, events to tell."""

    rows: Transaction
    at: str
    roots: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    for_engine: bool = False
    for_triggers: bool = False

    def tell(
        self, run_id: str, root_run_id: str, status: str | None, actor: str, reason: str | None = None, detail: dict[str, Any] | None = None
    ) -> None:
        """Write an event: what became of a run, by whom and why."""
        self.rows.insert(
            "events",
            {
                "run_id": run_id,
                "root_run_id": root_run_id,
                "at": self.at,
                "status": status,
                "actor": actor,
                "reason": reason,
                "detail": json.dumps(detail) if detail else None,
            },
        )
        self.roots.add(root_run_id)
        if status is not None and is_final(status):
            self.ended.add(run_id)
