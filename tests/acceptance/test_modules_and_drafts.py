"""Modules and drafts that really run: steps made of modules read what others wrote, are reused, and need no source folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import end_processes

from azureml.core import Experiment, RunConfiguration, Workspace
from azureml.pipeline.core import Module, Pipeline, PipelineData, PipelineDraft, PipelineParameter
from azureml.pipeline.core.graph import InputPortDef, OutputPortDef
from azureml.pipeline.steps import ModuleStep, PythonScriptStep
from penstock.cli.main import main

CALCULATE = """
import argparse, os
parser = argparse.ArgumentParser()
for name in ("number", "file", "factor", "total"):
    parser.add_argument(f"--{name}")
options = parser.parse_args()
number = int(options.number or open(options.file).read())
factor = int(options.factor or os.environ["AML_PARAMETER_factor"])
with open(options.total, "w") as file:
    file.write(str(number * factor))
print("made", number * factor)
"""


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """A workspace on a service of this module's own."""
    with tempfile.TemporaryDirectory(prefix="ps", ignore_cleanup_errors=True) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENSTOCK_HOME", folder)
        for name in ("AZUREML_RUN_ID", "PENSTOCK_RUN_FOLDER"):
            patch.delenv(name, raising=False)
        try:
            yield Workspace.get("shared", subscription_id="sub", resource_group="group")
        finally:
            end_processes(Path(folder))


@pytest.fixture(scope="module")
def module(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Module:
    """A module whose folder is gone once it is published."""
    folder = tmp_path_factory.mktemp("calc")
    (folder / "calculate.py").write_text(CALCULATE)
    made = Module.create(workspace, "Multiply", "multiplies")
    outputs = [OutputPortDef("total", default_datastore_name="workspaceblobstore", default_datastore_mode="mount")]
    made.publish_python_script("calculate.py", "of a number", [], outputs, params={"factor": 2}, version="1", source_directory=str(folder))
    read = InputPortDef("number")
    arguments = ["--file", read, "--total", outputs[0]]
    made.publish_python_script(
        "calculate.py", "of a file", [read], outputs, {"factor": 3}, True, "2", True, source_directory=str(folder), arguments=arguments
    )
    (folder / "calculate.py").unlink()
    return made


def test_steps_of_modules_run_and_are_reused(workspace: Workspace, module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = (PipelineData(name) for name in ("first", "second", "third"))
    begin = ModuleStep(
        module_version=module.resolve("1"),
        outputs_map={"total": first},
        runconfig=RunConfiguration(),
        compute_target="local",
        arguments=["--number", PipelineParameter("number", 7), "--total", first],
        name="begin",
    )
    middle = ModuleStep(module, inputs_map={"number": first}, outputs_map={"total": second}, compute_target="local", name="middle")
    end = ModuleStep(
        module,
        version="2",
        inputs_map={"number": second},
        outputs_map={"total": third},
        params={"factor": PipelineParameter("last", 5)},
        name="end",
    )
    assert end.step_type == "ModuleStep"
    begin_again = Pipeline(workspace, steps=[end, begin, middle])
    run = Experiment(workspace, "modules").submit(begin_again)
    assert run.wait_for_completion(show_output=False) == "Finished"
    logs = {step.name: step.get_stdout_log() for step in run.get_steps()}
    assert [logs[name].split()[-1] for name in ("begin", "middle", "end")] == ["14", "42", "210"]
    assert {step.get_properties()["StepType"] for step in run.get_steps()} == {"PythonScriptStep"}
    again = Experiment(workspace, "modules").submit(begin_again, pipeline_parameters={"last": 6})
    assert again.wait_for_completion(show_output=False) == "Finished"
    assert {step.name: step.is_reused for step in again.get_steps()} == {"begin": True, "middle": True, "end": False}
    capsys.readouterr()
    assert main(["modules", "history", "Multiply", "--json"]) == 0
    assert [item["id"] for item in json.loads(capsys.readouterr().out)] == [again.id, run.id]


def test_the_command_line_tells_and_changes(workspace: Workspace, module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(*words: str) -> str:
        capsys.readouterr()
        status = main(["modules", *words])
        told = capsys.readouterr()
        assert status == (1 if told.err else 0)
        return told.out + told.err

    assert "Multiply" in ask()
    assert json.loads(ask("list", "--name", "Multiply", "--json"))[0]["id"] == module.id
    shown = ask("show", "Multiply")
    for words in ("Default:     2", "of a file", "Version 2 runs calculate.py.", "factor"):
        assert words in shown
    assert json.loads(ask("show", module.id, "--version", "1", "--json"))["version"]["version"] == "1"
    assert "no version '3'" in ask("show", "Multiply", "--version", "3")
    assert "Did you mean 'Multiply'" in ask("show", "Multipli")
    assert ask("set-default", "Multiply", "1") == "The default version of the module 'Multiply' is '1'.\n"
    assert ask("disable", "Multiply", "--version", "2") == "Disabled version '2' of the module 'Multiply'.\n"
    assert ask("deprecate", "Multiply") == "Deprecated the module 'Multiply'.\n"
    assert ask() == "There are no modules. Module.create(workspace, name, description) makes one. Disabled ones are listed with --all.\n"
    assert "Deprecated" in ask("--all")
    assert (ask("enable", "Multiply"), ask("enable", "Multiply", "--version", "2"))[0] == "Enabled the module 'Multiply'.\n"
    module.set_default_version("2")


def test_a_draft_runs_as_it_was_changed(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.py").write_text("import sys\nprint('rate', sys.argv[1])")

    def step(name: str) -> PythonScriptStep:
        rate = PipelineParameter("rate", 1)
        return PythonScriptStep("train.py", name, [rate], "local", source_directory=str(tmp_path))

    draft = PipelineDraft.create(workspace, Pipeline(workspace, steps=[step("old")]), name="n", experiment_name="drafts")
    draft.update(pipeline=Pipeline(workspace, steps=[step("new")]), pipeline_parameters={"rate": 4})
    run = draft.submit_run()
    assert run.wait_for_completion(show_output=False) == "Finished"
    (only,) = run.get_steps()
    assert (only.name, only.get_stdout_log().split()) == ("new", ["rate", "4"])
    capsys.readouterr()
    assert main(["drafts", "--name", "n"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[::5] == [draft.id[:8], run.id[:8]]
    published = draft.publish().submit(workspace, "callers")
    assert published.wait_for_completion(show_output=False) == "Finished"
    assert [item.is_reused for item in published.get_steps()] == [True]
