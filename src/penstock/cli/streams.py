"""Standard output, after a program of the user's had it."""

from __future__ import annotations

import sys


def flush_output() -> None:
    """Write out what was printed so far, where that is possible; the interpreter tells of a full disk when it ends.

    Raises:
        BrokenPipeError: The reader has gone.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (AttributeError, ValueError, OSError):  # closed, detached or replaced, as a script may do
        pass
