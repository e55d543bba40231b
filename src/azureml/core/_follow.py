"""Waits for the end of a run, by a long poll that answers within milliseconds of each change."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Optional

from azureml.core._errors import v1_errors
from penstock.model.ids import short_id
from penstock.model.status import is_final

Event = Dict[str, Any]


def follow(
    client: Any,
    run_id: str,
    on_event: Optional[Callable[[Event], None]] = None,
    deadline: Optional[float] = None,
    wait_seconds: float = 20,
    on_round: Optional[Callable[[Dict[str, Any]], None]] = None,
) -> Dict[str, Any]:
    """Return the run's record once it has ended, or as it is at the deadline.

    Args:
        client: The client to ask.
        run_id: The run.
        on_event: Called with each event, in order; for a pipeline run those of its steps too.
        deadline: A time of `time.monotonic()`.
        wait_seconds: How long one question may wait for news. Streaming a log asks for less.
        on_round: Called with the run's record after each answer.

    Raises:
        ExperimentExecutionException: The user interrupted the wait. The run goes on.
    """
    try:
        return _rounds(client, run_id, on_event, deadline, wait_seconds, on_round)
    except KeyboardInterrupt:
        from azureml.exceptions import ExperimentExecutionException

        raise ExperimentExecutionException(interrupted(f"run {run_id}", run_id)) from None


def interrupted(what: str, run_id: str) -> str:
    """Return the message of a wait that the user ended."""
    short = short_id(run_id)
    return (
        f"The wait for {what} was interrupted; the run goes on. "
        f"`penstock cancel {short}` or its cancel() ends it, `penstock logs {short} --follow` watches it."
    )


def _rounds(
    client: Any,
    run_id: str,
    on_event: Optional[Callable[[Event], None]],
    deadline: Optional[float],
    wait_seconds: float,
    on_round: Optional[Callable[[Dict[str, Any]], None]],
) -> Dict[str, Any]:
    last: int = 0
    patience: float = 0  # the first answer comes at once
    while True:
        with v1_errors():
            answer = client.follow_run(run_id, after=last, wait_seconds=patience)
        last = answer["last"]
        record: Dict[str, Any] = answer["run"]
        if on_event:
            for event in answer["events"]:
                on_event(event)
        if on_round:
            on_round(record)
        left = wait_seconds if deadline is None else deadline - time.monotonic()
        has_more = bool(answer.get("is_full"))  # the record is of now, the events may lie behind
        if (is_final(record["status"]) and not has_more) or left <= 0:
            return record
        patience = min(wait_seconds, left)
