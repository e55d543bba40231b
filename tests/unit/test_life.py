"""When the service leaves."""

from __future__ import annotations

from penstock.serve import Life


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_idle_service_leaves() -> None:
    clock = Clock()
    life = Life(60, lambda: False, clock=clock)
    clock.now = 59
    assert not life.is_over()
    clock.now = 61
    assert life.is_over()
    assert life.reason == "idle"


def test_a_service_that_others_rely_on_stays_until_it_is_stopped() -> None:
    clock = Clock()
    life = Life(60, lambda: False, clock=clock)
    assert life.reasons_to_stay() == []
    life.stay("somebody may call")
    life.stay("somebody may call")
    clock.now = 10_000
    assert not life.is_over()
    assert life.reasons_to_stay() == ["somebody may call"]
    life.stop()
    assert life.is_over()


def test_a_reason_may_pass() -> None:
    clock, active = Clock(), [1]
    life = Life(60, lambda: False, clock=clock)
    life.stay("something is active", lambda: bool(active))
    clock.now = 10_000
    assert not life.is_over()
    active.clear()
    assert life.reasons_to_stay() == []
    clock.now += 59
    assert not life.is_over()
    clock.now += 2
    assert life.is_over()
