"""Ticks of schedules in rows: each once, whatever becomes of the services and of the clock."""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_published_runs import ENTRIES, SOURCE, chain, publish
from tests.parts.ticks_by_hand import ticks_by_hand

from penstock.client.home import Home
from penstock.model.errors import Invalid, NotFound, Refused
from penstock.operations import pipeline_endpoints, pipelines, runs, schedules, workspaces
from penstock.operations.context import Context, format_time
from penstock.operations.schedule_ticks import SKIPPED, SUBMITTED, fire_due, next_due, plan_turn, realign
from penstock.persistence.database import Database
from penstock.recurrence.recurrence import DAY, HOUR, MONTH, WEEK, Recurrence, next_after, parse_moment
from penstock.recurrence.zones import WINDOWS_ZONES
from penstock.settings import Settings

ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "25"))
UTC = timezone.utc
BEGIN = datetime(2021, 3, 10, 10, 37, 12, tzinfo=UTC)
HOURLY = {"frequency": HOUR, "interval": 1}


@dataclass
class World:
    """A home folder, a clock that the test sets, and as many services on its rows as it likes."""

    home: Home
    now: datetime = BEGIN

    def __post_init__(self) -> None:
        self.home.create()
        self.contexts: list[Context] = []
        self.context = self.start()
        with self.context.change() as change:
            manifest = json.dumps([list(entry) for entry in ENTRIES])
            change.rows.insert("snapshots", {"digest": SOURCE, "manifest": manifest, "created_at": change.at})
        self.workspace = str(workspaces.default_workspace(self.context)["id"])
        self.pipeline = publish(self.context, self.workspace, chain(1))

    def start(self, open_database: Callable[[Path], Database] = Database, **chosen: Any) -> Context:
        """Return a new service's surroundings."""
        context = Context(open_database(self.home.database), self.home, Settings(**chosen), now=lambda: format_time(self.now))
        self.contexts.append(context)
        return context

    def restart(self, open_database: Callable[[Path], Database] = Database, **chosen: Any) -> None:
        """End the service and start another one on the same rows."""
        self.context.database.close()
        self.contexts.remove(self.context)
        self.context = self.start(open_database, **chosen)

    def schedule(self, recurrence: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        target = {} if "endpoint_id" in more else {"pipeline_id": self.pipeline}
        about = {"submission": {"experiment_name": "nightly"}, "recurrence": recurrence or HOURLY, **target, **more}
        return schedules.create_schedule(self.context, self.workspace, about.pop("name", "often"), about.pop("submission"), **about)

    def at(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> int:
        """Let time pass since the begin, and do what is due; return how many ticks were dealt with."""
        self.now = BEGIN + timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return self.fire()

    def fire(self) -> int:
        return sum(itertools.takewhile(bool, (fire_due(self.context) for _ in itertools.count())))

    def ticks(self, schedule: dict[str, Any]) -> list[tuple[str, str, int]]:
        """Return time, outcome and count of what became of a schedule, oldest first."""
        found = schedules.list_ticks(self.context, self.workspace, schedule["id"])
        return [(tick["due_at"][11:16], tick["outcome"], tick["missed_count"]) for tick in found[::-1]]

    def get(self, schedule: dict[str, Any]) -> dict[str, Any]:
        return schedules.get_schedule(self.context, self.workspace, schedule["id"])

    def change(self, schedule: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return schedules.update_schedule(self.context, self.workspace, schedule["id"], **changes)

    def runs(self, schedule: dict[str, Any]) -> list[dict[str, Any]]:
        return runs.list_published_runs(self.context, schedule_id=schedule["id"])


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    made = World(Home(home))
    yield made
    for context in made.contexts:
        context.database.close()


# One tick, one run


def test_a_tick_starts_a_run_as_the_schedule_says(world: World) -> None:
    submission = {"experiment_name": "nightly", "parameters": {"n": "7"}, "continue_on_step_failure": True}
    schedule = world.schedule(submission=submission, description="every hour")
    assert world.fire() == 1
    (run,) = world.runs(schedule)
    assert (run["experiment_name"], run["parameters"], run["continue_on_step_failure"]) == ("nightly", {"n": 7}, True)
    assert (run["description"], run["schedule_id"], run["pipeline_id"]) == ("every hour", schedule["id"], world.pipeline)
    assert {key: run["properties"][key] for key in ("runType", "azureml.scheduleid")} == {
        "runType": "Schedule",
        "azureml.scheduleid": schedule["id"],
    }
    (tick,) = schedules.list_ticks(world.context, world.workspace, schedule["id"])
    assert (tick["run_id"], tick["outcome"], tick["reason"]) == (run["id"], SUBMITTED, "due")
    assert world.get(schedule)["next_at"] == next_due(world.context) == "2021-03-10T11:37:12.000000Z"
    assert world.fire() == 0


def test_the_runs_of_an_endpoint_are_those_of_its_default_version_of_that_time(world: World) -> None:
    second = publish(world.context, world.workspace, chain(2))
    endpoint = pipeline_endpoints.create_endpoint(world.context, world.workspace, "door", world.pipeline)
    schedule = world.schedule(endpoint_id=endpoint["id"])
    world.at()
    pipeline_endpoints.add_version(world.context, world.workspace, endpoint["id"], second, default=True)
    world.at(hours=1)
    assert [(run["pipeline_id"], run["endpoint_id"]) for run in world.runs(schedule)] == [
        (second, endpoint["id"]),
        (world.pipeline, endpoint["id"]),
    ]


def test_a_schedule_can_be_tried_at_any_time(world: World) -> None:
    schedule = world.schedule({"frequency": MONTH, "interval": 1, "start_time": "2030-01-01T00:00:00"})
    world.change(schedule, status="Disabled")
    request = "00000000-0000-4000-8000-000000000001"
    started = [schedules.run_schedule(world.context, world.workspace, schedule["id"], request_id=request)["id"] for _ in range(2)]
    assert started == [request, request]
    assert [run["id"] for run in world.runs(schedule)] == [request]


# What nobody was there for


def test_the_last_missed_tick_is_made_up_for(world: World) -> None:
    schedule = world.schedule()
    world.at(hours=5, minutes=30)
    assert world.ticks(schedule) == [("10:37", SKIPPED, 5), ("15:37", SUBMITTED, 1)]
    skipped = schedules.list_ticks(world.context, world.workspace, schedule["id"])[-1]
    assert (skipped["missed_until"], skipped["run_id"]) == ("2021-03-10T14:37:12.000000Z", None)
    assert "catch-up rule is 'last'" in skipped["reason"]
    world.at(hours=6)
    assert world.ticks(schedule)[2:] == [("16:37", SUBMITTED, 1)]


def test_no_missed_tick_is_made_up_for_where_the_rule_is_none(world: World) -> None:
    schedule = world.schedule(catch_up="none")
    world.at(hours=5, minutes=30)
    assert world.ticks(schedule) == [("10:37", SKIPPED, 6)]
    world.at(hours=6, seconds=59)  # late, not missed
    assert world.ticks(schedule)[1:] == [("16:37", SUBMITTED, 1)]
    world.at(hours=7, minutes=2)
    assert world.ticks(schedule)[2:] == [("17:37", SKIPPED, 1)]


def test_all_missed_ticks_are_made_up_for_where_the_rule_is_all(world: World) -> None:
    world.restart(schedule_catch_up="all")
    schedule = world.schedule()
    assert world.at(hours=50) == 51
    assert [outcome for _, outcome, _ in world.ticks(schedule)] == [SUBMITTED] * 51
    assert len(world.runs(schedule)) == 51


def test_one_with_much_to_make_up_for_keeps_no_other_waiting(world: World) -> None:
    slow, quick = world.schedule(catch_up="all"), world.schedule({**HOURLY, "start_time": "2021-03-20T00:00:00"})
    world.now = datetime(2021, 3, 20, tzinfo=UTC)
    assert fire_due(world.context) == 21
    assert [outcome for _, outcome, _ in world.ticks(quick)] == [SUBMITTED]
    assert len(world.ticks(slow)) == 20


def test_what_a_disabled_schedule_missed_is_not_made_up_for(world: World) -> None:
    schedule = world.schedule(catch_up="all")
    world.at()
    assert world.change(schedule, status="Disabled")["next_at"] is None
    world.at(hours=5, minutes=1)
    assert world.change(schedule, status="Active")["next_at"] == "2021-03-10T16:37:12.000000Z"
    world.at(hours=6)
    assert world.ticks(schedule) == [("10:37", SUBMITTED, 1), ("16:37", SUBMITTED, 1)]


def test_other_times_count_from_the_change_on(world: World) -> None:
    schedule = world.schedule()
    world.at(minutes=10)
    changed = world.change(schedule, recurrence={"frequency": HOUR, "interval": 4}, name="seldom")
    assert (changed["next_at"], changed["name"]) == ("2021-03-10T14:37:12.000000Z", "seldom")
    same = world.change(schedule, description="only words")
    assert same["next_at"] == changed["next_at"]


# What can't run


def test_a_schedule_that_can_not_run_says_why_and_goes_on_when_it_can(world: World) -> None:
    schedule = world.schedule()
    pipelines.set_status(world.context, world.workspace, world.pipeline, "Disabled")
    world.at()
    (failed,) = schedules.list_ticks(world.context, world.workspace, schedule["id"])
    assert (failed["outcome"], failed["run_id"]) == ("Failed", None)
    assert "is Disabled. Enable it" in failed["reason"]
    assert world.get(schedule)["error"] == failed["reason"]
    assert world.runs(schedule) == []
    pipelines.set_status(world.context, world.workspace, world.pipeline, "Active")
    world.at(hours=1)
    assert world.get(schedule)["error"] is None
    assert [outcome for _, outcome, _ in world.ticks(schedule)] == ["Failed", SUBMITTED]


def test_a_schedule_that_fails_leaves_no_half_run_and_stops_no_other(world: World) -> None:
    broken, whole = world.schedule(), world.schedule()
    with world.context.change() as change:
        submission = as_text({"experiment_name": "made", "parameters": {"gone": 1}, "description": None, "continue_on_step_failure": None})
        change.rows.execute("update schedules set submission = ? where id = ?", (submission, broken["id"]))
    world.at()
    assert "gone" in world.get(broken)["error"]
    assert [outcome for _, outcome, _ in world.ticks(whole)] == [SUBMITTED]
    assert world.context.database.first("select 1 from experiments where name = 'made'") is None


def test_even_a_row_that_can_not_be_read_stops_no_other(world: World) -> None:
    broken, whole = world.schedule(), world.schedule()
    with world.context.change() as change:
        change.rows.execute("update schedules set recurrence = 'nonsense' where id = ?", (broken["id"],))
    assert fire_due(world.context) == 1
    assert [outcome for _, outcome, _ in world.ticks(whole)] == [SUBMITTED]


def as_text(value: Any) -> str:
    return json.dumps(value)


def test_what_could_not_run_is_refused_when_it_is_made(world: World) -> None:
    with pytest.raises(NotFound, match="no published pipeline"):
        world.schedule(pipeline_id="other")
    with pytest.raises(Invalid, match="rounds"):
        world.schedule(submission={"experiment_name": "e", "parameters": {"rounds": 1}})
    with pytest.raises(Invalid, match="must be an object"):
        world.schedule(submission={"experiment_name": "e", "parameters": 5})
    with pytest.raises(Invalid, match="Did you mean 'experiment_name'"):
        world.schedule(submission={"experiment": "e"})
    pipelines.set_status(world.context, world.workspace, world.pipeline, "Disabled")
    with pytest.raises(Refused, match="Enable it"):
        world.schedule()
    assert schedules.list_schedules(world.context, world.workspace) == []


def test_a_workspace_goes_with_its_schedules(world: World) -> None:
    schedule = world.schedule()
    world.at()
    with world.context.change() as change:
        change.rows.execute("update runs set status = 'Completed'")
    workspaces.delete_workspace(world.context, world.workspace)
    assert world.context.database.all("select 1 from schedules union all select 1 from schedule_ticks") == []
    with pytest.raises(NotFound, match="no workspace"):
        world.get(schedule)


# Clocks


def test_a_clock_that_was_set_back_keeps_no_schedule_waiting(world: World) -> None:
    schedule = world.schedule({"frequency": DAY, "interval": 1})
    world.at(hours=24 * 3000)
    world.now = BEGIN + timedelta(hours=1)
    realign(world.context)
    assert world.get(schedule)["next_at"] == "2021-03-11T10:37:12.000000Z"
    world.at(hours=24)
    assert world.get(schedule)["next_at"] == "2021-03-12T10:37:12.000000Z"
    assert len(world.runs(schedule)) == 2


def test_a_clock_that_goes_back_does_no_tick_again(world: World) -> None:
    schedule = world.schedule()
    world.at(hours=1)
    before = world.ticks(schedule)
    world.now = BEGIN - timedelta(hours=3)
    realign(world.context)
    for hours in (-1, 0, 0.5, 1):
        world.at(hours=hours)
    assert world.ticks(schedule) == before
    assert len(world.runs(schedule)) == 1


@pytest.mark.parametrize("rule", ["none", "last", "all"])
def test_a_clock_that_goes_wrong_again_and_again_keeps_no_schedule_waiting(world: World, rule: str) -> None:
    schedule = world.schedule({"frequency": WEEK, "interval": 1}, catch_up=rule)
    for ahead, back in ((24, 8), (24, 1), (200, 8), (201, 2)):
        world.at(hours=24 * ahead)
        world.now = BEGIN + timedelta(days=back)
        realign(world.context)
        assert world.get(schedule)["next_at"] == format_time(BEGIN + timedelta(days=7 * (back // 7 + 1)))


def test_what_was_skipped_while_the_clock_was_ahead_is_done_when_its_time_comes(world: World) -> None:
    schedule = world.schedule({"frequency": DAY, "interval": 1})
    world.at()
    world.at(hours=24 * 10)
    world.now = BEGIN + timedelta(hours=1)
    realign(world.context)
    for day in range(1, 12):
        world.at(hours=24 * day)
    ticks = world.ticks(schedule)
    assert {(outcome, count) for _, outcome, count in ticks} == {(SUBMITTED, 1)}
    assert len(ticks) == len(world.runs(schedule)) == 12


def test_a_clock_that_shows_a_time_before_the_creation_is_not_believed(world: World) -> None:
    schedule = world.schedule({"frequency": DAY, "interval": 1, "start_time": "2020-01-01T00:00:00"}, catch_up="all")
    world.at(hours=24)
    done = world.ticks(schedule)
    world.now = parse_moment("1970-01-01T00:00:00Z")
    realign(world.context)
    assert world.get(schedule)["next_at"] == "2021-03-12T00:00:00.000000Z"
    world.at(hours=25)
    assert world.ticks(schedule) == done


def test_of_very_many_that_are_due_none_keeps_a_later_one_waiting(world: World) -> None:
    for _ in range(130):
        world.schedule({"frequency": MONTH, "interval": 1})
    late = world.schedule({"frequency": MONTH, "interval": 1, "start_time": "2021-03-10T10:38:00"})
    assert 0 < fire_due(world.context) < 130  # then it looks again
    world.now = BEGIN + timedelta(minutes=1)
    assert 0 < fire_due(world.context) < 130
    assert len(world.runs(late)) == 1
    world.fire()
    assert len(world.context.database.all("select run_id from pipeline_runs where schedule_id is not null")) == 131


# Exactly once


def test_two_services_on_one_database_do_each_tick_once(world: World) -> None:
    made = [world.schedule(catch_up="all") for _ in range(5)]
    other = world.start()
    world.now = BEGIN + timedelta(hours=30)
    both = threading.Barrier(2)

    def work(context: Context) -> None:
        both.wait()
        while next_due(context) <= format_time(world.now):  # type: ignore[operator]
            fire_due(context)

    threads = [threading.Thread(target=work, args=(context,)) for context in (world.context, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for schedule in made:
        assert [outcome for _, outcome, _ in world.ticks(schedule)] == [SUBMITTED] * 31
        assert len({run["id"] for run in world.runs(schedule)}) == 31


class Meddled(Database):
    """Rows that somebody changes after a schedule was read, and before anything is done about it."""

    meddle: Callable[[], object] | None = None

    def first(self, sql: str, values: Any = ()) -> Any:
        row = super().first(sql, values)
        meddle, self.meddle = self.meddle, None
        if meddle:
            meddle()
        return row


def test_a_schedule_that_is_disabled_at_the_last_moment_does_not_run(world: World) -> None:
    schedule, other = world.schedule(), world.context
    context = world.start(Meddled)
    context.database.meddle = lambda: schedules.update_schedule(other, world.workspace, schedule["id"], status="Disabled")  # type: ignore[attr-defined]
    assert fire_due(context) == 0
    assert world.ticks(schedule) == []
    assert world.get(schedule)["next_at"] is None


class Killed(BaseException):
    """The service dies here."""


class Dying(Database):
    """Rows whose service dies in the middle of a transaction, now and then."""

    def __init__(self, path: Path, dies: Callable[[], bool]) -> None:
        super().__init__(path)
        self.dies = dies

    def first(self, sql: str, values: Any = ()) -> Any:
        if self.is_in_transaction() and self.dies():
            raise Killed
        return super().first(sql, values)


def ten_years(world: World, seed: int, recurrences: Callable[[random.Random, str], Recurrence], longest: timedelta) -> None:
    """Let ten years pass in leaps of up to `longest` with a schedule in every zone, and look at each tick.

    Meanwhile the service is ended and started again, and killed in the middle of its work.
    """
    chance = random.Random(seed)  # noqa: S311
    deaths = random.Random(seed + 1)  # noqa: S311
    made = {}
    world.now = begin = datetime(2020 + seed % 5, chance.randrange(1, 13), 5, 12, tzinfo=UTC)
    for zone in WINDOWS_ZONES:
        recurrence, rule = recurrences(chance, zone), chance.choice(["none", "last", "all", "all"])
        made[world.schedule(recurrence.document(), catch_up=rule)["id"]] = recurrence
    while world.now < begin + timedelta(days=3652):
        world.now += longest * chance.random() ** 3
        try:
            world.fire()
        except Killed:
            pass
        if chance.random() < 0.1:
            world.restart(lambda path: Dying(path, lambda: deaths.random() < 0.01))
    world.restart()
    world.fire()
    for schedule_id, recurrence in made.items():
        check_once(world, schedule_id, recurrence, begin)


def check_once(world: World, schedule_id: str, recurrence: Recurrence, begin: datetime) -> None:
    """See that each tick was done or skipped, and none twice, and that each that was done has a run of its own."""
    rows = schedules.list_ticks(world.context, world.workspace, schedule_id)
    expected = ticks_by_hand(recurrence, begin, world.now)
    covered: Counter[datetime] = Counter()
    for row in rows:
        due = parse_moment(row["due_at"])
        if row["outcome"] == SKIPPED:
            until = parse_moment(row["missed_until"])
            skipped = [tick for tick in expected if due <= tick <= until]
            assert row["missed_count"] == len(skipped)
            covered.update(skipped)
        else:
            assert row["outcome"] == SUBMITTED
            covered[due] += 1
    assert covered == Counter(expected), recurrence
    started = {run["id"] for run in runs.list_published_runs(world.context, schedule_id=schedule_id)}
    assert started == {row["run_id"] for row in rows if row["run_id"]}
    assert len(started) == sum(row["outcome"] == SUBMITTED for row in rows)


def seldom(chance: random.Random, zone: str) -> Recurrence:
    """A recurrence of some ten to a hundred ticks in ten years."""
    frequency = chance.choice([DAY, WEEK, MONTH, HOUR])
    interval = {DAY: 60, WEEK: 8, MONTH: 2, HOUR: 3000}[frequency]
    return any_recurrence(chance, zone, frequency, chance.randrange(interval, 3 * interval), 1, 1)


def sometimes(chance: random.Random, zone: str) -> Recurrence:
    """A recurrence of some hundred ticks in ten years."""
    frequency = chance.choice([DAY, WEEK, MONTH, HOUR])
    interval = {DAY: 6, WEEK: 1, MONTH: 1, HOUR: 100}[frequency]
    return any_recurrence(chance, zone, frequency, chance.randrange(interval, 3 * interval), 1, 2)


def often(chance: random.Random, zone: str) -> Recurrence:
    """A recurrence of some hundred to some thousand ticks in ten years."""
    frequency = chance.choice([DAY, WEEK, MONTH, HOUR])
    return any_recurrence(chance, zone, frequency, chance.randrange(1, {DAY: 9, WEEK: 3, MONTH: 4, HOUR: 200}[frequency] + 1), 0, 2)


def any_recurrence(chance: random.Random, zone: str, frequency: str, interval: int, fewest: int, most: int) -> Recurrence:
    has_times = frequency in (DAY, WEEK) and chance.random() < 0.7
    start = datetime(2019, 1, 1) + timedelta(minutes=chance.randrange(2 * 366 * 1440))
    return Recurrence(
        frequency,
        interval,
        start if chance.random() < 0.5 else None,
        zone,
        tuple(sorted(chance.sample(range(24), chance.randrange(fewest, most + 1)))) if has_times else (),
        (chance.randrange(60),) if has_times else (),
        tuple(sorted(chance.sample(range(7), chance.randrange(most + 1)))) if frequency == WEEK else (),
    )


def test_ten_years_in_all_zones_do_each_tick_once(world: World) -> None:
    ten_years(world, 1, seldom, timedelta(days=150))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 2 + ROUNDS // 12))  # none in the short form: the test before it is
def test_ten_years_of_many_ticks_in_all_zones(world: World, seed: int) -> None:
    ten_years(world, seed, sometimes, timedelta(days=40))


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6))])
def test_ten_years_of_plans_leave_no_tick_out(seed: int) -> None:
    """The same with more ticks, without rows: what a service decides from the time that a schedule is due, and nothing else."""
    chance = random.Random(seed)  # noqa: S311
    for zone in WINDOWS_ZONES:
        recurrence = often(chance, zone)
        anchor = now = datetime(2020 + seed, 1 + seed, 5, 12, tzinfo=UTC)
        end = anchor + timedelta(days=730)
        due, seen, skipped = next_after(recurrence, anchor, anchor - timedelta(seconds=1)), [], 0
        while due is not None and due <= end:
            now = max(now, due) + timedelta(days=60) * chance.random() ** 6
            turn = plan_turn(recurrence, anchor, due, min(now, end), chance.choice(["none", "last", "all"]))
            seen += [turn.tick] if turn.tick else []
            skipped += turn.skipped_count
            assert turn.following is None or turn.following > due
            due = turn.following
        expected = ticks_by_hand(recurrence, anchor, end)
        assert len(seen) == len(set(seen))
        assert set(seen) <= set(expected)
        assert len(seen) + skipped == len(expected)
