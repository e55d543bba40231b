"""What the command line asks of the service: no more than it shows."""

from __future__ import annotations

import argparse
import io
import json
import threading
from typing import Any

import pytest

from penstock.cli import logs, lookup, runs
from penstock.client.client import Client
from penstock.model.errors import Invalid, NotFound


@pytest.fixture
def asked(rest: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Point `connect` at the service, and write down what it is asked: the verb, and how much it answers."""
    monkeypatch.setenv("PENSTOCK_HOME", str(rest.home.path))
    found: list[tuple[str, Any]] = []

    def spy(verb: str) -> None:
        real = getattr(Client, verb)

        def told(self: Client, *args: Any, **more: Any) -> Any:
            answer = real(self, *args, **more)
            found.append((verb, len(answer) if verb == "list_runs" else args[0]))
            return answer

        monkeypatch.setattr(Client, verb, told)

    for verb in ("list_runs", "read_file", "list_children"):
        spy(verb)
    return found


def make(rest: Any, *names: str, **more: Any) -> list[str]:
    return [rest.client.create_run(rest.workspace_id, "e", run_id=name, **more)["id"] for name in names]


# Short ids


def test_short_id_is_looked_up_not_searched_for(rest: Any, asked: list[Any]) -> None:
    parent = make(rest, "short_1")[0]
    make(rest, "short_2", "shorter", parent_run_id=parent)
    make(rest, *(f"other_{number}" for number in range(30)))
    assert lookup.get_run("shorte") == rest.client.get_run("shorter")
    assert asked == [("list_runs", 1)]


def test_short_id_of_many_runs(rest: Any, asked: list[Any]) -> None:
    make(rest, *(f"many_{number}" for number in range(9)), "pair_1", "pair_2")
    with pytest.raises(Invalid, match=r"^2 runs begin with 'pair'") as caught:
        lookup.get_run("pair")
    assert "pair_1 (e " in caught.value.message
    with pytest.raises(Invalid, match=r"^More than 5 runs begin with 'many'.*, \.\.\.\. Type more of the id"):
        lookup.get_run("many")
    assert max(count for _, count in asked) == 6


def test_unknown_id_gets_a_hint(rest: Any, asked: list[Any]) -> None:
    make(rest, "f00dcafe-1")
    with pytest.raises(NotFound, match="Did you mean f00dcafe-1"):
        lookup.get_run("f00dcaf3")


@pytest.mark.parametrize("text", ["123", "f01", "9f0e", "0000000000"])
def test_an_unknown_id_that_is_like_none_gets_no_guess(rest: Any, asked: list[Any], text: str) -> None:
    make(rest, f"132d7e37-{text}", f"f0ffdcaf-{text}")
    with pytest.raises(NotFound) as caught:
        lookup.get_run(text)
    assert "Did you mean" not in caught.value.message
    assert "'penstock runs' lists them" in caught.value.message


@pytest.mark.parametrize("prefix", ["%", "_", "f00%", "\\", "'", "ü", "\U0010ffff"])
def test_prefix_means_itself(rest: Any, prefix: str) -> None:
    make(rest, f"own_{abs(hash(prefix))}")
    assert rest.client.list_runs(id_prefix=prefix) == []


# Lists


def options(**chosen: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"experiment": None, "status": None, "tag": [], "limit": 2, "all": False, "json": True, **chosen})


def test_status_is_asked_for_with_the_limit(rest: Any, asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    rest.client.ensure_experiment(rest.workspace_id, "by-status")
    made = [rest.client.create_run(rest.workspace_id, "by-status", status=word)["id"] for word in ("Queued", "Running", "Running")]
    for run_id in made[1:2]:
        rest.client.set_run_status(run_id, "Completed")
    runs.print_runs(options(experiment="by-status", status="running", limit=1))
    runs.print_runs(options(experiment="by-status", status="finished"))
    assert [item["id"] for item in rest.client.list_runs(rest.workspace_id, "by-status", status=["Queued", "Completed"])] == made[1::-1]
    first, second = capsys.readouterr().out.split("]\n[")
    assert [item["id"] for item in json.loads(first + "]")] == made[2:]
    assert [item["id"] for item in json.loads("[" + second)] == made[1:2]
    assert [count for verb, count in asked if verb == "list_runs"][:2] == [1, 1]


# Logs


def test_what_an_interactive_run_kept_is_its_log(rest: Any, asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    run = rest.client.create_run(rest.workspace_id, "e")["id"]
    rest.client.put_file(run, logs.KEPT_LOG, io.BytesIO(b"printed inside\n"))
    logs.print_logs(run, None, follow=False)
    assert capsys.readouterr().out == "printed inside\n"


def test_a_step_that_a_step_does_not_have_is_refused(rest: Any, chain: Any) -> None:
    step = rest.submit(chain(1))["steps"][0]
    assert lookup.list_steps(step, step["name"]) == [step]
    with pytest.raises(NotFound, match="Did you mean 'step 0'"):
        lookup.list_steps(step, "stp 0")


def test_followed_logs_are_read_while_they_are_written(
    rest: Any, chain: Any, asked: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FOLLOW_SECONDS", 0.1)
    answer = rest.submit(chain(4))
    run, (ended, going, waiting, never) = answer["run"]["id"], [step["id"] for step in answer["steps"]]

    def move(step: str, status: str) -> None:
        with rest.context.change() as change:
            change.rows.execute("update runs set status = ? where id = ?", (status, step))
            change.tell(step, run, status, "test")

    rest.write(ended, logs.LOG, b"first\n")
    move(ended, "Completed")
    move(going, "Running")
    rest.write(going, logs.LOG, b"second\nhalf")
    follower = threading.Thread(target=logs.print_logs, args=(run, None), kwargs={"follow": True})
    follower.start()
    threading.Event().wait(0.5)
    rest.write(going, logs.LOG, b"second\nhalf a line")
    move(going, "Completed")
    rest.write(waiting, logs.LOG, b"third\n")
    move(waiting, "Running")
    move(waiting, "Failed")
    move(never, "Skipped")
    move(run, "Failed")
    follower.join(20)
    assert capsys.readouterr().out.splitlines() == ["step 0 | first", "step 1 | second", "step 1 | half a line", "step 2 | third"]
    read = [run_id for verb, run_id in asked if verb == "read_file"]
    assert (read.count(ended), read.count(waiting), read.count(never)) == (1, 1, 0)
    assert read.count(going) > 2
    assert [verb for verb, _ in asked].count("list_children") == 1
