"""What a step sees of its data, and what becomes of what it leaves."""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wait_until
from tests.parts.web import HttpServer

from azureml.core import Dataset, Datastore, Experiment, RunConfiguration
from azureml.data import LinkFileOutputDatasetConfig, OutputFileDatasetConfig
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect

SHOW = """
import json, os, sys
def tree(path):
    if not os.path.isdir(path):
        return open(path).read() if os.path.exists(path) else None
    found = [os.path.join(top, name) for top, _, names in os.walk(path, followlinks=True) for name in names]
    return {os.path.relpath(name, path): open(name).read() for name in sorted(found)}
print("\\nSEEN " + json.dumps({"arguments": sys.argv[1:], "trees": [tree(path) for path in sys.argv[1:]], "environment": dict(os.environ)}))
"""


class Steps:
    """Runs steps over the files of a small datastore folder: tables/a.csv, tables/b.csv, tables/deep/c.csv, note.txt."""

    def __init__(self, workspace: Any, folder: Path) -> None:
        self.workspace, self.folder = workspace, folder
        self.store = workspace.get_default_datastore()
        self.root = Path(connect().get_default_datastore(workspace._id)["root"])
        for name, text in {
            "tables/a.csv": "x,y\n1,2\n",
            "tables/b.csv": "x,y\n3,4\n",
            "tables/deep/c.csv": "x,y\n5,6\n",
            "note.txt": "note",
        }.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def step(self, source: str, arguments: list[Any] = (), name: str = "step", **members: Any) -> PythonScriptStep:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
        return PythonScriptStep(f"{name}.py", name, list(arguments), "local", source_directory=str(folder), **members)

    def run(self, *steps: PythonScriptStep, expected: str = "Finished", **submission: Any) -> Any:
        run = Experiment(self.workspace, "data").submit(Pipeline(self.workspace, list(steps)), **submission)
        run.wait_for_completion(show_output=False, raise_on_error=False)
        assert run.get_status() == expected, run.get_details().get("error")
        return run

    def show(self, *arguments: Any, **submission: Any) -> dict[str, Any]:
        """Run a step that tells what it sees of its arguments."""
        return seen(self.run(self.step(SHOW, arguments), **submission))

    def files(self, *places: Any) -> Any:
        return Dataset.File.from_files([(self.store, place) for place in places])

    def tree(self, prefix: str) -> dict[str, str]:
        base = self.root / prefix
        return {str(path.relative_to(base)): path.read_text() for path in sorted(base.rglob("*")) if path.is_file()}

    def error(self, run: Any) -> str:
        return str(connect().get_run(run.id)["error"]["message"])


def seen(run: Any, name: str = "step") -> dict[str, Any]:
    log = run.find_step_run(name)[0].get_job_log()
    found: dict[str, Any] = json.loads(next(line for line in log.splitlines() if line.startswith("SEEN "))[5:])
    return found


def reason(run: Any, name: str = "step") -> str:
    return str(connect().get_run(run.find_step_run(name)[0].id)["reason"])


@pytest.fixture
def steps(workspace: Any, tmp_path: Path) -> Steps:
    return Steps(workspace, tmp_path)


TABLES = {"a.csv": "x,y\n1,2\n", "b.csv": "x,y\n3,4\n", "deep/c.csv": "x,y\n5,6\n"}


# Inputs


def test_a_mounted_folder_is_the_folder_itself(steps: Steps) -> None:
    found = steps.show(steps.files("tables").as_named_input("tables").as_mount())
    assert found["arguments"] == [str(steps.root / "tables")]
    assert found["trees"] == [TABLES]


def test_a_single_file_is_handed_over_as_a_file_when_mounted_and_in_a_folder_when_downloaded(steps: Steps) -> None:
    single = steps.files("tables/a.csv")
    found = steps.show(single.as_named_input("mounted").as_mount(), single.as_named_input("copied").as_download())
    assert found["arguments"][0] == str(steps.root / "tables" / "a.csv")
    assert found["trees"][1] == {"a.csv": "x,y\n1,2\n"}


@pytest.mark.parametrize("mode", ["as_mount", "as_download"])
def test_a_pattern_that_fits_one_file_is_a_folder(steps: Steps, mode: str) -> None:
    found = steps.show(getattr(steps.files("*.txt").as_named_input("notes"), mode)())
    assert found["trees"] == [{"note.txt": "note"}]


def test_several_places_are_one_tree_of_links(steps: Steps) -> None:
    found = steps.show(steps.files("tables/deep/*.csv", "note.txt").as_named_input("both").as_mount())
    assert found["trees"] == [{"note.txt": "note", "tables/deep/c.csv": "x,y\n5,6\n"}]


def test_operations_choose_the_files(steps: Steps) -> None:
    found = steps.show(steps.files("tables").skip(1).take(1).as_named_input("some").as_mount())
    assert found["trees"] == [{"b.csv": "x,y\n3,4\n"}]


@pytest.mark.parametrize("mode", ["as_mount", "as_download"])
@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_path_on_the_compute(steps: Steps, mode: str, is_absolute: bool, tmp_path: Path) -> None:
    wanted = str(tmp_path / "elsewhere" / "data") if is_absolute else "some/where"
    for _ in range(2):  # an earlier run's link is no obstacle
        step = steps.step(SHOW, [getattr(steps.files("tables").as_named_input("tables"), mode)(wanted)], allow_reuse=False)
        found = seen(steps.run(step))
        assert found["arguments"][0].endswith(f"/work/{wanted}") if not is_absolute else found["arguments"] == [wanted]
        assert found["trees"] == [TABLES]
    assert not (tmp_path / "elsewhere" / "data").is_symlink(), "a link goes with its run"
    assert steps.tree("tables") == TABLES


def test_a_mount_replaces_nothing(steps: Steps, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    step = steps.step(SHOW, [steps.files("tables").as_named_input("tables").as_mount(str(tmp_path / "mine"))])
    assert "something else is in the way" in steps.error(steps.run(step, expected="Failed"))
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_path_on_the_compute_does_not_leave_the_working_directory(steps: Steps) -> None:
    step = steps.step(SHOW, [steps.files("tables").as_named_input("tables").as_download("../up")])
    assert "leaves its folder" in steps.error(steps.run(step, expected="Failed"))


def test_what_was_downloaded_may_be_written_and_the_source_stays(steps: Steps) -> None:
    source = "import os, sys; open(os.path.join(sys.argv[1], 'a.csv'), 'a').write('more')"
    steps.run(steps.step(source, [steps.files("tables").as_named_input("tables").as_download()]))
    assert steps.tree("tables") == TABLES


def test_variables(steps: Steps) -> None:
    mounted = steps.files("tables").as_named_input("tables").as_mount()
    table = Dataset.Tabular.from_delimited_files((steps.store, "tables/*.csv"))
    output = OutputFileDatasetConfig("made")
    environment = steps.show(mounted, table.as_named_input("rows"), output)["environment"]
    folder = str(steps.root / "tables")
    for name in ("tables", "TABLES", "AZUREML_DATAREFERENCE_tables", "AZURE_ML_INPUT_tables"):
        assert environment[name] == folder
    assert environment["rows"] == environment["AZURE_ML_INPUT_rows"]
    assert Dataset.get_by_id(steps.workspace, environment["rows"]).to_pandas_dataframe()["x"].tolist() == [1, 3]
    assert environment["AZUREML_DATASET_ENVIRONMENT_VARS"] == "tables:mount,rows:direct"
    for name in ("made", "AZUREML_DATAREFERENCE_made", "AZURE_ML_OUTPUT_made"):
        assert environment[name].endswith("/made")
    assert environment["AZUREML_DATASET_FILE_OUTPUTS"] == "made"
    assert "PENSTOCK_WRITTEN_INPUTS" not in environment


def test_no_dataset_takes_the_place_of_a_variable_that_every_process_needs(steps: Steps) -> None:
    environment = steps.show(steps.files("tables").as_named_input("home").as_mount())["environment"]
    assert environment["home"] == str(steps.root / "tables")
    assert environment["HOME"] == os.environ["HOME"]


def test_placeholders_inside_longer_texts(steps: Steps) -> None:
    mounted, output = steps.files("tables").as_named_input("tables").as_mount(), OutputFileDatasetConfig("made")
    step = steps.step(
        SHOW,
        [
            f"--in={mounted.arg_val}/deep",
            "--out=DatasetOutputConfig:made/sub",
            "$AZUREML_DATAREFERENCE_tables/a.csv",
            "${tables}:$AML_PARAMETER_rate",
            "DatasetConsumptionConfig:unknown",
            PipelineParameter("rate", 3),
        ],
        inputs=[mounted],
        outputs=[output],
    )
    folder = steps.root / "tables"
    first, second, third, fourth, fifth, _ = seen(steps.run(step))["arguments"]
    assert first == f"--in={folder}/deep"
    assert second.startswith("--out=/")
    assert second.endswith("/made/sub")
    assert third == f"{folder}/a.csv"
    assert fourth == f"{folder}:3"
    assert fifth == "DatasetConsumptionConfig:unknown"


def test_files_that_are_written_from_a_table(steps: Steps) -> None:
    table = Dataset.Tabular.from_delimited_files((steps.store, "tables/*.csv"))
    found = steps.show(table.to_csv_files().as_named_input("rows").as_mount())
    (tree,) = found["trees"]
    assert "1,2" in "".join(tree.values())
    assert "3,4" in "".join(tree.values())


def test_files_of_the_web(steps: Steps, http_server: HttpServer) -> None:
    folder, url = http_server.new_folder()
    (folder / "rows.csv").write_text("x\n7\n")

    def run() -> Any:
        return steps.run(steps.step(SHOW, [Dataset.File.from_files(f"{url}/rows.csv", validate=False).as_named_input("web").as_mount()]))

    found = seen(run())
    assert found["trees"] == ["x\n7\n"]
    assert found["arguments"][0].endswith("/rows.csv")
    gets = http_server.count(folder / "rows.csv")
    assert run().find_step_run("step")[0].is_reused
    assert http_server.count(folder / "rows.csv") == gets, "nothing is fetched for a step that is reused"
    (folder / "rows.csv").write_text("x\n8\n")
    assert "he input 'web' has other content" in reason(run())


def test_a_parameter_that_is_a_dataset(steps: Steps) -> None:
    def step() -> PythonScriptStep:
        chosen = DatasetConsumptionConfig("chosen", PipelineParameter("which", steps.files("tables/deep"))).as_mount()
        return steps.step(SHOW, [chosen], inputs=[chosen])

    assert seen(steps.run(step()))["trees"] == [{"c.csv": "x,y\n5,6\n"}]
    run = steps.run(step(), pipeline_parameters={"which": steps.files("note.txt")})
    assert seen(run)["trees"] == ["note"]
    assert "he input 'chosen'" in reason(run)


def test_a_parameter_that_is_a_path(steps: Steps) -> None:
    def step() -> PythonScriptStep:
        pair = (PipelineParameter("where", DataPath(steps.store, "tables/deep")), DataPathComputeBinding(mode="mount"))
        return steps.step(SHOW, [pair], inputs=[pair])

    assert seen(steps.run(step()))["trees"] == [{"c.csv": "x,y\n5,6\n"}]
    assert seen(steps.run(step(), pipeline_parameters={"where": DataPath(steps.store, "note.txt")}))["trees"] == ["note"]


def test_the_latest_version_is_found_when_the_step_starts(steps: Steps) -> None:
    steps.files("tables/deep").register(steps.workspace, "data")

    def run() -> Any:
        latest = DatasetConsumptionConfig("data", (steps.workspace, "data")).as_mount()
        return steps.run(steps.step(SHOW, [latest], inputs=[latest]))

    first = run()
    assert run().find_step_run("step")[0].is_reused
    steps.files("note.txt").register(steps.workspace, "data", create_new_version=True)
    last = run()
    assert seen(first)["trees"] == [{"c.csv": "x,y\n5,6\n"}]
    assert seen(last)["trees"] == ["note"]
    lineage = connect().list_lineage(steps.workspace._id, name="data")
    assert [(item["version"], item["direction"]) for item in lineage] == [(2, "input"), (1, "input"), (1, "input")]


LARGE = 40 << 20  # bytes; so much is not read before a step that was never run


def test_a_large_input_is_read_while_the_step_runs_and_its_result_is_reused(steps: Steps) -> None:
    (steps.root / "large").mkdir()
    for name in ("a.bin", "b.bin"):
        with open(steps.root / "large" / name, "wb") as file:
            file.truncate(LARGE)
    source = "import os, sys; print(sum(os.path.getsize(os.path.join(sys.argv[1], name)) for name in os.listdir(sys.argv[1])))"

    def run() -> Any:
        return steps.run(steps.step(source, [steps.files("large").as_named_input("large").as_mount()]))

    assert not run().find_step_run("step")[0].is_reused
    assert run().find_step_run("step")[0].is_reused
    with open(steps.root / "large" / "b.bin", "r+b") as file:
        file.write(b"other")
    assert reason(run()).startswith("The input 'large' has other content (changed: b.bin), since run ")
    assert run().find_step_run("step")[0].is_reused


def test_a_large_input_that_changes_while_the_step_runs_makes_no_result_for_others(steps: Steps) -> None:
    with open(steps.root / "large.bin", "wb") as file:
        file.truncate(LARGE)
    source = "import sys; open(sys.argv[1], 'r+b').write(b'x')"
    for _ in range(2):
        with open(steps.root / "large.bin", "r+b") as file:
            file.write(b"\0")
        run = steps.run(steps.step(source, [steps.files("large.bin").as_named_input("large").as_mount()]))
        assert not run.find_step_run("step")[0].is_reused


# Outputs


WRITE = """
import os, sys
for name in sys.argv[2:]:
    path = os.path.join(sys.argv[1], name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(name)
"""


def test_an_output_becomes_a_registered_dataset(steps: Steps) -> None:
    output = OutputFileDatasetConfig("made", (steps.store, "made/{run-id}/{output-name}")).register_on_complete(
        "made", "about it", {"a": "b"}
    )
    run = steps.run(steps.step(WRITE, [output, "x.txt", "deep/y.txt"]))
    step = run.find_step_run("step")[0]
    assert steps.tree(f"made/{step.id}/made") == {"x.txt": "x.txt", "deep/y.txt": "deep/y.txt"}
    dataset = Dataset.get_by_name(steps.workspace, "made")
    assert (dataset.description, dataset.tags, dataset.version) == ("about it", {"a": "b"}, 1)
    assert sorted(dataset.to_path()) == ["/deep/y.txt", "/x.txt"]
    (lineage,) = connect().list_lineage(steps.workspace._id, run_id=step.id)
    assert (lineage["direction"], lineage["port"], lineage["name"], lineage["version"]) == ("output", "made", "made", 1)


def test_a_destination_that_others_write_to(steps: Steps) -> None:
    """Files of the same name are replaced, others stay; a reuse notices what changed."""

    def write(*names: str) -> Any:
        output = OutputFileDatasetConfig("made", (steps.store, "shared/folder"))
        return steps.run(steps.step(WRITE, [output, *names]))

    first = write("x.txt", "deep/y.txt")
    assert write("x.txt", "deep/y.txt").find_step_run("step")[0].is_reused
    write("z.txt")
    assert sorted(steps.tree("shared/folder")) == ["deep/y.txt", "x.txt", "z.txt"]
    (steps.root / "shared/folder/x.txt").write_text("X.TXT")  # as long as before
    again = write("x.txt", "deep/y.txt")
    assert reason(again) == f"The output 'made' of run {first.find_step_run('step')[0].id[:8]} is not there any more as it was."
    assert steps.tree("shared/folder")["x.txt"] == "x.txt"


def test_uploaded_files_replace_others_only_when_asked_to(steps: Steps) -> None:
    (steps.root / "uploads").mkdir()
    (steps.root / "uploads/x.txt").write_text("older")

    def write(overwrite: bool, expected: str) -> Any:
        output = OutputFileDatasetConfig("made", (steps.store, "uploads")).as_upload(overwrite).register_on_complete("uploaded")
        return steps.run(steps.step(WRITE, [output, "w.txt", "x.txt"]), expected=expected)

    run = write(False, "Failed")
    assert "'uploads/x.txt' is on datastore 'workspaceblobstore' already" in steps.error(run)
    assert steps.tree("uploads") == {"x.txt": "older"}
    assert "uploaded" not in steps.workspace.datasets
    write(True, "Finished")
    assert steps.tree("uploads") == {"w.txt": "w.txt", "x.txt": "x.txt"}


def test_only_chosen_files_are_uploaded_from_a_folder_of_the_scripts_choice(steps: Steps) -> None:
    output = OutputFileDatasetConfig("made", (steps.store, "chosen"), source="left/here").as_upload(source_globs=["*.txt", "deep/**"])
    source = WRITE + "assert os.path.abspath(sys.argv[1]) == os.path.abspath('left/here'), sys.argv"
    steps.run(steps.step(source, [output, "x.txt", "x.csv", "deep/y.csv", "other/z.csv"]))
    assert sorted(steps.tree("chosen")) == ["deep/y.csv", "x.txt"]


def test_links_inside_an_output_are_kept_as_what_they_lead_to(steps: Steps) -> None:
    output = OutputFileDatasetConfig("made", (steps.store, "linked"))
    source = WRITE + "os.symlink(os.path.join(sys.argv[1], 'x.txt'), os.path.join(sys.argv[1], 'again.txt'))"
    steps.run(steps.step(source, [output, "x.txt"]))
    assert steps.tree("linked") == {"x.txt": "x.txt", "again.txt": "x.txt"}
    assert not (steps.root / "linked/again.txt").is_symlink()


@pytest.fixture
def other_disk(home: Path) -> Iterator[Path]:
    shared = Path("/dev/shm")  # noqa: S108 - a folder of the test's own is made there
    if not shared.is_dir() or shared.stat().st_dev == home.stat().st_dev:
        pytest.skip("this machine has no second disk to write to")
    with tempfile.TemporaryDirectory(dir=shared, prefix="penstock-") as folder:
        yield Path(folder)


def test_an_output_on_another_disk_is_written_there(steps: Steps, other_disk: Path) -> None:
    store = Datastore.register_local(steps.workspace, "other", str(other_disk))
    output = OutputFileDatasetConfig("made", (store, "deep/made"))
    source = WRITE + "assert os.stat(sys.argv[1]).st_dev == int(os.environ['DISK'])"
    config = RunConfiguration()
    config.environment_variables = {"DISK": str(other_disk.stat().st_dev)}
    steps.run(steps.step(source, [output, "x.txt"], runconfig=config))
    assert (other_disk / "deep/made/x.txt").read_text() == "x.txt"
    wait_until(lambda: os.listdir(other_disk) == ["deep"])


@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "import signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_step_that_fails_publishes_nothing(steps: Steps, ending: str) -> None:
    output = OutputFileDatasetConfig("made", (steps.store, "half")).register_on_complete("half")
    run = steps.run(steps.step(WRITE + ending, [output, "x.txt"]), expected="Failed")
    assert steps.tree("half") == {}
    assert "half" not in steps.workspace.datasets
    step = run.find_step_run("step")[0]
    assert connect().list_lineage(steps.workspace._id, run_id=step.id) == []
    left = Path(connect().get_run(step.id)["folder"]) / "unpublished" / "made"
    assert (left / "x.txt").read_text() == "x.txt", "what it left can be looked at"


def test_random_names_do_not_count(steps: Steps) -> None:
    def run() -> Any:
        output = OutputFileDatasetConfig(destination=(steps.store, "random/{run-id}"))
        write = steps.step(WRITE, [output, "x.txt"], "write")
        read = output.as_input()
        show = steps.step(SHOW, [read, f"--again={read.arg_val}"], "show")
        return steps.run(write, show)

    run()
    again = run()
    assert [step.is_reused for step in again.get_steps()] == [True, True], [reason(again, name) for name in ("write", "show")]


def test_data_of_a_step_as_a_dataset(steps: Steps) -> None:
    made = PipelineData("made", datastore=steps.store)
    promoted = made.as_dataset().register("promoted", create_new_version=False)
    source = (
        "import os, sys; os.makedirs(sys.argv[1]); [open(os.path.join(sys.argv[1], n + '.csv'), 'w').write('x\\n%s\\n' % n) for n in '12']"
    )
    write = steps.step(source, [promoted], "write", outputs=[promoted])
    rows = promoted.parse_delimited_files().as_named_input("rows")
    files = promoted.as_named_input("files").as_download("here")
    read = """
        import os, sys
        from azureml.core import Run
        run = Run.get_context()
        assert run.input_datasets["rows"].to_pandas_dataframe()["x"].tolist() == [1, 2]
        assert sorted(os.listdir("here")) == ["1.csv", "2.csv"], os.listdir("here")
        assert os.path.samefile(run.input_datasets["files"], "here")
    """
    for version in (1, 1):
        steps.run(write, steps.step(read, [rows], "read", inputs=[rows, files]), regenerate_outputs=True)
        assert Dataset.get_by_name(steps.workspace, "promoted").version == version


def test_a_script_may_name_a_dataset_as_its_output(steps: Steps) -> None:
    linked = LinkFileOutputDatasetConfig("linked")
    source = """
        import sys
        from azureml.core import Dataset, Run
        run = Run.get_context()
        store = run.experiment.workspace.get_default_datastore()
        run.output_datasets["linked"].link(Dataset.File.from_files((store, sys.argv[1])))
    """

    def run(path: str) -> Any:
        write = steps.step(source, [path], "write", outputs=[linked.register_on_complete("linked")])
        return steps.run(write, steps.step(SHOW, [linked.as_input("data")], "show"))

    assert seen(run("tables/deep"), "show")["trees"] == [{"c.csv": "x,y\n5,6\n"}]
    assert all(step.is_reused for step in run("tables/deep").get_steps())
    assert Dataset.get_by_name(steps.workspace, "linked").to_path() == ["/c.csv"]
    (steps.root / "tables/deep/c.csv").write_text("x,y\n7,8\n")
    again = run("tables/deep")
    assert {step.name: step.is_reused for step in again.get_steps()} == {"write": True, "show": False}
    assert "he input 'data' has other content (changed: c.csv)" in reason(again, "show")
