"""Recurrences and time zones of schedules: what they take, what they refuse and where, and the YAML that they are read from."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Schedule, ScheduleRecurrence, TimeZone
from azureml.pipeline.core._recurrence import FREQUENCIES, WEEK_DAYS, from_document, to_document

HOURS, MINUTES = st.lists(st.integers(0, 23)), st.lists(st.integers(0, 59))
STARTS = st.none() | st.datetimes(min_value=datetime(1000, 1, 1))


@st.composite
def recurrences(draw: Any) -> ScheduleRecurrence:
    frequency = draw(st.sampled_from(FREQUENCIES))
    more: Dict[str, Any] = {}
    if frequency in ("Day", "Week"):
        more = {"hours": draw(st.none() | HOURS), "minutes": draw(st.none() | MINUTES)}
    if frequency == "Week":
        more["week_days"] = draw(st.none() | st.lists(st.sampled_from(WEEK_DAYS)))
    return ScheduleRecurrence(
        frequency,
        draw(st.integers(1, 1000)),
        start_time=draw(STARTS),
        time_zone=draw(st.none() | st.sampled_from(TimeZone)),
        **more,
    )


@given(recurrences())
def test_a_recurrence_is_the_same_after_its_way_to_the_service_and_back(recurrence: ScheduleRecurrence) -> None:
    recurrence.validate()
    document = to_document(recurrence)
    back = from_document(document)
    back.validate()
    assert to_document(back) == document
    assert (back.frequency, back.interval, back.start_time, back.time_zone) == (
        recurrence.frequency,
        recurrence.interval,
        recurrence.start_time,
        recurrence.time_zone,
    )
    assert [back.hours or [], back.minutes or [], back.week_days or []] == [
        recurrence.hours or [],
        recurrence.minutes or [],
        recurrence.week_days or [],
    ]


def test_a_start_time_becomes_text_and_has_a_zone() -> None:
    recurrence = ScheduleRecurrence("Day", 1, start_time=datetime(2024, 2, 29, 9, 30, 15, 99))
    assert (recurrence.start_time, recurrence.time_zone) == ("2024-02-29T09:30:15", TimeZone.UTC)
    as_given = ScheduleRecurrence("Day", 1, start_time="2024-02-29T09:30", time_zone=TimeZone.TokyoStandardTime)
    assert (as_given.start_time, as_given.time_zone) == ("2024-02-29T09:30", TimeZone.TokyoStandardTime)
    assert ScheduleRecurrence("Day", 1).time_zone is None


@pytest.mark.parametrize("start", [datetime(2024, 1, 1, tzinfo=timezone.utc), 5])
def test_a_start_time_with_a_zone_of_its_own_is_refused_at_once(start: Any) -> None:
    with pytest.raises(ValueError, match="start time"):
        ScheduleRecurrence("Day", 1, start_time=start)


@pytest.mark.parametrize(("text", "hour", "minute"), [("9:30", 9, 30), ("09:30", 9, 30), ("00:00", 0, 0), ("23:59", 23, 59)])
def test_a_time_of_day_is_one_hour_and_one_minute(text: str, hour: int, minute: int) -> None:
    recurrence = ScheduleRecurrence("Week", 1, week_days=["Monday"], time_of_day=text)
    recurrence.validate()
    assert (recurrence.hours, recurrence.minutes) == ([hour], [minute])
    assert not hasattr(recurrence, "time_of_day")


@pytest.mark.parametrize("text", ["24:00", "9:60", "9", "9:3", "930", " 9:30", "9:30pm", "", "-1:00", "٩:٣٠", 9, 9.5])
def test_what_is_no_time_of_day_is_refused_at_once(text: Any) -> None:
    with pytest.raises(ValueError, match="time_of_day"):
        ScheduleRecurrence("Day", 1, time_of_day=text)


@pytest.mark.parametrize("also", [{"hours": [1]}, {"minutes": [1]}, {"hours": [], "minutes": []}])
def test_a_time_of_day_comes_without_hours_and_minutes(also: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not both"):
        ScheduleRecurrence("Day", 1, time_of_day="9:30", **also)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"frequency": "Daily"}, "Did you mean 'Day'"),
        ({"frequency": "day"}, "Did you mean 'Day'"),
        ({"frequency": None}, "frequency None"),
        ({"interval": 0}, "interval"),
        ({"interval": -1}, "interval"),
        ({"interval": 1.5}, "interval"),
        ({"interval": True}, "interval"),
        ({"interval": "1"}, "interval"),
        ({"frequency": "Hour", "hours": [1]}, "hours with the frequency Day or Week"),
        ({"frequency": "Month", "minutes": [1]}, "minutes with the frequency Day or Week"),
        ({"hours": [24]}, "hours"),
        ({"hours": [-1]}, "hours"),
        ({"hours": ["1"]}, "hours"),
        ({"hours": 9}, "hours"),
        ({"minutes": [60]}, "minutes"),
        ({"frequency": "Day", "week_days": ["Monday"]}, "week_days with the frequency Week"),
        ({"frequency": "Week", "week_days": ["monday"]}, "Did you mean 'Monday'"),
        ({"frequency": "Week", "week_days": "Monday"}, "week_days"),
        ({"time_zone": "UTC"}, "Did you mean 'UTC'"),
        ({"time_zone": "Tokyo Standard Time"}, "Did you mean 'TokyoStandardTime'"),
    ],
)
def test_rules_are_checked_by_validate_and_not_before(about: Dict[str, Any], words: str) -> None:
    recurrence = ScheduleRecurrence(**{"frequency": "Day", "interval": 1, **about})
    with pytest.raises(ValueError, match=re.escape(words)):
        recurrence.validate()


def test_a_recurrence_says_when_it_fires() -> None:
    assert repr(ScheduleRecurrence("Minute", 1)) == "ScheduleRecurrence(every minute)"
    week = ScheduleRecurrence("Week", 2, time_zone=TimeZone.PacificStandardTime, week_days=["Monday", "Friday"], hours=[6, 18], minutes=[5])
    assert repr(week) == "ScheduleRecurrence(every 2 weeks on Monday, Friday at 06:05, 18:05 (Pacific Standard Time))"
    assert "hour 6" in repr(ScheduleRecurrence("Day", 1, hours=[6]))
    assert "minute 5" in repr(ScheduleRecurrence("Day", 1, minutes=[5]))


def test_time_zones_are_those_of_windows() -> None:
    assert len(TimeZone) == 131
    assert TimeZone("Pacific Standard Time") is TimeZone.PacificStandardTime
    assert (TimeZone.UTC.value, TimeZone.UTC11.value, TimeZone.UTC12.value) == ("UTC", "UTC-11", "UTC+12")
    assert TimeZone.__module__ == ScheduleRecurrence.__module__ == Schedule.__module__ == "azureml.pipeline.core.schedule"


# YAML


def load(folder: Path, text: str) -> Dict[str, Any]:
    file = folder / "schedule.yml"
    file.write_text(text)
    return Schedule.load_yaml(None, str(file))  # type: ignore[arg-type]


def test_a_file_gives_the_arguments_of_create(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
Schedule:
  description: nightly
  pipeline_parameters: {a: 1, b: x}
  wait_for_provisioning: true
  wait_timeout: 60
  polling_interval: 7
  data_path_parameter_name: p
  continue_on_step_failure: false
  path_on_datastore: a/b
  something_else: 1
  recurrence: {frequency: Week, interval: 2, start_time: 2024-05-01T09:00:00, time_zone: Tokyo Standard Time, hours: ~, minutes: ~,
               time_of_day: 9:30, week_days: [Monday]}
""",
    )
    recurrence = found.pop("recurrence")
    assert found == {
        "description": "nightly",
        "pipeline_parameters": {"a": 1, "b": "x"},
        "wait_for_provisioning": True,
        "wait_timeout": 60,
        "polling_interval": 7,
        "data_path_parameter_name": "p",
        "continue_on_step_failure": False,
        "path_on_datastore": "a/b",
    }
    recurrence.validate()
    assert (recurrence.start_time, recurrence.time_zone) == ("2024-05-01T09:00:00", TimeZone.TokyoStandardTime)
    assert (recurrence.hours, recurrence.minutes, recurrence.week_days) == ([9], [30], ["Monday"])


def test_a_recurrence_may_say_only_what_it_needs(tmp_path: Path) -> None:
    found = load(tmp_path, "Schedule: {recurrence: {frequency: Hour, interval: 2}}")
    assert (found["recurrence"].frequency, found["recurrence"].interval, found.get("description")) == ("Hour", 2, None)
    with pytest.raises(KeyError):
        found["datastore_name"]


@pytest.mark.parametrize(
    ("written", "start_time"),
    [
        ("2024-05-01", "2024-05-01T00:00:00"),
        ("2024-05-01T09:00:00", "2024-05-01T09:00:00"),
        ("'2024-05-01T09:00:00+02:00'", "2024-05-01T09:00:00+02:00"),
        ("~", None),
        ("None", None),
    ],
)
def test_a_start_time_may_be_written_as_yaml_has_it(tmp_path: Path, written: str, start_time: Optional[str]) -> None:
    found = load(tmp_path, f"Schedule: {{recurrence: {{frequency: Hour, interval: 2, start_time: {written}}}}}")
    assert found["recurrence"].start_time == start_time


def test_a_start_time_with_an_offset_is_a_moment(tmp_path: Path) -> None:
    found = load(tmp_path, "Schedule: {recurrence: {frequency: Hour, interval: 2, start_time: 2024-05-01T09:00:00+02:00}}")
    start = datetime.fromisoformat(found["recurrence"].start_time)  # some versions of PyYAML give it in UTC
    assert (start - start.utcoffset() if start.utcoffset() else start).replace(tzinfo=None) == datetime(2024, 5, 1, 7)


def test_the_word_none_says_nothing_as_in_the_documentation_of_v1(tmp_path: Path) -> None:
    assert load(tmp_path, "Schedule: {recurrence: ~, polling_interval: 5, continue_on_step_failure: None, datastore_name: None}") == {
        "polling_interval": 5
    }


def test_an_empty_section_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "Schedule:") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Schedul: {}", "no section 'Schedule'"),
        ("- 1", "no section 'Schedule'"),
        ("", "no section 'Schedule'"),
        ("Schedule: 5", "names and values"),
        ("Schedule: {recurrence: Day}", "names and values"),
        ("Schedule: {recurrence: {interval: 1}}", "frequency"),
        ("Schedule: {recurrence: {frequency: Day}}", "interval"),
        ("Schedule: {recurrence: {frequency: Day, interval: 1, hour: [1]}}", "Did you mean 'hours'"),
        ("Schedule: {recurrence: {frequency: Day, interval: 1, time_zone: Tokio Standard Time}}", "Did you mean 'Tokyo Standard Time'"),
        ("Schedule: {recurrence: {frequency: Day, interval: 1, time_of_day: 25:00}}", "time_of_day"),
    ],
)
def test_a_file_that_no_schedule_can_have_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        load(tmp_path, text)


def test_what_is_no_yaml_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="no YAML"):
        load(tmp_path, "Schedule: [")
    with pytest.raises(FileNotFoundError, match=r"missing\.yml"):
        Schedule.load_yaml(None, "missing.yml")  # type: ignore[arg-type]
