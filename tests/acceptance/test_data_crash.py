"""Whatever is killed, and whenever: outputs appear whole or not at all, and only what completed is registered."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.acceptance.test_data_stores import register
from tests.conftest import processes_of

from azureml.core import Dataset, Experiment
from azureml.data import OutputFileDatasetConfig
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect

ROUNDS = int(os.environ.get("PENSTOCK_TEST_ROUNDS", "10"))
FILES = 12

WRITE = """
import os, sys
text, *folders = sys.argv[1:]
for folder in folders:
    os.makedirs(os.path.join(folder, "deep"), exist_ok=True)
    for number in range(12):
        open(os.path.join(folder, "deep" if number % 2 else "", f"{number}.txt"), "w").write(text * 500)
"""
READ = """
import os, sys
text, *folders = sys.argv[1:]
for folder in folders:
    found = [os.path.join(top, name) for top, _, names in os.walk(folder, followlinks=True) for name in names]
    assert len(found) == 12, (folder, len(found))
    for path in found:
        assert open(path).read() == text * 500, path
"""


class Round:
    """write -> read, over an output in a place of its own, one in a place that all runs share, and PipelineData."""

    def __init__(self, workspace: Any, store: Any, folder: Path, home: Path) -> None:
        self.workspace, self.store, self.folder, self.home = workspace, store, str(folder), home

    def submit(self, text: str) -> Any:
        own = OutputFileDatasetConfig("own", (self.store, "own/{run-id}")).register_on_complete("own")
        shared = OutputFileDatasetConfig("shared", (self.store, "shared")).register_on_complete("shared")
        plain = PipelineData("plain", datastore=self.store)
        common = {"compute_target": "local", "source_directory": self.folder}
        write = PythonScriptStep("write.py", "write", [text, own, shared, plain], outputs=[plain], **common)
        arguments = [text, own.as_input("own"), shared.as_input("shared").as_download(), plain]
        read = PythonScriptStep("read.py", "read", arguments, inputs=[plain], **common)
        return Experiment(self.workspace, "crash").submit(Pipeline(self.workspace, [read, write]))

    def run(self, text: str, victim: str, delay: float) -> None:
        """Submit, kill, wait; a step that was lost with its keeper may fail, and then nothing of it counts."""
        run = self.submit(text)
        time.sleep(delay)
        kill(victim, self.home)
        status = run.wait_for_completion(show_output=False, timeout_seconds=120, raise_on_error=False)
        if status != "Finished":
            error = connect().get_run(run.id)["error"]
            assert (victim, error["code"]) == ("keeper", "StepLost"), error
        self.check()
        assert self.submit(text).wait_for_completion(show_output=False, timeout_seconds=120) == "Finished"
        self.check()

    def check(self) -> None:
        """What is registered was made by steps that completed, and is whole."""
        for name in set(self.workspace.datasets) & {"own", "shared"}:
            for item in connect().list_lineage(self.workspace._id, name=name):
                assert item["direction"] == "input" or item["status"] == "Completed", item
            for version in connect().list_dataset_versions(self.workspace._id, name):
                assert len(list_paths(Dataset.get_by_id(self.workspace, version["id"]))) == FILES


def list_paths(dataset: Any) -> list[str]:
    """Return a dataset's paths; a carrier that was killed this moment is missed by the first who asks."""
    try:
        return list(dataset.to_path())
    except UserErrorException:
        return list(dataset.to_path())


def kill(victim: str, home: Path) -> None:
    """Send SIGKILL to a part, if it runs now."""
    words = {"service": "penstock.serve", "keeper": "penstock.engine.executors.keeper", "carrier": "penstock.storage.stores.carrier"}
    try:
        service = psutil.Process(int((home / "service.lock").read_text()))
        family = [service, *service.children(), *processes_of(home)]
    except (psutil.Error, ValueError, OSError):
        return
    for process in family:
        try:
            if words[victim] in process.cmdline() or (victim == "service" and process == service):
                process.kill()
        except psutil.Error:
            continue


@pytest.fixture(params=["local", "s3_server"])
def rounds(request: pytest.FixtureRequest, workspace: Any, scripts: Callable[..., Path], tmp_path: Path, home: Path) -> Round:
    server = request.getfixturevalue(request.param) if request.param != "local" else None
    return Round(workspace, register(workspace, request.param, server, tmp_path), scripts(write=WRITE, read=READ), home)


@pytest.mark.parametrize(("victim", "delay"), [("service", 0.25), ("keeper", 0.15), ("carrier", 0.4)])
def test_outputs_are_whole_or_not_there(rounds: Round, victim: str, delay: float) -> None:
    rounds.run("a", victim, delay)
    rounds.run("b", victim, 2 * delay)


@pytest.mark.long
@pytest.mark.parametrize("number", range(ROUNDS))
def test_outputs_are_whole_at_random_moments(rounds: Round, number: int) -> None:
    chance = random.Random(number)  # noqa: S311 - a moment, not a secret
    for text in "abc":
        rounds.run(text, chance.choice(["service", "keeper", "carrier"]), chance.uniform(0.0, 1.2))
