"""The thread that schedules live by, in real services."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wait_until
from tests.contract.test_schedule_ticks import World

from penstock.client.home import Home
from penstock.engine.triggers import Triggers
from penstock.operations import schedules
from penstock.operations.context import Context, format_time, utc_now
from penstock.persistence.database import Database
from penstock.recurrence.recurrence import parse_moment
from penstock.settings import Settings


class HeldClock:
    """A clock that stands still until it is let go."""

    def __init__(self) -> None:
        self.begin = utc_now()
        self._let_go_at: float | None = None

    def __call__(self) -> str:
        passed = 0.0 if self._let_go_at is None else time.monotonic() - self._let_go_at
        return format_time(parse_moment(self.begin) + timedelta(seconds=passed))

    def let_go(self) -> None:
        """Let time pass."""
        self._let_go_at = time.monotonic()


class Services:
    """Services that look after the schedules of one home folder, all at once."""

    def __init__(self, home: Path) -> None:
        self.world = World(Home(home))
        self.context = self.world.context
        self._ends = ExitStack()

    def start(self, now: Callable[[], str] = utc_now) -> tuple[Context, Triggers]:
        """Start one more."""
        news = threading.Event()
        database = Database(self.world.home.database)
        context = Context(database, self.world.home, Settings(), now=now, wake_triggers=news.set)
        triggers = Triggers(context, news)
        triggers.start()
        self._ends.callback(database.close)
        self._ends.callback(triggers.stop)
        return context, triggers

    def close(self) -> None:
        self._ends.close()
        self.context.database.close()

    def create(self, context: Context, **recurrence: Any) -> dict[str, Any]:
        about = {"frequency": "Month", "interval": 1, **recurrence}
        submission = {"experiment_name": "nightly"}
        return schedules.create_schedule(context, self.world.workspace, "s", submission, pipeline_id=self.world.pipeline, recurrence=about)

    def get(self, schedule: dict[str, Any]) -> dict[str, Any]:
        return schedules.get_schedule(self.context, self.world.workspace, schedule["id"])

    def ticks(self, schedule: dict[str, Any]) -> list[dict[str, Any]]:
        return schedules.list_ticks(self.context, self.world.workspace, schedule["id"])


@pytest.fixture
def services(home: Path) -> Iterator[Services]:
    made = Services(home)
    yield made
    made.close()


def test_a_new_schedule_wakes_the_thread(services: Services) -> None:
    context, triggers = services.start()
    wait_until(lambda: not triggers.is_needed)
    schedule = services.create(context)
    wait_until(lambda: services.ticks(schedule))
    (tick,) = services.ticks(schedule)
    assert (tick["outcome"], tick["due_at"][:19]) == ("Submitted", schedule["created_at"][:19])
    wait_until(lambda: triggers.is_needed)
    schedules.update_schedule(context, services.world.workspace, schedule["id"], status="Disabled")
    wait_until(lambda: not triggers.is_needed)


def test_what_becomes_due_is_done_when_it_is(services: Services) -> None:
    """By a thread that nobody wakes: it knows how long it may sleep."""
    clock = HeldClock()
    context, _ = services.start(clock)
    start = parse_moment(clock.begin) + timedelta(seconds=0.5)
    schedule = services.create(context, start_time=start.isoformat())
    assert services.ticks(schedule) == []
    clock.let_go()
    wait_until(lambda: services.ticks(schedule))
    (tick,) = services.ticks(schedule)
    assert tick["at"] >= tick["due_at"] == format_time(start)


def test_a_clock_that_is_set_is_noticed_at_the_next_look(services: Services) -> None:
    world = services.world
    context, _ = services.start(now=lambda: format_time(world.now))
    schedule = services.create(context, frequency="Day")
    wait_until(lambda: len(services.ticks(schedule)) == 1)
    for days, count in ((400, 3), (-399, 3), (1, 4)):  # two years on, back to the second day, on to the third
        world.now += timedelta(days=days)
        context.wake_triggers()
        wait_until(lambda count=count: len(services.ticks(schedule)) == count)
        tomorrow = format_time(world.now + timedelta(days=1))
        wait_until(lambda tomorrow=tomorrow: services.get(schedule)["next_at"] == tomorrow)


def test_a_clock_that_was_ahead_while_the_last_service_ran_is_noticed(services: Services) -> None:
    world = services.world
    context, _ = services.start(now=lambda: format_time(world.now))
    schedule = services.create(context, frequency="Day")
    world.now += timedelta(days=400)
    context.wake_triggers()
    wait_until(lambda: services.get(schedule)["next_at"] > format_time(world.now))
    now = world.now - timedelta(days=399)
    services.start(now=lambda: format_time(now))
    wait_until(lambda: services.get(schedule)["next_at"] == format_time(now + timedelta(days=1)))


def test_two_services_start_each_run_once(services: Services) -> None:
    first, second = services.start()[0], services.start()[0]
    made = [services.create((first, second)[number % 2]) for number in range(20)]
    for schedule in made:
        wait_until(lambda schedule=schedule: services.ticks(schedule))
    rows = services.context.database.all("select schedule_id, count(*) as count from pipeline_runs group by schedule_id")
    assert {row["schedule_id"]: row["count"] for row in rows} == dict.fromkeys((schedule["id"] for schedule in made), 1)


def test_the_thread_outlives_what_goes_wrong(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.engine.triggers.RETRY_SECONDS", 0.01)
    broken = [True, True]

    def clock() -> str:
        if broken:
            broken.pop()
            raise RuntimeError("the clock is broken")
        return utc_now()

    context, _ = services.start(now=clock)
    wait_until(lambda: not broken)
    schedule = services.create(context)
    wait_until(lambda: services.ticks(schedule))
