"""Datasets over REST: saved, registered, found again, their files, and who read and wrote them."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from penstock.model.datasets import DELIMITED, FILE, QUERY, TABULAR, Dataset, Parsing, Place, Written, format_dataset
from penstock.model.errors import AlreadyExists, Invalid, NotFound, PenstockError, TooLarge
from penstock.operations import datasets, lineage

STORE = "workspaceblobstore"


def files(*paths: str, **more: Any) -> Dataset:
    return Dataset(FILE, tuple(Place(STORE, path) for path in paths), **more)


def rows(path: str, **more: Any) -> Dataset:
    return Dataset(TABULAR, (Place(STORE, path),), parsing=Parsing(DELIMITED), **more)


def document(*paths: str, **more: Any) -> dict[str, Any]:
    return format_dataset(files(*(paths or ("data",)), **more))


def put(rest: Any, *paths: str) -> Path:
    root = Path(rest.client.get_datastore(rest.workspace_id, STORE)["root"])
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def register(rest: Any, name: str, dataset: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = rest.client.register_dataset(rest.workspace_id, dataset, name, **more)
    return found


# Saved definitions


def test_a_definition_is_one_dataset(rest: Any) -> None:
    first = rest.client.save_dataset(rest.workspace_id, document())
    assert rest.client.save_dataset(rest.workspace_id, dict(reversed(document().items()))) == first
    assert first == rest.client.get_dataset(rest.workspace_id, first["id"])
    assert (first["definition"], first["registrations"]) == (document(), [])
    assert str(uuid.UUID(first["id"])) == first["id"] == datasets.dataset_id_of(rest.workspace_id, document())
    assert rest.client.save_dataset(rest.workspace_id, document("other"))["id"] != first["id"]
    elsewhere = rest.client.create_workspace("elsewhere-" + first["id"], "s", "g")["id"]
    assert rest.client.save_dataset(elsewhere, document())["id"] != first["id"]
    with pytest.raises(NotFound, match="Cannot find dataset with id"):
        rest.client.get_dataset(elsewhere, first["id"])


def test_many_save_the_same_at_once(rest: Any) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(rest.client.save_dataset(rest.workspace_id, document("same"))["id"])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (8, 1)


FILTER = {"kind": "filter", "settings": {"expression": {"call": "eq", "arguments": [{"column": "a"}, {"value": 1}]}}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "format 2"),
        ({"type": "table"}, "its type is 'table'"),
        ({"places": []}, "needs places"),
        ({"places": [{}]}, "either a url, or a datastore"),
        ({"places": [{"path": "x"}]}, "either a url, or a datastore"),
        ({"places": [{"datastore": STORE, "path": 5}]}, "made of texts"),
        ({"places": [{"datastore": STORE, "path": "x", "secret": "y"}]}, "not a dataset document"),
        ({"places": "abc"}, "not a dataset document"),
        ({"places": [{"datastore": STORE, "query": "select 1"}]}, "rows from a query"),
        ({"places": [{"url": "https://user:xyzzy@host/x.csv"}]}, "holds a password"),
        ({"places": [{"url": "https://host/x.csv?sv=1&sig=xyzzy"}]}, "holds a signature"),
        ({"places": [{"url": "https://bucket.host/x.csv?X-Amz-Signature=xyzzy"}]}, "holds a signature"),
        ({"parsing": {"kind": "delimited"}}, "tabular dataset, and no other"),
        ({"partition_format": "/x/"}, "no part in braces"),
        ({"partition_format": 5}, "must be a text"),
        ({"is_file": "yes"}, "'is_file' of a dataset must be true or false"),
        ({"timestamp": ["t"]}, "'timestamp' of a dataset must be a text"),
        ({"operations": [{"kind": "explode", "settings": {}}]}, "no operation"),
        ({"operations": [{"kind": "take", "settings": {"number": 1}}]}, "no operation"),
        ({"operations": [{"kind": "take", "settings": {}}]}, "'take.count' of a dataset must be a whole number"),
        ({"operations": [{"kind": "take", "settings": {"count": -1}}]}, "'take.count'"),
        ({"operations": [{"kind": "take", "settings": {"count": True}}]}, "'take.count'"),
        ({"operations": [{"kind": "sample", "settings": {"probability": 2, "seed": 1}}]}, "'sample.probability'"),
        ({"operations": [{"kind": "sample", "settings": {"probability": float("nan"), "seed": 1}}]}, "'sample.probability'"),
        ({"operations": [{"kind": "split", "settings": {"start": 0, "end": "1", "seed": 1}}]}, "'split.end'"),
        ({"operations": [{"kind": "select_paths", "settings": {"pattern": "*.csv"}}]}, "no regular expression"),
        ({"operations": [{"kind": "select_paths", "settings": {"pattern": "a" * 3000}}]}, "'select_paths.pattern'"),
        ({"operations": [{"kind": "partition_values", "settings": {"values": [{"a": {"time": "soon"}}]}}]}, "'partition_values.values'"),
        ({"operations": [{"kind": "filter", "settings": {"expression": {"call": "explode", "arguments": []}}}]}, ""),
        ({"operations": [{"kind": "filter", "settings": {"expression": 5}}]}, "'filter.expression'"),
        ({"operations": [{"kind": "drop_columns", "settings": {"columns": ["a"]}}]}, "a file dataset has none"),
    ],
)
def test_what_is_no_dataset(rest: Any, change: dict[str, Any], reason: str) -> None:
    for verb in (rest.client.save_dataset, rest.client.resolve_dataset):
        with pytest.raises(Invalid) as caught:
            verb(rest.workspace_id, {**document(), **change})
        assert reason in caught.value.message
        assert "xyzzy" not in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"parsing": {"kind": "xml"}},
        {"parsing": {"kind": "delimited", "separator": 5}},
        {"parsing": {"kind": "delimited", "infer_column_types": 1}},
        {"parsing": {"kind": "delimited", "column_types": ["a"]}},
        {"parsing": {"kind": "delimited", "column_types": {"a": {"type": 5}}}},
        {"parsing": {"kind": "delimited", "colour": "red"}},
        {"parsing": {"kind": "query"}},
        {"operations": [{"kind": "keep_columns", "settings": {"columns": "a"}}]},
        {"operations": [{"kind": "time_range", "settings": {"column": "t", "start": "soon", "end": None}}]},
        {"written": {"dataset": document(), "kind": "delimited"}, "places": []},
    ],
)
def test_what_is_no_table(rest: Any, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        rest.client.save_dataset(rest.workspace_id, {**format_dataset(rows("t.csv")), **change})


def test_every_operation_of_a_table_is_kept(rest: Any) -> None:
    table = (
        rows("t.csv", partition_format="/{a}.csv", timestamp="t")
        .then("take", count=5)
        .then("skip", count=0)
        .then("sample", probability=0.5, seed=3)
        .then("split", start=0.25, end=1, seed="x")
        .then("keep_columns", columns=["a", "t"])
        .then("drop_columns", columns=["b"])
        .then("filter", expression=FILTER["settings"]["expression"])
        .then("time_range", column="t", start="2020-01-01T00:00:00", end=None, start_inclusive=True, end_inclusive=False)
        .then("select_paths", pattern=r"\.csv$")
        .then("partition_values", values=[{"a": "x"}, {"a": {"time": "2020-01-01"}}])
    )
    written = Dataset(FILE, written=Written(table, DELIMITED, ";"), operations=files("x").then("take", count=1).operations)
    query = Dataset(TABULAR, (Place(STORE, query="select 1", timeout=5),), parsing=Parsing(QUERY))
    for item in (table, written, query):
        assert rest.client.save_dataset(rest.workspace_id, format_dataset(item))["definition"] == json.loads(
            json.dumps(format_dataset(item))
        )


def test_too_much_of_a_definition(rest: Any) -> None:
    with pytest.raises(TooLarge, match="Name its files by a folder"):
        rest.client.save_dataset(rest.workspace_id, document("x" * 17_000_000))
    deep: dict[str, Any] = format_dataset(rows("t.csv"))
    for _ in range(400):
        deep = {"type": "file", "written": {"dataset": deep, "kind": "delimited"}}
    with pytest.raises(PenstockError) as caught:
        rest.client.save_dataset(rest.workspace_id, {"format": 1, **deep})
    assert caught.value.status < 500


# Registering


def test_versions_follow_definitions(rest: Any) -> None:
    one = register(rest, "weather", document("one"), description="d", tags={"a": 1})
    assert (one["name"], one["version"], one["description"], one["tags"]) == ("weather", 1, "d", {"a": "1"})
    assert one["id"] == rest.client.save_dataset(rest.workspace_id, document("one"))["id"]
    two = register(rest, "weather", document("two"), create_new_version=True)
    assert (two["version"], two["description"], two["tags"]) == (2, None, {})
    again = register(rest, "weather", document("one"), create_new_version=True, tags={"b": "2"})
    assert (again["version"], again["id"], again["description"], again["tags"]) == (1, one["id"], "d", {"a": "1", "b": "2"})
    assert rest.client.get_dataset_version(rest.workspace_id, "weather")["version"] == 2
    assert [item["version"] for item in rest.client.list_dataset_versions(rest.workspace_id, "weather")] == [1, 2]
    assert rest.client.get_dataset(rest.workspace_id, one["id"])["registrations"] == [{"name": "weather", "version": 1}]


def test_a_name_that_is_taken(rest: Any) -> None:
    register(rest, "taken", document("one"))
    for path in ("one", "two"):
        with pytest.raises(AlreadyExists, match="create_new_version=True"):
            register(rest, "taken", document(path))
    assert register(rest, "another", document("one"))["version"] == 1  # one definition, two names


def test_a_registration_that_is_sent_twice(rest: Any) -> None:
    request = str(uuid.uuid4())
    found = [datasets.register_dataset(rest.context, rest.workspace_id, document(), "sent", request_id=request) for _ in range(2)]
    assert found[0] == found[1]
    with pytest.raises(Invalid, match="request_id"):
        datasets.register_dataset(rest.context, rest.workspace_id, document(), "sent", request_id="x")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\nb", "x" * 300])
def test_a_name_that_is_none(rest: Any, name: str) -> None:
    with pytest.raises(PenstockError) as caught:
        datasets.register_dataset(rest.context, rest.workspace_id, document(), name)
    assert isinstance(caught.value, Invalid)


def test_a_version_is_found_by_number_or_as_the_latest(rest: Any) -> None:
    for number in range(1, 13):
        register(rest, "many versions", document(str(number)), create_new_version=True)
    ask = rest.client.get_dataset_version
    assert [ask(rest.workspace_id, "many versions", version)["version"] for version in (3, "11", "latest", None)] == [3, 11, 12, 12]
    with pytest.raises(NotFound, match=r"\(version: 99\) .* Its versions are \.\.\., 3, 4, 5"):
        ask(rest.workspace_id, "many versions", 99)
    for version in ("newest", "-1", "1.0", "٣"):
        with pytest.raises(Invalid, match="a number or 'latest'"):
            ask(rest.workspace_id, "many versions", version)


def test_a_name_that_nobody_registered(rest: Any) -> None:
    with pytest.raises(NotFound, match="No dataset is registered in it"):
        rest.client.get_dataset_version(rest.workspace_id, "weather")
    register(rest, "weather", document())
    for verb in (rest.client.get_dataset_version, rest.client.list_dataset_versions, rest.client.unregister_dataset):
        with pytest.raises(NotFound) as caught:
            verb(rest.workspace_id, "wether")
        assert 'Cannot find dataset registered with name "wether"' in caught.value.message
        assert "Did you mean 'weather'?" in caught.value.message
    with pytest.raises(NotFound, match="There are: weather"):
        rest.client.get_dataset_version(rest.workspace_id, "zzz")


def test_the_newest_of_each_is_listed(rest: Any) -> None:
    for name, path in (("b", "1"), ("a", "1"), ("b", "2")):
        register(rest, name, document(path), create_new_version=True)
    assert [(item["name"], item["version"]) for item in rest.client.list_datasets(rest.workspace_id)] == [("a", 1), ("b", 2)]


def test_a_version_is_described_and_tagged(rest: Any) -> None:
    register(rest, "x", document(), tags={"a": "1", "b": "2"})
    update = rest.client.update_dataset_version
    found = update(rest.workspace_id, "x", 1, description="new", tags={"b": "3", "c": None}, remove_tags=["a"])
    assert (found["description"], found["tags"]) == ("new", {"b": "3", "c": None})
    assert update(rest.workspace_id, "x", "latest")["modified_at"] == found["modified_at"]  # nothing was changed
    with pytest.raises(Invalid, match="must be a text"):
        update(rest.workspace_id, "x", 1, tags={"a": []})
    with pytest.raises(NotFound):
        update(rest.workspace_id, "x", 2, description="?")


def test_a_name_begins_anew_when_it_was_given_up(rest: Any) -> None:
    saved = register(rest, "x", document("1"))
    register(rest, "x", document("2"), create_new_version=True)
    rest.client.unregister_dataset(rest.workspace_id, "x")
    assert rest.client.list_datasets(rest.workspace_id) == []
    assert rest.client.get_dataset(rest.workspace_id, saved["id"])["registrations"] == []
    assert register(rest, "x", document("3"))["version"] == 1


def test_names_are_those_of_their_workspace(rest: Any) -> None:
    register(rest, "mine", document())
    other = rest.client.create_workspace("other-" + rest.workspace_id, "s", "g")["id"]
    assert rest.client.list_datasets(other) == []
    assert rest.client.register_dataset(other, document(), "mine")["version"] == 1


# Files


def paths(found: dict[str, Any]) -> list[str]:
    return [item["path"] for item in found["files"]]


FOLDER = ("in/a.csv", "in/deep/b.csv", "in/deep/c.txt")


@pytest.mark.parametrize(
    ("pattern", "shown", "folder", "is_single"),
    [
        ("in", ["/a.csv", "/deep/b.csv", "/deep/c.txt"], "in", False),
        ("/in/", ["/a.csv", "/deep/b.csv", "/deep/c.txt"], "in", False),
        ("in/**", ["/a.csv", "/deep/b.csv", "/deep/c.txt"], "in", False),
        ("in/**/*", ["/a.csv", "/deep/b.csv", "/deep/c.txt"], "in", False),
        ("in/*", ["/a.csv"], None, False),
        ("in/**/*.csv", ["/a.csv", "/deep/b.csv"], None, False),
        ("in/*/b.csv", ["/deep/b.csv"], None, False),
        ("in/a.csv", ["/a.csv"], None, True),
        ("in/deep/b.csv", ["/b.csv"], None, True),
        ("in/?.csv", ["/in/a.csv"], None, False),  # v1 shows whole paths here
        ("in/deep/[bc].*", ["/in/deep/b.csv", "/in/deep/c.txt"], None, False),
        ("", ["/in/a.csv", "/in/deep/b.csv", "/in/deep/c.txt"], "", False),
    ],
)
def test_how_paths_are_shown(rest: Any, pattern: str, shown: list[str], folder: str | None, is_single: bool) -> None:
    root = put(rest, *FOLDER)
    found = rest.client.resolve_dataset(rest.workspace_id, document(pattern) if pattern else document("/"))
    assert (paths(found), found["is_single"]) == (shown, is_single)
    assert found["folder"] == (None if folder is None else str(root / folder) if folder else str(root))
    for item in found["files"]:
        assert Path(item["local"]).read_text() == str(Path(item["local"]).relative_to(root))
        assert (item["size"], item["partition"]) == (len(Path(item["local"]).read_text()), {})
        assert item["modified_at"].endswith("Z")


def test_a_list_shows_whole_paths_and_each_file_once(rest: Any) -> None:
    put(rest, *FOLDER)
    found = rest.client.resolve_dataset(rest.workspace_id, document("in/deep", "in/a.csv", "in/**/*.csv"))
    assert paths(found) == ["/in/deep/b.csv", "/in/deep/c.txt", "/in/a.csv"]
    assert (found["folder"], found["is_single"]) == (None, False)


def test_same_path_on_two_datastores(rest: Any, tmp_path: Path) -> None:
    put(rest, "x/a.csv", "x/b.csv")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.csv").write_text("other")
    rest.client.register_datastore(rest.workspace_id, "second", "Custom", root=str(tmp_path))
    both = Dataset(FILE, (Place(STORE, "x"), Place("second", "x")))
    found = rest.client.resolve_dataset(rest.workspace_id, format_dataset(both))
    assert paths(found) == [f"/{STORE}/x/a.csv", "/x/b.csv", "/second/x/a.csv"]


def test_a_path_of_this_machine(rest: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    for url in (str(tmp_path), f"file://{tmp_path}", str(tmp_path / "*.csv")):
        found = rest.client.resolve_dataset(rest.workspace_id, format_dataset(Dataset(FILE, (Place(url=url),))))
        assert [(item["path"], item["local"]) for item in found["files"]] == [("/a.csv", str(tmp_path / "a.csv"))]
    with pytest.raises(NotFound, match=f"no file '{tmp_path}/b.csv' on this machine. Did you mean '{tmp_path}/a.csv'"):
        rest.client.resolve_dataset(rest.workspace_id, format_dataset(Dataset(FILE, (Place(url=f"{tmp_path}/b.csv"),))))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("in/b.csv", ["There is no file 'in/b.csv' on the datastore 'workspaceblobstore'", "Did you mean 'in/a.csv'?"]),
        ("inn/", ["no file 'inn' on", "Did you mean 'in'?"]),
        ("in/*.json", ["No file on the datastore 'workspaceblobstore' fits 'in/*.json'", "holds a.csv, deep"]),
        ("nowhere/*.csv", ["fits 'nowhere/*.csv'", "The folder 'nowhere' is empty or not there"]),
        ("in/empty", ["The folder 'in/empty' on the datastore 'workspaceblobstore' holds no file."]),
        ("in/A.csv", ["no file 'in/A.csv'"]),
    ],
)
def test_nothing_is_there(rest: Any, path: str, words: list[str]) -> None:
    root = put(rest, *FOLDER)
    (root / "in" / ("empty" if path == "in/empty" else "deep")).mkdir(exist_ok=True)
    with pytest.raises(NotFound) as caught:
        rest.client.resolve_dataset(rest.workspace_id, document(path))
    assert all(word in caught.value.message for word in words), caught.value.message
    assert caught.value.details["datastore"] == STORE


def test_a_place_that_can_not_be(rest: Any) -> None:
    put(rest, *FOLDER)
    with pytest.raises(NotFound, match=r"no datastore 'workspaceblobstor'.*Did you mean 'workspaceblobstore'"):
        rest.client.resolve_dataset(rest.workspace_id, format_dataset(Dataset(FILE, (Place("workspaceblobstor", "x"),))))
    with pytest.raises(Invalid):
        rest.client.resolve_dataset(rest.workspace_id, document("../../etc/passwd"))


PARTITIONED = ("p/Oslo/2020/01/x.csv", "p/Oslo/2020/02/x.csv", "p/Rome/2020/01/x.csv")
FORM = "/{city}/{month:yyyy/MM}/x.csv"


def test_partitions_are_read_from_paths(rest: Any) -> None:
    put(rest, *PARTITIONED)
    found = rest.client.resolve_dataset(rest.workspace_id, document("p", partition_format=FORM))
    assert [item["partition"] for item in found["files"]] == [
        {"city": "Oslo", "month": {"time": "2020-01-01T00:00:00"}},
        {"city": "Oslo", "month": {"time": "2020-02-01T00:00:00"}},
        {"city": "Rome", "month": {"time": "2020-01-01T00:00:00"}},
    ]
    assert found["folder"]
    with pytest.raises(
        Invalid, match=r"The file 'p/Oslo/2020/01/x\.csv' on the datastore .* does not fit the partition_format '/\{a\}\.txt'"
    ):
        rest.client.resolve_dataset(rest.workspace_id, document("p", partition_format="/{a}.txt"))


def test_operations_choose_files(rest: Any) -> None:
    put(rest, *PARTITIONED)
    whole = files("p", partition_format=FORM)

    def left(dataset: Dataset) -> list[str]:
        found = rest.client.resolve_dataset(rest.workspace_id, format_dataset(dataset))
        assert (found["folder"] is None) == (len(found["files"]) < 3)  # a mount may show the folder where all of it is left
        return paths(found)

    every = ["/Oslo/2020/01/x.csv", "/Oslo/2020/02/x.csv", "/Rome/2020/01/x.csv"]
    assert left(whole.then("take", count=1)) == every[:1]
    assert left(whole.then("skip", count=1)) == every[1:]
    assert left(whole.then("take", count=0)) == []
    assert left(whole.then("select_paths", pattern="/Rome/")) == every[2:]
    assert left(whole.then("partition_values", values=[{"month": {"time": "2020-01-01T00:00:00"}}])) == [every[0], every[2]]
    oslo = {"call": "eq", "arguments": [{"column": "city"}, {"value": "Oslo"}]}
    late = {"call": "gt", "arguments": [{"column": "month"}, {"time": "2020-01-15T00:00:00"}]}
    assert left(whole.then("filter", expression={"call": "and", "arguments": [oslo, late]})) == every[1:2]
    halves = [left(whole.then("split", start=start, end=end, seed=5)) for start, end in ((0, 0.5), (0.5, 1))]
    assert sorted(halves[0] + halves[1]) == every


def test_operations_on_rows_leave_the_files(rest: Any) -> None:
    put(rest, *PARTITIONED)
    table = rows("p", partition_format=FORM).then("take", count=1).then("filter", expression={"value": True})
    assert len(rest.client.resolve_dataset(rest.workspace_id, format_dataset(table))["files"]) == 3
    some = table.then("partition_values", values=[{"city": "Rome"}])
    assert paths(rest.client.resolve_dataset(rest.workspace_id, format_dataset(some))) == ["/Rome/2020/01/x.csv"]


def test_a_single_file_with_an_operation_is_no_single_file(rest: Any) -> None:
    put(rest, *FOLDER)
    assert not rest.client.resolve_dataset(rest.workspace_id, format_dataset(files("in/a.csv").then("take", count=1)))["is_single"]


def test_written_files_lie_nowhere_yet(rest: Any) -> None:
    written = Dataset(FILE, written=Written(rows("t.csv"), DELIMITED))
    with pytest.raises(Invalid, match="written from a table when they are needed"):
        rest.client.resolve_dataset(rest.workspace_id, format_dataset(written))


def test_a_far_search_keeps_nobody_waiting(rest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(rest, *FOLDER)
    go_on = threading.Event()
    real = type(rest.context.stores).list

    def slow(self: Any, *values: Any) -> Any:
        go_on.wait(20)
        return real(self, *values)

    monkeypatch.setattr(type(rest.context.stores), "list", slow)
    threads = [threading.Thread(target=rest.client.resolve_dataset, args=(rest.workspace_id, document("in"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        assert rest.client.list_datasets(rest.workspace_id) == []
    finally:
        go_on.set()
        for thread in threads:
            thread.join(20)


# Lineage


def run(rest: Any, name: str) -> str:
    return str(rest.client.create_run(rest.workspace_id, "work", name=name)["id"])


def test_who_read_and_wrote(rest: Any) -> None:
    saved = register(rest, "clean", document("clean"))
    writer, reader = run(rest, "writer"), run(rest, "reader")
    rest.client.record_lineage(writer, "output", saved["id"], port="out", mode="upload", name="clean", version=1)
    for _ in range(2):
        rest.client.record_lineage(reader, "input", saved["id"], port="data", mode="mount")
    by_name = rest.client.list_lineage(rest.workspace_id, name="clean")
    assert [(row["run_name"], row["direction"], row["port"], row["mode"]) for row in by_name] == [
        ("reader", "input", "data", "mount"),
        ("writer", "output", "out", "upload"),
    ]
    for row in by_name:
        assert (row["experiment_name"], row["status"], row["type"], row["pipeline_run_id"]) == ("work", "Running", "file", None)
        assert (row["name"], row["version"], row["places"], row["dataset_id"]) == ("clean", 1, [f"{STORE}/clean"], saved["id"])
    assert rest.client.list_lineage(rest.workspace_id, dataset_id=saved["id"]) == by_name
    assert rest.client.list_lineage(rest.workspace_id, name="clean", version=1) == by_name
    assert rest.client.list_lineage(rest.workspace_id, name="clean", version="latest", limit=1) == by_name[:1]
    assert rest.client.list_lineage(rest.workspace_id, run_id=writer) == by_name[1:]


def test_what_the_steps_of_a_pipeline_run_did(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(2))
    saved = rest.client.save_dataset(rest.workspace_id, document())
    for step, direction in zip(answer["steps"], ("output", "input"), strict=True):
        rest.client.record_lineage(step["id"], direction, saved["id"], port="x")
    rows = rest.client.list_lineage(rest.workspace_id, run_id=answer["run"]["id"])
    assert {(row["run_name"], row["direction"]) for row in rows} == {("step 0", "output"), ("step 1", "input")}
    assert {row["pipeline_run_id"] for row in rows} == {answer["run"]["id"]}


def test_names_of_the_moment_stay(rest: Any) -> None:
    old = register(rest, "x", document("old"))
    first, second = run(rest, "first"), run(rest, "second")
    rest.client.record_lineage(first, "input", old["id"], name="x", version=1)
    rest.client.unregister_dataset(rest.workspace_id, "x")
    (row,) = rest.client.list_lineage(rest.workspace_id, name="x")
    assert (row["name"], row["version"], row["run_name"]) == ("x", 1, "first")
    later = rest.client.save_dataset(rest.workspace_id, document("later"))
    rest.client.record_lineage(second, "output", later["id"])
    register(rest, "y", document("later"))  # named after it was used
    (row,) = rest.client.list_lineage(rest.workspace_id, name="y")
    assert (row["name"], row["version"], row["run_name"]) == ("y", 1, "second")


def test_a_script_that_repeats_its_step_adds_nothing(rest: Any) -> None:
    saved, reader = rest.client.save_dataset(rest.workspace_id, document()), run(rest, "reader")
    rest.client.record_lineage(reader, "input", saved["id"], port="data", mode="direct")
    rest.client.record_lineage(reader, "input", saved["id"], name="d", version=1)
    (row,) = rest.client.list_lineage(rest.workspace_id, run_id=reader)
    assert (row["port"], row["mode"], row["name"], row["version"]) == ("data", "direct", "d", 1)
    writer = run(rest, "writer")
    rest.client.record_lineage(writer, "output", saved["id"], name="d", version=1)
    rest.client.record_lineage(writer, "output", saved["id"], port="out", mode="mount")
    (row,) = rest.client.list_lineage(rest.workspace_id, run_id=writer)
    assert (row["port"], row["mode"], row["name"], row["version"]) == ("out", "mount", "d", 1)


def test_lineage_that_can_not_be(rest: Any) -> None:
    saved, known = rest.client.save_dataset(rest.workspace_id, document()), run(rest, "known")
    record, ask = rest.client.record_lineage, rest.client.list_lineage
    with pytest.raises(NotFound, match="no run with the id"):
        record("nobody", "input", saved["id"])
    with pytest.raises(NotFound, match="Cannot find dataset with id"):
        record(known, "input", "nothing")
    for wrong in ({"direction": "sideways"}, {"mode": "teleport"}, {"port": "a/b"}, {"name": "x" * 300}):
        with pytest.raises(Invalid):
            record(**{"run_id": known, "direction": "input", "dataset_id": saved["id"], **wrong})
    for which in ({}, {"run_id": known, "name": "x"}):
        with pytest.raises(Invalid, match="of one of them"):
            ask(rest.workspace_id, **which)
    for which in ({"run_id": "nobody"}, {"dataset_id": "nothing"}, {"name": "nothing"}):
        with pytest.raises(NotFound):
            ask(rest.workspace_id, **which)
    other = rest.client.create_workspace("far-" + rest.workspace_id, "s", "g")["id"]
    with pytest.raises(NotFound, match="in this workspace"):
        ask(other, run_id=known)


def test_part_of_a_transaction(rest: Any) -> None:
    """What the engine does when a step ends is done whole or not at all."""
    writer = run(rest, "writer")

    def settle(fails: bool) -> None:
        with rest.context.change() as change:
            version = datasets.register_within(change, rest.workspace_id, document("made"), "made", tags={"a": 1})
            found = datasets.save_within(change, rest.workspace_id, document("made"))
            assert found == version["id"]
            lineage.record_lineage_within(change, writer, "output", found, "out", "mount", "made", version["version"])
            if fails:
                raise sqlite3.IntegrityError("the step was settled by somebody else")

    with pytest.raises(sqlite3.IntegrityError):
        settle(fails=True)
    assert rest.client.list_datasets(rest.workspace_id) == []
    settle(fails=False)
    assert [row["name"] for row in rest.client.list_lineage(rest.workspace_id, run_id=writer)] == ["made"]
    assert rest.context.database.first("select count(*) as n from datasets where workspace_id = ?", (rest.workspace_id,)) == {"n": 1}
