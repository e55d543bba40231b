"""The ids of runs, and what people type of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.ids import new_id, script_run_id, short_id
from penstock.operations.names import RUN_ID


@given(st.text(min_size=1, max_size=255), st.floats(0, 2**35))
def test_every_experiment_name_gives_a_run_id(name: str, seconds: float) -> None:
    made = script_run_id(name, seconds)
    assert RUN_ID.fullmatch(made)
    assert made != script_run_id(name, seconds)
    assert made.split("_")[-2] == str(int(seconds))


def test_a_plain_name_stays_as_it_is() -> None:
    assert script_run_id("my-experiment_2", 1700000000.9).startswith("my-experiment_2_1700000000_")


def test_what_people_type() -> None:
    identity = new_id()
    assert short_id(identity) == identity[:8]
    for whole in ("work_1700000000_ab12cd34", "mine", "a-b-c-d-e", "x" * 36):
        assert short_id(whole) == whole
