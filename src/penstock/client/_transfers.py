"""The verbs of transfers: copying many files to and from datastores, and what to do when somebody ends them early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from penstock.client.transport import quoted
from penstock.model.errors import NotFound, Refused, parse_error

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]
Tell = Callable[[Document], None]  # hears of each event: {"sequence", "path", "what", "bytes"}

_WAIT_SECONDS = 30.0
_STARTS = 2  # a service may go away once


class TransferVerbs:
    """What a client may ask about many files at once."""

    _transport: Transport

    def start_transfer(self, workspace_id: str, kind: str, **about: Any) -> Document:
        """Begin a transfer; return {"id"}. It ends with the service that runs it.

        Args:
            workspace_id: Whose datastores are meant.
            kind: upload, download, list or stage.
            about: `datastore` with `files` and `overwrite`, or with `prefix`; or `dataset`.
        """
        path = f"/workspaces/{quoted(workspace_id)}/transfers"
        started: Document = self._transport.call("POST", path, document={"kind": kind, **about})
        return started

    def follow_transfer(self, transfer_id: str, after: int = 0, wait_seconds: float = 0) -> Document:
        """Return the events after one, and how the transfer stands; wait up to `wait_seconds` for news."""
        query = {"after": after, "wait_seconds": wait_seconds}
        news: Document = self._transport.call("GET", f"/transfers/{quoted(transfer_id)}/events", query, wait_seconds=wait_seconds)
        return news

    def cancel_transfer(self, transfer_id: str) -> Document:
        """Ask a transfer to end; what it copied so far stays."""
        state: Document = self._transport.call("POST", f"/transfers/{quoted(transfer_id)}/cancel", document={})
        return state

    def transfer(self, workspace_id: str, kind: str, tell: Optional[Tell] = None, **about: Any) -> Any:
        """Do a transfer and return its result.

        A service that goes away meanwhile is started again, and the transfer with it: every file is written whole, so what was there
        already is skipped, or written once more. Ctrl-C, or whatever else `tell` raises, ends the transfer first.

        Args:
            workspace_id: Whose datastores are meant.
            kind: upload, download, list or stage.
            tell: Called with each event as it comes.
            about: As for `start_transfer`.

        Raises:
            PenstockError: What ended the transfer.
        """
        counted = _Counted(tell)
        for _ in range(_STARTS - 1):
            transfer_id = self.start_transfer(workspace_id, kind, **about)["id"]
            try:
                return counted.add_to(self._follow_to_end(transfer_id, counted))
            except NotFound as error:
                if transfer_id not in error.message:  # not the transfer is gone, but what it looked for
                    raise
        return counted.add_to(self._follow_to_end(self.start_transfer(workspace_id, kind, **about)["id"], counted))

    def _follow_to_end(self, transfer_id: str, tell: Tell) -> Any:
        after = 0
        try:
            while True:
                news = self.follow_transfer(transfer_id, after, _WAIT_SECONDS)
                after = news["last"]
                for event in news["events"]:
                    tell(event)
                if news["state"] != "running":
                    return _result(news)
        except NotFound:
            raise
        except BaseException:
            self._end(transfer_id)
            raise

    def _end(self, transfer_id: str) -> None:
        """Cancel a transfer, and wait until nothing of it moves any more."""
        try:
            state = self.cancel_transfer(transfer_id)
            while state["state"] == "running":
                state = self.follow_transfer(transfer_id, state["last"], _WAIT_SECONDS)
        except NotFound:
            pass  # it ended with its service

    def list_files_on(self, workspace_id: str, datastore: str, prefix: str = "") -> List[Document]:
        """Return [{"path", "size", "token", "modified_at"}] of the files of a datastore whose path begins with a text."""
        found: List[Document] = self.transfer(workspace_id, "list", datastore=datastore, prefix=prefix)
        return found


class _Counted:
    """Remembers what the transfer of a service that went away had copied: the next one finds it there, and skips it."""

    def __init__(self, tell: Optional[Tell]) -> None:
        self._tell = tell
        self._done: Dict[str, bool] = {}

    def __call__(self, event: Document) -> None:
        if event["what"] == "done":
            self._done[event["path"]] = True
        elif event["what"] == "skipped" and event["path"] in self._done:
            return
        if self._tell is not None:
            self._tell(event)

    def add_to(self, result: Any) -> Any:
        """Return the result with what was copied before."""
        if not isinstance(result, dict) or "copied" not in result:
            return result
        extra = max(0, len(self._done) - result["copied"])
        return {"copied": result["copied"] + extra, "skipped": max(0, result["skipped"] - extra)}


def _result(news: Document) -> Any:
    if news["state"] == "done":
        return news["result"]
    if news["state"] == "cancelled":
        raise Refused("The transfer was cancelled from elsewhere. What it had copied by then is there; nothing half-written is.")
    error = parse_error({"error": news["error"]}, 0)
    error.status = type(error).status
    raise error
