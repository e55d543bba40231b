"""What is hidden in texts that people read."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from penstock.model.masking import MASK, mask

LETTERS = st.text("abc \n", min_size=1, max_size=12)


@given(LETTERS, st.lists(LETTERS, max_size=4))
@example("password", ["pass", "password"])
def test_no_secret_is_left(text: str, secrets: list[str]) -> None:
    shown = mask(text, secrets)
    for secret in secrets:
        assert len(secret) < 4 or secret not in shown
    assert shown == text or MASK in shown


@given(LETTERS, st.lists(st.text(max_size=3), max_size=4))
def test_short_ones_stay_for_they_would_spoil_the_text(text: str, secrets: list[str]) -> None:
    assert mask(text, secrets) == text


def test_one_line_of_a_secret_is_hidden_too() -> None:
    assert mask("the key BEGIN-abcd follows", ["BEGIN-abcd\nEND-abcd"]) == "the key *** follows"
