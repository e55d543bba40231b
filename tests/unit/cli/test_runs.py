import pytest

from penstock.cli.runs import parse_status, short_ids
from penstock.model.errors import Invalid


def test_v1_spellings_of_a_status_are_understood() -> None:
    assert parse_status("finished") == {"Completed"}
    assert parse_status("Completed") == {"Completed"}
    assert {"Running", "Queued", "Starting"} <= parse_status("Running")


def test_a_misspelt_status_gets_the_nearest_one() -> None:
    with pytest.raises(Invalid, match="Did you mean 'Failed'"):
        parse_status("Faild")


def test_ids_are_shown_as_long_as_it_takes_to_tell_them_apart() -> None:
    first, second = (f"{start}-0000-4000-8000-000000000000" for start in ("aaaaaaaa", "bbbbbbbb"))
    assert short_ids([first, second]) == {first: "aaaaaaaa", second: "bbbbbbbb"}
    near = first[:9] + "1" + first[10:]
    assert short_ids([first, near]) == {first: first[:10], near: near[:10]}


def test_ids_made_of_words_are_shown_whole() -> None:
    script, uuid = "train_1795365978_ac5c7108", "aaaaaaaa-0000-4000-8000-000000000000"
    assert short_ids([script, uuid]) == {script: script, uuid: "aaaaaaaa"}
    assert short_ids([]) == {}
