"""The view of a run: never in the way."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, List

import pytest

from azureml.widgets import RunDetails
from azureml.widgets._tree import html, lines, news


def step(name: str, status: str, **facts: Any) -> Any:
    return {"id": name, "name": name, "type": "azureml.StepRun", "status": status, **facts}


TOP = {
    "id": "top",
    "type": "azureml.PipelineRun",
    "status": "Completed",
    "started_at": "2026-01-01T00:00:00.000000Z",
    "ended_at": "2026-01-01T00:00:01.500000Z",
}


def test_tree_in_words_of_v1() -> None:
    shown = list(
        lines(TOP, [step("prep", "Completed", reused={"run_id": "x"}), step("training", "Failed", error={"message": "no\nmore"})], "link")
    )
    assert shown[0] == "Run top (azureml.PipelineRun): Finished (1.5 s)"
    assert shown[1].split() == ["prep", "Finished", "reused"]
    assert shown[2].split() == ["training", "Failed", "no"]
    assert shown[-1] == "Web View: link"


def test_news_are_told_once() -> None:
    known: dict[str, str] = {}
    running = {**TOP, "status": "Running"}
    assert list(news(running, [step("prep", "Running"), step("later", "NotStarted")], known)) == ["prep: Running", "top: Running (1.5 s)"]
    assert list(news(running, [step("prep", "Completed")], known)) == ["prep: Finished"]
    assert list(news(running, [step("prep", "Completed")], known)) == []


def test_html_holds_no_markup_of_others() -> None:
    shown = html({**TOP, "display_name": "<script>"}, [step("<b>", "Running")], 'li"nk')
    assert "<script>" not in shown
    assert "&lt;b&gt;" in shown
    assert "li&quot;nk" in shown


def test_script_gets_lines_and_goes_on(experiment: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = experiment.start_logging(outputs=False)
    assert RunDetails(run).show(render_lib=None, widget_settings=None) is None  # type: ignore[func-returns-value]
    printed = capsys.readouterr().out
    assert run.id in printed
    assert "Running" in printed
    assert run.get_portal_url() in printed
    run.log("m", 1)
    run.complete()
    data = RunDetails(run).get_widget_data()
    assert (data["status"], data["run_metrics"], data["child_runs"]) == ("Completed", {"m": 1}, [])


def test_notebook_gets_a_table(experiment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shown: List[str] = []
    root, display = ModuleType("IPython"), ModuleType("IPython.display")
    root.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display.HTML, display.display = str, shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", root)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    run = experiment.start_logging(outputs=False)
    RunDetails(run).show()
    assert run.id in shown[0]
    assert capsys.readouterr().out == ""
    run.complete()


def test_broken_view_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    RunDetails(SimpleNamespace(id="gone")).show()
    assert "gone" in caplog.text
