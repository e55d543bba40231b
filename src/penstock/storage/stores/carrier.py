"""The carrier: moves bytes between this machine and remote stores. `python -m penstock.storage.stores.carrier`.

A child of the service, so that the service never loads the stores' libraries, and outlives their troubles. Requests come in as JSON lines,
secrets with them; answers go out the same way. Each request is a job; many run at once. When its input ends, the service is gone or
done with us: unfinished files are removed, and we leave at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from penstock.storage.stores import Found, Progress, Store
from penstock.storage.stores.copies import Budget, Getting, Putting, delete_files, list_files, list_prefix
from penstock.storage.stores.failures import explain, persistently
from penstock.storage.stores.remotes import Taking, open_remote

_LINE_FILES = 500  # of a long listing, in one line
_TELL_SECONDS = 0.02
CANCELLED = "Cancelled"


class Carrier:
    """Does jobs until its input ends."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._remotes: dict[str, asyncio.Future[Taking]] = {}
        self._budget = Budget()
        self._getting: set[Getting] = set()
        self._untold: defaultdict[str, list[Progress]] = defaultdict(list)
        self._verbs: dict[str, Callable[[str, Store, dict[str, Any]], Awaitable[Any]]] = {
            "list": self._list,
            "list_prefix": self._list_prefix,
            "get": self._get,
            "put": self._put,
            "delete": self._delete,
            "query": self._query,
        }

    def say(self, **words: Any) -> None:
        """Write one line."""
        line = memoryview(json.dumps(words).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._output, line) :]

    def take(self, line: str) -> None:
        """Begin a job, or cancel one."""
        request = json.loads(line)
        if "cancel" in request:
            job = self._jobs.get(request["cancel"])
            if job is not None:
                job.cancel()
            return
        self._jobs[request["id"]] = asyncio.get_running_loop().create_task(self._do(request))

    def leave(self) -> None:
        """Remove what is unfinished, and end at once: nobody waits for us."""
        for getting in list(self._getting):
            for target in list(getting.open):
                with contextlib.suppress(OSError):
                    os.unlink(target.temporary)
        os._exit(0)

    async def _do(self, request: dict[str, Any]) -> None:
        """Do one job, and say how it ended."""
        name, store = request["id"], Store(**request["store"])
        try:
            end = {"result": await self._verbs[request["verb"]](name, store, request)}
        except asyncio.CancelledError:
            end = {"error": {"code": CANCELLED, "message": "It was cancelled."}}
        except Exception as error:
            end = explain(store, "", "reached", error).document()
        self._tell_all()
        del self._jobs[name]
        self.say(id=name, **end)

    async def _open(self, store: Store) -> Taking:
        """Return the connection to a store; all jobs share it."""
        key = json.dumps([store.name, store.protocol, store.root, store.options, store.is_made], sort_keys=True, default=str)
        known = self._remotes.get(key)
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self._remotes[key] = asyncio.ensure_future(persistently(lambda: open_remote(store)))
        return await asyncio.shield(known)

    async def _list(self, job: str, store: Store, request: dict[str, Any]) -> None:
        self._say_files(job, await list_files(await self._open(store), store, request["pattern"]))

    async def _list_prefix(self, job: str, store: Store, request: dict[str, Any]) -> None:
        self._say_files(job, await list_prefix(await self._open(store), store, request["prefix"]))

    async def _get(self, job: str, store: Store, request: dict[str, Any]) -> int:
        getting = Getting(await self._open(store), store, lambda progress: self._tell(job, progress), self._budget, job)
        self._getting.add(getting)
        try:
            files = [(Found(*found), target) for found, target in request["files"]]
            return await getting.get(files, request["overwrite"])
        finally:
            self._getting.discard(getting)

    async def _put(self, job: str, store: Store, request: dict[str, Any]) -> None:
        putting = Putting(await self._open(store), store, lambda progress: self._tell(job, progress), self._budget)
        self._say_files(job, await putting.put([(source, path) for source, path in request["files"]], request["overwrite"]))

    async def _delete(self, job: str, store: Store, request: dict[str, Any]) -> None:
        await delete_files(await self._open(store), store, request["paths"])

    async def _query(self, job: str, store: Store, request: dict[str, Any]) -> str:
        from penstock.storage.stores.sql import run_query

        ended = threading.Event()

        def check() -> None:
            if ended.is_set():
                raise asyncio.CancelledError

        try:
            about = store.options["url"], request["sql"], request["timeout"], request["target"], check, store.name
            return await asyncio.to_thread(run_query, *about)
        finally:
            ended.set()

    def _tell(self, job: str, progress: Progress) -> None:
        """Say what became of a file; soon, and with others, as many small files would be many lines."""
        if not self._untold:
            asyncio.get_running_loop().call_later(_TELL_SECONDS, self._tell_all)
        self._untold[job].append(progress)

    def _tell_all(self) -> None:
        untold, self._untold = self._untold, defaultdict(list)
        for job, progress in untold.items():
            self.say(id=job, progress=progress)

    def _say_files(self, job: str, files: list[Found]) -> None:
        for start in range(0, len(files), _LINE_FILES):
            self.say(id=job, files=files[start : start + _LINE_FILES])


def _own_output() -> int:
    """Return where answers go. What a library prints goes to the log instead, not between them."""
    output = os.dup(1)
    os.dup2(2, 1)
    return output


async def serve(carrier: Carrier) -> None:
    """Take requests as they come."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        try:
            for line in sys.stdin:
                loop.call_soon_threadsafe(carrier.take, line)
        finally:
            carrier.leave()

    threading.Thread(target=read, daemon=True).start()
    await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(Carrier(_own_output())))
