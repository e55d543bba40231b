"""The loop that moves runs on: settle what ended, stop what must stop, reuse or start what is ready."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from penstock.engine.aside import Aside, GaveUp
from penstock.engine.executors import Executor, Handle, Outcome
from penstock.engine.executors.attempts import LOG
from penstock.engine.keys import Keys
from penstock.engine.orders import ReadyStep, StepReader
from penstock.engine.preparing import Place, Preparing
from penstock.engine.publishing import Made, Publishing
from penstock.engine.room import Room
from penstock.engine.staging import Staging
from penstock.model import status as words
from penstock.model.errors import PenstockError
from penstock.model.graph import StepNode
from penstock.model.ids import short_id
from penstock.model.steps import SCRIPT_STEP
from penstock.operations import layout, manifests, reuse, step_data, steps
from penstock.operations.context import Change, Context, format_time
from penstock.operations.datasets import save_within
from penstock.operations.mishaps import is_foreseen, tell, will_pass
from penstock.operations.steps import Ending, Started
from penstock.operations.waiting import note_environment
from penstock.persistence.database import Row

log = logging.getLogger("penstock.engine")

READERS = 4  # threads that read what ready steps depend on
LAID_OUT_AT_ONCE = 8  # runs whose steps get their rows in one turn
MOST_READY = 1_000  # with so many steps in the queue, none of which fits, more would not help
MOST_ATTEMPTS = 20  # a step that could not even begin this often, a sweep between two tries, fails

_NOT_BEGUN = (words.PREPARING, words.STARTING)


class Scheduler:
    """Moves everything that can move. One thread calls `turn`; all it remembers between turns can be read again from the rows."""

    def __init__(self, context: Context, executor: Executor, reader: StepReader, now: Callable[[], datetime] | None = None) -> None:
        wake = context.wake_engine
        self._context = context
        self._executor = executor
        self._reader = reader
        self._now = now or (lambda: datetime.now(timezone.utc))
        self._asked: set[tuple[str, int]] = set()  # attempts that got their TERM
        self._reading: Aside[ReadyStep] = Aside("reading", READERS, wake)
        self._staging = Staging(context, wake)
        self._preparing = Preparing(context, reader.choices, wake)
        self._keys = Keys(reader, wake)
        self._publishing = Publishing(context, wake)
        self._held: set[str] = set()  # steps that are left alone until the next sweep
        self._must_run: set[str] = set()  # ready steps that wait for room; no earlier result was found for them
        self._far: set[str] = set()  # those of them whose inputs must be fetched

    def turn(self, thorough: bool = False) -> bool:
        """Move everything that can move, once; return whether anything is still under way or waits.

        A step with which something is wrong fails; it never keeps the others from moving.

        `thorough` also looks for processes that died without a word; the first turn of a service is thorough.
        """
        if thorough:
            self._held.clear()
        under_way = self._settle_ended(thorough)
        self._stop_late(under_way)
        self._stop_cancelled(under_way)
        self._preparing.turn(thorough, self._fail)
        waiting = self._decide_ready()
        if thorough:
            self._close_pipelines()
        return bool(under_way or waiting or self._preparing.is_busy)

    def close(self) -> None:
        """End what would be of no use to the next service: builds, which begin again. Steps go on."""
        self._preparing.close()

    @property
    def is_stopping(self) -> bool:
        """Whether cancelled steps have not ended yet."""
        return bool(self._asked)

    # Settle

    def _settle_ended(self, thorough: bool) -> list[Row]:
        """Settle the attempts that ended; return the steps that go on."""
        going_on = []
        under_way = steps.list_steps_under_way(self._context)
        wanted = {row["id"] for row in under_way if row["status"] != words.CANCEL_REQUESTED}
        self._publishing.forget_others(wanted)
        self._keys.forget_others(wanted)
        for row in under_way:
            with self._mishaps_of(row):
                outcome = self._executor.poll(self._handle(row), thorough or row["handle"] is None)
                if outcome is None:
                    self._note_start(row)
                elif self._settle(row, outcome):
                    continue
            going_on.append(row)
        return going_on

    def _note_start(self, row: Row) -> None:
        """Write down a start that a service which died in between did not write down any more."""
        if row["status"] == words.STARTING:
            started = Started(row["id"], row["root_run_id"], self._handle(row), format_time(self._now()), "Found under way.")
            steps.record_started(self._context, [started])

    @contextlib.contextmanager
    def _mishaps_of(self, row: Row) -> Iterator[None]:
        """Let nothing that is wrong with one step reach the others.

        What passes (a full disk, too many open files) is tried again at the next sweep; anything else fails the step.
        """
        try:
            yield
        except Exception as error:
            if will_pass(error):
                log.warning("step.held_up run_id=%s reason=%s", row["id"], error)
                self._held.add(row["id"])
                return
            if not is_foreseen(error):
                log.exception("step.mishap run_id=%s", row["id"])
            self._fail(row, error)

    def _fail(self, row: Row, error: Exception) -> None:
        where = "could not start" if row["attempt"] == 0 or row.get("status", words.STARTING) in _NOT_BEGUN else "could not be settled"
        message = f"{_who(row)} {where}. {tell(error)}"
        code = "UserError" if isinstance(error, PenstockError) and not isinstance(error, GaveUp) else "SystemError"
        ending = Ending(words.FAILED, message, {"code": code, "message": message, "details": {}})
        steps.settle(self._context, row["id"], row["attempt"], ending)
        self._asked.discard((row["id"], row["attempt"]))

    def _handle(self, row: Row) -> Handle:
        if row["handle"]:
            handle: Handle = json.loads(row["handle"])
            return handle
        return self._executor.find(row["id"], row["attempt"])  # the service died between start and note

    def _settle(self, row: Row, outcome: Outcome) -> bool:
        """Settle an attempt that ended; return False while its outputs are on the way to their places."""
        never_began = not outcome.began and outcome.error is None
        if never_began and row["status"] != words.CANCEL_REQUESTED and row["attempt"] < MOST_ATTEMPTS:
            log.warning("step.requeued run_id=%s attempt=%s reason=%s", row["id"], row["attempt"], outcome.lost)
            steps.requeue(self._context, row["id"], f"Attempt {row['attempt']} never began: {outcome.lost}.")
            self._held.add(row["id"])  # not at once: what was in the way may be gone at the next sweep
            return True
        if row["status"] == words.CANCEL_REQUESTED:
            self._end_family(row)
        ending = self._ending(row, outcome)
        if ending is None:
            return False
        if steps.settle(self._context, row["id"], row["attempt"], ending):
            log.info("step.settled run_id=%s attempt=%s status=%s", row["id"], row["attempt"], ending.status)
            ending.afterwards()
        self._asked.discard((row["id"], row["attempt"]))
        return True

    def _end_family(self, row: Row) -> None:
        """After a cancelled script ended: nothing that it started may be left."""
        for _ in range(5):
            if self._executor.stop(self._handle(row), force=True):
                return

    def _ending(self, row: Row, outcome: Outcome) -> Ending | None:
        """Return how an attempt ended; None while its outputs are on the way to their places."""
        at = format_time(datetime.fromtimestamp(outcome.ended_at, timezone.utc)) if outcome.ended_at else None
        if row["status"] == words.CANCEL_REQUESTED:
            if row["error"]:  # stopped for a reason of ours: it ran too long
                error = json.loads(row["error"])
                return Ending(words.FAILED, error["message"], error, ended_at=at)
            return Ending(words.CANCELED, "Cancelled; all its processes have ended.", ended_at=at)
        what = "command" if self._node(row).command else "script"
        error = describe_failure(row, outcome, self._last_words(row, outcome), what)
        if error is not None:
            return Ending(words.FAILED, error["message"], error, ended_at=at)
        made = self._finish(row, outcome)
        if made is None:
            return None
        return Ending(
            words.COMPLETED,
            f"The {what} ended with exit status 0.",
            outputs=[item.document for item in made],
            ended_at=at,
            also=partial(self._record_made, row, made),
            afterwards=partial(self._publishing.clear_up, made),
        )

    def _finish(self, row: Row, outcome: Outcome) -> list[Made] | None:
        """Return what an attempt that ended well has made, all in its place; None while that, or reading what it read, goes on."""
        if row["id"] in self._held:
            return None
        made = self._publishing.take(row, self._node(row), outcome.outputs) if self._has_key(row) else None
        if made is None and row["status"] != words.FINALIZING:
            steps.record_finalizing(self._context, row["id"])
        return made

    def _has_key(self, row: Row) -> bool:
        """Tell whether a step's key is known, or that nobody will ever know it; write down one that was found meanwhile."""
        if not row["unread"]:
            return True
        keyed = self._keys.take(row)
        if keyed is None:
            return False
        steps.record_key(self._context, row["id"], row["attempt"], keyed.components, keyed.key)
        return True

    def _record_made(self, row: Row, made: list[Made], change: Change) -> None:
        for item in made:
            if item.manifest:
                manifests.keep(change, item.document["digest"], item.manifest)
        outputs = [item.document for item in made]
        step_data.record_outputs(change, row["workspace_id"], row["id"], self._node(row).outputs, outputs)

    def _node(self, row: Row) -> StepNode:
        return self._reader.pipeline(row["pipeline_run_id"]).steps[row["node_id"]]

    def _last_words(self, row: Row, outcome: Outcome) -> str:
        """Return the last line that a script wrote which ended badly without an exception, as after a mistake in its arguments."""
        if outcome.exit_code in (0, None) or (outcome.error and outcome.error[2]):
            return ""
        try:
            with open(self._context.home.run_folder(row["id"]) / LOG, "rb") as log:
                log.seek(-min(2000, os.fstat(log.fileno()).st_size), os.SEEK_END)
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300]

    # Stop

    def _stop_late(self, under_way: list[Row]) -> None:
        now = format_time(self._now())
        for row in under_way:
            if row["deadline_at"] and row["deadline_at"] <= now and row["status"] == words.RUNNING:
                node = self._reader.pipeline(row["pipeline_run_id"]).steps[row["node_id"]]
                steps.request_timeout(self._context, row["id"], float(node.run_config["maxRunDurationSeconds"]))

    def _stop_cancelled(self, under_way: list[Row]) -> None:
        """TERM once, KILL after the grace period, as often as it takes."""
        grace = timedelta(seconds=self._context.settings.cancel_grace_seconds)
        for row in under_way:
            if row["status"] != words.CANCEL_REQUESTED:
                continue
            attempt = (row["id"], row["attempt"])
            force = format_time(self._now() - grace) >= (row["cancel_requested_at"] or "")
            if force or attempt not in self._asked:
                self._asked.add(attempt)
                self._executor.stop(self._handle(row), force)

    # Decide

    def _decide_ready(self) -> int:
        """Reuse what can be reused, start what there is room for; lay out runs that wait while there is room left.

        Returns:
            How many steps were ready to start, and runs to be laid out.
        """
        ready, room = self._start_ready()
        if not layout.count_waiting(self._context):
            return ready
        for _ in range(LAID_OUT_AT_ONCE):
            if self._has_enough(ready, room) or not layout.lay_out_next(self._context):
                break
            ready, room = self._start_ready()
        waiting = layout.count_waiting(self._context)
        if waiting and not self._has_enough(ready, room):
            self._context.wake_engine()  # more at once, after a look at what has ended meanwhile
        return ready + waiting

    def _has_enough(self, ready: int, room: Room | None) -> bool:
        return ready >= MOST_READY or (room or Room(self._context)).is_full

    def _start_ready(self) -> tuple[int, Room | None]:
        """Reuse or start what is ready; return how many steps were, and the room that is left where that was looked at."""
        read: dict[str, ReadyStep] = {}
        while True:  # a reused step makes others ready
            ready = steps.find_ready_ids(self._context)
            self._must_run &= ready
            self._far &= ready
            self._reading.forget_others(ready)
            self._staging.forget_others(ready)
            fresh = ready - self._must_run - self._reading.pending() - self._held
            if not fresh:
                break
            for row in steps.list_ready_steps(self._context, fresh):
                self._look_at(row, read)
        return len(ready), self._start_what_fits(read) if ready else None

    def _look_at(self, row: Row, read: dict[str, ReadyStep]) -> None:
        """Reuse a step, or note that it must run; what can do neither now is held until the next sweep."""
        step = self._read(row)
        if step is None:
            if not self._reading.knows(row["id"]):
                self._held.add(row["id"])
        elif self._reuse_guarded(row, step):
            self._held.add(row["id"])  # it has ended; or it was held up on the way
        elif not self._prepare_guarded(row, step):
            self._must_run.add(row["id"])
            read[row["id"]] = step

    def _start_what_fits(self, read: dict[str, ReadyStep]) -> Room:
        """Start ready steps in their turn; return the room that is left."""
        room, started = Room(self._context), []
        for row in steps.each_ready_step(self._context) if not room.is_full else ():
            if room.is_full:
                break
            if self._is_next(row) and room.has_place(row):
                step = self._have_inputs(row, read)
                item = self._start_guarded(row, step) if step else None
                started += [item] if item else []
                if item or row["id"] in self._reading.under_way():  # while it is read, nobody overtakes it
                    room.take(row)
        steps.record_started(self._context, started)
        return room

    def _is_next(self, row: Row) -> bool:
        """Tell whether a ready step may be started: it was looked at for reuse, nothing holds it, and there are hands for its inputs."""
        if row["id"] not in self._must_run or row["id"] in self._held:
            return False
        return row["id"] not in self._far or not self._staging.is_full or row["id"] in self._staging.done()

    def _have_inputs(self, row: Row, read: dict[str, ReadyStep]) -> ReadyStep | None:
        """Return a step whose inputs are on this machine; None while they are read or fetched, or when that failed.

        A step whose inputs are on their way takes no room: others go first.
        """
        with self._mishaps_of(row):
            staged = self._staging.take(row["id"])
            if staged or row["id"] in self._staging.pending():
                return staged
            step = read.get(row["id"]) or self._read(row)  # one that waited is read again: its data may be other data now
            if step is None or not self._staging.needs(step):
                return step
            self._far.add(row["id"])
            self._staging.begin(step)
        return None

    def _start_guarded(self, row: Row, step: ReadyStep) -> Started | None:
        with self._mishaps_of(row):
            return self._start(step)
        return None

    def _read(self, row: Row) -> ReadyStep | None:
        """Return a ready step with its key; None when it failed, or when its data is still being read."""
        with self._mishaps_of(row):
            if not self._reader.takes_time(row):
                return self._reader.read(row)
            step = self._reading.take(row["id"])
            if step is None:
                self._reading.begin(row["id"], partial(self._reader.read, row))
            return step
        return None

    def _reuse_guarded(self, row: Row, step: ReadyStep) -> bool:
        with self._mishaps_of(row):
            return self._reuse(step)
        return True  # it failed: it need not be started

    def _prepare_guarded(self, row: Row, step: ReadyStep) -> bool:
        """Let a step whose environment is not there wait for it; return False for one that can run."""
        with self._mishaps_of(row):
            self._preparing.foresee(step.pipeline, self._fail)
            return self._preparing.hold(step)
        return True

    def _reuse(self, step: ReadyStep) -> bool:
        """End a step with an earlier result if there is one that stands."""
        if step.earlier is None or step.earlier.missing or step.key is None:
            return False
        found = step.earlier.row
        if found["pipeline_run_id"] == step.row["pipeline_run_id"]:  # who lists a step twice means it twice
            return False
        log.info("step.reused run_id=%s original=%s", step.row["id"], found["run_id"])
        outputs = [
            {**output, "name": port.name, "pipeline_output_name": port.pipeline_output_name}
            for port, output in zip(step.node.outputs, json.loads(found["outputs"]), strict=True)
        ]
        return steps.record_reuse(
            self._context, step.row["id"], found, outputs, step.components, step.key, partial(_record_reused, step, outputs)
        )

    def _start(self, step: ReadyStep) -> Started | None:
        place = self._preparing.place(step)
        if place is None:  # it was removed since it was looked at
            self._preparing.hold(step)
            return None
        reason = self._why(step)
        attempt = steps.claim(
            self._context,
            step.row["id"],
            step.components,
            step.key,
            reason,
            self._deadline(step),
            place.warnings,
            unread=step.unread(),
            also=partial(_record_start, self._context, step, place),
        )
        if attempt is None:
            return None
        with self._mishaps_of({**step.row, "attempt": attempt}):
            started_at = format_time(self._now())
            try:
                handle = self._executor.start(self._reader.order(step, attempt, place))
            except Exception as error:
                if will_pass(error):  # it was not handed over: as if it had not been claimed
                    steps.give_back(self._context, step.row["id"], attempt, str(error))
                raise
            log.info("step.started run_id=%s attempt=%s", step.row["id"], attempt)
            if step.key is None and step.unread():
                self._keys.begin(step.row, step.components, step.unread())
            return Started(step.row["id"], step.row["root_run_id"], handle, started_at, reason)
        return None

    def _deadline(self, step: ReadyStep) -> str | None:
        seconds = step.node.run_config.get("maxRunDurationSeconds")
        return format_time(self._now() + timedelta(seconds=float(seconds))) if seconds else None

    def _why(self, step: ReadyStep) -> str:
        """Return why this step runs and is not reused."""
        if step.node.step_type == SCRIPT_STEP:
            return "It was submitted to run."
        if step.pipeline.regenerate_outputs:
            return "The pipeline run was submitted with regenerate_outputs."
        if not step.node.allow_reuse:
            return "Its allow_reuse is False."
        if step.earlier and step.earlier.missing:
            return f"The output '{step.earlier.missing}' of run {step.earlier.row['run_id'][:8]} is not there any more as it was."
        similar = reuse.find_similar(self._context, step.row["workspace_id"], step.row["name"], step.row["experiment_id"])
        if similar is None:
            return "It is the first run of this step."
        inputs = [port.name for port in step.node.inputs]
        changes = reuse.describe(self._context, json.loads(similar["components"]), step.components, inputs)
        reasons = "; ".join(item["reason"] for item in changes[:3]) or "an equal step of this pipeline run goes first"
        return f"{reasons[0].upper()}{reasons[1:]}, since run {similar['run_id'][:8]} of {similar['experiment_name']}."

    def _close_pipelines(self) -> None:
        for row in steps.list_pipelines_to_close(self._context):
            steps.close_pipeline(self._context, row["id"])


def _record_start(context: Context, step: ReadyStep, place: Place, change: Change) -> None:
    if place.key:
        note_environment(context, change, step.row["id"], place.key)
    _record_inputs(step, change)


def _record_inputs(step: ReadyStep, change: Change) -> None:
    """Link the datasets that a step reads; those over earlier outputs are saved first."""
    used = {}
    for port in step.node.inputs:
        source = step.sources[port.name]
        if source.definition is not None:
            save_within(change, step.row["workspace_id"], source.definition)
        if source.dataset is not None:
            used[port.name] = (port.mode, source.dataset)
    step_data.record_inputs(change, step.row["id"], used)


def _record_reused(step: ReadyStep, outputs: list[dict[str, Any]], change: Change) -> None:
    _record_inputs(step, change)
    step_data.record_outputs(change, step.row["workspace_id"], step.row["id"], step.node.outputs, outputs)


def _who(row: Row) -> str:
    return f"The run of '{row['name']}'" if steps.is_script(row) else f"Step '{row['name']}'"


def describe_failure(row: Row, outcome: Outcome, last_words: str = "", what: str = "script") -> dict[str, Any] | None:
    """Return the error of an attempt that did not end well, or None for one that did. The message names step, cause and log."""
    if outcome.exit_code == 0 and outcome.error is None and outcome.lost is None:
        return None
    cause, code = _tell_error(*outcome.error) if outcome.error else _tell_end(row, outcome, what)
    said = f" Its last words: {last_words.rstrip('.')}." if last_words and last_words not in cause else ""
    of_step = "" if steps.is_script(row) else f" '{row['name']}'"
    message = f"{cause.rstrip('.')}.{said} Its log: penstock logs {short_id(row['pipeline_run_id'])}{of_step}."
    details: dict[str, Any] = {"exit_code": outcome.exit_code, "signal": outcome.signal}
    if outcome.error:
        details.update(type=outcome.error[0], traceback=outcome.error[2])
    return {"code": code, "message": message, "details": details}


def _tell_error(kind: str, message: str, trace: str) -> tuple[str, str]:
    """Return cause and code of an attempt that left an error behind."""
    cause = ": ".join(filter(None, (kind, message))) if trace else message
    if kind == "ModuleNotFoundError":
        cause += ". Name the package that provides it in the step's environment, or install it for the interpreter that submitted the run"
    return cause, "SystemError" if kind in ("DiskFull", "SystemError", "StartError") else "UserError"


def _tell_end(row: Row, outcome: Outcome, what: str) -> tuple[str, str]:
    """Return cause and code of an attempt that ended without a word."""
    if not outcome.began:
        return f"It could not be started in {row['attempt']} attempts: {outcome.lost}", "SystemError"
    if outcome.lost:
        return f"Nobody knows how it ended, as {outcome.lost}", "StepLost"
    if outcome.signal:
        hint = " (often the machine ran out of memory)" if outcome.signal == signal.SIGKILL else ""
        return f"The {what} was killed by {signal.Signals(outcome.signal).name}{hint}", "UserError"
    return f"The {what} ended with exit status {outcome.exit_code}", "UserError"
