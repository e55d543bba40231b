"""Tokens for those who can't come through the home folder's socket: signed words that say what they open, kept nowhere.

A token of a run or a workspace opens that workspace; that of the user opens all of this home folder. That of a run ends a day after the
run, the others after some weeks; all end when the key's file is removed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from penstock.client.home import Home
from penstock.model.errors import Unavailable
from penstock.operations.context import Context, format_time
from penstock.operations.names import check_run_id
from penstock.storage.private_files import read_private

_OF_RUN, _OF_WORKSPACE, _OF_USER = "run", "workspace", "user"
_EVERY_WORKSPACE = "all"  # no id of one
_BETWEEN = "~"  # neither in ids nor in the signature, and plain in a URL
_BEFORE_RUN = "."  # after the second at which a token ends
_LONGEST = 1024
_AFTER_RUN = timedelta(days=1)
_PERIOD_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Grant:
    """What a token opens, and the run whose script has it."""

    workspace_id: str
    run_id: str | None = None

    @property
    def is_users(self) -> bool:
        """Whether it is the user's own, which opens every workspace."""
        return self.workspace_id == _EVERY_WORKSPACE

    def opens(self, workspace_id: str) -> bool:
        """Tell whether it opens a workspace."""
        return self.is_users or self.workspace_id == workspace_id


def run_token(home: Home, workspace_id: str, run_id: str) -> str:
    """Return the token of a run: good until a day after its end.

    Raises:
        Unavailable: The key's file can't be made or is not private.
    """
    return _sign(home, _OF_RUN, workspace_id, run_id)


def workspace_token(context: Context, workspace_id: str) -> str:
    """Return a token of a workspace: good for 30 to 60 days, and the same one when asked for again soon.

    Raises:
        Unavailable: The key's file can't be made or is not private.
    """
    return _sign(context.home, _OF_WORKSPACE, workspace_id, str(_end_of_period(context)))


def user_token(context: Context, run_id: str | None = None) -> dict[str, Any]:
    """Return the token of who owns the home folder, and the second (since 1970) at which it ends: {"token", "expires_on"}.

    It is good for 30 to 60 days, and the same one when asked for again soon.

    Args:
        context: The surroundings.
        run_id: The run whose script asks; what is started with the token is known as started by it.

    Raises:
        Invalid: That can't be a run's id.
        Unavailable: The key's file can't be made or is not private.
    """
    end = _end_of_period(context)
    subject = f"{end}{_BEFORE_RUN}{check_run_id(run_id)}" if run_id else str(end)
    return {"token": _sign(context.home, _OF_USER, _EVERY_WORKSPACE, subject), "expires_on": end}


def _end_of_period(context: Context) -> int:
    return (int(_time(context.now()).timestamp()) // _PERIOD_SECONDS + 2) * _PERIOD_SECONDS


def find_grant(context: Context, token: str) -> Grant | None:
    """Return what a token opens; None for one that is not ours, or whose time is over."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    kind, _, rest = token.partition(_BETWEEN)
    workspace_id, _, rest = rest.partition(_BETWEEN)
    subject, _, _ = rest.partition(_BETWEEN)
    if not hmac.compare_digest(_sign(context.home, kind, workspace_id, subject), token):
        return None
    # From here on the words are our own: nobody else can sign them.
    if kind in (_OF_WORKSPACE, _OF_USER):
        end, _, run_id = subject.partition(_BEFORE_RUN)
        return Grant(workspace_id, run_id or None) if int(end) > _time(context.now()).timestamp() else None
    return Grant(workspace_id, subject) if _is_alive(context, workspace_id, subject) else None


def _is_alive(context: Context, workspace_id: str, run_id: str) -> bool:
    earliest = format_time(_time(context.now()) - _AFTER_RUN)
    row = context.database.first(
        "select 1 from runs where id = ? and workspace_id = ? and (ended_at is null or ended_at > ?)", (run_id, workspace_id, earliest)
    )
    return row is not None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _sign(home: Home, *words: str) -> str:
    text = _BETWEEN.join(words)
    digest = hmac.new(_read_key(home.token_key), text.encode("ascii", "replace"), hashlib.sha256).digest()
    return f"{text}{_BETWEEN}{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _read_key(path: Path) -> bytes:
    """Return the key that tokens are signed with, made on first use. It is not that of the secrets: losing it costs nothing."""
    remedy = "Remove it, and a new one is made."
    key = read_private(path, "the key that tokens are signed with", remedy, lambda: base64.urlsafe_b64encode(os.urandom(32)))
    if len(key) < 32:
        raise Unavailable(f"{path} holds no key. {remedy}")
    return key
