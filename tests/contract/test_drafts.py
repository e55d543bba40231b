"""Drafts: made, cloned, changed, submitted, published and deleted through v1's class, with a real service behind it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Experiment, Workspace
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import ServiceException, UserErrorException
from azureml.pipeline.core import Pipeline, PipelineDraft, PipelineParameter, PublishedPipeline
from azureml.pipeline.core._errors import PipelineParameterError
from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException
from azureml.pipeline.core.graph import Graph
from azureml.pipeline.steps import PythonScriptStep
from penstock.cli.main import main
from penstock.model.errors import Invalid, InvalidGraph, NotFound, TooLarge
from penstock.model.graph import Parameter, PipelineGraph, StepNode, StepParameter, format_graph
from penstock.operations.pipeline_drafts import ORIGIN

GRAPH = PipelineGraph(
    "kept",
    (StepNode("s", "only", script="s.py", parameters=(StepParameter("rate", pipeline_parameter="rate"),)),),
    parameters=(Parameter("rate", "int", 3),),
)


@pytest.fixture
def workspace(rest: Any, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace of the test's own, as v1's class, on the service of this process."""
    monkeypatch.setenv("PENSTOCK_HOME", str(rest.home.path))
    monkeypatch.delenv("AZUREML_RUN_ID", raising=False)
    name = f"ws-{uuid.uuid4().hex[:12]}"
    rest.workspace_id = rest.client.create_workspace(name, "sub", "group")["id"]
    return Workspace.get(name, subscription_id="sub", resource_group="group")


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "train.py").write_text("print('training')")
    return str(tmp_path)


def make_pipeline(workspace: Workspace, source: str, name: str = "train", **defaults: Any) -> Pipeline:
    values = [PipelineParameter(key, value) for key, value in defaults.items()]
    step = PythonScriptStep("train.py", name=name, source_directory=source, compute_target="local", arguments=values)
    return Pipeline(workspace, steps=[step])


@pytest.fixture
def draft(workspace: Workspace, source: str) -> PipelineDraft:
    return PipelineDraft.create(
        workspace,
        make_pipeline(workspace, source, rate=3, label="x"),
        name="Kept",
        description="a draft",
        experiment_name="drafts",
        pipeline_parameters={"rate": 5},
        continue_on_step_failure=True,
        tags={"dev": "true"},
        properties={"why": "test"},
    )


def record(draft: PipelineDraft) -> dict[str, Any]:
    found: dict[str, Any] = draft._workspace._client.get_draft(draft._workspace._id, draft.id)
    return found


# Making


def test_a_draft_says_what_it_is(workspace: Workspace, draft: PipelineDraft) -> None:
    found = PipelineDraft.get(workspace, draft.id)
    assert (found.name, found.description, found.tags, found.properties) == ("Kept", "a draft", {"dev": "true"}, {"why": "test"})
    assert (found.parent_pipeline_id, found.parent_pipeline_run_id, found.parent_pipeline_draft_id) == (None, None, None)
    assert (found.parent_step_run_ids, found.last_submitted_pipeline_run_id) == ([], None)
    assert str(found) == (
        f"Pipeline(Name: Kept,\nId: {draft.id},\nTags: {{'dev': 'true'}},\nProperties: {{'why': 'test'}},\n"
        "Last Submitted Pipeline Run Id: None)"
    )
    assert (record(draft)["parameters"], record(draft)["continue_on_step_failure"]) == ({"rate": 5}, True)
    graph = found.get_graph()
    assert isinstance(graph, Graph)
    assert ([node.name for node in graph.module_nodes], graph.params["rate"].default_value) == (["train"], 5)


def test_drafts_are_listed_by_tags(workspace: Workspace, source: str, draft: PipelineDraft) -> None:
    other = PipelineDraft.create(workspace, draft, tags={"dev": "true", "odd": "1"})
    assert [item.id for item in PipelineDraft.list(workspace)] == [other.id, draft.id]
    for tags, count in (({"dev": "true"}, 2), ({"dev": "true", "odd": "1"}, 1), ({"dev": None}, 2), ("odd", 1), ({"dev": "false"}, 0)):
        assert len(PipelineDraft.list(workspace, tags=tags)) == count


def test_a_pipeline_needs_a_name_and_an_experiment(workspace: Workspace, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = make_pipeline(workspace, source)
    capsys.readouterr()
    PipelineDraft.create(workspace, pipeline, name="n", experiment_name="e").delete()
    assert capsys.readouterr().out.startswith("Created step train [")
    with pytest.raises(ValueError, match="needs name"):
        PipelineDraft.create(workspace, pipeline, experiment_name="e")
    with pytest.raises(ValueError, match="needs experiment_name"):
        PipelineDraft.create(workspace, pipeline, name="n")
    with pytest.raises(UserErrorException, match="can't be the name of an experiment"):
        PipelineDraft.create(workspace, pipeline, name="n", experiment_name="a b")
    with pytest.raises(ValueError, match="not of 'pipeline', a str"):
        PipelineDraft.create(workspace, "pipeline", name="n", experiment_name="e")
    with pytest.raises(PipelineParameterError, match="no parameter 'rat'"):
        PipelineDraft.create(workspace, pipeline, name="n", experiment_name="e", pipeline_parameters={"rat": 1})
    assert PipelineDraft.list(workspace) == []


def test_data_paths_are_kept(workspace: Workspace, source: str) -> None:
    store = workspace.get_default_datastore()
    pair = (PipelineParameter("where", DataPath(store, "raw")), DataPathComputeBinding(mode="mount"))
    step = PythonScriptStep("train.py", source_directory=source, compute_target="local", inputs=[pair], arguments=[pair])
    made = PipelineDraft.create(
        workspace, Pipeline(workspace, steps=[step]), "n", experiment_name="e", pipeline_parameters={"where": DataPath(store, "new")}
    )
    assert record(made)["parameters"] == {"where": {"datastore": "workspaceblobstore", "path": "new"}}
    assert made.submit_run()._record["parameters"]["where"]["path"] == "new"


# Cloning


def test_a_clone_of_a_draft_is_as_the_original_where_nothing_else_is_said(workspace: Workspace, draft: PipelineDraft) -> None:
    same = PipelineDraft.create(workspace, draft)
    assert (same.name, same.description, same.tags, same.properties) == (draft.name, draft.description, draft.tags, draft.properties)
    assert same.parent_pipeline_draft_id == draft.id != same.id
    members = ("experiment_name", "graph_id", "parameters", "continue_on_step_failure")
    assert {name: record(same)[name] for name in members} == {name: record(draft)[name] for name in members}


def test_a_clone_takes_what_is_said(workspace: Workspace, draft: PipelineDraft) -> None:
    made = PipelineDraft.create(
        workspace,
        draft,
        name="Other",
        description="d",
        experiment_name="else",
        pipeline_parameters={"label": "y"},
        continue_on_step_failure=False,
        tags={"a": "b"},
        properties={"c": "d"},
    )
    assert (made.name, made.description, made.tags, made.properties) == ("Other", "d", {"a": "b"}, {"c": "d"})
    found = record(made)
    assert (found["experiment_name"], found["parameters"], found["continue_on_step_failure"]) == ("else", {"label": "y"}, False)
    with pytest.raises(PipelineParameterError):
        PipelineDraft.create(workspace, draft, pipeline_parameters={"nothing": 1})


def test_a_run_becomes_a_draft(workspace: Workspace, draft: PipelineDraft) -> None:
    run = Experiment(workspace, "origin").submit(draft)
    made = PipelineDraft.create(workspace, run, name="again")
    assert (made.name, made.parent_pipeline_run_id, len(made.parent_step_run_ids)) == ("again", run.id, 1)
    assert (record(made)["experiment_name"], record(made)["parameters"]) == ("origin", {"rate": 5, "label": "x"})
    assert PipelineDraft.create(workspace, run).name == "origin"


def test_a_published_pipeline_becomes_a_draft(workspace: Workspace, draft: PipelineDraft, source: str) -> None:
    made = PipelineDraft.create(workspace, draft.publish())
    assert (made.name, made.description, made.tags, made.properties) == ("Kept", "a draft", {"dev": "true"}, {"why": "test"})
    assert (record(made)["experiment_name"], record(made)["parameters"]) == ("Kept", {})
    assert made.get_graph().params["rate"].default_value == 5
    published = make_pipeline(workspace, source).publish(name="a strange/name")
    assert record(PipelineDraft.create(workspace, published))["experiment_name"] == "a-strange-name"


# Changing


def test_an_update_changes_what_is_given(workspace: Workspace, draft: PipelineDraft, source: str) -> None:
    before = record(draft)
    draft.update(name="New")
    assert {**before, "name": "New"} == {**record(draft), "modified_at": before["modified_at"]}
    draft.update(description="d", experiment_name="e", tags={"a": "b"}, pipeline_parameters={"label": "z"}, continue_on_step_failure=False)
    after = record(draft)
    assert (after["description"], after["experiment_name"], after["tags"]) == ("d", "e", {"a": "b"})
    assert (after["parameters"], after["continue_on_step_failure"], draft.tags) == ({"label": "z"}, False, {"a": "b"})
    draft.update(tags={}, pipeline_parameters={})
    assert (draft.tags, record(draft)["parameters"]) == ({}, {})


def test_an_update_changes_the_pipeline(
    workspace: Workspace, draft: PipelineDraft, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    draft.update(pipeline=make_pipeline(workspace, source, "retrain", rate=1))
    assert capsys.readouterr().out.startswith("Created step retrain [")
    assert [node.name for node in PipelineDraft.get(workspace, draft.id).get_graph().module_nodes] == ["retrain"]
    assert record(draft)["parameters"] == {"rate": 5}
    with pytest.raises(UserErrorException, match=r"do not fit its new pipeline\. Give pipeline_parameters too"):
        draft.update(pipeline=make_pipeline(workspace, source, other=1))
    draft.update(pipeline=make_pipeline(workspace, source, other=1), pipeline_parameters={"other": 2})
    assert record(draft)["parameters"] == {"other": 2}


def test_what_an_update_refuses(draft: PipelineDraft) -> None:
    before = record(draft)
    with pytest.raises(ValueError, match="replaced by a Pipeline, not by"):
        draft.update(pipeline=draft)
    with pytest.raises(PipelineParameterError, match="takes an int"):
        draft.update(pipeline_parameters={"rate": "fast"})
    with pytest.raises(TypeError, match="tags must be a dictionary"):
        draft.update(tags=["a"])  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="name of a draft"):
        draft.update(name="\n")
    assert record(draft) == before


def test_a_draft_that_is_gone(workspace: Workspace, draft: PipelineDraft) -> None:
    run = draft.submit_run()
    with pytest.raises(ErrorResponseException, match=f"The newest of this name has the id '{draft.id}'"):
        PipelineDraft.get(workspace, "Kept")
    draft.delete()
    for use in (draft.delete, draft.get_graph, lambda: PipelineDraft.get(workspace, draft.id)):
        with pytest.raises(ErrorResponseException, match="no draft with the id"):
            use()
    with pytest.raises(ServiceException, match="no draft with the id"):
        draft.submit_run()
    assert run.get_status() == "Running"


# Running and publishing


def test_a_run_is_as_the_draft_says(draft: PipelineDraft, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    run = draft.submit_run()
    assert capsys.readouterr().out.startswith(f"Submitted PipelineRun {run.id}\n")
    assert (run.experiment.name, run.get_tags(), run._record["description"]) == ("drafts", {"dev": "true"}, "a draft")
    assert (run._record["parameters"], run._record["continue_on_step_failure"]) == ({"rate": 5, "label": "x"}, True)
    properties = run.get_properties()
    assert (properties["why"], properties[ORIGIN], properties["runSource"]) == ("test", draft.id, "SDK")
    assert draft.last_submitted_pipeline_run_id == record(draft)["last_run_id"] == run.id


def test_an_experiment_takes_the_run_that_it_submits(workspace: Workspace, draft: PipelineDraft) -> None:
    run = Experiment(workspace, "mine").submit(draft, tags={"more": "1"})
    assert (run.experiment.name, run._record["experiment_name"]) == ("mine", "mine")
    assert run.get_tags() == {"dev": "true", "more": "1"}
    assert draft.submit_run().experiment.name == "drafts"
    assert run.submit_child(draft).parent.id == run.id


def test_what_is_saved_does_what_the_draft_would_do(workspace: Workspace, draft: PipelineDraft, tmp_path: Path) -> None:
    draft.save(str(tmp_path))
    loaded = Pipeline.load_yaml(workspace, str(tmp_path / "Kept.yml"))
    assert {name: item.default_value for name, item in loaded.graph.params.items()} == {"rate": 5, "label": "x"}
    assert [node.name for node in loaded.graph.module_nodes] == ["train"]


def test_what_is_published_does_what_the_draft_would_do(workspace: Workspace, draft: PipelineDraft) -> None:
    published = draft.publish()
    assert isinstance(published, PublishedPipeline)
    assert (published.name, published.description, published.continue_on_step_failure) == ("Kept", "a draft", True)
    run = published.submit(workspace, "callers")
    assert run._record["parameters"] == {"rate": 5, "label": "x"}


def test_a_draft_of_what_can_not_run_yet_is_kept(rest: Any, workspace: Workspace, source: str) -> None:
    graph = format_graph(PipelineGraph("kept", (StepNode("s", "only", script="s.py", snapshot="0" * 64),)))
    made = rest.client.create_draft(rest.workspace_id, {"graph": graph, "name": "n", "experiment_name": "e"})
    for use in (
        lambda: rest.client.submit_draft(rest.workspace_id, made["id"], {}),
        lambda: rest.client.publish_draft(rest.workspace_id, made["id"]),
    ):
        with pytest.raises(InvalidGraph, match="was not sent"):
            use()
    assert rest.client.get_draft(rest.workspace_id, made["id"])["last_run_id"] is None


# Over REST


def keep(rest: Any, **more: Any) -> dict[str, Any]:
    wanted = {"graph": format_graph(GRAPH), "name": "n", "experiment_name": "e", **more}
    found: dict[str, Any] = rest.client.create_draft(rest.workspace_id, wanted)
    return found


def test_a_request_sent_twice_counts_once(rest: Any) -> None:
    first = keep(rest, request_id=(request_id := str(uuid.uuid4())))
    assert keep(rest, request_id=request_id) == first
    place = f"/workspaces/{rest.workspace_id}/drafts/{first['id']}"
    run, again = (rest.client._transport.call("POST", f"{place}/runs", document={"request_id": request_id}) for _ in range(2))
    assert run["run"] == again["run"]
    made, other = (rest.client._transport.call("POST", f"{place}/publish", document={"request_id": request_id}) for _ in range(2))
    assert made["id"] == other["id"]
    assert len(rest.client.list_drafts(rest.workspace_id)) == 1


def test_texts_are_read_as_the_parameter_takes_them(rest: Any) -> None:
    made = keep(rest, parameters={"rate": 4})
    run = rest.client.submit_draft(rest.workspace_id, made["id"], {"parameters": {"rate": "20"}})["run"]
    assert run["parameters"] == {"rate": 20}
    assert rest.client.submit_draft(rest.workspace_id, made["id"], {})["run"]["parameters"] == {"rate": 4}
    with pytest.raises(Invalid, match="takes a whole number"):
        rest.client.submit_draft(rest.workspace_id, made["id"], {"parameters": {"rate": "fast"}})
    runs = rest.client.list_runs_of_draft(rest.workspace_id, made["id"])
    assert [item["parameters"]["rate"] for item in runs] == [4, 20]


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ({"graph": None}, Invalid, "made of one thing: 'graph'.* This one names none"),
        ({"draft_id": "x"}, Invalid, "names 'graph' and 'draft_id'"),
        ({"graph": None, "pipeline_id": "x"}, NotFound, "no published pipeline"),
        ({"graph": None, "run_id": "x"}, NotFound, "no run with the id 'x'"),
        ({"graph": None, "draft_id": "x"}, NotFound, "no draft with the id 'x'"),
        ({"graph": {}}, Invalid, "format"),
        ({"name": None}, Invalid, "name of a draft"),
        ({"experiment_name": "a/b"}, Invalid, "no slashes"),
        ({"parameters": {"rat": 1}}, Invalid, "no parameter 'rat'. Did you mean 'rate'"),
        ({"tags": {"a": []}}, Invalid, "must be a text"),
    ],
)
def test_what_can_not_be_kept(rest: Any, wanted: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        keep(rest, **wanted)
    assert rest.client.list_drafts(rest.workspace_id) == []


def test_a_draft_holds_no_more_steps_than_a_submission(rest: Any) -> None:
    steps = tuple(StepNode(f"s{number}", "many", script="s.py") for number in range(20_001))
    with pytest.raises(TooLarge, match="has 20001 steps"):
        keep(rest, graph=format_graph(PipelineGraph("many", steps)))


def test_runs_of_scripts_and_of_others_are_no_originals(rest: Any) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    with pytest.raises(NotFound, match="has no pipeline run"):
        keep(rest, graph=None, run_id=run)


# The command line


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    status = main(["drafts", *words])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_the_command_line_lists_and_shows(workspace: Workspace, draft: PipelineDraft, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--workspace", workspace.name)
    status, text = ask(capsys, *place)
    assert (status, "EXPERIMENT" in text, draft.id[:8] in text) == (0, True, True)
    assert "There is no such draft" in ask(capsys, "list", "--tag", "dev=false", *place)[1]
    assert json.loads(ask(capsys, "list", "--name", "Kept", "--json", *place)[1])[0]["id"] == draft.id
    status, text = ask(capsys, "show", "Kept", *place)
    assert status == 0
    for words in ("Draft:       Kept", "Experiment:  drafts", "Steps:       1: train", "On failure:  independent"):
        assert words in text
    assert [line.split() for line in text.splitlines()[-2:]] == [["rate", "int", "5"], ["label", "str", "x"]]
    assert json.loads(ask(capsys, "show", draft.id, "--json", *place)[1])["steps"] == ["train"]
    assert ask(capsys, "show", "Kebt", *place) == (1, "penstock: There is no draft 'Kebt'. Did you mean 'Kept'?\n")


def test_the_command_line_runs_publishes_and_deletes(
    workspace: Workspace, draft: PipelineDraft, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--workspace", workspace.name)
    assert "It has not been run yet" in ask(capsys, "history", "Kept", *place)[1]
    words = ("-P", "rate=9", "--experiment", "typed", "--tag", "a=b", "--json")
    run = json.loads(ask(capsys, "submit", draft.id[:8], *words, *place)[1])
    assert (run["experiment_name"], run["parameters"]["rate"], run["tags"]) == ("typed", 9, {"dev": "true", "a": "b"})
    assert run["properties"]["runSource"] == "CLI"
    assert [item["id"] for item in json.loads(ask(capsys, "history", "Kept", "--json", *place)[1])] == [run["id"]]
    status, text = ask(capsys, "publish", "Kept", *place)
    assert (status, "Published the draft 'Kept': 'penstock pipelines submit" in text) == (0, True)
    assert ask(capsys, "delete", "Kept", *place) == (0, f"Deleted the draft 'Kept' ({draft.id}).\n")
    assert "There is none at all yet" in ask(capsys, "delete", "Kept", *place)[1]
