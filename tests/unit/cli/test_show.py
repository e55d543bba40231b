import pytest

from penstock.cli.show import format_tree


def test_the_drawing_keeps_its_blanks_and_a_name_stays_on_its_line() -> None:
    rows = [("", "a", "Finished", "1 s", ""), ("   └─ ", "two\nlines", "Failed", "", "why")]
    assert format_tree(rows).splitlines() == [
        "STEP             STATUS    DURATION  WHY",
        "a                Finished  1 s",
        "   └─ two lines  Failed              why",
    ]


@pytest.mark.parametrize("columns", [12, 80])
def test_a_tree_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = format_tree([("│  " * 6 + "└─ ", "n" * 5000, "Finished", "1.00 s", "because " * 50)]).splitlines()
    assert len(lines) == 2
    assert len(lines[1]) <= max(columns, 4 * 8 + 6)
    assert lines[1].startswith("│  │ ")
