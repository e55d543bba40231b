# ruff: noqa: S105  # the passwords here are made up
"""Run configurations: sections, documents, files."""

from __future__ import annotations

import copy
import json
import pickle
from types import SimpleNamespace

import pytest
import yaml

from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import Environment, EnvironmentReference
from azureml.core.runconfig import (
    DEFAULT_CPU_IMAGE,
    Data,
    DataLocation,
    DataReferenceConfiguration,
    Dataset,
    DockerConfiguration,
    EnvironmentDefinition,
    MpiConfiguration,
    OutputData,
    OutputOptions,
    PyTorchConfiguration,
    RegistrationOptions,
    RunConfiguration,
    from_document,
    to_document,
)
from azureml.exceptions import RunConfigurationException, UserErrorException

ORDER = [
    "script",
    "arguments",
    "target",
    "framework",
    "communicator",
    "maxRunDurationSeconds",
    "nodeCount",
    "priority",
    "environment",
    "history",
    "spark",
    "docker",
    "hdi",
    "tensorflow",
    "mpi",
    "pytorch",
    "paralleltask",
    "dataReferences",
    "data",
    "datacaches",
    "outputData",
    "sourceDirectoryDataStore",
    "amlcompute",
    "autoClusterComputeSpecification",
    "kubernetescompute",
    "credentialPassthrough",
    "command",
    "environmentVariables",
    "applicationEndpoints",
]


def configured() -> RunConfiguration:
    made = RunConfiguration(script="train.py", arguments=["--rate", 0.1])
    made.target = "cpu-cluster"
    made.environment.docker.enabled = True
    made.environment.docker.base_image = DEFAULT_CPU_IMAGE
    made.environment.python.user_managed_dependencies = False
    made.environment.python.conda_dependencies = CondaDependencies.create(conda_packages=["numpy"], pip_packages=["a"])
    made.environment_variables = {"some_variable": "1", "OTHER-one": "2"}
    made.data_references = {"in": DataReferenceConfiguration("store", path_on_datastore="p")}
    made.data["d"] = Data(DataLocation(dataset=Dataset("id-1")), mechanism="mount")
    registration = RegistrationOptions("n", tags={"Some_Tag": "x"})
    made.output_data["o"] = OutputData(additional_options=OutputOptions(registration_options=registration))
    made.node_count = 2
    made.mpi = MpiConfiguration(4)
    made.docker = DockerConfiguration(use_docker=True)
    return made


def test_defaults():
    made = RunConfiguration()
    assert (made.script, made.arguments, made.command, made.target) == (None, [], "", "local")
    assert (made.framework, made.communicator, made.node_count) == ("Python", "None", 1)
    assert made.environment.name == "default-environment"
    assert made.history.directories_to_watch == ["logs"]
    assert made.docker.shm_size == "2g"
    assert made.pytorch.communication_backend == "nccl"
    assert made.spark.configuration["spark.yarn.maxAppAttempts"] == 1


def test_two_configurations_share_nothing():
    one, other = RunConfiguration(), RunConfiguration()
    one.arguments.append("x")
    one.docker.arguments.append("x")
    one.history.directories_to_watch.append("x")
    assert to_document(other) == to_document(RunConfiguration())


@pytest.mark.parametrize("name", ["enviroment", "docker_enabled", "arguments_"])
def test_a_typing_error_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"RunConfiguration has no attribute {name}"):
        setattr(RunConfiguration(), name, 1)


def test_every_section_is_closed():
    made = configured()
    sections = [value for value in vars(made).values() if hasattr(value, "_fields")]
    assert len(sections) >= 10
    for section in sections:
        with pytest.raises(AttributeError):
            section.no_such_setting = 1


@pytest.mark.parametrize("again", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301
def test_copies_are_equal_independent_and_closed(again):
    made = configured()
    twin = again(made)
    assert to_document(twin) == to_document(made)
    twin.environment.python.conda_dependencies.add_pip_package("z")
    assert to_document(twin) != to_document(made)
    with pytest.raises(AttributeError):
        twin.mpi.nodes = 1


def test_target_takes_a_compute_target_or_a_name():
    made = RunConfiguration()
    made.target = SimpleNamespace(name="gpu")
    assert made.target == "gpu"
    with pytest.raises(UserErrorException):
        made.target = 7


def test_conda_dependencies_and_history_of_the_constructor():
    made = RunConfiguration(conda_dependencies=CondaDependencies.create(pip_packages=["q"]), _history_enabled=False)
    assert list(made.environment.python.conda_dependencies.pip_packages) == ["q"]
    assert made.history.output_collection is False


def test_pytorch_backends():
    assert PyTorchConfiguration("Gloo").communication_backend == "gloo"
    with pytest.raises(RunConfigurationException, match="Mpi"):
        PyTorchConfiguration("Mpi")


def test_old_environment_definition_needs_no_name():
    assert EnvironmentDefinition().name is None


class TestDocument:
    def test_keys_and_their_order(self):
        assert list(to_document(configured())) == ORDER
        assert json.loads(repr(configured())) == to_document(configured())

    def test_the_environment_is_inlined_with_conda(self):
        environment = to_document(configured())["environment"]
        assert environment["python"]["condaDependencies"]["dependencies"][1] == {"pip": ["a"]}

    def test_json_round_trip(self):
        document = json.loads(json.dumps(to_document(configured())))
        made = from_document(document)
        assert to_document(made) == document
        assert isinstance(made.data_references["in"], DataReferenceConfiguration)
        assert made.output_data["o"].additional_options.registration_options.tags == {"Some_Tag": "x"}

    def test_keys_of_any_case_and_names_of_the_user(self):
        made = from_document({"node_count": 3, "EnvironmentVariables": {"a_b": "1", "cD": "2"}, "mpi": {"process_count_per_node": 2}})
        assert made.node_count == 3
        assert made.environment_variables == {"a_b": "1", "cD": "2"}
        assert made.mpi.process_count_per_node == 2

    def test_an_unknown_key_is_noted_with_the_nearest_one(self, caplog):
        from_document({"nodeCoun": 3})
        assert "'nodeCoun'" in caplog.text
        assert "'nodeCount'" in caplog.text

    def test_a_key_of_v1s_first_files_is_no_typing_error(self, caplog):
        from_document({"autoPrepareEnvironment": True, "environment": {"docker": {"gpuSupport": False}}})
        assert "'autoPrepareEnvironment' of a RunConfiguration is deprecated" in caplog.text
        assert "'gpuSupport' of a DockerSection is deprecated" in caplog.text
        assert "Did you mean" not in caplog.text

    def test_a_reference_to_an_environment_stays_one(self):
        made = RunConfiguration()
        made.environment = EnvironmentReference("e", "2")
        twin = from_document(to_document(made))
        assert isinstance(twin.environment, EnvironmentReference)
        assert twin.environment.version == "2"

    def test_consumed_datasets_become_data(self):
        made = RunConfiguration()
        consumed = SimpleNamespace(dataset=SimpleNamespace(id="i", name="n", version=3), mode="mount", name="in", path_on_compute="/p")
        made.data["in"] = consumed
        shown = to_document(made)["data"]["in"]
        assert shown["dataLocation"]["dataset"] == {"id": "i", "name": "n", "version": "3"}
        assert (shown["mechanism"], shown["environmentVariableName"], shown["pathOnCompute"]) == ("mount", "in", "/p")
        assert made.data["in"] is consumed
        with pytest.raises(UserErrorException):
            Data.create("x")

    def test_references_that_can_describe_themselves_do(self):
        made = RunConfiguration()
        made.data_references["r"] = SimpleNamespace(to_config=lambda: DataReferenceConfiguration("s"))
        assert to_document(made)["dataReferences"]["r"]["dataStoreName"] == "s"


class TestFiles:
    def test_folder_and_name(self, tmp_path):
        made = configured()
        made.save(str(tmp_path), "mine")
        file = tmp_path / ".azureml" / "mine"
        assert list(yaml.safe_load(file.read_text())) == ORDER
        assert "condaDependencies" not in yaml.safe_load(file.read_text())["environment"]["python"]
        conda = yaml.safe_load((tmp_path / ".azureml" / "conda_dependencies.yml").read_text())
        assert conda == made.environment.python.conda_dependencies.as_dict()
        loaded = RunConfiguration.load(str(tmp_path), "mine")
        expected = to_document(made)
        expected["environment"]["python"]["condaDependenciesFile"] = "conda_dependencies.yml"
        assert to_document(loaded) == expected

    def test_file_path_and_old_folder(self, tmp_path):
        (tmp_path / "aml_config").mkdir()
        configured().save(str(tmp_path), "a.runconfig")
        assert RunConfiguration.load(str(tmp_path), "a").script == "train.py"
        configured().save(str(tmp_path / "b.runconfig"))
        assert RunConfiguration.load(str(tmp_path / "b.runconfig")).script == "train.py"
        assert RunConfiguration.load(str(tmp_path), "b").script == "train.py"

    def test_separate_environment(self, tmp_path):
        made = configured()
        made.save(str(tmp_path), "c", separate_environment_yaml=True)
        assert yaml.safe_load((tmp_path / ".azureml" / "c").read_text())["environment"] == "environment.yml"
        loaded = RunConfiguration.load(str(tmp_path), "c")
        assert isinstance(loaded.environment, Environment)
        assert list(loaded.environment.python.conda_dependencies.pip_packages) == ["a"]

    def test_comments_stay(self, tmp_path):
        file = tmp_path / "d.runconfig"
        configured().save(str(file))
        text = file.read_text().replace("nodeCount: 2", "# how wide\nnodeCount: 2  # two")
        file.write_text("# mine\n" + text.replace("  python:", "  # packages\n  python:") + "# the end\n")
        loaded = RunConfiguration.load(str(file))
        loaded.node_count = 5
        loaded.save()
        lines = file.read_text().splitlines()
        assert lines[0] == "# mine"
        assert lines[-1] == "# the end"
        assert lines[lines.index("# how wide") + 1] == "nodeCount: 5  # two"
        assert lines[lines.index("  # packages") + 1] == "  python:"

    def test_a_secret_is_kept_in_a_file_of_ones_own_only(self, tmp_path):
        made = configured()
        made.environment.docker.base_image_registry.password = "hush"
        assert "hush" not in json.dumps(to_document(made))
        made.save(str(tmp_path / "e.runconfig"))
        assert RunConfiguration.load(str(tmp_path / "e.runconfig")).environment.docker.base_image_registry.password == "hush"

    def test_layout_of_the_first_releases(self, tmp_path):
        (tmp_path / "conda_dependencies.yml").write_text("dependencies: [python=3.9, {pip: [old]}]\n")
        old = "ArgumentVector:\n- train.py\n- --x\nTarget: cluster\nFramework: PySpark\nCondaDependenciesFile: conda_dependencies.yml\n"
        (tmp_path / "old.runconfig").write_text(old)
        made = RunConfiguration.load(str(tmp_path), "old")
        assert (made.script, made.arguments, made.target, made.framework) == ("train.py", ["--x"], "cluster", "PySpark")
        assert list(made.environment.python.conda_dependencies.pip_packages) == ["old"]

    def test_what_is_not_there_is_named_with_the_places(self, tmp_path):
        with pytest.raises(UserErrorException, match="Looked for"):
            RunConfiguration.load(str(tmp_path), "none")
        with pytest.raises(UserErrorException, match="its name"):
            RunConfiguration.load(str(tmp_path))
        with pytest.raises(UserErrorException, match="a name"):
            RunConfiguration().save(str(tmp_path))
        with pytest.raises(UserErrorException):
            RunConfiguration.delete(str(tmp_path), "none")

    def test_a_broken_reference_names_the_file(self, tmp_path):
        (tmp_path / "f.runconfig").write_text("environment:\n  python:\n    condaDependenciesFile: gone.yml\n")
        with pytest.raises(UserErrorException, match=r"gone\.yml"):
            RunConfiguration.load(str(tmp_path / "f.runconfig"))

    def test_delete(self, tmp_path):
        configured().save(str(tmp_path), "g.runconfig")
        RunConfiguration.delete(str(tmp_path), "g")
        assert not (tmp_path / ".azureml" / "g.runconfig").exists()


@pytest.mark.parametrize("value", ["x", {"dependencies": []}])
def test_conda_dependencies_must_be_such(value):
    with pytest.raises(UserErrorException, match="conda_dependencies must be CondaDependencies, not a"):
        RunConfiguration(conda_dependencies=value)
