"""Pipelines as YAML against a real service: a run is saved, loaded and submitted again, and files written by hand run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.azureml_pipeline.test_yaml_round_trip import canonical

from azureml.core import Dataset, Experiment, Workspace
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Module, Pipeline, PipelineData, PipelineParameter, PipelineRun
from azureml.pipeline.core._document import to_document
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core.graph import InputPortDef, OutputPortDef
from azureml.pipeline.steps import CommandStep, ModuleStep, PythonScriptStep

COPY = """
import os, sys
source, target = sys.argv[1:3]
os.makedirs(target, exist_ok=True)
for folder, _, names in os.walk(source):
    for name in names:
        with open(os.path.join(folder, name)) as read, open(os.path.join(target, name), "w") as write:
            write.write(read.read() + os.environ.get("AML_PARAMETER_mark", ""))
"""
SHOW = """
import os, sys
for name in sorted(os.listdir(sys.argv[1])):
    print(name, open(os.path.join(sys.argv[1], name)).read(), *sys.argv[2:])
"""


@pytest.fixture
def folder(workspace: Workspace, scripts: Any, tmp_path: Path) -> str:
    """Two scripts; and data on the datastore, registered as 'raw'."""
    (tmp_path / "a.txt").write_text("one")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "a.txt")], target_path="raw", show_progress=False)
    Dataset.File.from_files((store, "raw")).register(workspace, "raw")
    return str(scripts(copy=COPY, show=SHOW))


def run_of(workspace: Workspace, pipeline: Pipeline, **more: Any) -> PipelineRun:
    run = Experiment(workspace, "yaml").submit(pipeline, **more)
    assert run.wait_for_completion(show_output=False) == "Finished"
    return run


def same(one: Graph, other: Graph) -> bool:
    return canonical(to_document(one)) == canonical(to_document(other))


def all_reused(run: PipelineRun) -> bool:
    return all(step.is_reused for step in run.get_steps())


def rich_pipeline(workspace: Workspace, folder: str) -> Pipeline:
    """Datasets, a data reference, a data path, outputs of three kinds, a command, and order without data."""
    store = workspace.get_default_datastore()
    raw = Dataset.get_by_name(workspace, "raw").as_named_input("raw").as_mount()
    plain = DataReference(store, "plain", "raw")
    place = (PipelineParameter("place", DataPath(store, "raw")), DataPathComputeBinding("mount"))
    mark = PipelineParameter("mark", "!")
    clean, more, last = (
        OutputFileDatasetConfig("clean").register_on_complete("clean"),
        PipelineData("more", is_directory=True),
        PipelineData("last"),
    )
    first = PythonScriptStep("copy.py", "first", [raw, clean], "local", params={"mark": mark}, source_directory=folder)
    second = PythonScriptStep(
        "copy.py", "second", [place, more, "output:more"], "local", inputs=[place, plain], outputs=[more], source_directory=folder
    )
    shown = PythonScriptStep(
        "show.py", "show", [clean.as_input("data").as_download(), mark], "local", inputs=[more], source_directory=folder
    )
    command = CommandStep(
        ["cat", plain, "> /dev/null; echo done >", last], "command", "local", inputs=[plain], outputs=[last], source_directory=folder
    )
    command.run_after(shown)
    return Pipeline(workspace, [shown, second, command, first], description="A rich one")


def test_a_run_is_saved_loaded_and_reused(workspace: Workspace, folder: str, tmp_path: Path) -> None:
    run = run_of(workspace, rich_pipeline(workspace, folder), pipeline_parameters={"mark": "?"})
    run.save(str(tmp_path))
    path = tmp_path / "pipeline.yml"
    loaded = Pipeline.load_yaml(workspace, str(path))
    assert same(loaded.graph, run.get_graph())
    assert loaded.graph.params["mark"].default_value == "?"
    assert same(loaded.graph, Pipeline.load_yaml(workspace, str(path)).graph)
    again = run_of(workspace, loaded)
    assert all_reused(again)
    assert again.get_steps()[0].name
    other = run_of(workspace, loaded, pipeline_parameters={"mark": "#"})
    assert other.find_step_run("show")[0].get_stdout_log().strip() == "a.txt one# #"


def test_a_saved_step_takes_its_folder_anew(workspace: Workspace, folder: str, tmp_path: Path) -> None:
    run = run_of(workspace, rich_pipeline(workspace, folder))
    run.save(str(tmp_path / "p.yml"))
    document = yaml.safe_load((tmp_path / "p.yml").read_text())
    (tmp_path / "edited").mkdir()
    (tmp_path / "edited" / "show.py").write_text("import sys; print('edited', *sys.argv[2:])")
    show = document["pipeline"]["steps"]["show"]
    del show["snapshot"]
    show["source_directory"] = "edited"
    (tmp_path / "p.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    again = run_of(workspace, Pipeline.load_yaml(workspace, str(tmp_path / "p.yml")))
    assert again.find_step_run("show")[0].get_stdout_log().strip() == "edited !"
    assert again.find_step_run("first")[0].is_reused


def test_a_snapshot_from_elsewhere_is_refused_in_words(workspace: Workspace, folder: str, tmp_path: Path) -> None:
    text = "pipeline: {steps: {a: {type: PythonScriptStep, script_name: a.py, compute: local, snapshot: %s}}}" % ("5f" * 32)
    (tmp_path / "p.yml").write_text(text)
    pipeline = Pipeline.load_yaml(workspace, str(tmp_path / "p.yml"))
    with pytest.raises(Exception, match=r"source folder of step 'a'.*source_directory"):
        Experiment(workspace, "yaml").submit(pipeline)


def test_a_file_by_hand_runs(workspace: Workspace, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.yml").write_text(
        """
pipeline:
  description: By hand
  default_compute: local
  parameters:
    mark: {type: string, default: "!"}
    place: {type: datapath, default: {datastore: workspaceblobstore, path_on_datastore: nowhere}}
  data_references:
    known: {dataset_name: raw}
  steps:
    show:
      python_script_step: {script_name: show.py, name: shown}
      inputs: {data: {source: copied, type: download}}
      arguments: [input:data, "yes"]
    copy:
      type: PythonScriptStep
      script_name: copy.py
      parameters: {mark: {source: mark}}
      inputs: {place: {source: place}, known: {source: known}}
      outputs: {out: {destination: copied, datastore: workspaceblobstore}}
      arguments: [input:place, output:out]
"""
    )
    monkeypatch.chdir(folder)
    pipeline = Pipeline.load_yaml(workspace, os.path.join(os.pardir, "p.yml"))
    assert pipeline.validate() == []
    place = DataPath(workspace.get_default_datastore(), "raw")
    run = run_of(workspace, pipeline, pipeline_parameters={"place": place, "mark": "+"})
    assert run.find_step_run("shown")[0].get_stdout_log().strip() == "a.txt one+ yes"
    run.save(str(tmp_path / "saved.yml"))
    assert all_reused(run_of(workspace, Pipeline.load_yaml(workspace, str(tmp_path / "saved.yml"))))


def test_module_steps_are_written_in_v1s_way(workspace: Workspace, folder: str, tmp_path: Path) -> None:
    module = Module.create(workspace, "copier", "Copies.")
    ports = (
        [InputPortDef("source", default_datastore_mode="mount")],
        [OutputPortDef("target", default_datastore_mode="mount", is_directory=True)],
    )
    module.publish_python_script(
        "copy.py", "first", *ports, params={"mark": "."}, version="1", source_directory=folder, arguments=[*ports[0], *ports[1]]
    )
    raw = Dataset.get_by_name(workspace, "raw").as_named_input("raw").as_mount()
    middle, end = PipelineData("middle"), PipelineData("end")
    first = ModuleStep(
        module,
        inputs_map={"source": raw},
        outputs_map={"target": middle},
        compute_target="local",
        params={"mark": PipelineParameter("m", "+")},
    )
    second = ModuleStep(
        module, version="1", inputs_map={"source": middle.as_download()}, outputs_map={"target": end}, compute_target="local"
    )
    show = PythonScriptStep("show.py", "show", [end], "local", inputs=[end], source_directory=folder)
    run = run_of(workspace, Pipeline(workspace, [first, second, show], description="modules"))
    run.save(str(tmp_path))
    said = yaml.safe_load((tmp_path / "pipeline.yml").read_text())["pipeline"]["steps"]
    assert [about["module"] for about in said.values() if "module" in about] == [{"id": module.id, "version": "1"}] * 2
    assert said["copier"]["parameters"] == {"mark": {"source": "m"}}
    assert said["copier"]["inputs"]["source"]["type"] == "mount"
    loaded = Pipeline.load_yaml(workspace, str(tmp_path / "pipeline.yml"))
    assert same(loaded.graph, run.get_graph())
    assert all_reused(run_of(workspace, loaded))

    (tmp_path / "hand.yml").write_text(
        f"""
pipeline:
  default_compute: local
  data_references: {{known: {{dataset_name: raw}}}}
  steps:
    Copy:
      module: {{name: copier}}
      inputs: {{source: {{source: known}}}}
      outputs: {{target: {{destination: copied}}}}
    Again:
      type: ModuleStep
      id: {module.id}
      version: 1
      parameters: {{mark: "#"}}
      inputs: {{source: {{source: copied}}}}
      outputs: {{target: {{destination: twice}}}}
      arguments: [input:source, output:target]
    show:
      type: PythonScriptStep
      script_name: show.py
      source_directory: {folder}
      inputs: {{data: {{source: twice}}}}
      arguments: [input:data]
"""
    )
    by_hand = run_of(workspace, Pipeline.load_yaml(workspace, str(tmp_path / "hand.yml")))
    assert {step.name for step in by_hand.get_steps()} == {"Copy", "Again", "show.py"}
    assert by_hand.find_step_run("show.py")[0].get_stdout_log().strip() == "a.txt one.#"
