"""The REST routes of builds, without an engine: what is asked for waits, and what rows tell is answered."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.model.errors import Invalid, NotFound, Refused, Unavailable
from penstock.operations import environment_builds as rows
from penstock.operations import environment_requests as requests
from penstock.operations import waiting
from penstock.storage import built

KEY = "ab" * 32
OTHER = "ab" * 31 + "cd"


@pytest.fixture(autouse=True)
def no_builds(rest: Any) -> None:
    rest.execute("delete from environment_builds")


def test_a_request_is_kept_until_the_engine_answers(rest: Any) -> None:
    rest.client.register_environment(rest.workspace_id, "train", {"name": "train"})
    request = rest.client.request_environment_build(rest.workspace_id, "train", interpreter="/bin/python")
    assert (request["status"], request["version"], request["key"]) == ("Queued", "1", None)
    assert rest.client.read_environment_request_log(request["id"]) == b""
    requests.note_request(rest.context, request["id"], KEY, "cpython 3.7.16")
    assert rest.client.get_environment_request(request["id"])["status"] == "Running"
    requests.answer_request(rest.context, request["id"], interpreter="/env/bin/python", key=KEY, notes=["a pin was relaxed"])
    (found,) = rest.client.list_environment_requests(rest.workspace_id, "train")
    assert (found["status"], found["chosen_interpreter"], found["notes"]) == ("Succeeded", "/env/bin/python", ["a pin was relaxed"])


def test_a_request_that_needs_no_build_has_one_line_of_log(rest: Any) -> None:
    rest.client.register_environment(rest.workspace_id, "train", {"name": "train"})
    request = rest.client.request_environment_build(rest.workspace_id, "train")
    requests.answer_request(rest.context, request["id"], "cpython 3.11.7", "/bin/python")
    assert rest.client.read_environment_request_log(request["id"]) == (
        b"Nothing need be built: steps of this environment run on /bin/python (cpython 3.11.7).\n"
    )


def test_a_request_for_what_is_not_registered(rest: Any) -> None:
    rest.client.register_environment(rest.workspace_id, "train", {"name": "train"})
    with pytest.raises(NotFound, match="Did you mean 'train'"):
        rest.client.request_environment_build(rest.workspace_id, "trian")
    with pytest.raises(NotFound, match="version '9'"):
        rest.client.request_environment_build(rest.workspace_id, "train", "9")
    with pytest.raises(NotFound, match="no request"):
        rest.client.get_environment_request("nothing")


def test_builds_are_found_by_the_beginning_of_their_key(rest: Any) -> None:
    rows.record_wanted(rest.context, KEY, {"python": "cpython 3.7.16", "requirements": ["probe"]})
    rows.record_started(rest.context, KEY)
    rows.record_built(rest.context, KEY, "/env/bin/python", ["a pin was relaxed"])
    found = rest.client.get_environment_build(KEY[:8])
    assert (found["key"], found["status"], found["notes"], found["steps"]) == (KEY, "Succeeded", ["a pin was relaxed"], 0)
    rows.record_wanted(rest.context, OTHER, {})
    with pytest.raises(Invalid, match="fits several"):
        rest.client.get_environment_build(KEY[:8])
    with pytest.raises(Invalid, match="too short"):
        rest.client.get_environment_build("a")
    with pytest.raises(NotFound, match="penstock environments"):
        rest.client.get_environment_build("ffff")
    assert [build["key"] for build in rest.client.list_environment_builds()] == [OTHER, KEY]


def test_the_log_of_a_build_is_followed(rest: Any) -> None:
    rows.record_wanted(rest.context, KEY, {})
    with pytest.raises(NotFound, match="has no log"):
        rest.client.read_environment_log(KEY)
    path = built.log_path(rest.home, KEY)
    path.parent.mkdir(exist_ok=True)
    path.write_text("one\n")
    assert rest.client.read_environment_log(KEY) == b"one\n"
    path.write_text("one\ntwo\n")
    assert rest.client.read_environment_log(KEY, 4) == b"two\n"
    assert rest.client.read_environment_log(KEY, 400) == b""


@pytest.mark.parametrize("key", ["..", "%2e%2e", "____", "%", "*" * 8, "x" * 1000])
def test_a_key_that_leads_elsewhere_is_none(rest: Any, key: str) -> None:
    rows.record_wanted(rest.context, KEY, {})
    with pytest.raises((NotFound, Invalid)):
        rest.client.read_environment_log(key)
    rest.client.list_environment_builds()


def test_what_is_built_just_now_is_not_removed(rest: Any) -> None:
    rows.record_wanted(rest.context, KEY, {})
    with pytest.raises(Refused, match="is being built"):
        rest.client.remove_environment_build(KEY)
    rows.record_failed(rest.context, KEY, "no such package")
    rest.client.remove_environment_build(KEY)
    assert rest.client.list_environment_builds() == []


def test_what_somebody_builds_without_a_row_is_not_removed(rest: Any) -> None:
    """Another process may hold its lock: what a killed service left running, or another service."""
    rows.record_wanted(rest.context, KEY, {})
    rows.record_failed(rest.context, KEY, "no such package")
    with built.hold_lock(rest.home, KEY, lambda: None), pytest.raises(Refused, match="is being built"):
        rest.client.remove_environment_build(KEY)
    rest.client.remove_environment_build(KEY)
    assert [path.name for path in rest.home.environments.iterdir() if path.name.startswith(KEY)] == []


def test_a_build_that_is_tried_again_is_no_failed_one(rest: Any) -> None:
    rows.record_wanted(rest.context, KEY, {})
    rows.record_started(rest.context, KEY)
    rows.record_held_up(rest.context, KEY, "the disk is full")
    found = rest.client.get_environment_build(KEY)
    assert (found["status"], found["error"]) == ("Queued", "the disk is full")
    with pytest.raises(Refused, match="is being built"):
        rest.client.remove_environment_build(KEY)
    rows.record_unwanted(rest.context, [KEY])
    assert rest.client.get_environment_build(KEY)["status"] == "Queued"
    rows.record_unwanted(rest.context, [])
    assert rest.client.get_environment_build(KEY)["status"] == "Failed"


def test_no_step_is_claimed_for_an_environment_that_was_removed(rest: Any) -> None:
    with pytest.raises(Unavailable, match="was removed"), rest.context.change() as change:
        waiting.note_environment(rest.context, change, "a run", KEY)


def test_old_requests_are_forgotten(rest: Any) -> None:
    rest.client.register_environment(rest.workspace_id, "train", {"name": "train"})
    asked = []
    for _ in range(103):
        asked.append(requests.request_build(rest.context, rest.workspace_id, "train")["id"])
        requests.answer_request(rest.context, asked[-1], "cpython 3.11.7", "/bin/python")
    last = requests.request_build(rest.context, rest.workspace_id, "train")["id"]
    assert last in {request["id"] for request in requests.list_open_requests(rest.context)}
    assert len(requests.list_requests(rest.context, rest.workspace_id, "train")) == 100
    with pytest.raises(NotFound):
        requests.get_request(rest.context, asked[0])


def test_a_service_that_was_killed_leaves_no_build_under_way(rest: Any) -> None:
    rows.record_wanted(rest.context, KEY, {})
    rows.forget_killed(rest.context)
    assert rest.client.get_environment_build(KEY)["status"] == "Failed"
