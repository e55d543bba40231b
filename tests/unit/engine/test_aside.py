"""Work that takes time is done aside: begun once, tried again where that helps, ended when nobody waits for it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from penstock.engine import aside
from penstock.engine.aside import Aside, GaveUp
from penstock.model.errors import NotFound, Unavailable


class Desk:
    """An Aside, and what it takes to wait for it."""

    def __init__(self) -> None:
        self._done = threading.Semaphore(0)
        self.aside: Aside[str] = Aside("test", 2, self._done.release)
        self.aside.forget_others({"a", "b", "c"})

    def finish(self, count: int = 1) -> None:
        for _ in range(count):
            assert self._done.acquire(timeout=10)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(aside, "FIRST_PAUSE_SECONDS", 0.0)
    return Desk()


def fail(error: Exception) -> Any:
    def work(check: Any) -> str:
        raise error

    return work


def test_a_result_is_taken_once(desk: Desk) -> None:
    desk.aside.begin("a", lambda check: "done")
    desk.finish()
    assert desk.aside.done() == {"a"}
    assert desk.aside.take("a") == "done"
    assert desk.aside.take("a") is None


def test_work_that_goes_on_is_not_begun_twice_and_holds_up_no_other(desk: Desk) -> None:
    gate, began = threading.Event(), []

    def slow(check: Any) -> str:
        began.append(1)
        gate.wait(10)
        return "slow"

    desk.aside.begin("a", slow)
    desk.aside.begin("a", slow)
    desk.aside.begin("b", lambda check: "quick")
    desk.finish()
    assert desk.aside.take("b") == "quick"
    assert desk.aside.under_way() == {"a"}
    gate.set()
    desk.finish()
    assert (desk.aside.take("a"), began) == ("slow", [1])


def test_an_error_is_raised_where_the_result_is_taken(desk: Desk) -> None:
    desk.aside.begin("a", fail(NotFound("nothing there")))
    desk.finish()
    with pytest.raises(NotFound, match="nothing there"):
        desk.aside.take("a")


def test_what_can_not_be_done_now_is_given_up_in_the_end(desk: Desk) -> None:
    for tries in range(1, aside.MOST_TRIES + 1):
        desk.aside.begin("a", fail(Unavailable("The datastore 'far' does not answer.")))
        desk.finish()
        with pytest.raises((Unavailable, GaveUp)) as raised:
            desk.aside.take("a")
        assert isinstance(raised.value, GaveUp) == (tries == aside.MOST_TRIES)
    assert raised.value.message == f"The datastore 'far' does not answer. It was tried {aside.MOST_TRIES} times."


def test_a_success_in_between_counts(desk: Desk) -> None:
    for _ in range(aside.MOST_TRIES):
        for work in (fail(Unavailable("not now")), lambda check: "done"):
            desk.aside.begin("a", work)
            desk.finish()
            try:
                assert desk.aside.take("a") == "done"
            except Unavailable:
                assert work is not None


def test_after_a_failure_it_rests(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "FIRST_PAUSE_SECONDS", 60.0)
    desk.aside.begin("a", fail(Unavailable("not now")))
    desk.finish()
    with pytest.raises(Unavailable):
        desk.aside.take("a")
    desk.aside.begin("a", lambda check: "too early")
    assert (desk.aside.pending(), desk.aside.under_way()) == ({"a"}, set())
    desk.aside.forget_others(set())
    assert desk.aside.pending() == set()


def test_work_that_nobody_wants_ends(desk: Desk) -> None:
    def patient(check: Any) -> str:
        while True:
            check()

    desk.aside.begin("a", patient)
    desk.aside.forget_others({"b"})
    desk.finish()
    desk.aside.forget_others({"a"})  # and now it is wanted again
    assert desk.aside.take("a") is None
    desk.aside.begin("a", lambda check: "anew")
    desk.finish()
    assert desk.aside.take("a") == "anew"


def test_what_was_found_out_long_ago_is_found_out_again() -> None:
    done = threading.Semaphore(0)
    old: Aside[str] = Aside("test", 1, done.release, fresh_seconds=0.0)
    old.forget_others({"a"})
    old.begin("a", lambda check: "old")
    assert done.acquire(timeout=10)
    assert old.take("a") is None
    assert old.pending() == set()
