"""What an estimator makes of its arguments. Nothing is submitted here."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Environment
from azureml.core.container_registry import ContainerRegistry
from azureml.core.runconfig import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
from azureml.exceptions import TrainingException, UserErrorException
from azureml.train.dnn import Chainer, Gloo, Mpi, Nccl, ParameterServer, PyTorch, TensorFlow
from azureml.train.estimator import Estimator, MMLBaseEstimator
from azureml.train.sklearn import SKLearn

# v1's keyword arguments, in its order, with its defaults.
PARAMETERS = {
    **dict.fromkeys(("compute_target", "vm_size", "vm_priority", "entry_script", "script_params")),
    "node_count": 1,
    "process_count_per_node": 1,
    "distributed_backend": None,
    "distributed_training": None,
    "use_gpu": False,
    "use_docker": True,
    "custom_docker_base_image": None,
    "custom_docker_image": None,
    "image_registry_details": None,
    "user_managed": False,
    "conda_packages": None,
    "pip_packages": None,
    **dict.fromkeys(("conda_dependencies_file_path", "pip_requirements_file_path", "conda_dependencies_file", "pip_requirements_file")),
    **dict.fromkeys(("environment_variables", "environment_definition", "inputs", "source_directory_data_store", "shm_size")),
    **dict.fromkeys(("resume_from", "max_run_duration_seconds")),
}


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds the source folder `source` with `train.py`."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    return folder


def make(kind: Any = Estimator, **more: Any) -> Any:
    return kind("source", **{"compute_target": "local", "entry_script": "train.py", **more})


def pip(estimator: Any) -> list[str]:
    return list(estimator.conda_dependencies.pip_packages)


def test_the_constructor_is_v1s() -> None:
    folder, *rest = inspect.signature(Estimator).parameters.values()
    assert (folder.name, folder.default) == ("source_directory", inspect.Parameter.empty)
    assert {item.name: item.default for item in rest} == PARAMETERS
    assert all(item.kind is item.KEYWORD_ONLY for item in rest)


def test_what_it_becomes() -> None:
    estimator = make(
        script_params={"--rate": 0.1, "--deep": "", "--name": "x y", "--count": 3},
        environment_variables={"A": "b"},
        max_run_duration_seconds=60,
        pip_packages=["numpy==1.19", "six"],
        conda_packages=["scikit-learn"],
        use_gpu=True,
    )
    config = estimator.run_config
    assert isinstance(estimator, MMLBaseEstimator)
    assert (config.script, config.target, config.communicator, config.node_count) == ("train.py", "local", "None", 1)
    assert config.arguments == ["--rate", "0.1", "--deep", "--name", "x y", "--count", "3"]
    assert (config.environment_variables, config.max_run_duration_seconds) == ({"A": "b"}, 60)
    assert pip(estimator) == ["azureml-defaults", "numpy==1.19", "six"]
    assert "scikit-learn" in list(estimator.conda_dependencies.conda_packages)
    assert estimator.source_directory == "source"
    assert "train.py" in repr(estimator)


def test_deprecation_is_logged_once_and_can_be_silenced(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from azureml.core import _deprecation

    monkeypatch.setattr(_deprecation, "_said", set())
    make(SKLearn)
    make(SKLearn)
    assert [record.message for record in caplog.records if "SKLearn" in record.message and "ScriptRunConfig" in record.message] != []
    assert len(caplog.records) == 1
    monkeypatch.setattr(_deprecation, "_said", set())
    monkeypatch.setenv("AZUREML_LOG_DEPRECATION_WARNING_ENABLED", "false")
    make(SKLearn)
    assert len(caplog.records) == 1


def test_packages_from_files_beside_the_script(source: Path) -> None:
    (source / "env.yml").write_text("name: e\ndependencies:\n  - python=3.9\n  - pandas=1.1\n  - pip:\n    - six==1.15\n")
    (source / "req.txt").write_text("# ours\nnumpy==1.20  # why\n\nsix==1.16\n")
    for names in (("conda_dependencies_file", "pip_requirements_file"), ("conda_dependencies_file_path", "pip_requirements_file_path")):
        estimator = make(**dict(zip(names, ("env.yml", "req.txt"), strict=True)), pip_packages=["numpy==1.21"])
        assert estimator.conda_dependencies.get_python_version() == "3.9"
        assert sorted(pip(estimator)) == ["numpy==1.21", "six==1.16"]
    with pytest.raises(FileNotFoundError):
        make(pip_requirements_file="absent.txt")


def test_a_python_version_and_options_for_pip() -> None:
    estimator = make(conda_packages=["python=3.7", "scikit-learn"], pip_packages=["--extra-index-url https://index.example/simple", "six"])
    assert estimator.conda_dependencies.get_python_version() == "3.7"
    assert list(estimator.conda_dependencies.pip_options) == ["--extra-index-url https://index.example/simple"]
    assert pip(estimator) == ["azureml-defaults", "six"]


def test_an_environment_of_ones_own_replaces_all_that() -> None:
    environment = Environment("mine")
    assert make(environment_definition=environment).run_config.environment.name == "mine"
    for more in ({"pip_packages": ["x"]}, {"conda_packages": ["x"]}, {"user_managed": True}, {"custom_docker_image": "x"}):
        with pytest.raises(TrainingException, match=f"replaces {next(iter(more))}"):
            make(environment_definition=environment, **more)
    with pytest.raises(TrainingException, match="must be an Environment"):
        make(environment_definition="mine")


def test_images_are_kept() -> None:
    registry = ContainerRegistry()
    registry.address = "registry"
    docker = make(custom_docker_image="image", image_registry_details=registry, shm_size="4g").run_config.environment.docker
    assert (docker.base_image, docker.base_image_registry.address, docker.shm_size, docker.enabled) == ("image", "registry", "4g", True)
    plain = make(use_docker=False, user_managed=True).run_config.environment
    assert (plain.docker.enabled, plain.python.user_managed_dependencies) == (False, True)


@pytest.mark.parametrize(
    ("kind", "more", "wanted"),
    [
        (PyTorch, {}, ["torch", "torchvision"]),
        (PyTorch, {"framework_version": "1.4"}, ["torch==1.4.*", "torchvision"]),
        (PyTorch, {"framework_version": "1.4.1", "pip_packages": ["torchvision==0.5.0"]}, ["torch==1.4.1", "torchvision==0.5.0"]),
        (TensorFlow, {"framework_version": "2.2"}, ["tensorflow==2.2.*"]),
        (TensorFlow, {"framework_version": "1.13", "use_gpu": True}, ["tensorflow-gpu==1.13.*"]),
        (TensorFlow, {"framework_version": "2.0", "use_gpu": True}, ["tensorflow==2.0.*"]),
        (Chainer, {"framework_version": "7.0.0"}, ["chainer==7.0.0"]),
        (SKLearn, {"framework_version": "0.20.3"}, ["scikit-learn==0.20.3"]),
        (SKLearn, {"pip_packages": ["scikit-learn==1.0"]}, ["scikit-learn==1.0"]),
    ],
)
def test_a_framework_is_a_requirement(kind: Any, more: Any, wanted: list[str]) -> None:
    assert pip(make(kind, **more)) == ["azureml-defaults", *wanted]


@pytest.mark.parametrize("kind", [PyTorch, TensorFlow, Chainer, SKLearn])
def test_what_a_framework_says_of_itself(kind: Any) -> None:
    assert kind.__name__ == kind.FRAMEWORK_NAME
    assert kind.DEFAULT_VERSION in kind.get_supported_versions()
    assert make(kind, framework_version="9.9", _disable_validation=True).framework_version == "9.9"
    for version in (1.4, "newest", "", "1.", ">=1"):
        with pytest.raises(TrainingException, match="framework_version"):
            make(kind, framework_version=version)


@pytest.mark.parametrize(
    ("kind", "more", "framework", "communicator", "nodes"),
    [
        (Estimator, {"distributed_training": Mpi(2), "node_count": 2}, "Python", "IntelMpi", 2),
        (Estimator, {"distributed_backend": "mpi", "process_count_per_node": 2}, "Python", "IntelMpi", 1),
        (Chainer, {"distributed_training": MpiConfiguration(2)}, "Python", "IntelMpi", 1),
        (PyTorch, {"distributed_training": Nccl(), "node_count": 3}, "PyTorch", "Nccl", 3),
        (PyTorch, {"distributed_backend": "Gloo", "node_count": 2}, "PyTorch", "Gloo", 2),
        (PyTorch, {"distributed_training": PyTorchConfiguration("Gloo")}, "PyTorch", "Gloo", 1),
        (PyTorch, {"distributed_training": Gloo()}, "PyTorch", "Gloo", 1),
        (TensorFlow, {"distributed_training": ParameterServer(worker_count=2)}, "TensorFlow", "ParameterServer", 2),
        (TensorFlow, {"distributed_backend": "ps", "worker_count": 3, "parameter_server_count": 2}, "TensorFlow", "ParameterServer", 3),
        (TensorFlow, {"distributed_training": TensorflowConfiguration(2)}, "TensorFlow", "ParameterServer", 2),
        (TensorFlow, {"distributed_training": Mpi()}, "Python", "IntelMpi", 1),
    ],
)
def test_several_processes(kind: Any, more: Any, framework: str, communicator: str, nodes: int) -> None:
    config = make(kind, **more).run_config
    assert (config.framework, config.communicator, config.node_count) == (framework, communicator, nodes)


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        (Estimator, {"entry_script": None}, "needs an entry_script"),
        (Estimator, {"entry_script": "absent.py"}, r"no entry_script 'absent\.py'"),
        (Estimator, {"compute_target": None}, "needs a compute_target"),
        (Estimator, {"vm_size": "STANDARD_D2"}, "not both"),
        (Estimator, {"node_count": 2}, "distributed_training must say"),
        (PyTorch, {"process_count_per_node": 2}, "'mpi', 'gloo', 'nccl'"),
        (Estimator, {"node_count": 0}, "node_count must be"),
        (Estimator, {"process_count_per_node": "2"}, "process_count_per_node must be"),
        (Estimator, {"distributed_training": Nccl()}, r"must be Mpi\(\), not Nccl"),
        (Chainer, {"distributed_backend": "ps"}, "can't be 'ps'. It may be: mpi"),
        (TensorFlow, {"distributed_backend": "nccl"}, "It may be: mpi, ps"),
        (TensorFlow, {"distributed_training": "ps"}, "not str"),
        (Estimator, {"distributed_training": Mpi(), "distributed_backend": "mpi"}, "not both"),
        (TensorFlow, {"distributed_backend": "ps", "worker_count": 0}, "worker_count must be"),
        (Estimator, {"script_params": ["--a", 1]}, "must be a dictionary"),
        (Estimator, {"pip_packages": "numpy"}, "must be a list of texts"),
        (Estimator, {"conda_packages": [1]}, "must be a list of texts"),
        (Estimator, {"image_registry_details": "registry"}, "must be a ContainerRegistry"),
        (Estimator, {"pip_requirements_file": "a", "pip_requirements_file_path": "b"}, "the old name of pip_requirements_file"),
    ],
)
def test_what_cannot_be(kind: Any, more: Any, words: str) -> None:
    with pytest.raises(TrainingException, match=words):
        make(kind, **more)


def test_what_v1_does_not_know_either() -> None:
    with pytest.raises(TypeError, match="flavour"):
        make(PyTorch, flavour="x")
    with pytest.raises(TrainingException, match="'nowhere' is not a folder"):
        Estimator("nowhere", compute_target="local", entry_script="train.py")
    with pytest.raises(UserErrorException, match="An input of an estimator"):
        make(inputs=[3])
    with pytest.raises(UserErrorException, match="must be a list"):
        make(inputs="data")
    with pytest.raises(TrainingException, match="worker_count"):
        ParameterServer(worker_count=-1)


def test_a_size_without_a_target_runs_here() -> None:
    config = Estimator("source", vm_size="STANDARD_D2_V2", vm_priority="lowpriority", entry_script="train.py").run_config
    assert (config.target, config.amlcompute.vm_size, config.amlcompute.vm_priority) == ("local", "STANDARD_D2_V2", "lowpriority")
