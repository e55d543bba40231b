"""What all kinds of files have in common: a source knows its columns and gives record batches, file after file."""

from __future__ import annotations

import os
from collections import deque
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Deque,
    Dict,
    FrozenSet,
    Generator,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Tuple,
    TypeVar,
)

from penstock.model.errors import Invalid, NotFound, PenstockError

if TYPE_CHECKING:
    from typing import Protocol  # novm
else:
    Protocol = object

Item = TypeVar("Item")
Made = TypeVar("Made")


class SourceFile(NamedTuple):
    """A file of a dataset on this machine.

    Attributes:
        local: Where it is.
        path: How the dataset shows it, beginning with '/'.
        partition: What its path says: column -> text, or {"time": ISO-8601}.
    """

    local: str
    path: str
    partition: Mapping[str, Any] = {}


class Reading(NamedTuple):
    """What is wanted of a source.

    Attributes:
        columns: The names of the wanted columns; they come in the source's order.
        errors_of: Columns for which another one is wanted that tells where a text did not fit the type.
        fails: Whether a text that does not fit its column's type ends the reading.
        bounds: (column, comparison, constant) that hold for all wanted rows; others may come too.
        repeated: Whether columns with few different texts may come as dictionaries.
        kept: Whether all batches are kept, rather than let go one after the other.
        without: Files of which no row is wanted.
    """

    columns: FrozenSet[str]
    errors_of: FrozenSet[str] = frozenset()
    fails: bool = False
    bounds: Tuple[Tuple[str, str, Any], ...] = ()
    repeated: bool = False
    kept: bool = False
    without: FrozenSet[int] = frozenset()


class Widened(Exception):
    """A file has columns that were not known when the reading began: `survey` the source, then read again."""


class Source(Protocol):
    """Files of one kind that are read as one table."""

    def types(self) -> Dict[str, Any]:
        """Return column -> Arrow type, in order: what the first rows show, or all of them after a `survey`."""

    def survey(self) -> None:
        """Look at all files, so that `types` names every column."""

    def about_rows(self) -> int:
        """Return about how many rows there are; 0 where nobody knows."""

    def batches(self, reading: Reading) -> Iterator[Tuple[int, Any]]:
        """Yield (number of the file, record batch) in order. Memory is bounded.

        Raises:
            Widened: There are more columns than `types` names.
        """


def processors() -> int:
    """Return how many threads are worth their while."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        count = os.cpu_count() or 1
    return max(1, min(count, 8))


def in_order(work: Callable[[Item], Made], items: Iterable[Item], ahead: int = 4) -> Iterator[Made]:
    """Yield work(item) for each item, in order, computed by threads; only a few results wait at a time."""
    from concurrent.futures import Future, ThreadPoolExecutor

    count = processors()
    waiting: Deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(count, thread_name_prefix="penstock-rows")
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > count + ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        pool.shutdown(wait=True)


def memory() -> Any:
    """Return the process's own memory, for arrays that stay: the system has less to do with it than with Arrow's usual pool."""
    import pyarrow as pa

    return pa.system_memory_pool()


def read_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield items while a thread already makes the next one."""
    from concurrent.futures import ThreadPoolExecutor

    end: List[Item] = []
    with ThreadPoolExecutor(1, thread_name_prefix="penstock-rows") as pool:
        coming = pool.submit(next, items, end)
        while True:
            item = coming.result()
            if item is end:
                return
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


def unreadable(file: SourceFile, error: OSError) -> PenstockError:
    """Return the error for a file that can't be opened or read."""
    if isinstance(error, FileNotFoundError):
        return NotFound(f"The file '{file.path}' is not there any more ({file.local}).")
    return Invalid(f"The file '{file.path}' can't be read: {error.strerror or error} ({file.local}).")


def unique_names(names: Iterable[str]) -> List[str]:
    """Return names of which none appears twice: later ones get _1, _2 and so on; empty ones become Column1, Column2 by their place."""
    given = [name if name.strip() else f"Column{place}" for place, name in enumerate(names, 1)]
    taken = set(given)
    found: List[str] = []
    seen = set()
    for name in given:
        chosen, number = name, 0
        while chosen in seen or (number and chosen in taken):
            number += 1
            chosen = f"{name}_{number}"
        seen.add(chosen)
        found.append(chosen)
    return found
