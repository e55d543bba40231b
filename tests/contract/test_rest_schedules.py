"""Schedules over REST, from the client's side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.contract.conftest import Rest
from tests.contract.test_published_runs import ENTRIES, SOURCE, chain, publish

from penstock.model.errors import Invalid, NotFound
from penstock.operations.schedule_ticks import fire_due

NIGHTLY = {"frequency": "Day", "interval": 1, "time_zone": "W. Europe Standard Time", "hours": [2], "minutes": [30]}
WORK = {"experiment_name": "nightly", "parameters": {"n": 3}}


@pytest.fixture
def pipeline(rest: Rest) -> str:
    with rest.context.change() as change:
        manifest = json.dumps([list(entry) for entry in ENTRIES])
        change.rows.execute("insert into snapshots values (?, ?, ?) on conflict do nothing", (SOURCE, manifest, change.at))
    return publish(rest.context, rest.workspace_id, chain(1))


def create(rest: Rest, pipeline: str, **more: Any) -> dict[str, Any]:
    about = {"recurrence": NIGHTLY, "pipeline_id": pipeline, **more}
    return rest.client.create_schedule(rest.workspace_id, about.pop("name", "nightly / all"), WORK, **about)


def test_a_schedule_is_made_found_changed_and_forgotten(rest: Rest, pipeline: str) -> None:
    made = create(rest, pipeline, description="each night", catch_up="none")
    assert made["recurrence"] == {**NIGHTLY, "start_time": None, "week_days": None}
    assert made["submission"] == {**WORK, "description": None, "continue_on_step_failure": None}
    about = {"name": "nightly / all", "description": "each night", "status": "Active", "kind": "Recurrence", "catch_up": "none"}
    assert {key: made[key] for key in about} == about
    assert (made["pipeline_id"], made["endpoint_id"], made["trigger"], made["error"]) == (pipeline, None, None, None)
    assert made["next_at"] > made["created_at"]
    assert rest.client.get_schedule(rest.workspace_id, made["id"]) == made
    changed = rest.client.update_schedule(rest.workspace_id, made["id"], status="Disabled", submission={"parameters": {"n": 4}})
    assert (changed["status"], changed["next_at"], changed["description"]) == ("Disabled", None, "each night")
    assert changed["submission"] == {**made["submission"], "parameters": {"n": 4}}
    rest.client.delete_schedule(rest.workspace_id, made["id"])
    with pytest.raises(NotFound, match="no schedule with the id"):
        rest.client.get_schedule(rest.workspace_id, made["id"])


def test_schedules_are_listed_by_what_they_run(rest: Rest, pipeline: str) -> None:
    other = publish(rest.context, rest.workspace_id, chain(1))
    made = [create(rest, target, name=name)["id"] for target, name in ((pipeline, "a"), (other, "b"), (pipeline, "c"))]
    rest.client.update_schedule(rest.workspace_id, made[0], status="Disabled")

    def ids(**about: Any) -> list[str]:
        return [item["id"] for item in rest.client.list_schedules(rest.workspace_id, **about)]

    assert ids() == made[::-1]
    assert ids(active_only=True) == [made[2], made[1]]
    assert ids(pipeline_id=pipeline) == [made[2], made[0]]
    assert ids(name="b") == [made[1]]
    assert ids(limit=1) == [made[2]]
    assert ids(endpoint_id="none") == []


def test_the_next_ticks_are_told_in_utc_and_in_the_zone(rest: Rest, pipeline: str) -> None:
    made = create(rest, pipeline)
    told = rest.client.preview_schedule(rest.workspace_id, made["id"], 3)
    assert (told["description"], told["time_zone"]) == ("every day at 02:30 (W. Europe Standard Time)", "W. Europe Standard Time")
    assert len(told["ticks"]) == 3
    assert told["ticks"][0]["at"] == made["next_at"]
    assert all(tick["at"][14:16] == "30" and tick["local"][-6:] in ("+01:00", "+02:00") for tick in told["ticks"])


def test_ticks_are_told_with_their_runs(rest: Rest, pipeline: str) -> None:
    made = create(rest, pipeline, recurrence={"frequency": "Month", "interval": 1})
    assert fire_due(rest.context) == 1
    (tick,) = rest.client.list_schedule_ticks(rest.workspace_id, made["id"], limit=5)
    assert rest.client.get_run(tick["run_id"])["schedule_id"] == made["id"]
    run = rest.client.run_schedule(rest.workspace_id, made["id"])
    assert run["parameters"] == {"n": 3}
    assert len(rest.client.list_schedule_ticks(rest.workspace_id, made["id"])) == 1


def test_a_request_that_is_sent_twice_makes_one_schedule(rest: Rest, pipeline: str) -> None:
    body = {"name": "once", "submission": WORK, "pipeline_id": pipeline, "recurrence": NIGHTLY}
    path, request = f"/workspaces/{rest.workspace_id}/schedules", {"request_id": "00000000-0000-4000-8000-00000000000a"}
    first, second = (rest.client._transport.call("POST", path, document={**body, **request}) for _ in range(2))
    assert first == second
    assert len(rest.client.list_schedules(rest.workspace_id, name="once")) == 1


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"recurrence": None}, "either a recurrence or a datastore"),
        ({"trigger": {"datastore": "workspaceblobstore"}}, "either a recurrence or a datastore"),
        ({"endpoint_id": "x"}, "either a published pipeline or a pipeline endpoint"),
        ({"recurrence": {"frequency": "Daily", "interval": 1}}, "one of Minute, Hour"),
        ({"catch_up": "some"}, "none, last, all"),
        ({"name": " "}, "The name of a schedule"),
        ({"recurrence": None, "trigger": {}}, "must name their datastore"),
        ({"recurrence": None, "trigger": {"datastore": "workspaceblobstore", "polling_interval": 0}}, "polling_interval"),
        ({"recurrence": None, "trigger": {"datastore": "workspaceblobstore", "folder": "x"}}, "'folder' in the trigger"),
        ({"recurrence": None, "trigger": {"datastore": "workspaceblobstore", "parameter": "gone"}}, "gone"),
    ],
)
def test_what_is_wrong_is_refused_in_words(rest: Rest, pipeline: str, about: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        create(rest, pipeline, **about)
    assert words in caught.value.message


def test_a_schedule_stays_of_its_kind(rest: Rest, pipeline: str) -> None:
    made = create(rest, pipeline)
    with pytest.raises(Invalid, match="has a recurrence, and stays so"):
        rest.client.update_schedule(rest.workspace_id, made["id"], trigger={"datastore": "workspaceblobstore"})
    with pytest.raises(Invalid, match="Active or Disabled"):
        rest.client.update_schedule(rest.workspace_id, made["id"], status="Paused")
    with pytest.raises(NotFound, match="Did you mean 'workspaceblobstore'"):
        create(rest, pipeline, recurrence=None, trigger={"datastore": "workspaceblobstor"})


def test_a_schedule_of_files_is_due_at_once_and_looks_afresh_when_it_watches_another_place(rest: Rest, pipeline: str) -> None:
    made = create(rest, pipeline, recurrence=None, trigger={"datastore": "workspaceblobstore", "path": "in"})
    assert made["trigger"] == {"datastore": "workspaceblobstore", "polling_interval": 5, "path": "in", "parameter": None}
    assert (made["kind"], made["next_at"][:19]) == ("DataStore", made["created_at"][:19])
    rest.execute("update schedules set seen_at = 'then' where id = ?", made["id"])
    rest.execute("insert into schedule_files values (?, 'in/a', '1')", made["id"])

    def state() -> tuple[Any, int]:
        row = rest.context.database.first("select seen_at from schedules where id = ?", (made["id"],))
        return row and row["seen_at"], len(rest.context.database.all("select 1 from schedule_files where schedule_id = ?", (made["id"],)))

    rest.client.update_schedule(rest.workspace_id, made["id"], trigger={"polling_interval": 10})
    assert state() == ("then", 1)
    moved = rest.client.update_schedule(rest.workspace_id, made["id"], trigger={"path": "other"})
    assert (moved["trigger"]["polling_interval"], moved["trigger"]["path"], state()) == (10, "other", (None, 0))
