"""Registered models as v1 scripts use them: from files, from runs, inside steps; found, fetched, changed, deleted."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.conftest import kill_service, wait_until

from azureml.core import Dataset, Experiment, Model, Run, Workspace
from azureml.core.image import ContainerImage, Image
from azureml.core.model import InferenceConfig, ModelPackage
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.core.webservice import AciWebservice, AksWebservice, LocalWebservice, Webservice
from azureml.exceptions import ModelNotFoundException, ModelPathNotFoundException, UserErrorException, WebserviceException
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep
from penstock.compile.manifests import digest_file


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the script works in."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("AML_APP_ROOT", "AZUREML_MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def write(folder: Path, **files: str) -> Path:
    """Write files whose names have '__' for '/'."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


# Registering


def test_a_file_and_a_folder(workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, outputs__x="weights", outputs__net__a="A", outputs__net__sub__b="B")
    model = Model.register(workspace=workspace, model_path="outputs/x", model_name="x")
    assert capsys.readouterr().out == "Registering model x\n"
    assert (model.name, model.version, model.id, model.unpack, model.run_id, model.run) == ("x", 1, "x:1", False, None, None)
    net = Model.register(workspace, str(place / "outputs" / "net"), "net", description="a net")
    assert (net.version, net.unpack, net.description, net.workspace) == (1, True, "a net", workspace)
    assert net.created_time.tzinfo is not None
    assert model.download("got") == os.path.join("got", "x")
    assert net.download("got") == os.path.join("got", "net")
    assert tree(place / "got") == {"x": "weights", "net/a": "A", "net/sub/b": "B"}
    assert Model.register(workspace, "outputs/net/", "net").version == 2
    os.chdir("outputs/net")
    assert Model.register(workspace, "..", "up").download(str(place / "up")) == str(place / "up" / "outputs")
    assert tree(place / "up") == {"outputs/x": "weights", "outputs/net/a": "A", "outputs/net/sub/b": "B"}


def test_a_path_outside_of_the_working_directory(workspace: Workspace, place: Path, tmp_path: Path) -> None:
    write(tmp_path, elsewhere__x="weights")
    os.symlink(tmp_path / "elsewhere", place / "link")
    for path in (tmp_path / "elsewhere" / "x", "../elsewhere/x", "link/x"):
        assert Path(Model.register(workspace, path, "x").download(f"got{len(os.listdir(place))}")).read_text() == "weights"


def test_parts_of_a_folder(workspace: Workspace, place: Path) -> None:
    write(place, net__a="A", net__b="B", net__sub__c="C", net__subtle="D")
    for number, wanted in enumerate((["a", "sub"], ["net/a", "net/sub"])):
        model = Model.register(workspace, "net", "net", child_paths=wanted)
        model.download(f"got{number}")
        assert tree(place / f"got{number}") == {"net/a": "A", "net/sub/c": "C"}
    with pytest.raises(FileNotFoundError, match="child_paths names other"):
        Model.register(workspace, "net", "net", child_paths=["other"])


def test_what_a_model_is_said_to_be(workspace: Workspace, place: Path) -> None:
    write(place, x="weights", rows__a="a", more__b="b")
    store = workspace.get_default_datastore()
    store.upload(str(place / "rows"), "rows")
    training, sample = Dataset.File.from_files((store, "rows/a")), Dataset.File.from_files((store, "rows/*"))
    model = Model.register(
        workspace,
        "x",
        "x",
        tags={"area": "diabetes", "n": 3},
        properties={"Accuracy": 0.9, "ok": True},
        datasets=[(Dataset.Scenario.TRAINING, training)],
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.24.1",
        sample_input_dataset=sample,
        resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
    )
    found = Model(workspace, "x")
    assert (found.tags, found.properties) == ({"area": "diabetes", "n": "3"}, {"Accuracy": "0.9", "ok": "True"})
    assert (found.model_framework, found.model_framework_version) == ("ScikitLearn", "0.24.1")
    assert (found.resource_configuration.cpu, found.resource_configuration.memory_in_gb) == (1, 0.5)  # type: ignore[union-attr]
    assert [item.id for item in found.datasets["training"]] == [training.id]
    assert (found.sample_input_dataset.id, found.sample_output_dataset) == (sample.id, None)
    found.add_dataset_references([("validation", sample), ("training", training)])
    assert {name: [item.id for item in items] for name, items in Model(workspace, "x").datasets.items()} == {
        "training": [training.id],
        "validation": [sample.id],
    }
    assert [item.id for item in Model.list(workspace, dataset_id=sample.id)] == ["x:1"]
    again = Model.deserialize(workspace, json.loads(json.dumps(found.serialize())))
    assert (again.id, again.tags, again.created_time, again.unpack) == (model.id, model.tags, model.created_time, False)
    assert [item.id for item in again.datasets["validation"]] == [sample.id]
    assert [Path(url.split("://")[1]).read_text() for url in again.get_sas_urls().values()] == ["weights"]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"model_path": "nowhere.pkl"}, FileNotFoundError, "nowhere.pkl does not exist"),
        ({"model_path": "empty"}, WebserviceException, "holds no files"),
        ({"tags": ["a"]}, WebserviceException, "tags of a model are a dictionary"),
        ({"properties": "a"}, WebserviceException, "properties of a model are a dictionary"),
        ({"model_framework_version": "1"}, WebserviceException, "model_framework"),
        ({"model_name": "a b"}, WebserviceException, "can't be the name of a model"),
        ({"model_name": "a/b"}, WebserviceException, "can't be the name of a model"),
        ({"datasets": [("training", "rows")]}, WebserviceException, "no such pair"),
        ({"sample_input_dataset": "rows"}, WebserviceException, "no dataset"),
        ({"resource_configuration": {"cpu": 1}}, WebserviceException, "ResourceConfiguration"),
    ],
)
def test_what_can_not_be_registered(workspace: Workspace, place: Path, arguments: dict[str, Any], error: Any, words: str) -> None:
    write(place, x="weights")
    (place / "empty").mkdir()
    with pytest.raises(error, match=words):
        Model.register(**{"workspace": workspace, "model_path": "x", "model_name": "x", **arguments})
    assert workspace.models == {}


def test_odd_files(workspace: Workspace, place: Path) -> None:
    write(place, net__a="A", net__sub__b="B")
    os.symlink(place / "net", place / "net" / "sub" / "round")  # a folder that holds itself
    os.symlink("a", place / "net" / "linked")
    os.symlink("nowhere", place / "net" / "broken")
    os.mkfifo(place / "net" / "pipe")
    Model.register(workspace, "net", "net").download("got")
    assert tree(place / "got") == {"net/a": "A", "net/linked": "A", "net/sub/b": "B"}
    (place / "net" / "blank name é").write_text("")
    assert "net/blank name é" in tree(Path(Model.register(workspace, "net", "net").download("new")).parent)
    open(os.fsencode(place / "net") + b"/\xff", "w").close()
    with pytest.raises(WebserviceException, match="not UTF-8"):
        Model.register(workspace, "net", "net")


# Finding


def test_looking_up(workspace: Workspace, place: Path) -> None:
    write(place, x="weights")
    for number in (1, 2, 3):
        Model.register(workspace, "x", "x", tags={"n": number, f"t{number}": ""}, properties={"p": number}, model_framework="Onnx")
    assert Model(workspace, "x").version == Model(workspace, name="x", version=None).version == 3
    assert Model(workspace, "x", version=2).version == Model(workspace, id="x:2").version == 2
    assert Model(workspace, "x", tags=["t1"]).version == Model(workspace, "x", tags=[["n", "1"]]).version == 1
    assert Model(workspace, "x", properties={"p": 2}).version == 2
    assert Model(workspace, "x", model_framework="Onnx", version=1).version == 1
    assert Model(None).name is None
    assert Model(None).tags == {}
    assert (workspace.models["x"].version, list(workspace.models)) == (3, ["x"])
    for arguments in ({"name": "y"}, {"id": "x:9"}, {"id": "y"}, {"name": "x", "version": 9}, {"name": "x", "tags": ["nothing"]}):
        with pytest.raises(WebserviceException) as caught:
            Model(workspace, **arguments)
        assert caught.value.message.startswith("ModelNotFound")
    with pytest.raises(WebserviceException, match="name or its id"):
        Model(workspace)


def test_listing(workspace: Workspace, place: Path) -> None:
    write(place, x="weights")
    for name in ("a", "b", "a"):
        Model.register(workspace, "x", name, tags={"of": name}, properties={"p": name}, model_framework="Onnx" if name == "b" else None)

    def ids(**filters: Any) -> list[str]:
        return [str(model.id) for model in Model.list(workspace, **filters)]

    assert ids() == ["a:2", "b:1", "a:1"]
    assert ids(name="a", latest=True) == ["a:2"]
    assert ids(latest=True) == ["a:2", "b:1"]
    assert ids(tags=[["of", "a"]]) == ids(tags={"of": "a"}) == ["a:2", "a:1"]
    assert ids(tags=["of"], properties=["p", ("p", "b")]) == ids(model_framework="Onnx") == ["b:1"]
    assert ids(tags="other") == ids(run_id="other") == ids(dataset_id="other") == []
    for wrong in ({"tags": [1]}, {"tags": [["a", "b", "c"]]}, {"page_count": 19}, {"page_count": 256}):
        with pytest.raises(UserErrorException):
            Model.list(workspace, **wrong)  # type: ignore[arg-type]


# Fetching


def test_what_is_there_is_replaced_when_asked_for(workspace: Workspace, place: Path) -> None:
    write(place, net__a="A", net__b="B", x="weights")
    net, x = Model.register(workspace, "net", "net"), Model.register(workspace, "x", "x")
    for model in (net, x):
        with pytest.raises(WebserviceException, match="exists"):
            model.download()
        with pytest.raises(WebserviceException, match="exists"):
            model.download(".", False, False)
    write(place, net__a="changed", net__mine="kept", x="changed")
    assert net.download(exist_ok=True) == os.path.join(".", "net")
    assert x.download(".", exists_ok=True) == os.path.join(".", "x")
    assert tree(place) == {"net/a": "A", "net/b": "B", "net/mine": "kept", "x": "weights"}


def test_a_link_out_of_the_target_is_not_followed(workspace: Workspace, place: Path, tmp_path: Path) -> None:
    write(place, net__a="A")
    model = Model.register(workspace, "net", "net")
    (tmp_path / "outside").mkdir()
    (place / "got").mkdir()
    os.symlink(tmp_path / "outside", place / "got" / "net")
    with pytest.raises(UserErrorException, match="leads out of"):
        model.download("got", exist_ok=True)
    assert os.listdir(tmp_path / "outside") == []


def test_model_path_with_a_workspace(workspace: Workspace, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(place, net__a="A", x="one")
    Model.register(workspace, "net", "net")
    Model.register(workspace, "x", "x")
    write(place, x="two")
    Model.register(workspace, "x", "x")
    assert Model.get_model_path("net", _workspace=workspace) == os.path.join("azureml-models", "net", "1", "net")
    assert Path(Model.get_model_path("x", _workspace=workspace)).read_text() == "two"
    assert Path(Model.get_model_path("x", 1, workspace)).read_text() == "one"
    assert tree(place / "azureml-models") == {"net/1/net/a": "A", "x/1/x": "one", "x/2/x": "two"}
    (place / "azureml-models/x/1/x").write_text("tow")  # broken, or another workspace's: it is fetched anew
    assert Path(Model.get_model_path("x", 1, workspace)).read_text() == "one"
    monkeypatch.setenv("AML_APP_ROOT", str(place / "root"))
    assert Model.get_model_path("x", 2, workspace) == str(place / "root" / "azureml-models" / "x" / "2" / "x")
    with pytest.raises(ModelNotFoundException, match="ModelNotFound"):
        Model.get_model_path("y", _workspace=workspace)
    for wrong in ("1", 1.0, True):
        with pytest.raises(WebserviceException, match="whole number"):
            Model.get_model_path("x", wrong, workspace)  # type: ignore[arg-type]


def test_model_path_offline(home: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFoundException, match=r"ModelNotFound.*x in version 2"):
        Model.get_model_path("x", 2)
    write(place, x="local")
    assert Model.get_model_path("x") == "x"
    write(place, **{"azureml-models__x__9__x": "nine", "azureml-models__x__10__x": "ten", "azureml-models__x__odd__x": ""})
    assert Path(Model.get_model_path("x")).read_text() == "ten"
    assert Path(Model.get_model_path("x", 9)).read_text() == "nine"
    write(place, served__y__3__y="three", served__z__1__a="a", served__z__1__b="b")
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(place / "served"))
    assert Path(Model.get_model_path("y")).read_text() == "three"
    assert Path(Model.get_model_path("z")) == place / "served" / "z" / "1"
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(place / "served" / "y" / "3"))
    assert Path(Model.get_model_path("y", 3)).read_text() == "three"
    assert not list(home.iterdir()), "a service was asked"


# Changing


def test_changes(workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, x="weights")
    model = Model.register(workspace, "x", "x", tags={"a": "1"}, properties={"p": "1"})
    capsys.readouterr()
    model.add_tags({"b": 2})  # type: ignore[dict-item]
    model.remove_tags(["a", "never was"])
    model.add_properties({"q": 0.5})  # type: ignore[dict-item]
    assert (model.tags, model.properties) == ({"b": "2"}, {"p": "1", "q": "0.5"})
    model.update_tags_properties({"c": "3"}, ["b"], {"r": "x"})
    model.update(description="said", resource_configuration=ResourceConfiguration(gpu=1))
    assert model.tags == {"c": "3"}
    model.update(tags={"only": "this"})
    found = Model(workspace, "x")
    assert (found.tags, found.properties, found.description) == ({"only": "this"}, {"p": "1", "q": "0.5", "r": "x"}, "said")
    assert found.resource_configuration.gpu == 1  # type: ignore[union-attr]
    assert len(capsys.readouterr().out.splitlines()) == 6
    with pytest.raises(WebserviceException, match="stays as it was first set"):
        model.add_properties({"p": "2"})
    with pytest.raises(WebserviceException, match="dictionary"):
        model.add_tags(["a"])  # type: ignore[arg-type]
    with pytest.raises(WebserviceException, match="list of texts"):
        model.remove_tags({"a": 1})  # type: ignore[arg-type]
    model.delete()
    assert workspace.models == {}
    for use in (model.delete, lambda: model.download("got"), lambda: model.add_tags({"a": "1"})):
        with pytest.raises(WebserviceException, match="ModelNotFound"):
            use()
    assert Model.register(workspace, "x", "x").version == 2


# In runs


TRAIN = """
import os, sys
from azureml.core import Model, Run
run = Run.get_context()
ws = run.experiment.workspace
os.makedirs("outputs/net", exist_ok=True)
open("outputs/net/weights", "w").write("live")
live = run.register_model("live", "outputs/net", tags={"by": "run"})
data, made = sys.argv[1:]
os.makedirs(made, exist_ok=True)
open(os.path.join(made, "m.pkl"), "w").write(open(data).read().upper())
mounted = Model.register(workspace=ws, model_path=made, model_name="made")
Model.register(ws, data, "data")
try:
    run.register_model("nothing", "outputs/nothing.pkl")
except Exception as error:
    print(type(error).__name__, error.message)
print(live.id, live.run.id == run.id, mounted.id, mounted.run_id == run.id, mounted.experiment_name)
"""

SCORE = """
import os
from azureml.core import Model, Run
os.chdir("outputs")
path = Model.get_model_path("made")
print(path, open(os.path.join(path, "m.pkl")).read())
print(Model.get_model_path("live", 1), Model.get_model_path(model_name="data"))
try:
    Model.get_model_path("nothing")
except Exception as error:
    print(type(error).__name__)
"""


def test_models_in_the_steps_of_a_pipeline(workspace: Workspace, place: Path, scripts: Any) -> None:
    folder = scripts(train=TRAIN, score=SCORE)
    write(place, rows="rows")
    store = workspace.get_default_datastore()
    store.upload_files([str(place / "rows")], target_path="in")
    data = Dataset.File.from_files((store, "in/rows")).as_named_input("data").as_mount()
    made = PipelineData("made", datastore=store)
    train = PythonScriptStep("train.py", "train", [data, made], "local", inputs=[data], outputs=[made], source_directory=str(folder))
    score = PythonScriptStep("score.py", "score", compute_target="local", source_directory=str(folder), allow_reuse=False)
    score.run_after(train)
    run = Experiment(workspace, "models").submit(Pipeline(workspace, [score]))
    assert run.wait_for_completion(show_output=False, timeout_seconds=100) == "Finished"
    step = run.find_step_run("train")[0]
    refused, told = step.get_stdout_log().strip().splitlines()[-2:]
    assert refused.startswith("ModelPathNotFoundException Could not locate the model path 'outputs/nothing.pkl'")
    assert told == "live:1 True made:1 True models"
    first, second, third = run.find_step_run("score")[0].get_stdout_log().strip().splitlines()[-3:]
    assert (first, third) == ("azureml-models/made/1/made ROWS", "ModelNotFoundException")
    assert second == "azureml-models/live/1/net azureml-models/data/1/rows"
    assert sorted(model.name for model in Model.list(workspace, run_id=step.id)) == ["data", "live", "made"]  # type: ignore[type-var]
    assert workspace.models["live"].run.id == step.id  # type: ignore[union-attr]
    later = step.register_model("later", "outputs/net/weights")
    assert (later.run_id, Path(later.download("got")).read_text()) == (step.id, "live")


def test_the_files_of_a_reused_step(workspace: Workspace, place: Path, scripts: Any) -> None:
    folder = scripts(train="open('outputs/m.pkl', 'w').write('once')")
    for number in (1, 2):
        step = PythonScriptStep("train.py", "train", compute_target="local", source_directory=str(folder))
        run = Experiment(workspace, "reuse").submit(Pipeline(workspace, [step]))
        run.wait_for_completion(show_output=False)
        model = run.find_step_run("train")[0].register_model("m", "outputs/m.pkl")
        assert (model.version, Path(model.download(f"got{number}")).read_text()) == (number, "once")


def test_an_interactive_run(workspace: Workspace, place: Path) -> None:
    run = Experiment(workspace, "interactive").start_logging(snapshot_directory=None)
    write(place, outputs__m="early", outputs__net__a="A", outputs__net__b="B")
    early = run.register_model("m", "outputs/m", properties={"Accuracy": 0.5}, description="said", model_framework="Onnx")
    assert (early.run_id, early.experiment_name, early.properties) == (run.id, "interactive", {"Accuracy": "0.5"})
    assert Path(early.download("got")).read_text() == "early"
    assert run.register_model(model_name="net", model_path="./outputs/net/").unpack is True
    run.upload_file("plain", str(place / "outputs" / "m"))
    assert run.register_model("plain").id == "plain:1"
    run.complete()
    assert run.register_model("m", "outputs/m", asset_id="ignored").version == 2
    for path in ("outputs/nothing", "/etc/passwd", "../outputs/m", "outputs/ne"):
        with pytest.raises(ModelPathNotFoundException, match=r"It has: .*outputs/m, outputs/net/a"):
            run.register_model("m", path)
    with pytest.raises(WebserviceException, match="dictionary"):
        run.register_model("m", "outputs/m", tags=["a"])  # type: ignore[arg-type]
    with pytest.raises(WebserviceException, match="can't be"):
        run.register_model("a b", "outputs/m")
    assert [model.id for model in Model.list(workspace, run_id=run.id)] == ["m:2", "plain:1", "net:1", "m:1"]
    assert isinstance(early.run, Run)


# At once, and in the middle


REGISTER = """
import sys
from azureml.core import Model, Workspace
ws = Workspace.get("testing", subscription_id="sub", resource_group="group")
for number in range(int(sys.argv[2])):
    print(Model.register(ws, sys.argv[1], "m").version)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def versions_of(process: subprocess.Popen[str]) -> list[int]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return [int(line) for line in output.splitlines() if line.isdigit()]


def test_processes_that_register_at_once_get_versions_of_their_own(workspace: Workspace, place: Path) -> None:
    write(place, x="weights")
    children = [start(REGISTER, "x", "5") for _ in range(4)]
    assert sorted(version for child in children for version in versions_of(child)) == list(range(1, 21))
    assert len(Model.list(workspace)) == 20


FETCH = """
from azureml.core import Model, Workspace
ws = Workspace.get("testing", subscription_id="sub", resource_group="group")
for number in range(10):
    path = Model.get_model_path("net", _workspace=ws)
    assert open(path + "/a").read() == "A" * 100000 and open(path + "/b").read() == "B", path
print(1)
"""


def test_processes_that_fetch_at_once_see_whole_models(workspace: Workspace, place: Path) -> None:
    write(place, net__a="A" * 100_000, net__b="B", **{"azureml-models__net__1__net__a": "another workspace's"})
    Model.register(workspace, "net", "net")
    children = [start(FETCH) for _ in range(4)]
    assert [versions_of(child) for child in children] == [[1]] * 4
    assert sorted(os.listdir(place / "azureml-models" / "net")) == ["1"]


def large_file(path: Path, size: int) -> str:
    """Write a file of some megabytes that no other has; return its sha256."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for _ in range(size):
            file.write(block)
    return hashlib.sha256(block * size).hexdigest()


def is_coming_in(home: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # it is whole at this very moment
        return any(path.stat().st_size for path in incoming(home))
    return True


def incoming(home: Path) -> list[Path]:
    return list((home / "blobs" / "incoming").glob("*"))


def test_a_service_that_is_killed_in_the_middle(workspace: Workspace, home: Path, place: Path) -> None:
    digest = large_file(place / "large", 300)
    child = start(REGISTER, "large", "1")
    wait_until(lambda: is_coming_in(home))
    assert kill_service(home)
    assert versions_of(child) == [1]  # the next service was asked again
    (model,) = Model.list(workspace)
    assert hashlib.sha256(Path(model.download("got")).read_bytes()).hexdigest() == digest
    wait_until(lambda: incoming(home) == [])  # what the first service left is gone


def test_a_script_that_is_killed_in_the_middle(workspace: Workspace, home: Path, place: Path) -> None:
    digest = large_file(place / "large", 300)
    child = start(REGISTER, "large", "1")
    wait_until(lambda: is_coming_in(home))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    wait_until(lambda: incoming(home) == [])
    whole = Model.list(workspace)  # none, or one where the script was quicker: never half of one
    for model in whole:
        assert hashlib.sha256(Path(model.download("got")).read_bytes()).hexdigest() == digest
    assert Model.register(workspace, "large", "m").version == len(whole) + 1


def test_a_large_file_takes_little_memory(workspace: Workspace, home: Path, place: Path) -> None:
    size = 256
    digest = large_file(place / "large", size)
    service = psutil.Process(workspace._client.service_info()["pid"])
    peaks = [_memory(service), _memory(psutil.Process())]
    most = [*peaks]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            most[0], most[1] = max(most[0], _memory(service)), max(most[1], _memory(psutil.Process()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    run = Experiment(workspace, "large").start_logging(snapshot_directory=None, outputs=False)
    try:
        path = Model.register(workspace, "large", "m").download("got")
        assert digest_file(path) == digest
        with open(path, "r+b") as file:
            file.write(b"other")
        run.upload_file("large", path)
        run.register_model("m", "large")
    finally:
        ended.set()
        watcher.join()
    assert [after - before < size // 4 for before, after in zip(peaks, most, strict=True)] == [True, True], (peaks, most)


def _memory(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


# The command line


def penstock(*words: str, status: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "penstock", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_command_line(workspace: Workspace, place: Path) -> None:
    assert penstock("models") == "No models are registered. Model.register(...) registers one.\n"
    write(place, net__a="A", net__b="B" * 2000)
    for number in (1, 2):
        Model.register(workspace, "net", "net", tags={"n": str(number)}, description="a net", model_framework="Onnx", properties={"p": "q"})
    listed = penstock("models").splitlines()
    assert (len(listed), listed[1].split()[:2], listed[1].split()[-1]) == (2, ["net", "2"], "n=2")
    assert len(penstock("models", "list", "--all").splitlines()) == 3
    assert [item["version"] for item in json.loads(penstock("models", "--json", "list", "--tag", "n=1", "--all"))] == [1]
    assert penstock("models", "--name", "other") == "No such model is registered.\n"
    shown = penstock("models", "show", "net:1")
    for words in ("net:1", "a net", "Onnx", "n=1", "p=q", "2.0 kB in 2 files", "net/a"):
        assert words in shown
    assert json.loads(penstock("models", "show", "net", "--json"))["version"] == 2
    assert "exists" in penstock("models", "download", "net", status=1)
    assert penstock("models", "download", "net", "got") == f"Fetched net:2 into {place / 'got'}: net.\n"
    assert tree(place / "got") == {"net/a": "A", "net/b": "B" * 2000}
    penstock("models", "download", "net:1", "got", "--force")
    assert "Name the version" in penstock("models", "delete", "net", status=1)
    assert penstock("models", "delete", "net:2") == "Deleted net:2.\n"
    assert "Its versions are 1" in penstock("models", "show", "net:2", status=1)
    assert "Did you mean 'net'" in penstock("models", "show", "nett", status=1)
    other = Workspace.create("other", subscription_id="sub", resource_group="group")
    Model.register(other, "net", "net")
    assert "Choose one with --workspace" in penstock("models", "show", "net", status=1)
    assert "other" in penstock("models", "show", "net", "--workspace", "other")
    assert penstock("models").splitlines()[0].startswith("WORKSPACE")


# Deployment


def test_deployment_refuses_by_name() -> None:
    config = InferenceConfig("score.py", runtime="python", conda_file="env.yml")
    assert (config.entry_script, config.runtime, config.conda_file, config.environment) == ("score.py", "python", "env.yml", None)
    uses = {
        "Model.deploy": lambda: Model.deploy(None, "service", [], config),
        "Model.package": lambda: Model.package(None, [], config),
        "Model.profile": lambda: Model.profile(None, "p", [], config, None),
        "Model.print_configuration": lambda: Model.print_configuration([], config, None, None),
        "InferenceConfig.validate_configuration": config.validate_configuration,
        "ModelPackage": lambda: ModelPackage(None, None, None),
    }
    for name, use in uses.items():
        with pytest.raises(NotImplementedError, match=rf"^{name} is not part of this version"):
            use()


def test_descriptions_of_deployments_are_kept_and_none_is_found() -> None:
    described = {
        AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=2, tags={"a": "b"}): {"cpu_cores": 1, "memory_gb": 2, "tags": {"a": "b"}},
        AksWebservice.deploy_configuration(autoscale_enabled=True): {"autoscale_enabled": True},
        LocalWebservice.deploy_configuration(port=8890): {"port": 8890},
        ContainerImage.image_configuration("score.py", "python", "env.yml", tags={}): {"execution_script": "score.py", "tags": {}},
    }
    for description, settings in described.items():
        assert {name: getattr(description, name) for name in settings} == settings
    for kind, word in ((Webservice, "Webservice"), (AciWebservice, "Webservice"), (Image, "Image"), (ContainerImage, "Image")):
        assert kind.list(None) == []
        with pytest.raises(WebserviceException, match=f"{word}NotFound"):
            kind(None, "mine")
        with pytest.raises(NotImplementedError, match=rf"^{kind.__name__}\.deploy_from_model is not part of this version"):
            kind.deploy_from_model()
