"""One pipeline, its default datastore a local folder, Azure blobs, or an S3 bucket: same results, same paths, same reuse."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import kill_service, wait_until
from tests.parts.proxy import proxy_to

from azureml.core import Dataset, Datastore, Experiment
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect

KINDS = ("local", "azurite", "s3_server")

PREPARE = """
import os, sys
raw, middle, single = sys.argv[1:]
rows = [line for name in sorted(os.listdir(raw)) for line in open(os.path.join(raw, name))]
os.makedirs(os.path.join(middle, "deep"))
open(os.path.join(middle, "deep", "rows.txt"), "w").writelines(rows)
open(os.path.join(middle, "count.txt"), "w").write(str(len(rows)))
open(single, "w").write("one file")
"""
USE = """
import os, sys
middle, single, folder, uploaded = sys.argv[1:]
assert open(single).read() == "one file", single
assert os.path.isdir(folder), "a dataset output's folder exists"
count = open(os.path.join(middle, "count.txt")).read()
text = open(os.path.join(middle, "deep", "rows.txt")).read()
open(os.path.join(folder, "result.txt"), "w").write(count + ":" + text)
os.makedirs(os.path.join(uploaded, "kept"))
open(os.path.join(uploaded, "kept", "a.csv"), "w").write("a")
open(os.path.join(uploaded, "left.txt"), "w").write("b")
"""
READ = """
import os, sys
for path in sys.argv[1:]:
    for top, _, names in sorted(os.walk(path)):
        for name in sorted(names):
            print(os.path.relpath(os.path.join(top, name), path), open(os.path.join(top, name)).read().strip())
"""


def register(workspace: Any, kind: str, server: Any, tmp_path: Path, **about: Any) -> Any:
    """Register a datastore 'data' of a kind, empty."""
    if kind == "local":
        connect().register_datastore(workspace._id, "data", "AzureBlob", root=str(tmp_path / "data"))
        return Datastore.get(workspace, "data")
    if kind == "azurite":
        given = {"endpoint": server.endpoint, "account_key": server.account_key, **about}
        return Datastore.register_azure_blob_container(workspace, "data", server.new_container(), server.account_name, **given)
    given = {"endpoint_url": server.endpoint, "access_key_id": server.key, "secret_access_key": server.secret, **about}
    return Datastore.register_s3(workspace, "data", server.new_bucket(), **given)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, workspace: Any, tmp_path: Path) -> Any:
    server = request.getfixturevalue(request.param) if request.param != "local" else None
    made = register(workspace, request.param, server, tmp_path)
    workspace.set_default_datastore("data")
    return made


class Flow:
    """prepare -> use -> read, over every way in which data moves."""

    def __init__(self, workspace: Any, store: Any, folder: Path, tmp_path: Path) -> None:
        self.workspace, self.store, self.folder, self.raw = workspace, store, str(folder), tmp_path / "raw"
        self.raw.mkdir()
        for name in ("one", "two"):
            self.write(name, name)

    def write(self, name: str, text: str) -> None:
        (self.raw / f"{name}.txt").write_text(text + "\n")
        self.store.upload(str(self.raw), target_path="raw [1]", overwrite=True, show_progress=False)

    def submit(self) -> Any:
        workspace, store = self.workspace, self.store
        common = {"compute_target": "local", "source_directory": self.folder}
        raw = DataReference(store, "raw", path_on_datastore="raw [1]")
        middle, single = PipelineData("middle", datastore=store), PipelineData("single", datastore=store)
        table = OutputFileDatasetConfig("table", (store, "tables*[x]/{run-id}/{output-name}")).register_on_complete("table")
        uploaded = OutputFileDatasetConfig("uploaded", (store, "uploads/{run-id}")).as_upload(source_globs=["**/*.csv"])
        prepare = PythonScriptStep("prepare.py", "prepare", [raw, middle, single], inputs=[raw], outputs=[middle, single], **common)
        use = PythonScriptStep(
            "use.py",
            "use",
            [middle, single, table, uploaded],
            inputs=[middle.as_download("middle", path_on_compute="mine"), single],
            outputs=[table, uploaded],
            **common,
        )
        one = Dataset.File.from_files((store, "raw [[]1]/one.txt")).as_named_input("one").as_download()
        read = PythonScriptStep("read.py", "read", [table.as_input("table"), uploaded.as_input("uploaded"), one], **common)
        run = Experiment(workspace, "stores").submit(Pipeline(workspace, [read, use, prepare]))
        run.wait_for_completion(show_output=False, raise_on_error=False)
        assert run.get_status() == "Finished", run.get_details().get("error")
        return run

    def files(self, prefix: str) -> list[str]:
        return sorted(item["path"] for item in connect().list_files_on(self.workspace._id, "data", prefix))


@pytest.fixture
def flow(workspace: Any, store: Any, scripts: Callable[..., Path], tmp_path: Path) -> Flow:
    return Flow(workspace, store, scripts(prepare=PREPARE, use=USE, read=READ), tmp_path)


def step_of(run: Any, name: str) -> Any:
    return run.find_step_run(name)[0]


def test_same_results_at_the_same_paths(flow: Flow) -> None:
    run = flow.submit()
    prepare, use = step_of(run, "prepare").id, step_of(run, "use").id
    assert flow.files("azureml/") == [
        f"azureml/{prepare}/middle/count.txt",
        f"azureml/{prepare}/middle/deep/rows.txt",
        f"azureml/{prepare}/single",
    ]
    assert flow.files("tables*[x]/") == [f"tables*[x]/{use}/table/result.txt"]
    assert flow.files("uploads/") == [f"uploads/{use}/kept/a.csv"]
    log = step_of(run, "read").get_job_log()
    for line in ("result.txt 2:one", "two", "kept/a.csv a", "one.txt one"):
        assert f"{line}\n" in log
    assert Dataset.get_by_name(flow.workspace, "table").version == 1
    assert not list(Path(os.environ["PENSTOCK_HOME"]).rglob("unpublished")), "what was published is kept once"


def test_reuse(flow: Flow) -> None:
    first = flow.submit()
    again = flow.submit()
    assert all(step.is_reused for step in again.get_steps())
    assert step_of(again, "read").get_job_log() == step_of(first, "read").get_job_log()
    lineage = connect().list_lineage(flow.workspace._id, run_id=again.id)
    assert {(item["direction"], item["port"]) for item in lineage if item["run_id"] == step_of(again, "use").id} == {
        ("output", "table"),
        ("output", "uploaded"),
    }
    assert Dataset.get_by_name(flow.workspace, "table").version == 1


def test_new_bytes_are_named(flow: Flow) -> None:
    flow.submit()
    flow.write("two", "other")
    run = flow.submit()
    reasons = {step.name: connect().get_run(step.id)["reason"] for step in run.get_steps() if not step.is_reused}
    assert "input 'raw' has other content (changed: two.txt)" in reasons["prepare"]
    assert "input 'middle' has other content (changed: deep/rows.txt)" in reasons["use"]
    assert set(reasons) == {"prepare", "use", "read"}


def test_outputs_that_are_gone_are_made_again(flow: Flow) -> None:
    first = flow.submit()
    place = f"azureml/{step_of(first, 'prepare').id}/middle/count.txt"
    remove(flow, place)
    run = flow.submit()
    assert {step.name for step in run.get_steps() if not step.is_reused} == {"prepare"}, "the same bytes were made again"
    assert "The output 'middle' of run" in connect().get_run(step_of(run, "prepare").id)["reason"]


SAME = """
import os, sys
for number in range(150):
    open(os.path.join(sys.argv[2], f"{number}.txt"), "w").write(sys.argv[1])
"""


def test_two_runs_that_write_to_one_place_do_not_mix(workspace: Any, store: Any, scripts: Callable[..., Path], tmp_path: Path) -> None:
    folder = str(scripts(same=SAME))

    def submit(text: str) -> Any:
        output = OutputFileDatasetConfig("same", (store, "same"))
        step = PythonScriptStep("same.py", f"write {text}", [text, output], "local", source_directory=folder)
        return Experiment(workspace, "same").submit(Pipeline(workspace, [step]))

    def read() -> set[str]:
        store.download(str(tmp_path / "got"), prefix="same", overwrite=True, show_progress=False)
        files = list((tmp_path / "got" / "same").iterdir())
        assert len(files) == 150
        return {file.read_text() for file in files}

    for run in [submit(text) for text in "abc"]:
        assert run.wait_for_completion(show_output=False) == "Finished"
    assert len(read()) == 1, "the last one's, whole"
    for text in "abc":
        submit(text).wait_for_completion(show_output=False)
        assert read() == {text}, "what others wrote over is made again"


def remove(flow: Flow, path: str) -> None:
    """Remove one file from the datastore, as a person would."""
    from penstock.client.home import find_home
    from penstock.operations.context import Context
    from penstock.operations.datastores import store_of
    from penstock.persistence.database import Database
    from penstock.settings import Settings

    home = find_home()
    database = Database(home.database)
    context = Context(database, home, Settings())
    try:
        context.stores.delete(store_of(context, flow.workspace._id, "data"), [path])
    finally:
        context.stores.close()
        database.close()


# When the network is not what it should be

SLOW = ["azurite", "s3_server"]
BYTES = os.urandom(3_000_000)


class Far:
    """A datastore behind a proxy."""

    def __init__(self, workspace: Any, kind: str, server: Any, folder: Path, tmp_path: Path, proxy: Any) -> None:
        self.workspace, self.folder, self.proxy = workspace, str(folder), proxy
        key = "endpoint" if kind == "azurite" else "endpoint_url"
        self.store = register(workspace, kind, server, tmp_path, **{key: server.endpoint.replace(f":{server.port}", f":{proxy.port}")})
        source = tmp_path / "bytes"
        source.mkdir()
        (source / "large.bin").write_bytes(BYTES)
        self.store.upload(str(source), target_path="large", show_progress=False)

    def read(self, name: str = "read") -> PythonScriptStep:
        reference = DataReference(self.store, "large", path_on_datastore="large")
        return PythonScriptStep("size.py", name, [reference], "local", inputs=[reference], source_directory=self.folder)

    def near(self) -> PythonScriptStep:
        return PythonScriptStep("near.py", "near", compute_target="local", source_directory=self.folder)

    def submit(self, *steps: PythonScriptStep, **submission: Any) -> Any:
        return Experiment(self.workspace, "far").submit(Pipeline(self.workspace, list(steps)), **submission)


SIZE = "import os, sys; print('bytes', os.path.getsize(os.path.join(sys.argv[1], 'large.bin')))"
LARGE = """
import os, sys, time
open(sys.argv[2], "a").write("x")
open(os.path.join(sys.argv[1], "large.bin"), "wb").write(os.urandom(3_000_000))
"""


@pytest.fixture(params=SLOW)
def far(request: pytest.FixtureRequest, workspace: Any, scripts: Callable[..., Path], tmp_path: Path) -> Iterator[Far]:
    server = request.getfixturevalue(request.param)
    with proxy_to(server.port) as proxy:
        yield Far(workspace, request.param, server, scripts(size=SIZE, near="print('near')", large=LARGE), tmp_path, proxy)


def status(run: Any, name: str) -> str:
    return str(connect().get_run(run.find_step_run(name)[0].id)["status"])


def test_a_slow_transfer_holds_up_no_other_step(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    connect().stop_service()
    monkeypatch.setenv("PENSTOCK_STEP_SLOTS", "1")
    far.proxy.cut_all(50_000)  # what is listed comes through, the file does not
    run = far.submit(far.read(), far.near())
    wait_until(lambda: status(run, "near") == "Completed")
    assert status(run, "read") == "Queued"
    far.proxy.cut(0, times=0)
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert f"bytes {len(BYTES)}" in step_of(run, "read").get_job_log()


def test_a_step_that_waits_for_its_data_is_cancelled_at_once(far: Far) -> None:
    far.proxy.stalled.set()
    run = far.submit(far.read())
    wait_until(lambda: far.proxy.connections > 0)
    run.cancel()
    assert run.wait_for_completion(show_output=False, timeout_seconds=20) == "Canceled"
    far.proxy.stalled.clear()
    assert far.submit(far.read()).wait_for_completion(show_output=False) == "Finished"


def test_an_upload_is_done_again_when_the_service_dies(far: Far, home: Path, tmp_path: Path) -> None:
    output = OutputFileDatasetConfig("made", (far.store, "made")).register_on_complete("made")
    ledger = tmp_path / "ledger"
    step = PythonScriptStep("large.py", "large", [output, str(ledger)], "local", source_directory=far.folder)
    far.proxy.stalled.set()
    run = far.submit(step)
    wait_until(lambda: status(run, "large") == "Finalizing")
    assert "made" not in far.workspace.datasets
    assert kill_service(home)
    far.proxy.stalled.clear()
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert ledger.read_text() == "x", "the script ran once"
    (file,) = connect().list_files_on(far.workspace._id, "data", "made")
    assert (file["path"], file["size"]) == ("made/large.bin", 3_000_000)
    assert Dataset.get_by_name(far.workspace, "made").version == 1


def test_an_upload_that_is_cancelled_registers_nothing(far: Far, tmp_path: Path) -> None:
    output = OutputFileDatasetConfig("made", (far.store, "made")).register_on_complete("made")
    step = PythonScriptStep("large.py", "large", [output, str(tmp_path / "ledger")], "local", source_directory=far.folder)
    far.proxy.stalled.set()
    run = far.submit(step)
    wait_until(lambda: status(run, "large") == "Finalizing")
    run.cancel()
    assert run.wait_for_completion(show_output=False, timeout_seconds=30) == "Canceled"
    assert "made" not in far.workspace.datasets
    far.proxy.stalled.clear()


@pytest.mark.long
def test_a_datastore_that_never_answers_fails_the_step_and_is_named(far: Far) -> None:
    far.proxy.cut_all(50_000)
    run = far.submit(far.read())
    run.wait_for_completion(show_output=False, raise_on_error=False)
    message = connect().get_run(run.id)["error"]["message"]
    assert "Its input 'large' can't be fetched" in message
    assert "large/large.bin" in message
    assert "'data'" in message
    assert "It was tried" in message
