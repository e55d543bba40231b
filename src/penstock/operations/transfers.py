"""Transfers: what the service does with many files for a client: copy them to or from a datastore, bring a dataset's here, list them.

They live in the memory of the service. One that died with it is begun again by its client; what was copied then is there already.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.model.errors import Invalid, NotFound, PenstockError, Refused
from penstock.model.ids import new_id
from penstock.operations import datastores, selection
from penstock.operations.context import Context
from penstock.operations.definitions import read_definition
from penstock.operations.workspaces import get_workspace
from penstock.storage.paths import clean_relative
from penstock.storage.stores import Check, Found, Progress, Store
from penstock.storage.stores.addresses import describe

_log = logging.getLogger(__name__)

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"

_THREADS = 3  # transfers at once; each uses as many connections as its store can take
_MOST_EVENTS = 20_000  # kept for a client that is slow to ask; older ones are dropped, the counts stay
_KEPT_SECONDS = 600.0  # after its end, or after its client was last heard of

Tell = Callable[[Progress], None]
Job = Callable[[Check, Tell], Any]


@dataclass
class _Transfer:
    """One transfer. Its lock guards all that changes."""

    id: str
    kind: str
    job: Job
    files_total: int
    asked_at: float
    state: str = RUNNING
    files_done: int = 0
    files_skipped: int = 0
    bytes_done: int = 0
    error: dict[str, Any] | None = None
    result: Any = None
    last: int = 0
    is_unwanted: bool = False
    ended_at: float | None = None
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_MOST_EVENTS))
    lock: threading.Lock = field(default_factory=threading.Lock)


class Transfers:
    """The transfers of one service.

    Args:
        context: The surroundings.
        clock: Tells the seconds, as `time.monotonic` does.
    """

    def __init__(self, context: Context, clock: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._clock = clock
        self._known: dict[str, _Transfer] = {}
        self._waiting: deque[_Transfer] = deque()
        self._news = threading.Condition()
        self._threads = self._idle = 0

    def start(self, workspace_id: str, kind: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a transfer; return its id.

        Args:
            workspace_id: Whose datastores are meant.
            kind: upload, download, list or stage.
            about: What it needs: `datastore` with `files` and `overwrite`, or with `prefix`; or `dataset`.

        Raises:
            Invalid: There is no such kind, or a path can't be one.
            NotFound: There is no such workspace or datastore.
            Unsupported: Nothing here can reach the datastore.
        """
        get_workspace(self._context, workspace_id)
        make = _KINDS.get(kind)
        if make is None:
            raise Invalid(f"There is no transfer of the kind {kind[:40]!r}. There are: {', '.join(_KINDS)}.")
        job, count = make(self._context, workspace_id, about)
        transfer = _Transfer(new_id(), kind, job, count, self._clock())
        with self._news:
            self._forget_old()
            self._known[transfer.id] = transfer
            self._waiting.append(transfer)
            if len(self._waiting) > self._idle and self._threads < _THREADS:
                self._threads += 1
                threading.Thread(target=self._work, name=f"transfer-{self._threads}", daemon=True).start()
            self._news.notify()
        return {"id": transfer.id}

    def read(self, transfer_id: str, after: int = 0) -> dict[str, Any]:
        """Return how a transfer stands, and its events after one. What comes before that one is not kept any longer.

        Raises:
            NotFound: There is no such transfer: it ended long ago, or with the service that ran it.
        """
        transfer = self._find(transfer_id)
        with transfer.lock:
            transfer.asked_at = self._clock()
            while transfer.events and transfer.events[0]["sequence"] <= after:
                transfer.events.popleft()
            return {
                "id": transfer.id,
                "kind": transfer.kind,
                "state": transfer.state,
                "events": list(transfer.events),
                "last": transfer.last,
                "files_total": transfer.files_total - transfer.files_skipped,
                "files_done": transfer.files_done,
                "bytes_done": transfer.bytes_done,
                "error": transfer.error,
                "result": transfer.result,
            }

    def cancel(self, transfer_id: str) -> dict[str, Any]:
        """Ask a transfer to end; what it copied so far stays, and nothing half-written does.

        Raises:
            NotFound: There is no such transfer.
        """
        self._find(transfer_id).is_unwanted = True
        return self.read(transfer_id)

    def _find(self, transfer_id: str) -> _Transfer:
        with self._news:
            transfer = self._known.get(transfer_id)
        if transfer is None:
            raise NotFound(f"There is no transfer with the id '{transfer_id[:60]}'. It ended long ago, or with the service that ran it.")
        return transfer

    def _forget_old(self) -> None:
        limit = self._clock() - _KEPT_SECONDS
        for transfer in list(self._known.values()):
            if transfer.ended_at is not None and max(transfer.ended_at, transfer.asked_at) < limit:
                del self._known[transfer.id]

    # Threads

    def _work(self) -> None:
        """Run one transfer after the other. The thread stays: it has a connection to the rows of its own."""
        while True:
            with self._news:
                self._idle += 1
                while not self._waiting:
                    self._news.wait()
                self._idle -= 1
                transfer = self._waiting.popleft()
            self._run(transfer)

    def _run(self, transfer: _Transfer) -> None:
        try:
            result = transfer.job(lambda: self._check(transfer), lambda progress: self._tell(transfer, progress))
            self._end(transfer, DONE, result=result)
        except PenstockError as error:
            state = CANCELLED if transfer.is_unwanted else FAILED
            self._end(transfer, state, error=error.document()["error"])
        except Exception:  # the last place that can turn it into words
            name = transfer.id[-12:]
            _log.exception("transfer.broken transfer_id=%s error_id=%s", transfer.id, name)
            broken = PenstockError(f"Something in the service went wrong; its log tells more under {name}.")
            self._end(transfer, FAILED, error=broken.document()["error"])

    def _check(self, transfer: _Transfer) -> None:
        """End a transfer that was cancelled, or whose client has not been heard of for long."""
        if self._clock() - transfer.asked_at > _KEPT_SECONDS:
            transfer.is_unwanted = True
        if transfer.is_unwanted:
            raise Refused("The transfer was cancelled. What it had copied by then is there; nothing half-written is.")

    def _tell(self, transfer: _Transfer, progress: Progress) -> None:
        with transfer.lock:
            transfer.last += 1
            transfer.events.append({"sequence": transfer.last, "path": progress.path, "what": progress.what, "bytes": progress.bytes})
            if progress.what == "done":
                transfer.files_done += 1
                transfer.bytes_done += progress.bytes
            elif progress.what == "skipped":
                transfer.files_skipped += 1
        self._context.announce({transfer.id}, set())

    def _end(self, transfer: _Transfer, state: str, result: Any = None, error: dict[str, Any] | None = None) -> None:
        with transfer.lock:
            transfer.ended_at = self._clock()
            transfer.result = {"copied": transfer.files_done, "skipped": transfer.files_skipped} if result is None else result
            transfer.error, transfer.state = error, state
        self._context.announce({transfer.id}, {transfer.id})


# What can be transferred


def _upload(context: Context, workspace_id: str, about: Mapping[str, Any]) -> tuple[Job, int]:
    store, overwrite = _store(context, workspace_id, about), bool(about.get("overwrite"))
    files = [(_local_path(item[0]), clean_relative(item[1])) for item in _files(about, 2)]
    return lambda check, tell: context.stores.put(store, files, overwrite, check, tell) and None, len(files)


def _download(context: Context, workspace_id: str, about: Mapping[str, Any]) -> tuple[Job, int]:
    store, overwrite = _store(context, workspace_id, about), bool(about.get("overwrite"))
    items = _files(about, 5)
    wanted = [(_listed(item), _local_path(item[1])) for item in items]

    def job(check: Check, tell: Tell) -> None:
        files = [(found or _look_up(context, store, item[0], check), local) for item, (found, local) in zip(items, wanted, strict=True)]
        context.stores.get(store, files, overwrite, check, tell)

    return job, len(items)


def _list(context: Context, workspace_id: str, about: Mapping[str, Any]) -> tuple[Job, int]:
    store, prefix = _store(context, workspace_id, about), str(about.get("prefix") or "")

    def job(check: Check, tell: Tell) -> list[dict[str, Any]]:
        return [found._asdict() for found in context.stores.list_prefix(store, prefix, check)]

    return job, 0


def _stage(context: Context, workspace_id: str, about: Mapping[str, Any]) -> tuple[Job, int]:
    dataset, _ = read_definition(about.get("dataset"))

    def job(check: Check, tell: Tell) -> dict[str, Any]:
        resolved = selection.resolve(context, workspace_id, dataset, check)
        places = selection.fetch(context, [(file.store, file.found) for file in resolved.files], check)
        return selection.show(context, resolved, places)

    return job, 0


_KINDS: dict[str, Callable[[Context, str, Mapping[str, Any]], tuple[Job, int]]] = {
    "upload": _upload,
    "download": _download,
    "list": _list,
    "stage": _stage,
}


def _store(context: Context, workspace_id: str, about: Mapping[str, Any]) -> Store:
    name = about.get("datastore")
    if not isinstance(name, str):
        raise Invalid("A transfer must name its 'datastore'.")
    return datastores.file_store_of(context, workspace_id, name)


def _files(about: Mapping[str, Any], longest: int) -> Sequence[Sequence[Any]]:
    files = about.get("files")
    if not isinstance(files, list) or not all(isinstance(item, list) and 2 <= len(item) <= longest for item in files):
        raise Invalid("The 'files' of a transfer must be a list of pairs: where each comes from, and where it goes.")
    for item in files:
        if not all(isinstance(text, str) and text and "\0" not in text for text in item[:2]):
            raise Invalid(f"A file of the transfer has no path: {str(item[:2])[:200]}.")
    return files


def _local_path(path: str) -> str:
    if not os.path.isabs(path):
        raise Invalid(f"The path '{path[:200]}' on this machine must be absolute.")
    return os.path.normpath(path)


def _listed(item: Sequence[Any]) -> Found | None:
    """Return the file as a list showed it, when the client sent that too."""
    if len(item) < 4:
        return None
    size, token, modified_at = item[2], item[3], item[4] if len(item) > 4 else None
    if not isinstance(size, int) or not isinstance(token, str):
        raise Invalid(f"The file '{str(item[0])[:200]}' of the transfer has no size and token, as a list of files gives them.")
    return Found(item[0], size, token, modified_at)


def _look_up(context: Context, store: Store, path: str, check: Check) -> Found:
    for found in context.stores.list_prefix(store, path, check):
        if found.path == path:
            return found
    raise NotFound(f"There is no file '{path[:200]}' on {describe(store)}.", datastore=store.name, path=path)
