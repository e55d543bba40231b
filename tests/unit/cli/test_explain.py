"""What `penstock explain` says: sentences, and only values that are worth reading."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.cli.explain import explain
from penstock.cli.tables import format_time, tell_reason

OLD, NEW = "a" * 64, "b" * 64
RUN = "d0594355-1111-2222-3333-444455556666"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def step(reason: str | None = None, reused: Any = None) -> dict[str, Any]:
    return {"type": "azureml.StepRun", "name": "train", "status": "Completed", "reason": reason, "reused": reused}


def change(component: str, old: Any, new: Any, reason: str | None = None) -> dict[str, Any]:
    return {"component": component, "old": old, "new": new, "reason": reason or f"{component} changed from {old!r} to {new!r}"}


def test_a_reused_step_is_told_once_in_local_time_and_short_ids() -> None:
    reused = {"experiment_name": "words", "pipeline_run_id": RUN}
    text = explain(step(f"Reused the result of run {RUN} of words, which ended 2026-11-22T11:40:40Z.", reused), [])
    assert text == f"train: reused from words run d0594355, which ended {format_time('2026-11-22T11:40:40Z')}."


def test_one_difference_is_told_once() -> None:
    reason = "The source folder changed (changed: step.py), since run d0594355 of words."
    rows = [{"component": "", "old": None, "new": None, "reason": reason}]
    rows.append(change("snapshot", OLD, NEW, "the source folder changed (changed: step.py)"))
    assert explain(step(reason), rows) == f"train: Finished. {reason}"


def test_several_differences_are_a_list_without_digests_and_dicts() -> None:
    environment = {"OMP": "1", "SEED": "2"}
    rows = [
        change("snapshot", OLD, NEW, "the source folder changed (changed: step.py)"),
        change("parameters.depth", "3", "4", "the parameter 'depth' changed from '3' to '4'"),
        change("settings.environmentVariables", None, environment),
        change("version", OLD, NEW),
        change("arguments", ["--a"], ["--a", "b"]),
        change("outputs", [{}], [{}, {}]),
    ]
    assert explain(step(f"Many things, since run {RUN} of words."), rows).splitlines() == [
        "train: Finished. Changed since run d0594355 of words:",
        "  - the source folder changed (changed: step.py)",
        "  - the parameter 'depth' changed from '3' to '4'",
        "  - settings.environmentVariables changed (OMP, SEED)",
        "  - version changed",
        "  - arguments changed (new: b)",
        "  - outputs changed from 1 entry to 2 entries",
    ]


def test_reasons_are_shown_without_what_only_machines_read() -> None:
    assert tell_reason(f"Runs since run {RUN} ({OLD}).") == "Runs since run d0594355 (aaaaaaaa)."
    assert tell_reason("settings changed from None to {'A': '1'}, since run x.") == "settings changed from None to ..., since run x."
    assert tell_reason("arguments[3] changed from 'x' to 'y'.") == "arguments[3] changed from 'x' to 'y'."
    assert tell_reason(None) == ""
