"""The run that scripts get when they are started by hand."""

from __future__ import annotations

import pytest

from azureml.core import Run
from azureml.core.run import _OfflineRun
from azureml.exceptions import RunEnvironmentException

ABSENT = """experiment parent input_datasets output_datasets get_metrics get_details tags properties get_tags
register_model download_file get_secret name status"""


def test_it_prints_what_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.get_context()
    assert type(run) is _OfflineRun
    assert run.id.startswith("OfflineRun_")
    run.log("accuracy", 0.5, step=1)
    run.log_row("row", a=1)
    run.upload_file("x", "y")
    run.fail("bad", "Code")
    run.complete()
    printed = capsys.readouterr().out
    for words in ("scalar", "accuracy", "0.5", "row", "upload", "bad", "Code"):
        assert words in printed


@pytest.mark.parametrize("name", ABSENT.split())
def test_what_it_lacks_stays_absent(name: str) -> None:
    assert not hasattr(_OfflineRun(), name)


def test_children_and_with(capsys: pytest.CaptureFixture[str]) -> None:
    with Run.get_context() as run:
        assert run.child_run("kid").id == f"{run.id}.kid"
    assert capsys.readouterr().out.splitlines() == [f"[START] Run {run.id} context", f"[STOP] Run {run.id} context"]


def test_offline_can_be_refused() -> None:
    with pytest.raises(RunEnvironmentException) as caught:
        Run.get_context(allow_offline=False)
    assert isinstance(caught.value.inner_exception, RunEnvironmentException)
    with pytest.raises(RunEnvironmentException):
        Run.get_submitted_run()
