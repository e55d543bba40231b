"""The view of one run."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Optional

from azureml.widgets._notebook import NotebookView, find_notebook
from azureml.widgets._tree import advance, lines, steps_of
from penstock.model.status import NOT_STARTED, is_final

_LOGGER = logging.getLogger("penstock")


class RunDetails:
    """A view of a run; `show()` never keeps the script waiting.

    Args:
        run_instance: Any run.
    """

    def __init__(self, run_instance: Any) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Optional[Dict[str, Any]] = None) -> None:
        """Show the run and return at once.

        A terminal gets the step tree, then a line for each step that moves on, for as long as the script lives. A notebook
        gets a table that follows the run to its end. Other places get the step tree once.

        Args:
            render_lib: Accepted and ignored, as in v1.
            widget_settings: Accepted and ignored, as in v1.
        """
        try:
            self._show()
        except Exception as error:  # a view must never stop the script that asked for it
            _LOGGER.warning("The view of run %s is not shown: %s", self._run.id, error)

    def _show(self) -> None:
        record = self._run._refresh()
        steps = steps_of(self._run)
        notebook = find_notebook()
        if notebook is not None:
            view = NotebookView(notebook, self._run.get_portal_url())
            view.draw(record, steps)
            watch: Callable[[List[Dict[str, Any]]], None] = partial(self._redraw, view)
        else:
            for line in lines(record, steps, self._run.get_portal_url()):
                print(line)
            sys.stdout.flush()
            watch = self._print_news
        if (notebook is not None or sys.stdout.isatty()) and not is_final(record["status"]):
            self._start(watch, [record, *steps])

    def _start(self, watch: Callable[[List[Dict[str, Any]]], None], shown: List[Dict[str, Any]]) -> None:
        """Let a view follow the run beside the script."""
        import threading

        def follow_quietly() -> None:
            try:
                watch(shown)
            except Exception as error:
                _LOGGER.debug("The view of run %s ended: %s", self._run.id, error)

        threading.Thread(target=follow_quietly, name="penstock-run-view", daemon=True).start()

    def _print_news(self, shown: List[Dict[str, Any]]) -> None:
        """Print what moves on. Whole lines only, so that they mix with what the script prints."""
        from azureml.core._follow import follow

        known = _by_id(shown)

        def tell(event: Dict[str, Any]) -> None:
            line = self._advance(known, event)
            if line:
                print(line, flush=True)

        follow(self._run._client, self._run.id, on_event=tell)

    def _redraw(self, view: NotebookView, shown: List[Dict[str, Any]]) -> None:
        """Draw the view again whenever something moved on, and once more at the end, from what is stored then."""
        from azureml.core._follow import follow

        known = _by_id(shown)

        def see(event: Dict[str, Any]) -> None:
            self._advance(known, event)

        def draw(record: Dict[str, Any]) -> None:
            view.draw(record, [step for run_id, step in known.items() if step and run_id != self._run.id])

        record = follow(self._run._client, self._run.id, on_event=see, on_round=draw)
        view.draw(record, steps_of(self._run))

    def _advance(self, known: Dict[str, Optional[Dict[str, Any]]], event: Dict[str, Any]) -> Optional[str]:
        """Bring what is known up to an event; return the line that tells of it, if any."""
        run_id = event["run_id"]
        if run_id not in known:
            known[run_id] = self._find_child(run_id)
        record = known[run_id]
        return advance(record, event) if record else None

    def _find_child(self, run_id: str) -> Optional[Dict[str, Any]]:
        """Return a run that was made meanwhile, as new; None when it does not lie directly below this one."""
        record: Dict[str, Any] = self._run._client.get_run(run_id)
        return {**record, "status": NOT_STARTED} if record["parent_run_id"] == self._run.id else None

    def get_widget_data(self) -> Dict[str, Any]:
        """Return what the view shows, as plain values."""
        record = self._run._refresh()
        return {
            "status": record["status"],
            "workbench_run_details_uri": self._run.get_portal_url(),
            "run_id": record["id"],
            "run_properties": {
                "run_id": record["id"],
                "created_utc": record.get("created_at"),
                "start_time_utc": record.get("started_at"),
                "end_time_utc": record.get("ended_at"),
                "status": record["status"],
                "properties": dict(record.get("properties") or {}),
                "tags": dict(record.get("tags") or {}),
            },
            "child_runs": [
                {
                    "run_id": step["id"],
                    "name": step["name"],
                    "status": step["status"],
                    "start_time": step.get("started_at"),
                    "end_time": step.get("ended_at"),
                    "is_reused": "Yes" if step.get("reused") else "",
                }
                for step in steps_of(self._run)
            ],
            "run_metrics": self._run.get_metrics(),
            "loading": False,
        }


def _by_id(shown: Iterable[Dict[str, Any]]) -> Dict[str, Optional[Dict[str, Any]]]:
    return {record["id"]: record for record in shown}
