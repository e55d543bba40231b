"""Models over REST: registered from bytes and from runs, found, changed, read, deleted."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.client.client import Client
from penstock.compile.snapshots import take_snapshot, upload_snapshot
from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, Refused
from penstock.operations import blobs, model_files, models, registered_models


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(path: str, data: bytes) -> tuple[str, int, str]:
    return path, len(data), sha256(data)


def register(rest: Any, name: str = "m", data: bytes | None = None, path: str = "m.pkl", **about: Any) -> dict[str, Any]:
    data = os.urandom(20) if data is None else data
    rest.client.put_model_file(sha256(data), data)
    found: dict[str, Any] = rest.client.register_model(rest.workspace_id, name, files=[entry(path, data)], **about)
    return found


def read(rest: Any, model: dict[str, Any], path: str) -> bytes:
    return b"".join(rest.client.stream_model_file(rest.workspace_id, model["name"], model["version"], path))


def new_run(rest: Any) -> str:
    return str(rest.client.create_run(rest.workspace_id, "training")["id"])


def is_stored(rest: Any, data: bytes) -> bool:
    return blobs.blob_path(rest.context, sha256(data)).exists()


# Registering


def test_a_model_is_its_files_and_what_is_said_of_it(rest: Any) -> None:
    data = {"net/a.bin": os.urandom(9), "net/sub/b.bin": os.urandom(9)}
    for content in data.values():
        rest.client.put_model_file(sha256(content), content)
    model = rest.client.register_model(
        rest.workspace_id,
        "net",
        files=[entry(path, content) for path, content in data.items()],
        unpack=True,
        description="a net",
        tags={"stage": "test", "round": 3},
        properties={"accuracy": 0.5},
        framework="PyTorch",
        framework_version="1.4",
        details={"resources": {"cpu": 1}},
    )
    assert (model["name"], model["version"], model["unpack"], model["description"]) == ("net", 1, True, "a net")
    assert (model["tags"], model["properties"]) == ({"stage": "test", "round": "3"}, {"accuracy": "0.5"})
    assert (model["framework"], model["framework_version"], model["details"]) == ("PyTorch", "1.4", {"resources": {"cpu": 1}})
    assert (model["size"], model["file_count"], model["run_id"], model["experiment_name"]) == (18, 2, None, None)
    assert {path: read(rest, model, path) for path, _, _ in model["files"]} == data
    assert rest.client.get_model(rest.workspace_id, "net") == model == rest.client.get_model(rest.workspace_id, "net", 1)


def test_versions_count_up_and_are_never_given_twice(rest: Any) -> None:
    assert [register(rest)["version"] for _ in range(3)] == [1, 2, 3]
    assert register(rest, "other")["version"] == 1
    rest.client.delete_model(rest.workspace_id, "m", 3)
    assert rest.client.get_model(rest.workspace_id, "m")["version"] == 2
    assert register(rest)["version"] == 4
    for version in (1, 2, 4):
        rest.client.delete_model(rest.workspace_id, "m", version)
    assert register(rest)["version"] == 5


def test_many_at_once_get_a_version_each(rest: Any) -> None:
    got: list[int] = []

    def work() -> None:
        got.extend(register(rest, data=b"same")["version"] for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(1, 41))


def test_the_same_bytes_are_stored_once(rest: Any) -> None:
    data = os.urandom(500)
    first, second = register(rest, "one", data, "a.pkl"), register(rest, "two", data, "b.pkl")
    assert first["files"][0][2] == second["files"][0][2]
    assert rest.client.missing_blobs([sha256(data)]) == []


def test_a_request_that_is_sent_twice_counts_once(rest: Any) -> None:
    data = b"twice"
    rest.client.put_model_file(sha256(data), data)
    request = {"files": [list(entry("m.pkl", data))], "request_id": str(uuid.uuid4())}
    first = models.register_model(rest.context, rest.workspace_id, "m", **request)
    assert models.register_model(rest.context, rest.workspace_id, "m", **request) == first
    threads = [
        threading.Thread(target=models.register_model, args=(rest.context, rest.workspace_id, "m"), kwargs=request) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [model["version"] for model in rest.client.list_models(rest.workspace_id, "m")] == [1]
    with pytest.raises(Invalid, match="UUID"):
        models.register_model(rest.context, rest.workspace_id, "m", files=request["files"], request_id="again")


def test_bytes_that_are_missing_are_named(rest: Any) -> None:
    with pytest.raises(NotFound, match="1 files of the model were not sent yet") as caught:
        rest.client.register_model(rest.workspace_id, "m", files=[entry("m.pkl", b"never sent")])
    assert caught.value.details["missing"] == [sha256(b"never sent")]
    assert rest.client.list_models(rest.workspace_id) == []


def test_a_size_that_is_wrong_is_refused(rest: Any) -> None:
    rest.client.put_model_file(sha256(b"four"), b"four")
    with pytest.raises(Invalid, match="has 4 bytes, not 5"):
        rest.client.register_model(rest.workspace_id, "m", files=[("m.pkl", 5, sha256(b"four"))])


def test_models_may_be_larger_than_source_folders(rest: Any, tmp_path: Path) -> None:
    assert rest.context.settings.snapshot_bytes == 1_000_000
    data = os.urandom(3_000_000)
    rest.client.put_model_file(sha256(data), io.BytesIO(data))
    assert read(rest, register(rest, data=data), "m.pkl") == data
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}")
        paths[-1].write_bytes(os.urandom(900_000))
    rest.client.put_model_files([(sha256(path.read_bytes()), str(path)) for path in paths])
    assert rest.client.missing_blobs([sha256(path.read_bytes()) for path in paths]) == []


def test_bytes_with_another_digest_leave_nothing(rest: Any) -> None:
    with pytest.raises(Invalid, match="nothing was stored"):
        rest.client.put_model_file(sha256(b"right"), b"wrong")
    assert not is_stored(rest, b"right")
    assert os.listdir(rest.home.blobs / "incoming") == []


HOSTILE_PATHS = ["../m.pkl", "/etc/passwd", "a/../../b", "a//b", "./a", "", ".", "a\0b", "a" * 300, "x/" * 3000 + "y"]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_path_that_leaves_the_model_is_refused(rest: Any, path: str) -> None:
    rest.client.put_model_file(sha256(b"x"), b"x")
    with pytest.raises(Invalid):
        rest.client.register_model(rest.workspace_id, "m", files=[entry(path, b"x")])


@pytest.mark.parametrize(
    "files",
    [[], [["a", 1]], [["a", -1, "0" * 64]], [["a", True, "0" * 64]], [["a", 1, "xyz"]], ["a"], [[1, 1, "0" * 64]], [["a", 1.5, "0" * 64]]],
)
def test_files_that_are_none_are_refused(rest: Any, files: Any) -> None:
    with pytest.raises(Invalid):
        rest.client.register_model(rest.workspace_id, "m", files=files)


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b/c", "a/b")])
def test_a_path_is_one_file(rest: Any, paths: tuple[str, str]) -> None:
    with pytest.raises(Invalid, match="Two files of the model"):
        rest.client.register_model(rest.workspace_id, "m", files=[entry(path, b"x") for path in paths])


_PART = some.text("abc", min_size=1, max_size=2)


@given(some.lists(some.lists(_PART, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6))
def test_paths_clash_when_one_is_another_or_lies_below_it(paths: list[str]) -> None:
    clash = any(a == b or b.startswith(f"{a}/") for i, a in enumerate(paths) for j, b in enumerate(paths) if i != j)
    try:
        model_files.check_model_files([[path, 1, "0" * 64] for path in paths])
    except Invalid:
        assert clash
    else:
        assert not clash


@pytest.mark.parametrize("name", ["", "-m", ".m", "a b", "a/b", "a:1", "ü", "m" * 256, "..", "a\n"])
def test_names_that_no_model_may_have(rest: Any, name: str) -> None:
    with pytest.raises(Invalid, match="can't be"):
        models.register_model(rest.context, rest.workspace_id, name, files=[["m", 1, "0" * 64]])


def test_texts_that_are_none_are_refused(rest: Any) -> None:
    for about in (
        {"tags": {"a": [1]}},
        {"properties": {"a": {}}},
        {"tags": {"": "x"}},
        {"description": 3},
        {"tags": ["a"]},
        {"details": 1},
    ):
        with pytest.raises(Invalid):
            register(rest, **about)
    with pytest.raises(Invalid, match="Name either"):
        rest.client.register_model(rest.workspace_id, "m")
    with pytest.raises(NotFound, match="workspace"):
        models.register_model(rest.context, "nowhere", "m", files=[["m", 1, "0" * 64]])


# From runs


def test_a_file_of_a_run(rest: Any) -> None:
    run_id = new_run(rest)
    rest.client.put_file(run_id, "outputs/m.pkl", io.BytesIO(b"weights"))
    model = rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path="outputs/m.pkl")
    assert [path for path, _, _ in model["files"]] == ["m.pkl"]
    assert (model["run_id"], model["experiment_name"], model["unpack"]) == (run_id, "training", False)
    assert read(rest, model, "m.pkl") == b"weights"
    rest.client.put_file(run_id, "outputs/m.pkl", io.BytesIO(b"newer"))
    assert read(rest, model, "m.pkl") == b"weights"


def test_a_folder_of_a_run_begins_with_its_last_part(rest: Any) -> None:
    run_id = new_run(rest)
    for name in ("outputs/deep/net/a", "outputs/deep/net/sub/b", "outputs/deep/network"):
        rest.client.put_file(run_id, name, io.BytesIO(name.encode()))
    for path in ("outputs/deep/net", "./outputs/deep/net/"):
        model = rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path=path)
        assert [inner for inner, _, _ in model["files"]] == ["net/a", "net/sub/b"]
        assert model["unpack"]


def test_live_outputs_of_a_step_count(rest: Any) -> None:
    run_id = new_run(rest)
    rest.write(run_id, "work/outputs/net/a", b"live")
    model = rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path="outputs/net")
    assert read(rest, model, "net/a") == b"live"


def test_the_name_is_the_path_when_none_is_given(rest: Any) -> None:
    run_id = new_run(rest)
    rest.client.put_file(run_id, "m", io.BytesIO(b"here"))
    assert read(rest, rest.client.register_model(rest.workspace_id, "m", run_id=run_id), "m") == b"here"


@pytest.mark.parametrize("path", ["outputs/other.pkl", "/etc/passwd", "../../penstock.db", "outputs/m", ""])
def test_a_path_that_the_run_has_not_lists_what_it_has(rest: Any, path: str) -> None:
    run_id = new_run(rest)
    rest.client.put_file(run_id, "outputs/m.pkl", io.BytesIO(b"weights"))
    with pytest.raises(NotFound, match=r"Could not locate.*It has: outputs/m\.pkl\.") as caught:
        rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path=path)
    assert caught.value.details == {"kind": model_files.NO_SUCH_PATH, "files": ["outputs/m.pkl"]}
    assert rest.client.list_models(rest.workspace_id) == []


def test_a_link_out_of_the_run_is_no_file_of_it(rest: Any) -> None:
    run_id = new_run(rest)
    rest.write(run_id, "work/outputs/a", b"a")
    os.symlink("/etc/passwd", rest.home.run_folder(run_id) / "work/outputs/secret")
    with pytest.raises(NotFound, match="It has: outputs/a"):
        rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path="outputs/secret")


def test_a_run_of_another_workspace_is_none(rest: Any) -> None:
    run_id = new_run(rest)
    elsewhere = rest.client.create_workspace(f"elsewhere-{uuid.uuid4().hex[:6]}", "s", "g")["id"]
    for missing in (run_id, "nothing"):
        with pytest.raises(NotFound, match="There is no run"):
            rest.client.register_model(elsewhere, "m", run_id=missing, path="outputs/m.pkl")


class _Growing:
    """A file of a run that is written to all the time."""

    def __init__(self, path: Path) -> None:
        self._path, self._ends = path, threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        with self._path.open("ab") as file:
            while not self._ends.is_set():
                file.write(os.urandom(64))
                file.flush()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ends.set()
        self._thread.join()


def test_what_is_kept_of_a_file_that_grows_is_what_was_read(rest: Any) -> None:
    run_id = new_run(rest)
    path = rest.write(run_id, "work/outputs/m.pkl", b"begin")
    with _Growing(path), contextlib.suppress(Refused):  # it grew each time between two looks
        rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path="outputs/m.pkl")
    model = rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path="outputs/m.pkl")
    for version in rest.client.list_models(rest.workspace_id):
        model = rest.client.get_model(rest.workspace_id, "m", version["version"])
        check_prefix(rest, path, model)


def check_prefix(rest: Any, path: Path, model: dict[str, Any]) -> None:
    (_, size, digest) = model["files"][0]
    assert path.read_bytes()[:size] == read(rest, model, "m.pkl")
    assert sha256(read(rest, model, "m.pkl")) == digest


def test_a_model_outlives_its_run(rest: Any) -> None:
    run_id = new_run(rest)
    rest.client.put_file(run_id, "outputs/m.pkl", io.BytesIO(b"kept"))
    model = rest.client.register_model(rest.workspace_id, "m", run_id=run_id, path="outputs/m.pkl")
    rest.execute("delete from runs where id = ?", run_id)
    (rest.home.run_folder(run_id) / "files/outputs/m.pkl").unlink()
    assert rest.client.get_model(rest.workspace_id, "m")["run_id"] == run_id
    assert read(rest, model, "m.pkl") == b"kept"


# Finding


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [f"{model['name']}:{model['version']}" for model in found]


def test_lists_are_newest_first_and_leave_out_files(rest: Any) -> None:
    for name in ("a", "b", "a"):
        register(rest, name)
    found = rest.client.list_models(rest.workspace_id)
    assert ids(found) == ["a:2", "b:1", "a:1"]
    assert all("files" not in model for model in found)
    assert ids(rest.client.list_models(rest.workspace_id, latest=True)) == ["a:2", "b:1"]
    assert ids(rest.client.list_models(rest.workspace_id, limit=1)) == ["a:2"]
    assert ids(rest.client.list_models(rest.workspace_id, name="a")) == ["a:2", "a:1"]


def test_filters_must_all_match(rest: Any) -> None:
    run_id = new_run(rest)
    rest.client.put_file(run_id, "outputs/m.pkl", io.BytesIO(b"m"))
    register(rest, "a", tags={"stage": "prod", "x": "1"}, properties={"acc": 1}, framework="Onnx")
    register(rest, "a", tags={"stage": "test"}, details={"datasets": [{"scenario": "training", "id": "d1"}, {"scenario": "x", "id": "d2"}]})
    rest.client.register_model(rest.workspace_id, "b", run_id=run_id, path="outputs/m.pkl", tags={"stage": "prod", "none": None})
    wanted = {
        "a:1": {"tags": {"stage": "prod", "x": None}},
        "a:2": {"dataset_id": "d2"},
        "b:1": {"run_id": run_id},
        "b:1 a:2 a:1": {"tags": "stage"},
        "b:1 a:1": {"tags": {"stage": "prod"}},
        "a:1 ": {"properties": {"acc": "1"}},
        " a:1": {"framework": "Onnx", "name": "a"},
        "": {"tags": {"stage": "prod"}, "dataset_id": "d1"},
        " b:1": {"tags": "none"},
        "  a:1": {"tags": {"stage": "prod"}, "name": "a", "latest": True},
    }
    for expected, filters in wanted.items():
        assert ids(rest.client.list_models(rest.workspace_id, **filters)) == expected.split(), filters
    for odd in (5, "x", ["x"], [["x"]], [{}], {"id": "d3"}, None):
        register(rest, "odd", details={"datasets": odd})
    assert ids(rest.client.list_models(rest.workspace_id, dataset_id="d2")) == ["a:2"]
    for bad in ([["a", "b", "c"]], [[]], [[1]], [3]):
        with pytest.raises(Invalid, match="A filter of tags"):
            models.list_models(rest.context, rest.workspace_id, tags=bad)


def test_details_that_sql_can_not_read_break_no_search(rest: Any) -> None:
    register(rest, "odd", details={"datasets": [float("nan")], "mlflow": 5})
    register(rest, "good", details={"datasets": [{"scenario": "training", "id": "d1"}, 7]})
    assert [model["name"] for model in rest.client.list_models(rest.workspace_id, dataset_id="d1")] == ["good"]


def test_what_is_not_there_is_told_with_the_nearest(rest: Any) -> None:
    with pytest.raises(NotFound, match=r"^ModelNotFound: .*No model is registered"):
        rest.client.get_model(rest.workspace_id, "m")
    register(rest, "churn-model")
    register(rest, "churn-model")
    with pytest.raises(NotFound, match=r"^ModelNotFound: Model with name churn-modle .*Did you mean 'churn-model'"):
        rest.client.get_model(rest.workspace_id, "churn-modle")
    with pytest.raises(NotFound, match=r"^ModelNotFound: .*version 7 .*Its versions are 1, 2"):
        rest.client.get_model(rest.workspace_id, "churn-model", 7)
    with pytest.raises(NotFound, match=r"no file 'nothing' in the model churn-model:2.*m\.pkl"):
        list(rest.client.stream_model_file(rest.workspace_id, "churn-model", 2, "nothing"))
    for version in ("x", "-1", "1.0", "9" * 30):
        with pytest.raises(Invalid, match="version of a model"):
            rest.client.get_model(rest.workspace_id, "churn-model", version)


def test_bytes_that_somebody_removed_are_told_of(rest: Any) -> None:
    data = os.urandom(10)
    model = register(rest, data=data)
    blobs.blob_path(rest.context, sha256(data)).unlink()
    with pytest.raises(NotFound, match=r"bytes of 'm\.pkl' of the model m:1 are gone"):
        read(rest, model, "m.pkl")


# Changing


def test_tags_change_and_properties_do_not(rest: Any) -> None:
    register(rest, tags={"a": "1", "b": "2"}, properties={"p": "1"})

    def update(**changes: Any) -> dict[str, Any]:
        found: dict[str, Any] = rest.client.update_model(rest.workspace_id, "m", 1, **changes)
        return found

    assert update(tags={"a": 9, "c": None}, remove_tags=["b"], description="new")["tags"] == {"a": "9", "c": None}
    assert update(properties={"p": 1, "q": True})["properties"] == {"p": "1", "q": "True"}
    with pytest.raises(Refused, match="property 'p' of the model m:1 is '1'"):
        update(properties={"p": "2"}, tags={"not": "kept"})
    after = rest.client.get_model(rest.workspace_id, "m")
    assert (after["tags"], after["description"]) == ({"a": "9", "c": None}, "new")
    assert update(details={"x": 1})["details"] == {"x": 1}
    assert after["modified_at"] >= after["created_at"]
    with pytest.raises(NotFound):
        rest.client.update_model(rest.workspace_id, "m", 2, tags={})


# Deleting


def test_deleted_bytes_go_when_nobody_needs_them(rest: Any) -> None:
    data = os.urandom(50)
    for name in ("one", "two"):
        register(rest, name, data)
    rest.client.delete_model(rest.workspace_id, "one", 1)
    assert is_stored(rest, data)
    rest.client.delete_model(rest.workspace_id, "two", 1)
    assert not is_stored(rest, data)
    with pytest.raises(NotFound):
        rest.client.delete_model(rest.workspace_id, "two", 1)


def test_bytes_of_a_source_folder_stay(rest: Any, tmp_path: Path) -> None:
    data = os.urandom(50)
    (tmp_path / "weights").write_bytes(data)
    upload_snapshot(rest.client, take_snapshot(str(tmp_path)))
    register(rest, data=data)
    rest.client.delete_model(rest.workspace_id, "m", 1)
    assert is_stored(rest, data)


class _Interrupted(Client):
    """A client in whose way a model is deleted, just before it says what a source folder holds."""

    workspace_id: str

    def put_snapshot(self, digest: str, entries: Any) -> Any:
        for model in self.list_models(self.workspace_id):
            self.delete_model(self.workspace_id, model["name"], model["version"])
        return super().put_snapshot(digest, entries)


def test_a_source_folder_whose_bytes_go_meanwhile_is_sent_again(rest: Any, tmp_path: Path) -> None:
    data = os.urandom(50)
    (tmp_path / "weights").write_bytes(data)
    register(rest, data=data)
    client = _Interrupted(rest.home)
    client.workspace_id = rest.workspace_id
    snapshot = take_snapshot(str(tmp_path))
    upload_snapshot(client, snapshot)
    assert is_stored(rest, data)
    assert blobs.get_snapshot(rest.context, snapshot.digest) == snapshot.files
    assert rest.client.list_models(rest.workspace_id) == []


def test_a_workspace_takes_its_models_along(rest: Any) -> None:
    data = os.urandom(50)
    register(rest, data=data)
    rest.client.delete_workspace(rest.workspace_id)
    assert not is_stored(rest, data)
    with pytest.raises(NotFound):
        rest.client.list_models(rest.workspace_id)


def test_registering_and_deleting_the_same_bytes_at_once(rest: Any, tmp_path: Path) -> None:
    data = os.urandom(100)
    path = tmp_path / "m.pkl"
    path.write_bytes(data)
    errors: list[PenstockError] = []

    def work() -> None:
        for _ in range(10):
            try:
                model = rest.client.register_model(rest.workspace_id, "m", files=[entry("m.pkl", data)], sources={sha256(data): str(path)})
                assert read(rest, model, "m.pkl") == data
                rest.client.delete_model(rest.workspace_id, "m", model["version"])
            except NotFound as error:  # others deleted the bytes each time
                errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("missing" in error.details for error in errors)
    last = rest.client.register_model(rest.workspace_id, "m", files=[entry("m.pkl", data)], sources={sha256(data): str(path)})
    assert read(rest, last, "m.pkl") == data
    assert last["version"] == 41 - len(errors)


# Names


def test_a_name_has_a_life_of_its_own(rest: Any) -> None:
    context, place = rest.context, rest.workspace_id
    made = registered_models.create_registered_model(context, place, "net", "what it is", {"team": "a"}, {"aliases": {}})
    assert (made["last_version"], made["description"], made["tags"], made["details"]) == (0, "what it is", {"team": "a"}, {"aliases": {}})
    with pytest.raises(AlreadyExists, match="'net'"):
        registered_models.create_registered_model(context, place, "net")
    with pytest.raises(Invalid):
        registered_models.create_registered_model(context, place, "a b")
    register(rest, "net")
    changed = registered_models.update_registered_model(context, place, "net", tags={"b": "1"}, remove_tags=["team"], details={"x": 1})
    assert (changed["last_version"], changed["tags"], changed["details"]) == (1, {"b": "1"}, {"aliases": {}, "x": 1})
    assert [item["name"] for item in registered_models.list_registered_models(context, place)] == ["net"]
    models.delete_registered_model(context, place, "net")
    assert registered_models.list_registered_models(context, place) == rest.client.list_models(place) == []
    with pytest.raises(NotFound, match="no model 'net'"):
        registered_models.get_registered_model(context, place, "net")
    assert register(rest, "net")["version"] == 2
    assert registered_models.get_registered_model(context, place, "net")["tags"] == {}
