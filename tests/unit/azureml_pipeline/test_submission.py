from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List

import pytest

from azureml.core import Experiment
from azureml.core._experiment_method import get_submit_function
from azureml.data.data_reference import DataReference
from azureml.exceptions import SnapshotException
from azureml.pipeline.core import Pipeline, PipelineParameter
from azureml.pipeline.core.pipeline import _submit_pipeline
from azureml.pipeline.core.run import PipelineRun
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.graph import parse_graph

RECORD = {
    "id": "r1",
    "workspace_id": "w1",
    "experiment_id": "e1",
    "experiment_name": "exp",
    "type": "azureml.PipelineRun",
    "status": "Running",
}


class Client:
    """Takes what a submission sends, and knows the definitions that it has seen."""

    def __init__(self) -> None:
        self.submitted: List[Dict[str, Any]] = []
        self.snapshots: List[str] = []
        self.known: set[str] = set()
        self.limits = {"snapshot_bytes": 10**9, "snapshot_files": 1000}

    def service_info(self) -> Dict[str, Any]:
        return {"limits": self.limits}

    def missing_blobs(self, digests: List[str]) -> List[str]:
        return []

    def put_snapshot(self, digest: str, files: Any) -> None:
        self.snapshots.append(digest)

    def submit_pipeline(self, workspace_id: str, experiment_name: str, submission: Dict[str, Any]) -> Dict[str, Any]:
        assert (workspace_id, experiment_name) == ("w1", "exp")
        self.submitted.append(submission)
        steps = parse_graph(submission["graph"]).steps
        definitions = {step.id: {"definition_id": f"def-{step.snapshot}", "known": str(step.snapshot) in self.known} for step in steps}
        self.known |= {str(step.snapshot) for step in steps}
        return {"run": RECORD, "steps": [], "definitions": definitions}


@pytest.fixture
def client(workspace: Any) -> Client:
    workspace._client = Client()
    client: Client = workspace._client
    return client


def test_a_source_directory_is_read_once_per_submission_and_anew_each_time(
    workspace: Any, client: Client, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", name=name, source_directory=source) for name in ("one", "two")])
    pipeline.submit("exp")
    assert capsys.readouterr().out.count("(This step will run and generate new outputs)") == 2
    pipeline.submit("exp")
    assert capsys.readouterr().out.count("(This step is eligible to reuse a previous run's output)") == 2
    (Path(source) / "prep.py").write_text("print('changed')")
    pipeline.submit("exp")
    assert len(client.snapshots) == 3
    assert len({*client.snapshots}) == 2
    assert [parse_graph(item["graph"]).steps[0].snapshot for item in client.submitted] == client.snapshots


def test_the_console_says_what_notebooks_show(workspace: Any, client: Client, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = DataReference(workspace.store, "raw", "titanic")
    step = PythonScriptStep("prep.py", name="prep", arguments=[data], inputs=[data], source_directory=source)
    pipeline = Pipeline(workspace, [step])
    run = pipeline.submit("exp")
    node = pipeline.graph.node_name_dict["prep"][0].node_id
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Created step prep [{node}][def-{client.snapshots[0]}], (This step will run and generate new outputs)"
    assert lines[1].startswith("Created data reference raw for StepId [")
    assert lines[2] == "Submitted PipelineRun r1"
    assert lines[3].startswith("Link to Azure Machine Learning Portal: penstock://local/runs/r1?wsid=/subscriptions/")
    assert type(run) is PipelineRun
    assert (run.id, run.experiment.name) == ("r1", "exp")


@pytest.mark.parametrize("wanted", [{"regenerate_outputs": True}, {}])
def test_steps_that_may_not_reuse_never_say_so(
    workspace: Any, client: Client, source: str, capsys: pytest.CaptureFixture[str], wanted: Dict[str, Any]
) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source, allow_reuse=bool(wanted))])
    pipeline.submit("exp", **wanted)
    pipeline.submit("exp", **wanted)
    assert "eligible" not in capsys.readouterr().out


def test_what_is_asked_for_travels(workspace: Any, client: Client, source: str) -> None:
    step = PythonScriptStep("prep.py", arguments=[PipelineParameter("rate", 0.5)], source_directory=source)
    pipeline = Pipeline(workspace, [step])
    submit = get_submit_function(pipeline)
    assert submit is _submit_pipeline
    submit(pipeline, workspace, "exp", pipeline_params={"rate": 1}, continue_on_step_failure=True, _parent_run_id="parent", tags={"a": 1})
    (sent,) = client.submitted
    assert (sent["parameters"], sent["tags"], sent["parent_run_id"]) == ({"rate": 1}, {"a": "1"}, "parent")
    assert (sent["continue_on_step_failure"], sent["regenerate_outputs"], sent["description"]) == (True, False, "exp")


def test_a_wrong_value_stops_the_submission(workspace: Any, client: Client, source: str) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)])
    with pytest.raises(Exception, match=r"no parameter 'rate'. There are no parameters"):
        pipeline.submit("exp", pipeline_parameters={"rate": 1})
    with pytest.raises(ValueError, match="does not know 'tags'"):
        pipeline.submit("exp", tags={})
    assert client.submitted == []


def test_a_script_that_went_away_or_is_ignored_is_named(workspace: Any, client: Client, source: str) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)])
    (Path(source) / ".amlignore").write_text("prep.py\n")
    with pytest.raises(ValueError, match=r"leaves out the script 'prep.py'"):
        pipeline.submit("exp")
    (Path(source) / "prep.py").unlink()
    with pytest.raises(ValueError, match=r"there is no script 'prep.py'"):
        pipeline.submit("exp")


def test_a_source_directory_that_is_too_large_is_v1s_exception(workspace: Any, client: Client, source: str) -> None:
    client.limits["snapshot_bytes"] = 1
    with pytest.raises(SnapshotException, match=r"Step 'prep.py': The source directory"):
        Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)]).submit("exp")


def test_finalize_tells_what_is_new(workspace: Any, client: Client, source: str) -> None:
    graph = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)]).graph
    assert [is_new for _, is_new in graph.finalize(dry_run=True).values()] == [True]
    assert client.snapshots == []
    assert [is_new for _, is_new in graph.finalize().values()] == [True]
    assert [is_new for _, is_new in graph.finalize().values()] == [False]


def test_a_pipeline_without_steps_is_refused_before_its_parameters(workspace: Any, client: Client) -> None:
    pipeline = Pipeline(workspace, steps=[])
    assert pipeline.validate() == ["The pipeline has no steps. Give it at least one: Pipeline(workspace, steps=[step])."]
    with pytest.raises(ValueError, match="The pipeline has no steps"):
        pipeline.submit("exp", pipeline_parameters={"rate": 1})
    assert client.submitted == []


def test_a_keyword_that_submit_does_not_know_is_named_and_ignored(
    workspace: Any, client: Client, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)])
    Experiment(workspace, "exp", _id="e1").submit(pipeline, foo=1, regenerate_outputs=True)
    assert [record.getMessage() for record in caplog.records] == ["Experiment.submit(Pipeline) has no argument 'foo'; it is ignored."]
    assert client.submitted[0]["regenerate_outputs"]


def test_an_empty_experiment_name_is_refused(workspace: Any, client: Client, source: str) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)])
    with pytest.raises(ValueError, match="which experiment"):
        pipeline.graph.submit()
    with pytest.raises(Exception, match="can't be the name of an experiment"):
        pipeline.submit("no spaces allowed")


@pytest.mark.parametrize("values", ["x", [("rate", 1)], 3])
def test_parameters_that_are_no_dictionary_are_refused(workspace: Any, client: Client, source: str, values: Any) -> None:
    pipeline = Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)])
    with pytest.raises(TypeError, match="pipeline_parameters must be a dictionary"):
        pipeline.submit("exp", pipeline_parameters=values)
    with pytest.raises(TypeError, match="tags must be a dictionary"):
        _submit_pipeline(pipeline, workspace, "exp", tags=values)


def test_a_value_of_a_foreign_type_gets_a_sentence_that_can_be_read(workspace: Any, client: Client, source: str) -> None:
    step = PythonScriptStep("prep.py", arguments=[PipelineParameter("count", 1)], source_directory=source)
    with pytest.raises(ValueError, match="Give an int of Python itself"):
        Pipeline(workspace, [step]).submit("exp", pipeline_parameters={"count": None})


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"outputs", b"logs"])
def test_a_file_that_can_not_travel_is_named_with_its_step(workspace: Any, client: Client, source: str, name: bytes) -> None:
    with open(os.path.join(os.fsencode(source), name), "w"):
        pass
    shown = name.decode("utf-8", "backslashreplace").replace("\\", "\\\\")
    with pytest.raises(SnapshotException, match=f"Step 'prep.py': .*'{shown}'.*Rename .*amlignore"):
        Pipeline(workspace, [PythonScriptStep("prep.py", source_directory=source)]).submit("exp")
    assert client.submitted == []
