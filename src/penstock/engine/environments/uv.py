"""Running uv: in a session of its own that holds the environment's lock, its words into the log, ended when nobody waits for it."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO

from penstock.engine.environments.failures import Unsolvable
from penstock.engine.environments.indexes import uv_variables
from penstock.model.requirements import hide_credentials
from penstock.storage.built import note_processes

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 2.0
# What says for which Python, or from where, a person's own uv works.
_NOT_FOR_UV = {
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_SYSTEM_PYTHON"),
    *("UV_PROJECT", "UV_WORKING_DIR", "UV_REQUIRE_HASHES", "UV_CUSTOM_COMPILE_COMMAND"),
}


def find_uv() -> str:
    """Return the path of uv: the one that came with Penstock, else the one on the PATH.

    Raises:
        Unsolvable: There is none.
    """
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    found = beside if os.access(beside, os.X_OK) else _packaged() or shutil.which("uv")
    if found is None:
        raise Unsolvable(
            "environments are built with uv, and it is not on this machine. Install it where Penstock runs ('pip install uv'), or set "
            "the environment policy to 'current' (PENSTOCK_ENVIRONMENT_POLICY) to run steps on the submitting interpreter."
        )
    return found


def _packaged() -> str | None:
    try:
        from uv import find_uv_bin
    except ImportError:
        return None
    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return None


@dataclass
class Session:
    """What the commands of one build share.

    Attributes:
        folder: Where they run.
        log: The file that gets each line they write.
        check: Called now and then; what it raises ends the command.
        lock: The environment's lock, which the commands inherit.
        offline: Whether uv is to ask no network.
        lines: All that was written so far.
    """

    folder: Path
    log: IO[str]
    check: Callable[[], None]
    lock: IO[str]
    offline: bool = False
    lines: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Write lines to the log, credentials hidden."""
        for line in text.splitlines():
            hidden = hide_credentials(line)
            self.lines.append(hidden)
            self.log.write(f"{hidden}\n")
        self.log.flush()

    def uv(self, *arguments: str, aloud: bool = True) -> tuple[bool, list[str]]:
        """Run uv; return whether it succeeded, and the lines it wrote. What it says is logged, unless it was only asked a question."""
        environment = uv_environment()
        switches = ["--offline"] if self.offline else []
        if environment.pop("UV_NO_INDEX", "") and arguments[0] == "pip":  # uv reads no such variable
            switches.append("--no-index")
        return self.run([find_uv(), *arguments, *switches], environment, aloud)

    def run(self, command: Sequence[str], environment: Mapping[str, str], aloud: bool = True) -> tuple[bool, list[str]]:
        """Run a command; return whether it succeeded, and the lines it wrote."""
        self.check()
        lines: list[str] = []
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[self.lock.fileno()],
        )
        try:
            note_processes(self.lock, process.pid)
            for line in chain(self._follow(process), _tell_signal(process)):
                lines.append(hide_credentials(line))
                if aloud:
                    self.say(line)
        except BaseException:
            _end(process)
            raise
        finally:
            _kill_rest(process)
        return process.returncode == 0, lines

    def _follow(self, process: subprocess.Popen[bytes]) -> Iterator[str]:
        """Yield the lines that a command writes, until it ends."""
        assert process.stdout is not None
        rest = b""
        with process.stdout, selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                ready = selector.select(_LOOK_SECONDS)
                self.check()
                if not ready:
                    if process.poll() is not None:  # something that it started and left behind holds its output
                        break
                    continue
                piece = os.read(process.stdout.fileno(), 65536)
                if not piece:
                    break
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in whole)
        if rest:
            yield rest.decode("utf-8", "replace")
        while process.poll() is None:
            self.check()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)


def uv_environment() -> dict[str, str]:
    """Return the variables that uv sees."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_UV}
    quiet = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "GIT_TERMINAL_PROMPT": "0", "UV_PYTHON_DOWNLOADS": "never"}
    return {**inherited, **quiet, **uv_variables()}


def _tell_signal(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield a line for a command that a signal ended: it could not say so itself."""
    if process.returncode is not None and process.returncode < 0:
        yield f"error: it was ended by {signal.Signals(-process.returncode).name}."


def _kill_rest(process: subprocess.Popen[bytes]) -> None:
    """Kill what a command left running when it ended: when uv is killed, what makes a package goes on and holds the lock."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and all that it started: TERM, a grace period, KILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        until = time.monotonic() + _GRACE_SECONDS
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
