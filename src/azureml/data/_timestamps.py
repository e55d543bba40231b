"""The time columns of tabular datasets: which they are, and the bounds of time filters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Mapping, Optional

if TYPE_CHECKING:
    from datetime import datetime

    from penstock.model.datasets import Dataset

_OLD_NAMES = {"fine_grain_timestamp": "timestamp", "coarse_grain_timestamp": "partition_timestamp"}


def with_columns(definition: Dataset, timestamp: Any, partition_timestamp: Any, old: Mapping[str, Any]) -> Dataset:
    """Return the definition with other time columns.

    Raises:
        UserErrorException: A name is no text, only the partition's is given, or both are the same.
    """
    names = {"timestamp": timestamp, "partition_timestamp": partition_timestamp}
    for name, value in old.items():
        if name not in _OLD_NAMES:
            raise _error(f"with_timestamp_columns has no argument '{name}'; its arguments are timestamp, partition_timestamp and validate.")
        _warn_of_old_name(name)
        names[_OLD_NAMES[name]] = value
    for name, value in names.items():
        if value is not None and (not isinstance(value, str) or not value):
            raise _error(f"{name} is the name of a column, not {value!r}.")
    fine, coarse = names["timestamp"], names["partition_timestamp"]
    if fine is None and coarse is not None:
        raise _error("partition_timestamp needs a timestamp too: it only says in which file a time is found.")
    if fine is not None and fine == coarse:
        raise _error(f"timestamp and partition_timestamp are two columns, not both '{fine}'.")
    return replace(definition, timestamp=fine, partition_timestamp=coarse)


def _warn_of_old_name(name: str) -> None:
    import warnings

    warnings.warn(f"with_timestamp_columns({name}=...) is deprecated: use {_OLD_NAMES[name]}.", DeprecationWarning, stacklevel=4)


def without(definition: Dataset, is_kept: Any) -> Dataset:
    """Return the definition without a time column that was dropped; a partition's alone has no meaning."""
    timestamp = definition.timestamp if definition.timestamp is not None and is_kept(definition.timestamp) else None
    coarse = definition.partition_timestamp
    return replace(
        definition, timestamp=timestamp, partition_timestamp=coarse if timestamp and coarse is not None and is_kept(coarse) else None
    )


def between(definition: Dataset, start: Optional[Any], end: Optional[Any], include_boundary: bool) -> Dataset:
    """Return the definition with the rows of a time range.

    Bounds are whole seconds: the start is cut off, the end rounded.

    Raises:
        DatasetTimestampMissingError: The dataset has no time column.
        UserErrorException: A bound is no datetime.
    """
    if definition.timestamp is None:
        from azureml.exceptions import DatasetTimestampMissingError

        raise DatasetTimestampMissingError("name it with with_timestamp_columns(timestamp='column').")
    return definition.then(
        "time_range",
        column=definition.timestamp,
        start=None if start is None else _bound("start_time", start, 0).isoformat(),
        end=None if end is None else _bound("end_time", end, 500_000).isoformat(),
        start_inclusive=bool(include_boundary),
        end_inclusive=bool(include_boundary),
    )


def _bound(name: str, value: Any, added_microseconds: int) -> datetime:
    """A bound as columns hold times: whole seconds, UTC without a zone."""
    from datetime import datetime, timedelta, timezone

    if not isinstance(value, datetime) or value != value:  # pandas' NaT is unlike itself
        raise _error(f"{name} is a datetime, not {value!r}.")
    plain = datetime(value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, value.tzinfo)
    if plain.tzinfo is not None:
        plain = plain.astimezone(timezone.utc).replace(tzinfo=None)
    try:
        return (plain + timedelta(microseconds=added_microseconds)).replace(microsecond=0)
    except OverflowError:  # the last second there is
        return plain.replace(microsecond=0)


def since(time_delta: Any) -> datetime:
    """Return the local time that lies so long ago.

    Raises:
        UserErrorException: It is no timedelta, or a negative one.
    """
    from datetime import datetime, timedelta

    if not isinstance(time_delta, timedelta) or time_delta < timedelta(0):
        raise _error(f"time_delta is a timedelta that is not negative, not {time_delta!r}.")
    try:
        return datetime.now() - timedelta(seconds=time_delta.total_seconds())
    except OverflowError:  # longer than there is time
        return datetime.min


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)
