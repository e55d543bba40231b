"""Where a run is in its life, and what may come next.

One vocabulary is stored, v1's run history words. v1's pipeline service spelled the same states in its own words;
`pipeline_spelling` and `step_spelling` give those.
"""

from __future__ import annotations

NOT_STARTED = "NotStarted"
QUEUED = "Queued"
PREPARING = "Preparing"
STARTING = "Starting"
RUNNING = "Running"
FINALIZING = "Finalizing"
CANCEL_REQUESTED = "CancelRequested"
COMPLETED = "Completed"
FAILED = "Failed"
CANCELED = "Canceled"
SKIPPED = "Skipped"

# The one table of what may come next. A reader, a test and the SQL all use it.
NEXT = {
    NOT_STARTED: {QUEUED, RUNNING, COMPLETED, FAILED, CANCEL_REQUESTED, CANCELED, SKIPPED},
    QUEUED: {PREPARING, STARTING, RUNNING, COMPLETED, FAILED, CANCEL_REQUESTED, CANCELED, SKIPPED},
    PREPARING: {QUEUED, FAILED, CANCELED, SKIPPED},  # its environment is being built; then it is in the queue again
    STARTING: {RUNNING, FINALIZING, COMPLETED, FAILED, CANCEL_REQUESTED, CANCELED, QUEUED},  # QUEUED again: its process never began
    RUNNING: {FINALIZING, COMPLETED, FAILED, CANCEL_REQUESTED, CANCELED, QUEUED},  # QUEUED again: as above, found out late
    FINALIZING: {COMPLETED, FAILED, CANCEL_REQUESTED, CANCELED},
    CANCEL_REQUESTED: {CANCELED, COMPLETED, FAILED},
    COMPLETED: set(),
    FAILED: set(),
    CANCELED: set(),
    SKIPPED: set(),
}

ALL = tuple(NEXT)
FINAL = tuple(status for status, following in NEXT.items() if not following)
ACTIVE = tuple(status for status, following in NEXT.items() if following)
WAITING = (NOT_STARTED, QUEUED, PREPARING)  # a step in one of these has had no process
ON_A_NODE = (STARTING, RUNNING, CANCEL_REQUESTED)  # a step in one of these has a process, or may
BEFORE = {status: tuple(before for before in NEXT if status in NEXT[before]) for status in NEXT}

_PIPELINE = {
    NOT_STARTED: "NotStarted",
    QUEUED: "Running",
    PREPARING: "Running",
    STARTING: "Running",
    RUNNING: "Running",
    FINALIZING: "Running",
    CANCEL_REQUESTED: "Running",
    COMPLETED: "Finished",
    FAILED: "Failed",
    CANCELED: "Canceled",
    SKIPPED: "NotStarted",
}
_STEP = {**_PIPELINE, QUEUED: "Queued", PREPARING: "Queued", STARTING: "Queued", SKIPPED: "Bypassed"}


def is_final(status: str) -> bool:
    """Tell whether a run in `status` has ended."""
    return not NEXT[status]


def pipeline_spelling(status: str) -> str:
    """Return v1's word for a pipeline run: NotStarted, Running, Failed, Finished or Canceled."""
    return _PIPELINE.get(status, status)


def step_spelling(status: str) -> str:
    """Return v1's word for a step run: as for pipelines, with Queued and Bypassed."""
    return _STEP.get(status, status)
