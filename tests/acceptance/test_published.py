"""Published pipelines and their endpoints as v1's users write them, against a real service."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.parts.homes import own_home

from azureml.core import Dataset, Experiment, Workspace
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import ServiceException, UserErrorException
from azureml.pipeline.core import Pipeline, PipelineEndpoint, PipelineParameter, PipelineRun, PublishedPipeline
from azureml.pipeline.core.graph import Graph
from azureml.pipeline.core.pipeline_endpoint import PipelineIdVersion, PipelineVersion
from azureml.pipeline.steps import PythonScriptStep

SAY = "import sys; print('said', *sys.argv[1:])"
FAIL = "raise SystemExit(3)"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder for this module, and a source folder in which scripts lie."""
    with own_home():
        folder = tmp_path_factory.mktemp("source")
        (folder / "say.py").write_text(SAY)
        (folder / "fail.py").write_text(FAIL)
        yield folder


@pytest.fixture
def workspace(place: Path, request: pytest.FixtureRequest) -> Workspace:
    """A workspace of the test's own."""
    return Workspace.create(f"ws-{abs(hash(request.node.nodeid)) % 10**9}", subscription_id="sub", resource_group="group", exist_ok=True)


def build(workspace: Workspace, place: Path, **more: Any) -> Pipeline:
    word, count = PipelineParameter("word", "hello"), PipelineParameter("count", 1)
    return Pipeline(workspace, [PythonScriptStep("say.py", "say", [word, count], "local", source_directory=str(place))], **more)


def said(run: PipelineRun) -> str:
    assert run.wait_for_completion(show_output=False) == "Finished"
    return str(run.find_step_run("say")[0].get_job_log()).strip()


# Published pipelines


def test_a_published_pipeline_is_run_again_and_again(workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published = build(workspace, place).publish(name="Say it", description="says it", version="1.0", continue_on_step_failure=False)
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert line.startswith("Created step say [")
    assert line.endswith("(This step will run and generate new outputs)")
    first = published.submit(workspace, "first")
    assert f"Submitted PipelineRun {first.id}\nLink to Azure Machine Learning Portal: {first.get_portal_url()}\n" in capsys.readouterr().out
    second = Experiment(workspace, "second").submit(published, tags={"a": "b"}, pipeline_parameters={"word": "bye", "count": 2})
    assert type(first) is type(second) is PipelineRun
    assert (said(first), said(second)) == ("said hello 1", "said bye 2")
    assert (first.experiment.name, second.experiment.name, second.get_tags()) == ("first", "second", {"a": "b"})
    assert first.get_details()["properties"]["azureml.pipelineid"] == published.id
    assert [run.id for run in PipelineRun.get_pipeline_runs(workspace, published.id)] == [second.id, first.id]
    build(workspace, place).publish("Say it")
    assert "(This step is eligible to reuse a previous run's output)" in capsys.readouterr().out


def test_what_a_published_pipeline_says_of_itself(workspace: Workspace, place: Path) -> None:
    published = build(workspace, place).publish("Say it", "says it", 2.5, continue_on_step_failure=True)
    found = PublishedPipeline.get(workspace, published.id)
    for made in (published, found):
        assert (made.name, made.description, made.version, made.status) == ("Say it", "says it", "2.5", "Active")
        assert (made.total_run_steps, made.continue_on_step_failure, made.workspace.name) == (1, True, workspace.name)
        assert made.graph_id == published.graph_id
    assert found.get_step_names() == ["say"]
    graph = found.get_graph()
    assert isinstance(graph, Graph)
    assert graph.params["word"].default_value == "hello"
    assert found.endpoint.startswith("http://127.0.0.1:")
    assert found.endpoint.endswith(f"/PipelineRuns/PipelineSubmit/{found.id}")
    assert str(found).splitlines() == ["Pipeline(Name: Say it,", f"Id: {found.id},", "Status: Active,", f"Endpoint: {found.endpoint})"]
    assert f"/pipelines/{found.id}?wsid=" in found.get_portal_url()
    assert found.endpoint in found._repr_html_()
    assert found.id in repr(found)


def test_a_pipeline_that_says_nothing_is_named_by_its_description(workspace: Workspace, place: Path) -> None:
    assert build(workspace, place, description="nightly").publish().name == "nightly"
    assert build(workspace, place).publish().name == "Pipeline"


def test_disabled_ones_are_not_listed_and_do_not_run(workspace: Workspace, place: Path) -> None:
    old, new = build(workspace, place).publish("old"), build(workspace, place).publish("new")
    assert [item.id for item in PublishedPipeline.list(workspace)] == [new.id, old.id]
    old.disable()
    assert (old.status, PublishedPipeline.get(workspace, old.id).status) == ("Disabled", "Disabled")
    assert [item.id for item in PublishedPipeline.list(workspace)] == [new.id]
    assert [item.id for item in PublishedPipeline.get_all(workspace, active_only=False)] == [new.id, old.id]
    with pytest.raises(ServiceException, match="is Disabled") as caught:
        old.submit(workspace, "first")
    assert caught.value.status_code == 409
    old.enable()
    assert said(old.submit(workspace, "first")) == "said hello 1"


def test_data_can_be_changed_at_submission(workspace: Workspace, place: Path) -> None:
    store = workspace.get_default_datastore()
    for name in ("one", "two"):
        (place / f"{name}.csv").write_text(f"a\n{name}\n")
        store.upload_files([str(place / f"{name}.csv")], target_path=name, show_progress=False)
    path = PipelineParameter("where", DataPath(store, "one"))
    files = PipelineParameter("files", Dataset.File.from_files((store, "one/*.csv")))
    where = (path, DataPathComputeBinding(mode="mount"))
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

    consumed = DatasetConsumptionConfig("files", files).as_download()
    source = place.parent / "reading"
    source.mkdir(exist_ok=True)
    (source / "read.py").write_text(
        "import os, sys; print('said', *[name for folder in sys.argv[1:] for name in sorted(os.listdir(folder))])"
    )
    step = PythonScriptStep("read.py", "say", [where, consumed], "local", inputs=[where, consumed], source_directory=str(source))
    published = Pipeline(workspace, [step]).publish("reads")
    assert said(published.submit(workspace, "data")) == "said one.csv one.csv"
    changed = {"where": DataPath(store, "two"), "files": Dataset.File.from_files((store, "two/*.csv"))}
    assert said(published.submit(workspace, "data", changed)) == "said two.csv two.csv"


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"wrod": "x"}, ServiceException, "Did you mean 'word'"),
        ({"count": "many"}, ServiceException, "takes a whole number"),
        ({"count": np.int64(3)}, ValueError, r"\.item\(\)"),
        ({"word": object()}, ValueError, "builtins.object"),
        ({"word": PipelineParameter("other", "x")}, ValueError, "PipelineParameter"),
        (["word"], TypeError, "must be a dictionary"),
    ],
)
def test_wrong_values_are_refused(workspace: Workspace, place: Path, parameters: Any, error: type[Exception], words: str) -> None:
    published = build(workspace, place).publish("Say it")
    with pytest.raises(error, match=words):
        published.submit(workspace, "first", parameters)
    assert PipelineRun.get_pipeline_runs(workspace, published.id) == []


def test_mistakes_name_what_is_wrong(workspace: Workspace, place: Path) -> None:
    published = build(workspace, place).publish("Say it")
    with pytest.raises(ServiceException, match=f"newest of this name has the id '{published.id}'"):
        PublishedPipeline.get(workspace, "Say it")
    with pytest.raises(ServiceException, match="no published pipeline"):
        PipelineRun.get_pipeline_runs(workspace, "nothing")
    with pytest.raises(UserErrorException, match="name of an experiment"):
        published.submit(workspace, "no spaces")
    with pytest.raises(ValueError, match="has no steps"):
        Pipeline(workspace, []).publish("nothing")
    with pytest.raises(ValueError, match="does not know 'notify'"):
        published.submit(workspace, "first").publish_pipeline("n", "d", "1", notify=True)


def test_whether_a_run_goes_on_after_a_failure_is_published_and_overridden(workspace: Workspace, place: Path) -> None:
    steps = [
        PythonScriptStep("fail.py", "fail", compute_target="local", source_directory=str(place)),
        PythonScriptStep("say.py", "say", ["later"], "local", source_directory=str(place)),
    ]
    published = Pipeline(workspace, steps).publish("fails", continue_on_step_failure=True)
    stored = published.submit(workspace, "goes-on")
    other = published.submit(workspace, "stops", continue_on_step_failure=False)
    asked = Experiment(workspace, "asked").submit(published, continue_on_step_failure=None)
    goes_on = [run.get_details()["properties"]["azureml.continue_on_step_failure"] for run in (stored, other, asked)]
    assert goes_on == ["True", "False", "True"]
    assert stored.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    assert stored.find_step_run("say")[0].get_status() == "Finished"


def test_a_published_pipeline_is_saved_as_yaml(workspace: Workspace, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = build(workspace, place).publish("Say it")
    published.save(str(tmp_path / "own.yml"))
    monkeypatch.chdir(tmp_path)
    published.save()
    saved = sorted(path.name for path in tmp_path.glob("*.yml"))
    assert len(saved) == 2
    for name in saved:
        loaded = Pipeline.load_yaml(workspace, name)
        assert said(Experiment(workspace, "loaded").submit(loaded, pipeline_parameters={"word": name})) == f"said {name} 1"


def test_a_run_below_another_belongs_to_it(workspace: Workspace, place: Path) -> None:
    published = build(workspace, place).publish("Say it")
    parent = Experiment(workspace, "family").start_logging()
    by_keyword = published.submit(workspace, "family", parent_run_id=parent.id)
    by_parent = parent.submit_child(published)
    for child in (by_keyword, by_parent):
        assert said(child) == "said hello 1"
        assert child.parent.id == parent.id
    parent.complete()


# Endpoints


def test_an_endpoint_runs_its_default_or_the_version_that_is_named(
    workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = build(workspace, place).publish("Say it")
    endpoint = PipelineEndpoint.publish(workspace=workspace, name="main", pipeline=published, description="the one")
    assert (endpoint.name, endpoint.description, endpoint.status, endpoint.default_version) == ("main", "the one", "Active", "0")
    endpoint.add_default(build(workspace, place))
    assert endpoint.get_pipeline().name.startswith("main-")
    assert endpoint.get_pipeline().name.endswith("-Pipeline")
    capsys.readouterr()
    default, named = endpoint.submit("calls", {"word": "bye"}), endpoint.submit("calls", pipeline_version="0")
    assert capsys.readouterr().out == "", "v1 prints nothing here"
    third = Experiment(workspace, "calls").submit(endpoint, pipeline_parameters={"word": "3rd"}, pipeline_version="0", tags={"a": "b"})
    assert (said(default), said(named), said(third)) == ("said bye 1", "said hello 1", "said 3rd 1")
    ran = [run.get_details()["properties"]["azureml.pipelineid"] for run in (default, named, third)]
    assert ran == [endpoint.get_pipeline().id, published.id, published.id]
    assert third.get_tags() == {"a": "b"}


def test_versions_are_added_listed_and_chosen(workspace: Workspace, place: Path) -> None:
    pipelines = [build(workspace, place).publish(f"p{number}") for number in range(3)]
    endpoint = PipelineEndpoint.publish(workspace, "main", "d", pipelines[0])
    endpoint.add(pipelines[1])
    assert (endpoint.default_version, endpoint.get_default_version()) == ("0", "0")
    endpoint.add_default(pipelines[2])
    found = PipelineEndpoint.get(workspace, name="main")
    assert (found.id, found.default_version) == (endpoint.id, "2")
    assert [(type(item), item.version, item.pipeline_id) for item in found.pipeline_version_list] == [
        (PipelineIdVersion, str(number), pipeline.id) for number, pipeline in enumerate(pipelines)
    ]
    for versions in (found.list_versions(), found.get_all_versions()):
        assert [(type(item), item.version, item.pipeline.name) for item in versions] == [
            (PipelineVersion, str(number), f"p{number}") for number in range(3)
        ]
    pipelines[1].disable()
    assert [item.name for item in found.list_pipelines()] == ["p0", "p2"]
    assert [item.name for item in found.get_all_pipelines(active_only=False)] == ["p0", "p1", "p2"]
    found.set_default_version("0")
    assert (found.default_version, endpoint.default_version, endpoint.get_default_version()) == ("0", "2", "0")
    found.set_default(pipelines[2])
    assert (found.get_pipeline().id, found.get_pipeline("1").id) == (pipelines[2].id, pipelines[1].id)


def test_what_endpoints_refuse(workspace: Workspace, place: Path) -> None:
    first, second = build(workspace, place).publish("first"), build(workspace, place).publish("second")
    endpoint = PipelineEndpoint.publish(workspace, "main", "d", first)
    run = first.submit(workspace, "calls")
    for refused, words in (
        (lambda: PipelineEndpoint.publish(workspace, "main", "d", second), "'main' already"),
        (lambda: PipelineEndpoint.publish(workspace, "new", "d", run), "publish_pipeline"),
        (lambda: PipelineEndpoint.publish(workspace, "new", "d", None), "not a NoneType"),
        (lambda: PipelineEndpoint.get(workspace), "name its id or its name".capitalize()),
        (lambda: endpoint.add(first), "is version 0 of this endpoint already"),
        (lambda: endpoint.set_default_version("7"), "no version '7'"),
        (lambda: endpoint.set_default(second), "Add it first"),
        (lambda: endpoint.set_default("0"), "not a str"),
        (lambda: endpoint.get_pipeline("7"), "no version '7'"),
        (lambda: endpoint.submit("calls", pipeline_version="7"), "no version '7'"),
    ):
        with pytest.raises(ValueError, match=words):
            refused()
    with pytest.raises(ServiceException, match="Did you mean 'main'"):
        PipelineEndpoint.get(workspace, name="mian")
    with pytest.raises(ServiceException, match="endpoint with the id 'x'"):
        PipelineEndpoint.get(workspace, id="x", name="main")
    assert len(PipelineEndpoint.list(workspace)) == 1
    assert len(PublishedPipeline.list(workspace)) == 2, "nothing was published in vain"


def test_an_endpoint_is_renamed_disabled_archived_and_brought_back(workspace: Workspace, place: Path) -> None:
    published = build(workspace, place).publish("Say it")
    endpoint = PipelineEndpoint.publish(workspace, "main", "d", published)
    endpoint.set_name("renamed")
    assert PipelineEndpoint.get(workspace, name="renamed").id == endpoint.id
    endpoint.disable()
    assert (endpoint.status, PipelineEndpoint.list(workspace), len(PipelineEndpoint.list(workspace, active_only=False))) == (
        "Disabled",
        [],
        1,
    )
    with pytest.raises(ValueError, match="is Disabled"):
        endpoint.submit("calls")
    endpoint.enable()
    stale = PipelineEndpoint.get(workspace, id=endpoint.id)
    endpoint.archive()
    assert (endpoint.status, endpoint.name != "renamed") == ("Disabled", True)
    with pytest.raises(ServiceException, match="is Disabled"):  # the object does not know; the service does
        stale.submit("calls")
    other = PipelineEndpoint.publish(workspace, "renamed", "the name is free", published)
    with pytest.raises(ServiceException, match="'renamed' already"):
        endpoint.reactivate("renamed")
    back = endpoint.reactivate("back")
    assert (back.id, back.name, back.status) == (endpoint.id, "back", "Active")
    assert [item.id for item in PipelineEndpoint.get_all(workspace)] == [other.id, back.id]
    assert [item.id for item in PipelineEndpoint.list(workspace, max_results=1)] == [other.id]
    assert PipelineEndpoint.list(workspace, max_results=0) == []


def test_an_endpoint_has_addresses(workspace: Workspace, place: Path) -> None:
    endpoint = PipelineEndpoint.publish(workspace, "main", "d", build(workspace, place).publish("Say it"))
    assert endpoint.endpoint.endswith(f"/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.id}")
    assert endpoint.swaggerurl.endswith("/pipelines/swagger/pipelineendpointsubmit/swagger.json")


def test_every_name_of_an_endpoint_is_used_here() -> None:
    source = inspect.getsource(inspect.getmodule(test_every_name_of_an_endpoint_is_used_here))  # type: ignore[arg-type]
    for kind in (PipelineEndpoint, PublishedPipeline):
        public = [name for name in vars(kind) if not name.startswith("_")]
        assert [name for name in public if f".{name}" not in source] == []
