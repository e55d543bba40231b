"""How v1 scripts move data: the idioms that nearly all of them use, each as they write it, against a real service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azureml.core import Dataset, Datastore, Experiment, Run, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, PipelineRun
from azureml.pipeline.steps import PythonScriptStep

# What every step below imports and prints into.
HEAD = """
import argparse, json, os, sys
from azureml.core import Dataset, Run

run = Run.get_context()
ws = run.experiment.workspace


def tell(**facts):
    print("TOLD " + json.dumps(facts))


"""


@pytest.fixture
def store(workspace: Workspace):
    """The default datastore, by the name that it has in scripts."""
    return workspace.get_default_datastore()


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    """Two small CSV files of ten rows together."""
    folder = tmp_path / "tables"
    folder.mkdir()
    for part in range(2):
        rows = "".join(f"{number},row {number}\n" for number in range(5 * part, 5 * part + 5))
        (folder / f"part{part}.csv").write_text("number,text\n" + rows)
    return sorted(str(path) for path in folder.iterdir())


def submit(workspace: Workspace, *steps: PythonScriptStep, **more: object) -> PipelineRun:
    """Run a pipeline to its end."""
    run = Experiment(workspace, "idioms").submit(Pipeline(workspace, steps=list(steps)), **more)
    assert run.wait_for_completion(show_output=False) == "Finished"
    return run


def told(run: PipelineRun, step: str) -> dict[str, object]:
    """Return what a step told."""
    (step_run,) = run.find_step_run(step)
    lines = [line[5:] for line in step_run.get_job_log().splitlines() if line.startswith("TOLD ")]
    return {name: value for line in lines for name, value in json.loads(line).items()}


def test_files_are_uploaded_and_registered_and_a_second_time_does_not_fail(workspace: Workspace, tables: list[str]):
    for _ in range(2):
        def_blob = workspace.get_default_datastore()
        def_blob.upload_files(tables, target_path="x", overwrite=True, show_progress=False)
        dataset = Dataset.Tabular.from_delimited_files(path=(def_blob, "x/*.csv"))
        registered = dataset.register(workspace, "n", create_new_version=True)
        assert (registered.name, registered.version) == ("n", 1)
    assert Dataset.get_by_name(workspace, "n").to_pandas_dataframe()["number"].tolist() == list(range(10))


def test_a_named_input_gives_the_script_the_same_rows(workspace: Workspace, store, tables: list[str], scripts):
    store.upload_files(tables, target_path="x", show_progress=False)
    dataset = Dataset.Tabular.from_delimited_files(path=(store, "x/*.csv"))
    read = """
frame = run.input_datasets["d"].to_pandas_dataframe()
by_id = Dataset.get_by_id(ws, sys.argv[2]).to_pandas_dataframe()
tell(rows=frame.to_dict("list"), same=frame.equals(by_id), columns=list(frame.columns))
"""
    given = dataset.as_named_input("d")
    step = PythonScriptStep("read.py", "read", ["--ds", given], "local", inputs=[given], source_directory=str(scripts(read=HEAD + read)))
    found = told(submit(workspace, step), "read")
    assert found["rows"] == dataset.to_pandas_dataframe().to_dict("list")
    assert found["same"]
    assert found["columns"] == ["number", "text"]


def test_a_mounted_file_is_a_file_and_a_mounted_folder_is_a_folder(workspace: Workspace, store, tables: list[str], scripts):
    store.upload_files(tables, target_path="x", show_progress=False)
    look = """
path = sys.argv[2]
tell(is_file=os.path.isfile(path), is_folder=os.path.isdir(path), names=sorted(os.listdir(path)) if os.path.isdir(path) else None)
tell(variable=os.environ["f"] == os.environ["F"] == os.environ["AZUREML_DATAREFERENCE_f"] == path)
"""
    folder = str(scripts(look=HEAD + look))
    sources = {"one": "x/part0.csv", "folder": "x", "pattern": "x/*0.csv"}
    steps = [
        PythonScriptStep(
            "look.py",
            name,
            ["--in", Dataset.File.from_files((store, path)).as_named_input("f").as_mount()],
            "local",
            source_directory=folder,
        )
        for name, path in sources.items()
    ]
    run = submit(workspace, *steps)
    assert told(run, "one") == {"is_file": True, "is_folder": False, "names": None, "variable": True}
    assert told(run, "folder") == {"is_file": False, "is_folder": True, "names": ["part0.csv", "part1.csv"], "variable": True}
    assert told(run, "pattern") == {"is_file": False, "is_folder": True, "names": ["part0.csv"], "variable": True}


def test_a_download_is_a_folder_that_may_be_written(workspace: Workspace, store, tables: list[str], scripts):
    store.upload_files(tables, target_path="x", show_progress=False)
    change = """
path = sys.argv[2]
tell(names=sorted(os.listdir(path)))
open(os.path.join(path, "part0.csv"), "w").write("changed")
"""
    given = Dataset.File.from_files((store, "x")).as_named_input("f").as_download()
    submit(
        workspace, PythonScriptStep("change.py", "change", ["--in", given], "local", source_directory=str(scripts(change=HEAD + change)))
    )
    assert Dataset.File.from_files((store, "x/part0.csv")).to_path() == ["/part0.csv"]
    assert Dataset.Tabular.from_delimited_files((store, "x")).to_pandas_dataframe().shape == (10, 2), "the source is as it was"


def test_an_output_is_registered_as_a_table_and_joins_two_steps(workspace: Workspace, store, scripts):
    write = """
with open(os.path.join(sys.argv[2], "made.csv"), "w") as file:
    file.write("a,b\\n1,x\\n2,y\\n")
"""
    read = 'tell(rows=run.input_datasets["i"].to_pandas_dataframe().to_dict("list"))'
    folder = str(scripts(write=HEAD + write, read=HEAD + read))
    out = OutputFileDatasetConfig(name="o", destination=(store, "p/{run-id}")).read_delimited_files().register_on_complete("reg")
    first = PythonScriptStep("write.py", "write", ["--out", out], "local", source_directory=folder)
    second = PythonScriptStep("read.py", "read", ["--in", out.as_input("i")], "local", source_directory=folder)
    pipeline = Pipeline(workspace, steps=[first, second])
    assert [edge.source_port.node.name for edge in pipeline.graph.edges] == ["write"]
    run = submit(workspace, first, second)
    assert told(run, "read") == {"rows": {"a": [1, 2], "b": ["x", "y"]}}
    registered = Dataset.get_by_name(workspace, "reg")
    assert registered.version == 1
    assert registered.to_pandas_dataframe().to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    (write_run,) = run.find_step_run("write")
    (path,) = Dataset.File.from_files((store, f"p/{write_run.id}")).to_path()
    assert path == "/made.csv"


def test_a_mounted_path_in_inputs_and_its_text_in_arguments(workspace: Workspace, store, tables: list[str], scripts):
    store.upload_files(tables, target_path="x", show_progress=False)
    data = store.path("x").as_mount()
    look = "tell(names=sorted(os.listdir(sys.argv[2])), inside=os.path.isfile(sys.argv[3]))"
    arguments = ["--in", str(data), f"{data}/part1.csv"]
    step = PythonScriptStep("look.py", "look", arguments, "local", inputs=[data], source_directory=str(scripts(look=HEAD + look)))
    assert isinstance(data, DataReference)
    assert told(submit(workspace, step), "look") == {"names": ["part0.csv", "part1.csv"], "inside": True}


def test_a_path_as_a_parameter_is_changed_at_submission(workspace: Workspace, store, tables: list[str], scripts):
    for number, path in enumerate(tables):
        store.upload_files([path], target_path=f"x{number}", show_progress=False)
    parameter = PipelineParameter("input_path", DataPath(store, "x0"))
    given = (parameter, DataPathComputeBinding(mode="mount"))
    look = "tell(names=sorted(os.listdir(sys.argv[2])))"
    step = PythonScriptStep("look.py", "look", ["--in", given], "local", inputs=[given], source_directory=str(scripts(look=HEAD + look)))
    assert told(submit(workspace, step), "look") == {"names": ["part0.csv"]}
    changed = submit(workspace, step, pipeline_parameters={"input_path": DataPath(store, "x1")})
    assert told(changed, "look") == {"names": ["part1.csv"]}


def test_a_dataset_as_a_parameter_is_changed_at_submission(workspace: Workspace, store, tables: list[str], scripts):
    store.upload_files(tables, target_path="x", show_progress=False)
    first, second = (Dataset.Tabular.from_delimited_files((store, f"x/part{number}.csv")) for number in range(2))
    parameter = PipelineParameter("table", first)
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

    given = DatasetConsumptionConfig("d", parameter)
    read = 'tell(numbers=run.input_datasets["d"].to_pandas_dataframe()["number"].tolist())'
    step = PythonScriptStep("read.py", "read", inputs=[given], compute_target="local", source_directory=str(scripts(read=HEAD + read)))
    assert told(submit(workspace, step), "read") == {"numbers": [0, 1, 2, 3, 4]}
    changed = submit(workspace, step, pipeline_parameters={"table": second})
    assert told(changed, "read") == {"numbers": [5, 6, 7, 8, 9]}


def test_an_intermediate_output_is_read_as_a_table(workspace: Workspace, store, scripts):
    write = """
os.makedirs(sys.argv[2], exist_ok=True)
with open(os.path.join(sys.argv[2], "made.csv"), "w") as file:
    file.write("a,b\\n1,x\\n2,y\\n")
"""
    read = 'tell(rows=run.input_datasets["made"].to_pandas_dataframe().to_dict("list"))'
    folder = str(scripts(write=HEAD + write, read=HEAD + read))
    made = PipelineData("made", datastore=store, is_directory=True).as_dataset().register("intermediate")
    first = PythonScriptStep("write.py", "write", ["--out", made], "local", outputs=[made], source_directory=folder)
    second = PythonScriptStep("read.py", "read", compute_target="local", inputs=[made.parse_delimited_files()], source_directory=folder)
    run = submit(workspace, first, second)
    assert told(run, "read") == {"rows": {"a": [1, 2], "b": ["x", "y"]}}
    assert Dataset.get_by_name(workspace, "intermediate").to_path() == ["/made.csv"]


def test_random_splits_and_first_rows_are_the_same_each_time(workspace: Workspace, store, tables: list[str]):
    store.upload_files(tables, target_path="x", show_progress=False)
    dataset = Dataset.Tabular.from_delimited_files((store, "x/*.csv"))
    splits = [[part.to_pandas_dataframe()["number"].tolist() for part in dataset.random_split(0.7, seed=1)] for _ in range(2)]
    assert splits[0] == splits[1]
    train, test = splits[0]
    assert sorted(train + test) == list(range(10))
    assert [dataset.take(5).to_pandas_dataframe()["number"].tolist() for _ in range(2)] == [[0, 1, 2, 3, 4]] * 2


def test_a_workspace_lists_what_it_has_by_name(workspace: Workspace, store, tables: list[str]):
    store.upload_files(tables, target_path="x", show_progress=False)
    Dataset.File.from_files((store, "x")).register(workspace, "files")
    configuration = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=1)
    ComputeTarget.create(workspace, "cpu", configuration).wait_for_completion(show_output=False)
    Experiment(workspace, "idioms").start_logging().complete()
    targets = {name: workspace.compute_targets[name] for name in workspace.compute_targets}
    assert {name: (target.name, target.type) for name, target in targets.items()} == {"cpu": ("cpu", "AmlCompute")}
    stores = {name: workspace.datastores[name] for name in workspace.datastores}
    assert {name: (one.name, one.datastore_type) for name, one in stores.items() if name == store.name} == {
        store.name: (store.name, "AzureBlob")
    }
    datasets = {name: workspace.datasets[name] for name in workspace.datasets}
    assert {name: (one.name, one.version) for name, one in datasets.items()} == {"files": ("files", 1)}
    assert list(workspace.datasets.keys()) == ["files"]
    for name in list(workspace.datasets.keys()):
        assert Dataset.get_by_name(workspace, name).version == 1
    assert list(workspace.experiments) == ["idioms"]
    assert len(workspace.models) == 0


def test_a_container_that_an_operator_redirects_is_used_by_the_script_as_it_stands(home: Path, scripts, tmp_path: Path):
    (home / "settings.json").write_text(json.dumps({"datastore_redirects": {"account/container": str(tmp_path / "mirror")}}))
    workspace = Workspace.get("testing", subscription_id="sub", resource_group="group")
    Datastore.register_azure_blob_container(workspace, "blobs", "container", account_name="account", account_key="a2V5")
    (tmp_path / "words.txt").write_text("some words")
    Datastore.get(workspace, "blobs").upload_files([str(tmp_path / "words.txt")], target_path="texts", show_progress=False)
    assert (tmp_path / "mirror" / "texts" / "words.txt").read_text() == "some words"
    read = "tell(text=open(sys.argv[2]).read())"
    given = Dataset.File.from_files((Datastore.get(workspace, "blobs"), "texts/words.txt")).as_named_input("f").as_mount()
    step = PythonScriptStep("read.py", "read", ["--in", given], "local", source_directory=str(scripts(read=HEAD + read)))
    assert told(submit(workspace, step), "read") == {"text": "some words"}


def test_what_a_run_read_and_wrote_is_told_from_both_ends(workspace: Workspace, store, tables: list[str], scripts):
    store.upload_files(tables, target_path="x", show_progress=False)
    source = Dataset.File.from_files((store, "x")).register(workspace, "source")
    out = OutputFileDatasetConfig("o", (store, "copies/{run-id}")).register_on_complete("copied")
    copy = "import shutil; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)"
    arguments = [source.as_named_input("f").as_mount(), out]
    step = PythonScriptStep("copy.py", "copy", arguments, "local", source_directory=str(scripts(copy=HEAD + copy)))
    run = submit(workspace, step)
    details = Run.get(workspace, run.find_step_run("copy")[0].id).get_details()
    assert [(item["dataset"].name, item["dataset"].version) for item in details["inputDatasets"]] == [("source", 1)]
    assert [(item["dataset"].name, item["dataset"].version) for item in details["outputDatasets"]] == [("copied", 1)]
    copied = Dataset.get_by_name(workspace, "copied")
    assert sorted(copied.to_path()) == ["/part0.csv", "/part1.csv"]
