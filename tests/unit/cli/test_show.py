from typing import Any

import pytest

from penstock.cli import show
from penstock.cli.show import format_tree
from penstock.model.run_types import STEP_RUN


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
    assert max(map(len, lines)) <= max(columns, 4 * 8 + 6)
    assert lines[1].startswith("│  │ ")


def test_a_long_reason_goes_on_below_and_the_drawing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [
        ("", "a", "Finished", "1 s", "the source folder changed, and so did the interpreter"),
        ("├─ ", "b", "", "", ""),
        ("└─ ", "c", "", "", ""),
    ]
    assert format_tree(rows).splitlines() == [
        "STEP  STATUS    DURATION  WHY",
        "a     Finished  1 s       the source folder changed, and so",
        "│                         did the interpreter",
        "├─ b",
        "└─ c",
    ]


def warned(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "type": STEP_RUN, "warnings": [{"source": "environment", "message": text}]}


def test_a_warning_that_steps_share_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    runs = [warned(name, f"The environment 'e' of step '{name}' asks for xgboost: the step runs on {'x' * 300}.") for name in "abcde"]
    lines = show._warnings(runs)
    assert lines[:2] == ["", "warning (a, b, c and 2 more): The environment 'e' asks for xgboost: the step"]
    assert sum(line.startswith("warning") for line in lines) == 1
    assert lines[-1].endswith("...")
    assert max(map(len, lines)) <= 80


def step(status: str, **more: Any) -> dict[str, Any]:
    return {"type": STEP_RUN, "status": status, "reused": None, "started_at": None, "ended_at": None, **more}


def test_a_ready_step_waits_for_a_free_place_while_others_have_them() -> None:
    queued = step("Queued", reason=None)
    assert show._is_waited_for([queued, step("Running")])
    assert not show._is_waited_for([step("Completed")])
    assert show._step_cells(queued, is_full=True)[2] == "waits for a free place"
    assert show._step_cells(queued, is_full=False)[2] == ""


def test_a_run_that_goes_on_runs_for_some_time_and_an_ended_one_ran_in_it() -> None:
    ended = {"started_at": "2026-01-01T00:00:00.000000Z", "ended_at": "2026-01-01T00:00:04.000000Z"}
    assert show._say_status(step("Running", **ended)) == "Running for 4.00 s"
    assert show._say_status(step("Completed", **ended)) == "Finished in 4.00 s"


@pytest.mark.parametrize(("message", "told"), [("ValueError: no.", 1), ("ValueError: no. Its log: penstock logs 12345678 'a'.", 1)])
def test_the_log_of_a_failed_step_is_named_once(message: str, told: int) -> None:
    failed = {**step("Failed"), "id": "s", "name": "a", "error": {"message": message}}
    assert "\n".join(show._errors({"id": "123456789"}, [failed])).count("penstock logs 12345678") == told
