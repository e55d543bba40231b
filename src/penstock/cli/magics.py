"""The magics that real notebooks use, for interpreters without IPython. Others are refused by name."""

from __future__ import annotations

import codecs
import contextlib
import difflib
import importlib
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Magics that IPython also takes without their percent sign, as far as they are no words of Python.
AUTOMATIC = ("pip", "conda", "cd", "ls", "pwd", "mkdir", "cat")
# They change how a notebook looks or reloads, which means nothing here.
WITHOUT_EFFECT = (
    "autoreload",
    "load_ext",
    "reload_ext",
    "unload_ext",
    "config",
    "precision",
    "automagic",
    "autosave",
    "colors",
    "xmode",
    "pdb",
    "tb",
)
SHOWN_BY_BROWSERS = ("html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG")
SHELLS = ("bash", "sh")


class MagicNotFound(Exception):
    """The cell uses a magic that needs IPython."""


class CapturedOutput:
    """What `%%capture name` caught."""

    def __init__(self, stdout: str, stderr: str) -> None:
        self.stdout, self.stderr = stdout, stderr

    def __str__(self) -> str:
        return self.stdout

    def show(self) -> None:
        """Print what was caught."""
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)


class Magics:
    """What `get_ipython()` gives: line magics, cell magics and commands."""

    def __init__(self, namespace: dict[str, Any], run_source: Callable[[str, str], None]) -> None:
        self.user_ns = namespace
        self._run_source = run_source
        self._line: dict[str, Callable[[str], Any]] = {
            **dict.fromkeys(WITHOUT_EFFECT, lambda line: None),
            **{name: self._as_command(name) for name in ("ls", "mkdir", "cat", "rm", "cp", "mv", "rmdir", "conda")},
            "pip": self._pip,
            "cd": self._cd,
            "pwd": lambda line: os.getcwd(),
            "env": self._env,
            "set_env": self._env,
            "matplotlib": self._matplotlib,
            "pylab": self._matplotlib,
            "time": lambda line: self._time(line, ""),
            "timeit": lambda line: self._timeit(line, ""),
            "run": self._run,
            "system": self.getoutput,
            "sx": self.getoutput,
        }
        self._cell: dict[str, Callable[[str, str], Any]] = {
            **dict.fromkeys(SHOWN_BY_BROWSERS, lambda line, body: None),
            **{name: self._as_shell(name) for name in SHELLS},
            "writefile": self._writefile,
            "file": self._writefile,
            "time": self._time,
            "timeit": self._timeit,
            "capture": self._capture,
            "script": lambda line, body: self._feed(shlex.split(line), body),
        }

    def run_line_magic(self, name: str, line: str, *_: Any) -> Any:
        """Run `%name line`."""
        return self._find(self._line, name, "%")(line if name in ("time", "timeit") else self.expand(line))

    def run_cell_magic(self, name: str, line: str, body: str) -> Any:
        """Run `%%name line` over the rest of the cell."""
        return self._find(self._cell, name, "%%")(self.expand(line), body)

    def magic(self, text: str) -> Any:
        """Run a line magic given as one text, the old way."""
        name, _, line = text.lstrip("%").partition(" ")
        return self.run_line_magic(name, line.strip())

    @staticmethod
    def _find(known: dict[str, Any], name: str, mark: str) -> Any:
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{mark}{near[0]}'?" if near else ""
        raise MagicNotFound(f"There is no magic '{mark}{name}' here.{hint} IPython has more: {sys.executable} -m pip install ipython")

    def expand(self, text: str) -> str:
        """Return a line with `{expression}` and `$name` replaced by their values; unchanged where that can't be done."""
        try:
            filled = re.sub(r"\{([^{}]+)\}", lambda match: str(eval(match[1], self.user_ns)), text)  # noqa: S307 - as in IPython
        except Exception:
            return text
        return re.sub(r"\$(\w+)", lambda match: str(self.user_ns[match[1]]) if match[1] in self.user_ns else match[0], filled)

    def system(self, command: str) -> None:
        """Run a command of the shell; print what it prints."""
        process = subprocess.Popen(
            [_find_shell(), "-c", _with_own_pip(self.expand(command))], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")  # a piece may end in the middle of a letter
        while chunk := process.stdout.read1(65536):  # type: ignore[attr-defined]
            sys.stdout.write(decoder.decode(chunk))
            sys.stdout.flush()
        sys.stdout.write(decoder.decode(b"", final=True))
        self.user_ns["_exit_code"] = process.wait()

    def getoutput(self, command: str) -> list[str]:
        """Run a command of the shell; return the lines that it prints."""
        words = [_find_shell(), "-c", _with_own_pip(self.expand(command))]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.user_ns["_exit_code"] = done.returncode
        return done.stdout.decode(errors="replace").splitlines()

    def inspect(self, name: str) -> None:
        """Print the documentation of what a name stands for."""
        import pydoc

        print(pydoc.plain(pydoc.render_doc(eval(name, self.user_ns))))  # noqa: S307 - a dotted name of the user's cell

    def _as_command(self, name: str) -> Callable[[str], None]:
        return lambda line: self.system(f"{name} {line}")

    def _as_shell(self, name: str) -> Callable[[str, str], None]:
        return lambda line, body: self._feed([name, *shlex.split(line)], body)

    def _feed(self, command: list[str], body: str) -> None:
        done = subprocess.run(command, input=body.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        sys.stdout.write(done.stdout.decode(errors="replace"))
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command)

    def _pip(self, line: str) -> None:
        self.system(f"pip {line}")
        importlib.invalidate_caches()

    def _cd(self, line: str) -> None:
        os.chdir(Path(line.strip("'\"") or "~").expanduser())
        print(os.getcwd())

    def _env(self, line: str) -> Any:
        name, equals, value = line.partition("=") if "=" in line else line.partition(" ")
        if not name.strip():
            return dict(os.environ)
        if not equals:
            return os.environ.get(name.strip(), "")
        os.environ[name.strip()] = value.strip()
        print(f"env: {name.strip()}={value.strip()}")
        return None

    def _matplotlib(self, line: str) -> None:
        # No window may open: nobody would close it.
        os.environ.setdefault("MPLBACKEND", "agg")

    def _time(self, line: str, body: str) -> None:
        began, used = time.perf_counter(), time.process_time()
        self._run_source(body or line, "<timed>")
        print(f"CPU times: {time.process_time() - used:.3g} s\nWall time: {time.perf_counter() - began:.3g} s")

    def _timeit(self, line: str, body: str) -> None:
        setup, statement = (line, body) if body else ("pass", re.sub(r"^(-\w+\s*\d*\s+)*", "", line))
        timer = timeit.Timer(statement, setup or "pass", globals=self.user_ns)
        count, _ = timer.autorange()
        best = min(timer.repeat(3, count)) / count
        print(f"{best:.3g} s per loop (best of 3, {count} loops each)")

    def _run(self, line: str) -> None:
        words = shlex.split(line)
        words = words[next((index for index, word in enumerate(words) if not word.startswith("-")), len(words)) :]
        if words and words[0].endswith(".ipynb"):
            self._run_cells_of(Path(words[0]))
            return
        before, sys.argv = sys.argv, words
        try:
            self.user_ns.update(runpy.run_path(words[0], run_name="__main__"))
        finally:
            sys.argv = before

    def _run_cells_of(self, path: Path) -> None:
        from penstock.cli.notebooks import load_notebook

        for number, cell in enumerate(load_notebook(path)["cells"], 1):
            if cell["cell_type"] == "code":
                self._run_source("".join(cell["source"]), f"<{path.name} cell {number}>")

    def _writefile(self, line: str, body: str) -> None:
        words = shlex.split(line)
        append = words[:1] in (["-a"], ["--append"])
        path = Path(words[-1]).expanduser()
        verb = "Appending to" if append else "Overwriting" if path.exists() else "Writing"
        print(f"{verb} {path}")
        with path.open("a" if append else "w", encoding="utf-8") as file:
            file.write(body)

    def _capture(self, line: str, body: str) -> None:
        names = [word for word in line.split() if not word.startswith("-")]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self._run_source(body, "<captured>")
        if names:
            self.user_ns[names[0]] = CapturedOutput(out.getvalue(), err.getvalue())


def _find_shell() -> str:
    return shutil.which("bash") or "/bin/sh"


def _with_own_pip(command: str) -> str:
    """`!pip` means the pip of the interpreter that runs the notebook, whatever stands first on the PATH."""
    return re.sub(r"^\s*(?:pip3?|python3? -m pip)(?=\s|$)", lambda match: f"{shlex.quote(sys.executable)} -m pip", command)
