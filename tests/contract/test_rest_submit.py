from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from penstock.model.datasets import Dataset, Place, format_dataset
from penstock.model.errors import Invalid, InvalidGraph, NotFound
from penstock.model.graph import ComputeRef, DataNode, OutputPort, Parameter, PipelineGraph, Registration, StepNode, format_graph


def test_answer_lists_every_step_in_order(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(3), tags={"who": "me"}, properties={"own": "1"}, continue_on_step_failure=True, display_name="shown")
    run, steps = answer["run"], answer["steps"]
    assert (run["status"], run["type"], run["tags"], run["display_name"]) == ("Running", "azureml.PipelineRun", {"who": "me"}, "shown")
    assert (run["continue_on_step_failure"], run["regenerate_outputs"], run["description"]) == (True, False, "chain")
    assert [(step["name"], step["status"], bool(step["queued_at"])) for step in steps] == [
        ("step 0", "Queued", True),
        ("step 1", "NotStarted", False),
        ("step 2", "NotStarted", False),
    ]
    assert [step["number"] for step in steps] == [run["number"] + 1, run["number"] + 2, run["number"] + 3]
    assert all(step["pipeline_run_id"] == step["parent_run_id"] == step["root_run_id"] == run["id"] for step in steps)
    rows = rest.context.database.all(
        "select waiting_for, position, compute_name from step_runs where pipeline_run_id = ? order by position", (run["id"],)
    )
    assert [tuple(row.values()) for row in rows] == [(0, 0, "local"), (1, 1, "local"), (1, 2, "local")]


def test_runs_carry_the_tags_and_properties_of_v1(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(1), continue_on_step_failure=False)
    run, step = answer["run"], answer["steps"][0]
    assert run["properties"]["azureml.runsource"] == "azureml.PipelineRun"
    assert run["properties"]["azureml.continue_on_step_failure"] == "False"
    assert json.loads(run["properties"]["azureml.parameters"]) == {}
    assert step["tags"] == {"azureml.nodeid": "node0", "azureml.pipeline": run["id"]}
    assert step["properties"]["azureml.runsource"] == "azureml.StepRun"
    assert step["properties"]["azureml.moduleid"] == answer["definitions"]["node0"]["definition_id"]
    assert step["properties"]["StepType"] == "PythonScriptStep"


def test_definition_is_known_the_second_time(rest: Any, chain: Any) -> None:
    first, second = rest.submit(chain(1)), rest.submit(chain(1))
    assert not first["definitions"]["node0"]["known"]
    assert second["definitions"]["node0"]["known"]
    assert first["run"]["graph_id"] == second["run"]["graph_id"]


def test_empty_pipeline_is_completed_at_once(rest: Any) -> None:
    run = rest.submit(PipelineGraph())["run"]
    assert (run["status"], run["ended_at"]) == ("Completed", run["created_at"])


def test_same_request_starts_one_run(rest: Any, chain: Any) -> None:
    request_id = str(uuid.uuid4())
    first, second = rest.submit(chain(2), request_id=request_id), rest.submit(chain(2), request_id=request_id)
    assert first["run"]["id"] == second["run"]["id"] == request_id
    assert [step["id"] for step in first["steps"]] == [step["id"] for step in second["steps"]]
    assert len(rest.client.list_runs(rest.workspace_id)) == 1
    with pytest.raises(Invalid, match="must be a UUID"):
        rest.submit(chain(2), request_id="again")


def test_graph_comes_back_as_it_was(rest: Any, chain: Any) -> None:
    run = rest.submit(chain(2))["run"]
    assert rest.client.get_graph(run["id"]) == format_graph(chain(2))


def test_step_has_its_run_definition(rest: Any, chain: Any, parameters: Any) -> None:
    from penstock.model.graph import Argument, StepParameter

    step = replace(
        chain(1).steps[0],
        arguments=(Argument("literal", "--rate"), Argument("parameter", "r"), Argument("output", "result")),
        parameters=(StepParameter("r", pipeline_parameter="rate"),),
        run_config={"framework": "Python", "nodeCount": 1},
    )
    answer = rest.submit(PipelineGraph(steps=(step,), parameters=parameters), parameters={"rate": 0.5})
    definition = rest.client.get_run(answer["steps"][0]["id"])["run_definition"]
    assert definition["arguments"] == ["--rate", "0.5", "$AZUREML_DATAREFERENCE_result"]
    assert (definition["script"], definition["target"], definition["framework"]) == ("step.py", "local", "Python")


def test_thousand_steps(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(1000))
    assert len(answer["steps"]) == 1000


def test_parent_run(rest: Any, chain: Any) -> None:
    parent = rest.client.create_run(rest.workspace_id, "work")
    run = rest.submit(chain(1), parent_run_id=parent["id"])["run"]
    assert (run["parent_run_id"], run["root_run_id"]) == (parent["id"], parent["id"])
    with pytest.raises(NotFound, match="no run"):
        rest.submit(chain(1), parent_run_id="nobody")


# What is wrong


def problems_of(rest: Any, graph: PipelineGraph, **more: Any) -> list[str]:
    before = len(rest.client.list_runs(rest.workspace_id))
    with pytest.raises(InvalidGraph) as caught:
        rest.submit(graph, **more)
    assert len(rest.client.list_runs(rest.workspace_id)) == before
    return list(caught.value.problems)


def test_every_missing_thing_is_named(rest: Any, chain: Any) -> None:
    rest.client.put_compute_target(rest.workspace_id, "cpu-cluster", "AmlCompute", {})
    first, second = chain(2).steps
    graph = PipelineGraph(
        steps=(
            replace(first, compute=ComputeRef("cpu-clster"), snapshot="0" * 64),
            replace(second, outputs=(replace(second.outputs[0], datastore="blub"),)),
        )
    )
    compute, datastore, snapshot = sorted(problems_of(rest, graph), key=lambda text: ("compute" not in text, "datastore" not in text))
    assert "Did you mean 'cpu-cluster'?" in compute
    assert "step 0" in compute
    assert "datastore 'blub'" in datastore
    assert "'result' of step 'step 1'" in datastore
    assert "step 0" in snapshot


def test_cycle_is_printed(rest: Any) -> None:
    graph = PipelineGraph(steps=(StepNode("a", "A", run_after=("b",)), StepNode("b", "B", run_after=("a",))))
    assert "A -> B -> A" in problems_of(rest, graph)[0] or "B -> A -> B" in problems_of(rest, graph)[0]


@pytest.mark.parametrize(
    ("kind", "definition", "words"),
    [
        ("AzureDataLake", {}, "retired"),
        ("DBFS", {}, "Databricks"),
        ("AzurePostgreSql", {"server_name": "db", "database_name": "d"}, "holds no files"),
        ("AzurePostgreSql", {}, "without 'server_name'"),
    ],
)
def test_datastores_that_steps_can_not_use(rest: Any, kind: str, definition: dict[str, str], words: str) -> None:
    rest.client.register_datastore(rest.workspace_id, "far", kind, definition=definition)
    output = StepNode("s", "step", outputs=(OutputPort("result", "far"),))
    first, second = problems_of(rest, PipelineGraph(data=(DataNode("d", "data", "far"),), steps=(output,)))
    for problem, user in ((first, "The data 'data'"), (second, "The output 'result' of step 'step'")):
        assert problem.startswith(f"{user} can't use the datastore 'far': ")
        assert words in problem


def test_datasets_that_are_not_there(rest: Any) -> None:
    saved = rest.client.save_dataset(rest.workspace_id, format_dataset(Dataset("file", places=(Place("workspaceblobstore", "in"),))))
    graph = PipelineGraph(
        data=(DataNode("a", "by id", dataset={"id": "unknown"}), DataNode("b", "by name", dataset={"name": "tabel"})),
        parameters=(Parameter("chosen", "dataset", {"id": saved["id"], "type": "tabular"}),),
    )
    first, second, third = problems_of(rest, graph)
    assert "The dataset 'by id': Cannot find dataset with id 'unknown'" in first
    assert "The dataset 'by name': Cannot find dataset registered with name \"tabel\"" in second
    assert "The pipeline parameter 'chosen': The dataset" in third
    assert "is of type file, not tabular" in third
    with pytest.raises(Invalid, match="'chosen' takes a saved dataset"):
        rest.submit(graph, parameters={"chosen": "tabel"})


def test_names_that_no_dataset_can_have(rest: Any) -> None:
    output = OutputPort("result", "workspaceblobstore", dataset={}, registration=Registration(""))
    assert "'result' of step 'step'" in problems_of(rest, PipelineGraph(steps=(StepNode("s", "step", outputs=(output,)),)))[0]


@pytest.mark.parametrize("path", ["../x", "a/../../b", "a\0b"])
def test_data_outside_its_datastore(rest: Any, path: str) -> None:
    assert problems_of(rest, PipelineGraph(data=(DataNode("d", "data", "workspaceblobstore", path),)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"rat": 1.0}, "no parameter 'rat'. Did you mean 'rate'"),
        ({"rate": "fast"}, "'rate' takes a number, not 'fast'"),
        ({"rounds": 1.5}, "'rounds' takes a whole number"),
        ({"deep": 1}, "'deep' takes True or False"),
        ({"label": 3}, "'label' takes a text"),
        ({"rate": True}, "'rate' takes a number"),
    ],
)
def test_parameter_that_does_not_fit(rest: Any, parameters: Any, given: dict[str, Any], expected: str) -> None:
    with pytest.raises(Invalid, match=expected.replace("?", r"\?")):
        rest.submit(PipelineGraph(parameters=parameters), parameters=given)


def test_parameters_that_fit(rest: Any, parameters: Any) -> None:
    run = rest.submit(PipelineGraph(parameters=parameters), parameters={"rate": 1, "rounds": True})["run"]
    assert run["parameters"] == {"rate": 1, "rounds": True, "deep": True, "label": "x"}
    assert json.loads(run["properties"]["azureml.parameters"]) == {"rate": "1", "rounds": "True", "deep": "True", "label": "x"}


def test_data_path_parameter(rest: Any) -> None:
    graph = PipelineGraph(
        data=(DataNode("d", "data", "workspaceblobstore", parameter="where"),),
        parameters=(Parameter("where", "datapath", {"datastore": "workspaceblobstore", "path": "in"}),),
    )
    run = rest.submit(graph, parameters={"where": {"datastore": "workspacefilestore", "path": "new/in"}})["run"]
    assert json.loads(run["properties"]["azureml.parameters"]) == {"where": "workspacefilestore/new/in"}
    assert "nowhere" in problems_of(rest, graph, parameters={"where": {"datastore": "nowhere", "path": ""}})[0]


def test_parameter_without_a_value(rest: Any) -> None:
    with pytest.raises(Invalid, match="no value and no default"):
        rest.submit(PipelineGraph(parameters=(Parameter("p", "int"),)))


@pytest.mark.parametrize(
    "graph",
    [
        None,
        [],
        {"format": 2},
        {"format": 1, "steps": 5},
        {"format": 1, "steps": ["x"]},
        {"format": 1, "steps": [{"id": {}, "name": "n"}]},
        {"format": 1, "steps": [{"id": "a", "name": 5}]},
        {"format": 1, "steps": [{"id": "a", "name": "n", "inputs": [{"name": "i", "source": 3}]}]},
        {"format": 1, "steps": [{"id": "a", "name": "n", "run_config": {"environment": "x"}}]},
        {"format": 1, "steps": [{"id": "a", "name": "n", "run_config": [1]}]},
        {"format": 1, "steps": [{"id": "a", "name": "n", "arguments": [{"kind": "literal", "value": {}}]}]},
        {"format": 1, "parameters": [{"name": "p", "kind": ["int"]}]},
        {"format": 1, "steps": [{"id": "a", "name": "n", "surprise": 1}]},
    ],
)
def test_no_graph_at_all(rest: Any, graph: Any) -> None:
    with pytest.raises(Invalid):
        rest.client.submit_pipeline(rest.workspace_id, "work", {"graph": graph})
