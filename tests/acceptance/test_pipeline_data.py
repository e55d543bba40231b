"""Data through pipelines, as v1 scripts write it: datasets in every mode, dataset outputs, promoted PipelineData, parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azureml.core import Dataset, Datastore, Experiment
from azureml.data import LinkFileOutputDatasetConfig, LinkTabularOutputDatasetConfig, OutputFileDatasetConfig
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

# Prints what the script was given, what its environment says, and what it finds there.
SHOW = """
import json, os, sys
from azureml.core import Run
run = Run.get_context()
def tell(value):
    if isinstance(value, str):
        if os.path.isdir(value):
            below = [os.path.relpath(os.path.join(folder, name), value) for folder, _, names in os.walk(value) for name in names]
            return {"files": {name: open(os.path.join(value, name)).read() for name in sorted(below)}}
        return {"text": open(value).read()}
    rows = value.to_pandas_dataframe().to_dict("list") if hasattr(value, "to_pandas_dataframe") else None
    return {"type": type(value).__name__, "id": value.id, "paths": None if rows else value.to_path(), "rows": rows}
inputs = {name: tell(run.input_datasets[name]) for name in run.input_datasets}
print(json.dumps({"argv": sys.argv[1:], "inputs": inputs, "outputs": dict(run.output_datasets), "env": dict(os.environ)}))
"""
WRITE = """
import os, sys
folder, text = sys.argv[1:3]
assert os.path.isdir(folder), folder
open(os.path.join(folder, "a.csv"), "w").write(text.replace("|", chr(10)))
open(os.path.join(folder, "note.txt"), "w").write("note")
"""
MAKE = "import os, sys; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/a.csv', 'w').write('x,y\\n1,one\\n2,two\\n3,three\\n')"


@pytest.fixture
def store(workspace, tmp_path: Path):
    for name, text in {"in/a.csv": "x,y\n1,one\n2,two\n", "in/deep/b.csv": "x,y\n3,three\n", "other/c.csv": "x,y\n9,nine\n"}.items():
        (tmp_path / "up" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / name).write_text(text)
    store = workspace.get_default_datastore()
    store.upload(str(tmp_path / "up"), show_progress=False)
    return store


@pytest.fixture
def folder(scripts) -> str:
    return str(scripts(show=SHOW, write=WRITE, make=MAKE))


def step(script: str, folder: str, name: str = "", **members) -> PythonScriptStep:
    return PythonScriptStep(f"{script}.py", name or script, compute_target="local", source_directory=folder, **members)


def run(workspace, *steps, status: str = "Finished", **given):
    submitted = Experiment(workspace, "data").submit(Pipeline(workspace, list(steps)), **given)
    found = submitted.wait_for_completion(show_output=False, raise_on_error=False)
    errors = [(item.name, item.get_details().get("error")) for item in submitted.get_steps()]
    assert found == status, json.dumps(errors, indent=1)
    return submitted


def seen(submitted, name: str = "show") -> dict:
    (found,) = submitted.find_step_run(name)
    return json.loads(found.get_job_log().splitlines()[-1])


def error_of(submitted, name: str) -> str:
    return submitted.find_step_run(name)[0].get_details()["error"]["error"]["message"]


# Datasets as inputs


def test_files_in_each_mode(workspace, store, folder):
    files = Dataset.File.from_files((store, "in"))
    single = Dataset.File.from_files((store, "in/a.csv"))
    named = {
        "mounted": files.as_named_input("mounted").as_mount(),
        "copied": files.as_named_input("copied").as_download(),
        "placed": files.as_named_input("placed").as_download("here/it/is"),
        "direct": files.as_named_input("direct"),
        "one": single.as_named_input("one").as_mount(),
        "one_copied": single.as_named_input("one_copied").as_download(),
    }
    sight = seen(run(workspace, step("show", folder, arguments=list(named.values()))))
    values = dict(zip(named, sight["argv"], strict=True))
    everything = {"a.csv": "x,y\n1,one\n2,two\n", "deep/b.csv": "x,y\n3,three\n"}
    for name in ("mounted", "copied", "placed"):
        assert sight["inputs"][name] == {"files": everything}
    assert sight["inputs"]["one"] == {"text": everything["a.csv"]}, "the one file itself"
    assert sight["inputs"]["one_copied"] == {"files": {"a.csv": everything["a.csv"]}}, "a download is a folder"
    assert sight["inputs"]["direct"]["id"] == values["direct"] == files.id
    assert sight["inputs"]["direct"]["paths"] == ["/a.csv", "/deep/b.csv"]
    assert values["placed"].endswith("/here/it/is")
    for name, value in values.items():
        for variable in (name, name.upper(), f"AZUREML_DATAREFERENCE_{name}", f"AZURE_ML_INPUT_{name}"):
            assert sight["env"][variable] == value, variable
    assert "mounted:mount" in sight["env"]["AZUREML_DATASET_ENVIRONMENT_VARS"].split(",")


def test_tables(workspace, store, folder):
    table = Dataset.Tabular.from_delimited_files((store, "in/**/*.csv")).register(workspace, "rows")
    by_name = DatasetConsumptionConfig("by_name", (workspace, "rows"))
    by_version = DatasetConsumptionConfig("by_version", (workspace, "rows", 1))
    submitted = run(workspace, step("show", folder, inputs=[table.as_named_input("rows"), by_name], arguments=["--v", by_version]))
    sight = seen(submitted)
    for name in ("rows", "by_name", "by_version"):
        assert sight["inputs"][name]["type"] == "TabularDataset"
        assert sight["inputs"][name]["rows"] == {"x": [1, 2, 3], "y": ["one", "two", "three"]}
    assert sight["argv"] == ["--v", table.id]


def test_a_text_that_names_an_input(workspace, store, folder):
    files = Dataset.File.from_files((store, "in")).as_named_input("files").as_mount()
    sight = seen(run(workspace, step("show", folder, inputs=[files], arguments=[f"--in={files}", "$AZUREML_DATAREFERENCE_files/deep"])))
    place = sight["env"]["files"]
    assert sight["argv"] == [f"--in={place}", f"{place}/deep"]


def test_an_unchanged_input_is_reused_whatever_its_name(workspace, store, folder, tmp_path: Path):
    def reused() -> bool:
        files = Dataset.File.from_files((store, "in")).as_mount()  # its name is made anew each time
        out = OutputFileDatasetConfig(destination=(store, "made/{run-id}"))
        submitted = run(workspace, step("show", folder, arguments=[files, out]))
        return submitted.get_steps()[0].is_reused

    assert [reused(), reused()] == [False, True]
    (tmp_path / "b.csv").write_text("x,y\n4,four\n")
    store.upload_files([str(tmp_path / "b.csv")], target_path="in/deep", overwrite=True, show_progress=False)
    assert [reused(), reused()] == [False, True]


# Outputs


def test_an_output_with_a_destination(workspace, store, folder, tmp_path: Path):
    out = OutputFileDatasetConfig("out", (store, "results/{run-id}/{output-name}"))
    plain = OutputFileDatasetConfig("plain")
    make = step("write", folder, arguments=[out, "x|1"])
    also = step("write", folder, "also", arguments=[plain, "x|2"])
    show = step("show", folder, arguments=["--in", out.as_input("x"), plain.as_input("y").as_download()])
    submitted = run(workspace, make, also, show)
    sight = seen(submitted)
    assert sight["inputs"] == {
        "x": {"files": {"a.csv": "x\n1", "note.txt": "note"}},
        "y": {"files": {"a.csv": "x\n2", "note.txt": "note"}},
    }
    writer = submitted.find_step_run("write")[0]
    data = writer.get_output_data("out")
    assert (data.datastore_name, data.path_on_datastore) == (store.name, f"results/{writer.id}/out")
    assert data.download(str(tmp_path / "down")) == 2
    assert (tmp_path / "down" / data.path_on_datastore / "a.csv").read_text() == "x\n1"
    default = submitted.find_step_run("also")[0]
    assert default.get_output_data("plain").path_on_datastore == f"dataset/{default.id}/plain"


def test_what_the_script_is_told_of_its_outputs(workspace, store, folder):
    out = OutputFileDatasetConfig("out", (store, "told"))
    sight = seen(run(workspace, step("show", folder, arguments=[out, f"--to={out}/sub"])))
    place = sight["argv"][0]
    assert sight["argv"][1] == f"--to={place}/sub"
    assert sight["outputs"] == {"out": place}
    for variable in ("out", "AZUREML_DATAREFERENCE_out", "AZURE_ML_OUTPUT_out"):
        assert sight["env"][variable] == place
    assert sight["env"]["AZUREML_DATASET_FILE_OUTPUTS"] == "out"


def test_a_registered_output_appears_on_success_only(workspace, store, folder):
    table = (
        OutputFileDatasetConfig("out", (store, "p/{run-id}"))
        .read_delimited_files(path_glob=r"\.csv$")
        .register_on_complete("reg", "text", {"a": "b"})
    )
    (Path(folder) / "bad.py").write_text("import sys; open(sys.argv[1] + '/a.csv', 'w').write('x'); raise ValueError('no')")
    run(workspace, step("bad", folder, arguments=[table]), status="Failed")
    with pytest.raises(UserErrorException):
        Dataset.get_by_name(workspace, "reg")
    for version in (1, 2):
        submitted = run(workspace, step("write", folder, f"write{version}", arguments=[table, f"x,y|{version},v"], allow_reuse=False))
        found = Dataset.get_by_name(workspace, "reg")
        assert (found.version, found.description, found.tags) == (version, "text", {"a": "b"})
        assert found.to_pandas_dataframe().to_dict("list") == {"x": [version], "y": ["v"]}
    assert submitted.get_steps()[0].get_details()["outputDatasets"]


def test_rows_of_an_output_in_the_next_step(workspace, store, folder):
    out = OutputFileDatasetConfig("out")
    rows = out.read_delimited_files(path_glob=r"/a\.csv$")
    first, second = rows.random_split(0.5, seed=1)
    make = step("write", folder, arguments=[out, "x,y|" + "|".join(f"{number},n{number}" for number in range(200))])
    show = step("show", folder, inputs=[rows.keep_columns("x").as_input("kept"), first.as_input("first"), second.as_input("second")])
    sight = seen(run(workspace, make, show))["inputs"]
    assert sight["kept"]["rows"] == {"x": list(range(200))}
    parts = sight["first"]["rows"]["x"], sight["second"]["rows"]["x"]
    assert sorted(parts[0] + parts[1]) == list(range(200))
    assert all(50 < len(part) < 150 for part in parts)


def test_uploads(workspace, store, folder, tmp_path: Path):
    def out(overwrite: bool) -> OutputFileDatasetConfig:
        return OutputFileDatasetConfig("out", (store, "fixed")).as_upload(overwrite=overwrite, source_globs=["*.csv"])

    run(workspace, step("write", folder, arguments=[out(False), "x|1"]))
    assert store.download(str(tmp_path / "down"), "fixed", show_progress=False) == 1
    assert (tmp_path / "down/fixed/a.csv").read_text() == "x\n1"
    failed = run(workspace, step("write", folder, arguments=[out(False), "x|2"]), status="Failed")
    assert "fixed/a.csv" in error_of(failed, "write")
    run(workspace, step("write", folder, arguments=[out(True), "x|3"]))
    store.download(str(tmp_path / "down"), "fixed", overwrite=True, show_progress=False)
    assert (tmp_path / "down/fixed/a.csv").read_text() == "x\n3"


@pytest.mark.parametrize("mode", ["mount", "upload"])
@pytest.mark.parametrize("is_absolute", [True, False])
def test_the_folder_that_the_script_writes_can_be_chosen(workspace, store, folder, mode: str, is_absolute: bool, tmp_path: Path):
    source = tmp_path / "mine" if is_absolute else Path("made/here")
    out = OutputFileDatasetConfig("out", (store, "p"), source=str(source))
    submitted = run(workspace, step("write", folder, arguments=[out.as_upload() if mode == "upload" else out, "x"]))
    assert submitted.get_steps()[0].get_output_data("out").download(str(tmp_path / "down")) == 2


def test_links(workspace, store, folder):
    (Path(folder) / "link.py").write_text(
        "from azureml.core import Dataset, Run\n"
        "run = Run.get_context()\n"
        "store = run.experiment.workspace.get_default_datastore()\n"
        "try:\n    run.output_datasets['files'].link('text')\n"
        "except RuntimeError as error:\n    print(error)\n"
        "run.output_datasets['files'].link(Dataset.File.from_files((store, 'in')))\n"
        "run.output_datasets['rows'].link(Dataset.Tabular.from_delimited_files((store, 'other/c.csv')))\n"
    )
    files, rows = LinkFileOutputDatasetConfig("files"), LinkTabularOutputDatasetConfig("rows").register_on_complete("linked")
    link = step("link", folder, outputs=[files, rows])
    show = step("show", folder, arguments=[files.as_input("f")], inputs=[rows.as_input("r")])
    submitted = run(workspace, link, show)
    sight = seen(submitted)["inputs"]
    assert sorted(sight["f"]["files"]) == ["a.csv", "deep/b.csv"]
    assert sight["r"]["rows"] == {"x": [9], "y": ["nine"]}
    assert "not to a str" in submitted.find_step_run("link")[0].get_job_log()
    assert Dataset.get_by_name(workspace, "linked").to_pandas_dataframe()["y"].tolist() == ["nine"]


# PipelineData as datasets


def test_a_chain_of_promoted_data(workspace, store, folder):
    made = PipelineData("made", datastore=store, is_directory=True).as_dataset()
    make = step("make", folder, arguments=[made], outputs=[made.register("made-data")])
    first, second = made.parse_delimited_files().random_split(0.5, seed=2)
    show = step(
        "show",
        folder,
        arguments=[made],
        inputs=[
            made,
            made.as_named_input("direct").as_direct(),
            made.as_named_input("copy").as_download("there"),
            made.parse_delimited_files().drop_columns("y").as_named_input("rows"),
            first.as_named_input("first"),
            second.as_named_input("second"),
        ],
    )
    submitted = run(workspace, show)
    sight, text = seen(submitted), "x,y\n1,one\n2,two\n3,three\n"
    assert sight["inputs"]["made"] == sight["inputs"]["copy"] == {"files": {"a.csv": text}}
    assert sight["argv"] == [sight["env"]["made"]]
    assert sight["inputs"]["direct"]["paths"] == ["/a.csv"]
    assert sight["inputs"]["rows"]["rows"] == {"x": [1, 2, 3]}
    assert sorted(sight["inputs"]["first"]["rows"]["x"] + sight["inputs"]["second"]["rows"]["x"]) == [1, 2, 3]
    maker = submitted.find_step_run("make")[0]
    assert maker.get_output_data("made").path_on_datastore == f"azureml/{maker.id}/made"
    assert Dataset.get_by_name(workspace, "made-data").to_path() == ["/a.csv"]
    assert make.name == "make"


# Parameters


def test_a_dataset_parameter(workspace, store, folder):
    files = PipelineParameter("files", Dataset.File.from_files((store, "in")))
    rows = PipelineParameter("rows", Dataset.Tabular.from_delimited_files((store, "in/a.csv")))
    consumed = DatasetConsumptionConfig("f", files).as_mount()
    pipeline = Pipeline(workspace, [step("show", folder, arguments=[consumed], inputs=[DatasetConsumptionConfig("r", rows)])])

    def shown(**values) -> dict:
        submitted = Experiment(workspace, "data").submit(pipeline, pipeline_parameters=values)
        assert submitted.wait_for_completion(show_output=False) == "Finished"
        assert set(submitted.get_graph().params) == {"files", "rows"}
        return seen(submitted)["inputs"]

    assert sorted(shown()["f"]["files"]) == ["a.csv", "deep/b.csv"]
    other = shown(files=Dataset.File.from_files((store, "other")), rows=Dataset.Tabular.from_delimited_files((store, "other/c.csv")))
    assert sorted(other["f"]["files"]) == ["c.csv"]
    assert other["r"]["rows"] == {"x": [9], "y": ["nine"]}
    with pytest.raises(TypeError, match="FileDataset"):
        pipeline.submit("data", pipeline_parameters={"files": Dataset.Tabular.from_delimited_files((store, "in/a.csv"))})


def test_a_data_path_parameter(workspace, store, folder):
    place = (PipelineParameter("place", DataPath(store, "in", name="place")), DataPathComputeBinding("mount"))
    pipeline = Pipeline(workspace, [step("make", folder, "list", arguments=[place], inputs=[place])])
    (Path(folder) / "make.py").write_text("import os, sys; print(sorted(os.listdir(sys.argv[1])))")
    for value, names in (({}, "['a.csv', 'deep']"), ({"place": DataPath(store, "other")}, "['c.csv']")):
        submitted = Experiment(workspace, "data").submit(pipeline, pipeline_parameters=value)
        assert submitted.wait_for_completion(show_output=False) == "Finished"
        assert submitted.find_step_run("list")[0].get_job_log() == names + "\n"


# Files that are written from a table


def test_files_written_from_a_table(workspace, store, folder):
    table = Dataset.Tabular.from_delimited_files((store, "in/**/*.csv"))
    files = table.filter(table["x"] > 1).to_csv_files()
    sight = seen(run(workspace, step("show", folder, arguments=[files.as_named_input("csv").as_mount()])))
    (text,) = ["".join(sight["inputs"]["csv"]["files"].values())]
    assert "two" in text
    assert "three" in text
    assert "one" not in text


# The rest of the way of a name


def test_a_script_may_do_without_its_imports(workspace, store, folder):
    (Path(folder) / "lazy.py").write_text("argparse.ArgumentParser(); logging.getLogger(); print(os.sep, sys.argv[0])")
    submitted = run(workspace, step("lazy", folder))
    assert submitted.find_step_run("lazy")[0].get_job_log() == "/ lazy.py\n"


@pytest.mark.parametrize("kind", ["azurite", "s3_server"])
def test_data_on_a_remote_store(workspace, folder, kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    server = request.getfixturevalue(kind)
    if kind == "azurite":
        about = {"endpoint": server.endpoint, "account_key": server.account_key}
        far = Datastore.register_azure_blob_container(workspace, "far", server.new_container(), server.account_name, **about)
    else:
        about = {"endpoint_url": server.endpoint, "access_key_id": server.key, "secret_access_key": server.secret}
        far = Datastore.register_s3(workspace, "far", server.new_bucket(), **about)
    made, beside = PipelineData("made", datastore=far).as_dataset(), PipelineData("made2", datastore=far)
    (Path(folder) / "both.py").write_text(MAKE + "; open(sys.argv[2], 'w').write('beside')")
    make = step("both", folder, "make", arguments=[made, beside], outputs=[made, beside])
    show = step("show", folder, arguments=[made], inputs=[made, made.as_named_input("direct").as_direct()])
    submitted = run(workspace, show)
    sight = seen(submitted)
    assert sight["inputs"]["made"] == {"files": {"a.csv": "x,y\n1,one\n2,two\n3,three\n"}}
    assert sight["inputs"]["direct"]["paths"] == ["/a.csv"]
    data = submitted.find_step_run("make")[0].get_output_data("made")
    assert (data.datastore_name, data.path_on_datastore) == ("far", f"azureml/{submitted.find_step_run('make')[0].id}/made")
    assert data.download(str(tmp_path / "down"), show_progress=True) == 1, "made2 only begins with the same letters"
    assert data.download(str(tmp_path / "down")) == 0, "what is there is kept"
    assert data.download(str(tmp_path / "down"), overwrite=True) == 1
    assert [path.name for path in (tmp_path / "down").rglob("*") if path.is_file()] == ["a.csv"]
    assert make.name == "make"
    later = step(
        "show", folder, "later", arguments=[data.as_download(path_on_compute="copy")], inputs=[data.as_download(path_on_compute="copy")]
    )
    assert seen(run(workspace, later), "later")["argv"][0].endswith("/copy")
