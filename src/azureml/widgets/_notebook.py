"""A view in a notebook that can be drawn again in its place."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List, Optional

from azureml.widgets._tree import html, lines


class NotebookView:
    """One place in a notebook, below the cell that asked for it.

    Args:
        notebook: The module IPython.display.
        link: The run's address.
    """

    def __init__(self, notebook: Any, link: str) -> None:
        self._notebook, self._link = notebook, link
        self._display_id = os.urandom(8).hex()
        self._drawn: Optional[Dict[str, str]] = None

    def draw(self, record: Dict[str, Any], steps: List[Dict[str, Any]]) -> None:
        """Show a run and its steps, in place of what was shown before. What has no HTML gets the lines of a terminal."""
        data = {"text/html": html(record, steps, self._link), "text/plain": "\n".join(lines(record, steps, self._link))}
        if data == self._drawn:
            return
        show = self._notebook.display if self._drawn is None else self._notebook.update_display
        show(data, raw=True, display_id=self._display_id)
        self._drawn = data


def find_notebook() -> Any:
    """Return IPython.display when this process serves a notebook, and None elsewhere. Never imports IPython first."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):
        return None
    try:
        from IPython import display
    except ImportError:
        return None
    return display if hasattr(display, "update_display") else None
