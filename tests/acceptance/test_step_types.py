"""Steps of other kinds than Python scripts, against a real service: those that run, and those that are refused before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Environment, Experiment, RunConfiguration, ScriptRunConfig
from azureml.core.environment import RSection
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, PublishedPipeline
from azureml.pipeline.core._document import to_document
from azureml.pipeline.steps import (
    CommandStep,
    DataTransferStep,
    EstimatorStep,
    MpiStep,
    ParallelRunConfig,
    ParallelRunStep,
    PythonScriptStep,
    RScriptStep,
)
from azureml.train.estimator import Estimator
from penstock.model.errors import InvalidGraph
from penstock.model.graph import format_graph

TELL = """
import json, os, sys
with open(sys.argv[1], "w") as stream:
    flavours = {"flavour": os.environ.get("FLAVOUR"), "parameter": os.environ.get("AML_PARAMETER_FLAVOUR")}
    json.dump({"arguments": sys.argv[2:], **flavours}, stream)
"""


@pytest.fixture
def as_it_is() -> Environment:
    """The interpreter that is there."""
    found = Environment("as-it-is")
    found.python.user_managed_dependencies = True
    return found


def configured(environment: Environment) -> RunConfiguration:
    run_config = RunConfiguration()
    run_config.environment = environment
    return run_config


def text_of(run: Any, step: str, output: str, folder: Path) -> str:
    data = run.find_step_run(step)[0].get_output_data(output)
    data.download(str(folder / run.id))
    return (folder / run.id / data.path_on_datastore).read_text()


def steps_of_all_kinds(source: str, environment: Environment, rscript: Path) -> list[Any]:
    """A script's output goes through a command; R, an estimator and MPI each write down what they were given."""
    first, second, third, fourth, fifth = (PipelineData(f"out{number}") for number in range(5))
    words = PipelineParameter("words", "two words")
    run_config = configured(environment)
    begin = PythonScriptStep("tell.py", "begin", [first, "a b"], "local", run_config, outputs=[first], source_directory=source)
    line = ["set -e; cat", first, "| tr a-z A-Z >", second, "&& printf '%s.%s' 'x  y'", words, ">>", second, "; echo $HOME > /dev/null"]
    command = CommandStep(line, "command", "local", run_config, None, [first], [second], source_directory=source)
    with_r = configured(environment.clone("with-r"))
    with_r.environment.r = RSection()
    with_r.environment.r.rscript_path = str(rscript)
    arguments = [third, "$NOT_THERE", second, words]
    in_r = RScriptStep("a.R", "r", arguments, "local", with_r, inputs=[second], outputs=[third], source_directory=source)
    estimator = Estimator(source, entry_script="tell.py", compute_target="local", environment_definition=environment)
    trained = EstimatorStep("estimator", estimator, [fourth, "--n", 3], outputs=[fourth], compute_target="local")
    several = {"environment_definition": environment, "environment_variables": {"FLAVOUR": "sweet"}}
    mpi = MpiStep("mpi", source, "tell.py", [fifth], "local", PipelineParameter("nodes", 1), 1, outputs=[fifth], **several)
    return [begin, command, in_r, trained, mpi]


@pytest.fixture
def rscript(tmp_path: Path) -> Path:
    """A program that is called as Rscript is."""
    program = tmp_path / "bin" / "Rscript"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nout=$2\nprintf "%s|%s|%s|" "$1" "$3" "$5" > "$out"\ncat "$4" >> "$out"\n')
    program.chmod(0o755)
    return program


def test_commands_r_estimators_and_mpi_run_and_are_reused(
    workspace: Any, scripts: Any, as_it_is: Environment, rscript: Path, tmp_path: Path
) -> None:
    source = str(scripts(tell=TELL))
    (Path(source) / "a.R").write_text("print(1)\n")
    pipeline = Pipeline(workspace, steps_of_all_kinds(source, as_it_is, rscript))
    assert pipeline.validate() == []
    run = pipeline.submit("kinds")
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert {step.name: step.properties["StepType"] for step in run.get_steps()} == {
        "begin": "PythonScriptStep",
        "command": "CommandStep",
        "r": "RScriptStep",
        "estimator": "EstimatorStep",
        "mpi": "MpiStep",
    }
    written = '{"ARGUMENTS": ["A B"], "FLAVOUR": NULL, "PARAMETER": NULL}x  y.two words'
    assert text_of(run, "command", "out1", tmp_path) == written
    assert text_of(run, "r", "out2", tmp_path) == f"a.R|$NOT_THERE|two words|{written}"
    assert json.loads(text_of(run, "estimator", "out3", tmp_path))["arguments"] == ["--n", "3"]
    assert json.loads(text_of(run, "mpi", "out4", tmp_path)) == {"arguments": [], "flavour": "sweet", "parameter": "sweet"}

    again = pipeline.submit("kinds", pipeline_parameters={"words": "one"})
    assert again.wait_for_completion(show_output=False) == "Finished"
    reused = {step.name for step in again.get_steps() if "azureml.reusedrunid" in step.properties}
    assert reused == {"begin", "estimator", "mpi"}, "the parameter is part of the command's and of R's arguments"

    ran = run.find_step_run("command")[0].get_details()["runDefinition"]
    assert ran["command"].startswith('set -e; cat "$AZUREML_DATAREFERENCE_out0" | tr a-z A-Z >')
    assert run.find_step_run("r")[0].get_details()["runDefinition"]["command"].startswith(f"{rscript} a.R")
    assert run.find_step_run("begin")[0].get_details()["runDefinition"]["command"] == ""

    published = run.publish_pipeline("kinds", "steps of all kinds", "1")
    called = published.submit(workspace, "kinds", pipeline_parameters={"words": "one"})
    assert called.wait_for_completion(show_output=False) == "Finished"
    assert {step.name for step in called.get_steps() if "azureml.reusedrunid" in step.properties} == {
        "begin",
        "command",
        "r",
        "estimator",
        "mpi",
    }, "what is published is the same graph"
    assert format_graph(to_document(run.get_graph())) == format_graph(to_document(published.get_graph()))

    several = pipeline.submit("kinds", pipeline_parameters={"nodes": 2})
    assert several.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    error = several.find_step_run("mpi")[0].get_details()["error"]["error"]["message"]
    assert "An MpiStep of 2 processes can't run" in error


def test_a_command_fails_with_its_last_part_and_finds_datasets_by_name(workspace: Any, scripts: Any, as_it_is: Environment) -> None:
    source = str(scripts(tell=TELL))
    out = OutputFileDatasetConfig("made")
    step = CommandStep(
        "python tell.py $made/a.json 1 && test -s $AZUREML_DATAREFERENCE_made/a.json && false; exit 7",
        runconfig=ScriptRunConfig(source, script="ignored.py", compute_target="local", environment=as_it_is),
        outputs=[out],
    )
    assert step.name == "CommandStep_python"
    run = Pipeline(workspace, [step]).submit("failing")
    assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    assert "7" in run.find_step_run(step.name)[0].get_details()["error"]["error"]["message"]


def test_what_cannot_run_is_refused_before_anything_runs(workspace: Any, scripts: Any, as_it_is: Environment) -> None:
    source, store = str(scripts(tell=TELL)), workspace.get_default_datastore()
    data = PipelineData("data").as_dataset()
    PythonScriptStep("tell.py", "make", [data], "local", outputs=[data], source_directory=source)
    many = ParallelRunConfig(as_it_is, "tell.py", 1, "append_row", "local", 1, source_directory=source)
    score = ParallelRunStep("score", many, [data], PipelineData("scored"))
    copy = DataTransferStep("copy", store.path("a"), store.path("b"), "local")
    pipeline = Pipeline(workspace, [score, copy])
    assert pipeline.validate() == []
    with pytest.raises(ValueError, match=r"Step 'score': A ParallelRunStep can't run .*\n.*Step 'copy': A DataTransferStep can't run"):
        pipeline.submit("refused")
    with pytest.raises(InvalidGraph, match="A ParallelRunStep can't run"):
        workspace._client.submit_pipeline(workspace._id, "refused", {"graph": format_graph(to_document(pipeline.graph))})
    with pytest.raises(ValueError, match="A ParallelRunStep can't run"):
        pipeline.publish("refused")
    assert PublishedPipeline.list(workspace) == []
    assert list(Experiment(workspace, "refused").get_runs()) == []
