"""Every name on the page of `PipelineRun` in v1's documentation, used as that page says: one test each, called as the name is."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parts.homes import own_home

from azureml.core import Experiment, Run, Workspace
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, PipelineRun, PortDataReference, PublishedPipeline, StepRun
from azureml.pipeline.core.graph import Graph
from azureml.pipeline.steps import PythonScriptStep

NAMES = (
    "constructor",
    "cancel",
    "child_run",
    "complete",
    "fail",
    "find_step_run",
    "get",
    "get_graph",
    "get_pipeline_output",
    "get_pipeline_runs",
    "get_status",
    "get_steps",
    "get_tags",
    "publish_pipeline",
    "save",
    "wait_for_completion",
)

MAKE = "import os, sys; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/made', 'w').write(sys.argv[2]); print('made', sys.argv[2])"
READ = "import sys; print('read', open(sys.argv[1] + '/made').read())"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with own_home():
        folder = tmp_path_factory.mktemp("page")
        for name, text in {"make": MAKE, "read": READ, "wait": "import time; time.sleep(600)", "fail": "raise SystemExit(3)"}.items():
            (folder / f"{name}.py").write_text(text)
        with inside(folder):
            yield Workspace.get("page", subscription_id="sub", resource_group="group")


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Be in a folder, as a script is in its own."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def submit(workspace: Workspace, script: str) -> PipelineRun:
    """Submit a pipeline of one step to an experiment that is named after its script."""
    return Experiment(workspace, script).submit(Pipeline(workspace, [PythonScriptStep(f"{script}.py", script, compute_target="local")]))


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> PipelineRun:
    """A run that has finished, of two steps with an output between them and a parameter."""
    out = PipelineData("out", datastore=workspace.get_default_datastore(), pipeline_output_name="result")
    word = PipelineParameter("word", "hello")
    make = PythonScriptStep("make.py", "make", [out, word], "local", outputs=[out])
    read = PythonScriptStep("read.py", "read", [out], "local", inputs=[out])
    pipeline = Pipeline(workspace, [make, read])
    submitted: PipelineRun = Experiment(workspace, "page").submit(pipeline, pipeline_parameters={"word": "bye"}, tags={"kind": "page"})
    assert submitted.wait_for_completion(show_output=False) == "Finished"
    return submitted


def test_constructor(workspace: Workspace, run: PipelineRun) -> None:
    experiment = Experiment(workspace, "page")
    found = PipelineRun(experiment, run.id)
    assert isinstance(found, Run)
    assert (found.id, found.experiment.name, found.get_status()) == (run.id, "page", "Finished")
    assert PipelineRun(experiment=experiment, run_id=run.id, _service_endpoint=None).id == run.id
    with pytest.raises(Exception, match="no run with the id 'nothing'"):
        PipelineRun(experiment, "nothing")


def test_cancel(workspace: Workspace) -> None:
    waiting = submit(workspace, "wait")
    waiting.cancel()
    assert waiting.wait_for_completion(show_output=False) == "Canceled"
    assert waiting.get_status() == "Canceled"


def test_child_run(run: PipelineRun) -> None:
    with pytest.raises(NotImplementedError, match=r"child_run\(\) is unsupported for a pipeline run"):
        run.child_run(name=None, run_id=None, outputs=None)


def test_complete(run: PipelineRun) -> None:
    with pytest.raises(NotImplementedError, match=r"complete\(\) is unsupported for a pipeline run"):
        run.complete()


def test_fail(run: PipelineRun) -> None:
    with pytest.raises(NotImplementedError, match=r"fail\(\) is unsupported for a pipeline run"):
        run.fail()


def test_find_step_run(run: PipelineRun) -> None:
    (step,) = run.find_step_run("make")
    assert isinstance(step, StepRun)
    assert (step.name, step.get_status()) == ("make", "Finished")
    assert run.find_step_run(name="nothing") == []


def test_get(workspace: Workspace, run: PipelineRun) -> None:
    found = PipelineRun.get(workspace, run.id)
    assert type(found) is PipelineRun
    assert (found.id, found.experiment.name) == (run.id, "page")
    assert PipelineRun.get(workspace=workspace, run_id=run.id, _service_endpoint=None).id == run.id


def test_get_graph(run: PipelineRun) -> None:
    graph = run.get_graph()
    assert isinstance(graph, Graph)
    assert sorted(node.name for node in graph.module_nodes) == ["make", "read"]
    assert [(edge.source_port.node.name, edge.dest_port.node.name) for edge in graph.edges] == [("make", "read")]
    assert run.get_graph() is graph


def test_get_pipeline_output(run: PipelineRun, tmp_path: Path) -> None:
    output = run.get_pipeline_output("result")
    assert isinstance(output, PortDataReference)
    assert output.download(str(tmp_path)) == 1
    (made,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert made.read_text() == "bye"


def test_get_pipeline_runs(workspace: Workspace, run: PipelineRun) -> None:
    published = run.publish_pipeline("for its runs", "d", "1")
    assert PipelineRun.get_pipeline_runs(workspace, published.id) == []
    runs = [published.submit(workspace, "called") for _ in range(2)]
    found = PipelineRun.get_pipeline_runs(workspace=workspace, pipeline_id=published.id)
    assert isinstance(found, list)
    assert [(type(item), item.id) for item in found] == [(PipelineRun, item.id) for item in reversed(runs)]
    assert [item.wait_for_completion(show_output=False) for item in found] == ["Finished", "Finished"]


def test_get_status(workspace: Workspace, run: PipelineRun) -> None:
    assert run.get_status() == "Finished"
    failing = submit(workspace, "fail")
    assert failing.get_status() in ("NotStarted", "Running", "Failed")
    failing.wait_for_completion(show_output=False, raise_on_error=False)
    assert failing.get_status() == "Failed"


def test_get_steps(run: PipelineRun) -> None:
    steps = run.get_steps()
    assert [(type(step), step.name) for step in steps] == [(StepRun, "read"), (StepRun, "make")], "the newest start comes first"
    assert len(list(steps)) == 2


def test_get_tags(run: PipelineRun) -> None:
    assert run.get_tags() == {"kind": "page"}
    PipelineRun.get(run.experiment.workspace, run.id).tag("seen", "yes")
    assert run.get_tags() == {"kind": "page", "seen": "yes"}
    run.remove_tags(["seen"])


def test_publish_pipeline(workspace: Workspace, run: PipelineRun) -> None:
    published = run.publish_pipeline(name="again", description="what ran", version="2", continue_on_step_failure=True)
    assert isinstance(published, PublishedPipeline)
    assert (published.name, published.description, published.version) == ("again", "what ran", "2")
    assert (published.status, published.continue_on_step_failure, published.total_run_steps) == ("Active", True, 2)
    assert "PipelineSubmit" in published.endpoint
    called = Experiment(workspace, "called").submit(published)
    assert called.wait_for_completion(show_output=False) == "Finished"
    assert called.find_step_run("read")[0].get_job_log().strip() == "read hello", "parameters have their defaults again"
    with pytest.raises(TypeError):
        run.publish_pipeline("only a name")  # type: ignore[call-arg]


def test_save(workspace: Workspace, run: PipelineRun, tmp_path: Path) -> None:
    run.save(path=str(tmp_path / "own.yml"))
    run.save(str(tmp_path))
    with inside(tmp_path):
        (tmp_path / "pipeline.yml").rename("first.yml")
        run.save()
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(texts) == {"own.yml", "first.yml", "pipeline.yml"}
    assert len(set(texts.values())) == 1
    loaded = Pipeline.load_yaml(workspace, str(tmp_path / "pipeline.yml"))
    again = Experiment(workspace, "loaded").submit(loaded)
    assert again.wait_for_completion(show_output=False) == "Finished"
    assert [step.name for step in again.get_steps()] == ["read", "make"]


def test_wait_for_completion(workspace: Workspace) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        failing = submit(workspace, "fail")
        assert failing.wait_for_completion(show_output=True, raise_on_error=False) == "Failed"
    assert f"PipelineRunId: {failing.id}" in out.getvalue()
    assert "PipelineRun Execution Summary" in out.getvalue()
    with pytest.raises(Exception, match="fail"):
        failing.wait_for_completion(show_output=False)
    waiting = submit(workspace, "wait")
    assert waiting.wait_for_completion(show_output=False, timeout_seconds=0) in ("NotStarted", "Running")
    waiting.cancel()
    assert waiting.wait_for_completion(show_output=False) == "Canceled"


def test_every_name_of_the_page_has_a_test() -> None:
    assert [name for name in NAMES if f"test_{name}" not in globals()] == []
