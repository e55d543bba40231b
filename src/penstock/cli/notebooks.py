"""Notebooks without Jupyter: cells run in order in this process, and print what they print.

IPython's shell runs the cells where IPython is installed; elsewhere a small shell of our own does (`cells.py`).
"""

from __future__ import annotations

import copy
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TextIO

from penstock.cli.drivers import FAILED, OK, exit_status
from penstock.cli.streams import flush_output
from penstock.model.errors import Invalid

Notebook = dict[str, Any]
Cell = dict[str, Any]

MAY_RAISE, SKIPPED = "raises-exception", "skip-execution"  # Jupyter's own tags


class Shell(Protocol):
    """What runs the source of one cell."""

    def run(self, source: str, number: int) -> BaseException | None:
        """Run a cell, print its result or its error; return the error."""


@dataclass
class Recorder:
    """The outputs of the cell that runs now, as notebook files keep them."""

    outputs: list[dict[str, Any]] = field(default_factory=list)

    def add_text(self, stream: str, text: str) -> None:
        """Add what was written to a stream; neighbouring texts of one stream become one output."""
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last["name"] == stream:
            last["text"] += text
        elif text:
            self.outputs.append({"output_type": "stream", "name": stream, "text": text})

    def add_result(self, data: dict[str, Any], number: int) -> None:
        """Add the value of a cell's last expression."""
        self.outputs.append({"output_type": "execute_result", "execution_count": number, "data": data, "metadata": {}})

    def add_display(self, data: dict[str, Any]) -> None:
        """Add what a cell displayed."""
        self.outputs.append({"output_type": "display_data", "data": data, "metadata": {}})

    def add_error(self, error: BaseException) -> None:
        """Add the error that ended a cell."""
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        self.outputs.append({"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": lines})


class Tee:
    """A text stream that writes through, and records what passes."""

    def __init__(self, stream: TextIO, name: str, recorder: Recorder) -> None:
        self._stream, self._name, self._recorder = stream, name, recorder

    def write(self, text: str) -> int:
        """Write to the stream behind, and record."""
        self._recorder.add_text(self._name, text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def unrecorded(stream: TextIO) -> TextIO:
    """Return the stream behind a recorded one: for what the recorder keeps in another form than text."""
    return getattr(stream, "_stream", stream)


def load_notebook(path: Path) -> Notebook:
    """Return the notebook in a file.

    Raises:
        Invalid: It is not a notebook of format 4, or not one in Python.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise Invalid(f"{path.name} is not a notebook: {error}.") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        found = notebook.get("nbformat") if isinstance(notebook, dict) else None
        why = f"it has format {found}; save it with a present Jupyter" if found else "it has no cells"
        raise Invalid(f"{path.name} is not a notebook of format 4: {why}.")
    language = (notebook.get("metadata") or {}).get("kernelspec", {}).get("language", "python")
    if language.lower() not in ("python", "python3", "ipython"):
        raise Invalid(f"{path.name} is a notebook in {language}; only Python notebooks run.")
    return notebook


def run_notebook(path: Path, module: ModuleType, target: Path | None) -> int:
    """Run the code cells of a notebook in order, up to the first that fails; return the exit status.

    Args:
        path: The notebook; it is only read.
        module: The namespace of the cells.
        target: Where the executed notebook is written, also after a failure.
    """
    notebook = load_notebook(path)
    recorder = Recorder()
    shell = choose_shell(module, path.name, recorder)
    executed = copy.deepcopy(notebook)
    try:
        with _recording(recorder) if target else _plain():
            return _run_cells(executed, shell, recorder, path.name)
    finally:
        if target:
            _save(executed, target)


def choose_shell(module: ModuleType, name: str, recorder: Recorder) -> Shell:
    """Return IPython's shell where IPython is installed, or else our own."""
    try:
        from penstock.cli.ipython import IPythonShell
    except ImportError:
        from penstock.cli.cells import PlainShell

        return PlainShell(module, name, recorder)
    return IPythonShell(module, recorder)


@contextmanager
def _plain() -> Iterator[None]:
    yield


@contextmanager
def _recording(recorder: Recorder) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout = Tee(sys.stdout, "stdout", recorder)
    sys.stderr = Tee(sys.stderr, "stderr", recorder)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _run_cells(notebook: Notebook, shell: Shell, recorder: Recorder, name: str) -> int:
    cells = [cell for cell in notebook["cells"] if cell.get("cell_type") == "code" and _source(cell).strip()]
    for number, cell in enumerate(cells, 1):
        if SKIPPED in _tags(cell):
            continue
        recorder.outputs = cell["outputs"] = []
        cell["execution_count"] = number
        error = shell.run(_source(cell), number)
        flush_output()
        if isinstance(error, SystemExit):
            return exit_status(error)
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is not None and MAY_RAISE not in _tags(cell):
            print(f"{name}: code cell {number} of {len(cells)} failed; the cells after it did not run.", file=sys.__stderr__)
            return FAILED
    return OK


def _source(cell: Cell) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _tags(cell: Cell) -> list[str]:
    return list((cell.get("metadata") or {}).get("tags", []))


def _save(notebook: Notebook, target: Path) -> None:
    """Write a notebook whole or not at all."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        partial.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise Invalid(f"The executed notebook can't be written to {target}: {error.strerror}.") from error
