"""Cells by IPython's own shell, for interpreters that have IPython. No kernel, no Jupyter."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from types import ModuleType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from penstock.cli.drivers import is_interrupt
from penstock.cli.notebooks import Recorder, unrecorded
from penstock.cli.streams import flush_output

_recorder = Recorder()  # IPython makes the hooks itself; this is how they find the recorder


class ResultHook(DisplayHook):
    """Prints the value of a last expression without `Out[1]:`, and records all its forms."""

    def write_output_prompt(self) -> None:
        """Print nothing before a value."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Print the text of a value; record every form."""
        _recorder.add_result(_plain_data(format_dict), self.prompt_count)
        print(format_dict.get("text/plain", ""), file=unrecorded(sys.stdout))


class Publisher(DisplayPublisher):
    """Prints what cells display, and records it."""

    def publish(self, data: dict[str, Any], metadata: Any = None, **_: Any) -> None:
        """Print the text of what is displayed; record every form."""
        _recorder.add_display(_plain_data(data))
        print(data.get("text/plain", ""), file=unrecorded(sys.stdout))

    def clear_output(self, wait: bool = False) -> None:
        """Keep what was printed: a log has no screen to clear."""


class CellShell(InteractiveShell):
    """IPython without a terminal: no history file, no windows, errors on standard error."""

    displayhook_class = Type(ResultHook)
    display_pub_class = Type(Publisher)

    def enable_gui(self, gui: Any = None) -> None:
        """Open no window, whatever the cell asks for."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        if is_interrupt(evalue):
            return  # answered in one sentence at the end
        flush_output()
        print(self.InteractiveTB.stb2text(stb), file=unrecorded(sys.stderr))
        _recorder.add_error(evalue)


class IPythonShell:
    """Runs cells in one module's namespace through IPython."""

    def __init__(self, module: ModuleType, recorder: Recorder) -> None:
        global _recorder
        _recorder = recorder
        folder = tempfile.mkdtemp(prefix="penstock-ipython-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "NoColor"
        self._shell = CellShell.instance(user_module=module, user_ns=module.__dict__, ipython_dir=folder, config=config)

    def run(self, source: str, number: int) -> BaseException | None:
        """Run a cell, print its result or its error; return the error."""
        result = self._shell.run_cell(source, store_history=True)
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return KeyboardInterrupt() if is_interrupt(error) else error


def _plain_data(data: dict[str, Any]) -> dict[str, Any]:
    return {kind: value for kind, value in data.items() if isinstance(value, str | dict | list)}
