"""What a failed step's user is told."""

import pytest

from penstock.engine.executors import Outcome
from penstock.engine.scheduler import describe_failure

ROW = {"id": "s1", "pipeline_run_id": "p1", "name": "train"}


@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        (Outcome(exit_code=3), "UserError", "exit status 3"),
        (Outcome(signal=9), "UserError", "SIGKILL (often the machine ran out of memory)"),
        (Outcome(signal=11), "UserError", "SIGSEGV"),
        (Outcome(exit_code=1, error=("ValueError", "no such column", "Traceback ...")), "UserError", "ValueError: no such column"),
        (Outcome(error=("DiskFull", "The disk is full: /x could not be written.", "")), "SystemError", "The disk is full"),
        (Outcome(lost="the process that kept it was killed"), "StepLost", "the process that kept it was killed"),
    ],
)
def test_each_ending_names_the_cause_and_the_next_step(outcome: Outcome, code: str, words: str) -> None:
    error = describe_failure(ROW, outcome)
    assert error is not None
    assert error["code"] == code
    assert words in error["message"]
    assert "penstock logs p1 'train'" in error["message"]


def test_success_is_no_failure() -> None:
    assert describe_failure(ROW, Outcome(exit_code=0)) is None
