import pytest

from penstock.cli.tables import format_duration, format_seconds, format_table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    table = format_table(("RUN", "NAME"), [("1", "a"), ("22222", "two\nlines")])
    assert table.splitlines() == ["RUN    NAME", "1      a", "22222  two lines"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00 s"), (0.4211, "0.42 s"), (12.34, "12.3 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_seconds_are_written_as_a_person_says_them(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_duration_of_a_run_that_has_ended() -> None:
    assert format_duration("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:01.500000Z") == "1.50 s"


def test_duration_of_a_run_that_has_not_begun_is_empty() -> None:
    assert format_duration(None, None) == ""
