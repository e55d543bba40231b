"""The view of one run."""

from __future__ import annotations

import logging
import sys
from typing import Any, Callable, Dict, List, Optional

from azureml.widgets._tree import advance, html, lines, steps_of
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
        gets a table. Other places get the step tree once.

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
        display = _notebook_display()
        if display is not None:
            display(html(record, steps, self._run.get_portal_url()))
            return
        for line in lines(record, steps, self._run.get_portal_url()):
            print(line)
        sys.stdout.flush()
        if sys.stdout.isatty() and not is_final(record["status"]):
            self._watch([record, *steps])

    def _watch(self, shown: List[Dict[str, Any]]) -> None:
        import threading

        watcher = threading.Thread(target=self._print_news, args=(shown,), name="penstock-run-view", daemon=True)
        watcher.start()

    def _print_news(self, shown: List[Dict[str, Any]]) -> None:
        """Runs beside the script. Whole lines only, so that they mix with what the script prints."""
        from azureml.core._follow import follow

        known: Dict[str, Optional[Dict[str, Any]]] = {record["id"]: record for record in shown}

        def tell(event: Dict[str, Any]) -> None:
            run_id = event["run_id"]
            if run_id not in known:
                known[run_id] = self._find_child(run_id)
            record = known[run_id]
            line = advance(record, event) if record else None
            if line:
                print(line, flush=True)

        try:
            follow(self._run._client, self._run.id, on_event=tell)
        except Exception as error:
            _LOGGER.debug("The view of run %s ended: %s", self._run.id, error)

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


def _notebook_display() -> Optional[Callable[[str], None]]:
    """What shows HTML in the notebook that this process serves; None elsewhere. Never imports IPython first."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):
        return None
    try:
        from IPython.display import HTML, display
    except ImportError:
        return None
    return lambda text: display(HTML(text))
