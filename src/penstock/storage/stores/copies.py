"""What the carrier does with a remote store: list, copy either way, remove; many at once, again where that helps, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Invalid, NotFound, PenstockError, Refused
from penstock.storage.files import open_file
from penstock.storage.paths import clean_relative
from penstock.storage.stores import Found, Progress, Store
from penstock.storage.stores.addresses import describe
from penstock.storage.stores.failures import (
    Broken,
    Changed,
    explain,
    explain_disk,
    is_missing_container,
    is_transient,
    persistently,
    status_of,
)
from penstock.storage.stores.patterns import Pattern, is_unfinished
from penstock.storage.stores.remotes import PART_BYTES, Remote, TakesFiles, TakesParts, Taking

_BYTES_IN_FLIGHT = 8 * PART_BYTES  # what the requests of all jobs may hold in memory together
_NOT_LISTED = (401, 403, 404, 409)  # what a store answers whose files are public and whose list is not
_FEW = 8  # so many files of one folder are looked up one by one; more, by listing it

Tell = Callable[[Progress], None]


class Budget:
    """How many bytes may be under way together."""

    def __init__(self, most: int = _BYTES_IN_FLIGHT) -> None:
        self._most, self._taken = most, 0
        self._freed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Wait for room, and hold it while the block lasts. What is larger than all room waits until it is alone."""
        async with self._freed:
            await self._freed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            self._taken -= size
            async with self._freed:
                self._freed.notify_all()


async def run_all(work: Callable[..., Awaitable[Any]], items: Iterable[tuple[Any, ...]], width: int) -> None:
    """Do some work for each item, `width` at once; the first failure ends the rest, and is raised."""
    rest = iter(items)

    async def worker() -> None:
        for item in rest:
            await work(*item)

    tasks = [asyncio.create_task(worker()) for _ in range(width)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# Listing


async def list_files(remote: Remote, store: Store, text: str) -> list[Found]:
    """Return the files that a path or pattern names, sorted by path."""
    with _explained(store, text, "listed"):
        if not remote.can_list:
            return await _list_one(remote, text.lstrip("/"))
        return await _unless_unmade(store, _list_pattern(remote, Pattern(text)))


async def list_prefix(remote: Remote, store: Store, prefix: str) -> list[Found]:
    """Return the files whose path begins with a text, sorted by path."""
    with _explained(store, prefix, "listed"):
        return await _unless_unmade(store, _list(remote, prefix, False, lambda path: not is_unfinished(path)))


async def _unless_unmade(store: Store, listing: Awaitable[list[Found]]) -> list[Found]:
    """Return a listing; of a container that is made with its first file, and was not yet, an empty one."""
    try:
        return await listing
    except Exception as error:
        if store.is_made and is_missing_container(error):
            return []
        raise


async def _list_pattern(remote: Remote, pattern: Pattern) -> list[Found]:
    if not pattern.is_plain or not pattern.text:
        return await _list(remote, pattern.prefix, pattern.is_flat, pattern.matches)
    found, below = await asyncio.gather(
        persistently(lambda: remote.find(pattern.text)), _list(remote, pattern.prefix, False, pattern.matches), return_exceptions=True
    )
    if isinstance(found, BaseException):
        raise found
    if isinstance(below, BaseException):
        if found is None or status_of(below) not in _NOT_LISTED:
            raise below
        below = []
    return [found, *below] if found and pattern.matches(found.path) else below


async def _list_one(remote: Remote, path: str) -> list[Found]:
    found = await persistently(lambda: remote.find(path))
    if found is None and "*" in path:
        await remote.page(path, False, None)  # refuses
    return [found] if found else []


async def _list(remote: Remote, prefix: str, is_flat: bool, wanted: Callable[[str], bool]) -> list[Found]:
    files: list[Found] = []
    after = None
    while True:
        page, after = await persistently(lambda after=after: remote.page(prefix, is_flat, after))  # type: ignore[misc]
        files += [file for file in page if wanted(file.path)]
        if after is None:
            return sorted(files)


async def survey(remote: Remote, paths: Sequence[str]) -> dict[str, Found]:
    """Return what lies at some paths now; each folder of many is listed once."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_folder[path.rpartition("/")[0]].append(path)
    files: dict[str, Found] = {}

    async def look(path: str) -> None:
        if found := await persistently(lambda: remote.find(path)):
            files[path] = found

    async def look_through(group: list[str]) -> None:
        wanted = set(group)
        prefix = os.path.commonprefix(group)  # noqa: RUF071 - letters are meant: listings go by them
        for found in await _list(remote, prefix, True, wanted.__contains__):
            files[found.path] = found

    few = [(path,) for group in by_folder.values() if len(group) <= _FEW or not remote.can_list for path in group]
    many = [(group,) for group in by_folder.values() if len(group) > _FEW and remote.can_list]
    await run_all(look, few, min(remote.width, len(few)))
    await run_all(look_through, many, min(4, len(many)))
    return files


# To this machine


class Target:
    """A file on its way in: written beside its place. A thread that was given up can't write into it any more."""

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.temporary = os.path.join(os.path.dirname(path), name)
        self._lock = threading.Lock()
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._file: BinaryIO | None = open(self.temporary, "x+b", buffering=0)  # noqa: SIM115 - `finish` or `discard` closes it
        except OSError as error:
            raise explain_disk(error, path) from error

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes at their place."""
        with self._lock:
            if self._file is None:
                raise asyncio.CancelledError
            view = memoryview(data)
            try:
                while view:
                    written = os.pwrite(self._file.fileno(), view, offset)
                    view, offset = view[written:], offset + written
            except OSError as error:
                raise explain_disk(error, self.path) from error

    def md5(self) -> str:
        """Return the digest of what was written."""
        with open(self.temporary, "rb", buffering=0) as file:
            found = hashlib.md5(usedforsecurity=False)
            while chunk := file.read(1 << 20):
                found.update(chunk)
        return found.hexdigest()

    def finish(self) -> None:
        """Put the file in its place."""
        self._close()
        try:
            os.replace(self.temporary, self.path)
        except OSError as error:
            raise explain_disk(error, self.path) from error

    def discard(self) -> None:
        """Leave nothing, unless it is finished."""
        self._close()
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)

    def _close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class Getting:
    """One job that copies files of a store to this machine.

    Args:
        remote: The store.
        store: Its name and address, for messages.
        tell: Is told what becomes of each file.
        budget: What all jobs share.
        mark: What the names of unfinished files end with, before a number.
    """

    def __init__(self, remote: Remote, store: Store, tell: Tell, budget: Budget, mark: str) -> None:
        self._remote, self._store, self._tell, self._budget, self._mark = remote, store, tell, budget, mark
        self._count = 0
        self._copied = 0
        self.open: set[Target] = set()

    async def get(self, files: Iterable[tuple[Found, str]], overwrite: bool) -> int:
        """Copy files; return how many were copied. Existing ones are skipped unless `overwrite`."""
        await run_all(lambda file, target: self._get(file, target, overwrite), files, self._remote.width)
        return self._copied

    async def _get(self, file: Found, path: str, overwrite: bool) -> None:
        if not overwrite and os.path.lexists(path):
            self._tell(Progress(file.path, "skipped", 0))
            return
        self._tell(Progress(file.path, "start", file.size))
        self._count += 1
        target = Target(path, f"{UNFINISHED}{self._mark}-{self._count}")
        self.open.add(target)
        try:
            with _explained(self._store, file.path, "read"):
                size = await self._bring(file, target)
            target.finish()
        finally:
            target.discard()
            self.open.discard(target)
        self._copied += 1
        self._tell(Progress(file.path, "done", size))

    async def _bring(self, file: Found, target: Target) -> int:
        """Read a file to its end and verify it; return its size."""
        wanted = file.token[4:] if file.token.startswith("md5:") else ""
        length = self._remote.read_bytes
        if 0 < length < file.size:
            parts = ((start, min(length, file.size - start)) for start in range(0, file.size, length))  # one by one: a size may be untrue
            width = min(-(-file.size // length), self._remote.width)
            await run_all(lambda start, length: self._read_part(file, target, start, length), parts, width)
            got, size = (await asyncio.to_thread(target.md5) if wanted else ""), file.size
        else:
            async with self._budget.hold(file.size if 0 <= file.size < PART_BYTES else PART_BYTES):
                got, size = await self._read_through(file, target)
        if wanted and got != wanted:
            raise Changed  # each part came from the store as it is: it was written to between listing and reading, or between parts
        return size

    async def _read_part(self, file: Found, target: Target, start: int, length: int) -> None:
        done = 0

        def write(data: bytes) -> None:
            nonlocal done
            target.write(start + done, data)
            done += len(data)

        async def read() -> None:
            if done < length:
                await self._remote.read(file, start + done, length - done, write)
            _check_size(done, length)

        async with self._budget.hold(min(length, PART_BYTES)):
            await persistently(read)

    async def _read_through(self, file: Found, target: Target) -> tuple[str, int]:
        """Read from the beginning to the end, going on where a connection broke; return the MD5 and the size."""
        done = 0
        md5 = hashlib.md5(usedforsecurity=False)

        def write(data: bytes) -> None:
            nonlocal done
            target.write(done, data)
            md5.update(data)
            done += len(data)

        async def read() -> None:
            if done != file.size:  # an empty file has nothing to ask for; some stores take offence at it
                await self._remote.read(file, done, -1, write)
            if file.size >= 0:
                _check_size(done, file.size)

        while True:
            before = done
            try:
                await persistently(read)
                return md5.hexdigest(), done
            except Exception as error:
                if not is_transient(error) or done - before < PART_BYTES:  # what moves on so far is worth another round
                    raise


def _check_size(done: int, size: int) -> None:
    if done < size:
        raise Broken(f"the connection ended after {done} of {size} bytes")
    if done > size:
        raise Changed


# From this machine


class Putting:
    """One job that copies files of this machine to a store; the arguments are those of `Getting`."""

    def __init__(self, remote: Taking, store: Store, tell: Tell, budget: Budget) -> None:
        self._remote, self._store, self._tell, self._budget = remote, store, tell, budget

    async def put(self, files: Sequence[tuple[str, str]], overwrite: bool) -> list[Found]:
        """Copy files; return what lies there now, in their order. Existing ones are skipped unless `overwrite`."""
        files = [(source, self._clean(path)) for source, path in files]
        paths = [path for _, path in files]
        with _explained(self._store, paths[0] if len(paths) == 1 else "", "written"):
            if self._store.is_made:
                await persistently(self._remote.make)
            existing = {} if overwrite else await survey(self._remote, paths)
        await run_all(lambda source, path: self._put(source, path, path in existing), files, min(self._remote.width, len(files)))
        with _explained(self._store, "", "listed"):
            there = existing if len(existing) == len(set(paths)) else await survey(self._remote, paths)
        return [there[path] for path in paths if path in there]

    def _clean(self, path: str) -> str:
        try:
            return clean_relative(path.lstrip("/"))
        except Invalid as error:
            raise Invalid(f"On {describe(self._store)}: {error.message}") from None

    async def _put(self, source: str, path: str, is_there: bool) -> None:
        if is_there:
            self._tell(Progress(path, "skipped", 0))
            return
        with _explained(self._store, path, "written"), _source(source) as file:
            size = os.fstat(file.fileno()).st_size
            self._tell(Progress(path, "start", size))
            if isinstance(self._remote, TakesFiles):
                remote = self._remote
                await persistently(lambda: remote.put_file(path, source))
            elif size <= self._remote.part_bytes(size):
                await self._put_small(self._remote, file, path, size)
            else:
                await self._put_large(self._remote, file, path, size)
            self._tell(Progress(path, "done", size))

    async def _put_small(self, remote: TakesParts, file: BinaryIO, path: str, size: int) -> None:
        async with self._budget.hold(size):
            data = _read(file, size)
            md5 = hashlib.md5(data, usedforsecurity=False).digest()
            await persistently(lambda: remote.put(path, data, md5))

    async def _put_large(self, remote: TakesParts, file: BinaryIO, path: str, size: int) -> None:
        """Send a file in parts; they are read in order, so that the digest of all is known at the end."""
        upload = await persistently(lambda: remote.begin(path, size))
        length = remote.part_bytes(size)
        md5 = hashlib.md5(usedforsecurity=False)
        turn = asyncio.Lock()
        parts = iter(range(-(-size // length)))

        def read(wanted: int) -> bytes:
            data = _read(file, wanted)
            md5.update(data)
            return data

        async def send() -> None:
            while True:
                async with self._budget.hold(length):
                    async with turn:
                        number = next(parts, None)
                        if number is None:
                            return
                        data = await asyncio.to_thread(read, min(length, size - number * length))
                    await persistently(lambda number=number, data=data: upload.put_part(number, data))  # type: ignore[misc]

        try:
            await run_all(send, [()] * remote.width, remote.width)
            await persistently(lambda: upload.finish(md5.digest()))
        except BaseException:
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(upload.abandon()), timeout=5)
            raise


def _read(file: BinaryIO, wanted: int) -> bytes:
    try:
        data = file.read(wanted)
    except OSError as error:
        raise Refused(f"The file {file.name} can't be read: {error.strerror}.") from error
    if len(data) != wanted:
        raise Refused(
            f"The file {file.name} became shorter while it was being sent. Nothing of it was kept; send it again when it is complete."
        )
    return data


@contextlib.contextmanager
def _source(path: str) -> Iterator[BinaryIO]:
    try:
        file = open_file(path)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path} on this machine.") from error
    except OSError as error:
        raise Refused(f"The file {path} can't be read: {error.strerror}.") from error
    with file:
        yield file


async def delete_files(remote: Remote, store: Store, paths: Sequence[str]) -> None:
    """Remove files; one that is not there is no error."""

    async def delete(path: str) -> None:
        with _explained(store, path, "removed"):
            await persistently(lambda: remote.delete(path))

    await run_all(delete, [(path,) for path in paths], min(remote.width, len(paths)))


@contextlib.contextmanager
def _explained(store: Store, path: str, verb: str) -> Iterator[None]:
    """Turn what a library says into words about the store and the path."""
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        raise explain(store, path, verb, error) from error
