"""Pipelines written by hand as YAML: v1's keys, its deprecated spellings, and what is wrong with a file."""

from __future__ import annotations

import contextlib
import copy
import re
import textwrap
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Tuple

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azureml.core import Dataset
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline, PipelineParameter
from azureml.pipeline.core._document import to_document
from penstock.model.graph import Argument, PipelineGraph, StepParameter

Load = Callable[[str], Pipeline]


@pytest.fixture
def load(workspace: Any, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads the pipeline of a text, as from a folder with the scripts in it."""
    from azureml.exceptions import UserErrorException

    def get(asked: Any, name: str) -> Any:
        if name != "workspaceblobstore":
            raise UserErrorException(f"There is no datastore '{name}'.")
        return workspace.store

    monkeypatch.setattr("azureml.core.datastore.Datastore.get", staticmethod(get))
    monkeypatch.chdir(source)

    def load_text(text: str) -> Pipeline:
        path = tmp_path / "pipeline.yml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return Pipeline.load_yaml(workspace, str(path))

    return load_text


def graph_of(pipeline: Pipeline) -> PipelineGraph:
    assert pipeline.validate() == []
    return to_document(pipeline.graph)


WHOLE = """
pipeline:
  description: titanic
  name: deprecated
  default_compute: cpu-cluster
  an_unknown_key: ignored
  parameters:
    NumIter: {type: int, default: 20}
    Rate: {type: float}
    Label: {type: string, default: 7}
    Fast: {type: bool, default: true}
    InFolder: {type: datapath, default: {datastore: workspaceblobstore, path_on_datastore: a/b, name: folder}}
  data_references:
    raw: {datastore: workspaceblobstore, path_on_datastore: in}
  steps:
    Last:
      type: PythonScriptStep
      script_name: train.py
      compute: gpu
      version: 2
      allow_reuse: false
      inputs:
        clean: {source: cleaned, bind_mode: download, path_on_compute: here, overwrite: true}
    First:
      type: PythonScriptStep
      name: Prepare
      script_name: prep.py
      parameters:
        iterations: {source: NumIter}
        rate: {source: Rate}
        label: {source: Label}
        fast: {source: Fast}
        seed: 3
      runconfig_parameters: {NodeCount: {source: NumIter2}}
      inputs:
        raw: {source: raw, type: download}
        folder: {source: InFolder}
      outputs:
        out: {destination: cleaned, datastore: workspaceblobstore}
      arguments: [--raw, input:raw, --out, output:out, --n, parameter:iterations, input:nothing, 5, "yes"]
"""


def test_all_keys_of_a_script_step(load: Load, source: str) -> None:
    text = WHOLE.replace("    Rate: {type: float}", "    Rate: {type: float}\n    NumIter2: {type: int, default: 2}")
    pipeline = load(text)
    graph = graph_of(pipeline)
    assert graph.name == "titanic"
    assert [(item.name, item.kind, item.default) for item in graph.parameters if item.kind != "datapath"] == [
        ("NumIter", "int", 20),
        ("Rate", "float", 0.0),
        ("NumIter2", "int", 2),
        ("Label", "str", "7"),
        ("Fast", "bool", True),
    ]
    last, first = graph.steps
    assert (last.name, last.script, last.version, last.allow_reuse) == ("train.py", "train.py", "2", False)
    assert (last.compute.name if last.compute else None) == "gpu"
    (clean,) = last.inputs
    assert (clean.mode, clean.path_on_compute, clean.overwrite) == ("download", "here", True)
    assert (clean.source.node_id, clean.source.port) == (first.id, "out")
    assert (first.name, first.compute.name if first.compute else None) == ("Prepare", "cpu-cluster")
    assert first.run_config_parameters == {"NodeCount": "NumIter2"}
    assert StepParameter("iterations", pipeline_parameter="NumIter") in first.parameters
    assert StepParameter("seed", 3) in first.parameters
    kinds = [(item.kind, item.value) for item in first.arguments]
    assert kinds == [
        ("literal", "--raw"),
        ("input", "raw"),
        ("literal", "--out"),
        ("output", "out"),
        ("literal", "--n"),
        ("parameter", "iterations"),
        ("literal", "input:nothing"),
        ("literal", "5"),
        ("literal", "yes"),
    ]
    assert [port.mode for port in first.inputs] == ["download", "mount"]
    raw, folder = graph.data
    assert (raw.name, raw.datastore, raw.path, raw.parameter) == ("raw", "workspaceblobstore", "in", None)
    assert (folder.path, folder.parameter) == ("a/b", "InFolder")


def test_nulls_and_the_deprecated_spelling(load: Load) -> None:
    graph = graph_of(
        load(
            """
            pipeline:
              name: old
              parameters: ~
              data_references:
              steps:
                Train:
                  python_script_step: {script_name: train.py, name: Trains, allow_reuse: false, source_directory: .}
                  compute: cpu-cluster
                  inputs:
                  outputs: ~
                  parameters:
                  arguments:
            """
        )
    )
    (step,) = graph.steps
    assert (graph.name, step.name, step.script, step.allow_reuse) == ("old", "Trains", "train.py", False)


def test_parameters_that_no_step_uses_are_none_of_the_pipeline(load: Load) -> None:
    text = "pipeline: {parameters: {a: {type: int}}, steps: {s: {type: PythonScriptStep, script_name: prep.py, compute: local}}}"
    assert load(text).graph.params == {}


def test_values_that_yaml_would_turn_round(load: Load) -> None:
    graph = graph_of(
        load(
            """
            pipeline:
              parameters:
                day: {type: string, default: 2020-01-31}
                answer: {type: string, default: yes}
                rate: {type: float, default: 1e-3}
              steps:
                s:
                  type: PythonScriptStep
                  script_name: prep.py
                  compute: local
                  parameters: {d: {source: day}, a: {source: answer}, r: {source: rate}, at: 12:30, off: no}
            """
        )
    )
    assert {item.name: item.default for item in graph.parameters} == {"day": "2020-01-31", "answer": "yes", "rate": 0.001}
    assert {item.name: item.value for item in graph.steps[0].parameters if item.value is not None} == {"at": "12:30", "off": "no"}


def test_a_quoted_false_is_true_and_warned_of(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    load("pipeline: {parameters: {a: {type: bool, default: 'false'}}, steps: {}}")
    assert "counts as true" in caplog.text


def test_run_configurations_from_files_and_in_place(load: Load, source: str, tmp_path: Path) -> None:
    (tmp_path / "my.runconfig").write_text("framework: Python\nnodeCount: 4\ntarget: gpu\n", "utf-8")
    graph = graph_of(
        load(
            r"""
            pipeline:
              steps:
                a: {type: PythonScriptStep, script_name: prep.py, runconfig: '.\my.runconfig'}
                b: {type: PythonScriptStep, script_name: prep.py, compute: local, runconfig: {nodeCount: 2, environmentVariables: {A: b}}}
            """
        )
    )
    first, second = graph.steps
    assert (first.run_config["nodeCount"], first.compute.name if first.compute else None) == (4, "gpu")
    assert (second.run_config["nodeCount"], second.run_config["environmentVariables"]) == (2, {"A": "b"})


def test_datasets_and_promoted_data(load: Load, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "titanic": Dataset.File.from_files((workspace.store, "titanic"), validate=False),
        "rows": Dataset.Tabular.from_delimited_files((workspace.store, "rows.csv"), validate=False),
    }
    monkeypatch.setattr(Dataset, "get_by_name", staticmethod(lambda workspace, name, version: known[name]))
    monkeypatch.setattr(Dataset, "get_by_id", staticmethod(lambda workspace, id: known[id]))
    graph = graph_of(
        load(
            """
            pipeline:
              parameters: {data: {type: dataset, default: {dataset_name: titanic}}}
              data_references:
                files: {dataset_name: titanic, dataset_id: not asked for}
                table: {dataset_id: rows}
                copied: {dataset_name: titanic, bind_mode: download}
              steps:
                a:
                  type: PythonScriptStep
                  script_name: prep.py
                  compute: local
                  inputs: {f: {source: files}, t: {source: table}, d: {source: data, bind_mode: download}, c: {source: copied}}
                  outputs: {out: {destination: made, as_dataset: true}}
                  arguments: [input:f]
                b:
                  type: PythonScriptStep
                  script_name: prep.py
                  compute: local
                  inputs: {i: {source: made, bind_mode: download, path_on_compute: x}, j: {source: made}}
            """
        )
    )
    first, second = graph.steps
    assert [(port.name, port.mode, port.dataset) for port in first.inputs] == [
        ("f", "mount", {}),
        ("t", "direct", {}),
        ("d", "download", {}),
        ("c", "download", {}),
    ]
    assert [item.parameter for item in graph.data] == [None, None, "data", None]
    assert first.outputs[0].dataset == {}
    assert first.arguments == (Argument("input", "f"),)
    assert [(port.name, port.mode, port.path_on_compute) for port in second.inputs] == [("i", "download", "x"), ("j", "mount", None)]


def test_our_own_keys_can_be_written_by_hand(load: Load) -> None:
    graph = graph_of(
        load(
            """
            pipeline:
              steps:
                a:
                  type: PythonScriptStep
                  script_name: prep.py
                  compute: local
                  outputs:
                    out:
                      destination: made
                      bind_mode: upload
                      pipeline_output_name: result
                      path_on_datastore: clean/{run-id}
                      registration: {name: clean, tags: {n: 1}}
                b:
                  type: PythonScriptStep
                  script_name: train.py
                  compute: local
                  run_after: [a]
            """
        )
    )
    first, second = graph.steps
    (out,) = first.outputs
    assert (out.destination, out.pipeline_output_name, out.mode) == ("clean/{run-id}", "result", "upload")
    assert out.registration is not None
    assert (out.registration.name, out.registration.tags) == ("clean", {"n": "1"})
    assert second.run_after == (first.id,)


def test_a_saved_step_beside_one_by_hand(load: Load) -> None:
    graph = graph_of(
        load(
            """
            pipeline:
              data_references: {raw: {datastore: workspaceblobstore, path_on_datastore: in}}
              default_compute: cpu-cluster
              steps:
                saved:
                  type: PythonScriptStep
                  script_name: gone.py
                  snapshot: 5f5f
                  runconfig: {}
                  inputs: {raw: {source: raw}, late: {source: hand}}
                  outputs: {out: {destination: saved_out, datastore: workspaceblobstore}}
                again:
                  type: PythonScriptStep
                  script_name: prep.py
                  snapshot:
                  source_directory: .
                hand:
                  type: PythonScriptStep
                  script_name: train.py
                  inputs: {i: {source: saved_out}, raw: {source: raw}}
                  outputs: {o: {destination: hand2}}
                  run_after: [again]
                third:
                  type: PythonScriptStep
                  script_name: train.py
                  outputs: {o: {destination: hand}}
            """
        )
    )
    saved, again, hand, third = graph.steps
    assert (saved.snapshot, saved.name, saved.compute.type if saved.compute else None) == ("5f5f", "saved", "AmlCompute")
    assert [port.source.node_id for port in saved.inputs][1] == third.id
    assert hand.inputs[0].source.node_id == saved.id
    assert hand.run_after == (again.id,)


# Other types


class Elsewhere:
    """A compute target of a cloud service."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.type = name, kind


@pytest.fixture
def step_of(load: Load, workspace: Any) -> Callable[[str], Any]:
    """Loads one step; the file has two places on a datastore, and the workspace a target of each cloud service."""
    for name, kind in (("adf", "DataFactory"), ("dbr", "Databricks"), ("batch", "AzureBatch"), ("adla", "DataLakeAnalytics")):
        workspace.compute_targets[name] = Elsewhere(name, kind)
    head = """\
pipeline:
  parameters: {count: {type: int, default: 2}}
  data_references:
    raw: {datastore: workspaceblobstore, path_on_datastore: in}
    to: {datastore: workspaceblobstore, path_on_datastore: out}
    rows: {datastore: workspaceblobstore, sql_query: select 1}
  steps:
    Key:
"""

    def load_step(text: str) -> Any:
        (step,) = to_document(load(head + textwrap.indent(textwrap.dedent(text), " " * 6)).graph).steps
        return step

    return load_step


@pytest.mark.parametrize("spelled", ["{source: raw}", "{from: {source: raw}}", "{from: {source: rows}}"])
@pytest.mark.parametrize("kind", ["type: DataTransferStep", "data_transfer_step: {}"])
def test_data_transfer(step_of: Any, spelled: str, kind: str) -> None:
    step = step_of(
        f"""
        {kind}
        name: copy
        compute: adf
        source_data_reference: {spelled}
        destination_data_reference: {{dest: {{source: to}}}}
        source_reference_type: directory
        allow_reuse: false
        """
    )
    assert (step.step_type, step.name, step.allow_reuse) == ("DataTransferStep", "copy", False)
    assert step.settings["source_reference_type"] == "directory"
    assert [port.name for port in step.inputs][1] == "dest"


def test_data_transfer_names_one_piece_of_data(step_of: Any) -> None:
    with pytest.raises(ValueError, match=r"'source_data_reference' must name one piece of data, .*; it names 2"):
        step_of("{type: DataTransferStep, compute: adf, source_data_reference: {a: {source: raw}, b: {source: to}}}")


def test_databricks(step_of: Any) -> None:
    step = step_of(
        """
        type: DatabricksStep
        name: spark
        compute: dbr
        run_name: nightly
        num_workers: 2
        spark_conf: {a: b}
        notebook_path: /Users/me/note
        notebook_params: {n: 1}
        timeout_seconds: 60
        inputs: {raw: {source: raw}}
        outputs: {out: {destination: done, datastore: workspaceblobstore}}
        """
    )
    assert (step.step_type, step.name) == ("DatabricksStep", "spark")
    wanted = {"run_name": "nightly", "num_workers": 2, "notebook_path": "/Users/me/note", "timeout_seconds": 60, "spark_conf": {"a": "b"}}
    assert wanted.items() <= step.settings.items()


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("num_workers: two", r"'num_workers' must be a whole number, not 'two' \(str\)\. It is a key of DatabricksStep"),
        ("run_name: 3", "'run_name' must be a text"),
        ("spark_conf: [a]", "'spark_conf' must be a mapping"),
        ("pypi_libraries: [a]", "'pypi_libraries' can't stand in a file"),
        ("maven_libraries: [a]", "'maven_libraries' can't stand in a file"),
    ],
)
def test_what_databricks_steps_do_not_take(step_of: Any, member: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        step_of(f"{{type: DatabricksStep, compute: dbr, notebook_path: /x, {member}}}")


@pytest.mark.parametrize("word", ["true", "'True'"])
def test_a_cluster_may_be_started_again(step_of: Any, word: str) -> None:
    text = f"{{type: DatabricksStep, compute: dbr, notebook_path: /x, existing_cluster_id: c, permit_cluster_restart: {word}}}"
    assert step_of(text).settings["permit_cluster_restart"] is True


def test_azure_batch(step_of: Any) -> None:
    step = step_of(
        """
        azurebatch_step: {name: task}
        compute: batch
        executable: run.cmd
        pool_id: pool
        target_compute_nodes: 3
        create_pool: true
        source_directory: .
        inputs: {raw: {source: raw}}
        arguments: [input:raw, -x]
        """
    )
    assert (step.step_type, step.name) == ("AzureBatchStep", "task")
    assert {"executable": "run.cmd", "pool_id": "pool", "target_compute_nodes": 3, "create_pool": True}.items() <= step.settings.items()
    assert step.arguments == (Argument("input", "raw"), Argument("literal", "-x"))


def test_adla(step_of: Any, source: str) -> None:
    (Path(source) / "job.usql").write_text("@@raw@@", "utf-8")
    step = step_of(
        "{adla_step: {script_name: job.usql, priority: 3}, compute: adla, inputs: {raw: {source: raw}}, parameters: {a: {source: count}}}"
    )
    assert (step.step_type, step.script, step.settings["priority"]) == ("AdlaStep", "job.usql", 3)
    assert step.parameters == (StepParameter("a", pipeline_parameter="count"),)


def test_parallel_run(step_of: Any, load: Load, source: str, tmp_path: Path, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Dataset.File.from_files((workspace.store, "files"), validate=False)
    monkeypatch.setattr(Dataset, "get_by_name", staticmethod(lambda workspace, name, version: files))
    (tmp_path / "prs.yml").write_text(
        f"""
parallel_run_config:
  environment: {{name: env}}
  entry_script: prep.py
  source_directory: {source}
  mini_batch_size: 5
  error_threshold: 3
  output_action: append_row
  compute_target_name: cpu-cluster
  node_count: 2
""",
        "utf-8",
    )
    text = """
pipeline:
  parameters: {count: {type: int, default: 2}}
  data_references: {files: {dataset_name: titanic}, side: {datastore: workspaceblobstore, path_on_datastore: side}}
  steps:
    batch:
      type: ParallelRunStep
      name: scores
      parallel_run_config: prs.yml
      inputs: {files: {source: files}}
      side_inputs: {side: {source: side}}
      outputs: {out: {destination: scored, datastore: workspaceblobstore}}
      parameters: {n: {source: count}}
      arguments: [--side, side_input:side, --n, parameter:n]
"""
    (step,) = to_document(load(text).graph).steps
    assert (step.step_type, step.name) == ("ParallelRunStep", "scores")
    assert [port.name for port in step.inputs] == ["files", "side"]
    assert {"mini_batch_size": "5", "error_threshold": 3}.items() <= {
        **step.settings,
        "mini_batch_size": str(step.settings["mini_batch_size"]),
    }.items()
    assert Argument("parameter", "count") in step.arguments
    assert Argument("input", "side") in step.arguments
    with pytest.raises(ValueError, match="needs an output"):
        load(text.replace("      outputs: {out", "      comment: {out"))


# What is wrong


WRONG: Dict[str, Any] = {
    "": "there is no key 'pipeline'",
    "- a": "must be a mapping",
    "Pipeline: {steps: {}}": "there is no key 'pipeline'.*Did you mean 'Pipeline'",
    "pipeline: {}": "there are no 'steps'",
    "pipeline: ~": "nothing stands below the key 'pipeline'",
    "pipeline: {steps: ~}": "pipeline: nothing stands below the key 'steps'",
    "pipeline: {steps: {a: {python_scrip_step: {}}}}": "what kind of step it is. Did you mean 'python_script_step'",
    "pipeline: {step: {}}": "there are no 'steps'.*Did you mean 'step'",
    "pipeline: {steps: [a]}": r"pipeline\.steps must be a mapping, not \['a'\] \(list\)",
    "pipeline: {steps: {a: {}}}": r"pipeline\.steps\.a: nothing says what kind of step",
    "pipeline: {steps: {a: {type: 3}}}": r"steps\.a: 'type' must be a text, not 3 \(int\)",
    "pipeline: {steps: {a: {type: PythonScriptStep}}}": r"steps\.a: 'script_name' is missing",
    "pipeline: {steps: {}, parameters: {a: {default: 3}}}": r"parameters\.a: 'type' is missing.*can be string, int",
    "pipeline: {steps: {}, parameters: {a: {type: itn}}}": r"there is no type 'itn'. Did you mean 'int'",
    "pipeline: {steps: {}, parameters: {a: {type: int, default: x}}}": r"parameters\.a: the default 'x' \(str\) is no int",
    "pipeline: {steps: {}, parameters: {a: {type: string}}}": r"parameters\.a: .*None",
    "pipeline: {steps: {}, parameters: {a: {type: datapath}}}": r"parameters\.a.default: 'path_on_datastore' is missing",
    "pipeline: {steps: {}, data_references: {a: {datastore: s}}}": r"data_references\.a: nothing says which data is meant",
}


@pytest.mark.parametrize("text", sorted(WRONG))
def test_what_is_wrong_is_named_with_its_place(load: Load, text: str) -> None:
    with pytest.raises(ValueError, match=rf"pipeline\.yml'.*{WRONG[text]}"):
        load(text)


WRONG_STEPS: Dict[str, str] = {
    "parameters: {a: {source: lr}}": r"steps\.s\.parameters\.a: the pipeline has no parameter 'lr'.*Did you mean 'l'|no parameter 'lr'",
    "inputs: {i: {}}": r"steps\.s\.inputs\.i: 'source' is missing",
    "inputs: {i: {source: ra}}": r"inputs\.i: the source 'ra' is neither.*Did you mean 'raw'",
    "inputs: {i: {source: rate}}": "the source 'rate' is neither",
    "inputs: {i: {source: raw, bind_mode: upload}}": r"inputs\.i: 'bind_mode' can be mount, download, direct, not 'upload'",
    "inputs: {i: {source: raw, overwrite: 'yes'}}": r"'overwrite' must be true or false, not 'yes' \(str\)",
    "outputs: {o: {bind_mode: mount}}": r"outputs\.o: 'destination' is missing",
    "outputs: {o: {destination: a b}}": r"outputs\.o: 'a b' can't be the name",
    "outputs: {o: {destination: a, type: download}}": "'type' can be mount, upload, not 'download'",
    "outputs: {o: {destination: a}, p: {destination: a}}": r"outputs\.p: the destination 'a' is that of an output of step 's' too",
    "inputs: [a]": r"steps\.s\.inputs must be a mapping",
    "arguments: text": "'arguments' must be a list, not 'text'",
    "arguments: [[a]]": r"the arguments hold \['a'\]",
    "run_after: [t]": r"'run_after' names the step 't', which is not there",
    "compute: cpu-clutser": "compute target 'cpu-clutser'.*cpu-cluster",
    "script_name: prepp.py": "steps.s.*prepp.py.*prep.py|prepp.py.*prep.py",
    "runconfig: {environment: mine}": r"steps\.s\.runconfig\.environment must be a mapping, not 'mine'",
    "runconfig: {environment: {spark: {packages: 3}}, history: {}}": "'runconfig' is no run configuration",
    "runconfig: 3": "'runconfig' must be a text or a mapping",
    "runconfig_parameters: {Nodes: {source: rate}}": "can't set 'Nodes'",
}


@pytest.mark.parametrize("member", sorted(WRONG_STEPS))
def test_what_is_wrong_with_a_step_is_named_with_its_place(load: Load, member: str) -> None:
    text = f"""
pipeline:
  parameters: {{rate: {{type: float}}}}
  data_references: {{raw: {{datastore: workspaceblobstore, path_on_datastore: in}}}}
  steps:
    s:
      type: PythonScriptStep
      compute: cpu-cluster
      {member if "script_name" in member else "script_name: prep.py"}
      {member if "script_name" not in member else "version: a"}
"""
    if "compute" in member:
        text = text.replace("      compute: cpu-cluster\n", "")
    with pytest.raises(ValueError, match=rf"(?s){WRONG_STEPS[member]}"):
        load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "  parameters: {a: {type: datapath, default: {datastore: s, path_on_datastore: a}}}\n",
            r"parameters\.a\.default: There is no datastore",
        ),
        ("  data_references: {raw: {datastore: s, path_on_datastore: a}}\n", r"data_references\.raw: There is no datastore 's'"),
        ("  default_compute: local\n", r"steps\.s: 'nothing\.runconfig' is no file"),
    ],
)
def test_what_is_not_there_is_named_with_its_place(load: Load, text: str, message: str) -> None:
    step = "{type: PythonScriptStep, script_name: prep.py, compute: local, inputs: {i: {source: raw}}}"
    if "raw" not in text:
        step = "{type: PythonScriptStep, script_name: prep.py, runconfig: nothing.runconfig}"
    with pytest.raises(UserErrorException) as caught:
        load(f"pipeline:\n{text}  steps:\n    s: {step}\n")
    assert re.search(rf"^'.*pipeline\.yml', pipeline\.{message}", str(caught.value.message))


def test_what_looks_like_a_number_or_a_date_is_its_text(load: Load) -> None:
    pipeline = load("pipeline: {name: 7, steps: {s: {type: PythonScriptStep, script_name: prep.py, compute: local, version: 2020-01-31}}}")
    (step,) = graph_of(pipeline).steps
    assert (pipeline.graph._name, step.version) == ("7", "2020-01-31")


def test_an_unknown_type_is_not_implemented(load: Load) -> None:
    with pytest.raises(
        NotImplementedError, match=r"steps\.s: a file can't describe a step of the type 'PythonStep'.*Did you mean 'PythonScriptStep'"
    ):
        load("pipeline: {steps: {s: {type: PythonStep}}}")


def test_a_file_that_is_not_there(workspace: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no file 'nothing\.yml'"):
        Pipeline.load_yaml(workspace, "nothing.yml")


def test_a_parameter_used_in_two_steps_is_one(load: Load) -> None:
    pipeline = load(
        """
        pipeline:
          parameters: {rate: {type: float}}
          steps:
            a: {type: PythonScriptStep, script_name: prep.py, compute: local, parameters: {r: {source: rate}}}
            b: {type: PythonScriptStep, script_name: prep.py, compute: local, parameters: {r: {source: rate}}}
        """
    )
    assert [type(item) for item in pipeline.graph.params.values()] == [PipelineParameter]


# Anything at all


def parts_of(value: Any, path: Tuple[Any, ...] = ()) -> Iterator[Tuple[Any, ...]]:
    """The paths of all that is in a document."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from parts_of(item, (*path, key))


ODD = st.sampled_from(
    [None, [], {}, "x", "", 3, -1.5, True, [1], ["a"], {"a": 1}, {"source": "x"}, {"source": None}, [None], [["a"]], "raw", 10**30]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_loads_or_is_refused_in_words(load: Load, data: Any) -> None:
    """One or two parts of a good file are replaced by others."""
    document = yaml.safe_load(WHOLE.replace("NumIter2", "NumIter"))
    document["pipeline"]["steps"]["Saved"] = copy.deepcopy({**document["pipeline"]["steps"]["First"], **SAVED})
    for _ in range(data.draw(st.integers(1, 2))):
        *above, last = data.draw(st.sampled_from(list(parts_of(document))))
        place = document
        for key in above:
            place = place[key]
        place[last] = copy.deepcopy(data.draw(ODD))
    with contextlib.suppress(ValueError, NotImplementedError, UserErrorException):
        load(yaml.safe_dump(document)).validate()


SAVED = {
    "snapshot": "5f5f",
    "settings": {"a": [1]},
    "command": ["true"],
    "outputs": {"out": {"destination": "other", "dataset": {}, "registration": {"name": "n", "tags": {"a": 1}}, "source_globs": ["*"]}},
    "runconfig": {"nodeCount": 2, "environment": {"name": "e"}},
    "runconfig_parameters": {"NodeCount": {"source": "NumIter"}},
    "run_after": ["Last"],
    "compute_type": "AmlCompute",
}
