"""Building an environment with uv, in the folder of its key: the Python, then what goes together, then the marker that it is complete."""

from __future__ import annotations

import contextlib
import errno
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from penstock.client.home import Home
from penstock.engine.environments import conda
from penstock.engine.environments.choice import Built, Choice, Plan
from penstock.engine.environments.failures import NO_SPACE, READ_ONLY, Unsolvable, build_failed, read_failure
from penstock.engine.environments.installed import list_installed
from penstock.engine.environments.interpreters import Interpreter, describe
from penstock.engine.environments.relaxing import Line
from penstock.engine.environments.solving import Puzzle, no_room
from penstock.engine.environments.store import find
from penstock.engine.environments.uv import Session
from penstock.model.errors import Unavailable
from penstock.model.requirements import parse_requirement
from penstock.storage import built as places

_FULL = {errno.ENOSPC, errno.EDQUOT}


def build(home: Home, choice: Choice, policy: str, check: Callable[[], None]) -> Built:
    """Build what was chosen, unless it is there; whoever else builds it is waited for. Blocks: do it aside.

    Args:
        home: The home folder.
        choice: Of kind 'build'.
        policy: exact: nothing is relaxed. compatible: pins that can't be met on this Python are.
        check: Called about ten times a second; what it raises ends the build and its processes, and is raised again.

    Raises:
        BuildFailed: It can't be built. The message names the requirement and what to change; `details["log"]` has the last lines.
        Unavailable: Not now: the disk is full, the home folder can't be written.
    """
    key, plan = choice.key, choice.plan
    if key is None or plan is None:
        raise ValueError(f"A choice of kind '{choice.kind}' has nothing to build.")
    found = find(home, key)
    if found is not None:
        return found
    with _disk_troubles(home), places.hold_lock(home, key, check) as lock:
        return find(home, key) or _build_alone(home, choice, plan, policy, check, lock)


@contextlib.contextmanager
def _disk_troubles(home: Home) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno in _FULL else error.strerror or str(error)
        raise Unavailable(
            f"The environment can't be built in {home.environments}: {reason}. Mend that, or set PENSTOCK_HOME to another place."
        ) from error


def _build_alone(home: Home, choice: Choice, plan: Plan, policy: str, check: Callable[[], None], lock: IO[str]) -> Built:
    """Build while nobody else does; nothing is left of it but its log when that fails."""
    key, began = str(choice.key), time.monotonic()
    places.clear(home, key)
    folder = places.folder(home, key)
    folder.mkdir(mode=0o700, parents=True)
    try:
        with open(places.log_path(home, key), "w", encoding="utf-8") as log:
            session = Session(folder, log, check, lock)
            pins, notes, interpreter = _build_steps(session, plan, choice, policy)
            seconds = round(time.monotonic() - began, 1)
            session.say(f"Built in {seconds} s.")
        facts = {
            "python": interpreter.text,
            "requirements": pins,
            "notes": notes,
            "specification": choice.specification,
            "built_at": datetime.now(timezone.utc).isoformat(),
            "seconds": seconds,
        }
        places.save_facts(home, key, facts)
    except BaseException:
        places.clear(home, key)
        raise
    built = find(home, key)
    assert built is not None, "it was just written"
    return built


def _build_steps(session: Session, plan: Plan, choice: Choice, policy: str) -> tuple[list[str], list[str], Interpreter]:
    """Make the environment; return what is installed, what gave way, and its Python."""
    name = str((choice.specification or {}).get("name") or "environment")
    try:
        interpreter = conda.create(session, plan) if plan.engine else _create(session, plan)
        puzzle = Puzzle(
            session,
            interpreter,
            [Line(requirement, requirement) for requirement in map(parse_requirement, plan.requirements)],
            plan.guessed,
            plan.options,
            relaxes=policy != "exact",
            held=plan.held,
            there=_conditions_of(interpreter) if plan.engine else (),
        )
        pins = _solve_and_install(session, puzzle) if plan.requirements else []
    except Unsolvable as error:
        session.say(f"It can't be built: {error.reason}")
        raise build_failed(name, error.reason, session.lines) from None
    finally:
        _remove_inputs(session.folder)
    there = [f"{distribution}=={version}" for distribution, (version, _) in list_installed(describe(_python(session))).items()]
    return sorted(there), list(puzzle.describe_changes(pins)), interpreter


def _conditions_of(interpreter: Interpreter) -> list[str]:
    return [f"{name}=={version}" for name, (version, _) in list_installed(interpreter).items()]


def _remove_inputs(folder: Path) -> None:
    """Remove the files that uv read: they may hold credentials."""
    for path in (*folder.glob("*.in"), folder / "solution.txt", folder / "pins.txt"):
        path.unlink(missing_ok=True)


def _python(session: Session) -> str:
    return str(session.folder / "env" / "bin" / "python")


def _create(session: Session, plan: Plan) -> Interpreter:
    """Make an empty environment, and give it the pip that came with its Python: scripts of v1's years call it."""
    done, lines = session.uv("venv", "--quiet", "--no-project", "--python", plan.base, "env")
    if not done:
        raise _unsolvable(lines, session)
    base = describe(plan.base)
    wheels = _bundled_wheels(base)
    if wheels:
        done, _ = session.uv("pip", "install", "--quiet", "--python", _python(session), "--no-deps", *map(str, wheels))
    if not wheels or not done:
        session.say("This Python came without pip, so the environment has none unless it asks for it.")
    return base


def _bundled_wheels(base: Interpreter) -> list[Path]:
    """Return the newest wheel of each package that came with a Python for just this."""
    found: dict[str, Path] = {}
    for path in base.paths:
        wheels = (Path(path) / "ensurepip" / "_bundled").glob("*.whl")
        found.update((wheel.name.partition("-")[0], wheel) for wheel in sorted(wheels, key=_version_of_wheel))
    return list(found.values())


def _version_of_wheel(wheel: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", wheel.name.split("-")[1])]


def _solve_and_install(session: Session, puzzle: Puzzle) -> list[str]:
    """Install what goes together; what can't be made gives way, and it is solved again."""
    while True:
        pins = puzzle.solve()
        name = puzzle.write("pins.txt", pins)
        done, lines = session.uv("pip", "install", "--python", _python(session), "--no-deps", *puzzle.switches(), "--requirement", name)
        if done:
            return pins
        puzzle.meet(read_failure(lines))


def _unsolvable(lines: list[str], session: Session) -> Exception:
    failure = read_failure(lines)
    if failure.meaning in (NO_SPACE, READ_ONLY):
        return no_room(failure, session.folder)
    return Unsolvable(failure.reason)
