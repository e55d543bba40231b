"""The description of a script's run."""

from __future__ import annotations

import pytest

from azureml.core import Dataset, RunConfiguration, ScriptRunConfig
from azureml.core.runconfig import Data, DockerConfiguration, MpiConfiguration, OutputData, PyTorchConfiguration
from azureml.core.script_run_config import get_run_config_from_script_run
from azureml.data import OutputFileDatasetConfig
from azureml.exceptions import RunConfigurationException, UserErrorException


def test_fresh_configuration() -> None:
    config = ScriptRunConfig(
        "src", "train.py", ["--a", 1], compute_target="cpu", docker_runtime_config=DockerConfiguration(use_docker=True)
    )
    assert config.run_config.target == "cpu"
    assert config.run_config.max_run_duration_seconds == ScriptRunConfig.MAX_DURATION_SECONDS_DEFAULT
    assert config.run_config.docker.use_docker is True
    assert not config.run_config.script
    merged = get_run_config_from_script_run(config)
    assert (merged.script, merged.arguments) == ("train.py", ["--a", 1])
    assert not config.run_config.script


def test_given_configuration_fills_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    given = RunConfiguration(script="inner.py", arguments=["x"])
    assert ScriptRunConfig("src", run_config=given).script == "inner.py"
    outer = ScriptRunConfig("src", "outer.py", run_config=given, compute_target="cpu")
    assert outer.script == "outer.py"
    assert "compute_target" in caplog.text
    assert "script" in caplog.text


def test_distribution() -> None:
    mpi = ScriptRunConfig("src", "x.py", distributed_job_config=MpiConfiguration(2, 3)).run_config
    assert (mpi.framework, mpi.communicator, mpi.node_count) == ("Python", "IntelMpi", 3)
    torch = ScriptRunConfig("src", "x.py", distributed_job_config=PyTorchConfiguration("Nccl", node_count=2)).run_config
    assert (torch.framework, torch.node_count) == ("PyTorch", 2)


def test_wrong_classes_are_refused() -> None:
    with pytest.raises(RunConfigurationException):
        ScriptRunConfig("src", distributed_job_config=3)
    with pytest.raises(RunConfigurationException):
        ScriptRunConfig("src", docker_runtime_config=3)
    with pytest.raises(UserErrorException):
        ScriptRunConfig("src", resume_from="folder")
    with pytest.raises(UserErrorException):
        ScriptRunConfig("src", run_config={})


@pytest.mark.parametrize(("given", "word"), [("nccl", "Nccl"), ("GLOO", "Gloo")])
def test_the_communicator_is_spelt_as_v1_spells_it(given: str, word: str) -> None:
    config = ScriptRunConfig("src", "x.py", distributed_job_config=PyTorchConfiguration(given)).run_config
    assert config.communicator == word


def test_datasets_among_the_arguments(caplog: pytest.LogCaptureFixture) -> None:
    files = Dataset.File.from_files("/data/files", validate=False)
    read, out = files.as_named_input("read").as_mount(), OutputFileDatasetConfig("out")
    arguments = ["--in", read, "--out", out, read]
    config = ScriptRunConfig("src", "train.py", arguments)
    for _ in range(2):
        merged = get_run_config_from_script_run(config)
        assert merged.arguments == [
            "--in",
            "DatasetConsumptionConfig:read",
            "--out",
            "DatasetOutputConfig:out",
            "DatasetConsumptionConfig:read",
        ]
        assert (merged.data, merged.output_data) == ({"read": read}, {"out": out})
    assert arguments[1] is read, "the caller's list is the caller's"
    assert config.run_config.data == {}
    assert not caplog.text
    command = ScriptRunConfig("src", command=["cat", read, files.as_named_input("read")])
    assert get_run_config_from_script_run(command).data == {"read": read}
    assert "the first one counts" in caplog.text


@pytest.mark.parametrize("wrong", [Data(), OutputData()])
def test_data_without_a_name_is_refused_among_the_arguments(wrong: object) -> None:
    with pytest.raises(UserErrorException, match="as_named_input"):
        ScriptRunConfig("src", "train.py", [wrong])
    with pytest.raises(UserErrorException, match=r"FileDataset.*as_named_input"):
        ScriptRunConfig("src", "train.py", [Dataset.File.from_files("/data/files", validate=False)])
