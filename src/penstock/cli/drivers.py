"""`penstock run`: a user's script or notebook, as `python script.py` in its own folder would run it.

The script runs in this process, as its `__main__`. So a traceback ends where the user's file begins, and an interrupt is
answered with what happens to the runs that were submitted.
"""

from __future__ import annotations

import difflib
import io
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from penstock.cli.installation import check_installation
from penstock.cli.streams import flush_output
from penstock.model.errors import Invalid, NotFound, PenstockError

OK, FAILED, INTERRUPTED = 0, 1, 130


def run_driver(file: str, arguments: list[str], save_outputs: str | None = None) -> int:
    """Run a v1 script or notebook in its folder; return its exit status.

    Args:
        file: The .py or .ipynb file.
        arguments: What it finds in `sys.argv[1:]`.
        save_outputs: Where the executed notebook is written.

    Raises:
        NotFound: There is no such file.
        Invalid: It is neither a script nor a notebook.
        Refused: The package `azureml` is not Penstock's.
    """
    path = find_file(file)
    check_installation()
    is_notebook = path.suffix == ".ipynb"
    if save_outputs and not is_notebook:
        raise Invalid(f"--save-outputs is for notebooks; {path.name} is a script.")
    target = Path(save_outputs).absolute() if save_outputs else None
    if target and target.exists() and target.samefile(path):
        raise Invalid(f"--save-outputs must name another file than {path.name}, which stays as it is.")
    began = datetime.now().astimezone()
    module = become_main(path, arguments)
    try:
        return _run_notebook(path, module, target) if is_notebook else _run_script(path, module)
    except KeyboardInterrupt:
        print(f"\n{say_interrupted(began)}", file=sys.stderr)
        return INTERRUPTED


def find_file(file: str) -> Path:
    """Return the absolute path of the file to run.

    Raises:
        NotFound: There is no such file; the message names the nearest one.
        Invalid: It is neither a script nor a notebook.
    """
    path = Path(file).absolute()
    if path.is_dir():
        raise Invalid(f"{file} is a folder. Name the script or notebook in it.")
    if not path.is_file():
        beside = [item.name for item in path.parent.iterdir() if item.suffix in (".py", ".ipynb")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1)
        raise NotFound(f"There is no file {file}.{f' Did you mean {Path(file).with_name(near[0])}?' if near else ''}")
    if path.suffix not in (".py", ".ipynb"):
        raise Invalid(f"{file} is neither a script (.py) nor a notebook (.ipynb).")
    return path


def become_main(path: Path, arguments: list[str]) -> ModuleType:
    """Make this process look as after `cd folder; python file arguments`; return the module that is `__main__` from now on.

    Nothing is put back: the process belongs to the user's program until it ends, its exit handlers and threads included.
    """
    module = ModuleType("__main__")
    module.__dict__.update(__file__=str(path), __builtins__=__builtins__, __cached__=None)
    os.chdir(path.parent)
    sys.argv = [path.name, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = str(path.parent)  # was: where this command lies
    sys.modules["__main__"] = module
    return module


def _run_script(path: Path, module: ModuleType) -> int:
    try:
        with io.open_code(str(path)) as file:
            code = compile(file.read(), str(path), "exec", dont_inherit=True)
        return execute(code, module)
    except SyntaxError as error:
        return report(error)


def execute(code: CodeType, module: ModuleType) -> int:
    """Run code as `python` would run a main program; return its exit status."""
    try:
        exec(code, module.__dict__)  # noqa: S102 - the user's own program, asked for on the command line
        return OK
    except SystemExit as error:
        return exit_status(error)
    except BaseException as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        return report(error)


def is_interrupt(error: BaseException | None) -> bool:
    """Tell whether an interrupt is behind an error. v1's waiting calls turn one into an exception of their own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def exit_status(error: SystemExit) -> int:
    """Return the status that `sys.exit` asked for; a text is printed and means failure."""
    if error.code is None or isinstance(error.code, int):
        return error.code or OK
    print(error.code, file=sys.stderr)
    return FAILED


def report(error: BaseException) -> int:
    """Print an error of the user's program from where that program begins; return the status of a failure."""
    flush_output()
    trace = strip_own_frames(error.__traceback__)
    if sys.excepthook is sys.__excepthook__:
        # Not by the hook itself: it reads lines from files only, and cells of notebooks are not in files.
        traceback.print_exception(type(error), error, trace)
    else:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    return FAILED


def strip_own_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins in the user's code."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(own):
        trace = trace.tb_next
    return trace


def _run_notebook(path: Path, module: ModuleType, target: Path | None) -> int:
    from penstock.cli.notebooks import run_notebook

    return run_notebook(path, module, target)


def say_interrupted(began: datetime) -> str:
    """Return what an interrupt left behind: which runs go on, and how to end them."""
    try:
        left = _list_active_runs(began)
    except (PenstockError, OSError):
        left = []
    if not left:
        return "Interrupted."
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    return f"Interrupted; run {left[0]} goes on{more} ('penstock cancel {left[0]}' ends it, 'penstock logs {left[0]} --follow' watches it)."


def _list_active_runs(began: datetime) -> list[str]:
    if "penstock.client" not in sys.modules:
        return []  # the script never asked for anything
    from penstock.cli.tables import parse_time
    from penstock.client import connect
    from penstock.model import status

    runs = connect().list_runs(limit=20)
    return [run["id"] for run in runs if not status.is_final(run["status"]) and (parse_time(run["created_at"]) or began) >= began]
