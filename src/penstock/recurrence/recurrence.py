"""When a recurrence is due. A tick is a moment in UTC; the calendar and the clock of a recurrence are those of its time zone."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from penstock.model.errors import Invalid, NotFound
from penstock.recurrence.zones import UTC, check_zone, get_zone, to_utc, to_wall

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY, WEEK, MONTH = "Minute", "Hour", "Day", "Week", "Month"
ELAPSED = {MINUTE: timedelta(minutes=1), HOUR: timedelta(hours=1)}
FREQUENCIES = (MINUTE, HOUR, DAY, WEEK, MONTH)
WEEK_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_INSTANT = timedelta(microseconds=1)
_ONE_DAY = timedelta(days=1)
# A clock may be set forward by a whole day (Samoa, 2011): a tick is at most so far from where its date and time seem to say.
_LONGEST_GAP = 2 * _ONE_DAY
_ALL_HOURS = tuple(range(24))
_LARGEST_INTERVAL = 1_000_000
_EARLIEST_YEAR = 1900
_MOST_TIMES_TOLD = 6


@dataclass(frozen=True)
class Recurrence:
    """How often a schedule is due, in v1's words.

    Attributes:
        frequency: Minute, Hour, Day, Week or Month.
        interval: Every so many of them.
        start_time: On the wall of the zone; None for the moment from which the schedule counts.
        time_zone: By v1's name; None for UTC.
        hours: Of the day; only for Day and Week.
        minutes: Of each hour; only for Day and Week.
        week_days: Numbers from 0 for Monday on; only for Week.
    """

    frequency: str
    interval: int
    start_time: datetime | None = None
    time_zone: str | None = None
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[int, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the JSON form that `parse_recurrence` reads; what is not given is null."""
        return {
            "frequency": self.frequency,
            "interval": self.interval,
            "start_time": self.start_time.isoformat() if self.start_time else None,
            "time_zone": self.time_zone,
            "hours": list(self.hours) or None,
            "minutes": list(self.minutes) or None,
            "week_days": [WEEK_DAYS[number] for number in self.week_days] or None,
        }


# Reading


def parse_recurrence(document: Mapping[str, Any]) -> Recurrence:
    """Return the recurrence that a JSON object describes.

    Raises:
        Invalid: A member is missing, unknown or wrong; details name it.
    """
    others = sorted(set(document) - set(Recurrence.__dataclass_fields__))
    if others:
        raise _wrong(others[0], NotFound.named("member", others[0], Recurrence.__dataclass_fields__, "a recurrence").message)
    frequency = document.get("frequency")
    if frequency not in FREQUENCIES:
        raise _wrong("frequency", f"The frequency of a recurrence is one of {', '.join(FREQUENCIES)}, not {str(frequency)[:40]!r}.")
    zone = document.get("time_zone")
    recurrence = Recurrence(
        frequency,
        _parse_interval(document.get("interval")),
        _parse_start(document.get("start_time"), zone),
        None if zone is None else check_zone(str(zone)),
        _parse_numbers("hours", document.get("hours"), 23),
        _parse_numbers("minutes", document.get("minutes"), 59),
        _parse_week_days(document.get("week_days")),
    )
    _check_members(recurrence)
    return recurrence


def _wrong(member: str, message: str) -> Invalid:
    return Invalid(message, member=member)


def _parse_interval(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LARGEST_INTERVAL:
        raise _wrong("interval", f"The interval of a recurrence is a whole number from 1 to {_LARGEST_INTERVAL}, not {str(value)[:40]!r}.")
    return value


def _parse_start(value: Any, zone: Any) -> datetime | None:
    """Return a start time on the wall of the zone. One that says how far from UTC it is means a moment, whatever the zone."""
    if value is None:
        return None
    from dateutil.parser import isoparse

    try:
        start: datetime = isoparse(value if isinstance(value, str) else "")
        if start.tzinfo is not None:
            start = to_wall(start, get_zone(None if zone is None else check_zone(str(zone))))
        if start.year < _EARLIEST_YEAR:
            raise ValueError(value)
    except (ValueError, OverflowError):
        raise _wrong(
            "start_time",
            f"The start time of a recurrence is a text such as '2021-10-31T08:30:00', {_EARLIEST_YEAR} or later, not {str(value)[:40]!r}.",
        ) from None
    return start


def _parse_numbers(member: str, values: Any, most: int) -> tuple[int, ...]:
    if values is None:
        return ()
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most for value in values
    ):
        raise _wrong(member, f"The {member} of a recurrence are whole numbers from 0 to {most}, not {str(values)[:60]}.")
    return tuple(sorted(set(values)))


def _parse_week_days(values: Any) -> tuple[int, ...]:
    if values is None:
        return ()
    known = {name.lower(): number for number, name in enumerate(WEEK_DAYS)}
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) and value.lower() in known for value in values):
        raise _wrong("week_days", f"The week days of a recurrence are some of {', '.join(WEEK_DAYS)}, not {str(values)[:60]}.")
    return tuple(sorted({known[value.lower()] for value in values}))


def _check_members(recurrence: Recurrence) -> None:
    """Refuse members that the frequency has no use for."""
    uses = {DAY: ("hours", "minutes"), WEEK: ("hours", "minutes", "week_days")}.get(recurrence.frequency, ())
    for member in ("hours", "minutes", "week_days"):
        if getattr(recurrence, member) and member not in uses:
            kinds = "Week" if member == "week_days" else "Day or Week"
            raise _wrong(member, f"The {member} of a recurrence need the frequency {kinds}; this one's is {recurrence.frequency}.")


# Ticks


def first_tick(recurrence: Recurrence, anchor: datetime) -> datetime | None:
    """Return the first tick that is not before `anchor`; None when there is none that a calendar could hold."""
    return next_after(recurrence, anchor, anchor - _INSTANT)


def next_after(recurrence: Recurrence, anchor: datetime, moment: datetime) -> datetime | None:
    """Return the first tick later than a moment, None when there is none that a calendar could hold; at the same cost however far it is.

    Args:
        recurrence: The recurrence.
        anchor: From when it counts where it has no start time: the creation of its schedule.
        moment: The moment.
    """
    try:
        return _ticks(recurrence, anchor).next_after(moment)
    except OverflowError:  # beyond the year 9999
        return None


def last_until(recurrence: Recurrence, anchor: datetime, moment: datetime) -> datetime | None:
    """Return the last tick that is not later than a moment, None when there is none; the arguments are those of `next_after`."""
    try:
        return _ticks(recurrence, anchor).last_until(moment)
    except OverflowError:
        return None


def count_between(recurrence: Recurrence, anchor: datetime, after: datetime, until: datetime) -> int:
    """Return how many ticks are later than `after` and not later than `until`."""
    return _ticks(recurrence, anchor).count_between(after, until)


def preview(recurrence: Recurrence, anchor: datetime, after: datetime, count: int) -> list[datetime]:
    """Return the next ticks later than `after`, `count` at most."""
    found: list[datetime] = []
    tick = next_after(recurrence, anchor, after)
    while tick is not None and len(found) < count:
        found.append(tick)
        tick = next_after(recurrence, anchor, tick)
    return found


def _ticks(recurrence: Recurrence, anchor: datetime) -> _Elapsed | _Calendar:
    zone = get_zone(recurrence.time_zone)
    start = to_wall(anchor, zone) if recurrence.start_time is None else recurrence.start_time
    if recurrence.frequency in ELAPSED:
        return _Elapsed(to_utc(start, zone) if recurrence.start_time else anchor, ELAPSED[recurrence.frequency] * recurrence.interval)
    return _Calendar(recurrence, start, zone)


class _Elapsed:
    """Ticks that are always equally far apart, whatever the clocks on the wall do."""

    def __init__(self, start: datetime, step: timedelta) -> None:
        self._start, self._step = start, step

    def next_after(self, moment: datetime) -> datetime:
        return self._start + self._step * max((moment - self._start) // self._step + 1, 0)

    def last_until(self, moment: datetime) -> datetime | None:
        return None if moment < self._start else self._start + self._step * ((moment - self._start) // self._step)

    def count_between(self, after: datetime, until: datetime) -> int:
        first, last = ((moment - self._start) // self._step for moment in (after, until))
        return max(last - max(first, -1), 0)


class _Calendar:
    """Ticks at times of a clock on the wall, on days of a calendar.

    Days come in turns: every so many days, weeks or months from the start. What the clocks on the wall do may bring a tick onto another
    day, or two ticks onto one moment, which then is one tick; so whoever looks for ticks near a moment looks at all days around it.
    """

    def __init__(self, recurrence: Recurrence, start: datetime, zone: ZoneInfo) -> None:
        self._recurrence, self._zone = recurrence, zone
        self._first_day = start.date()
        self._times = _times(recurrence, start)
        self._week_days = recurrence.week_days or (start.weekday(),)
        # v1: a start time that is itself a time at which the schedule is due is not the first tick; the next one is.
        has_times = bool(recurrence.hours or recurrence.minutes)
        self._since = to_utc(start, zone) + (_INSTANT if has_times and recurrence.start_time else timedelta(0))

    def next_after(self, moment: datetime) -> datetime | None:
        moment = max(moment, self._since - _INSTANT)
        return min((tick for tick in self._around(moment) if tick > moment), default=None)

    def last_until(self, moment: datetime) -> datetime | None:
        return max((tick for tick in self._around(moment) if tick <= moment), default=None)

    def count_between(self, after: datetime, until: datetime) -> int:
        after = max(after, self._since - _INSTANT)
        if until <= after:
            return 0
        plain, ticks = 0, set()
        safe = self._wall_date(after) + _LONGEST_GAP, self._wall_date(until) - _LONGEST_GAP
        for day in self._days(self._wall_date(after) - _LONGEST_GAP, self._wall_date(until) + _LONGEST_GAP):
            if safe[0] < day < safe[1] and self._is_plain(day):
                plain += len(self._times)
            else:
                ticks |= {tick for tick in self._ticks_of(day, self._times) if after < tick <= until}
        return plain + len(ticks)

    def _around(self, moment: datetime) -> Iterator[datetime]:
        """Yield the last tick until a moment and the first one after it, of each day that can have them."""
        day = self._wall_date(max(moment, self._since))
        wall = to_wall(moment, self._zone)
        before, after = self._turn_of(day - _LONGEST_GAP) - 1, self._turn_of(day + _LONGEST_GAP) + 1
        for turn in range(max(before, 0), max(after, 0) + 1):
            for item in self._days_of_turn(turn):
                yield from self._ticks_of(item, self._times_around(item, wall))

    def _times_around(self, day: date, wall: datetime) -> list[time]:
        """Return the last time of a day until a wall clock's and the first one after it; of a day with unusual clocks, all times."""
        if not self._is_plain(day):
            return self._times
        place = bisect.bisect_right(self._times, wall.time()) if wall.date() == day else 0 if day > wall.date() else len(self._times)
        return self._times[max(place - 1, 0) : place + 1]

    def _ticks_of(self, day: date, times: list[time]) -> Iterator[datetime]:
        for clock in times:
            tick = to_utc(datetime.combine(day, clock), self._zone)
            if tick >= self._since:
                yield tick

    def _is_plain(self, day: date) -> bool:
        """Tell whether the clocks on the wall do nothing unusual near a day: then each of its times is a tick of its own."""
        begin = datetime.combine(day, time())
        offsets = {(begin + number * _ONE_DAY).replace(tzinfo=self._zone).utcoffset() for number in (-1, 0, 1, 2)}
        return len(offsets) == 1

    def _wall_date(self, moment: datetime) -> date:
        return to_wall(moment, self._zone).date()

    def _days(self, first: date, last: date) -> Iterator[date]:
        """Yield the days from the first to the last on which the schedule is due."""
        for turn in range(max(self._turn_of(first), 0), max(self._turn_of(last), -1) + 1):
            for day in self._days_of_turn(turn):
                if first <= day <= last:
                    yield day

    def _turn_of(self, day: date) -> int:
        """Return the number of the turn that a day belongs to: 0 for that of the start, and negative before it."""
        return _COUNT_FROM[self._recurrence.frequency](self._first_day, day) // self._recurrence.interval

    def _days_of_turn(self, turn: int) -> Iterable[date]:
        """Return the days of a turn on which the schedule is due; none for a turn that no calendar holds."""
        try:
            return self._find_days(turn)
        except (OverflowError, ValueError):
            return ()

    def _find_days(self, turn: int) -> Iterable[date]:
        many = turn * self._recurrence.interval
        if self._recurrence.frequency == DAY:
            return (self._first_day + many * _ONE_DAY,)
        if self._recurrence.frequency == MONTH:
            from dateutil.relativedelta import relativedelta

            return (self._first_day + relativedelta(months=many),)  # the last day of a month that is too short
        monday = _monday(self._first_day) + 7 * many * _ONE_DAY
        return [monday + number * _ONE_DAY for number in self._week_days]


def _times(recurrence: Recurrence, start: datetime) -> list[time]:
    """Return the times of a day at which a recurrence is due: each hour with each minute.

    Hours alone: at the minute of the start time, on the hour where there is none. Minutes alone: in every hour.
    """
    if not recurrence.hours and not recurrence.minutes:
        return [start.time()]
    minutes = recurrence.minutes or (recurrence.start_time.minute if recurrence.start_time else 0,)
    return [time(hour, minute) for hour in recurrence.hours or _ALL_HOURS for minute in minutes]


def _monday(day: date) -> date:
    return day - day.weekday() * _ONE_DAY


_COUNT_FROM: dict[str, Callable[[date, date], int]] = {
    DAY: lambda start, day: (day - start).days,
    WEEK: lambda start, day: (_monday(day) - _monday(start)).days // 7,
    MONTH: lambda start, day: (day.year - start.year) * 12 + day.month - start.month,
}


def describe(recurrence: Recurrence) -> str:
    """Return a recurrence in words: 'every 2 weeks on Monday, Friday at 06:30 (W. Europe Standard Time)'."""
    number = recurrence.interval
    words = [f"every {recurrence.frequency.lower()}" if number == 1 else f"every {number} {recurrence.frequency.lower()}s"]
    if recurrence.week_days:
        words.append(f"on {', '.join(WEEK_DAYS[day] for day in recurrence.week_days)}")
    if recurrence.hours or recurrence.minutes:
        words.append(f"at {_describe_times(recurrence)}")
    if recurrence.start_time:
        words.append(f"from {recurrence.start_time:%Y-%m-%d %H:%M}")
    zone = recurrence.time_zone or UTC
    return " ".join(words) + ("" if zone == UTC else f" ({zone})")


def _describe_times(recurrence: Recurrence) -> str:
    if not recurrence.hours:
        return f"minute {', '.join(map(str, recurrence.minutes))} of every hour"
    times = _times(recurrence, datetime.min)
    more = f" and {len(times) - _MOST_TIMES_TOLD} times more" if len(times) > _MOST_TIMES_TOLD else ""
    return ", ".join(f"{clock:%H:%M}" for clock in times[:_MOST_TIMES_TOLD]) + more


def to_zone(moment: datetime, time_zone: str | None) -> datetime:
    """Return a moment as the clocks of a zone show it, with their distance from UTC."""
    return moment.astimezone(get_zone(time_zone))


def parse_moment(text: str) -> datetime:
    """Return the moment that a row's text tells: ISO 8601 in UTC, with 'Z'."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
