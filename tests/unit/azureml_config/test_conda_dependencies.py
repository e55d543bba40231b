"""The packages of an environment: what is added, replaced, removed, and written."""

from __future__ import annotations

import os

import pytest
import yaml

from azureml.core.conda_dependencies import CondaDependencies
from azureml.exceptions import UserErrorException


def test_default_content():
    made = CondaDependencies()
    assert made.as_dict() == {
        "name": "project_environment",
        "dependencies": ["python=3.8.13", {"pip": ["azureml-defaults"]}],
        "channels": ["anaconda", "conda-forge"],
    }
    assert made.get_python_version() == "3.8.13"


def test_packages_are_iterators():
    made = CondaDependencies.create(pip_packages=["a"], conda_packages=["b"])
    for shown in (made.pip_packages, made.conda_packages, made.conda_channels, made.pip_options):
        assert iter(shown) is shown
    assert list(made.conda_packages) == ["python=3.10.18", "b"]


def test_create_replaces_the_default_pip_list_only_when_there_is_one():
    assert list(CondaDependencies.create().pip_packages) == ["azureml-defaults"]
    assert list(CondaDependencies.create(pip_packages=["x==1"]).pip_packages) == ["x==1"]
    assert list(CondaDependencies.create(pip_packages=["x"]).pip_options) == []


def test_create_takes_python_from_the_conda_packages():
    made = CondaDependencies.create(conda_packages=["python=3.9", "pip", "numpy"])
    assert made.get_python_version() == "3.9"
    assert list(made.conda_packages) == ["python=3.9", "pip", "numpy"]


def test_one_text_is_no_list_of_packages():
    with pytest.raises(UserErrorException, match="list"):
        CondaDependencies.create(pip_packages="numpy")


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ("pandas==1.0", "pandas>=2", ["pandas>=2"]),
        ("scikit_learn==1", "Scikit-Learn", ["Scikit-Learn"]),
        ("dask[complete]", "dask==2", ["dask==2"]),
        ("torch", "torchvision", ["torch", "torchvision"]),
        ("git+ssh://host/a", "git+ssh://host/b", ["git+ssh://host/a", "git+ssh://host/b"]),
        ("./a.whl", "./b.whl", ["./a.whl", "./b.whl"]),
        ("a @ file:///a.whl", "a==2", ["a==2"]),
    ],
)
def test_a_pip_package_replaces_one_of_the_same_name(first, second, left):
    made = CondaDependencies.create(pip_packages=[])
    made.add_pip_package(first)
    made.add_pip_package(second)
    assert list(made.pip_packages) == left


def test_pip_options_are_set_apart():
    made = CondaDependencies.create(pip_indexurl="https://example.org/simple", pip_packages=["a"])
    assert list(made.pip_options) == ["--index-url https://example.org/simple"]
    made.set_pip_index_url("https://example.com/simple")
    made.set_pip_option("--pre")
    assert sorted(made.pip_options) == ["--index-url https://example.com/simple", "--pre"]
    made.remove_pip_option("--pre")
    assert list(made.pip_options) == ["--index-url https://example.com/simple"]
    assert list(made.pip_packages) == ["a"]
    with pytest.raises(UserErrorException, match="set_pip_option"):
        made.add_pip_package("--pre")


def test_conda_packages_and_channels_come_and_go():
    made = CondaDependencies()
    made.add_conda_package("conda-forge::numpy=1.2")
    made.add_conda_package("numpy=1.3")
    made.add_conda_package("python=3.11")
    assert list(made.conda_packages) == ["python=3.11", "numpy=1.3"]
    made.remove_conda_package("numpy")
    made.add_channel("mine")
    made.add_channel("mine")
    made.remove_channel("anaconda")
    assert list(made.conda_packages) == ["python=3.11"]
    assert list(made.conda_channels) == ["conda-forge", "mine"]
    with pytest.raises(UserErrorException, match="Python"):
        made.remove_conda_package("python")


def test_frameworks():
    made = CondaDependencies.create(pip_packages=[])
    made.add_tensorflow_pip_package()
    made.add_tensorflow_pip_package(core_type="gpu", version="2.4")
    made.add_tensorflow_conda_package()
    made.add_cntk_package()
    assert list(made.pip_packages) == ["tensorflow-gpu==2.4", "cntk==2.7"]
    assert "tensorflow=2.2.0" in made.conda_packages
    with pytest.raises(UserErrorException, match="core_type"):
        made.add_tensorflow_pip_package(core_type="tpu")


def test_serialized_text_is_the_specification_in_order():
    made = CondaDependencies.create(pip_packages=["a==1"], conda_packages=["numpy"])
    text = made.serialize_to_string()
    assert yaml.safe_load(text) == made.as_dict()
    assert text.index("name:") < text.index("dependencies:") < text.index("channels:")


def test_as_dict_is_a_copy():
    made = CondaDependencies()
    made.as_dict()["dependencies"].append("x")
    assert "x" not in made.conda_packages


def test_files(tmp_path):
    made = CondaDependencies.create(pip_packages=["a"])
    assert made.save_to_file(str(tmp_path)) == os.path.join(".azureml", "auto_conda_dependencies.yml")
    assert made.save_to_file(str(tmp_path), "x.yml") == "x.yml"
    assert made.save(str(tmp_path / "y.yml")) == str(tmp_path / "y.yml")
    for written in (tmp_path / ".azureml" / "auto_conda_dependencies.yml", tmp_path / "x.yml", tmp_path / "y.yml"):
        assert CondaDependencies(str(written)).as_dict() == made.as_dict()
    with pytest.raises(UserErrorException, match="folder"):
        made.save(str(tmp_path))


def test_a_specification_without_python_is_not_saved(tmp_path):
    source = tmp_path / "env.yml"
    source.write_text("dependencies: [numpy]\n")
    made = CondaDependencies(str(source))
    assert made.get_python_version() is None
    with pytest.raises(UserErrorException, match="set_python_version"):
        made.save(str(tmp_path / "out.yml"))
    assert not (tmp_path / "out.yml").exists()


@pytest.mark.parametrize("text", ["- a\n", "packages: [a]\n", "dependencies: a\n", "dependencies: [{conda: [a]}]\n"])
def test_what_is_no_conda_specification_is_refused_by_name(tmp_path, text):
    source = tmp_path / "env.yml"
    source.write_text(text)
    with pytest.raises(UserErrorException, match=r"env\.yml"):
        CondaDependencies(str(source))


def test_a_missing_file():
    with pytest.raises(FileNotFoundError):
        CondaDependencies("nowhere.yml")


def test_merge_requirements():
    assert CondaDependencies.merge_requirements(["a>=1", "b", "a<2", "c==1", "A>=1"]) == ["a>=1,<2", "b", "c==1"]
