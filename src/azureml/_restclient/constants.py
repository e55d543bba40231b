"""Status words under the names that scripts import from v1's REST client."""

from __future__ import annotations

from typing import List


class RunStatus:
    """Where a run is in its life, as constants."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PROVISIONING = "Provisioning"
    PREPARING = "Preparing"
    STARTING = "Starting"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    CANCELED = "Canceled"
    COMPLETED = "Completed"
    FAILED = "Failed"
    UNAPPROVED = "Unapproved"
    NOTRESPONDING = "NotResponding"
    PAUSING = "Pausing"
    PAUSED = "Paused"

    @classmethod
    def get_running_statuses(cls) -> List[str]:
        """Return the words of runs that have not ended and whose script may still run."""
        return [
            cls.NOT_STARTED,
            cls.QUEUED,
            cls.PROVISIONING,
            cls.PREPARING,
            cls.STARTING,
            cls.RUNNING,
            cls.UNAPPROVED,
            cls.NOTRESPONDING,
            cls.PAUSING,
            cls.PAUSED,
        ]

    @classmethod
    def get_post_processing_statuses(cls) -> List[str]:
        """Return the words of runs whose script has ended but which are not settled yet."""
        return [cls.FINALIZING, cls.CANCEL_REQUESTED]
