"""Finding versions that go together: uv solves, what can't be met gives way (not under `exact`), and the answer is a list of pins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.engine.environments import companions
from penstock.engine.environments.failures import (
    CONFLICT,
    NETWORK,
    NO_SPACE,
    NO_WHEEL,
    NOT_FETCHED,
    NOT_MADE,
    OFFLINE,
    READ_ONLY,
    UNKNOWN,
    Failure,
    Unsolvable,
    list_named,
    read_failure,
)
from penstock.engine.environments.interpreters import Interpreter
from penstock.engine.environments.relaxing import ANY, Line, at_least, describe, find_next, give_way
from penstock.engine.environments.uv import Session
from penstock.engine.environments.versions import fits
from penstock.model.errors import Unavailable
from penstock.model.requirements import Requirement, hide_credentials, normal_name, parse_requirement

MOST_STEPS = 12  # that single requirements give way; then all do at once
# Pythons of v1's years. A release that is ready-made for one of them has compiled parts: making it here would take long and mostly fail.
_OF_V1S_YEARS = ("3.7", "3.8", "3.6", "3.9")
# Options of pip that uv reads from the file of requirements, where credentials are not seen by others.
_IN_FILE = ("--index-url", "--extra-index-url", "--find-links", "--no-index", "--no-binary", "--only-binary")
_ON_COMMAND_LINE = {"--pre": ["--prerelease", "allow"], "--trusted-host": ["--allow-insecure-host"]}


@dataclass
class Puzzle:
    """The requirements of one environment on their way to a solution.

    Attributes:
        session: Runs uv.
        base: The Python that they are for.
        lines: The requirements.
        guessed: Names that are left out when no index knows them.
        options: Options for pip.
        relaxes: Whether requirements may give way.
        made: Names that may be made from source although nothing else may.
        not_made: Names that could not be.
        tools: What packages are made with is held back so.
        held: Conditions that count where they can be had.
        there: Conditions of what is installed already and is to stay.
        notes: What was left out.
    """

    session: Session
    base: Interpreter
    lines: list[Line]
    guessed: frozenset[str]
    options: Sequence[str]
    relaxes: bool
    made: set[str] = field(default_factory=set)
    not_made: set[str] = field(default_factory=set)
    tools: str | None = None
    held: Sequence[str] = ()
    there: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)
    steps: int = 0

    # What uv is called with

    def write(self, name: str, lines: Iterable[str]) -> str:
        """Write a file for uv, readable by nobody else; return its name."""
        path = self.session.folder / name
        options = [option for option in self.options if option.split(" ")[0] in _IN_FILE]
        path.touch(mode=0o600)
        path.write_text("\n".join([*options, *lines]) + "\n", encoding="utf-8")
        return name

    def switches(self) -> list[str]:
        """Return the options for uv's command line: who may be made from source, and what the user asked for."""
        words = [option.split(" ", 1) for option in self.options]
        chosen = [word for name, *value in words if name in _ON_COMMAND_LINE for word in (*_ON_COMMAND_LINE[name], *value)]
        tools = ["--build-constraints", self._write_plain("tools.in", [self.tools])] if self.tools else []
        return [*chosen, *tools, *self.ready_made()]

    def _write_plain(self, name: str, lines: Iterable[str]) -> str:
        (self.session.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    def ready_made(self) -> list[str]:
        """Return the options that keep uv from making packages from source, but for those that have nothing else."""
        if not self.relaxes or any(line.now.name is None and not _is_wheel(line.now) for line in self.lines):
            return []
        sources = {str(line.now.name) for line in self.lines if line.now.url and not _is_wheel(line.now)}
        exceptions = [word for name in sorted(self.made | sources) for word in ("--no-binary", name)]
        return ["--only-binary", ":all:", *exceptions]

    # The way to a solution

    def solve(self) -> list[str]:
        """Return pins that go together, one line each.

        Raises:
            Unsolvable: There are none.
            Unavailable: The disk is full or can't be written.
        """
        while True:
            done, lines = self._compile()
            if done:
                return self._hold_companions(lines)
            self.meet(read_failure(lines))

    def _compile(self, held: Sequence[str] = (), aloud: bool = True) -> tuple[bool, list[str]]:
        if aloud:
            self.session.say(f"Looking for versions of {', '.join(line.now.line() for line in self.lines)}.")
        name = self.write("requirements.in", (line.now.line() for line in self.lines))
        constraints = [*self.there, *held]
        switches = ["--constraints", self._write_plain("constraints.in", constraints)] if constraints else []
        if not self.relaxes:  # what is held back by ourselves is not worth making from source
            switches += [word for hold in held for word in ("--only-binary", str(parse_requirement(hold).name))]
        return self._compile_file(name, *switches, *self.switches(), aloud=aloud)

    def _ask(self, name: str, requirement: Requirement, *options: str) -> str | None:
        """Return the version that uv finds for one requirement by itself, ready-made; None when there is none."""
        self.write(name, [requirement.line()])
        done, lines = self._compile_file(name, "--no-deps", "--only-binary", ":all:", *options, aloud=False)
        return versions_of(lines).get(str(requirement.name)) if done else None

    def _compile_file(self, name: str, *options: str, aloud: bool = True) -> tuple[bool, list[str]]:
        output = self.session.folder / "solution.txt"
        output.unlink(missing_ok=True)
        plain = ["--no-header", "--no-annotate", "--quiet", "--output-file", output.name]
        done, lines = self.session.uv("pip", "compile", "--python", self.base.path, *plain, *options, name, aloud=aloud)
        if done:
            text = output.read_text(encoding="utf-8")
            return True, [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]
        return False, lines

    def _hold_companions(self, pins: list[str]) -> list[str]:
        """Return a solution that also holds back what its old releases could not know of, as far as that can be had."""
        held: list[str] = []
        seen: set[str] = set()
        while more := [hold for hold in companions.list_holds(versions_of(pins), self.held) if hold not in seen]:
            seen.add(more[0])
            done, lines = self._compile([*held, more[0]], aloud=False)
            self.session.say(f"{more[0]}, as later releases break what was made before them{'' if done else ': that can not be had'}.")
            if done:
                held.append(more[0])
                pins = lines
        return pins

    def meet(self, failure: Failure) -> None:
        """Change what stands in the way, so that the next try goes further.

        Raises:
            Unsolvable: Nothing can be changed.
            Unavailable: The disk is full or can't be written.
        """
        if failure.meaning in (NO_SPACE, READ_ONLY):
            raise no_room(failure, self.session.folder)
        if self.there and failure.meaning == CONFLICT:
            self.session.say("That does not go with what conda installed, which may be replaced.")
            self.there = ()
        elif failure.meaning == NETWORK and not self.session.offline:
            self.session.say("The package index can't be reached. Trying again with what is in uv's cache.")
            self.session.offline = True
        elif failure.meaning == UNKNOWN and failure.name in self.guessed and self.relaxes:
            self._leave_out(str(failure.name))
        elif failure.meaning == NO_WHEEL and self.relaxes and self._may_be_made(failure):
            self.session.say(f"'{failure.name}' is plain source, and may be made here.")
            self.made.add(str(failure.name))
        elif failure.meaning == NOT_MADE and (tools := _older_tools(failure)) and tools != self.tools:
            self.session.say(f"It is older than its tools; so once more with {tools}.")
            self.tools = tools
        elif failure.meaning == NOT_MADE:
            self.made.discard(str(failure.name))
            self.not_made.add(str(failure.name))
            self._relax_or_give_up(failure)
        else:
            self._relax_or_give_up(failure)

    def _relax_or_give_up(self, failure: Failure) -> None:
        if not self.relaxes or failure.meaning not in (NO_WHEEL, CONFLICT, NOT_MADE) or not self._relax(failure):
            raise Unsolvable(self._explain(failure))

    def _leave_out(self, name: str) -> None:
        self.lines = [line for line in self.lines if line.asked.name != name]
        self.notes.append(f"The conda package '{name}' is left out: no package index knows it.")

    def _may_be_made(self, failure: Failure) -> bool:
        """Tell whether a package without ready-made files has none for any Python: then it is plain source, which pip would make."""
        if failure.name is None or failure.name in self.made | self.not_made:
            return False
        line = next((line for line in self.lines if line.asked.name == failure.name), None)
        wanted = line.now if line else parse_requirement(failure.name + failure.versions)
        return not any(self._ask("elsewhere.in", wanted, "--python-version", python) for python in _OF_V1S_YEARS)

    def _relax(self, failure: Failure) -> bool:
        """Let one requirement give way, or all when that took too long; False when none can."""
        self.steps += 1
        line = next((line for line in self.lines if line.asked.name == failure.name), None)
        if failure.meaning == NOT_MADE and line and not (line.can_give_way and self._find_nearest(line)):
            return False  # no other version of it is ready-made
        named = [*([failure.name] if failure.name else []), *list_named(failure.words)]
        line = find_next(self.lines, named) if self.steps < MOST_STEPS else None
        if line is None:
            return self._relax_all()
        further = self._give_way(line)
        self.session.say(f"{failure.reason[:300]} So '{line.now.line()}' gives way to '{further.now.line()}'.")
        self.lines[self.lines.index(line)] = further
        return True

    def _give_way(self, line: Line) -> Line:
        further = give_way(line, self._find_nearest(line))
        while further.now.conditions == line.now.conditions and further.stage < ANY:  # it asks for the same in other words
            further = give_way(further, None)
        return further

    def _find_nearest(self, line: Line) -> str | None:
        """Return the first version, from the one asked for on, that is ready-made for this Python."""
        return self._ask("nearest.in", at_least(line.asked), "--resolution", "lowest")

    def _relax_all(self) -> bool:
        if not any(line.can_give_way for line in self.lines):
            return False
        self.session.say("All requirements give way to any version.")
        while any(line.can_give_way for line in self.lines):
            self.lines = [give_way(line, None) if line.can_give_way else line for line in self.lines]
        return True

    def _explain(self, failure: Failure) -> str:
        if failure.meaning == UNKNOWN:
            return (
                f"no package index knows '{failure.name}'. Is the name right? Where it comes from another index, name that with "
                "pip's settings (--extra-index-url, PIP_EXTRA_INDEX_URL)."
            )
        if failure.meaning == NOT_FETCHED:
            return f"{self._places(failure)} can't be fetched: {failure.reason}"
        if failure.meaning in (NETWORK, OFFLINE):
            lacking = f" ('{failure.name}' is not in the cache)" if failure.name else ""
            return f"the package index can't be reached, and uv's cache does not have all that is asked for{lacking}. {failure.reason}"
        if not self.relaxes:
            return (
                f"{self._made_where(failure)}{failure.reason} The policy 'exact' relaxes nothing; the environment policy 'compatible' "
                "(PENSTOCK_ENVIRONMENT_POLICY) lets what can't be met give way."
            )
        return f"{self._made_where(failure)}{failure.reason}"

    def _made_where(self, failure: Failure) -> str:
        if failure.meaning != NOT_MADE:
            return ""
        return f"'{failure.name}{failure.versions}' has to be made from its source for Python {self.base.number}, and that fails: "

    def _places(self, failure: Failure) -> str:
        places = [hide_credentials(str(line.asked.url)) for line in self.lines if line.asked.url]
        named = [place for place in places if place.split("+")[-1].split("#")[0] in failure.words]
        return " or ".join(f"'{place}'" for place in named or places) or "an address"

    def describe_changes(self, pins: Iterable[str]) -> tuple[str, ...]:
        """Return what the run says of all that gave way or was left out."""
        versions = versions_of(pins)
        relaxed = [line for line in self.lines if line.stage and not _is_met(line.asked, versions)]
        return (*self.notes, *(describe(line, versions.get(str(line.asked.name)), self.base.number) for line in relaxed))


def _is_met(asked: Requirement, versions: Mapping[str, str]) -> bool:
    """Tell whether a requirement that gave way is met nevertheless."""
    return asked.name in versions and fits(versions[str(asked.name)], asked.condition) is True


def _older_tools(failure: Failure) -> str | None:
    """Return what to hold back so that a package can be made whose setup is older than its tools."""
    if "use_2to3" in failure.words:
        return "setuptools<58"
    return "setuptools<81" if "pkg_resources" in failure.words else None


def _is_wheel(requirement: Requirement) -> bool:
    return bool(requirement.url) and str(requirement.url).split("#")[0].split("?")[0].endswith(".whl")


def versions_of(pins: Iterable[str]) -> dict[str, str]:
    """Return the versions of a solution by name; those of addresses are not in it."""
    parsed = (parse_requirement(pin) for pin in pins)
    return {normal_name(one.name): one.conditions[0][1] for one in parsed if one.name and one.conditions}


def no_room(failure: Failure, folder: Path) -> Unavailable:
    """Return the error for a disk that takes nothing."""
    reason = "the disk is full" if failure.meaning == NO_SPACE else "it can't be written"
    return Unavailable(
        f"The environment can't be built in {folder}: {reason}. Make room ('penstock environments clean' removes built ones; uv's cache "
        "is shown by 'uv cache dir'), or set PENSTOCK_HOME to another place."
    )
