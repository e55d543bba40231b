"""The ticks of a recurrence, found by looking at every day of a calendar and at every change of a zone's clocks.

It shares no arithmetic with `penstock.recurrence`: of a zone it only asks what its clocks show at a moment, never when they show something.
"""

from __future__ import annotations

import bisect
import calendar
import functools
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

from penstock.recurrence.recurrence import Recurrence
from penstock.recurrence.zones import get_zone

BEGIN, END = datetime(2009, 12, 1, tzinfo=timezone.utc), datetime(2037, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


class Clocks:
    """The clocks on the walls of a zone: from which moment on they are how far from UTC."""

    def __init__(self, zone: str | None) -> None:
        self._zone = get_zone(zone)
        self.begins, self.offsets = [BEGIN], [self.offset(BEGIN)]
        moment = BEGIN
        while moment < END:
            if self.offset(moment + DAY) != self.offsets[-1]:
                self.begins.append(self._find_change(moment, moment + DAY))
                self.offsets.append(self.offset(moment + DAY))
            moment += DAY

    def offset(self, moment: datetime) -> timedelta:
        """Return how far the clocks are from UTC at a moment."""
        return moment.astimezone(self._zone).utcoffset() or timedelta(0)

    def _find_change(self, before: datetime, after: datetime) -> datetime:
        old = self.offset(before)
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) // 2
            before, after = (middle, after) if self.offset(middle) == old else (before, middle)
        return after.replace(microsecond=0)

    def first_shown(self, wall: datetime) -> datetime:
        """Return when the clocks first show a time; for one that they skip, so long after the change as it lies in the gap."""
        naive = wall.replace(tzinfo=timezone.utc)
        around = bisect.bisect_right(self.begins, naive) - 1
        for number in range(max(around - 2, 0), min(around + 3, len(self.begins))):
            moment = naive - self.offsets[number]
            end = self.begins[number + 1] if number + 1 < len(self.begins) else END
            if self.begins[number] <= moment < end:
                return moment
            if number + 1 < len(self.begins) and end <= moment < end + (self.offsets[number + 1] - self.offsets[number]):
                return end + (moment - end)  # in the gap that the change at `end` makes
        raise AssertionError(f"nothing is known of {wall}")


@functools.cache
def clocks_of(zone: str | None) -> Clocks:
    """Return the clocks of a zone; looking for all of their changes takes a moment."""
    return Clocks(zone)


def ticks_by_hand(recurrence: Recurrence, anchor: datetime, until: datetime) -> list[datetime]:
    """Return all ticks that are not before the anchor and not later than `until`."""
    clocks = clocks_of(recurrence.time_zone)
    start = recurrence.start_time or (anchor + clocks.offset(anchor)).replace(tzinfo=None)
    if recurrence.frequency in ("Minute", "Hour"):
        found = _elapsed(recurrence, clocks.first_shown(start) if recurrence.start_time else anchor, until)
    else:
        found = _by_calendar(recurrence, clocks, start, until)
    return sorted({tick for tick in found if anchor <= tick <= until})


def _elapsed(recurrence: Recurrence, start: datetime, until: datetime) -> Iterator[datetime]:
    seconds = {"Minute": 60, "Hour": 3600}[recurrence.frequency] * recurrence.interval
    while start <= until:
        yield start
        start += timedelta(seconds=seconds)


def _by_calendar(recurrence: Recurrence, clocks: Clocks, start: datetime, until: datetime) -> Iterator[datetime]:
    begin = clocks.first_shown(start)
    times = _times(recurrence, start)
    has_times = bool(recurrence.hours or recurrence.minutes)
    day = start.date() - 3 * DAY
    while day <= until.date() + 3 * DAY:
        if _is_due_on(recurrence, start.date(), day):
            for hour, minute, second, microsecond in times:
                tick = clocks.first_shown(datetime(day.year, day.month, day.day, hour, minute, second, microsecond))
                if tick > begin or (tick == begin and not (has_times and recurrence.start_time)):
                    yield tick
        day += DAY


def _times(recurrence: Recurrence, start: datetime) -> list[Any]:
    if not recurrence.hours and not recurrence.minutes:
        return [(start.hour, start.minute, start.second, start.microsecond)]
    hours = recurrence.hours or range(24)
    on_the = start.minute if recurrence.start_time else 0
    return [(hour, minute, 0, 0) for hour in hours for minute in recurrence.minutes or [on_the]]


def _is_due_on(recurrence: Recurrence, start: date, day: date) -> bool:
    if recurrence.frequency == "Day":
        return (day - start).days % recurrence.interval == 0
    if recurrence.frequency == "Week":
        days = recurrence.week_days or (start.weekday(),)
        weeks = (day.toordinal() - day.weekday() - start.toordinal() + start.weekday()) // 7
        return weeks >= 0 and day.weekday() in days and weeks % recurrence.interval == 0
    months = (day.year * 12 + day.month) - (start.year * 12 + start.month)
    last = calendar.monthrange(day.year, day.month)[1]
    return months >= 0 and months % recurrence.interval == 0 and day.day == min(start.day, last)
