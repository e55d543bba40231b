"""v1's REST interface: calls as programs have always made them, answers and errors as they read them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.parts.loopback import Loopback

from penstock.model.graph import Parameter, PipelineGraph, format_graph
from penstock.operations import tokens
from penstock.service.v1 import room
from penstock.service.v1.routes import table

# What callers found in answers of the original service.
RECORDED = {
    *("Description", "Status", "GraphId", "IsSubmitted", "HasErrors", "HasWarnings", "UploadState", "ParameterAssignments"),
    *("RunHistoryExperimentName", "PipelineId", "RunSource", "RunType", "TotalRunSteps", "ScheduleId", "tags", "Properties"),
    *("EntityStatus", "Id", "Etag", "CreatedDate", "LastModifiedDate"),
}
FILES = {"format": 1, "type": "file", "places": [{"datastore": "workspaceblobstore", "path": "in"}]}
LINES = {"format": 1, "type": "tabular", "places": FILES["places"], "parsing": {"kind": "json_lines"}}


@dataclass
class Published:
    """A published pipeline with a parameter of each kind, an endpoint of it, and how one calls them."""

    door: Loopback
    pipeline_id: str
    endpoint_id: str
    files: str
    lines: str
    token: str

    @property
    def base(self) -> str:
        workspace = self.door.client.get_workspace(self.door.workspace_id)
        return (
            "/pipelines/v1.0/subscriptions/sub/resourceGroups/group"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace['name']}"
        )

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Send a request below the workspace."""
        return self.door.ask(method, f"{self.base}{path}", body, **{"token": self.token, **more})

    def submit(self, path: str = "", **body: Any) -> tuple[int, Any]:
        """Run the pipeline, or what `path` names."""
        return self.ask("POST", f"/PipelineRuns/{path or f'PipelineSubmit/{self.pipeline_id}'}", {"ExperimentName": "e", **body})

    def accept(self, **body: Any) -> dict[str, Any]:
        """Run the pipeline; return the run's own document."""
        status, answer = self.submit(**body)
        assert status == 200, answer
        return dict(self.door.client.get_run(answer["Id"]))

    def refuse(self, **body: Any) -> tuple[int, str | None, str]:
        """Run the pipeline in vain; return status, target and message."""
        status, answer = self.submit(**body)
        assert answer["Error"]["Code"] == "UserError"
        return status, answer["Error"]["Target"], answer["Error"]["Message"]


@pytest.fixture
def published(door: Loopback, chain: Callable[[int], PipelineGraph]) -> Published:
    client = door.client
    files, lines = (client.save_dataset(door.workspace_id, definition)["id"] for definition in (FILES, LINES))
    parameters = (
        *(Parameter("rounds", "int", 10), Parameter("rate", "float", 0.5), Parameter("deep", "bool", True), Parameter("label", "str", "x")),
        Parameter("path", "datapath", {"datastore": "workspaceblobstore", "path": "in"}),
        *(Parameter("data", "dataset", {"id": files, "type": "file"}), Parameter("table", "dataset", {"id": lines, "type": "tabular"})),
    )
    wanted = {"graph": format_graph(replace(chain(2), parameters=parameters)), "name": "published", "version": "1.0", "description": "d"}
    pipeline_id = client.publish_pipeline(door.workspace_id, wanted)["id"]
    endpoint_id = client.create_pipeline_endpoint(door.workspace_id, "end", pipeline_id)["id"]
    return Published(door, pipeline_id, endpoint_id, files, lines, client.user_token()["token"])


# The call


def test_the_answer_is_the_recorded_one(published: Published) -> None:
    status, answer = published.submit(
        Description="why",
        ParameterAssignments={"rounds": "45"},
        RunSource="SDK",
        RunType=1,
        Tags={"BuildId": 7},
        Properties={"commit": "c"},
    )
    assert status == 200
    assert set(answer) >= RECORDED
    assert answer["Status"] == {"StatusCode": 0, "StatusDetail": None, "CreationTime": answer["CreatedDate"], "EndTime": None}
    assert (answer["IsSubmitted"], answer["HasErrors"], answer["HasWarnings"], answer["UploadState"]) == (True, False, False, 1)
    assert (answer["RunSource"], answer["RunType"], answer["TotalRunSteps"], answer["EntityStatus"]) == ("SDK", 1, 2, 0)
    assert (answer["RunHistoryExperimentName"], answer["Description"], answer["PipelineId"]) == ("e", "why", published.pipeline_id)
    assert (answer["tags"], answer["Properties"]["commit"]) == ({"BuildId": "7"}, "c")
    assert answer["ParameterAssignments"] == {
        "rounds": "45",
        "rate": "0.5",
        "deep": "True",
        "label": "x",
        "path": "workspaceblobstore/in",
    }
    assert answer["DataSetDefinitionValueAssignments"]["data"] == {"SavedDataSetReference": {"Id": published.files}}
    run = published.door.client.get_run(answer["Id"])
    assert (run["experiment_name"], run["parameters"]["rounds"], run["status"]) == ("e", 45, "NotStarted")


def test_ids_come_in_any_case(published: Published) -> None:
    for path in (f"PipelineSubmit/{published.pipeline_id}", f"PipelineEndpointSubmit/Id/{published.endpoint_id}/0"):
        status, answer = published.submit(path.upper())
        assert (status, answer["PipelineId"]) == (200, published.pipeline_id)
        assert published.ask("GET", f"/PipelineRuns/{answer['Id'].upper()}")[0] == 200


def test_callers_that_say_little_get_a_run_too(published: Published) -> None:
    run = published.accept()
    assert run["parameters"]["rounds"] == 10
    assert (run["properties"]["runSource"], run["properties"]["runType"]) == ("API", "HTTP")


def test_values_come_as_texts_or_as_json(published: Published) -> None:
    wanted = {"rounds": 20, "rate": 0.25, "deep": False, "label": "7"}
    for sent in ({"rounds": "20", "rate": "0.25", "deep": "False", "label": "7"}, {**wanted, "label": 7}):
        assert published.accept(ParameterAssignments=sent)["parameters"].items() >= wanted.items()
    assert published.accept(ParameterAssignments={"rounds": None})["parameters"]["rounds"] == 10


def test_keys_and_addresses_come_in_any_case_and_unknown_keys_are_nothing(published: Published) -> None:
    body = {
        "experimentname": "lower",
        "PARAMETERASSIGNMENTS": {"rounds": 3},
        "EnableNotification": True,
        "Whatever": {"a": 1},
        "dataPathAssignments": {"path": {"datastorename": "workspaceblobstore", "RELATIVEPATH": "a/b"}},
        "steptags": {"team": "x"},
        "description": None,
    }
    address = f"{published.base}/PipelineRuns/PipelineSubmit/{published.pipeline_id}"
    for path in (
        address,
        address.replace("resourceGroups/group", "resourcegroups/GROUP").replace("/sub/", "/SUB/"),
        address.replace(published.base, published.base.lower().replace("microsoft", "MICROSOFT")),
        address.replace("PipelineRuns/PipelineSubmit", "pipelineruns/pipelinesubmit") + "?api-version=2019-11-01",
    ):
        status, answer = published.door.ask("POST", path, body, token=published.token)
        assert status == 200, answer
        run = published.door.client.get_run(answer["Id"])
        assert run["experiment_name"] == "lower"
        assert run["parameters"].items() >= {"rounds": 3, "path": {"datastore": "workspaceblobstore", "path": "a/b"}}.items()


def test_a_data_path_may_be_a_literal_value_too(published: Published) -> None:
    place = {"DataStoreName": "workspaceblobstore", "RelativePath": "x"}
    run = published.accept(DataSetDefinitionValueAssignments={"path": {"LiteralValue": place}})
    assert run["parameters"]["path"] == {"datastore": "workspaceblobstore", "path": "x"}


def test_datasets_come_by_id_by_name_and_by_path(published: Published) -> None:
    client, workspace_id = published.door.client, published.door.workspace_id
    newer = {**FILES, "places": [{"datastore": "workspaceblobstore", "path": "newer"}]}
    first = client.register_dataset(workspace_id, FILES, "numbers")["id"]
    second = client.register_dataset(workspace_id, newer, "numbers", create_new_version=True)["id"]
    literal = {"DataStoreName": "workspaceblobstore", "RelativePath": "newer"}
    for sent, found in (
        ({"SavedDataSetReference": {"Id": second}}, second),
        ({"DataSetReference": {"Id": second}}, second),
        ({"DataSetReference": {"Name": "numbers"}}, second),
        ({"DataSetReference": {"Name": "numbers", "Version": "1"}}, first),
        ({"DataSetReference": {"Name": "numbers", "Version": 2}}, second),
    ):
        run = published.accept(DataSetDefinitionValueAssignments={"data": sent})
        assert run["parameters"]["data"] == {"id": found, "type": "file"}, sent
    for path in (f"PipelineSubmit/{published.pipeline_id}", f"PipelineEndpointSubmit/Id/{published.endpoint_id}"):
        status, answer = published.submit(path, DataSetDefinitionValueAssignments={"data": {"LiteralValue": literal}})
        assert status == 200, answer
        made = client.get_dataset(workspace_id, client.get_run(answer["Id"])["parameters"]["data"]["id"])
        assert made["definition"]["places"] == newer["places"]


def test_a_run_may_have_a_parent(published: Published) -> None:
    parent = published.door.make_run()
    assert published.accept(ParentRunId=parent)["parent_run_id"] == parent
    status, answer = published.submit(f"PipelineSubmit/{published.pipeline_id}?parentRunId={parent}")
    assert status == 200
    assert published.door.client.get_run(answer["Id"])["parent_run_id"] == parent


def test_what_a_script_starts_is_known_as_its_own(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that waits for it takes no slot meanwhile: else the two could wait for each other."""
    door = published.door
    script = door.make_run()
    monkeypatch.setenv("AZUREML_RUN_ID", script)
    for token in (door.client.user_token()["token"], tokens.run_token(door.home, door.workspace_id, script)):
        _, answer = published.ask("POST", f"/PipelineRuns/PipelineSubmit/{published.pipeline_id}", {"ExperimentName": "e"}, token=token)
        row = door.context.database.first("select submitter_run_id from runs where id = ?", (answer["Id"],))
        assert row == {"submitter_run_id": script}


def test_an_order_that_is_sent_twice_starts_one_run(published: Published) -> None:
    request_id = "0e5cd7a0-4f0e-4a3c-9a59-3fb2b0d9f9f3"
    first, second = (published.submit(RequestId=request_id) for _ in range(2))
    assert (first[0], first[1]["Id"]) == (second[0], second[1]["Id"])
    assert len(published.ask("GET", f"/PipelineRuns/Pipeline/{published.pipeline_id}")[1]) == 1


def test_an_endpoint_runs_the_version_that_is_asked_for(published: Published) -> None:
    client, workspace_id = published.door.client, published.door.workspace_id
    newer = client.publish_pipeline(workspace_id, {"graph": format_graph(PipelineGraph("newer")), "name": "newer"})["id"]
    client.add_pipeline_endpoint_version(workspace_id, published.endpoint_id, newer, default=True)
    place = f"PipelineEndpointSubmit/Id/{published.endpoint_id}"
    for path, pipeline_id in (
        (place, newer),
        (f"{place}/0", published.pipeline_id),
        (f"{place}?pipelineVersion=0", published.pipeline_id),
        (f"{place}/0?pipelineVersion=0", published.pipeline_id),
        (f"{place}/1?pipelineversion=1", newer),
        ("PipelineEndpointSubmit/Name?name=end", newer),
        ("PipelineEndpointSubmit/Name?Name=end&pipelineVersion=0", published.pipeline_id),
    ):
        status, answer = published.submit(path)
        assert (status, answer.get("PipelineId")) == (200, pipeline_id), answer
    for path, status in ((f"{place}/7", 404), (f"{place}/x", 404), (f"{place}/0?pipelineVersion=1", 400)):
        assert published.submit(path)[0] == status
    status, answer = published.submit("PipelineEndpointSubmit/Name?name=edn")
    assert (status, "Did you mean 'end'?" in answer["Error"]["Message"]) == (404, True)
    status, answer = published.submit("PipelineEndpointSubmit/Name")
    assert (status, answer["Error"]["Target"]) == (400, "name")


# What goes wrong


def test_every_mistake_names_its_member(published: Published) -> None:
    path = {"DataStoreName": "workspaceblobstore"}
    wrong: dict[str, tuple[str, Any]] = {
        "ParameterAssignments.round": ("ParameterAssignments", {"round": 1}),
        "ParameterAssignments.rounds": ("ParameterAssignments", {"rounds": "many"}),
        "ParameterAssignments.rate": ("ParameterAssignments", {"rate": [1]}),
        "ParameterAssignments.deep": ("ParameterAssignments", {"deep": "perhaps"}),
        "ParameterAssignments.path": ("ParameterAssignments", {"path": "in"}),
        "ParameterAssignments": ("ParameterAssignments", [1]),
        "DataPathAssignments.rounds": ("DataPathAssignments", {"rounds": path}),
        "DataPathAssignments.none": ("DataPathAssignments", {"none": path}),
        "DataPathAssignments.path": ("DataPathAssignments", {"path": "in"}),
        "DataPathAssignments.path.DataStoreName": ("DataPathAssignments", {"path": {"RelativePath": "in"}}),
        "DataSetDefinitionValueAssignments.data": ("DataSetDefinitionValueAssignments", {"data": {}}),
        "DataSetDefinitionValueAssignments.table": ("DataSetDefinitionValueAssignments", {"table": {"LiteralValue": path}}),
        "DataSetDefinitionValueAssignments.data.SavedDataSetReference.Id": (
            "DataSetDefinitionValueAssignments",
            {"data": {"SavedDataSetReference": {"Id": "none"}}},
        ),
        "DataSetDefinitionValueAssignments.data.DataSetReference.Name": (
            "DataSetDefinitionValueAssignments",
            {"data": {"DataSetReference": {"Name": "none"}}},
        ),
        "ExperimentName": ("ExperimentName", None),
        "Tags": ("Tags", "a"),
        "Tags.a": ("Tags", {"a": {}}),
        "StepTags.a": ("StepTags", {"a": []}),
        "RunType": ("RunType", "Odd"),
        "ContinueRunOnStepFailure": ("ContinueRunOnStepFailure", "perhaps"),
        "RequestId": ("RequestId", "5"),
        "Properties": ("Properties", {"": "a"}),
        "Description": ("Description", "x" * 1_000_001),
    }
    for target, (member, value) in wrong.items():
        assert published.refuse(**{member: value})[:2] == (400, target)
    assert "Did you mean 'rounds'?" in published.refuse(ParameterAssignments={"round": 1})[2]
    twice = published.refuse(ParameterAssignments={"path": "a"}, DataPathAssignments={"path": path})
    assert twice[:2] == (400, "DataPathAssignments.path")
    assert published.refuse(ParentRunId="none")[:2] == (404, "ParentRunId")


def test_a_path_that_can_not_be_read_is_refused_with_its_member(published: Published) -> None:
    for place, word in ((("nowhere", "in"), "no datastore 'nowhere'"), (("workspaceblobstore", "../.."), "leaves its folder")):
        sent = dict(zip(("DataStoreName", "RelativePath"), place, strict=True))
        status, target, message = published.refuse(DataPathAssignments={"path": sent})
        assert (status, target, word in message) == (400, "DataPathAssignments.path", True)


def test_a_member_that_stands_twice_is_refused(published: Published) -> None:
    assert published.refuse(Tags={"a": "b"}, tags={"c": "d"})[:2] == (400, "tags")
    assert published.submit(Tags={"a": "b"}, tags={"a": "b"}, TAGS=None)[0] == 400


def test_all_wrong_parameters_are_named_at_once(published: Published) -> None:
    _, answer = published.submit(ParameterAssignments={"rounds": "many"}, DataPathAssignments={"deep": {"DataStoreName": "d"}})
    targets = [item["Target"] for item in answer["Error"]["Details"]]
    assert sorted(targets) == ["DataPathAssignments.deep", "ParameterAssignments.rounds"]
    assert all(item["Message"] and item["Code"] for item in answer["Error"]["Details"])
    assert set(answer["Correlation"]) == {"operation", "request"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b'"x"', b"\xff", b'{"ExperimentName": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_object_is_said(published: Published, body: bytes) -> None:
    status, answer = published.ask("POST", f"/PipelineRuns/PipelineSubmit/{published.pipeline_id}", body)
    assert (status, answer["Error"]["Code"]) == (400, "UserError")


def test_a_body_that_is_null_is_called_so(published: Published) -> None:
    _, answer = published.ask("POST", f"/PipelineRuns/PipelineSubmit/{published.pipeline_id}", b"null")
    assert answer["Error"]["Message"] == "The body must be a JSON object, not null."


def test_a_number_that_json_does_not_have_is_refused(published: Published) -> None:
    for word in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        body = b'{"ExperimentName": "e", "ParameterAssignments": {"rate": ' + word + b"}}"
        status, answer = published.ask("POST", f"/PipelineRuns/PipelineSubmit/{published.pipeline_id}", body)
        assert (status, answer["Error"]["Target"]) == (400, "ParameterAssignments.rate")


def test_what_is_disabled_or_not_there_does_not_run(published: Published) -> None:
    client, workspace_id = published.door.client, published.door.workspace_id
    for path in ("PipelineSubmit/none", "PipelineEndpointSubmit/Id/none", f"PipelineSubmit/{published.endpoint_id}"):
        status, answer = published.submit(path)
        assert (status, answer["Error"]["InnerError"]["Code"]) == (404, "NotFound")
    client.set_pipeline_status(workspace_id, published.pipeline_id, "Disabled")
    for path in (f"PipelineSubmit/{published.pipeline_id}", f"PipelineEndpointSubmit/Id/{published.endpoint_id}"):
        status, answer = published.submit(path)
        assert (status, answer["Error"]["InnerError"]["Code"]) == (409, "Refused")
        assert "published" in answer["Error"]["Message"]


def test_a_body_that_is_too_large_gets_an_answer_that_can_be_read(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BODY_BYTES", 1000)
    status, answer = published.submit(Description="x" * 5_000_000)
    assert (status, answer["Error"]["InnerError"]["Code"]) == (413, "TooLarge")


def test_there_is_nothing_elsewhere(published: Published) -> None:
    for method, path, status in (
        ("GET", f"{published.base}/None", 404),
        ("GET", published.base, 404),
        ("GET", "/pipelines/v1.0/none", 404),
        ("GET", f"{published.base}/PipelineRuns/PipelineSubmit/{published.pipeline_id}", 405),
        ("DELETE", f"{published.base}/Pipelines", 405),
        ("GET", published.base.replace("/sub/", "/other/") + "/Pipelines", 404),
    ):
        found, answer = published.door.ask(method, path, token=published.token)
        assert (found, answer["Error"]["Code"]) == (status, "UserError")


# Who may


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic ===="])
def test_without_a_token_nothing_runs(published: Published, header: str) -> None:
    status, answer = published.ask("POST", f"/PipelineRuns/PipelineSubmit/{published.pipeline_id}", {}, token="", Authorization=header)
    assert (status, answer["Error"]["InnerError"]["Code"]) == (401, "Unauthenticated")
    assert "get_authentication_header()" in answer["Error"]["Message"]


def test_a_workspaces_token_runs_what_is_in_it(published: Published) -> None:
    door, own = published.door, published.door.workspace_id
    mine, path = tokens.workspace_token(door.context, own), f"/PipelineRuns/PipelineSubmit/{published.pipeline_id}"
    assert published.ask("POST", path, {"ExperimentName": "e"}, token=mine)[0] == 200
    other = door.client.create_workspace(f"other-{published.pipeline_id}", "sub", "group")["id"]
    others = tokens.workspace_token(door.context, other)
    for place in (published.base, published.base.replace("/sub/", "/none/")):  # it does not learn which there are
        status, answer = door.ask("POST", f"{place}{path}", {"ExperimentName": "e"}, token=others)
        assert (status, answer["Error"]["InnerError"]["Code"]) == (403, "Forbidden")
    assert door.ask("GET", room.DESCRIPTION, token=others)[0] == 200


# Following and listing


def test_a_run_is_followed_and_cancelled(published: Published) -> None:
    run_id = published.accept(ParameterAssignments={"rounds": 3})["id"]
    status, before = published.ask("GET", f"/PipelineRuns/{run_id}")
    assert (status, before["Id"], before["Status"]["StatusCode"]) == (200, run_id, 0)
    assert published.ask("DELETE", f"/PipelineRuns/{run_id}/Execution") == (200, b"")
    _, after = published.ask("GET", f"/pipelineruns/{run_id}")
    assert published.door.client.get_run(run_id)["status"] in ("CancelRequested", "Canceled")
    assert after["Etag"] != before["Etag"]
    for other in ("none", published.door.make_run()):
        assert published.ask("GET", f"/PipelineRuns/{other}")[0] == 404
        assert published.ask("DELETE", f"/PipelineRuns/{other}/Execution")[0] == 404


def test_runs_of_another_workspace_are_not_there(published: Published) -> None:
    door = published.door
    run_id = published.accept()["id"]
    other = door.client.create_workspace(f"another-{run_id}", "sub", "group")
    place = published.base.rpartition("/")[0] + f"/{other['name']}"
    for method, path in (("GET", f"/PipelineRuns/{run_id}"), ("DELETE", f"/PipelineRuns/{run_id}/Execution")):
        assert door.ask(method, place + path, token=published.token)[0] == 404
    for path in (f"/Pipelines/{published.pipeline_id}", f"/PipelineRuns/Pipeline/{published.pipeline_id}"):
        assert door.ask("GET", place + path, token=published.token)[0] == 404
    assert door.client.get_run(run_id)["status"] == "NotStarted"


def test_what_is_published_is_listed(published: Published) -> None:
    client, workspace_id = published.door.client, published.door.workspace_id
    status, found = published.ask("GET", f"/Pipelines/{published.pipeline_id}")
    assert status == 200
    assert (found["Name"], found["Version"], found["Description"], found["EntityStatus"]) == ("published", "1.0", "d", 0)
    assert (found["TotalRunSteps"], found["ParameterAssignments"]["rounds"]) == (2, "10")
    assert found["Url"] == client.rest_address(workspace_id, "pipeline", published.pipeline_id)
    assert published.ask("GET", "/Pipelines")[1] == [found]
    client.set_pipeline_status(workspace_id, published.pipeline_id, "Disabled")
    assert published.ask("GET", "/Pipelines?activeOnly=true")[1] == []
    assert [item["EntityStatus"] for item in published.ask("GET", "/Pipelines?activeOnly=false")[1]] == [2]
    assert published.ask("GET", "/Pipelines?activeOnly=odd")[0] == 400


def test_runs_of_a_pipeline_are_listed_newest_first(published: Published) -> None:
    made = [published.accept()["id"] for _ in range(3)]
    listed = published.ask("GET", f"/PipelineRuns/Pipeline/{published.pipeline_id}")[1]
    assert [item["Id"] for item in listed] == made[::-1]


def test_schedules_are_listed(published: Published) -> None:
    recurrence = {"frequency": "Week", "interval": 2, "start_time": "2030-01-02T03:04:05", "time_zone": "UTC", "week_days": ["Tuesday"]}
    made = published.door.client.create_schedule(
        published.door.workspace_id,
        "weekly",
        {"experiment_name": "e", "parameters": {"rounds": "3"}},
        pipeline_id=published.pipeline_id,
        recurrence={**recurrence, "hours": [5], "minutes": [0, 30]},
    )
    status, [found] = published.ask("GET", "/Schedules")
    assert status == 200
    assert (found["Id"], found["Name"], found["PipelineId"], found["ScheduleType"]) == (made["id"], "weekly", published.pipeline_id, 0)
    assert (found["ProvisioningStatus"], found["EntityStatus"], found["DataStoreTriggerInfo"]) == (0, 0, None)
    assert (found["Recurrence"]["Frequency"], found["Recurrence"]["Interval"]) == (1, 2)
    assert found["Recurrence"]["Schedule"] == {"Hours": [5], "Minutes": [0, 30], "WeekDays": [1]}
    assert found["PipelineSubmissionInfo"]["ParameterAssignments"] == {"rounds": "3"}


def test_the_description_names_what_is_called(published: Published) -> None:
    status, found = published.door.ask("GET", room.DESCRIPTION, token=published.token)
    assert (status, found["swagger"]) == (200, "2.0")
    assert all(path.startswith("/pipelines/v1.0/subscriptions/{subscriptionId}/") for path in found["paths"])
    references = {part.partition('"')[0] for part in json.dumps(found).split("#/definitions/")[1:]}
    assert references <= set(found["definitions"])


# Nothing breaks it

VALUES: list[Any] = [None, True, -1, 2**70, 1.5, "", "x", "\0", "a" * 5000, [], [[]], {}, {"a": {"b": []}}, [None], ["x"], {"": None}]
NAMES = [
    *("ExperimentName", "Description", "ParameterAssignments", "DataPathAssignments", "DataSetDefinitionValueAssignments", "RunSource"),
    *("RunType", "ParentRunId", "ContinueRunOnStepFailure", "ScheduleId", "Tags", "StepTags", "Properties", "RequestId"),
]
INNER = [
    "rounds",
    "path",
    "data",
    "SavedDataSetReference",
    "DataSetReference",
    "LiteralValue",
    "Id",
    "Name",
    "Version",
    "DataStoreName",
    "",
]


@pytest.mark.parametrize("route", table.declarations, ids=lambda route: f"{route.method} {route.path}")
def test_garbage_gets_an_answer(published: Published, route: Any) -> None:
    luck = random.Random(route.method + route.path)  # noqa: S311 - the same garbage every time

    def value(depth: int = 0) -> Any:
        if depth < 3 and luck.random() < 0.6:
            return {luck.choice(INNER): value(depth + 1) for _ in range(2)}
        return luck.choice(VALUES)

    known = {"pipeline_id": published.pipeline_id, "endpoint_id": published.endpoint_id, "version": "0", "run_id": published.accept()["id"]}
    path = route.path.format(**known)
    for number in range(40):
        body = {name: value() for name in luck.sample(NAMES, luck.randint(1, len(NAMES)))} | ({"ExperimentName": "e"} if number % 2 else {})
        status, answer = published.ask(route.method, path, json.dumps(body).encode())
        assert status < 500, (body, answer)
    for text in ("%00", "..", "%2e%2e%2f", "ä", "%ff", "'; drop table runs; --", "a" * 3000, "%ed%a0%80"):
        spoilt = route.path.replace("{run_id}", "{x}").replace("{pipeline_id}", "{x}").replace("{endpoint_id}", "{x}")
        quoted = text if text.isascii() else "%C3%A4"
        target = spoilt.format(x=quoted.replace(" ", "%20").replace("'", "%27"), version="0")
        assert published.ask(route.method, f"{target}?activeOnly={quoted[:9].replace(' ', '%20')}", b"{}")[0] < 500
