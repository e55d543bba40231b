"""What a script's run reads and writes: datasets, data references, outputs, variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from azureml.core import Dataset, Experiment, Run, RunConfiguration, ScriptRunConfig
from azureml.core.runconfig import Data, DataLocation, DataPath, DataReferenceConfiguration, OutputData
from azureml.core.runconfig import Dataset as DatasetSection
from azureml.data import OutputFileDatasetConfig
from azureml.data.datapath import DataPath as Place
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import PipelineData, PipelineParameter

SAVE = """
import json, os, sys
from azureml.core import Run
found = {"argv": sys.argv[1:], "env": dict(os.environ)}
look = lambda path: sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read()
found["there"] = {path: look(path) for path in sys.argv[1:] if os.path.exists(path)}
with open("outputs/found.json", "w") as file:
    json.dump(found, file)
"""


@pytest.fixture
def store(workspace, tmp_path):
    """The default datastore with a few files."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "rows.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "in" / "note.txt").write_text("a note")
    store = workspace.get_default_datastore()
    store.upload(str(tmp_path / "in"), "given", show_progress=False)
    return store


@pytest.fixture
def experiment(workspace):
    return Experiment(workspace, "data")


def run_to_its_end(experiment, config: ScriptRunConfig) -> Run:
    run = experiment.submit(config)
    run.wait_for_completion()
    return run


def found_by(run: Run, tmp_path: Path) -> dict:
    import json

    run.download_file("outputs/found.json", str(tmp_path / "found.json"))
    return dict(json.loads((tmp_path / "found.json").read_text()))


def test_datasets_as_arguments(experiment, scripts, workspace, store, tmp_path):
    table = Dataset.Tabular.from_delimited_files((store, "given/rows.csv")).register(workspace, "rows")
    files = Dataset.File.from_files((store, "given"))
    one = Dataset.File.from_files((store, "given/note.txt"))
    arguments = [
        table.as_named_input("table"),
        files.as_named_input("files").as_mount(),
        one.as_named_input("one").as_mount(),
        one.as_named_input("copy").as_download(),
    ]
    run = run_to_its_end(experiment, ScriptRunConfig(str(scripts(save=SAVE)), "save.py", arguments))
    found = found_by(run, tmp_path)
    direct, folder, file, copy = found["argv"]
    assert Dataset.get_by_id(workspace, direct).to_pandas_dataframe().shape == (2, 2)
    assert found["there"] == {folder: ["note.txt", "rows.csv"], file: "a note", copy: ["note.txt"]}
    assert (found["env"]["table"], found["env"]["files"], found["env"]["FILES"]) == (direct, folder, folder)
    details = run.get_details()
    assert details["runDefinition"]["arguments"] == [str(item) for item in arguments]
    modes = {name: item["mechanism"] for name, item in details["runDefinition"]["data"].items()}
    assert modes == {"table": "Direct", "files": "Mount", "one": "Mount", "copy": "Download"}
    used = {use["consumptionDetails"]["inputName"]: use["dataset"].id for use in details["inputDatasets"]}
    assert used["table"] == table.id
    assert set(used) == {"table", "files", "one", "copy"}


def test_datasets_by_name_in_the_script(experiment, scripts, workspace, store):
    table = Dataset.Tabular.from_delimited_files((store, "given/rows.csv"))
    source = """
from azureml.core import Run
run = Run.get_context()
print(sorted(run.input_datasets), run.input_datasets["rows"].to_pandas_dataframe()["y"].sum(), run.output_datasets["out"])
"""
    config = ScriptRunConfig(str(scripts(read=source)), "read.py")
    config.run_config.data = {"rows": table.as_named_input("rows")}
    config.run_config.output_data = {"out": OutputFileDatasetConfig("out")}
    run = run_to_its_end(experiment, config)
    assert run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"].startswith("['rows'] 6 /")


def test_outputs_become_datasets(experiment, scripts, workspace, store, tmp_path):
    source = "import sys\nfor path in sys.argv[1:]:\n    open(path + '/a.csv', 'w').write('x\\n1\\n2\\n')\n"
    made = OutputFileDatasetConfig("made", destination=(store, "made/{run-id}")).register_on_complete("made-files", tags={"a": "b"})
    rows = OutputFileDatasetConfig("rows").as_upload().read_delimited_files().register_on_complete("made-rows")
    run = run_to_its_end(experiment, ScriptRunConfig(str(scripts(make=source)), "make.py", [made, rows]))
    files = Dataset.get_by_name(workspace, "made-files")
    assert (files.to_path(), files.tags) == (["/a.csv"], {"a": "b"})
    assert Dataset.get_by_name(workspace, "made-rows").to_pandas_dataframe()["x"].tolist() == [1, 2]
    store.download(str(tmp_path / "back"), prefix=f"made/{run.id}", show_progress=False)
    assert (tmp_path / "back" / "made" / run.id / "a.csv").exists()
    outputs = {use["outputDetails"]["outputName"]: use["dataset"].name for use in run.get_details()["outputDatasets"]}
    assert outputs == {"made": "made-files", "rows": "made-rows"}


def test_a_failed_script_registers_nothing(experiment, scripts, workspace):
    source = "import sys; open(sys.argv[1] + '/half', 'w').write('x'); sys.exit(1)"
    out = OutputFileDatasetConfig("out").register_on_complete("half")
    run = experiment.submit(ScriptRunConfig(str(scripts(fail=source)), "fail.py", [out]))
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"
    assert "half" not in Dataset.get_all(workspace)


def test_data_references(experiment, scripts, store, tmp_path):
    mounted, copied = store.path("given").as_mount(), store.path("given/note.txt").as_download()
    written = store.path("written").as_upload(path_on_compute="leave/here", overwrite=True)
    source = SAVE + "\nopen('leave/here/result.txt', 'w').write('done')\n"
    config = ScriptRunConfig(str(scripts(save=source)), "save.py", ["--a", str(mounted), copied, "--x=" + str(mounted) + "/note.txt"])
    config.run_config.data_references = {item.data_reference_name: item.to_config() for item in (mounted, written)}
    run = run_to_its_end(experiment, config)
    found = found_by(run, tmp_path)
    _, folder, file, option = found["argv"]
    assert found["there"][folder] == ["note.txt", "rows.csv"]
    assert Path(option.partition("=")[2]).read_text() == "a note"
    assert found["env"][f"AZUREML_DATAREFERENCE_{mounted.data_reference_name}"] == folder
    assert file in found["there"]
    store.download(str(tmp_path / "back"), prefix="written", show_progress=False)
    assert (tmp_path / "back" / "written" / "result.txt").read_text() == "done"
    modes = {item["mode"] for item in run.get_details()["runDefinition"]["dataReferences"].values()}
    assert modes == {"Mount", "Upload", "Download"}


def test_what_a_run_configuration_file_says(experiment, scripts, workspace, store, tmp_path):
    table = Dataset.Tabular.from_delimited_files((store, "given/rows.csv")).register(workspace, "rows")
    run_config = RunConfiguration()
    run_config.data_references = {"ref": DataReferenceConfiguration(store.name, "mount", "given")}
    run_config.data = {
        "by_id": Data(DataLocation(dataset=DatasetSection(dataset_id=table.id))),
        "by_name": Data(DataLocation(dataset=DatasetSection(dataset_name="rows", dataset_version="1"))),
        "by_place": Data(DataLocation(data_path=DataPath(store.name, "given/note.txt")), mechanism="Mount"),
    }
    run_config.output_data = {"out": OutputData(DataLocation(data_path=DataPath(store.name, "section/{run-id}")), mechanism="Mount")}
    run_config.save(str(tmp_path / "saved.runconfig"))
    (tmp_path / "conda_dependencies.yml").touch()
    read = RunConfiguration.load(str(tmp_path / "saved.runconfig"))
    line = ["$AZUREML_DATAREFERENCE_ref", "$AZUREML_DATAREFERENCE_by_place", "$AZUREML_DATAREFERENCE_out"]
    source = SAVE + "\nopen(sys.argv[3] + '/made', 'w').write('x')\n"
    run = run_to_its_end(experiment, ScriptRunConfig(str(scripts(save=source)), "save.py", line, run_config=read))
    found = found_by(run, tmp_path)
    assert found["there"][found["argv"][0]] == ["note.txt", "rows.csv"]
    assert found["there"][found["argv"][1]] == "a note"
    assert found["env"]["by_id"] == found["env"]["by_name"] == table.id
    store.download(str(tmp_path / "back"), prefix=f"section/{run.id}", show_progress=False)
    assert (tmp_path / "back" / "section" / run.id / "made").exists()


def test_resuming_from_an_earlier_run(experiment, scripts, store, tmp_path):
    config = ScriptRunConfig(str(scripts(save=SAVE)), "save.py", ["--epochs", 1], resume_from=Place(store, "given"))
    found = found_by(run_to_its_end(experiment, config), tmp_path)
    assert found["argv"][:3] == ["--epochs", "1", "--resume-from"]
    assert found["there"][found["argv"][3]] == ["note.txt", "rows.csv"]


def test_variables(experiment, scripts, workspace, tmp_path):
    config = ScriptRunConfig(str(scripts(save=SAVE)), "save.py")
    config.run_config.environment_variables = {"MINE": "yes", "NUMBER": 3}
    config.run_config.environment.environment_variables = {"OF_THE_ENVIRONMENT": "too"}
    run = run_to_its_end(experiment, config)
    env = found_by(run, tmp_path)["env"]
    assert (env["MINE"], env["NUMBER"], env["OF_THE_ENVIRONMENT"]) == ("yes", "3", "too")
    assert (env["AZUREML_RUN_ID"], env["AZUREML_ROOT_RUN_ID"], env["AZUREML_ARM_PROJECT_NAME"]) == (run.id, run.id, "data")
    assert "AZUREML_PARENT_RUN_ID" not in env


def test_what_belongs_to_pipelines_is_refused_by_its_place(experiment, scripts, workspace, store):
    folder = str(scripts(save=SAVE))
    table = Dataset.Tabular.from_delimited_files((store, "given/rows.csv"))
    for item, words in (
        (None, r"None as arguments\[1\]"),
        (PipelineData("out", datastore=store), r"a PipelineData as arguments\[1\].*OutputFileDatasetConfig"),
        (PipelineParameter("rate", 1), r"a PipelineParameter as arguments\[1\]"),
        (OutputFileDatasetConfig("out").as_input("again"), "reads the output of another script"),
    ):
        with pytest.raises(UserErrorException, match=words):
            experiment.submit(ScriptRunConfig(folder, "save.py", ["--x", item]))
    with pytest.raises(UserErrorException, match="as_named_input"):
        ScriptRunConfig(folder, "save.py", [table])
    config = ScriptRunConfig(folder, "save.py")
    config.run_config.data = {"files": Dataset.File.from_files((store, "given")).as_named_input("files").as_hdfs()}
    with pytest.raises(UserErrorException, match="hdfs"):
        experiment.submit(config)
    config.run_config.data = {"empty": Data()}
    with pytest.raises(UserErrorException, match="nothing to read"):
        experiment.submit(config)
    config.run_config.data = {"table": table}
    with pytest.raises(UserErrorException, match="as_named_input"):
        experiment.submit(config)
    assert list(experiment.get_runs()) == []
