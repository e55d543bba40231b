"""Mistakes in what a script does around its training: what is said names the thing, the place, and what to change."""

from __future__ import annotations

import logging
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from azureml.core import Environment, Experiment, Keyvault, Model, Run, RunConfiguration, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.conda_dependencies import CondaDependencies
from azureml.exceptions import (
    ActivityFailedException,
    AzureMLException,
    ComputeTargetException,
    ExperimentExecutionException,
    ModelPathNotFoundException,
    RunConfigurationException,
    ServiceException,
    UserErrorException,
    WebserviceException,
    WorkspaceException,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, where the driver runs."""
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def run(workspace: Workspace, folder: Path) -> Run:
    """A run that this process drives."""
    return Experiment(workspace, "mistakes").start_logging(snapshot_directory=None)


def message_of(error: BaseException) -> str:
    """Return what a user reads of an exception, without the frame that v1 puts around it."""
    return str(getattr(error, "message", None) or error)


def submit(workspace: Workspace, folder: Path, environment: Environment | None = None, **more: object) -> Run:
    """Submit a script."""
    source = ScriptRunConfig(str(folder), more.pop("script", "train.py"), environment=environment, **more)
    return Experiment(workspace, "mistakes").submit(source)


def failure(run: Run) -> str:
    """Return why a run failed."""
    with pytest.raises(ActivityFailedException):
        run.wait_for_completion(show_output=False)
    return str(run.get_details()["error"]["error"]["message"])


# ---- files of environments ----


@pytest.mark.parametrize(
    "read",
    [
        lambda: Environment.from_conda_specification("mine", "conda.yml"),
        lambda: CondaDependencies("conda.yml"),
        lambda: CondaDependencies(conda_dependencies_file_path="conda.yml"),
    ],
)
def test_a_missing_conda_file_is_named_with_the_folder_it_was_looked_for_in(folder: Path, read: Callable[[], object]):
    with pytest.raises(FileNotFoundError, match=re.escape(f"no file 'conda.yml' in '{folder}'")) as told:
        read()
    assert "a path is relative to that folder" in str(told.value)


def test_a_missing_requirements_file_is_named(folder: Path):
    with pytest.raises(FileNotFoundError, match=re.escape(f"no file 'requirements.txt' in '{folder}'")):
        Environment.from_pip_requirements("mine", "requirements.txt")
    (folder / "requirements.txt").write_text("-r more/base.txt\n")
    with pytest.raises(FileNotFoundError, match=r"no file 'more/base\.txt'"):
        Environment.from_pip_requirements("mine", "requirements.txt")


def test_a_conda_file_that_is_no_yaml_is_named_with_its_line(folder: Path):
    (folder / "conda.yml").write_text("name: mine\ndependencies: [python=3.8\n")
    with pytest.raises(UserErrorException) as told:
        Environment.from_conda_specification("mine", "conda.yml")
    assert message_of(told.value).startswith("'conda.yml' is no YAML, line ")


def test_a_key_that_conda_files_do_not_have_is_named_with_those_they_have(folder: Path):
    (folder / "conda.yml").write_text("name: mine\ndependencys:\n  - python=3.8\n")
    with pytest.raises(UserErrorException) as told:
        Environment.from_conda_specification("mine", "conda.yml")
    assert "'conda.yml' has keys that no conda specification has: dependencys. Known: name, channels, dependencies" in message_of(
        told.value
    )


def test_a_mistyped_attribute_is_answered_with_the_one_that_is_there():
    with pytest.raises(AttributeError, match="Did you mean 'conda_dependencies'"):
        Environment("mine").python.conda_dependancies = CondaDependencies()
    with pytest.raises(AttributeError, match="Did you mean 'target'"):
        RunConfiguration().targett = "cpu-cluster"


def test_an_environment_that_nobody_registered_is_told_of_as_v1_does(workspace: Workspace):
    with pytest.raises(Exception, match="Code: 404") as told:
        Environment.get(workspace, "nothing")
    assert "no environment 'nothing' in workspace 'testing'" in str(told.value)
    assert "register(workspace)" in str(told.value)


def test_a_reserved_name_is_refused_with_another_way(workspace: Workspace):
    with pytest.raises(UserErrorException, match=r"environment\.clone\('my-name'\)"):
        Environment("AzureML-mine").register(workspace)


# ---- environments that can't be built ----


def wheel(folder: Path, name: str, version: str, requires: str = "") -> None:
    """Make a wheel with one module."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *([f"Requires-Dist: {requires}"] if requires else [])]
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": "\n".join(lines) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only packages there are: two versions of one, and one that needs the older."""
    folder = tmp_path / "wheels"
    wheel(folder, "millrace", "1.0")
    wheel(folder, "millrace", "2.0")
    wheel(folder, "headgate", "1.0", requires="millrace<2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments are built as they are asked for, or not at all."""
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_POLICY", "exact")


def environment_of(*packages: str) -> Environment:
    """Return an environment of pip packages on this Python."""
    version = ".".join(str(part) for part in sys.version_info[:2])
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=list(packages), python_version=version)
    return environment


@pytest.mark.usefixtures("wheels", "exact")
def test_an_unsolvable_environment_names_both_requirements_and_the_way_out(workspace: Workspace, scripts):
    run = submit(workspace, scripts(train="print('never')"), environment_of("millrace==2.0", "headgate==1.0"))
    said = failure(run)
    assert "millrace==2.0" in said
    assert "headgate" in said
    assert "'compatible' (PENSTOCK_ENVIRONMENT_POLICY)" in said
    assert "never" not in "".join(run.get_details_with_logs()["logFiles"].values())


@pytest.mark.usefixtures("wheels")
def test_an_unsolvable_environment_is_relaxed_and_the_run_says_so(workspace: Workspace, scripts):
    environment = environment_of("millrace==2.0", "headgate==1.0")
    run = submit(workspace, scripts(train="import headgate, millrace\nprint('with', millrace.VERSION)"), environment)
    run.wait_for_completion(show_output=False)
    assert "with 1.0" in run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert any("millrace==2.0" in warning["message"] for warning in run.get_details()["warnings"])


@pytest.mark.usefixtures("wheels")
@pytest.mark.parametrize("package", ["tailrace", "tailrace==1.0"])
def test_a_package_that_does_not_exist_is_named(workspace: Workspace, scripts, package: str):
    run = submit(workspace, scripts(train="print('never')"), environment_of(package, "millrace"))
    said = failure(run)
    assert "no package index knows 'tailrace'. Is the name right?" in said
    assert "azureml-logs/20_image_build_log.txt" in run.get_file_names()


def test_a_line_that_pip_can_not_read_is_shown_with_one_that_it_can(workspace: Workspace, scripts):
    said = failure(submit(workspace, scripts(train="print('never')"), environment_of("millrace=>1")))
    assert "can't read the requirement 'millrace=>1'. One looks like" in said


@pytest.mark.usefixtures("exact")
def test_a_python_that_is_not_here_is_named_with_the_setting_that_takes_another(workspace: Workspace, scripts):
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["millrace"], python_version="3.1")
    said = failure(submit(workspace, scripts(train="print('never')"), environment))
    assert "3.1" in said
    assert "'compatible' (PENSTOCK_ENVIRONMENT_POLICY)" in said


# ---- metrics ----


def test_a_metric_that_is_no_single_value_is_kept_as_its_text_and_said(run: Run, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        run.log("shape", {"rows": 3})
    assert run.get_metrics() == {"shape": "{'rows': 3}"}
    assert "'shape' is a dict" in caplog.text


@pytest.mark.parametrize(
    ("log", "error", "said"),
    [
        (lambda run: run.log("loss", [1, 2]), UserErrorException, "'loss' is a list: use log_list('loss', ...)"),
        (lambda run: run.log_list("loss", [[1], [2]]), AzureMLException, "'loss' holds a list"),
        (lambda run: run.log_row("row", a=[1, 2]), AzureMLException, "Column 'a' of the row 'row' is a list: use log_table"),
        (
            lambda run: run.log_table("table", {"a": [1], "b": [1, 2]}),
            AzureMLException,
            "Columns 'a' and 'b' of the table 'table' have 1 and 2",
        ),
        (lambda run: run.log_table("table", [1, 2]), AzureMLException, "'table' must be a dictionary of columns, not a list"),
        (lambda run: run.log_image("plot"), AzureMLException, "'plot' needs either path or plot"),
        (lambda run: run.log_image("plot", path="nothing.png"), AzureMLException, "there is no file /"),
        (lambda run: run.log_confusion_matrix("matrix", "{no JSON"), UserErrorException, "'matrix' is not valid JSON"),
        (
            lambda run: run.log_confusion_matrix("matrix", 3),
            UserErrorException,
            "must be a dictionary or JSON text of one, not a int",
        ),
    ],
)
def test_a_metric_of_an_unsupported_type_is_refused_with_the_one_that_fits(run: Run, log: Callable[[Run], None], error, said: str):
    with pytest.raises(error) as told:
        log(run)
    assert said in message_of(told.value)
    assert run.get_metrics() == {}, "nothing of it is left"


def test_a_script_whose_metric_can_not_be_stored_goes_on(workspace: Workspace, scripts):
    text = "from azureml.core import Run\nrun = Run.get_context()\nrun.log('odd', object())\nrun.log('good', 1)"
    run = submit(workspace, scripts(train=text))
    run.wait_for_completion(show_output=False)
    assert run.get_metrics()["good"] == 1
    assert "'odd' is a object" in run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]


# ---- models and files ----


@pytest.mark.parametrize("path", ["outputs/none.pkl", "../model.pkl", "/etc/passwd", "outputs/../../model.pkl"])
def test_a_model_path_outside_the_run_is_answered_with_its_files(run: Run, folder: Path, path: str):
    (folder / "model.pkl").write_text("model")
    (folder.parent / "model.pkl").write_text("another")
    run.upload_file("outputs/model.pkl", "model.pkl")
    with pytest.raises(ModelPathNotFoundException) as told:
        run.register_model("m", path)
    assert path in message_of(told.value)
    assert "outputs/model.pkl" in message_of(told.value)
    assert Model.list(run.experiment.workspace) == []


def test_a_model_file_that_is_not_there_is_named(workspace: Workspace, folder: Path):
    with pytest.raises((FileNotFoundError, WebserviceException), match=r"weights\.pkl"):
        Model.register(workspace, "weights.pkl", "m")


def test_a_model_that_nobody_registered_is_told_of_as_v1_does(workspace: Workspace):
    with pytest.raises(WebserviceException) as told:
        Model(workspace, "m")
    assert message_of(told.value).startswith("ModelNotFound")
    assert "name m not found in workspace 'testing'" in message_of(told.value)


def test_a_file_that_the_run_has_not_is_answered_with_those_it_has(run: Run, folder: Path):
    (folder / "made.txt").write_text("made")
    run.upload_file("made.txt", "made.txt")
    with pytest.raises(UserErrorException, match=r"no file 'mode\.txt'. It has: made\.txt"):
        run.download_file("mode.txt")


# ---- names that are taken ----


def test_a_workspace_that_is_there_is_not_made_again(workspace: Workspace):
    with pytest.raises(WorkspaceException, match="exist_ok=True"):
        Workspace.create("testing", subscription_id="sub", resource_group="group")


def test_a_run_id_that_is_taken_is_refused(workspace: Workspace, run: Run, scripts):
    with pytest.raises(ServiceException, match=f"a run with the id '{run.id}' already. Start it with another run_id") as told:
        run.experiment.start_logging(run_id=run.id, snapshot_directory=None)
    assert told.value.status_code == 409
    source = ScriptRunConfig(str(scripts(train="print('never')")), "train.py")
    with pytest.raises(ServiceException, match=r"already\. Submit with another run_id"):
        run.experiment.submit(source, run_id=run.id)


def test_a_model_is_not_written_over_a_file_that_is_there(workspace: Workspace, folder: Path):
    (folder / "model.pkl").write_text("model")
    model = Model.register(workspace, "model.pkl", "m")
    with pytest.raises(WebserviceException, match=r"exist_ok=True"):
        model.download(".")
    assert Path(model.download(".", exist_ok=True)).name == "model.pkl"


def test_an_environments_folder_is_not_written_over(folder: Path):
    Environment("mine").save_to_directory("saved")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        Environment("mine").save_to_directory("saved")


def test_a_compute_target_can_not_have_a_name_with_a_meaning(workspace: Workspace):
    with pytest.raises(UserErrorException, match="have a meaning of their own"):
        ComputeTarget.create(workspace, "local", AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=1))


# ---- submissions ----


def test_a_script_that_is_not_in_its_folder_is_named_with_those_that_are(workspace: Workspace, scripts):
    with pytest.raises(ExperimentExecutionException) as told:
        submit(workspace, scripts(train="pass"), script="trian.py")
    said = message_of(told.value)
    assert "trian.py" in said
    assert "train.py" in said


def test_a_source_folder_that_is_not_there_is_named(workspace: Workspace, folder: Path):
    with pytest.raises((ExperimentExecutionException, UserErrorException)) as told:
        submit(workspace, folder / "sauce")
    assert "sauce" in message_of(told.value)


def test_a_run_without_script_and_command_is_told_what_it_lacks(workspace: Workspace, scripts):
    with pytest.raises(UserErrorException, match=r"script='train\.py'"):
        submit(workspace, scripts(train="pass"), script=None)


def test_what_describes_no_run_is_refused_with_what_does(workspace: Workspace):
    experiment = Experiment(workspace, "mistakes")
    with pytest.raises(AzureMLException, match="Put it into a ScriptRunConfig"):
        experiment.submit(RunConfiguration())
    with pytest.raises(AzureMLException, match="Submit a ScriptRunConfig, a Pipeline"):
        experiment.submit("train.py")


def test_settings_of_another_class_are_refused(scripts):
    with pytest.raises(RunConfigurationException, match="MpiConfiguration"):
        ScriptRunConfig(str(scripts(train="pass")), "train.py", distributed_job_config="mpi")
    with pytest.raises(UserErrorException, match="run_config must be a RunConfiguration, not a dict"):
        ScriptRunConfig(str(scripts(train="pass")), "train.py", run_config={})


def test_a_compute_target_that_does_not_exist_is_told_of_as_v1_does(workspace: Workspace):
    with pytest.raises(ComputeTargetException) as told:
        ComputeTarget(workspace, "nothing")
    assert message_of(told.value).startswith("ComputeTargetNotFound:")
    assert "AmlCompute.provisioning_configuration(max_nodes=" in message_of(told.value)
    with pytest.raises(ComputeTargetException, match="max_nodes is missing"):
        AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2")


def test_a_secret_that_nobody_set_is_a_404(workspace: Workspace):
    with pytest.raises(ServiceException) as told:
        Keyvault(workspace).get_secret("password")
    assert told.value.status_code == 404
    assert "password" in str(told.value)


def test_a_run_that_is_not_there_is_a_404(workspace: Workspace):
    with pytest.raises(ServiceException, match="no run with the id 'nothing'") as told:
        Run.get(workspace, "nothing")
    assert told.value.status_code == 404


def test_a_script_that_fails_is_told_of_with_its_last_words(workspace: Workspace, scripts):
    said = failure(submit(workspace, scripts(train="import no_such_module")))
    assert "No module named 'no_such_module'" in said


def test_a_driver_that_waited_for_a_run_that_failed_says_why_once(workspace: Workspace, scripts):
    driver = """
from azureml.core import Run, ScriptRunConfig
run = Run.get_context()
run.experiment.submit(ScriptRunConfig(".", "inner.py")).wait_for_completion()
"""
    said = failure(submit(workspace, scripts(train=driver, inner="raise ValueError('no good')")))
    assert said.startswith("ActivityFailedException: A run that it waited for failed: ValueError: no good")
    assert said.count("no good") == 1
