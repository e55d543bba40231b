"""A small shell for notebook cells, for interpreters without IPython.

A cell is Python with a few additions: `%magic`, `%%magic`, `!command`, `name = !command`, `object?`. These become calls of
`get_ipython()`, as in IPython; the rest is compiled as it stands. The value of a last expression is printed.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import inspect
import io
import linecache
import re
import sys
import textwrap
import tokenize
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from penstock.cli.displays import provide_displays
from penstock.cli.drivers import is_interrupt, report
from penstock.cli.magics import AUTOMATIC, Magics
from penstock.cli.notebooks import Recorder, unrecorded

FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

_COMMAND = re.compile(r"^(\s*)!{1,2}(.*)$")
_MAGIC = re.compile(r"^(\s*)%(\w+)[ \t]*(.*)$")
_ASSIGNED_COMMAND = re.compile(r"^(\s*)([^=!]+?)\s*=\s*!(.*)$")
_ASSIGNED_MAGIC = re.compile(r"^(\s*)([^=%]+?)\s*=\s*%(\w+)[ \t]*(.*)$")
_QUESTION = re.compile(r"^(\s*)\?{0,2}([\w.]+)\?{0,2}\s*$")
_AUTOMATIC = re.compile(rf"^(\s*)({'|'.join(AUTOMATIC)})(?:[ \t]+(.*))?$")


class PlainShell:
    """Runs cells in one module's namespace, and prints what they print."""

    def __init__(self, module: ModuleType, name: str, recorder: Recorder) -> None:
        self._namespace = module.__dict__
        self._name = name
        self._recorder = recorder
        self._loop: asyncio.AbstractEventLoop | None = None
        self.magics = Magics(self._namespace, self.run_source)
        self._namespace["get_ipython"] = lambda: self.magics
        self._namespace["display"] = self.display
        provide_displays(self.display)

    def run(self, source: str, number: int) -> BaseException | None:
        """Run a cell, print its result or its error; return the error."""
        try:
            self.run_source(source, f"<{self._name} cell {number}>", lambda value: self._show_result(value, number))
        except SystemExit as error:
            return error
        except BaseException as error:
            if is_interrupt(error):
                return KeyboardInterrupt()
            with contextlib.redirect_stderr(unrecorded(sys.stderr)):
                report(error)
            self._recorder.add_error(error)
            return error
        return None

    def run_source(self, source: str, filename: str, show: Callable[[Any], None] | None = None) -> None:
        """Run text that may hold magics; hand the value of its last expression to `show`."""
        text = translate(source)
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        tree = compile(text, filename, "exec", FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
        last = tree.body[-1] if tree.body else None
        if show is None or not isinstance(last, ast.Expr) or is_silenced(text):
            self._execute(compile(tree, filename, "exec", FLAGS, dont_inherit=True))
            return
        self._execute(compile(ast.Module(tree.body[:-1], tree.type_ignores), filename, "exec", FLAGS, dont_inherit=True))
        value = self._execute(compile(ast.Expression(last.value), filename, "eval", FLAGS, dont_inherit=True))
        if value is not None:
            show(value)

    def _execute(self, code: CodeType) -> Any:
        result = eval(code, self._namespace)  # noqa: S307 - the user's own notebook, asked for on the command line
        if not code.co_flags & inspect.CO_COROUTINE:
            return result
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(result)

    def _show_result(self, value: Any, number: int) -> None:
        builtins._ = value  # type: ignore[attr-defined]
        self._recorder.add_result(describe(value), number)
        print(repr(value), file=unrecorded(sys.stdout))

    def display(self, *values: Any, **_: Any) -> None:
        """Show values, as IPython's function of this name does."""
        for value in values:
            self._recorder.add_display(describe(value))
            print(repr(value), file=unrecorded(sys.stdout))


def describe(value: Any) -> dict[str, Any]:
    """Return the forms in which a value can be shown: its text, and HTML where it has that."""
    data: dict[str, Any] = {"text/plain": repr(value)}
    as_html = getattr(value, "_repr_html_", None)
    if callable(as_html) and not isinstance(value, type):
        html = as_html()
        if isinstance(html, str):
            data["text/html"] = html
    return data


def is_silenced(text: str) -> bool:
    """Tell whether a cell ends with a semicolon, which keeps its value from being printed."""
    try:
        tokens = [
            token
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.string.strip() and token.type != tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):
        return False
    return bool(tokens) and tokens[-1].string == ";"


def translate(source: str) -> str:
    """Return the Python that a cell stands for; plain Python is returned as it is."""
    text = source.lstrip("\n")
    if text.lstrip().startswith("%%"):
        head, _, body = text.lstrip().partition("\n")
        name, _, line = head[2:].partition(" ")
        return f"get_ipython().run_cell_magic({name.strip()!r}, {line.strip()!r}, {body!r})\n"
    if text[:1] in (" ", "\t"):
        source = textwrap.dedent(source)
    return source if _is_python(source) else _translate_lines(source.split("\n"))


def _is_python(text: str) -> bool:
    try:
        compile(text, "<cell>", "exec", FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _translate_lines(lines: list[str]) -> str:
    done: list[str] = []
    index = 0
    while index < len(lines):
        line, joined = lines[index], 0
        if _translate_line(line) is not None and not _is_open("\n".join(done)):
            while line.endswith("\\") and index + joined + 1 < len(lines):
                joined += 1
                line = line[:-1] + lines[index + joined]
            line = _translate_line(line) or line
        # Blank lines take the place of joined ones, so that errors name the right line.
        done += [line, *[""] * joined]
        index += joined + 1
    return "\n".join(done)


def _translate_line(line: str) -> str | None:
    """Return a line's Python, or None where it holds none of our additions."""
    if match := _COMMAND.match(line):
        return f"{match[1]}get_ipython().system({match[2].strip()!r})"
    if match := _MAGIC.match(line):
        return f"{match[1]}get_ipython().run_line_magic({match[2]!r}, {match[3].strip()!r})"
    if match := _ASSIGNED_COMMAND.match(line):
        return f"{match[1]}{match[2]} = get_ipython().getoutput({match[3].strip()!r})"
    if match := _ASSIGNED_MAGIC.match(line):
        return f"{match[1]}{match[2]} = get_ipython().run_line_magic({match[3]!r}, {match[4].strip()!r})"
    if "?" in line and (match := _QUESTION.match(line)):
        return f"{match[1]}get_ipython().inspect({match[2]!r})"
    if match := _AUTOMATIC.match(line):
        return f"{match[1]}get_ipython().run_line_magic({match[2]!r}, {(match[3] or '').strip()!r})"
    return None


def _is_open(text: str) -> bool:
    """Tell whether a text ends inside a bracket or a long string, so that what follows is no line of its own."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass
    except tokenize.TokenError as error:
        return "multi-line" in str(error) or "triple-quoted" in str(error)
    except SyntaxError:
        return False
    return False
