# ruff: noqa: S105  # the passwords here are made up
"""Environments: their sections, their files, and their life in a workspace."""

from __future__ import annotations

import copy
import io
import json
import pickle

import pytest

from azureml.core import Environment
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry
from azureml.core.databricks import DatabricksCluster, MavenLibrary
from azureml.core.environment import DEFAULT_CPU_IMAGE, DockerBuildContext, EnvironmentReference, RCranPackage, RSection, SparkPackage
from azureml.exceptions import UserErrorException


def test_defaults():
    made = Environment("x")
    assert made.environment_variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
    assert made.docker.base_image == DEFAULT_CPU_IMAGE
    assert made.docker.enabled is False
    assert made.python.user_managed_dependencies is False
    assert made.python.interpreter_path == "python"
    assert list(made.python.conda_dependencies.pip_packages) == ["azureml-defaults"]
    assert made.r is None
    assert str(made) == "Environment(Name: x,\nVersion: None)"


def test_the_name_is_text_or_none():
    assert Environment(None).name is None
    with pytest.raises(TypeError):
        Environment(7)


def test_repr_is_sorted_json_with_conda_inlined():
    shown = json.loads(repr(Environment("x")))
    assert list(shown) == sorted(shown)
    assert shown["python"]["condaDependencies"]["dependencies"][0] == "python=3.8.13"


@pytest.mark.parametrize("section", ["", "python", "docker", "spark", "databricks"])
def test_unknown_attributes_are_refused_with_the_nearest_name(section):
    target = getattr(Environment("x"), section) if section else Environment("x")
    with pytest.raises(AttributeError, match="has no attribute interpreter_pth"):
        target.interpreter_pth = "x"


def test_the_nearest_name_is_offered():
    with pytest.raises(AttributeError, match="Did you mean 'conda_dependencies'"):
        Environment("x").python.conda_dependancies = None


def test_image_dockerfile_and_build_context_exclude_each_other(tmp_path):
    docker = Environment("x").docker
    docker.base_dockerfile = "FROM a"
    assert docker.base_image is None
    docker.base_image = "b"
    assert docker.base_dockerfile is None
    (tmp_path / "Dockerfile").write_text("FROM c")
    docker.build_context = DockerBuildContext.from_local_directory(None, str(tmp_path))
    assert docker.base_image is None
    with pytest.raises(UserErrorException, match="Dockerfile"):
        DockerBuildContext.from_local_directory(None, str(tmp_path), "Other")


def test_a_dockerfile_is_text_path_or_file(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    for given in ("FROM a\n", str(tmp_path / "Dockerfile"), tmp_path / "Dockerfile", io.StringIO("FROM a\n"), io.BytesIO(b"FROM a\n")):
        assert Environment.from_dockerfile("x", given).docker.base_dockerfile == "FROM a\n"


def test_deprecated_docker_settings_are_kept_and_noted_once(caplog):
    docker = Environment("x").docker
    docker.enabled = True
    docker.enabled = True
    docker.gpu_support = True
    docker.shm_size = "4g"
    docker.shared_volumes = False
    docker.arguments = ["--ipc=host"]
    assert (docker.enabled, docker.gpu_support, docker.shm_size, docker.arguments) == (True, True, "4g", ["--ipc=host"])
    assert sum("docker.enabled" in record.message for record in caplog.records) == 1
    assert all("\n" not in record.message for record in caplog.records)


def test_deprecation_notes_can_be_switched_off(caplog, monkeypatch):
    monkeypatch.setenv("AZUREML_LOG_DEPRECATION_WARNING_ENABLED", "False")
    Environment("x").docker.enabled = True
    assert not caplog.records


def full_environment() -> Environment:
    made = Environment("full")
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=["a"])
    made.docker.base_image_registry.address = "registry.example.org"
    made.spark.packages.append(SparkPackage("g", "a", "1"))
    made.databricks.maven_libraries.append(MavenLibrary("c", exclusions=["e"]))
    made.databricks.cluster = DatabricksCluster(num_workers=2)
    made.r = RSection()
    package = RCranPackage()
    package.name = "ggplot2"
    made.r.cran_packages.append(package)
    made.inferencing_stack_version = "latest"
    return made


@pytest.mark.parametrize("again", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301
def test_copies_are_equal_and_stay_closed(again):
    made = full_environment()
    twin = again(made)
    assert repr(twin) == repr(made)
    twin.python.conda_dependencies.add_pip_package("b")
    assert repr(twin) != repr(made)
    with pytest.raises(AttributeError):
        twin.docker.imge = "x"


def test_the_document_reads_back_whatever_the_spelling_of_its_keys():
    made = full_environment()
    assert repr(Environment._from_document(made._to_document())) == repr(made)
    snake = Environment._from_document({"name": "x", "python": {"user_managed_dependencies": True, "InterpreterPath": "/p"}})
    assert snake.python.user_managed_dependencies is True
    assert snake.python.interpreter_path == "/p"


def test_secrets_are_not_shown():
    made = Environment("x")
    made.docker.base_image_registry.username = "u"
    made.docker.base_image_registry.password = "hush"
    assert "hush" not in repr(made)
    assert made.docker.base_image_registry.password == "hush"


class TestFiles:
    def test_conda_specification(self, tmp_path, caplog):
        source = tmp_path / "env.yml"
        source.write_text("name: n\ndependencies:\n- numpy\n- pip:\n  - a\n")
        made = Environment.from_conda_specification("x", str(source))
        assert list(made.python.conda_dependencies.pip_packages) == ["a"]
        assert made.python.conda_dependencies.get_python_version() == "3.10.18"
        assert "names no Python version" in caplog.text
        with pytest.raises(FileNotFoundError):
            Environment.from_conda_specification("x", "nowhere.yml")

    def test_pip_requirements_without_comments_and_with_nested_files(self, tmp_path):
        (tmp_path / "more.txt").write_text("c\n")
        (tmp_path / "requirements.txt").write_text("# title\n\na==1  # why\n-r more.txt\nb @ https://x/y.zip#egg=b\n")
        made = Environment.from_pip_requirements("x", str(tmp_path / "requirements.txt"), pip_version="20.1")
        assert list(made.python.conda_dependencies.pip_packages) == ["a==1", "c", "b @ https://x/y.zip#egg=b"]
        assert "pip=20.1" in made.python.conda_dependencies.conda_packages

    def test_docker_image(self, tmp_path):
        registry = ContainerRegistry()
        made = Environment.from_docker_image("x", "image:1", registry)
        assert made.docker.base_image == "image:1"
        assert made.docker.base_image_registry is registry
        assert made.python.user_managed_dependencies is True
        (tmp_path / "r.txt").write_text("a\n")
        with_packages = Environment.from_docker_image("x", "image:1", pip_requirements=str(tmp_path / "r.txt"))
        assert with_packages.python.user_managed_dependencies is False
        with pytest.raises(UserErrorException, match="not both"):
            Environment.from_docker_image("x", "i", conda_specification="a", pip_requirements="b")

    def test_folder_round_trip(self, tmp_path):
        made = full_environment()
        made.docker.base_dockerfile = "FROM a\n"
        folder = tmp_path / "saved"
        made.save_to_directory(str(folder))
        assert sorted(path.name for path in folder.iterdir()) == ["BaseDockerfile", "azureml_environment.json", "conda_dependencies.yml"]
        stored = json.loads((folder / "azureml_environment.json").read_text())
        assert "condaDependencies" not in stored["python"]
        assert "baseDockerfile" not in stored["docker"]
        assert repr(Environment.load_from_directory(str(folder))) == repr(made)
        with pytest.raises(FileExistsError):
            made.save_to_directory(str(folder))
        made.docker.base_image = "b"
        made.save_to_directory(str(folder), overwrite=True)
        assert repr(Environment.load_from_directory(str(folder))) == repr(made)
        with pytest.raises(FileNotFoundError):
            Environment.load_from_directory(str(tmp_path / "nowhere"))

    def test_existing_conda_environment_without_conda(self, monkeypatch, caplog):
        monkeypatch.setenv("PATH", "")
        assert Environment.from_existing_conda_environment("x", "base") is None
        assert "can't be exported" in caplog.text

    def test_private_wheel(self, workspace, tmp_path):
        wheel = tmp_path / "a-1-py3-none-any.whl"
        wheel.write_bytes(b"w")
        url = Environment.add_private_pip_wheel(workspace, str(wheel))
        assert url.startswith("file:///")
        assert url.endswith("a-1-py3-none-any.whl")
        assert Environment.add_private_pip_wheel(workspace, str(wheel), exist_ok=True) == url
        with pytest.raises(UserErrorException, match="exist_ok"):
            Environment.add_private_pip_wheel(workspace, str(wheel))


class TestInAWorkspace:
    def test_same_content_keeps_its_version(self, workspace):
        made = Environment("x")
        assert made.register(workspace).version == "1"
        assert made.register(workspace).version == "1"
        made.python.conda_dependencies.add_pip_package("a")
        registered = made.register(workspace)
        assert registered.version == "2"
        assert repr(Environment.get(workspace, "x")) == repr(registered)
        assert Environment.get(workspace, "x", version="1").version == "1"
        assert Environment.get(workspace, "x", label="Latest").version == "2"
        assert EnvironmentReference("x", "1").get_environment(workspace).version == "1"

    def test_unknown_environments_say_404(self, workspace):
        with pytest.raises(Exception, match="Code: 404") as caught:
            Environment.get(workspace, "nothing")
        assert type(caught.value) is Exception
        with pytest.raises(UserErrorException):
            Environment.get(workspace, "x", version="1", label="Latest")

    @pytest.mark.parametrize(
        ("name", "python", "package"),
        [
            ("AzureML-sklearn-0.24-ubuntu18.04-py37-cpu", "3.7", "scikit-learn==0.24.*"),
            ("AzureML-Scikit-learn-0.20.3", "3.10.18", "scikit-learn==0.20.3"),
            ("AzureML-sklearn-1.5", "3.10.18", "scikit-learn==1.5.*"),
            ("AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu", "3.7", "lightgbm==3.2.*"),
            ("AzureML-PyTorch-1.6-CPU", "3.10.18", "torch==1.6.*"),
            ("AzureML-TensorFlow-2.x", "3.10.18", "tensorflow==2.*"),
            ("AzureML-Minimal", "3.10.18", "azureml-defaults"),
        ],
    )
    def test_ready_made_names_are_made_from_what_they_say(self, workspace, caplog, name, python, package):
        made = Environment.get(workspace, name)
        assert made.name == name
        assert made.python.conda_dependencies.get_python_version() == python
        assert package in made.python.conda_dependencies.pip_packages
        assert name in caplog.text

    def test_ready_made_names_are_reserved(self, workspace):
        made = Environment.get(workspace, "AzureML-Minimal")
        with pytest.raises(UserErrorException, match="clone"):
            made.register(workspace)
        assert made.clone("mine").register(workspace).name == "mine"

    def test_list_has_the_registered_and_the_ready_made(self, workspace):
        Environment("x").register(workspace)
        listed = Environment.list(workspace)
        assert listed["x"].version == "1"
        assert any(name.startswith("AzureML") for name in listed)

    def test_a_clone_is_not_registered(self, workspace):
        registered = Environment("x").register(workspace)
        twin = registered.clone("y")
        assert (twin.name, twin.version, twin.asset_id) == ("y", None, None)
        assert registered.version == "1"
        with pytest.raises(UserErrorException):
            registered.clone("")


class TestDatabricksCluster:
    @pytest.mark.parametrize("values", [{"existing_cluster_id": "x"}, {"num_workers": 1}, {"min_workers": 1, "max_workers": 2}])
    def test_valid(self, values):
        DatabricksCluster(**values).validate()

    @pytest.mark.parametrize(
        "values",
        [
            {},
            {"existing_cluster_id": "x", "num_workers": 1},
            {"num_workers": 1, "min_workers": 1},
            {"min_workers": 1},
            {"num_workers": 1, "node_type": "a", "instance_pool_id": "b"},
            {"num_workers": 1, "permit_cluster_restart": True},
        ],
    )
    def test_invalid(self, values):
        with pytest.raises(UserErrorException):
            DatabricksCluster(**values).validate()
