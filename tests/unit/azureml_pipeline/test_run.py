"""Waiting, told by a service that is a script: what it answers to each question is written down beforehand."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Dict, List

import pytest

from azureml.core.experiment import Experiment
from azureml.exceptions import ActivityFailedException
from azureml.pipeline.core import PipelineRun, StepRun
from penstock.model.errors import NotFound


def record(run_id: str, status: str, **facts: Any) -> Dict[str, Any]:
    base = {
        "id": run_id,
        "workspace_id": "w1",
        "experiment_id": "e1",
        "experiment_name": "exp",
        "status": status,
        "type": "azureml.PipelineRun",
    }
    return {**base, "tags": {}, "properties": {}, **facts}


def step(name: str, status: str, **facts: Any) -> Dict[str, Any]:
    about = {
        "type": "azureml.StepRun",
        "parent_run_id": "p",
        "pipeline_run_id": "p",
        "node_id": f"n{name}",
        "started_at": "2026-01-01T00:00:00Z",
    }
    return record(name, status, name=name, **{**about, **facts})


class Script:
    """Plays rounds: in each, some runs change, and these changes are the events."""

    def __init__(self, *rounds: List[Dict[str, Any]]) -> None:
        self.rounds, self.runs, self.events = list(rounds), {}, []  # type: ignore[var-annotated]
        self.next_round()

    def next_round(self) -> None:
        for change in self.rounds.pop(0) if self.rounds else []:
            self.runs[change["id"]] = change
            self.events.append({"sequence": len(self.events) + 1, "run_id": change["id"], "status": change["status"]})

    def get_run(self, run_id: str) -> Dict[str, Any]:
        if run_id not in self.runs:
            raise NotFound(f"There is no run '{run_id}'.")
        return copy.deepcopy(self.runs[run_id])

    def follow_run(self, run_id: str, after: int = 0, wait_seconds: float = 0) -> Dict[str, Any]:
        if wait_seconds:
            self.next_round()
        events = [event for event in self.events if event["sequence"] > after and (run_id in ("p", event["run_id"]))]
        return {"events": events, "last": len(self.events), "run": self.get_run(run_id)}

    def list_children(self, run_id: str, **filters: Any) -> List[Dict[str, Any]]:
        return [run for run in self.runs.values() if run.get("parent_run_id") == run_id]

    def list_files(self, run_id: str) -> List[Dict[str, Any]]:
        return [{"name": "user_logs/std_log.txt", "size": 1}]

    def read_file(self, run_id: str, name: str, offset: int = 0) -> bytes:
        return f"log of {run_id}\n".encode()[offset:]

    def list_lineage(self, workspace_id: str, **filters: Any) -> List[Dict[str, Any]]:
        return []

    def list_outputs(self, run_id: str) -> List[Dict[str, Any]]:
        found = {"name": "out", "datastore": "workspaceblobstore", "path": "azureml/a/out", "pipeline_output_name": "result"}
        return [found, {**found, "name": "late", "path": None, "pipeline_output_name": "later"}]


@pytest.fixture
def open_run(workspace: Any, tmp_path: Path) -> Any:
    def open_it(*rounds: List[Dict[str, Any]]) -> PipelineRun:
        workspace._client = Script(*rounds)
        return PipelineRun(Experiment(workspace, "exp", _id="e1"), "p")

    return open_it


FAILED = {"code": "UserError", "message": "Step 'b' failed: boom", "details": {}}


def test_each_step_is_shown_once_and_the_words_are_v1s(open_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = open_run(
        [record("p", "Running"), step("a", "Queued", started_at=None), step("b", "NotStarted", started_at=None)],
        [step("a", "Running")],
        [step("a", "Completed"), step("b", "Running")],
        [step("b", "Completed"), record("p", "Completed")],
    )
    assert run.wait_for_completion() == "Finished"
    out = capsys.readouterr().out
    assert out.count("PipelineRun Status: Running") == 1
    assert [out.count(f"StepRunId: {name}\n") for name in "ab"] == [1, 1]
    assert [out.count(f"log of {name}\n") for name in "ab"] == [1, 1]
    assert out.index("StepRunId: a") < out.index("StepRun(a) Execution Summary") < out.index("StepRunId: b")
    assert "StepRun(a) Execution Summary\n=============================\nStepRun( a ) Status: Finished\n" in out
    assert "Streaming user_logs/std_log.txt\n===============================\n" in out
    assert "PipelineRun Execution Summary\n==============================\nPipelineRun Status: Finished\n" in out
    assert (run.status, run.get_status(), run.get_details()["status"]) == ("Completed", "Finished", "Completed")


def test_a_failed_step_raises_at_once_and_a_failed_pipeline_at_its_end(open_run: Any) -> None:
    rounds = [record("p", "Running"), step("b", "Running")], [step("b", "Failed", error=FAILED)], [record("p", "Failed", error=FAILED)]
    run = open_run(*rounds)
    with pytest.raises(ActivityFailedException, match="boom"):
        run.wait_for_completion()
    assert run.get_status() == "Running"
    with pytest.raises(ActivityFailedException, match="boom"):
        open_run(*rounds).wait_for_completion(show_output=False)
    run = open_run(*rounds)
    assert run.wait_for_completion(raise_on_error=False) == "Failed"
    assert run.get_details()["error"]["error"]["message"] == "Step 'b' failed: boom"


def test_canceled_raises_nothing_and_steps_that_never_began_are_not_shown(open_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = open_run(
        [record("p", "Running"), step("a", "Queued", started_at=None)], [step("a", "Canceled", started_at=None), record("p", "Canceled")]
    )
    assert run.wait_for_completion() == "Canceled"
    assert "StepRunId" not in capsys.readouterr().out


def test_a_reused_step_shows_no_log(open_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    reused = step(
        "a", "Completed", started_at=None, reused={"run_id": "old", "node_id": "n", "pipeline_run_id": "q", "experiment_name": "exp"}
    )
    run = open_run([record("p", "Running")], [reused], [record("p", "Completed")])
    assert run.wait_for_completion() == "Finished"
    out = capsys.readouterr().out
    assert "StepRunId: a" in out
    assert "log of" not in out
    assert "\nStepRun( a ) Status: Finished\nReused the result of run old.\n" in out
    assert out.count("Reused the result") == 1
    (found,) = run.find_step_run("a")
    assert (found.is_reused, found.reused_run_id, found.reused_pipeline_run_id) == (True, "old", "q")


@pytest.mark.parametrize("show_output", [True, False])
def test_the_timeout_counts_with_and_without_output(open_run: Any, capsys: pytest.CaptureFixture[str], show_output: bool) -> None:
    run = open_run([record("p", "Running"), step("a", "Running")])
    assert run.wait_for_completion(show_output=show_output, timeout_seconds=0) == "Running"
    assert capsys.readouterr().out.count("Timed out of waiting. Elapsed time: ") == 1
    assert run.find_step_run("a")[0].wait_for_completion(show_output=show_output, timeout_seconds=0) == "Running"


def test_an_ended_run_shows_its_summary_only(open_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert open_run([step("a", "Completed"), record("p", "Completed")]).wait_for_completion() == "Finished"
    out = capsys.readouterr().out
    assert "PipelineRun Execution Summary" in out
    assert "StepRunId" not in out


def test_steps_can_be_listed_twice_and_skipped_ones_are_hidden(open_run: Any) -> None:
    run = open_run([record("p", "Failed"), step("a", "Failed"), step("b", "Skipped", started_at=None)])
    steps = run.get_steps()
    assert [item.name for item in steps] == [item.name for item in steps] == ["a"]
    assert next(steps).name == "a"
    with pytest.raises(StopIteration):
        next(steps)
    assert run.find_step_run("b") == run.find_step_run("nothing") == []
    assert type(steps[0]) is StepRun
    assert (steps[0].pipeline_run_id, steps[0].get_status()) == ("p", "Failed")


def test_logs_and_outputs_of_a_step(open_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azureml.core.datastore.Datastore.get", staticmethod(lambda workspace, name: workspace.store))
    run = open_run([record("p", "Completed"), step("a", "Completed")])
    (found,) = run.get_steps()
    assert found.get_job_log() == found.get_stdout_log() == found.get_stderr_log() == "log of a\n"
    assert {"STDOUT", "STDERR", "JOBLOG", "user_logs/std_log.txt"} <= {*found.get_details_with_logs()["logFiles"]}
    assert found.get_output_data("out").path_on_datastore == "azureml/a/out"
    with pytest.raises(KeyError, match=r"no output 'ou'.*Did you mean 'out'"):
        found.get_output("ou")
    with pytest.raises(AttributeError, match="no place on a datastore"):
        found.get_output_data("late")
    assert run.get_pipeline_output("result").name == "result"
    for name, message in (("resul", "Did you mean 'result'"), ("later", "not there yet")):
        with pytest.raises(Exception, match=message):
            run.get_pipeline_output(name)


def test_what_v1_refuses(open_run: Any) -> None:
    run = open_run([record("p", "Running"), step("a", "Running")])
    for target in (run, run.get_steps()[0]):
        for refused in (target.complete, target.fail, target.child_run):
            with pytest.raises(NotImplementedError, match="unsupported for a"):
                refused()
    with pytest.raises(ValueError, match="does not know 'notify'"):
        run.publish_pipeline("n", "d", "v", notify=True)


def test_a_step_run_belongs_to_its_own_experiment(workspace: Any, open_run: Any) -> None:
    open_run([record("p", "Running"), step("a", "Running")])
    found = StepRun(Experiment(workspace, "other", _id="e2"), "a", "p", "na")
    assert found.experiment.name == "exp"


def test_get_knows_pipeline_runs_only(workspace: Any, open_run: Any) -> None:
    open_run([record("p", "Running"), step("a", "Running")])
    assert PipelineRun.get(workspace, "p").id == "p"
    for run_id in ("a", "unknown"):
        with pytest.raises(Exception, match=run_id):
            PipelineRun.get(workspace, run_id)
