"""What a script's arguments and its command become."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml.core._script_submission import as_texts, run_command, split_line
from azureml.exceptions import UserErrorException
from penstock.model.graph import LINE

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8), max_size=5)


@given(WORDS)
def test_a_line_is_split_as_a_shell_splits_it(words: list[str]) -> None:
    assert split_line(" ".join(map(shlex.quote, words)), "arguments") == words


def test_an_open_quotation_mark_is_told() -> None:
    with pytest.raises(UserErrorException, match="arguments"):
        split_line("--text 'open", "arguments")


def test_values_become_texts() -> None:
    assert as_texts([1, 0.5, True, "x", Path("/a")], "arguments") == ["1", "0.5", "True", "x", "/a"]
    with pytest.raises(UserErrorException, match=r"None as command\[1\]"):
        as_texts(["x", None], "command")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("", ()),
        ([], ()),
        ("ls | wc", (*LINE, "ls | wc")),
        (["ls"], ("ls",)),
        (["python", "t.py", "two words"], ("python", "t.py", "two words")),
        (["python", "t.py", "a&&b"], ("python", "t.py", "a&&b")),
        (["echo", "a", "&&", "echo", "b"], (*LINE, "echo a && echo b")),
        (["python t.py", "--a", "1"], (*LINE, "python t.py --a 1")),
    ],
)
def test_a_text_is_a_line_and_a_list_is_a_program(command: object, expected: tuple[str, ...]) -> None:
    assert run_command(command) == expected
