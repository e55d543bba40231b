"""The run outside a run, member by member: what each prints, and that it takes what the real one takes."""

from __future__ import annotations

import inspect
import uuid
from typing import Any

import pytest

from azureml.core import Run
from azureml.core.run import _OfflineRun, _SubmittedRun

METRICS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, str]] = [
    ("log", ("accuracy", 0.5), {"description": "d", "step": 3}, "scalar", "0.5"),
    ("log_list", ("points", [1, 2]), {}, "list", "[1, 2]"),
    ("log_row", ("rows",), {"x": 1, "y": 2}, "row", "{'x': 1, 'y': 2}"),
    ("log_row", ("rows", "a description"), {"x": 1}, "row", "{'x': 1}"),
    ("log_table", ("table", {"a": [1, 2]}), {}, "table", "{'a': [1, 2]}"),
    ("log_image", ("image",), {"path": "picture.png"}, "image", "picture.png"),
    ("log_residuals", ("residuals", {"data": 1}), {}, "residuals", "{'data': 1}"),
    ("log_predictions", ("predictions", {"data": 1}), {}, "predictions", "{'data': 1}"),
    ("log_accuracy_table", ("table", {"data": 1}), {}, "accuracy_table", "{'data': 1}"),
    ("log_confusion_matrix", ("matrix", {"data": 1}), {}, "confusion_matrix", "{'data': 1}"),
]
OTHERS: list[tuple[str, tuple[Any, ...], tuple[str, ...]]] = [
    ("tag", ("key", "value"), ("key", "value")),
    ("tag", ("key",), ("key",)),
    ("set_tags", ({"key": "value"},), ("key", "value")),
    ("add_properties", ({"key": "value"},), ("key", "value")),
    ("upload_file", ("name", "path"), ("name", "path")),
    ("upload_files", (["n1", "n2"], ["p1", "p2"]), ("n1", "p2")),
    ("upload_folder", ("name", "folder"), ("name", "folder")),
    ("flush", (), ("flush",)),
    ("fail", ("what went wrong", "Code"), ("what went wrong", "Code")),
    ("fail", (), ("UserError",)),
]
SILENT = ("complete", "cancel")


@pytest.mark.parametrize(("member", "args", "more", "kind", "value"), METRICS)
def test_a_metric_is_told_by_kind_and_name_and_then_its_value(
    member: str, args: Any, more: Any, kind: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert getattr(Run.get_context(), member)(*args, **more) is None
    first, second = capsys.readouterr().out.splitlines()
    assert kind in first.split()
    assert args[0] in first
    assert second == value


@pytest.mark.parametrize(("member", "args", "told"), OTHERS)
def test_what_else_it_is_given_is_told_in_one_message(member: str, args: Any, told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert getattr(Run.get_context(), member)(*args) is None
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert all(word in printed for word in told)


@pytest.mark.parametrize("member", SILENT)
def test_nothing_is_told(member: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert getattr(Run.get_context(), member)() is None
    assert capsys.readouterr().out == ""


def test_ids() -> None:
    run = Run.get_context()
    head, _, tail = run.id.partition("_")
    assert (head, str(uuid.UUID(tail))) == ("OfflineRun", tail)
    assert run.child_run("kid").id == f"{run.id}.kid"
    assert run.child_run("kid").child_run("kid").id == f"{run.id}.kid.kid"
    assert run.child_run().id.startswith(f"{run.id}.")
    assert type(run) == _OfflineRun  # noqa: E721 - as scripts ask
    assert not isinstance(run, Run)
    assert Run.get_context().id != run.id


def test_an_error_in_its_block_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="mine"), Run.get_context():
        raise ValueError("mine")
    assert "[STOP]" in capsys.readouterr().out


def test_it_has_these_members_and_no_others() -> None:
    known = {item[0] for item in METRICS} | {item[0] for item in OTHERS} | {*SILENT, "id", "child_run"}
    assert {name for name in dir(_OfflineRun) if not name.startswith("_")} == known


@pytest.mark.parametrize("member", sorted({item[0] for item in METRICS} | {item[0] for item in OTHERS} | {*SILENT, "child_run"}))
def test_it_is_called_as_the_real_run_is(member: str) -> None:
    real, offline = (list(inspect.signature(getattr(kind, member)).parameters.values()) for kind in (_SubmittedRun, _OfflineRun))
    assert [(item.name, item.kind, item.default) for item in offline] == [(item.name, item.kind, item.default) for item in real]
