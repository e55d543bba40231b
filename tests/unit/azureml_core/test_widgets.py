"""The view of a run: never in the way."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any, List

import pytest

from azureml.widgets import RunDetails
from azureml.widgets._tree import advance, html, lines


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


def event(status: str, at: str = "2026-01-01T00:00:00.000000Z", **detail: Any) -> Any:
    return {"run_id": "prep", "at": at, "status": status, "detail": detail or None}


def test_news_are_told_once() -> None:
    record = step("prep", "Queued")
    later = "2026-01-01T00:00:02.000000Z"
    told = [advance(record, event(word)) for word in ("NotStarted", "Queued", "Starting", "Running")]
    assert told == [None, None, None, "prep: Running"]
    assert advance(record, event("Failed", later, error={"code": "UserError", "message": "no"})) == "prep: Failed (2.0 s)  no"
    assert advance(record, event("Failed", later)) is None
    assert advance(step("prep", "Queued"), event("Completed", reused="x")) == "prep: Finished (0.0 s)  reused"


def test_live_view_asks_for_no_lists(experiment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What moves on is heard from events, whatever the number of children."""
    run = experiment.start_logging(outputs=False)
    first = run.child_run("first")
    asked: List[str] = []
    real = type(run._client).list_children
    monkeypatch.setattr(type(run._client), "list_children", lambda client, *args, **more: asked.append("") or real(client, *args, **more))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    RunDetails(run).show()
    second = run.child_run("second")
    second.child_run("below").complete()
    for item in (first, second, run):
        item.complete()
    for thread in threading.enumerate():
        if thread.name == "penstock-run-view":
            thread.join(20)
    printed = capsys.readouterr().out.splitlines()
    news = [line.split(" (")[0].rpartition(">")[2] for line in printed[printed.index(f"Web View: {run.get_portal_url()}") + 1 :]]
    assert news[:-1] == ["second: Running", "first: Completed", "second: Completed"]
    assert news[-1].endswith(f"{run.id}: Completed")
    assert len(asked) == 1


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
