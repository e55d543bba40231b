"""A step that ran before is not run again when nothing that decides its result has changed, and says why when it is."""

from __future__ import annotations

import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from azureml.core import Experiment, RunConfiguration
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep
from penstock.client import connect

MAKE = """
import os, sys
os.makedirs(sys.argv[1])
open(os.path.join(sys.argv[1], "made"), "w").write(sys.argv[2])
"""
READ = "import os, sys; print(sorted(os.listdir(sys.argv[1])))"


class Setting:
    """make -> read, rebuilt for every submission as a user's script would."""

    def __init__(self, workspace, folder: Path) -> None:
        self.workspace, self.folder = workspace, folder

    def submit(
        self, argument: object = "x", *, output="middle", experiment="reuse", runconfig=None, allow_reuse=True, version=None, **keywords
    ):
        out = PipelineData(output, datastore=self.workspace.get_default_datastore())
        common = {"compute_target": "local", "source_directory": str(self.folder), "runconfig": runconfig}
        make = PythonScriptStep(
            "make.py", "make", arguments=[out, argument], outputs=[out], allow_reuse=allow_reuse, version=version, **common
        )
        read = PythonScriptStep("read.py", "read", arguments=[out], inputs=[out], **common)
        run = Experiment(self.workspace, experiment).submit(Pipeline(self.workspace, [make, read]), **keywords)
        assert run.wait_for_completion(show_output=False) == "Finished"
        return run

    def reused(self, *arguments, **keywords) -> set[str]:
        return {step.name for step in self.submit(*arguments, **keywords).get_steps() if step.is_reused}


@pytest.fixture
def setting(workspace, scripts) -> Setting:
    return Setting(workspace, scripts(make=MAKE, read=READ))


def reason(run, name: str) -> str:
    return str(connect().get_run(run.find_step_run(name)[0].id)["reason"])


def test_an_unchanged_pipeline_is_reused_whole(setting: Setting):
    first = setting.submit()
    assert reason(first, "make") == "It is the first run of this step."
    again = setting.submit(experiment="another")
    for name in ("make", "read"):
        step, original = again.find_step_run(name)[0], first.find_step_run(name)[0]
        assert step.is_reused
        assert step.id != original.id
        properties = step.get_properties()
        assert properties["azureml.reusedrunid"] == original.id
        assert properties["azureml.isreused"] == "true"
        assert step.get_status() == "Finished"
        assert step.get_job_log() == original.get_job_log()
    assert (
        again.find_step_run("make")[0].get_output_data("middle").path_on_datastore == f"azureml/{first.find_step_run('make')[0].id}/middle"
    )
    third = setting.submit()
    assert third.find_step_run("make")[0].get_properties()["azureml.reusedrunid"] == first.find_step_run("make")[0].id, (
        "never a chain of reuses"
    )


def test_names_of_intermediate_data_do_not_count(setting: Setting):
    setting.submit(output="middle")
    again = setting.submit(output="renamed")
    assert all(step.is_reused for step in again.get_steps())
    assert list(again.find_step_run("make")[0].get_outputs()) == ["renamed"]


def test_another_argument_runs_the_step_and_what_reads_its_new_bytes(setting: Setting):
    setting.submit("x")
    run = setting.submit("y")
    assert not any(step.is_reused for step in run.get_steps())
    assert "rguments[1] changed from 'x' to 'y'" in reason(run, "make")
    assert "he input 'middle' has other content (changed: made), since run" in reason(run, "read")
    assert setting.reused("x") == {"make", "read"}, "the older result still stands"


def test_equal_bytes_do_not_make_followers_run(setting: Setting):
    setting.submit()
    assert setting.reused(allow_reuse=False) == {"read"}
    assert setting.reused(version="2") == {"read"}


def test_the_comparison_is_with_the_same_experiment(setting: Setting):
    setting.submit("x", experiment="mine")
    setting.submit("y", experiment="another")
    (setting.folder / "new.txt").write_text("")
    text = reason(setting.submit("x", experiment="mine"), "make")
    assert text.startswith("The source folder changed (new: new.txt), since run ")
    assert text.endswith(" of mine.")


def test_one_byte_in_the_source_folder_counts_and_is_named(setting: Setting):
    (setting.folder / ".amlignore").write_text("*.log\n")
    setting.submit()
    (setting.folder / "noise.log").write_text("ignored")
    assert setting.reused() == {"make", "read"}
    (setting.folder / "helper.py").write_text("X = 1")
    run = setting.submit()
    assert not any(step.is_reused for step in run.get_steps())
    assert "new: helper.py" in reason(run, "make")


def test_a_parameter_counts_by_its_value(setting: Setting):
    parameter = PipelineParameter("text", "a")
    setting.submit(parameter)
    assert setting.reused(parameter) == {"make", "read"}
    assert setting.reused(PipelineParameter("text", "default is not the value"), pipeline_parameters={"text": "a"}) == {"make", "read"}
    run = setting.submit(parameter, pipeline_parameters={"text": "b"})
    assert "he parameter 'text' changed from 'a' to 'b'" in reason(run, "make")


def test_environment_variables_count(setting: Setting):
    config = RunConfiguration()
    config.environment_variables = {"SEED": "1"}
    setting.submit(runconfig=config)
    config.environment_variables = {"SEED": "2"}
    assert setting.reused(runconfig=config) == set()


def test_regenerate_outputs_runs_everything(setting: Setting):
    setting.submit()
    run = setting.submit(regenerate_outputs=True)
    assert not any(step.is_reused for step in run.get_steps())
    assert "regenerate_outputs" in reason(run, "make")


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_outputs_that_are_not_there_any_more_are_made_again(setting: Setting, harm: str):
    first = setting.submit()
    store = connect().get_default_datastore(setting.workspace._id)["root"]
    output = os.path.join(store, first.find_step_run("make")[0].get_output_data("middle").path_on_datastore)
    if harm == "gone":
        shutil.rmtree(output)
    else:
        Path(output, "made").write_text("longer than before")
    run = setting.submit()
    assert not run.find_step_run("make")[0].is_reused
    assert "output 'middle'" in reason(run, "make")
    assert run.find_step_run("read")[0].is_reused, "the same bytes were made again"


def test_two_steps_of_one_script_are_two_steps(setting: Setting):
    (setting.folder / "draw.py").write_text("import random; print(random.random())")
    names = ["first", "second", "second"]

    def draw():
        steps = [PythonScriptStep("draw.py", name, compute_target="local", source_directory=str(setting.folder)) for name in names]
        for before, after in pairwise(steps):
            after.run_after(before)
        run = Experiment(setting.workspace, "reuse").submit(Pipeline(setting.workspace, steps))
        assert run.wait_for_completion(show_output=False) == "Finished"
        return run.get_steps()

    logs = {step.get_job_log() for step in draw()}
    assert len(logs) == 3
    again = draw()
    assert all(step.is_reused for step in again)
    assert {step.get_job_log() for step in again} < logs


def test_an_argument_that_becomes_data_is_told(setting: Setting):
    setting.submit("x")
    out = PipelineData("middle", datastore=setting.workspace.get_default_datastore())
    make = PythonScriptStep("read.py", "make", arguments=["."], outputs=[out], compute_target="local", source_directory=str(setting.folder))
    run = Experiment(setting.workspace, "reuse").submit(Pipeline(setting.workspace, [make]))
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert "rguments changed" in reason(run, "make") or "cript changed" in reason(run, "make")


def test_file_names_may_hold_any_bytes(setting: Setting):
    store = connect().get_default_datastore(setting.workspace._id)["root"]
    folder = os.fsencode(os.path.join(store, "latin"))
    os.makedirs(folder)
    with open(os.path.join(folder, b"caf\xe9.csv"), "w") as file:
        file.write("a")
    reference = DataReference(setting.workspace.get_default_datastore(), "latin", "latin")
    for expected in (False, True):
        step = PythonScriptStep(
            "read.py", arguments=[reference], inputs=[reference], compute_target="local", source_directory=str(setting.folder)
        )
        run = Experiment(setting.workspace, "reuse").submit(Pipeline(setting.workspace, [step]))
        assert run.wait_for_completion(show_output=False) == "Finished"
        assert run.find_step_run("read.py")[0].is_reused is expected, reason(run, "read.py")


def test_a_failed_step_is_not_a_result(setting: Setting):
    (setting.folder / "read.py").write_text("raise SystemExit(1)")
    for _ in range(2):
        out = PipelineData("o", datastore=setting.workspace.get_default_datastore())
        step = PythonScriptStep("read.py", arguments=[out], outputs=[out], compute_target="local", source_directory=str(setting.folder))
        run = Experiment(setting.workspace, "reuse").submit(Pipeline(setting.workspace, [step]))
        assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"


def test_new_bytes_under_an_unchanged_path_run_the_step(setting: Setting, tmp_path: Path):
    store = setting.workspace.get_default_datastore()
    data = tmp_path / "data"
    data.mkdir()

    def reused(text: str) -> bool:
        (data / "table.csv").write_text(text)
        store.upload(str(data), target_path="tables", overwrite=True, show_progress=False)
        reference = DataReference(store, path_on_datastore="tables")  # without a name: v1 made one up each time
        step = PythonScriptStep(
            "read.py", arguments=[reference], inputs=[reference], compute_target="local", source_directory=str(setting.folder)
        )
        run = Experiment(setting.workspace, "reuse").submit(Pipeline(setting.workspace, [step]))
        assert run.wait_for_completion(show_output=False) == "Finished"
        return bool(run.find_step_run("read.py")[0].is_reused)

    assert [reused("a,b"), reused("a,b"), reused("a,c"), reused("a,b")] == [False, True, False, True]


def test_edits_between_two_submissions_of_one_pipeline_object_are_noticed(setting: Setting):
    out = PipelineData("o", datastore=setting.workspace.get_default_datastore())
    step = PythonScriptStep("make.py", arguments=[out, "x"], outputs=[out], compute_target="local", source_directory=str(setting.folder))
    pipeline = Pipeline(setting.workspace, [step])
    experiment = Experiment(setting.workspace, "reuse")
    experiment.submit(pipeline).wait_for_completion(show_output=False)
    (setting.folder / "make.py").write_text(MAKE + "print('edited')\n")
    run = experiment.submit(pipeline)
    run.wait_for_completion(show_output=False)
    assert "edited" in run.find_step_run("make.py")[0].get_job_log()
