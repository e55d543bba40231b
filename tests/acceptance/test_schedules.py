"""Schedules as v1's users write them, and as they are typed on the command line, against a real service."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wait_until
from tests.parts.homes import own_home

from azureml.core import Datastore, Workspace
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import ServiceException, UserErrorException
from azureml.pipeline.core import (
    Pipeline,
    PipelineEndpoint,
    PipelineParameter,
    PublishedPipeline,
    Schedule,
    ScheduleRecurrence,
    TimeZone,
)
from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException
from azureml.pipeline.steps import PythonScriptStep
from penstock.cli.main import main

SAY = "import sys; print('said', sys.argv[1], open(sys.argv[2]).read())"
FAR = ScheduleRecurrence("Month", 1, start_time="2999-01-31T12:30:00", time_zone=TimeZone.TokyoStandardTime)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder for this module, and a source folder in which the script lies."""
    with own_home():
        folder = tmp_path_factory.mktemp("source")
        (folder / "say.py").write_text(SAY)
        yield folder


@pytest.fixture
def workspace(place: Path, request: pytest.FixtureRequest) -> Workspace:
    """A workspace of the test's own."""
    return Workspace.create(f"ws-{abs(hash(request.node.nodeid)) % 10**9}", subscription_id="sub", resource_group="group", exist_ok=True)


@pytest.fixture
def published(workspace: Workspace, place: Path) -> PublishedPipeline:
    """A pipeline that says a word and what a file holds."""
    return build(workspace, place).publish("Say it", "says it")


def build(workspace: Workspace, place: Path) -> Pipeline:
    store = workspace.get_default_datastore()
    write(workspace, "start/start.txt", "started")
    where = (PipelineParameter("where", DataPath(store, "start/start.txt")), DataPathComputeBinding())
    arguments = [PipelineParameter("word", "hello"), where]
    step = PythonScriptStep("say.py", "say", arguments, "local", inputs=[where], source_directory=str(place), allow_reuse=False)
    return Pipeline(workspace, [step])


def write(workspace: Workspace, path: str, text: str, seconds: float = 0) -> None:
    """Write a file to the default datastore; with the time that it is in so many seconds."""
    file = Path(str(workspace.get_default_datastore()._record["root"])) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (time.time() + seconds, time.time() + seconds))


def said(schedule: Schedule) -> str:
    wait_until(schedule.get_last_pipeline_run)
    run = schedule.get_last_pipeline_run()
    assert run is not None
    assert run.wait_for_completion(show_output=False) == "Finished"
    return str(run.find_step_run("say")[0].get_job_log()).strip()


# By the clock


def test_a_schedule_without_a_start_time_runs_at_once(published: PublishedPipeline, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = published.workspace
    schedule = Schedule.create(
        workspace=workspace,
        name="often",
        pipeline_id=published.id,
        experiment_name="scheduled",
        recurrence=ScheduleRecurrence(frequency="Day", interval=2),
        description="every other day",
        pipeline_parameters={"word": "again"},
        wait_for_provisioning=True,
        continue_on_step_failure=True,
    )
    assert capsys.readouterr().out == "Provisioning status: Completed\n"
    assert said(schedule) == "said again started"
    (run,) = schedule.get_pipeline_runs()
    assert (run.experiment.name, run.get_properties()["azureml.scheduleid"]) == ("scheduled", schedule.id)
    assert run.get_properties()["runType"] == "Schedule"
    assert (schedule.name, schedule.description, schedule.status, schedule.pipeline_id, schedule.pipeline_endpoint_id) == (
        *("often", "every other day", "Active", published.id),
        None,
    )
    assert (schedule.continue_on_step_failure, schedule.datastore_name, schedule.polling_interval) == (True, None, None)
    assert (schedule.path_on_datastore, schedule.data_path_parameter_name) == (None, None)
    assert str(schedule) == (
        f"Pipeline(Name: often,\nId: {schedule.id},\nStatus: Active,\nPipeline Id: {published.id},\n"
        "Pipeline Endpoint Id: None,\nRecurrence Details: Runs every 2 days)"
    )
    assert "every 2 days" in schedule._repr_html_()


def test_a_schedule_keeps_what_it_was_given(published: PublishedPipeline) -> None:
    week = ScheduleRecurrence(
        "Week", 2, datetime(2999, 1, 1, 9, 0), TimeZone.PacificStandardTime, hours=[9, 17], minutes=[0, 30], week_days=["Monday", "Sunday"]
    )
    schedule = Schedule.create(published.workspace, "week", published.id, "scheduled", week)
    found = Schedule.get(published.workspace, schedule.id)
    assert found.recurrence is not None
    assert vars(found.recurrence) == vars(week)
    assert (found.get_pipeline_runs(), found.get_last_pipeline_run()) == ([], None)


def test_schedules_are_listed(published: PublishedPipeline, place: Path) -> None:
    workspace = published.workspace
    endpoint = PipelineEndpoint.publish(workspace, "door", "d", published)
    one, two = (Schedule.create(workspace, name, published.id, "scheduled", FAR) for name in ("one", "two"))
    third = Schedule.create_for_pipeline_endpoint(workspace, "three", endpoint.id, "scheduled", FAR)
    one.disable()
    ids = lambda found: {schedule.id for schedule in found}  # noqa: E731
    assert ids(Schedule.list(workspace)) == {two.id, third.id}
    assert (
        ids(Schedule.list(workspace, active_only=False))
        == ids(Schedule.get_all(workspace, active_only=False))
        == {one.id, two.id, third.id}
    )
    assert ids(Schedule.list(workspace, pipeline_id=published.id)) == {one.id, two.id}
    assert ids(Schedule.get_schedules_for_pipeline_id(workspace, published.id)) == {one.id, two.id}
    assert ids(Schedule.list(workspace, pipeline_endpoint_id=endpoint.id)) == {third.id}
    assert ids(Schedule.get_schedules_for_pipeline_endpoint_id(workspace, endpoint.id)) == {third.id}
    assert (third.pipeline_id, third.pipeline_endpoint_id) == (None, endpoint.id)


def test_a_schedule_is_changed(published: PublishedPipeline, capsys: pytest.CaptureFixture[str]) -> None:
    schedule = Schedule.create(published.workspace, "old", published.id, "scheduled", FAR, pipeline_parameters={"word": "old"})
    schedule.disable(wait_for_provisioning=True)
    assert (schedule.status, Schedule.get(published.workspace, schedule.id).status) == ("Disabled", "Disabled")
    schedule.update(name="new", description="changed")
    assert (schedule.name, schedule.description, schedule.status) == ("new", "changed", "Disabled")
    schedule.update(recurrence=ScheduleRecurrence("Hour", 2), status="Active", wait_for_provisioning=True, continue_on_step_failure=False)
    found = Schedule.get(published.workspace, schedule.id)
    assert found.recurrence is not None
    assert (found.name, found.status, found.recurrence.frequency, found.continue_on_step_failure) == ("new", "Active", "Hour", False)
    assert capsys.readouterr().out == "Provisioning status: Completed\n" * 2
    schedule.disable()
    schedule.enable()
    assert schedule.status == "Active"


def test_an_endpoint_runs_its_default_version(published: PublishedPipeline) -> None:
    endpoint = PipelineEndpoint.publish(published.workspace, "main", "d", published)
    schedule = Schedule.create_for_pipeline_endpoint(
        published.workspace, "often", endpoint.id, "scheduled", ScheduleRecurrence("Day", 1), pipeline_parameters={"word": "endpoint"}
    )
    assert said(schedule) == "said endpoint started"


# By data


def test_a_new_file_starts_a_run_with_its_path(published: PublishedPipeline) -> None:
    workspace = published.workspace
    write(workspace, "in/old.txt", "old", seconds=-3600)
    write(workspace, "in/new.txt", "came", seconds=3600)  # its first look is at once, and takes it for one that came since
    schedule = Schedule.create(
        workspace,
        "arrivals",
        published.id,
        "scheduled",
        datastore=workspace.get_default_datastore(),
        path_on_datastore="in",
        data_path_parameter_name="where",
        polling_interval=1,
    )
    assert said(schedule) == "said hello came"
    assert (schedule.datastore_name, schedule.path_on_datastore) == ("workspaceblobstore", "in")
    assert (schedule.polling_interval, schedule.data_path_parameter_name, schedule.recurrence) == (1, "where", None)
    assert str(schedule).endswith("Datastore: workspaceblobstore,\nPath on Datastore: in)")
    schedule.update(polling_interval=7, path_on_datastore="other")
    found = Schedule.get(workspace, schedule.id)
    assert (found.polling_interval, found.path_on_datastore, found.data_path_parameter_name) == (7, "other", "where")


def test_yaml_gives_the_arguments_of_create(published: PublishedPipeline, tmp_path: Path) -> None:
    file = tmp_path / "schedule.yml"
    file.write_text("Schedule:\n  description: d\n  datastore_name: workspaceblobstore\n  path_on_datastore: in\n  polling_interval: 9\n")
    found = Schedule.load_yaml(published.workspace, str(file))
    assert found["datastore_name"] is found.get("datastore_name") is found["datastore"]
    schedule = Schedule.create(published.workspace, "read", published.id, "scheduled", **found)
    assert (schedule.description, schedule.datastore_name, schedule.polling_interval) == ("d", "workspaceblobstore", 9)
    file.write_text("Schedule: {datastore_name: workspaceblobstor}")
    with pytest.raises(UserErrorException, match="Did you mean 'workspaceblobstore'"):
        Schedule.load_yaml(published.workspace, str(file))


# Mistakes

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({}, "recurrence, or a datastore"),
        ({"recurrence": FAR, "datastore": "workspaceblobstore"}, "leave datastore out"),
        ({"recurrence": FAR, "path_on_datastore": "in"}, "leave path_on_datastore out"),
        ({"recurrence": FAR, "data_path_parameter_name": "where", "path_on_datastore": ""}, "leave data_path_parameter_name and"),
        ({"recurrence": ScheduleRecurrence("Days", 1)}, "Did you mean 'Day'"),
        ({"recurrence": {"frequency": "Day"}}, "ScheduleRecurrence"),
        ({"datastore": "workspaceblobstore", "polling_interval": -1}, "polling_interval"),
        ({"datastore": "workspaceblobstore", "polling_interval": 0.5}, "polling_interval"),
        ({"datastore": 5}, "datastore"),
        ({"recurrence": FAR, "pipeline_id": None}, "pipeline_id"),
        ({"recurrence": FAR, "continue_on_step_failure": "False"}, "not the text 'False'"),
    ],
)
def test_what_can_be_no_schedule_is_refused_before_it_is_sent(published: PublishedPipeline, about: dict[str, Any], words: str) -> None:
    wanted = {"pipeline_id": published.id, "experiment_name": "scheduled", **about}
    with pytest.raises(ValueError, match=words):
        Schedule.create(published.workspace, "wrong", **wanted)


def test_what_the_service_does_not_have_is_refused(published: PublishedPipeline) -> None:
    workspace = published.workspace
    with pytest.raises(UserErrorException, match="wrod"):
        Schedule.create(workspace, "x", published.id, "scheduled", FAR, pipeline_parameters={"wrod": "x"})
    with pytest.raises(UserErrorException, match="spaces"):
        Schedule.create(workspace, "x", published.id, "no experiment", FAR)
    with pytest.raises(ErrorResponseException):
        Schedule.create(workspace, "x", "no-such-pipeline", "scheduled", FAR)
    with pytest.raises(ErrorResponseException):
        Schedule.get(workspace, "no-such-schedule")
    with pytest.raises(ServiceException, match="Did you mean 'workspaceblobstore'"):
        Schedule.create(workspace, "x", published.id, "scheduled", datastore="workspaceblobstor")
    with pytest.raises(ValueError, match=f"Give its id: '{published.id}'"):
        Schedule.create(workspace, "x", published, "scheduled", FAR)  # type: ignore[arg-type]
    assert Schedule.list(workspace, active_only=False) == []


def test_a_schedule_stays_of_its_kind(published: PublishedPipeline) -> None:
    workspace = published.workspace
    clock = Schedule.create(workspace, "clock", published.id, "scheduled", FAR)
    for about in ({"datastore": Datastore(workspace, "workspaceblobstore")}, {"polling_interval": 5}, {"path_on_datastore": "in"}):
        with pytest.raises(ValueError, match="can't watch a datastore"):
            clock.update(**about)
    with pytest.raises(ValueError, match="Active or Disabled"):
        clock.update(status="Deprecated")
    data = Schedule.create(workspace, "data", published.id, "scheduled", datastore="workspaceblobstore")
    assert data.polling_interval == 5
    with pytest.raises(ValueError, match="can't get a recurrence"):
        data.update(recurrence=FAR)


# The command line


@pytest.fixture
def penstock(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Do what a user types; return what is printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def do(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(list(words)) == status
        printed = capsys.readouterr()
        return printed.out or printed.err

    return do


def test_schedules_on_the_command_line(published: PublishedPipeline, penstock: Callable[..., str]) -> None:
    workspace = published.workspace
    here = ("--workspace", workspace.name)
    assert "There are no schedules" in penstock("schedules", *here)
    schedule = Schedule.create(workspace, "monthly", published.id, "scheduled", FAR, pipeline_parameters={"word": "typed"})
    data = Schedule.create(workspace, "arrivals", published.id, "scheduled", datastore="workspaceblobstore", path_on_datastore="in")
    data.disable()
    heads, line = penstock("schedules", *here).splitlines()
    assert heads.split() == ["ID", "NAME", "STATUS", "NEXT", "WHEN"]
    assert re.match(
        rf"{schedule.id[:8]} +monthly +Active +2999-\d\d-\d\d .* every month from 2999-01-31 12:30 \(Tokyo Standard Time\)", line
    )
    assert {item["name"] for item in json.loads(penstock("schedules", "list", "--all", "--json", *here))} == {"monthly", "arrivals"}

    shown = penstock("schedules", "show", "monthly", *here)
    for pattern in (
        rf"Schedule: +monthly\nId: +{schedule.id}",
        rf"Runs: +the published pipeline 'Say it' \({published.id}\)",
        r"Experiment: +scheduled",
        r"Parameters: +word=typed",
        r"NEXT \(Tokyo Standard Time\) +UTC",
        r"2999-01-31 12:30:00 \+0900 +2999-01-31 03:30:00\n2999-02-28 12:30:00 \+0900",
        r"2999-10-31 .*\n\nIt has not been due yet",
    ):
        assert re.search(pattern, shown), pattern
    shown = penstock("schedules", "show", data.id[:8], *here)
    assert "NEXT LOOKS IF IT WERE ENABLED NOW (UTC)" in shown
    assert "when files in workspaceblobstore/in are new or changed, looked at every 5 minutes" in shown

    assert "Finished" in penstock("schedules", "submit", "monthly", "-P", "word=once", "--wait", *here)
    assert said(schedule) == "said once started"
    assert "Did you mean 'monthly'" in penstock("schedules", "show", "montly", *here, status=1)
    assert "wrod" in penstock("schedules", "submit", "monthly", "-P", "wrod=x", *here, status=1)
    assert "Disabled the schedule 'monthly'" in penstock("schedules", "disable", "monthly", *here)
    here_it_is = datetime(2999, 1, 31, 3, 30, tzinfo=timezone.utc).astimezone()
    assert f"It is due next at {here_it_is:%Y-%m-%d %H:%M:%S}" in penstock("schedules", "enable", "monthly", *here)


def test_a_schedule_that_cannot_fire_says_why(published: PublishedPipeline, penstock: Callable[..., str]) -> None:
    workspace = published.workspace
    here = ("--workspace", workspace.name)
    waiting = Schedule.create(workspace, "late", published.id, "scheduled", datastore="workspaceblobstore", path_on_datastore="late")
    published.disable()
    waiting.disable()
    write(workspace, "late/new.txt", "x", seconds=3600)
    waiting.enable()
    wait_until(lambda: workspace._client.get_schedule(workspace._id, waiting.id)["error"])
    shown = penstock("schedules", "show", "late", *here)
    assert re.search(r"Error: .*1 file is new: late/new.txt. The published pipeline 'Say it' .* is Disabled", shown)
    assert re.search(r"\nLAST DUE .*\n.* Failed +1 file is new", shown)
    assert "Active, failing" in penstock("schedules", *here)
    assert [tick["outcome"] for tick in json.loads(penstock("schedules", "history", "late", "--json", *here))] == ["Failed"]
