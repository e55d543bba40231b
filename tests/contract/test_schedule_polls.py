"""Data-driven schedules over real rows and a real datastore: what is new starts runs, each once, whatever becomes of the services."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as chosen
from hypothesis import strategies as st
from tests.conftest import wait_until
from tests.contract.test_published_runs import SOURCE, publish
from tests.contract.test_schedule_ticks import BEGIN, UTC, World

from penstock.client.home import Home
from penstock.engine.polls import Polls
from penstock.model.errors import Invalid, NotFound
from penstock.model.graph import Argument, DataNode, InputPort, Parameter, PipelineGraph, PortRef, StepNode
from penstock.operations import datastores, pipelines, schedules
from penstock.operations.context import Context, format_time
from penstock.operations.schedule_polls import Poll, claim_due, fail, look, settle
from penstock.operations.schedule_ticks import FAILED, SKIPPED, SUBMITTED, realign
from penstock.storage.stores import Check, Found, Store
from penstock.storage.stores.home_stores import HomeStores

EVERY = 5  # minutes


def reading() -> PipelineGraph:
    """One step that reads what the data path parameter `where` names."""
    where = Parameter("where", "datapath", {"datastore": "workspaceblobstore", "path": "start"})
    step = StepNode(
        id="s",
        name="read",
        script="step.py",
        snapshot=SOURCE,
        inputs=(InputPort("in", PortRef("d", "data")),),
        arguments=(Argument("input", "in"),),
    )
    return PipelineGraph("reading", (step,), (DataNode("d", "in", "workspaceblobstore", "start", parameter="where"),), (where,))


class Watched(World):
    """A world with a datastore whose files have the times of the world's clock."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.root = Path(str(datastores.get_default_datastore(self.context, self.workspace)["root"]))
        self.reading = publish(self.context, self.workspace, reading())

    def watch(self, path: str | None = "in", parameter: str | None = None, **more: Any) -> dict[str, Any]:
        """Make a schedule that watches a folder."""
        trigger = {"datastore": "workspaceblobstore", "polling_interval": EVERY, "path": path, "parameter": parameter}
        about = {"pipeline_id": self.reading, "submission": {"experiment_name": "arrivals"}, **more}
        return schedules.create_schedule(self.context, self.workspace, "watch", about.pop("submission"), trigger=trigger, **about)

    def write(self, path: str, text: str = "x") -> None:
        """Write a file, now by the world's clock."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (self.now.timestamp(), self.now.timestamp()))

    def poll(self, context: Context | None = None) -> int:
        """Do the polls that are due; return how many runs they started."""
        context = context or self.context
        return sum(settle(context, poll, look(context, poll, lambda: None)) for poll in claim_due(context, self.now))

    def later(self, minutes: float = EVERY) -> int:
        """Let time pass, and poll."""
        self.now += timedelta(minutes=minutes)
        return self.poll()

    def outcomes(self, schedule: dict[str, Any]) -> list[tuple[str, str, str | None]]:
        """Return time, outcome and file of each tick, oldest first."""
        found = schedules.list_ticks(self.context, self.workspace, schedule["id"])
        return sorted((tick["due_at"][11:16], tick["outcome"], tick["subject"]) for tick in found)

    def reasons(self, schedule: dict[str, Any]) -> list[str]:
        return [tick["reason"] for tick in schedules.list_ticks(self.context, self.workspace, schedule["id"])]


@pytest.fixture
def world(home: Path) -> Iterator[Watched]:
    made = Watched(Home(home))
    yield made
    for context in made.contexts:
        context.database.close()


# What is new, and what is not


def test_what_is_there_at_creation_is_no_change_and_what_comes_later_is(world: Watched) -> None:
    world.write("in/old.csv")
    world.now += timedelta(seconds=1)
    schedule = world.watch()
    assert world.poll() == 0  # the first look is at once
    assert world.later() == 0
    world.write("in/new.csv")
    assert world.poll() == 0  # the next one is due later
    assert world.later() == 1
    assert world.later() == 0
    (run,) = world.runs(schedule)
    assert (run["experiment_name"], run["properties"]["runType"]) == ("arrivals", "Schedule")
    assert world.outcomes(schedule) == [("10:47", SUBMITTED, None)]
    assert world.reasons(schedule) == ["1 file is new: in/new.csv."]


def test_a_file_that_comes_before_the_first_look_is_new(world: Watched) -> None:
    world.write("in/old.csv")
    world.now += timedelta(seconds=1)
    schedule = world.watch()
    world.now += timedelta(seconds=1)
    world.write("in/new.csv")
    world.now += timedelta(seconds=1)
    assert world.poll() == 1
    assert world.reasons(schedule) == ["1 file is new: in/new.csv."]


def test_many_changes_between_two_looks_are_one_run(world: Watched) -> None:
    world.write("in/changing.csv", "1")
    world.now += timedelta(seconds=1)
    schedule = world.watch()
    world.poll()
    for number in range(5):
        world.write(f"in/{number}.csv")
    world.write("in/changing.csv", "22")
    assert world.later() == 1
    assert world.reasons(schedule) == ["5 files are new: in/0.csv, in/1.csv, in/2.csv, ...; 1 file is changed: in/changing.csv."]


def test_a_file_that_goes_is_no_change_and_its_return_is_one(world: Watched) -> None:
    world.write("in/a.csv")
    world.now += timedelta(seconds=1)
    world.watch()
    world.poll()
    begun = world.now
    world.write("in/b.csv")
    (world.root / "in/a.csv").unlink()
    assert world.later() == 1  # for the other one
    world.write("in/a.csv")
    os.utime(world.root / "in/a.csv", (begun.timestamp() - 1, begun.timestamp() - 1))  # it comes back as it was
    assert world.later() == 1


@pytest.mark.parametrize("away", ["the datastore", "its files"])
def test_a_disk_that_was_away_for_a_while_brings_nothing_new(world: Watched, away: str) -> None:
    world.write("in/a.csv")
    world.write("in/b.csv")
    world.now += timedelta(seconds=1)
    world.watch()
    world.poll()
    folder = world.root if away == "the datastore" else world.root / "in"
    elsewhere = folder.rename(folder.with_name("away"))
    if away == "its files":
        folder.mkdir()  # where the disk was mounted
    assert world.later() == 0
    if away == "its files":
        folder.rmdir()
    elsewhere.rename(folder)
    world.write("in/b.csv", "longer")
    assert world.later() == 1
    assert world.later() == 0


@pytest.mark.parametrize(("path", "seen"), [("in", ["in/a.csv"]), (None, ["top.csv"]), ("/in/", ["in/a.csv"]), ("in/a.csv", ["in/a.csv"])])
def test_only_the_folder_itself_is_watched(world: Watched, path: str | None, seen: list[str]) -> None:
    schedule = world.watch(path)
    world.poll()
    for place in ("top.csv", "in/a.csv", "in/below/b.csv", "inside/c.csv", "in.csv"):
        world.write(place)
    found = look(world.context, Poll(schedules.get_row(world.context, world.workspace, schedule["id"]), ""), lambda: None)
    others = {"in.csv"} if path is None else set()
    assert set(found.files) - others == set(seen)
    assert world.later() == 1


def test_a_folder_may_have_the_letters_of_patterns_in_its_name(world: Watched) -> None:
    schedule = world.watch("in[1]*")
    world.poll()
    for path in ("in[1]*/a.csv", "in[1]*/below/b.csv", "in1/c.csv"):
        world.write(path)
    assert world.later() == 1
    assert world.reasons(schedule) == ["1 file is new: in[1]*/a.csv."]


def test_a_bucket_is_watched_as_a_folder_is(world: Watched, s3_server: Any) -> None:
    pytest.importorskip("s3fs")
    bucket, client = s3_server.new_bucket(), s3_server.client()

    def put(key: str, text: str) -> None:
        client.put_object(Bucket=bucket, Key=key, Body=text.encode())

    definition = {"url": f"s3://{bucket}", "options": s3_server.options}
    datastores.register_datastore(world.context, world.workspace, "far", "Fsspec", definition=definition)
    world.now = datetime.now(UTC) + timedelta(hours=1)  # the server has a clock of its own
    put("in/old.csv", "x")
    trigger = {"datastore": "far", "polling_interval": EVERY, "path": "in", "parameter": "where"}
    schedule = schedules.create_schedule(
        world.context, world.workspace, "far", {"experiment_name": "e"}, pipeline_id=world.reading, trigger=trigger
    )
    assert world.poll() == 0
    put("in/old.csv", "xx")
    put("in/new.csv", "x")
    put("in/below/deep.csv", "x")
    put("inside/beside.csv", "x")
    assert world.later() == 2
    assert {run["parameters"]["where"] == {"datastore": "far", "path": "in/new.csv"} for run in world.runs(schedule)} == {True, False}
    assert world.later() == 0
    assert world.get(schedule)["error"] is None


# One run for each file


def test_each_changed_file_has_a_run_with_its_path(world: Watched) -> None:
    schedule = world.watch(parameter="where")
    world.poll()
    for name in "ab":
        world.write(f"in/{name}.csv")
    assert world.later() == 2
    assert {run["parameters"]["where"]["path"] for run in world.runs(schedule)} == {"in/a.csv", "in/b.csv"}
    assert world.outcomes(schedule) == [("10:42", SUBMITTED, "in/a.csv"), ("10:42", SUBMITTED, "in/b.csv")]
    world.write("in/b.csv", "longer")
    assert world.later() == 1
    assert "'in/b.csv' is changed." in world.reasons(schedule)


def test_a_parameter_that_takes_no_data_path_is_refused_at_creation(world: Watched) -> None:
    with pytest.raises(Invalid, match="were"):
        world.watch(parameter="were")
    with pytest.raises(NotFound, match="workspaceblobstore"):
        schedules.create_schedule(
            world.context,
            world.workspace,
            "x",
            {"experiment_name": "e"},
            pipeline_id=world.reading,
            trigger={"datastore": "workspaceblobstor"},
        )


@pytest.mark.parametrize("trigger", [{"path": "../up"}, {"path": 5}, {"datastore": "table"}, {"polling_interval": 0}, {"folder": "in"}])
def test_what_can_not_be_watched_is_refused_at_creation(world: Watched, trigger: dict[str, Any]) -> None:
    datastores.register_datastore(
        world.context, world.workspace, "table", "AzureSqlDatabase", definition={"server_name": "s", "database_name": "d"}
    )
    wanted = {"datastore": "workspaceblobstore", **trigger}
    with pytest.raises(Invalid):
        schedules.create_schedule(world.context, world.workspace, "x", {"experiment_name": "e"}, pipeline_id=world.reading, trigger=wanted)


# What can't be done


def test_a_run_that_is_refused_is_a_failed_tick_and_is_tried_again(world: Watched) -> None:
    schedule = world.watch()
    world.poll()
    world.write("in/a.csv")
    pipelines.set_status(world.context, world.workspace, world.reading, "Disabled")
    assert world.later() == 0
    assert world.outcomes(schedule) == [("10:42", FAILED, None)]
    assert world.get(schedule)["error"] == world.reasons(schedule)[0]
    assert "is Disabled" in world.reasons(schedule)[0]
    assert "in/a.csv" in world.reasons(schedule)[0]
    pipelines.set_status(world.context, world.workspace, world.reading, "Active")
    assert world.later() == 1
    assert world.later() == 0
    assert world.get(schedule)["error"] is None
    assert world.outcomes(schedule) == [("10:42", FAILED, None), ("10:47", SUBMITTED, None)]


def test_a_file_whose_run_is_refused_is_tried_again_alone(world: Watched) -> None:
    schedule = world.watch(parameter="where")
    world.poll()
    pipelines.set_status(world.context, world.workspace, world.reading, "Disabled")
    world.write("in/a.csv")
    world.write("in/b.csv")
    assert world.later() == 0
    pipelines.set_status(world.context, world.workspace, world.reading, "Active")
    (world.root / "in/b.csv").unlink()
    assert world.later() == 1
    assert world.outcomes(schedule) == [("10:42", FAILED, "in/a.csv"), ("10:42", FAILED, "in/b.csv"), ("10:47", SUBMITTED, "in/a.csv")]


def test_a_datastore_that_is_gone_is_a_failed_tick_at_each_look(world: Watched) -> None:
    other = world.home.path / "elsewhere"
    datastores.register_datastore(world.context, world.workspace, "other", "Local", str(other))
    trigger = {"datastore": "other", "polling_interval": EVERY}
    schedule = schedules.create_schedule(
        world.context, world.workspace, "x", {"experiment_name": "e"}, pipeline_id=world.reading, trigger=trigger
    )
    datastores.unregister_datastore(world.context, world.workspace, "other")
    polls = Polls(world.context)
    for _ in range(2):
        polls.begin_due()
        wait_until(polls.is_idle)
        world.now += timedelta(minutes=EVERY)
    assert world.outcomes(schedule) == [("10:37", FAILED, None), ("10:42", FAILED, None)]
    assert "There is no datastore 'other'" in world.reasons(schedule)[0]
    other.mkdir(exist_ok=True)
    (other / "new.csv").write_text("x")
    os.utime(other / "new.csv", (world.now.timestamp(), world.now.timestamp()))
    datastores.register_datastore(world.context, world.workspace, "other", "Local", str(other))
    assert world.poll() == 1  # it came after the schedule did, though no look had succeeded before
    assert world.get(schedule)["error"] is None


# Disabling and changing


def test_what_changes_while_a_schedule_is_disabled_starts_nothing(world: Watched) -> None:
    schedule = world.watch()
    world.poll()
    world.change(schedule, status="Disabled")
    world.write("in/a.csv")
    assert world.later() == 0
    world.now += timedelta(seconds=1)
    world.change(schedule, status="Active")
    assert world.poll() == 0
    world.write("in/b.csv")
    assert world.later() == 1
    assert world.reasons(schedule) == ["1 file is new: in/b.csv."]


def test_another_folder_is_looked_at_afresh(world: Watched) -> None:
    world.write("in2/old.csv")
    world.now += timedelta(seconds=1)
    schedule = world.watch()
    world.poll()
    world.change(schedule, trigger={"path": "in2"})
    assert world.poll() == 0
    world.write("in/unwatched.csv")
    world.write("in2/new.csv")
    assert world.later() == 1
    assert world.reasons(schedule) == ["1 file is new: in2/new.csv."]


@pytest.mark.parametrize("change", [{"status": "Disabled"}, {"trigger": {"path": "in2"}}])
def test_a_look_that_a_change_came_before_starts_nothing(world: Watched, change: dict[str, Any]) -> None:
    schedule = world.watch()
    world.poll()
    world.write("in/a.csv")
    world.now += timedelta(minutes=EVERY)
    (poll,) = claim_due(world.context, world.now)
    sight = look(world.context, poll, lambda: None)
    world.change(schedule, **change)
    assert settle(world.context, poll, sight) == 0
    assert world.outcomes(schedule) == []


# Services that come and go


def test_two_services_do_each_poll_once(world: Watched) -> None:
    schedule = world.watch(parameter="where")
    other = world.start()
    world.poll()
    for number in range(3):
        for name in "ab":
            world.write(f"in/{name}.csv", "x" * (number + 1))
        world.now += timedelta(minutes=EVERY)
        threads = [threading.Thread(target=world.poll, args=(context,)) for context in (world.context, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(world.runs(schedule)) == len(world.outcomes(schedule)) == 6


def test_two_looks_that_overlap_count_once(world: Watched) -> None:
    schedule = world.watch()
    world.poll()
    world.write("in/a.csv")
    world.now += timedelta(minutes=EVERY)
    (slow,) = claim_due(world.context, world.now)
    slow_sight = look(world.context, slow, lambda: None)
    assert world.later() == 1  # another service's
    assert settle(world.context, slow, slow_sight) == 0
    assert len(world.runs(schedule)) == 1


def test_a_service_that_dies_in_the_middle_of_a_look_loses_nothing(world: Watched) -> None:
    schedule = world.watch()
    world.poll()
    world.write("in/a.csv")
    world.now += timedelta(minutes=EVERY)
    assert len(claim_due(world.context, world.now)) == 1
    world.restart()
    assert world.poll() == 0
    assert world.later() == 1
    assert world.later() == 0
    assert len(world.runs(schedule)) == 1


def test_a_look_that_a_service_did_not_end_is_taken_up_by_the_next(world: Watched) -> None:
    schedule, done = world.watch(), world.watch("other")
    world.poll()
    world.write("in/a.csv")
    world.now += timedelta(minutes=EVERY)
    for poll in claim_due(world.context, world.now):
        if poll.schedule["id"] == done["id"]:
            settle(world.context, poll, look(world.context, poll, lambda: None))
    world.restart()
    world.now += timedelta(seconds=2)
    next_at = world.get(done)["next_at"]
    polls = Polls(world.context)
    polls.begin_due()
    wait_until(polls.is_idle)
    assert world.outcomes(schedule) == [("10:42", SUBMITTED, None)]
    assert world.get(schedule)["next_at"] == next_at == world.get(done)["next_at"]


@pytest.mark.parametrize(("rule", "expected"), [("last", SUBMITTED), ("all", SUBMITTED), ("none", SKIPPED), (None, SUBMITTED)])
def test_looks_that_were_missed_count_as_one(world: Watched, rule: str | None, expected: str) -> None:
    schedule = world.watch(catch_up=rule)
    world.poll()
    world.write("in/a.csv")
    world.restart()
    assert world.later(10 * EVERY + 1) == (expected == SUBMITTED)
    assert world.outcomes(schedule) == [("10:42", expected, None)]
    (tick,) = schedules.list_ticks(world.context, world.workspace, schedule["id"])
    assert "in/a.csv" in tick["reason"]
    assert expected == SKIPPED or "9 looks were missed before" in tick["reason"]
    assert tick["missed_count"] == (10 if expected == SKIPPED else 1)
    assert world.get(schedule)["next_at"] == format_time(BEGIN + timedelta(minutes=11 * EVERY))
    assert world.later(EVERY) == 0
    world.write("in/b.csv")
    assert world.later() == 1


def test_a_clock_that_is_set_back_leaves_nobody_waiting(world: Watched) -> None:
    schedule = world.watch()
    world.poll()
    for number in range(3):
        world.write(f"in/{number}.csv")
        assert world.later() == 1
    world.now = BEGIN + timedelta(minutes=1)
    realign(world.context)
    world.write("in/later.csv")
    assert [world.later() for _ in range(4)] == [0, 0, 0, 1]  # ticks that were done are not done again, and lose nothing
    assert len(world.outcomes(schedule)) == 4


# Threads


class Hanging(HomeStores):
    """The stores of a home folder, one of which does not answer until it is let go."""

    def __init__(self, home: Path, name: str) -> None:
        super().__init__(home, 1 << 20)
        self.name, self.answers, self.is_asked = name, threading.Event(), threading.Event()

    def list(self, store: Store, pattern: str, check: Check = lambda: None) -> Sequence[Found]:
        if store.name == self.name:
            self.is_asked.set()
            while not self.answers.wait(0.01):
                check()
        return super().list(store, pattern, check)


def test_a_datastore_that_hangs_delays_nobody_else_and_says_so(world: Watched) -> None:
    datastores.register_datastore(world.context, world.workspace, "slow", "Local", str(world.home.path / "slow"))
    submission, slow = {"experiment_name": "e"}, {"datastore": "slow", "polling_interval": EVERY}
    hung = schedules.create_schedule(world.context, world.workspace, "slow", submission, pipeline_id=world.reading, trigger=slow)
    behind = schedules.create_schedule(world.context, world.workspace, "too", submission, pipeline_id=world.reading, trigger=slow)
    quick = world.watch()
    stores = Hanging(world.home.path, "slow")
    polls = Polls(Context(world.context.database, world.home, world.context.settings, now=world.context.now, stores=stores))
    polls.begin_due()
    assert stores.is_asked.wait(120)
    wait_until(lambda: schedules.get_row(world.context, world.workspace, quick["id"])["seen_at"])
    world.write("in/a.csv")
    world.now += timedelta(minutes=EVERY)
    polls.begin_due()
    wait_until(lambda: world.outcomes(quick))
    assert world.outcomes(quick) == [("10:42", SUBMITTED, None)]
    assert world.outcomes(hung) == world.outcomes(behind) == [("10:42", FAILED, None)]
    assert "has not ended" in world.reasons(hung)[0]
    stores.answers.set()
    wait_until(polls.is_idle)
    world.now += timedelta(minutes=EVERY)
    polls.begin_due()
    wait_until(polls.is_idle)
    assert world.get(hung)["error"] is None


def test_a_schedule_that_is_enabled_again_while_it_looks_looks_once_more(world: Watched) -> None:
    schedule = world.watch()
    stores = Hanging(world.home.path, "workspaceblobstore")
    polls = Polls(Context(world.context.database, world.home, world.context.settings, now=world.context.now, stores=stores))
    polls.begin_due()
    assert stores.is_asked.wait(120)
    for _ in range(3):
        world.now += timedelta(seconds=1)
        world.change(schedule, status="Disabled")
        world.change(schedule, status="Active")
        polls.begin_due()
    world.now += timedelta(seconds=1)
    world.write("in/a.csv")
    stores.answers.set()
    wait_until(polls.is_idle)
    assert [outcome for _, outcome, _ in world.outcomes(schedule)] == [SUBMITTED]


def test_a_look_that_takes_too_long_is_given_up(world: Watched) -> None:
    schedule = world.watch()
    stores = Hanging(world.home.path, "workspaceblobstore")
    seconds = iter(range(0, 10**9, 100))
    context = Context(world.context.database, world.home, world.context.settings, now=world.context.now, stores=stores)
    polls = Polls(context, longest_look_seconds=300, clock=lambda: next(seconds))
    polls.begin_due()
    wait_until(polls.is_idle)
    assert world.outcomes(schedule) == [("10:37", FAILED, None)]
    assert "took longer than 5 minutes" in world.reasons(schedule)[0]


def test_a_service_that_leaves_ends_its_looks_without_a_word(world: Watched) -> None:
    schedule = world.watch()
    stores = Hanging(world.home.path, "workspaceblobstore")
    polls = Polls(Context(world.context.database, world.home, world.context.settings, now=world.context.now, stores=stores))
    polls.begin_due()
    assert stores.is_asked.wait(120)
    polls.stop()
    wait_until(polls.is_idle)
    assert world.outcomes(schedule) == []


# Whatever happens


ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from("abc"), st.integers(1, 3)),
    st.tuples(st.just("remove"), st.sampled_from("abc")),
    st.tuples(st.just("pass"), st.integers(1, 13)),
    st.just(("restart",)),
    st.just(("break",)),
    st.just(("mend",)),
    st.just(("die",)),
)


@pytest.mark.parametrize("parameter", [None, "where"])
def test_each_change_is_seen_once_whatever_happens(world: Watched, parameter: str | None) -> None:
    examples = iter(range(10**6))

    @chosen(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(ACTIONS, max_size=12))
    def each_change_is_seen_once(actions: list[tuple[Any, ...]]) -> None:
        Story(world, f"in{next(examples)}", parameter).play(actions)

    each_change_is_seen_once()


class Story:
    """What a schedule should do, said as plainly as can be: it knows what it saw, and at each look what differs starts runs."""

    def __init__(self, world: Watched, folder: str, parameter: str | None) -> None:
        pipelines.set_status(world.context, world.workspace, world.reading, "Active")
        world.now += timedelta(minutes=1)
        self.world, self.folder, self.parameter = world, folder, parameter
        self.files: dict[str, tuple[int, datetime]] = {}
        self.seen: dict[str, tuple[int, datetime]] = {}
        self.is_broken = False
        self.expected = 0
        self.schedule = world.watch(folder, parameter)
        self.due = world.now.replace(microsecond=0)
        world.poll()
        self.due += timedelta(minutes=EVERY)

    def play(self, actions: list[tuple[Any, ...]]) -> None:
        for name, *about in actions:
            self.world.now += timedelta(seconds=1)
            getattr(self, f"do_{name}")(*about)
            assert len(self.world.runs(self.schedule)) == self.expected
        self.world.change(self.schedule, status="Disabled")

    def do_write(self, name: str, size: int) -> None:
        self.world.write(f"{self.folder}/{name}", "x" * size)
        self.files[name] = (size, self.world.now)

    def do_remove(self, name: str) -> None:
        if self.files.pop(name, None):
            (self.world.root / self.folder / name).unlink()

    def do_pass(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)
        self._look(self.world.poll)

    def do_die(self) -> None:
        """A service takes a poll and dies before it did it."""
        self.world.now += timedelta(minutes=EVERY)
        claim_due(self.world.context, self.world.now)
        self._let_due_pass()
        self.world.restart()

    def do_restart(self) -> None:
        self.world.restart()

    def do_break(self) -> None:
        self.is_broken = True
        pipelines.set_status(self.world.context, self.world.workspace, self.world.reading, "Disabled")

    def do_mend(self) -> None:
        self.is_broken = False
        pipelines.set_status(self.world.context, self.world.workspace, self.world.reading, "Active")

    def _look(self, poll: Any) -> None:
        started = poll()
        if not self._let_due_pass():
            assert started == 0
            return
        changed = {name for name, file in self.files.items() if self.seen.get(name) != file}
        for name in self.seen.keys() - self.files.keys():
            del self.seen[name]
        count = 0 if self.is_broken else len(changed) if self.parameter else min(len(changed), 1)
        if not self.is_broken:
            self.seen.update({name: self.files[name] for name in changed})
        assert started == count
        self.expected += count

    def _let_due_pass(self) -> bool:
        was_due = self.due <= self.world.now
        while self.due <= self.world.now:
            self.due += timedelta(minutes=EVERY)
        return was_due


def test_a_failure_is_not_told_of_a_schedule_that_was_disabled_meanwhile(world: Watched) -> None:
    schedule = world.watch()
    (poll,) = claim_due(world.context, world.now)
    world.change(schedule, status="Disabled")
    fail(world.context, poll, "no answer")
    assert (world.outcomes(schedule), world.get(schedule)["error"]) == ([], None)
