"""Every member of PipelineRun and StepRun that this version has, through the public API and a real service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parts.homes import own_home

from azureml.core import Experiment, Run, Workspace
from azureml.core.run import get_run
from azureml.exceptions import ActivityFailedException, ServiceException
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, PipelineRun, StepRun, StepSequence
from azureml.pipeline.core.graph import Graph
from azureml.pipeline.steps import PythonScriptStep

MAKE = "import os, sys; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/made', 'w').write(sys.argv[2]); print('made', sys.argv[2])"


def build(workspace, folder: Path) -> Pipeline:
    out = PipelineData("out", datastore=workspace.get_default_datastore(), pipeline_output_name="result")
    word = PipelineParameter("word", "hello")
    PythonScriptStep("make.py", "make", [out, word], "local", outputs=[out], source_directory=str(folder))  # found through its output
    read = PythonScriptStep("read.py", "read", [out], "local", inputs=[out], source_directory=str(folder))
    return Pipeline(workspace, [read], description="a description")


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """A workspace in a home folder that the tests of this module share."""
    with own_home():
        yield Workspace.get("testing", subscription_id="sub", resource_group="group")


@pytest.fixture(scope="module")
def finished(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> PipelineRun:
    """A run that has finished; its experiment has no other."""
    folder = tmp_path_factory.mktemp("source")
    for name, text in {"make": MAKE, "read": "import os, sys; print(os.listdir(sys.argv[1]))"}.items():
        (folder / f"{name}.py").write_text(text)
    pipeline = build(workspace, folder)
    run = Experiment(workspace, "members").submit(pipeline, pipeline_parameters={"word": "bye"}, tags={"a": "b"})
    assert run.wait_for_completion(show_output=False) == "Finished"
    return run


def test_what_it_says_of_itself(finished: PipelineRun, workspace: Workspace):
    assert finished.get_status() == "Finished"
    assert finished.status == "Completed"
    assert finished.get_detailed_status()["status"] == "Finished"
    assert finished.type == "azureml.PipelineRun"
    assert finished.get_tags() == {"a": "b"}
    details = finished.get_details()
    assert details["status"] == "Completed"
    assert details["startTimeUtc"] <= details["endTimeUtc"]
    assert details["properties"]["azureml.parameters"] == '{"word": "bye"}'
    assert set(details["logFiles"]) >= {"logs/azureml/executionlogs.txt"}
    assert "error" not in details
    assert finished.experiment.name == "members"
    assert str(finished).startswith("Run(Experiment: members")
    assert finished.id in finished.get_portal_url()


def test_it_is_found_again_from_every_door(finished: PipelineRun, workspace: Workspace):
    found = [
        PipelineRun.get(workspace, finished.id),
        PipelineRun(Experiment(workspace, "members"), finished.id),
        Run.get(workspace, finished.id),
        get_run(Experiment(workspace, "members"), finished.id),
        workspace.get_run(finished.id),
        next(iter(Experiment(workspace, "members").get_runs())),
        finished.find_step_run("make")[0].parent,
    ]
    assert {type(run) for run in found} == {PipelineRun}
    assert {run.id for run in found} == {finished.id}
    with pytest.raises(ServiceException):
        PipelineRun(Experiment(workspace, "members"), "no-such-run")


def test_its_steps(finished: PipelineRun):
    steps = finished.get_steps()
    assert [step.name for step in steps] == [step.name for step in finished.get_children()] == ["read", "make"], "newest start first"
    assert [step.name for step in steps] == ["read", "make"], "it can be read once more"
    assert {type(step) for step in steps} == {StepRun}
    assert finished.find_step_run("mak") == []
    make = finished.find_step_run("make")[0]
    assert make.pipeline_run_id == finished.id
    assert make.get_status() == "Finished"
    assert make.status == "Completed"
    assert make.get_stdout_log() == make.get_job_log() == "made bye\n"
    assert make.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"] == "made bye\n"
    assert make.wait_for_completion(show_output=False) == "Finished"


def test_its_outputs(finished: PipelineRun, tmp_path: Path):
    result = finished.get_pipeline_output("result")
    assert result.name == "result"
    assert result.datastore_name == "workspaceblobstore"
    assert result.download(str(tmp_path)) == 1
    assert (tmp_path / result.path_on_datastore / "made").read_text() == "bye"
    assert result.download(str(tmp_path)) == 0, "what is there is kept"
    assert result.download(str(tmp_path), overwrite=True) == 1
    make = finished.find_step_run("make")[0]
    assert list(make.get_outputs()) == ["out"]
    assert make.get_output("out").get_port_data_reference().path_on_datastore == result.path_on_datastore
    with pytest.raises(KeyError):
        make.get_output("other")
    with pytest.raises(Exception, match="reslt"):
        finished.get_pipeline_output("reslt")


def test_its_output_is_the_input_of_another_pipeline(finished: PipelineRun, workspace, scripts):
    data = finished.find_step_run("make")[0].get_output_data("out")
    step = PythonScriptStep("read.py", "again", [data], "local", inputs=[data], source_directory=str(scripts(read=READ_ALL)))
    run = Experiment(workspace, "others").submit(Pipeline(workspace, [step]))
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.find_step_run("again")[0].get_job_log() == "bye\n"


READ_ALL = "import sys; print(open(sys.argv[1] + '/made').read())"


def test_its_graph(finished: PipelineRun):
    graph = finished.get_graph()
    assert isinstance(graph, Graph)
    assert graph is finished.get_graph()
    assert sorted(node.name for node in graph.module_nodes) == ["make", "read"]
    ids = {node.name: node.node_id for node in graph.module_nodes}
    assert ids["make"] == finished.find_step_run("make")[0].get_tags()["azureml.nodeid"]
    (edge,) = [edge for edge in graph.edges if edge.dest_port.node.name == "read"]
    assert (edge.source_port.node.name, edge.source_port.name) == ("make", "out")
    assert list(graph.params) == ["word"]


@pytest.mark.parametrize("member", ["complete", "fail", "child_run"])
def test_what_v1_refused_is_refused(finished: PipelineRun, member: str):
    for run in (finished, finished.find_step_run("make")[0]):
        with pytest.raises(NotImplementedError):
            getattr(run, member)()


def test_waiting_prints_what_v1_printed(workspace, scripts, capsys):
    pipeline = build(workspace, scripts(make=MAKE, read="print('a line of the script')"))
    run = Experiment(workspace, "others").submit(pipeline)
    assert f"Submitted PipelineRun {run.id}" in capsys.readouterr().out
    assert run.wait_for_completion() == "Finished"
    shown = capsys.readouterr().out
    for words in (
        f"PipelineRunId: {run.id}",
        "PipelineRun Status: ",
        "StepRun( read ) Status: Finished",
        "StepRun(read) Execution Summary",
        "a line of the script",
        "PipelineRun Execution Summary",
    ):
        assert words in shown


def test_waiting_may_end_early(workspace, scripts):
    step = PythonScriptStep("slow.py", compute_target="local", source_directory=str(scripts(slow="import time; time.sleep(600)")))
    run = Experiment(workspace, "waiting").submit(Pipeline(workspace, [step]))
    for show_output in (True, False):
        assert run.wait_for_completion(show_output=show_output, timeout_seconds=0.5) == "Running"
    run.cancel()
    assert run.wait_for_completion() == "Canceled"


def test_a_failure_raises_or_is_printed(workspace, scripts, capsys):
    step = PythonScriptStep("bad.py", "bad", compute_target="local", source_directory=str(scripts(bad="raise ValueError('odd')")))
    run = Experiment(workspace, "others").submit(Pipeline(workspace, [step]))
    with pytest.raises(ActivityFailedException, match="odd"):
        run.wait_for_completion()
    capsys.readouterr()
    assert run.wait_for_completion(raise_on_error=False) == "Failed"
    assert "odd" in capsys.readouterr().out


def test_parents_and_children_of_pipelines(workspace, scripts):
    folder = scripts(a="print(1)")
    experiment = Experiment(workspace, "others")
    parent = experiment.submit(Pipeline(workspace, [PythonScriptStep("a.py", compute_target="local", source_directory=str(folder))]))
    inner = Pipeline(workspace, [PythonScriptStep("a.py", "inner", compute_target="local", source_directory=str(folder))])
    child = experiment.submit(inner, parent_run_id=parent.id)
    assert child.parent.id == parent.id
    assert child.wait_for_completion(show_output=False) == "Finished"
    assert parent.wait_for_completion(show_output=False) == "Finished"


def test_order_without_data(workspace, scripts, tmp_path: Path):
    ledger = tmp_path / "ledger"
    folder = scripts(note=f"import sys; open({str(ledger)!r}, 'a').write(sys.argv[1])")

    def note(name: str) -> PythonScriptStep:
        return PythonScriptStep("note.py", name, [name], "local", source_directory=str(folder), allow_reuse=False)

    sequence = StepSequence(steps=[note("a"), [note("b"), note("c")], note("d")])
    run = Experiment(workspace, "others").submit(Pipeline(workspace, sequence))
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert ledger.read_text() in ("abcd", "acbd")
