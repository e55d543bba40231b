"""v1's ready-made environments, `AzureML-...`: made up from the frameworks and versions that their names tell."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from azureml.core._environment_sections import DEFAULT_GPU_IMAGE
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import Environment

PREFIX = "AzureML-"
VERSION = "1"

# Names that scripts use, shown by Environment.list.
KNOWN_NAMES = (
    "AzureML-Minimal",
    "AzureML-Tutorial",
    "AzureML-sklearn-1.5",
    "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
    "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu",
    "AzureML-xgboost-0.9-ubuntu18.04-py37-cpu",
    "AzureML-PyTorch-1.6-CPU",
    "AzureML-TensorFlow-2.3-CPU",
)

# The word in the name, in lower case, and the packages it means; the first one gets the version.
_FRAMEWORKS = (
    ("scikit-learn", ("scikit-learn", "pandas", "joblib")),
    ("sklearn", ("scikit-learn", "pandas", "joblib")),
    ("lightgbm", ("lightgbm", "scikit-learn", "pandas")),
    ("xgboost", ("xgboost", "scikit-learn", "pandas")),
    ("pytorch", ("torch", "torchvision")),
    ("tensorflow", ("tensorflow",)),
    ("chainer", ("chainer",)),
    ("onnxruntime", ("onnxruntime",)),
    ("deepspeed", ("deepspeed", "torch")),
    ("dask", ("dask",)),
    ("pyspark", ("pyspark",)),
    ("responsibleai", ("responsibleai",)),
    ("tutorial", ("scikit-learn", "pandas", "matplotlib")),
    ("automl", ("scikit-learn", "pandas")),
)


def is_curated(name: object) -> bool:
    """Tell whether a name is one of v1's ready-made environments."""
    return isinstance(name, str) and name.lower().startswith(PREFIX.lower())


def make_curated(name: str, version: Optional[str] = None) -> Environment:
    """Return the environment that a ready-made name describes."""
    packages, python = _packages(name), _python_version(name)
    environment = Environment(name)
    environment.version = version or VERSION
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=packages, conda_packages=["pip"])
    if python:
        environment.python.conda_dependencies.set_python_version(python)
    if re.search(r"gpu|cuda", name, re.IGNORECASE):
        environment.docker.base_image = DEFAULT_GPU_IMAGE
    return environment


def _packages(name: str) -> List[str]:
    described = _described_framework(name.lower())
    if described is None:
        return ["azureml-defaults"]
    (first, *others), version = described
    return ["azureml-defaults", first + _condition(version), *others]


def _described_framework(name: str) -> Optional[Tuple[Tuple[str, ...], str]]:
    for word, packages in _FRAMEWORKS:
        found = re.search(rf"{re.escape(word)}(?:-(\d+(?:\.(?:\d+|x))*))?", name)
        if found:
            return packages, found.group(1) or ""
    return None


def _condition(version: str) -> str:
    numbers = version.split(".x")[0]
    if not numbers:
        return ""
    return f"=={numbers}" if numbers.count(".") >= 2 else f"=={numbers}.*"


def _python_version(name: str) -> Optional[str]:
    found = re.search(r"py(3)\.?(\d+)", name.lower())
    return f"{found.group(1)}.{found.group(2)}" if found else None
