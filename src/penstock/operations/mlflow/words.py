"""MLflow's words for what we call otherwise: statuses, times, and the tags that stand for columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from penstock.model import status as ours
from penstock.model.errors import Invalid
from penstock.operations.context import format_time

RUNNING, SCHEDULED, FINISHED, FAILED, KILLED = "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"

# Our status -> MLflow's. What is not named here has not begun.
_STATUSES = {
    ours.RUNNING: RUNNING,
    ours.FINALIZING: RUNNING,
    ours.CANCEL_REQUESTED: RUNNING,
    ours.COMPLETED: FINISHED,
    ours.FAILED: FAILED,
    ours.CANCELED: KILLED,
    ours.SKIPPED: KILLED,
}
# What a client may ask for -> our status.
_WANTED = {RUNNING: ours.RUNNING, SCHEDULED: ours.QUEUED, FINISHED: ours.COMPLETED, FAILED: ours.FAILED, KILLED: ours.CANCELED}
_NUMBERS = {"1": RUNNING, "2": SCHEDULED, "3": FINISHED, "4": FAILED, "5": KILLED}

ACTIVE, DELETED = "active", "deleted"

# Tags that are columns of a run.
RUN_NAME, NOTE, PARENT, ROOT, USER = (f"mlflow.{name}" for name in ("runName", "note.content", "parentRunId", "rootRunId", "user"))
OF_COLUMNS = {RUN_NAME: "display_name", NOTE: "description"}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def mlflow_status(status: str) -> str:
    """Return MLflow's word for a status of ours."""
    return _STATUSES.get(status, SCHEDULED)


def our_status(status: str) -> str:
    """Return our word for a status of MLflow's, which some clients send as a number.

    Raises:
        Invalid: There is no such status.
    """
    found = _WANTED.get(_NUMBERS.get(status, status))
    if found is None:
        raise Invalid(f"There is no status '{status[:40]}'. There are: {', '.join(_WANTED)}.")
    return found


def milliseconds(at: str | None) -> int | None:
    """Return a time of ours as milliseconds since 1970."""
    if at is None:
        return None
    return int((datetime.fromisoformat(at.replace("Z", "+00:00")) - _EPOCH) / timedelta(milliseconds=1))


def our_time(milliseconds: int) -> str:
    """Return milliseconds since 1970 as a time of ours; raise Invalid for one that no calendar has."""
    try:
        return format_time(_EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError:
        raise Invalid(f"The time {milliseconds} is no number of milliseconds since 1970.") from None


def pairs(values: Mapping[str, str | None]) -> list[dict[str, str]]:
    """Return names and texts as MLflow's list of keys and values."""
    return [{"key": key, "value": "" if value is None else value} for key, value in values.items()]


def lifecycle(deleted_at: str | None) -> str:
    """Return MLflow's word for what is shown, or hidden."""
    return DELETED if deleted_at else ACTIVE
