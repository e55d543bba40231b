"""The life of a step run: claimed, started, settled; and what its end means for its followers and its pipeline run.

The engine calls these verbs; each is one transaction, guarded by the table in model/status.py, so that losing a race is a normal answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.model import status as words
from penstock.model.errors import NotFound
from penstock.operations.context import Change, Context
from penstock.operations.descendants import end_client_runs_below
from penstock.operations.keyvault import hide_secrets
from penstock.persistence.database import Row, sql_list

ENGINE = "engine"

_READY = """
    select r.id, r.workspace_id, r.root_run_id, r.name, r.experiment_id, s.pipeline_run_id, s.node_id, s.position, s.attempt,
           s.compute_name, s.definition_id, c.max_nodes
      from runs r
      join step_runs s on s.run_id = r.id
      left join compute_targets c on c.workspace_id = r.workspace_id and c.name = s.compute_name
     where r.status = 'Queued'"""
_IN_TURN = " order by r.queued_at, s.position"

_ACTIVE = sql_list(words.ACTIVE)
_GOING_ON = sql_list((words.STARTING, words.RUNNING, words.FINALIZING))  # nobody has asked them to stop

_UNDER_WAY = f"""
    select r.id, r.workspace_id, r.root_run_id, r.name, r.status, r.error,
           s.pipeline_run_id, s.node_id, s.attempt, s.compute_name, s.handle, s.cancel_requested_at, s.deadline_at, s.unread,
           iif(s.unread is null, null, s.components) as components,
           exists (select 1 from runs d where d.submitter_run_id = r.id and d.status in {_ACTIVE}) as waits_for_others
      from runs r join step_runs s on s.run_id = r.id
     where r.status in ('Starting', 'Running', 'Finalizing', 'CancelRequested')"""


def find_ready_ids(context: Context) -> set[str]:
    """Return the run ids of all queued steps."""
    row = context.database.first(
        "select json_group_array(r.id) as ids from runs r join step_runs s on s.run_id = r.id where r.status = 'Queued'"
    )
    return set(json.loads(row["ids"])) if row else set()


def list_ready_steps(context: Context, run_ids: set[str]) -> list[Row]:
    """Return these queued steps, oldest first, each with the node limit of its compute target."""
    return context.database.all(_READY + " and r.id in (select value from json_each(?))" + _IN_TURN, [json.dumps(list(run_ids))])


def each_ready_step(context: Context) -> Iterator[Row]:
    """Yield the queued steps in their turn, as they are asked for."""
    return context.database.each(_READY + _IN_TURN)


def list_steps_under_way(context: Context) -> list[Row]:
    """Return the steps that hold a process, or may; `waits_for_others` tells of those whose process submitted runs that go on."""
    return context.database.all(_UNDER_WAY)


def list_pipelines_to_close(context: Context) -> list[Row]:
    """Return pipeline runs that are active though none of their steps is: a crash fell between the two."""
    return context.database.all(
        "select r.id from runs r join pipeline_runs p on p.run_id = r.id"
        " where p.waits_since is null and r.status in ('Running', 'NotStarted', 'CancelRequested') and not exists"
        f" (select 1 from step_runs s join runs c on c.id = s.run_id where s.pipeline_run_id = r.id and c.status in {_ACTIVE})"
    )


def _guard(following: str) -> str:
    """Return the SQL condition that a row may go to `following`."""
    return f"status in {sql_list(words.BEFORE[following])}"


# What else belongs to a change of a step, in the same transaction.
Also = Callable[[Change], None]


def nothing_else(change: Change) -> None:
    """Write nothing more."""


# Start


def claim(
    context: Context,
    run_id: str,
    components: dict[str, Any],
    key: str | None,
    reason: str,
    deadline_at: str | None = None,
    warnings: Sequence[str] = (),
    unread: Mapping[str, str] | None = None,
    also: Also = nothing_else,
) -> int | None:
    """Take a queued step for starting; return the number of the new attempt, or None when another was quicker or it was cancelled.

    `unread` tells what those inputs look like that keep it from having a key. `also` writes, in the same transaction, what else belongs
    to the start.
    """
    with context.change() as change:
        run = change.rows.first("update runs set status = 'Starting' where id = ? and status = 'Queued' returning root_run_id", [run_id])
        if run is None:
            return None
        row = change.rows.first(
            "update step_runs set attempt = attempt + 1, handle = null, reuse_key = ?, components = ?, reason = ?, deadline_at = ?,"
            " unread = ? where run_id = ? returning attempt",
            [key, json.dumps(components) if components else None, reason, deadline_at, json.dumps(unread) if unread else None, run_id],
        )
        assert row is not None
        if warnings:
            documents = [{"source": "environment", "message": message} for message in warnings]
            change.rows.execute("update runs set warnings = ? where id = ?", [json.dumps(documents), run_id])
        also(change)
        change.tell(run_id, run["root_run_id"], words.STARTING, ENGINE)
        return int(row["attempt"])


@dataclass(frozen=True)
class Started:
    """A step whose process was started."""

    run_id: str
    root_run_id: str
    handle: dict[str, Any]
    started_at: str
    reason: str


def record_started(context: Context, started: Sequence[Started]) -> None:
    """Write down the processes of these steps."""
    if not started:
        return
    with context.change() as change:
        for item in started:
            change.rows.execute("update step_runs set handle = ? where run_id = ?", [json.dumps(item.handle), item.run_id])
            if change.rows.execute(
                "update runs set status = 'Running', started_at = ? where id = ? and status = 'Starting'", [item.started_at, item.run_id]
            ):
                change.tell(item.run_id, item.root_run_id, words.RUNNING, ENGINE, item.reason)


def record_key(context: Context, run_id: str, attempt: int, components: dict[str, Any] | None, key: str | None) -> None:
    """Write down the key of a step that started without one; None where it will have none."""
    with context.change() as change:
        change.rows.execute(
            "update step_runs set unread = null, reuse_key = ?, components = coalesce(?, components) where run_id = ? and attempt = ?",
            [key, json.dumps(components) if components else None, run_id, attempt],
        )


def requeue(context: Context, run_id: str, reason: str) -> None:
    """Put a step whose process never began back in the queue."""
    with context.change() as change:
        row = change.rows.first(
            "update runs set status = 'Queued', started_at = null"
            f" where id = ? and {_guard(words.QUEUED)} and status <> 'NotStarted' returning root_run_id",
            [run_id],
        )
        if row:
            change.tell(run_id, row["root_run_id"], words.QUEUED, ENGINE, reason)


def give_back(context: Context, run_id: str, attempt: int, reason: str) -> None:
    """Undo a claim whose attempt was not handed to anybody: it does not count."""
    with context.change() as change:
        row = change.rows.first("update runs set status = 'Queued' where id = ? and status = 'Starting' returning root_run_id", [run_id])
        if row:
            change.rows.execute("update step_runs set attempt = ? where run_id = ? and attempt = ?", [attempt - 1, run_id, attempt])
            change.tell(run_id, row["root_run_id"], words.QUEUED, ENGINE, f"Held up: {reason}")


# Reuse


def record_reuse(
    context: Context,
    run_id: str,
    original: Row,
    outputs: list[dict[str, Any]],
    components: dict[str, Any],
    key: str,
    also: Also = nothing_else,
) -> bool:
    """End a queued step with an earlier run's outputs; return False when it was cancelled meanwhile."""
    properties = {
        "azureml.isreused": "true",
        "azureml.reusedrunid": original["run_id"],
        "azureml.reusednodeid": original["node_id"],
        "azureml.reusedpipeline": original["pipeline_run_id"],
        "azureml.reusedpipelinerunid": original["pipeline_run_id"],
    }
    reason = (
        f"Reused the result of run {original['run_id'][:8]} of {original['experiment_name']}, which ended {original['ended_at'][:19]}Z."
    )
    with context.change() as change:
        row = change.rows.first(
            "update runs set status = 'Completed', started_at = ?, ended_at = ?, properties = json_patch(properties, ?)"
            " where id = ? and status = 'Queued' returning id, name, root_run_id, status",
            [change.at, change.at, json.dumps(properties), run_id],
        )
        if row is None:
            return False
        step = change.rows.first(
            "update step_runs set reuse_key = ?, components = ?, outputs = ?, reused_run_id = ?, reason = ?"
            " where run_id = ? returning pipeline_run_id",
            [key, json.dumps(components), json.dumps(outputs), original["run_id"], reason, run_id],
        )
        assert step is not None
        also(change)
        change.tell(run_id, row["root_run_id"], words.COMPLETED, ENGINE, reason, {"reused": original["run_id"]})
        _release_followers(change, run_id)
        _close_pipeline(change, step["pipeline_run_id"])
    return True


# End


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and what else that means for the rows."""

    status: str
    reason: str
    error: dict[str, Any] | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    ended_at: str | None = None
    also: Also = nothing_else
    afterwards: Callable[[], None] = lambda: None  # when all of that is written down


def record_finalizing(context: Context, run_id: str) -> None:
    """Note that a step's script has ended, and its outputs are on the way to their places."""
    with context.change() as change:
        row = change.rows.first(
            f"update runs set status = 'Finalizing' where id = ? and {_guard(words.FINALIZING)} returning root_run_id", [run_id]
        )
        if row:
            change.tell(run_id, row["root_run_id"], words.FINALIZING, ENGINE, "The script ended well; its outputs are being published.")


def settle(context: Context, run_id: str, attempt: int, ending: Ending) -> bool:
    """Write down how an attempt of a step ended, release or skip its followers, and end its pipeline run with the last step.

    Returns False for a late word: the step has ended already, or a newer attempt is under way.
    """
    ending = _without_secrets(context, run_id, ending)
    with context.change() as change:
        step = change.rows.first("select * from step_runs where run_id = ? and attempt = ?", [run_id, attempt])
        if step is None:
            return False
        run = change.rows.first(
            "update runs set status = ?, started_at = coalesce(started_at, ?), ended_at = ?, error = ?"
            f" where id = ? and {_guard(ending.status)} returning *",
            [ending.status, change.at, ending.ended_at or change.at, json.dumps(ending.error) if ending.error else None, run_id],
        )
        if run is None:
            return False
        change.rows.execute("update step_runs set outputs = ?, handle = null where run_id = ?", [json.dumps(ending.outputs), run_id])
        ending.also(change)
        change.tell(run_id, run["root_run_id"], ending.status, ENGINE, ending.reason, {"error": ending.error} if ending.error else None)
        end_client_runs_below(change, run_id, ending.status, ENGINE)
        if ending.status == words.COMPLETED:
            _remember(change, run, step)
            _release_followers(change, run_id)
        else:
            _end_others(change, run, step, ending)
        _close_pipeline(change, step["pipeline_run_id"])
    return True


def _without_secrets(context: Context, run_id: str, ending: Ending) -> Ending:
    """An error's message and traceback are the script's words, which may hold what it got from the key vault."""
    if ending.error is None:
        return ending
    reason, error = hide_secrets(context, run_id, [ending.reason, ending.error])
    return replace(ending, reason=reason, error=error)


def _remember(change: Change, run: Row, step: Row) -> None:
    """Offer this result to later runs; the newest result of a key is the one that is offered."""
    if step["reuse_key"]:
        change.rows.execute(
            "insert into reuse (workspace_id, key, run_id, created_at) values (?, ?, ?, ?)"
            " on conflict (workspace_id, key) do update set run_id = excluded.run_id, created_at = excluded.created_at",
            [run["workspace_id"], step["reuse_key"], run["id"], change.at],
        )


def _release_followers(change: Change, run_id: str) -> None:
    """Queue the steps that waited for this one last."""
    freed = change.rows.all(
        "update step_runs set waiting_for = waiting_for - 1"
        " where run_id in (select after_run_id from step_edges where before_run_id = ?) returning run_id, waiting_for",
        [run_id],
    )
    for row in freed:
        if row["waiting_for"] <= 0:
            queued = change.rows.first(
                "update runs set status = 'Queued', queued_at = ? where id = ? and status = 'NotStarted' returning root_run_id",
                [change.at, row["run_id"]],
            )
            if queued:
                change.tell(row["run_id"], queued["root_run_id"], words.QUEUED, ENGINE, "All that it waited for is there.")


_FOLLOWERS = """
    with recursive later (id) as (
        select after_run_id from step_edges where before_run_id = ?
        union select e.after_run_id from step_edges e join later on e.before_run_id = later.id)
    select r.* from runs r join later on later.id = r.id where r.status in ('NotStarted', 'Queued')"""

_OTHERS = "select r.* from runs r join step_runs s on s.run_id = r.id where s.pipeline_run_id = ? and r.status in "


def _end_others(change: Change, run: Row, step: Row, ending: Ending) -> None:
    """After a step that did not end well: skip what can't or shall not run any more."""
    what = "failed" if ending.status == words.FAILED else "was cancelled"
    pipeline = change.rows.first("select * from pipeline_runs where run_id = ?", [step["pipeline_run_id"]])
    assert pipeline is not None
    if ending.status == words.CANCELED or pipeline["continue_on_step_failure"]:
        _skip(change, change.rows.all(_FOLLOWERS, [run["id"]]), f"Skipped, as it needs step '{run['name']}', which {what}.")
        return
    reason = f"step '{run['name']}' {what}"
    _skip(change, change.rows.all(_OTHERS + sql_list(words.WAITING), [step["pipeline_run_id"]]), f"Skipped, as {reason}.")
    running = change.rows.all(_OTHERS + _GOING_ON, [step["pipeline_run_id"]])
    _request_stop(change, running, ENGINE, f"Stopped, as {reason} and the pipeline run does not continue after a failure.")


def _skip(change: Change, rows: list[Row], reason: str) -> None:
    for row in rows:
        if change.rows.execute(
            f"update runs set status = 'Skipped', ended_at = ? where id = ? and {_guard(words.SKIPPED)}", [change.at, row["id"]]
        ):
            change.rows.execute("update step_runs set reason = ? where run_id = ?", [reason, row["id"]])
            change.tell(row["id"], row["root_run_id"], words.SKIPPED, ENGINE, reason)


def _request_stop(change: Change, rows: list[Row], actor: str, reason: str) -> None:
    for row in rows:
        if change.rows.execute(
            f"update runs set status = 'CancelRequested' where id = ? and {_guard(words.CANCEL_REQUESTED)}", [row["id"]]
        ):
            change.rows.execute("update step_runs set cancel_requested_at = ?, reason = ? where run_id = ?", [change.at, reason, row["id"]])
            change.tell(row["id"], row["root_run_id"], words.CANCEL_REQUESTED, actor, reason)
            change.for_engine = True


def _close_pipeline(change: Change, pipeline_run_id: str) -> None:
    """End a pipeline run when none of its steps is active any more."""
    active = change.rows.first(
        f"select 1 from step_runs s join runs r on r.id = s.run_id where s.pipeline_run_id = ? and r.status in {_ACTIVE} limit 1",
        [pipeline_run_id],
    )
    if active:
        return
    ended = change.rows.all(
        "select r.id, r.name, r.status, r.error from runs r join step_runs s on s.run_id = r.id"
        " where s.pipeline_run_id = ? and r.status <> 'Completed' order by r.ended_at",
        [pipeline_run_id],
    )
    run = change.rows.first("select * from runs where id = ?", [pipeline_run_id])
    assert run is not None
    status, reason, error = _pipeline_ending(run, ended)
    if change.rows.execute(
        f"update runs set status = ?, ended_at = ?, error = ? where id = ? and {_guard(status)}",
        [status, change.at, json.dumps(error) if error else None, pipeline_run_id],
    ):
        change.tell(pipeline_run_id, run["root_run_id"], status, ENGINE, reason)


_UNKNOWN = {"code": "UserError", "message": "It failed without a word."}


def _pipeline_ending(run: Row, ended: list[Row]) -> tuple[str, str, dict[str, Any] | None]:
    failed = next((row for row in ended if row["status"] == words.FAILED), None)
    if run["status"] == words.CANCEL_REQUESTED:
        return words.CANCELED, "Cancelled, as was asked.", None
    if failed:
        error: dict[str, Any] = json.loads(failed["error"]) if failed["error"] else _UNKNOWN
        message = f"Step '{failed['name']}' failed: {error['message']}"
        details = {**error.get("details", {}), "step": failed["name"], "step_run_id": failed["id"]}
        return words.FAILED, f"Step '{failed['name']}' failed.", {**error, "message": message, "details": details}
    if any(row["status"] == words.CANCELED for row in ended):
        return words.CANCELED, "A step was cancelled.", None
    return words.COMPLETED, "All steps ended well.", None


def close_pipeline(context: Context, pipeline_run_id: str) -> None:
    """End a pipeline run none of whose steps is active."""
    with context.change() as change:
        _close_pipeline(change, pipeline_run_id)


# Cancel


def request_cancel(context: Context, run_id: str, actor: str = "user") -> None:
    """Ask that a run stops: a pipeline run with all its steps, a step run alone, or a run that a client drives itself.

    A run that has ended is left as it is.

    Raises:
        NotFound: There is no such run.
    """
    with context.change() as change:
        run = change.rows.first("select * from runs where id = ?", [run_id])
        if run is None:
            raise NotFound(f"There is no run '{run_id}'.", run_id=run_id)
        if words.is_final(run["status"]):
            return
        if change.rows.first("select 1 from step_runs where run_id = ?", [run_id]):
            _cancel_step(change, run, actor)  # a script's run too, which is its own pipeline run
        elif change.rows.first("select 1 from pipeline_runs where run_id = ?", [run_id]):
            _cancel_pipeline(change, run, actor)
        else:
            change.rows.execute("update runs set status = 'Canceled', ended_at = ? where id = ?", [change.at, run_id])
            change.tell(run_id, run["root_run_id"], words.CANCELED, actor, "Cancelled, as was asked.")


def _cancel_pipeline(change: Change, run: Row, actor: str) -> None:
    if run["status"] == words.CANCEL_REQUESTED:
        return
    change.rows.execute("update runs set status = 'CancelRequested' where id = ?", [run["id"]])
    change.rows.execute("update pipeline_runs set waits_since = null where run_id = ?", [run["id"]])
    change.tell(run["id"], run["root_run_id"], words.CANCEL_REQUESTED, actor, "Asked to cancel.")
    waiting = change.rows.all(_OTHERS + sql_list(words.WAITING), [run["id"]])
    _skip(change, waiting, "Skipped, as the pipeline run was cancelled.")
    running = change.rows.all(_OTHERS + _GOING_ON, [run["id"]])
    _request_stop(change, running, actor, "The pipeline run was cancelled.")
    _close_pipeline(change, run["id"])


def _cancel_step(change: Change, run: Row, actor: str) -> None:
    step = change.rows.first("select * from step_runs where run_id = ?", [run["id"]])
    assert step is not None
    if run["status"] not in words.WAITING:
        _request_stop(change, [run], actor, f"The {_kind({**step, **run})} was cancelled.")
        return
    change.rows.execute("update runs set status = 'Canceled', ended_at = ? where id = ?", [change.at, run["id"]])
    change.tell(run["id"], run["root_run_id"], words.CANCELED, actor, "Cancelled before it started.")
    _end_others(change, run, step, Ending(words.CANCELED, ""))
    _close_pipeline(change, step["pipeline_run_id"])


def is_script(row: Row) -> bool:
    """Tell whether the run of a step's row is that of a script, which is its own pipeline run."""
    return bool(row["id"] == row["pipeline_run_id"])


def _kind(row: Row) -> str:
    """Return what people call the run of a row: a script's run is no step, though it has its row."""
    return "run" if is_script(row) else "step"


def request_timeout(context: Context, run_id: str, seconds: float) -> None:
    """Stop a step that ran longer than its run configuration allows; it will count as failed."""
    with context.change() as change:
        run = change.rows.first("select r.*, s.pipeline_run_id from runs r join step_runs s on s.run_id = r.id where r.id = ?", [run_id])
        if run is None or run["status"] not in (words.RUNNING, words.FINALIZING):
            return
        message = (
            f"The {_kind(run)} ran longer than max_run_duration_seconds = {seconds:g} of its run configuration and was stopped. "
            "Raise that limit, or look for what hangs."
        )
        error = {"code": "UserError", "message": message, "details": {"kind": "Timeout"}}
        change.rows.execute("update runs set error = ? where id = ?", [json.dumps(error), run_id])
        _request_stop(change, [run], ENGINE, message)
