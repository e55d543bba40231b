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


def test_a_line_is_no_wider_than_it_may_be() -> None:
    lines = format_table(("STEP", "METRIC", "VALUE"), [("train", "m" * 5000, "0.5"), ("x", "n", "v" * 300)], width=80).splitlines()
    assert [len(line) <= 80 for line in lines] == [True, True, True]
    assert lines[1].startswith("train  mmm")
    assert lines[1].endswith("  0.5")
    assert "..." in lines[1]


def test_a_reason_gives_way_before_a_name() -> None:
    (_, line) = format_table(("STEP", "WHY"), [("n" * 40, "w" * 100)], width=70).splitlines()
    assert line.startswith("n" * 40 + "  w")
    assert len(line) == 70


@pytest.mark.parametrize("width", [1, 10, 25])
def test_a_terminal_may_be_absurdly_narrow(width: int) -> None:
    assert len(format_table(("A", "B"), [("a" * 50, "b" * 50)], width=width).splitlines()) == 2


def test_the_terminal_says_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert max(len(line) for line in format_table(("A",), [("a" * 100,)]).splitlines()) == 40
