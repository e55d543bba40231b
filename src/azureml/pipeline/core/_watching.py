"""Waiting for pipeline and step runs, with what happens on the console."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Set

from azureml.core._follow import follow, interrupted
from azureml.core._run_details import LogScreen, raise_failed
from penstock.model import status as words

if TYPE_CHECKING:
    from azureml.pipeline.core.run import PipelineRun, StepRun

# While a log is on the screen: how often to look for new lines.
_STREAM_SECONDS = 0.5
_AGES_SECONDS = 10**9
_NOT_BEGUN = (words.NOT_STARTED, words.QUEUED, words.PREPARING, words.SKIPPED, words.CANCEL_REQUESTED)


class Wait:
    """One call of wait_for_completion: how long it may last, and how its end is told.

    Args:
        timeout_seconds: How long at most.
        raise_on_error: Whether a failed run raises.
    """

    def __init__(self, timeout_seconds: float, raise_on_error: bool) -> None:
        self.began = time.monotonic()
        self.raise_on_error = raise_on_error
        # sys.maxsize seconds are no time of the clock.
        self.deadline: Optional[float] = None if timeout_seconds >= min(_AGES_SECONDS, sys.maxsize) else self.began + timeout_seconds

    def tell_timeout(self) -> None:
        """Print that the time is over."""
        _say(f"Timed out of waiting. Elapsed time: {time.monotonic() - self.began:.1f}")

    def is_over(self) -> bool:
        """Tell whether the time is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline


def wait_for_pipeline(run: PipelineRun, wait: Wait, show_output: bool) -> str:
    """Wait for a pipeline run, and return its status as v1 spells it.

    Raises:
        ActivityFailedException: It failed, and errors are to be raised.
    """
    _say(f"PipelineRunId: {run.id}")
    _say(f"Link to Azure Machine Learning Portal: {run.get_portal_url()}")
    record = run._refresh()
    if not words.is_final(record["status"]):
        watcher = _PipelineWatcher(run, wait) if show_output else None
        record = follow(
            run._client,
            run.id,
            on_event=watcher.see_event if watcher else None,
            deadline=wait.deadline,
            on_round=watcher.see_round if watcher else None,
        )
        run._record = record
        if not words.is_final(record["status"]):
            wait.tell_timeout()
    status = words.pipeline_spelling(record["status"])
    _finish(run, "PipelineRun Execution Summary", f"PipelineRun Status: {status}", wait, show_output)
    return status


class _PipelineWatcher:
    """Shows a pipeline run's status, and its steps one after another."""

    def __init__(self, run: PipelineRun, wait: Wait) -> None:
        self._run, self._wait = run, wait
        self._tell_status = _status_teller("PipelineRun Status: {}", words.pipeline_spelling)
        self._seen: Set[str] = set()
        self._said: Set[str] = set()

    def see_round(self, record: Dict[str, Any]) -> None:
        self._tell_status(record)

    def see_event(self, event: Dict[str, Any]) -> None:
        """Watch a step when the first sign of its life comes; what happens meanwhile is told afterwards."""
        run_id = event["run_id"]
        if event["status"] == words.PREPARING and event["reason"] not in self._said:
            self._said.add(event["reason"])
            _say(f"Preparing: {event['reason']}")
        if run_id == self._run.id or run_id in self._seen or event["status"] in _NOT_BEGUN or self._wait.is_over():
            return
        self._seen.add(run_id)
        self._tell_status(self._run._record)
        record = self._run._client.get_run(run_id)
        if (
            record.get("parent_run_id") != self._run.id
            or record.get("node_id") is None
            or not (record.get("started_at") or record.get("reused"))
        ):
            return
        _say("\n")
        self._watch(record)
        _say("")

    def _watch(self, record: Dict[str, Any]) -> None:
        from azureml.exceptions import ExperimentExecutionException

        try:
            watch_step(self._run._step_run(record), self._wait, show_output=True, is_part=True)
        except ExperimentExecutionException:  # it names the step run, but the wait was for the pipeline run
            raise ExperimentExecutionException(interrupted(f"pipeline run {self._run.id}", self._run.id)) from None


def watch_step(step: StepRun, wait: Wait, show_output: bool, is_part: bool = False) -> str:
    """Wait for a step run, and return its status as v1 spells it.

    Args:
        step: The step run.
        wait: How long, and how its end is told.
        show_output: Whether its log is printed while it grows.
        is_part: Whether the wait is for the whole pipeline, which then tells of a timeout.

    Raises:
        ActivityFailedException: It failed, and errors are to be raised.
    """
    _say(f"StepRunId: {step.id}")
    _say(f"Link to Azure Machine Learning Portal: {step.get_portal_url()}")
    tell_status = _status_teller(f"StepRun( {step.name} ) Status: {{}}", words.step_spelling)
    log = _LogTeller(step)

    def see_round(news: Dict[str, Any]) -> None:
        tell_status(news)
        log.tell(news)

    record = follow(
        step._client,
        step.id,
        deadline=wait.deadline,
        wait_seconds=_STREAM_SECONDS if show_output else 20,
        on_round=see_round if show_output else None,
    )
    step._record = record
    if not words.is_final(record["status"]):
        if not is_part:
            wait.tell_timeout()
        return words.step_spelling(record["status"])
    status = words.step_spelling(record["status"])
    _finish(step, f"StepRun({step.name}) Execution Summary", f"StepRun( {step.name} ) Status: {status}", wait, show_output)
    return status


class _LogTeller:
    """Prints a step's log once the step has begun; a reused step has none of its own."""

    def __init__(self, step: StepRun) -> None:
        self._screen, self._is_reused = LogScreen(step), step.is_reused

    def tell(self, record: Dict[str, Any]) -> None:
        from penstock.model.errors import NotFound

        if self._is_reused or record.get("reused") or not record.get("started_at"):
            return
        try:
            self._screen.show_news(record)
        except NotFound:  # the log is not there yet, or went between the list and the read
            pass


def _status_teller(text: str, spelling: Callable[[str], str]) -> Callable[[Dict[str, Any]], None]:
    last: List[str] = []

    def tell(record: Dict[str, Any]) -> None:
        status = spelling(record["status"])
        if not words.is_final(record["status"]) and last != [status]:
            last[:] = [status]
            _say(text.format(status))

    return tell


def _finish(run: Any, title: str, status_line: str, wait: Wait, show_output: bool) -> None:
    """Print the summary, and raise what is to be raised."""
    details = run.get_details()
    error = details.get("error")
    if show_output:
        _say(f"\n{title}\n{'=' * (len(title) + 1)}\n{status_line}")
        if run._record.get("reused"):
            _say(f"Reused the result of run {run._record['reused']['run_id']}.")
        if details.get("warnings"):
            _say("\nWarnings:\n" + "\n".join(str(warning["message"]) for warning in details["warnings"]))
        if error and not wait.raise_on_error:
            _say(f"\nError:\n{json.dumps(error, indent=4)}")
    if error and wait.raise_on_error:
        raise_failed(details)
    if show_output:
        _say(f"{details}\n")


def _say(text: str) -> None:
    print(text, flush=True)
