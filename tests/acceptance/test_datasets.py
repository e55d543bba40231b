"""File datasets and the registry, as scripts use them, against a real service on local stores."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import end_processes

from azureml.core import Dataset, Workspace
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azureml.exceptions import UserErrorException

TREE = {
    "one.csv": "a\n1\n",
    "x/one.csv": "a\n2\n",
    "x/two.csv": "a\n3\n",
    "x/deep/three.csv": "a\n4\n",
    "x/note.txt": "note",
    "y/Two.CSV": "a\n5\n",
    "y/[odd] name, 1.csv": "a\n6\n",
}


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A home folder for all tests of this module: each has names of its own."""
    before = {name: os.environ.pop(name, None) for name in ("PENSTOCK_HOME", "AZUREML_RUN_ID", "PENSTOCK_RUN_FOLDER")}
    with tempfile.TemporaryDirectory(prefix="ps", ignore_cleanup_errors=True) as folder:
        os.environ["PENSTOCK_HOME"] = folder
        yield Path(folder)
        end_processes(Path(folder))
    os.environ.pop("PENSTOCK_HOME")
    os.environ.update({name: value for name, value in before.items() if value is not None})


@pytest.fixture
def workspace(shared_home: Path, request: pytest.FixtureRequest) -> Any:
    return Workspace.create(f"w{abs(hash(request.node.nodeid)) % 10**12}", subscription_id="s", resource_group="g", show_output=False)


@pytest.fixture
def store(workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The default datastore, holding TREE below 'data'; the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    write_tree(source, TREE)
    found = workspace.get_default_datastore()
    found.upload(str(source), target_path="data", show_progress=False)
    return found


def let_the_time_of_files_pass(folder: Path) -> None:
    """Return when a file that is written there has a later time than now: file systems tell it in steps of some milliseconds or more."""
    now, probe = time.time(), folder / "probe"
    while not probe.exists() or probe.stat().st_mtime <= now:
        probe.write_text("x")
    probe.unlink()


def write_tree(folder: Path, tree: dict[str, str]) -> None:
    for name, text in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


ALL = ["/one.csv", "/x/deep/three.csv", "/x/note.txt", "/x/one.csv", "/x/two.csv", "/y/Two.CSV", "/y/[odd] name, 1.csv"]


class TestPaths:
    @pytest.mark.parametrize(
        ("pattern", "paths"),
        [
            ("data/one.csv", ["/one.csv"]),
            ("/data/one.csv", ["/one.csv"]),
            ("data", ALL),
            ("data/", ALL),
            ("data/**", ALL),
            ("data/**/*", ALL),
            ("data/*.csv", ["/one.csv"]),
            ("data/*/*.csv", ["/x/one.csv", "/x/two.csv", "/y/[odd] name, 1.csv"]),
            ("data/**/*.csv", ["/one.csv", "/x/deep/three.csv", "/x/one.csv", "/x/two.csv", "/y/[odd] name, 1.csv"]),
            ("data/**/one.csv", ["/one.csv", "/x/one.csv"]),
            ("data/x/*", ["/note.txt", "/one.csv", "/two.csv"]),
            ("data/x/t*.csv", ["/two.csv"]),
        ],
    )
    def test_patterns(self, store: Any, pattern: str, paths: list[str]) -> None:
        assert Dataset.File.from_files((store, pattern)).to_path() == paths

    @pytest.mark.parametrize("pattern", ["data/x/???.csv", "data/x/[ot][nw][eo].csv"])
    def test_single_characters_and_lists_show_whole_paths(self, store: Any, pattern: str) -> None:
        expected = ["/data/x/one.csv", "/data/x/two.csv"]
        assert Dataset.File.from_files((store, pattern)).to_path() == expected
        assert Dataset.File.from_files([(store, "data/x/one.csv"), (store, "data/x/two.csv")]).to_path() == expected

    @pytest.mark.parametrize("pattern", ["data/{x,y}/*.csv", "data/none.csv", "data/none/**", "DATA/**", "data/*.CSV"])
    def test_nothing_there_is_an_error_that_names_store_and_pattern(self, store: Any, pattern: str) -> None:
        dataset = Dataset.File.from_files((store, pattern))
        for use in (dataset.to_path, dataset.download, dataset.mount().start):
            with pytest.raises(DatasetExecutionError) as caught:
                use()
            assert "workspaceblobstore" in caught.value.message
            assert pattern.partition("*")[0] in caught.value.message
        assert isinstance(caught.value, UserErrorException)

    def test_what_changes_between_reads_is_seen(self, store: Any, tmp_path: Path) -> None:
        dataset = Dataset.File.from_files(str(tmp_path / "later"))
        with pytest.raises(DatasetExecutionError, match="later"):
            dataset.to_path()
        write_tree(tmp_path / "later", {"a": "x"})
        assert dataset.to_path() == ["/a"]
        write_tree(tmp_path / "later", {"b": "x"})
        assert dataset.to_path() == ["/a", "/b"]

    def test_forms_of_local_paths(self, store: Any, tmp_path: Path) -> None:
        for path in ("source/x/*.csv", str(tmp_path / "source/x/*.csv"), f"file://{tmp_path}/source/x/*.csv", Path("source/x/*.csv")):
            assert Dataset.File.from_files(path).to_path() == ["/one.csv", "/two.csv"]
        assert Dataset.File.from_files(["source/one.csv"]).to_path() == ["/one.csv"]

    def test_when_the_data_changed(self, store: Any, tmp_path: Path) -> None:
        moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        for path in (tmp_path / "source").rglob("*"):
            os.utime(path, (moment.timestamp() - 60,) * 2)
        os.utime(tmp_path / "source/x/two.csv", (moment.timestamp(),) * 2)
        assert Dataset.File.from_files("source").data_changed_time == moment


class TestDownload:
    def test_structure(self, store: Any, tmp_path: Path) -> None:
        got = Dataset.File.from_files((store, "data/x/**")).download("target")
        assert got == [str(tmp_path / "target" / name) for name in ("deep/three.csv", "note.txt", "one.csv", "two.csv")]
        assert Path(got[0]).read_text() == TREE["x/deep/three.csv"]

    def test_a_temporary_folder_by_default(self, store: Any) -> None:
        dataset = Dataset.File.from_files((store, "data/one.csv"))
        first, second = dataset.download(), dataset.download()
        assert first != second
        assert Path(first[0]).read_text() == Path(second[0]).read_text() == TREE["one.csv"]

    def test_existing_files(self, store: Any, tmp_path: Path) -> None:
        dataset = Dataset.File.from_files((store, "data/x/*.csv"))
        write_tree(tmp_path / "target", {"two.csv": "mine"})
        with pytest.raises(UserErrorException, match=r"two\.csv.*overwrite=True"):
            dataset.download("target")
        assert sorted(os.listdir("target")) == ["two.csv"]
        dataset.download("target", overwrite=True)
        assert Path("target/two.csv").read_text() == TREE["x/two.csv"]

    def test_the_copy_is_a_copy(self, store: Any) -> None:
        dataset = Dataset.File.from_files("source/one.csv")
        (copy,) = dataset.download("target")
        Path(copy).write_text("changed")
        assert Path("source/one.csv").read_text() == TREE["one.csv"]

    def test_missing_files(self, store: Any) -> None:
        dataset = Dataset.File.from_files((store, "data/none.csv"))
        with pytest.raises(UserErrorException, match=r"none\.csv"):
            dataset.download("target")
        assert dataset.download("target", ignore_not_found=True) == []

    def test_a_target_that_is_no_folder(self, store: Any) -> None:
        Path("target").write_text("a file where the folder should be")
        with pytest.raises(UserErrorException, match=r"one\.csv"):
            Dataset.File.from_files((store, "data/one.csv")).download("target")

    def test_a_full_disk_leaves_no_half_file(self, store: Any, tmp_path: Path) -> None:
        write_tree(tmp_path / "large", {"a.bin": "x" * 300_000, "b.bin": "x"})
        script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from azureml.core import Dataset
from azureml.exceptions import UserErrorException
dataset = Dataset.File.from_files("large")
dataset.to_path()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    dataset.download("target")
except UserErrorException as error:
    print(error.message)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert "/a.bin" in done.stdout, done.stderr
        assert os.listdir("target") == []


class TestMount:
    def test_a_whole_folder_is_one_link(self, store: Any) -> None:
        with Dataset.File.from_files("source").mount() as mounted:
            assert os.path.islink(mounted.mount_point)
            assert Path(mounted.mount_point, "x/deep/three.csv").read_text() == TREE["x/deep/three.csv"]
        assert not os.path.lexists(mounted.mount_point)
        assert Path("source/one.csv").exists()

    def test_some_files_are_a_tree_of_links(self, store: Any) -> None:
        context = Dataset.File.from_files((store, "data/**/*.csv")).take(3).mount("point")
        assert context.mount_point == os.path.abspath("point")
        context.start()
        found = sorted(os.path.relpath(os.path.join(here, name), "point") for here, _, names in os.walk("point") for name in names)
        assert found == ["one.csv", "x/deep/three.csv", "x/one.csv"]
        with pytest.raises(UserErrorException, match="stop"):
            context.start()
        context.stop()
        context.stop()
        assert not os.path.exists("point")

    def test_an_empty_folder_is_empty_again(self, store: Any) -> None:
        for pattern in ("source", "source/*.csv"):
            os.makedirs("point", exist_ok=True)
            with Dataset.File.from_files(pattern).mount("point"):
                assert os.listdir("point")
            assert os.path.isdir("point")
            assert os.listdir("point") == []

    def test_a_full_folder_is_refused(self, store: Any) -> None:
        with pytest.raises(UserErrorException, match="not empty"):
            Dataset.File.from_files("source").mount("source/x")

    def test_a_failed_start_leaves_nothing(self, store: Any) -> None:
        context = Dataset.File.from_files((store, "data/none")).mount("point")
        with pytest.raises(DatasetExecutionError):
            context.start()
        assert not os.path.exists("point")


class TestFewerFiles:
    def test_take_and_skip(self, store: Any) -> None:
        dataset = Dataset.File.from_files((store, "data"))
        assert dataset.take(2).to_path() == ALL[:2]
        assert dataset.skip(5).to_path() == ALL[5:]
        assert dataset.skip(1).take(2).to_path() == ALL[1:3]
        assert dataset.take(0).to_path() == []

    def test_chance(self, store: Any) -> None:
        write_tree(Path("many"), {f"{number}": "" for number in range(400)})
        dataset = Dataset.File.from_files("many")
        first, second = dataset.random_split(0.7, seed=1)
        assert sorted(first.to_path() + second.to_path()) == sorted(dataset.to_path())
        assert 230 < len(first.to_path()) < 330
        assert first.to_path() == dataset.random_split(0.7, seed=1)[0].to_path() != dataset.random_split(0.7, seed=2)[0].to_path()
        sample = dataset.take_sample(0.25)
        assert 50 < len(sample.to_path()) < 150
        assert sample.to_path() == sample.to_path()
        assert dataset.take_sample(0.0, seed=1).to_path() == []
        assert dataset.take_sample(1.0, seed=1).to_path() == dataset.to_path()

    def test_partitions(self, store: Any) -> None:
        write_tree(Path("parts"), {f"{city}/2020/0{month}/x.csv": "" for city in ("bonn", "ulm") for month in (1, 2)})
        dataset = Dataset.File.from_files("parts/**", partition_format="{city}/{day:yyyy/MM}/x.csv")
        assert dataset.partition_keys == ["city", "day"]
        values = dataset.get_partition_key_values()
        assert len(values) == 4
        assert values[0] == {"city": "bonn", "day": datetime(2020, 1, 1)}
        assert dataset.get_partition_key_values(["city"]) == [{"city": "bonn"}, {"city": "ulm"}]
        chosen = dataset.filter((dataset["city"] == "ulm") & (dataset["day"] > datetime(2020, 1, 15)))
        assert chosen.to_path() == ["/ulm/2020/02/x.csv"]
        with pytest.raises(DatasetExecutionError, match="'country'"):
            dataset.filter(dataset["country"] == "x").to_path()
        with pytest.raises(DatasetValidationError, match="partition_format"):
            Dataset.File.from_files("parts/**", partition_format="{city}/{nope}/y.csv")
        assert Dataset.File.from_files("parts/**", partition_format="{city}/{nope}/y.csv", validate=False).partition_keys

    def test_facts_of_files(self, store: Any) -> None:
        dataset = Dataset.File.from_files((store, "data"))
        assert dataset.filter(dataset.file_metadata("Extension") == ".txt").to_path() == ["/x/note.txt"]
        assert len(dataset.filter(dataset.file_metadata("Size") < 5).to_path()) == 7
        assert dataset.filter(dataset.file_metadata("Size") > 4).to_path() == []
        recent = dataset.file_metadata("LastModifiedTime") > datetime.now(timezone.utc) - timedelta(hours=1)
        assert len(dataset.filter(recent & dataset.file_metadata("CanSeek")).to_path()) == 7
        assert dataset.filter(~recent).to_path() == []
        with pytest.raises(NotImplementedError, match="LastModifiedTime"):
            dataset.file_metadata("CreationTime")


class TestUpload:
    def test_upload_directory(self, store: Any, capsys: pytest.CaptureFixture[str]) -> None:
        dataset = Dataset.File.upload_directory("source", (store, "up"))
        assert dataset.to_path() == ALL
        assert "Uploading 7 files" in capsys.readouterr().out
        chosen = Dataset.File.upload_directory("source", store.path("up2") and (store, "up2"), pattern="*.csv", show_progress=False)
        assert capsys.readouterr().out == ""
        assert chosen.to_path() == [path for path in ALL if path.endswith(".csv")]

    def test_existing_files_stay_unless_told(self, store: Any) -> None:
        Dataset.File.upload_directory("source", (store, "up"), show_progress=False)
        Path("source/one.csv").write_text("new")
        Dataset.File.upload_directory("source", (store, "up"), show_progress=False)
        (copy,) = Dataset.File.from_files((store, "up/one.csv")).download()
        assert Path(copy).read_text() == TREE["one.csv"]
        Dataset.File.upload_directory("source", (store, "up"), overwrite=True, show_progress=False)
        (copy,) = Dataset.File.from_files((store, "up/one.csv")).download()
        assert Path(copy).read_text() == "new"


class TestRegistry:
    def test_register_and_find(self, workspace: Any, store: Any) -> None:
        made = Dataset.File.from_files((store, "data"))
        registered = made.register(workspace, "files", description="some", tags={"a": "b"})
        assert (made.id, made.name, made.version) == (None, None, None)
        assert (registered.name, registered.version, registered.description, registered.tags) == ("files", 1, "some", {"a": "b"})
        for version in ("latest", None, 1, "1"):
            found = Dataset.get_by_name(workspace, "files", version)
            assert (found.id, found.name, found.version, found.to_path()) == (registered.id, "files", 1, ALL)
        by_id = Dataset.get_by_id(workspace, registered.id)
        assert (by_id.name, by_id.version) == ("files", 1)

    def test_versions(self, workspace: Any, store: Any) -> None:
        first = Dataset.File.from_files((store, "data/x")).register(workspace, "n")
        with pytest.raises(UserErrorException, match="create_new_version=True"):
            Dataset.File.from_files((store, "data/y")).register(workspace, "n")
        second = Dataset.File.from_files((store, "data/y")).register(workspace, "n", create_new_version=True)
        assert (first.version, second.version) == (1, 2)
        assert first.id != second.id
        again = Dataset.File.from_files((store, "data/x")).register(workspace, "n", create_new_version=True)
        assert (again.version, again.id) == (1, first.id)
        elsewhere = Dataset.File.from_files((store, "data/x")).register(workspace, "other")
        assert (elsewhere.version, elsewhere.id) == (1, first.id)
        assert Dataset.get_by_name(workspace, "n").version == 2

    def test_files_that_were_written_since_make_the_next_version(self, workspace: Any, store: Any) -> None:
        def register(create: Any, path: str, name: str) -> Any:
            return create((store, path)).register(workspace, name, create_new_version=True)

        assert [register(Dataset.File.from_files, "data/x", "files").version for _ in range(2)] == [1, 1]
        let_the_time_of_files_pass(Path(store._record["root"]))
        store.upload("source/x", target_path="data/x", overwrite=True, show_progress=False)
        assert [register(Dataset.File.from_files, "data/x", "files").version for _ in range(2)] == [2, 2]
        assert Dataset.get_by_name(workspace, "files", version=1).id == Dataset.get_by_name(workspace, "files").id
        with open("table.csv", "w") as file:
            file.write("a\n1\n")
        for _ in range(2):  # a tabular dataset is a way of reading
            store.upload_files(["table.csv"], target_path="tables", overwrite=True, show_progress=False)
            assert register(Dataset.Tabular.from_delimited_files, "tables/table.csv", "rows").version == 1

    def test_a_saved_dataset_has_an_id_and_no_name(self, workspace: Any, store: Any) -> None:
        made = Dataset.File.from_files((store, "data/x"))
        assert made._ensure_saved(workspace) == made.id == made._ensure_saved(workspace)
        found = Dataset.get_by_id(workspace, made.id)
        assert (found.name, found.version, found.tags) == (None, None, None)
        assert found._document() == made._document()

    @pytest.mark.parametrize("version", [True, 1.0, "first", "", [1], -1])
    def test_wrong_versions(self, workspace: Any, store: Any, version: Any) -> None:
        Dataset.File.from_files((store, "data/x")).register(workspace, "n")
        with pytest.raises(UserErrorException, match="version"):
            Dataset.get_by_name(workspace, "n", version)

    def test_unknown_names_and_ids(self, workspace: Any, store: Any) -> None:
        Dataset.File.from_files((store, "data/x")).register(workspace, "flowers")
        with pytest.raises(UserErrorException, match=r'Cannot find dataset registered with name "flower".*flowers'):
            Dataset.get_by_name(workspace, "flower")
        with pytest.raises(UserErrorException, match=r'Cannot find dataset registered with name "flowers".*7'):
            Dataset.get_by_name(workspace, "flowers", 7)
        with pytest.raises(UserErrorException, match="00000000"):
            Dataset.get_by_id(workspace, "00000000-0000-0000-0000-000000000000")
        for name in ("", "a/b", None, "x" * 300):
            with pytest.raises((UserErrorException, TypeError)):
                Dataset.File.from_files((store, "data/x")).register(workspace, name)

    def test_changing(self, workspace: Any, store: Any) -> None:
        dataset = Dataset.File.from_files((store, "data/x")).register(workspace, "n", tags={"a": "1"})
        assert dataset.add_tags({"b": "2", "a": "1"}).tags == {"a": "1", "b": "2"}
        with pytest.raises(UserErrorException, match="'a' with the value '1'"):
            dataset.add_tags({"a": "3"})
        assert dataset.update(description="new", tags={"a": "3"}).tags == {"a": "3", "b": "2"}
        assert dataset.remove_tags(["a", "none"]).tags == {"b": "2"}
        found = Dataset.get_by_name(workspace, "n")
        assert (found.description, found.tags, found.version) == ("new", {"b": "2"}, 1)

    def test_unregistering(self, workspace: Any, store: Any) -> None:
        first = Dataset.File.from_files((store, "data/x")).register(workspace, "n")
        second = Dataset.File.from_files((store, "data/y")).register(workspace, "n", create_new_version=True)
        second.unregister_all_versions()
        assert (second.name, second.version, second.id) == (None, None, None)
        with pytest.raises(UserErrorException, match="Cannot find"):
            Dataset.get_by_name(workspace, "n")
        assert Dataset.get_by_id(workspace, first.id).name is None
        assert second.to_path() == ["/Two.CSV", "/[odd] name, 1.csv"]
        assert second.register(workspace, "n").version == 1

    def test_the_mapping(self, workspace: Any, store: Any) -> None:
        assert len(workspace.datasets) == 0
        for name in ("b", "a"):
            Dataset.File.from_files((store, f"data/{'x' if name == 'a' else 'y'}")).register(workspace, name, description=f"is {name}")
        Dataset.File.from_files((store, "data")).register(workspace, "a", create_new_version=True)
        datasets = Dataset.get_all(workspace)
        assert list(datasets) == sorted(datasets.keys()) == ["a", "b"]
        assert len(datasets) == 2
        assert "a" in datasets
        assert "c" not in datasets
        assert datasets["a"].version == 2
        assert datasets["a"] is datasets["a"]
        assert [(item.name, item.version) for item in datasets.registrations] == [("a", 2), ("b", 1)]
        assert {name: item.name for name, item in workspace.datasets.items()} == {"a": "a", "b": "b"}
        assert '"a"' in str(datasets)
        assert "is b" in str(datasets)
        with pytest.raises(KeyError):
            datasets["c"]
        assert datasets.get("c") is None

    def test_old_finders(self, workspace: Any, store: Any) -> None:
        made = Dataset.File.from_files((store, "data/x")).register(workspace, "n")
        with pytest.warns(DeprecationWarning, match="get_by_name"):
            assert Dataset.get(workspace, "n").id == made.id
        with pytest.warns(DeprecationWarning, match="get_by_id"):
            assert Dataset.get(workspace, id=made.id).name == "n"
        with pytest.warns(DeprecationWarning, match="get_all"):
            assert [item.name for item in Dataset.list(workspace)] == ["n"]

    def test_text_of_a_registered_dataset(self, workspace: Any, store: Any) -> None:
        import json

        made = Dataset.File.from_files((store, "data/x")).register(workspace, "n", description="some", tags={"a": "b"})
        kind, _, rest = str(made).partition("\n")
        assert kind == "FileDataset"
        assert json.loads(rest)["registration"] == {
            "id": made.id,
            "name": "n",
            "version": 1,
            "description": "some",
            "tags": {"a": "b"},
            "workspace": repr(workspace),
        }

    def test_a_dataset_of_urls_belongs_to_whoever_saves_it(self, workspace: Any, store: Any) -> None:
        made = Dataset.File.from_files("source/one.csv")
        assert made.to_path() == ["/one.csv"]
        registered = made.register(workspace, "local")
        assert Dataset.get_by_name(workspace, "local").to_path() == ["/one.csv"]
        assert registered._workspace.name == workspace.name
        other = Workspace.create("another", subscription_id="s", resource_group="g", exist_ok=True, show_output=False)
        saved = registered._ensure_saved(other)
        assert saved != registered.id
        assert Dataset.get_by_id(other, saved).to_path() == ["/one.csv"]
        assert Dataset.get_by_id(workspace, registered.id).name == "local"


def test_a_run_that_finds_or_registers_datasets_tells_its_lineage(workspace: Any, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from azureml.core import Experiment

    source = Dataset.File.from_files((store, "data/x")).register(workspace, "source")
    run = Experiment(workspace, "e").start_logging()
    for name, value in {
        "AZUREML_RUN_ID": run.id,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": "e",
    }.items():
        monkeypatch.setenv(name, value)
    Dataset.get_by_name(workspace, "source")
    made = Dataset.File.from_files((store, "data/y")).register(workspace, "made")
    seen = workspace._client.list_lineage(workspace._id, run_id=run.id)
    assert {(item["direction"], item["dataset_id"], item["name"]) for item in seen} == {
        ("input", source.id, "source"),
        ("output", made.id, "made"),
    }
    monkeypatch.setenv("AZUREML_RUN_ID", "no-such-run")
    assert Dataset.get_by_name(workspace, "source").name == "source"
    monkeypatch.delenv("AZUREML_RUN_ID")
    run.complete()


def test_an_environment_without_pandas_says_what_to_install(workspace: Any, store: Any, tmp_path: Path) -> None:
    script = """
import sys
sys.modules["pandas"] = None
sys.modules["pyarrow"] = None
from azureml.core import Dataset
print(Dataset.File.from_files("source/one.csv").to_path())
table = Dataset.Tabular.from_delimited_files("source/one.csv")
for use in (table.to_pandas_dataframe, lambda: Dataset.Tabular.from_delimited_files("source/none.csv")):
    try:
        use()
    except Exception as error:
        print(type(error).__name__, error.message)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "['/one.csv']" in done.stdout, done.stderr
    assert 'pip install "penstock[data]"' in done.stdout
    assert sys.executable in done.stdout
    assert "DatasetValidationError There is no file" in done.stdout
