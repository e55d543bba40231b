"""Environments on their way to steps: chosen at once, built aside, one build for all who ask for the same."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.compile.fingerprints import digest
from penstock.engine.aside import Aside, Check, GaveUp, NotWanted
from penstock.engine.environments import BUILD, IN_IMAGE, Built, Choice, build, choose, containers, find
from penstock.engine.environments.containers import Image
from penstock.engine.environments.interpreters import modified_at
from penstock.model.errors import NotFound, PenstockError, Unavailable
from penstock.model.graph import StepNode
from penstock.model.requirements import Wanted, parse_environment
from penstock.operations import environment_builds as rows
from penstock.operations import environment_requests, waiting
from penstock.operations.context import Context
from penstock.persistence.database import Row
from penstock.storage.built import remove_unfinished

if TYPE_CHECKING:
    from penstock.engine.orders import Pipeline, ReadyStep

log = logging.getLogger("penstock.engine")

THREADS = 2  # builds wait for networks and disks; more of them at once end no sooner
_KEPT = 512
_STOPPED = "The service was stopped meanwhile; who still waits for it has it built again."
_UNWANTED = "Stopped, as nobody waits for it any more."
_SECONDS_TO_STOP = 5.0  # a build's processes get some of them to end by themselves
# What a failed build says in its step's message; compilers say much, and the log has it all.
_LAST_LINES = 12
_LONGEST_LINE = 200
_LONGEST_REASON = 1500


class Choices:
    """Which Python each step runs on. The answer for one environment stays the same while its pipeline run lasts; threads may ask."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: OrderedDict[tuple[str, ...], Choice] = OrderedDict()
        self._last: tuple[Mapping[str, Any], str] = ({}, "")
        self._choosing = threading.Lock()  # one at a time: the first finds the interpreters of this machine for all others
        self._keeping = threading.Lock()

    def of_step(self, node: StepNode, pipeline_run_id: str, interpreter: str) -> Choice:
        """Return what a step runs on.

        Raises:
            NotFound: The interpreter that submitted it is gone.
            PenstockError: The policy does not allow what can be had here; the message names the requirement and the setting.
        """
        return self.of(_definition(node), pipeline_run_id, interpreter)

    def takes_time(self, node: StepNode, pipeline_run_id: str, interpreter: str) -> bool:
        """Tell whether `of_step` may have to look for interpreters."""
        definition = _definition(node)
        if not definition or self._context.settings.environment_policy == "current":
            return False
        try:
            return self._key(definition, pipeline_run_id, interpreter) not in self._known and not parse_environment(definition).is_default
        except PenstockError:  # `of_step` says it
            return False

    def of(self, definition: Mapping[str, Any], asker: str, interpreter: str) -> Choice:
        """Return what an environment means for a pipeline run, or for whoever else asks."""
        key = self._key(definition, asker, interpreter)
        return self._find(key) or self._choose(key, definition, interpreter)

    def _find(self, key: tuple[str, ...]) -> Choice | None:
        with self._keeping:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _choose(self, key: tuple[str, ...], definition: Mapping[str, Any], interpreter: str) -> Choice:
        wanted = parse_environment(definition)
        with contextlib.nullcontext() if wanted.is_default else self._choosing:
            choice = self._find(key) or self._decide(definition, wanted, interpreter)
        with self._keeping:
            self._known[key] = choice
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return choice

    def _decide(self, definition: Mapping[str, Any], wanted: Wanted, interpreter: str) -> Choice:
        settings = self._context.settings
        is_current = settings.environment_policy == "current"
        image = containers.read_image(definition, wanted.image) if settings.container_engine and not is_current else None
        if image is not None:
            return self._decide_in(image, wanted, interpreter)
        choice = choose(wanted, settings.environment_policy, interpreter, self._context.home)
        if wanted.image is None or is_current:
            return choice
        reason = "its docker.enabled is not set" if settings.container_engine else "steps run without containers here"
        return replace(choice, notes=(*choice.notes, f"The image '{wanted.image}' is not used: {reason}, on {choice.python}."))

    def _decide_in(self, image: Image, wanted: Wanted, interpreter: str) -> Choice:
        """Return what steps run on in a container: the image's own Python where its user sees to packages, else one from here."""
        settings = self._context.settings
        containers.find_engine(settings.container_engine)
        if wanted.is_user_managed:
            python = wanted.interpreter_path or "python"
            return Choice(IN_IMAGE, python, python, image=image)
        choice = choose(wanted, settings.environment_policy, interpreter, self._context.home)
        made_from = choice.plan.base if choice.plan and not choice.plan.engine else choice.interpreter
        if made_from is not None:  # what conda makes lies in its own folder
            containers.list_folders(made_from)
        return replace(choice, image=image)

    def _key(self, definition: Mapping[str, Any], asker: str, interpreter: str) -> tuple[str, ...]:
        last = self._last
        if last[0] != definition:  # most steps have the environment of the one before: comparing is quicker than hashing
            last = self._last = (definition, digest(definition))
        return asker, interpreter, _modified(interpreter), last[1]


def _definition(node: StepNode) -> Mapping[str, Any]:
    return containers.with_docker(node.run_config.get("environment") or {}, node.run_config.get("docker") or {})


def _modified(interpreter: str) -> str:
    try:
        return str(modified_at(interpreter))
    except NotFound as error:
        raise NotFound(f"{error.message} It submitted this run; submit again from an environment that is there.") from error


@dataclass(frozen=True)
class Place:
    """Where a step runs: an interpreter, and what there is to say about it."""

    interpreter: str
    key: str | None = None  # of a built environment
    warnings: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """The variables by which tools know a virtual environment."""
        return {"VIRTUAL_ENV": os.path.dirname(os.path.dirname(self.interpreter))} if self.key else {}


@dataclass
class _Wanted:
    """The builds that somebody waits for, and those that pipeline runs will need."""

    by_steps: set[str] = field(default_factory=set)
    by_requests: set[str] = field(default_factory=set)
    ahead: dict[str, set[str]] = field(default_factory=dict)  # pipeline run -> keys

    def keys(self) -> set[str]:
        return self.by_steps.union(self.by_requests, *self.ahead.values())


class Preparing:
    """Has environments built, and knows which steps wait for them. All of it can be found out again from the rows."""

    def __init__(self, context: Context, choices: Choices, wake: Callable[[], None]) -> None:
        self._context = context
        self._choices = choices
        self._aside: Aside[Built] = Aside("building", THREADS, wake, fresh_seconds=float("inf"))
        self._choosing: Aside[Choice] = Aside("choosing", 1, wake)  # for requests; it may mean to look for interpreters
        self._wanted = _Wanted()
        self._chosen: dict[str, Choice] = {}  # request -> what it means
        self._foreseen: OrderedDict[str, None] = OrderedDict()
        self._is_open = False
        self._is_closing = False

    def close(self) -> None:
        """End the builds that go on, with their processes: the next service begins them again."""
        self._is_closing = True
        self._aside.forget_others(set())
        until = time.monotonic() + _SECONDS_TO_STOP
        while self._aside.under_way() and time.monotonic() < until:
            time.sleep(0.02)

    @property
    def is_busy(self) -> bool:
        """Whether something is being built, or steps wait for it."""
        return bool(self._wanted.by_steps or self._wanted.by_requests or self._aside.pending())

    # Steps

    def place(self, step: ReadyStep) -> Place | None:
        """Return where a step runs; None while its environment is not there."""
        choice = step.choice
        if choice.kind != BUILD:
            return Place(choice.interpreter or step.pipeline.interpreter, warnings=choice.notes)
        assert choice.key is not None
        built = find(self._context.home, choice.key)
        return Place(built.interpreter, choice.key, (*choice.notes, *built.notes)) if built else None

    def hold(self, step: ReadyStep) -> bool:
        """Let a step whose environment is not there wait for it, and have it built; return False for a step that can run."""
        if step.choice.kind != BUILD or self.place(step) is not None:
            return False
        choice, name = step.choice, _name(step.node)
        assert choice.key is not None
        if waiting.hold(self._context, step.row["id"], choice.key, f"Its environment '{name}' is being built on {choice.python}."):
            self._wanted.by_steps.add(choice.key)
            self._begin(choice)
        return True

    def foresee(self, pipeline: Pipeline, fail: Callable[[Row, Exception], None]) -> None:
        """Begin to build what later steps of a pipeline run will need, and fail those that can't have it before anything runs."""
        run_id = pipeline.run["id"]
        if run_id in self._foreseen or self._context.settings.environment_policy == "current":
            return
        self._foreseen[run_id] = None
        while len(self._foreseen) > _KEPT:
            self._foreseen.popitem(last=False)
        for definition, node_ids in _group(pipeline.steps.values()):
            try:
                self._build_ahead(self._choices.of(definition, run_id, pipeline.interpreter), run_id)
            except PenstockError as error:
                for row in waiting.list_not_started(self._context, run_id, node_ids):
                    fail(row, error)

    def _build_ahead(self, choice: Choice, run_id: str) -> None:
        if choice.key is not None and find(self._context.home, choice.key) is None:
            self._wanted.ahead.setdefault(run_id, set()).add(choice.key)
            self._begin(choice)

    # Builds

    def _begin(self, choice: Choice) -> None:
        assert choice.key is not None
        self._aside.forget_others(self._wanted.keys())
        if choice.key in self._aside.pending():
            return
        rows.record_wanted(self._context, choice.key, choice.specification)
        log.info("environment.wanted key=%s python=%s", choice.key[:12], choice.python)
        self._aside.begin(choice.key, partial(self._build, choice))

    def _build(self, choice: Choice, check: Check) -> Built:
        assert choice.key is not None
        rows.record_started(self._context, choice.key)
        try:
            built = build(self._context.home, choice, self._context.settings.environment_policy, check)
        except NotWanted:
            rows.record_failed(self._context, choice.key, _STOPPED if self._is_closing else _UNWANTED)
            raise
        except Unavailable as error:  # it is tried again
            rows.record_held_up(self._context, choice.key, error.message)
            raise
        except Exception as error:
            rows.record_failed(self._context, choice.key, str(error))
            raise
        rows.record_built(self._context, choice.key, built.interpreter, (*choice.notes, *built.notes))
        log.info("environment.built key=%s interpreter=%s", choice.key[:12], built.interpreter)
        return built

    # Turns

    def turn(self, thorough: bool, fail: Callable[[Row, Exception], None]) -> None:
        """Queue the steps whose environment is there, fail those that can't have one, and answer requests."""
        requests = environment_requests.list_open_requests(self._context)
        if not (thorough or requests or self.is_busy):
            return
        self._open()
        held = waiting.list_waiting(self._context)
        self._wanted.by_steps = {row["environment_key"] for row in held}
        if thorough:
            self._forget_ended()
        self._wanted.by_requests = {row["key"] for row in requests if row["key"]}
        self._aside.forget_others(self._wanted.keys())
        ended = self._take_ended()
        if thorough:
            rows.record_unwanted(self._context, self._wanted.keys() | self._aside.under_way())
        self._release(held, ended, fail)
        self._choosing.forget_others({row["id"] for row in requests})
        self._chosen = {row["id"]: self._chosen[row["id"]] for row in requests if row["id"] in self._chosen}
        for row in requests:
            self._answer(row, ended)

    def _open(self) -> None:
        """Clear away what builds left that were killed with the service before this one."""
        if not self._is_open:
            self._is_open = True
            rows.forget_killed(self._context)
            threading.Thread(target=remove_unfinished, args=[self._context.home], name="clearing", daemon=True).start()

    def _forget_ended(self) -> None:
        """Let go of builds for pipeline runs that have ended."""
        if self._wanted.ahead:
            active = waiting.find_active(self._context, self._wanted.ahead)
            self._wanted.ahead = {run_id: keys for run_id, keys in self._wanted.ahead.items() if run_id in active}

    def _take_ended(self) -> dict[str, Exception | None]:
        """Return the builds that have ended, each with its error."""
        ended: dict[str, Exception | None] = {}
        for key in self._aside.done():
            try:
                if self._aside.take(key) is not None:
                    ended[key] = None
            except Unavailable as error:  # it is tried again
                log.warning("environment.held_up key=%s reason=%s", key[:12], error)
            except Exception as error:
                if isinstance(error, GaveUp):
                    rows.record_failed(self._context, key, error.message)
                elif not isinstance(error, (PenstockError, OSError)):
                    log.error("environment.mishap key=%s", key[:12], exc_info=error)
                ended[key] = error
        return ended

    def _release(self, held: list[Row], ended: Mapping[str, Exception | None], fail: Callable[[Row, Exception], None]) -> None:
        pending = self._aside.pending()
        free = []
        for row in held:
            key = row["environment_key"]
            error = ended.get(key)
            if error is not None:
                fail(row, _explain(error, key))
            elif key not in pending:  # built; or begun by a service that was killed: then it begins again
                free.append(row["id"])
        if free:
            waiting.release(self._context, free, "Its environment is there." if ended else "Its environment is looked for again.")

    # Requests

    def _answer(self, row: Row, ended: Mapping[str, Exception | None]) -> None:
        """Answer a person's request for an environment, or have it built."""
        try:
            self._look_at(row, ended)
        except Unavailable as error:
            log.warning("environment.held_up request_id=%s reason=%s", row["id"], error)
        except Exception as error:
            if not isinstance(error, (PenstockError, OSError)):
                log.exception("environment.mishap request_id=%s", row["id"])
            environment_requests.answer_request(self._context, row["id"], error=str(error))

    def _look_at(self, row: Row, ended: Mapping[str, Exception | None]) -> None:
        choice = self._chosen.get(row["id"]) or self._choosing.take(row["id"])
        if choice is None:
            return self._choosing.begin(row["id"], partial(self._choose_for, row))
        self._chosen[row["id"]] = choice
        if choice.key is None:
            place = Place(choice.interpreter or sys.executable, warnings=choice.notes)
        else:
            error, built = ended.get(choice.key), find(self._context.home, choice.key)
            if error is not None:
                raise error
            if built is None:
                return self._build_for(row, choice)
            place = Place(built.interpreter, choice.key, (*choice.notes, *built.notes))
        environment_requests.answer_request(self._context, row["id"], choice.python, place.interpreter, place.key, place.warnings)

    def _choose_for(self, row: Row, check: Check) -> Choice:
        return self._choices.of(json.loads(row["definition"]), row["id"], row["interpreter"] or sys.executable)

    def _build_for(self, row: Row, choice: Choice) -> None:
        assert choice.key is not None
        self._wanted.by_requests.add(choice.key)
        if row["key"] != choice.key:
            environment_requests.note_request(self._context, row["id"], choice.key, choice.python)
        self._begin(choice)


def _group(nodes: Iterable[StepNode]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Return the environments of steps, each with the ids of its steps. Most pipelines have one for all; neighbours are compared."""
    groups: list[tuple[Mapping[str, Any], list[str]]] = []
    for node in nodes:
        definition = _definition(node)
        if not groups or definition != groups[-1][0]:
            groups.append((definition, []))
        groups[-1][1].append(node.id)
    return groups


def _name(node: StepNode) -> str:
    return str(_definition(node).get("name") or "environment")


def _cut(text: str, most: int) -> str:
    """Return a text, or its beginning and its end where it is longer than `most`."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def _explain(error: Exception, key: str) -> Exception:
    """Let the reason of a failed build end with the last lines of its log."""
    if not isinstance(error, PenstockError):
        return error
    reason = _cut(error.message, _LONGEST_REASON)
    lines = [_cut(str(line), _LONGEST_LINE) for line in error.details.get("log") or ()][-_LAST_LINES:]
    tail = "".join(f"\n  {line}" for line in lines)
    said = f"\nThe last lines of the build's log:{tail}" if lines else ""
    return type(error)(f"{reason}{said}\nThe whole log: penstock environments log {key[:12]}", **error.details)
