"""When recurrences are due, against a calendar that is walked through day by day."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.parts.ticks_by_hand import ticks_by_hand

from penstock.model.errors import Invalid
from penstock.recurrence.recurrence import (
    FREQUENCIES,
    Recurrence,
    count_between,
    describe,
    first_tick,
    last_until,
    next_after,
    parse_moment,
    parse_recurrence,
    preview,
)
from penstock.recurrence.zones import WINDOWS_ZONES, get_zone

UTC = timezone.utc
ANCHOR = datetime(2021, 3, 10, 10, 37, 12, tzinfo=UTC)


def read(**members: Any) -> Recurrence:
    return parse_recurrence({"interval": 1, **members})


def told(recurrence: Recurrence, count: int = 3, anchor: datetime = ANCHOR, after: datetime | None = None) -> list[str]:
    """Return the next ticks in UTC, as short texts."""
    ticks = preview(recurrence, anchor, after or anchor - timedelta(microseconds=1), count)
    return [f"{tick:%m-%d %H:%M}" for tick in ticks]


@some.composite
def recurrences(draw: some.DrawFn) -> Recurrence:
    frequency = draw(some.sampled_from(FREQUENCIES))
    most = {"Minute": 40_000, "Hour": 700, "Day": 30, "Week": 5, "Month": 7}[frequency]
    has_times = frequency in ("Day", "Week")
    hours = some.lists(some.integers(0, 23), max_size=3, unique=True)
    minutes = some.lists(some.integers(0, 59), max_size=2, unique=True)
    days = some.lists(some.integers(0, 6), max_size=3, unique=True)
    starts = some.datetimes(datetime(2015, 1, 1), datetime(2024, 12, 31)).map(lambda start: start.replace(microsecond=0))
    return Recurrence(
        frequency,
        draw(some.integers(60 if frequency == "Minute" else 1, most)),
        draw(some.none() | starts),
        draw(some.sampled_from([None, *WINDOWS_ZONES])),
        tuple(sorted(draw(hours))) if has_times else (),
        tuple(sorted(draw(minutes))) if has_times else (),
        tuple(sorted(draw(days))) if frequency == "Week" else (),
    )


MOMENTS = some.datetimes(datetime(2015, 1, 1), datetime(2024, 12, 31), timezones=some.just(UTC))


@settings(max_examples=100, deadline=None)
@given(recurrences(), MOMENTS, some.data())
def test_ticks_are_those_of_a_calendar(recurrence: Recurrence, anchor: datetime, data: some.DataObject) -> None:
    anchor = anchor.replace(microsecond=0)
    until = anchor + timedelta(days=500)
    expected = ticks_by_hand(recurrence, anchor, until)
    found = preview(recurrence, anchor, anchor - timedelta(microseconds=1), 300)
    assert [tick for tick in found if tick <= until] == expected[:300]
    first, second = sorted(data.draw(some.integers(0, 500 * 86400)) for _ in range(2))
    after, until = anchor + timedelta(seconds=first), anchor + timedelta(seconds=second)
    inside = [tick for tick in expected if after < tick <= until]
    assert count_between(recurrence, anchor, after, until) == len(inside)
    if inside:
        assert last_until(recurrence, anchor, until) == inside[-1]
        assert next_after(recurrence, anchor, after) == inside[0]


@settings(max_examples=100, deadline=None)
@given(recurrences())
def test_what_is_written_is_read_again(recurrence: Recurrence) -> None:
    assert parse_recurrence(json.loads(json.dumps(recurrence.document()))) == recurrence
    assert describe(recurrence).startswith("every ")


def test_without_any_time_the_first_tick_is_at_creation() -> None:
    assert told(read(frequency="Hour", interval=6)) == ["03-10 10:37", "03-10 16:37", "03-10 22:37"]
    assert told(read(frequency="Week", interval=2)) == ["03-10 10:37", "03-24 10:37", "04-07 10:37"]


def test_a_start_time_in_the_past_is_counted_from() -> None:
    assert told(read(frequency="Day", interval=7, start_time="2021-01-01T08:00:00")) == ["03-12 08:00", "03-19 08:00", "03-26 08:00"]


def test_a_start_time_to_come_is_the_first_tick() -> None:
    assert told(read(frequency="Hour", start_time="2021-06-01T08:15")) == ["06-01 08:15", "06-01 09:15", "06-01 10:15"]


def test_a_start_time_that_is_also_a_time_of_the_day_is_not_the_first_tick() -> None:
    recurrence = read(frequency="Day", start_time="2021-06-01T08:00:00", hours=[8, 20], minutes=[0])
    assert told(recurrence) == ["06-01 20:00", "06-02 08:00", "06-02 20:00"]


def test_a_start_time_with_an_offset_is_a_moment() -> None:
    recurrence = read(frequency="Day", start_time="2021-06-01T08:00:00Z", time_zone="Tokyo Standard Time")
    assert recurrence.start_time == datetime(2021, 6, 1, 17)
    assert told(recurrence, 1) == ["06-01 08:00"]


def test_hours_and_minutes_are_every_pair_of_them() -> None:
    recurrence = read(frequency="Day", hours=[6, 18], minutes=[30, 0])
    assert told(recurrence, 5) == ["03-10 18:00", "03-10 18:30", "03-11 06:00", "03-11 06:30", "03-11 18:00"]


def test_hours_alone_are_on_the_hour_and_minutes_alone_in_every_hour() -> None:
    assert told(read(frequency="Day", hours=[6])) == ["03-11 06:00", "03-12 06:00", "03-13 06:00"]
    assert told(read(frequency="Day", hours=[6], start_time="2021-01-01T00:45:00"), 1) == ["03-11 06:45"]
    assert told(read(frequency="Day", minutes=[15])) == ["03-10 11:15", "03-10 12:15", "03-10 13:15"]


def test_week_days_without_a_time_are_at_that_of_the_creation() -> None:
    recurrence = read(frequency="Week", week_days=["Wednesday", "friday"])
    assert told(recurrence) == ["03-10 10:37", "03-12 10:37", "03-17 10:37"]


def test_every_second_week_counts_from_the_monday_before_the_start() -> None:
    recurrence = read(frequency="Week", interval=2, week_days=["Monday", "Sunday"], hours=[9], start_time="2021-03-10T00:00:00")
    assert told(recurrence) == ["03-14 09:00", "03-22 09:00", "03-28 09:00"]


def test_a_month_that_is_too_short_has_its_last_day() -> None:
    recurrence = read(frequency="Month", start_time="2021-01-31T12:00:00")
    assert told(recurrence, 4) == ["03-31 12:00", "04-30 12:00", "05-31 12:00", "06-30 12:00"]


def test_a_time_that_the_clocks_skip_is_so_long_after_the_gap_as_it_lies_in_it() -> None:
    recurrence = read(frequency="Day", hours=[2], minutes=[30], time_zone="W. Europe Standard Time")
    after = datetime(2021, 3, 27, 0, tzinfo=UTC)
    # 02:30 on the 27th is 01:30 UTC. On the 28th it is skipped, and so 03:30, which is 01:30 UTC. Then summer time is two hours ahead.
    assert told(recurrence, 3, after=after) == ["03-27 01:30", "03-28 01:30", "03-29 00:30"]


def test_two_times_that_fall_on_one_moment_are_one_tick() -> None:
    recurrence = read(frequency="Day", hours=[2, 3], minutes=[30], time_zone="W. Europe Standard Time")
    assert told(recurrence, 3, after=datetime(2021, 3, 27, 3, tzinfo=UTC)) == ["03-28 01:30", "03-29 00:30", "03-29 01:30"]


def test_times_in_a_gap_are_in_the_order_of_their_moments() -> None:
    recurrence = read(frequency="Day", hours=[2, 3], minutes=[0, 45], time_zone="W. Europe Standard Time")
    # 02:00 becomes 03:00, which is a time of its own; 02:45 becomes 03:45, another one.
    assert told(recurrence, 3, after=datetime(2021, 3, 28, 0, tzinfo=UTC)) == ["03-28 01:00", "03-28 01:45", "03-29 00:00"]


def test_a_time_that_the_clocks_show_twice_is_one_tick_at_the_first() -> None:
    recurrence = read(frequency="Day", hours=[2], minutes=[30], time_zone="W. Europe Standard Time")
    assert told(recurrence, 3, after=datetime(2021, 10, 30, 3, tzinfo=UTC)) == ["10-31 00:30", "11-01 01:30", "11-02 01:30"]


def test_hours_go_on_evenly_when_the_clocks_change() -> None:
    recurrence = read(frequency="Hour", start_time="2021-03-28T00:30:00", time_zone="W. Europe Standard Time")
    assert told(recurrence, 4, after=datetime(2021, 3, 27, 23, tzinfo=UTC)) == ["03-27 23:30", "03-28 00:30", "03-28 01:30", "03-28 02:30"]


def test_a_day_that_a_zone_left_out_has_its_tick_with_the_next_one() -> None:
    recurrence = read(frequency="Day", hours=[10], time_zone="Samoa Standard Time")
    after = datetime(2011, 12, 29, tzinfo=UTC)  # Samoa had no 30 December in 2011
    anchor = datetime(2011, 12, 1, tzinfo=UTC)
    assert told(recurrence, 3, anchor, after) == ["12-29 20:00", "12-30 20:00", "12-31 20:00"]


def test_far_away_is_as_near_as_tomorrow() -> None:
    recurrence = read(frequency="Minute", start_time="1999-12-31T23:59:00")
    assert next_after(recurrence, ANCHOR, datetime(2999, 1, 1, tzinfo=UTC)) == datetime(2999, 1, 1, 0, 1, tzinfo=UTC)
    monthly = read(frequency="Month", start_time="1999-12-31T23:59:00", time_zone="Tokyo Standard Time")
    assert next_after(monthly, ANCHOR, datetime(2999, 1, 30, tzinfo=UTC)) == datetime(2999, 1, 31, 14, 59, tzinfo=UTC)


def test_no_tick_is_later_than_a_calendar_can_tell() -> None:
    assert next_after(read(frequency="Month", interval=1_000_000), ANCHOR, ANCHOR) is None
    assert next_after(read(frequency="Hour", interval=1_000_000), ANCHOR, datetime(9990, 1, 1, tzinfo=UTC)) is None
    assert next_after(read(frequency="Day"), ANCHOR, datetime(9999, 12, 31, 12, tzinfo=UTC)) is None
    assert first_tick(read(frequency="Week", interval=1_000_000), ANCHOR) == ANCHOR


@pytest.mark.parametrize(
    ("members", "member", "words"),
    [
        ({"frequency": "Year"}, "frequency", "one of Minute, Hour"),
        ({}, "frequency", "one of Minute"),
        ({"frequency": "Day", "interval": 0}, "interval", "from 1 to"),
        ({"frequency": "Day", "interval": True}, "interval", "from 1 to"),
        ({"frequency": "Day", "interval": "2"}, "interval", "'2'"),
        ({"frequency": "Day", "start_time": "soon"}, "start_time", "2021-10-31T08:30:00"),
        ({"frequency": "Day", "start_time": 5}, "start_time", "2021-10-31T08:30:00"),
        ({"frequency": "Day", "start_time": "0001-01-01T00:00:00"}, "start_time", "1900 or later"),
        ({"frequency": "Day", "time_zone": "Pacific Standart Time"}, "time_zone", "Did you mean 'Pacific Standard Time'?"),
        ({"frequency": "Day", "hours": [24]}, "hours", "from 0 to 23"),
        ({"frequency": "Day", "minutes": 5}, "minutes", "from 0 to 59"),
        ({"frequency": "Hour", "minutes": [5]}, "minutes", "Day or Week"),
        ({"frequency": "Month", "hours": [5]}, "hours", "Day or Week"),
        ({"frequency": "Day", "week_days": ["Monday"]}, "week_days", "need the frequency Week"),
        ({"frequency": "Week", "week_days": ["Mo"]}, "week_days", "Monday, Tuesday"),
        ({"frequency": "Day", "hour": [5]}, "hour", "Did you mean 'hours'?"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], member: str, words: str) -> None:
    with pytest.raises(Invalid, match=r"(?s).*") as caught:
        read(**members)
    assert words in caught.value.message
    assert caught.value.details == {"member": member}


def test_a_recurrence_is_told_in_words() -> None:
    assert describe(read(frequency="Minute", interval=5)) == "every 5 minutes"
    weekly = read(frequency="Week", week_days=["Friday", "Monday"], hours=[6], minutes=[30], time_zone="W. Europe Standard Time")
    assert describe(weekly) == "every week on Monday, Friday at 06:30 (W. Europe Standard Time)"
    many = read(frequency="Day", hours=list(range(24)), minutes=[0, 30])
    assert describe(many) == "every day at 00:00, 00:30, 01:00, 01:30, 02:00, 02:30 and 42 times more"
    assert describe(read(frequency="Day", minutes=[5], start_time="2021-01-02T03:04:05")) == (
        "every day at minute 5 of every hour from 2021-01-02 03:04"
    )


def test_every_zone_of_v1_is_known() -> None:
    assert len(WINDOWS_ZONES) == 131
    assert all(get_zone(name).key == key for name, key in WINDOWS_ZONES.items())


def test_texts_of_moments_are_read() -> None:
    assert parse_moment("2021-03-10T10:37:12.000005Z") == ANCHOR + timedelta(microseconds=5)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))])
def test_two_years_in_every_zone(seed: int) -> None:
    """Daily and weekly times near the hours at which clocks change, in all zones."""
    chance = random.Random(seed)  # noqa: S311
    anchor = datetime(2010 + 6 * seed, 1, 1, 12, tzinfo=UTC)
    for zone in WINDOWS_ZONES:
        hours, minutes = sorted(chance.sample(range(5), 2)), (chance.randrange(60),)
        recurrence = Recurrence(chance.choice(["Day", "Week"]), 1, None, zone, tuple(hours), minutes)
        until = anchor + timedelta(days=730)
        expected = ticks_by_hand(recurrence, anchor, until)
        assert count_between(recurrence, anchor, anchor, until) == len(expected)
        for place in chance.sample(range(1, len(expected)), 20):
            assert next_after(recurrence, anchor, expected[place - 1]) == expected[place], zone
