"""What runs a step's script: `python launcher.py <attempt folder> <script> [argument ...]`, in the working directory.

Where the script is '', the arguments are a command, and the process becomes that. Else it makes the process what `python script.py` would
have made of it, with three differences: v1 left `os`, `sys`, `argparse` and `logging` in a script's globals, and found what a script
in a subfolder imports from the top of the source folder, and public scripts rely on both; and an uncaught exception is also written down
for the run's error.

This file is compiled anew at each start, so it is short and imports nothing that a bare interpreter has not loaded already.
"""

import os
import sys

_FRAMES = 1000  # as many as the interpreter prints of a traceback


def run(attempt: str, name: str, arguments: "list[str]") -> object:
    """Run the script as `__main__`."""
    path = os.path.join(os.getcwd(), name)
    sys.argv = [name, *arguments]
    sys.path[0] = os.path.dirname(path)
    if sys.path[0] != os.getcwd():
        sys.path.insert(1, os.getcwd())
    with open(path, "rb") as file:
        source = file.read()
    main = type(sys)("__main__")
    main.__dict__.update(
        {name: __import__(name) for name in ("os", "sys", "argparse", "logging") if name.encode() in source},
        __file__=path,
        __builtins__=__builtins__,
        __loader__=type(globals()["__loader__"])("__main__", path),
    )
    launcher, sys.modules["__main__"] = sys.modules["__main__"], main
    try:
        write_inputs()
        exec(compile(source, path, "exec"), main.__dict__)  # noqa: S102 - to run the user's script is our job
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            write(attempt, "SystemExit", f"The script called sys.exit({leaving.code!r}).", "")
        raise
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        error.__traceback__ = trace  # without our own frames
        report(attempt, error)
    return launcher  # kept alive until here: these functions are its


def become(attempt: str, command: "list[str]") -> None:
    """Become the process of a command."""
    sys.path.pop(0)  # our own folder
    try:
        write_inputs()
    except Exception as error:
        report(attempt, error)
    try:
        os.execvp(command[0], command)  # noqa: S606 - to run the user's command is our job
    except OSError as error:
        text = f"{error.strerror}: {command[0]}. A command is looked for on the PATH, and by a path like ./name in the source folder."
        write(attempt, "CommandError", text, "")
        print(text, file=sys.stderr)
        sys.exit(127)


def write_inputs() -> None:
    """Write the inputs that are made in this environment."""
    if "PENSTOCK_WRITTEN_INPUTS" in os.environ:
        from penstock.runtime import written

        written.write_inputs()


def report(attempt: str, error: BaseException) -> None:
    """Write the error of an uncaught exception, print its traceback and leave."""
    import traceback

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-_FRAMES))
    try:
        message = getattr(error, "_gist", None) or str(error)  # v1's exceptions have a frame around their message
    except Exception:
        message = "<its str() raised an exception>"
    write(attempt, type(error).__name__, message, text[-20000:])
    sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(1)


def write(attempt: str, kind: str, message: str, trace: str) -> None:
    """Write the error record, in the format of fields.py."""
    fields = ("type", kind), ("message", message), ("traceback", trace)
    text = "\0".join(name + "\0001\0" + value.replace("\0", "") for name, value in fields)
    with open(os.path.join(attempt, "error"), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


if sys.argv[2]:
    run(sys.argv[1], sys.argv[2], sys.argv[3:])
else:
    become(sys.argv[1], sys.argv[3:])
