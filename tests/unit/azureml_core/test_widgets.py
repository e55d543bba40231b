"""The view of a run: never in the way."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from textwrap import dedent
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
    wait_for_views()
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


class Notebook(ModuleType):
    """IPython.display as far as the view asks it; keeps what was shown, in order."""

    def __init__(self) -> None:
        super().__init__("IPython.display")
        self.shown: List[Any] = []

    def display(self, data: Any, *, raw: bool, display_id: str) -> None:
        self.shown.append(("display", display_id, data))

    def update_display(self, data: Any, *, raw: bool, display_id: str) -> None:
        self.shown.append(("update", display_id, data))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    root, display = ModuleType("IPython"), Notebook()
    root.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    root.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", root)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return display


def wait_for_views() -> None:
    for thread in threading.enumerate():
        if thread.name == "penstock-run-view":
            thread.join(20)


def test_notebook_gets_a_table_that_follows_the_run(experiment: Any, notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    run = experiment.start_logging(outputs=False)
    RunDetails(run).show()
    ((first, place, data),) = notebook.shown[:1]
    assert first == "display"
    assert run.id in data["text/html"]
    run.child_run("prep").complete()
    run.complete()
    wait_for_views()
    assert capsys.readouterr().out == ""
    assert {(how, where) for how, where, _ in notebook.shown[1:]} == {("update", place)}
    last = notebook.shown[-1][2]
    steps = sorted(run.get_children(), key=lambda child: child.id)
    assert "<td>Completed</td>" in last["text/html"]
    assert last["text/plain"].splitlines() == list(
        lines(run._refresh(), [child._refresh() for child in steps], run.get_portal_url()),
    )
    assert all(before != after for (_, _, before), (_, _, after) in zip(notebook.shown, notebook.shown[1:], strict=False))


def test_notebook_view_of_an_ended_run_is_drawn_once(experiment: Any, notebook: Notebook) -> None:
    with experiment.start_logging(outputs=False) as run:
        pass
    RunDetails(run).show()
    wait_for_views()
    assert [how for how, _, _ in notebook.shown] == ["display"]


def test_notebook_that_went_away_stops_nothing(experiment: Any, notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the kernel is gone")

    monkeypatch.setattr(notebook, "update_display", fail)
    run = experiment.start_logging(outputs=False)
    RunDetails(run).show()
    run.complete()
    wait_for_views()
    assert len(notebook.shown) == 1


_CELLS = (
    """
    import threading
    from azureml.core import Experiment, Workspace
    from azureml.widgets import RunDetails
    run = Experiment(Workspace.create("kernel", exist_ok=True, show_output=False), "kernel").start_logging(outputs=False)
    RunDetails(run).show()
    """,
    """
    run.child_run("prep").complete()
    run.complete()
    for thread in threading.enumerate():
        if thread.name == "penstock-run-view":
            thread.join(20)
    """,
)


def test_a_real_kernel_updates_the_cell_that_asked(service_home: Path) -> None:
    pytest.importorskip("ipykernel", reason="a notebook kernel is no part of the tests' environment")
    nbclient = pytest.importorskip("nbclient", reason="what drives a notebook kernel is no part of the tests' environment")
    nbformat = pytest.importorskip("nbformat", reason="what drives a notebook kernel is no part of the tests' environment")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(dedent(cell)) for cell in _CELLS])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    (shown,) = [output for output in book.cells[0].outputs if output.output_type == "display_data"]
    assert "prep" in shown.data["text/html"]
    assert ": Completed" in shown.data["text/plain"].splitlines()[0]


def test_broken_view_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    RunDetails(SimpleNamespace(id="gone")).show()
    assert "gone" in caplog.text
