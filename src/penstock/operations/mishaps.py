"""What goes wrong while nobody waits for an answer: whether to try it again, and how rows tell of it."""

from __future__ import annotations

import errno
import sqlite3

from penstock.model.errors import PenstockError, Unavailable

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.EINTR}


def will_pass(error: Exception) -> bool:
    """Tell whether the same may well work a little later: no run fails for a disk that was full for a moment."""
    return isinstance(error, (Unavailable, sqlite3.OperationalError)) or (isinstance(error, OSError) and error.errno in _PASSING)


def is_foreseen(error: Exception) -> bool:
    """Tell whether an error says by itself what is wrong; any other is a mistake of ours, and belongs into the log as well."""
    return isinstance(error, (PenstockError, OSError))


def tell(error: Exception) -> str:
    """Return what went wrong, in words for people."""
    if is_foreseen(error):
        return str(error)
    return f"{type(error).__name__}: {error}. The service's log tells more: penstock service logs"
