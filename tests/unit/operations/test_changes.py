"""Changes: a transaction with what is told of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.client.home import Home
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.settings import Settings

Heard = list[tuple[str, bool]]  # what was told, and whether its rows could be read by then


@pytest.fixture
def heard() -> Heard:
    return []


@pytest.fixture
def context(tmp_path: Path, heard: Heard) -> Iterator[Context]:
    home = Home(tmp_path)
    home.create()
    database = Database(home.database)

    def hear(word: str) -> Callable[..., None]:
        return lambda *told: heard.append((word, not database.is_in_transaction()))

    yield Context(database, home, Settings(), wake_engine=hear("engine"), wake_triggers=hear("triggers"), announce=hear("news"))
    database.close()


def test_nobody_hears_of_a_change_inside_another_before_both_are_whole(context: Context, heard: Heard) -> None:
    with context.change() as outer:
        with context.change() as inner:
            inner.roots.add("root")
            inner.for_engine = inner.for_triggers = True
        assert (inner is outer, heard) == (True, [])
    assert heard == [("news", True), ("engine", True), ("triggers", True)]


def test_nobody_hears_of_a_change_that_is_taken_back(context: Context, heard: Heard) -> None:
    with contextlib.suppress(ValueError), context.change() as change:
        change.for_engine = True
        raise ValueError
    with context.change():
        pass
    assert heard == []


def test_each_thread_has_a_change_of_its_own(context: Context) -> None:
    seen = []

    def change() -> None:
        with context.change() as other:
            seen.append(other)

    thread = threading.Thread(target=change)
    with context.change() as mine:
        thread.start()
        assert seen == []  # it waits for its turn
    thread.join()
    assert seen != [mine]
