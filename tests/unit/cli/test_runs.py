import pytest

from penstock.cli.runs import parse_status, shortest_unique
from penstock.model.errors import Invalid


def test_v1_spellings_of_a_status_are_understood() -> None:
    assert parse_status("finished") == {"Completed"}
    assert parse_status("Completed") == {"Completed"}
    assert {"Running", "Queued", "Starting"} <= parse_status("Running")


def test_a_misspelt_status_gets_the_nearest_one() -> None:
    with pytest.raises(Invalid, match="Did you mean 'Failed'"):
        parse_status("Faild")


def test_ids_are_shown_as_long_as_it_takes_to_tell_them_apart() -> None:
    assert shortest_unique(["a" * 32, "b" * 32]) == 8
    assert shortest_unique(["a" * 32, "a" * 12 + "b" * 20]) == 13
