"""When a schedule fires: how often, at which hours, in which time zone."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, List, Optional, Tuple

from azureml.core._nearest import nearest
from azureml.pipeline.core._time_zones import TimeZone

FREQUENCIES = ("Minute", "Hour", "Day", "Week", "Month")
WEEK_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_TAKE_HOURS = ("Day", "Week")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_START = "%Y-%m-%dT%H:%M:%S"
_LAST_HOUR, _LAST_MINUTE = 23, 59


class ScheduleRecurrence:
    """How often a schedule runs its pipeline.

    Without hours and minutes it fires at its start time, or when it is created, and then by its interval. Several hours and several
    minutes mean each of those minutes in each of those hours.

    Args:
        frequency: Minute, Hour, Day, Week or Month.
        interval: How many of them lie between two runs.
        start_time: When it begins, in its time zone: a datetime without a time zone of its own, or a text like 2024-05-01T09:00:00.
        time_zone: A TimeZone; UTC where a start time is given and this is not.
        hours: At which hours of the day, 0 to 23; for Day and Week.
        minutes: At which minutes of the hour, 0 to 59; for Day and Week.
        week_days: On which days, by their English names; for Week.
        time_of_day: One time instead of hours and minutes, such as 9:30.

    Attributes:
        frequency: As given.
        interval: As given.
        start_time: The start time as text, or None.
        time_zone: The time zone, or None.
        hours: The hours, or None.
        minutes: The minutes, or None.
        week_days: The days, or None.

    Raises:
        ValueError: The start time has a time zone of its own, or the time of day is none, or comes beside hours or minutes. All else is
            checked by `validate`.
    """

    frequency: str
    interval: int
    start_time: Optional[str]
    time_zone: Optional[TimeZone]
    hours: Optional[List[int]]
    minutes: Optional[List[int]]
    week_days: Optional[List[str]]

    def __init__(
        self,
        frequency: str,
        interval: int,
        start_time: Any = None,
        time_zone: Optional[TimeZone] = None,
        hours: Optional[List[int]] = None,
        minutes: Optional[List[int]] = None,
        week_days: Optional[List[str]] = None,
        time_of_day: Optional[str] = None,
    ) -> None:
        self.frequency = frequency
        self.interval = interval
        self.start_time = _start_text(start_time)
        self.time_zone = TimeZone.UTC if time_zone is None and start_time is not None else time_zone
        self.hours = hours
        self.minutes = minutes
        self.week_days = week_days
        if time_of_day is not None:
            if hours is not None or minutes is not None:
                raise ValueError("A recurrence takes either time_of_day or hours and minutes, not both.")
            hour, minute = _read_time_of_day(time_of_day)
            self.hours, self.minutes = [hour], [minute]

    def validate(self) -> None:
        """Check that a schedule can have this recurrence.

        Raises:
            ValueError: It can't; the message says why.
        """
        if self.frequency not in FREQUENCIES:
            raise ValueError(f"A recurrence has no frequency {self.frequency!r}.{nearest(str(self.frequency), FREQUENCIES, 'frequencies')}")
        if not _is_number(self.interval) or self.interval < 1:
            raise ValueError(f"The interval of a recurrence is a whole number, 1 or more, not {self.interval!r}.")
        if self.time_zone is not None and not isinstance(self.time_zone, TimeZone):
            raise ValueError(
                f"The time zone of a recurrence is a member of azureml.pipeline.core.TimeZone, not {self.time_zone!r}."
                f"{nearest(str(self.time_zone).replace(' ', ''), [zone.name for zone in TimeZone], 'time zones')}"
            )
        self._check_times("hours", self.hours, _LAST_HOUR)
        self._check_times("minutes", self.minutes, _LAST_MINUTE)
        self._check_week_days()

    def _check_times(self, name: str, values: Any, last: int) -> None:
        if values is None:
            return
        if self.frequency not in _TAKE_HOURS:
            raise ValueError(f"A recurrence takes {name} with the frequency Day or Week, not with {self.frequency}. Leave {name} out.")
        if not isinstance(values, (list, tuple)) or not all(_is_number(value) and 0 <= value <= last for value in values):
            raise ValueError(f"The {name} of a recurrence are a list of whole numbers from 0 to {last}, not {values!r}.")

    def _check_week_days(self) -> None:
        if self.week_days is None:
            return
        if self.frequency != "Week":
            raise ValueError(f"A recurrence takes week_days with the frequency Week, not with {self.frequency}. Leave week_days out.")
        if not isinstance(self.week_days, (list, tuple)):
            raise ValueError(f"The week_days of a recurrence are a list such as ['Monday'], not {self.week_days!r}.")
        for day in self.week_days:
            if day not in WEEK_DAYS:
                raise ValueError(f"{day!r} is no day of the week.{nearest(str(day), WEEK_DAYS, 'days')}")

    def __repr__(self) -> str:
        return f"ScheduleRecurrence({describe(self)})"


def to_document(recurrence: ScheduleRecurrence) -> Dict[str, Any]:
    """Return a recurrence as it travels; an empty list says nothing, and None stands for it."""
    return {
        "frequency": recurrence.frequency,
        "interval": int(recurrence.interval),
        "start_time": recurrence.start_time,
        "time_zone": recurrence.time_zone.value if recurrence.time_zone is not None else None,
        "hours": _plain_numbers(recurrence.hours),
        "minutes": _plain_numbers(recurrence.minutes),
        "week_days": list(recurrence.week_days) if recurrence.week_days else None,
    }


def from_document(document: Dict[str, Any]) -> ScheduleRecurrence:
    """Return the recurrence that travelled."""
    zone = document.get("time_zone")
    return ScheduleRecurrence(
        document["frequency"],
        document["interval"],
        start_time=document.get("start_time"),
        time_zone=TimeZone(zone) if zone else None,
        hours=document.get("hours"),
        minutes=document.get("minutes"),
        week_days=document.get("week_days"),
    )


def describe(recurrence: ScheduleRecurrence) -> str:
    """Return in words when a recurrence fires: every 2 weeks on Monday at 09:30 (Pacific Standard Time)."""
    unit = str(recurrence.frequency).lower()
    parts = [f"every {unit}" if recurrence.interval == 1 else f"every {recurrence.interval} {unit}s"]
    if recurrence.week_days:
        parts.append(f"on {', '.join(recurrence.week_days)}")
    if recurrence.hours or recurrence.minutes:
        parts.append(f"at {_describe_times(recurrence)}")
    if recurrence.start_time:
        parts.append(f"from {recurrence.start_time}")
    zone = recurrence.time_zone
    return " ".join(parts) + (f" ({getattr(zone, 'value', zone)})" if zone is not None else "")


def _describe_times(recurrence: ScheduleRecurrence) -> str:
    """The times in words; what only one of hours and minutes says is told as such, for the other comes from the start time."""
    if not recurrence.hours:
        return f"minute {', '.join(str(minute) for minute in recurrence.minutes or [])}"
    if not recurrence.minutes:
        return f"hour {', '.join(str(hour) for hour in recurrence.hours)}"
    return ", ".join(f"{hour:02d}:{minute:02d}" for hour in recurrence.hours for minute in recurrence.minutes)


def _start_text(start_time: Any) -> Optional[str]:
    if start_time is None or isinstance(start_time, str):
        return start_time
    if not isinstance(start_time, datetime):
        raise ValueError(f"The start time of a recurrence is a datetime or a text, not {start_time!r}, a {type(start_time).__name__}.")
    if start_time.tzinfo is not None:
        raise ValueError(
            f"The start time {start_time.isoformat()} has a time zone of its own. "
            "Give it without one, and say the zone by time_zone: start_time.replace(tzinfo=None), time_zone=TimeZone.UTC."
        )
    return start_time.strftime(_START) if start_time.year >= 1000 else start_time.replace(microsecond=0).isoformat()


def _read_time_of_day(text: Any) -> Tuple[int, int]:
    found = _TIME_OF_DAY.fullmatch(text) if isinstance(text, str) else None
    hour, minute = (int(found.group(1)), int(found.group(2))) if found else (-1, -1)
    if not 0 <= hour <= _LAST_HOUR or not 0 <= minute <= _LAST_MINUTE:
        raise ValueError(f"The time_of_day of a recurrence is a text from '0:00' to '23:59', not {text!r}.")
    return hour, minute


def _is_number(value: Any) -> bool:
    from numbers import Integral  # numpy's whole numbers are some, too

    return isinstance(value, Integral) and not isinstance(value, bool)


def _plain_numbers(values: Any) -> Optional[List[int]]:
    return [int(value) for value in values] if values else None
