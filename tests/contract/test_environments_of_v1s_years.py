"""Environments as projects of 2018 to 2021 pin them, built from the package index on the Pythons they name. Skipped where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.client.home import Home
from penstock.engine.environments import BUILD, Built, build, choose
from penstock.engine.environments.choice import Choice, Plan
from penstock.engine.environments.interpreters import Interpreter, list_interpreters
from penstock.engine.environments.uv import find_uv, uv_environment
from penstock.model.requirements import parse_environment

SECONDS_FOR_AN_ANSWER = 30

FIT = """
import warnings
warnings.simplefilter("ignore")
import numpy, pandas, sklearn
from sklearn.linear_model import LinearRegression
table = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
slope = LinearRegression().fit(table[["x"]], table["y"]).coef_[0]
table.describe()
print(sklearn.__version__, pandas.__version__, round(slope, 3))
"""


@pytest.fixture(scope="module")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where uv can't find a tiny package."""
    folder = tmp_path_factory.mktemp("asking")
    (folder / "six.in").write_text("six\n")
    command = [find_uv(), "pip", "compile", "--quiet", "--no-header", "six.in"]
    try:
        done = subprocess.run(
            command, cwd=folder, env=uv_environment(), capture_output=True, text=True, check=False, timeout=SECONDS_FOR_AN_ANSWER
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"the package index does not answer within {SECONDS_FOR_AN_ANSWER} s")
    if done.returncode:
        pytest.skip(f"there is no package index: {done.stderr.strip()[-200:]}")


@pytest.fixture
def place(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def installed_python(minor: tuple[int, int]) -> Interpreter:
    found = next((one for one in list_interpreters() if one.minor == minor), None)
    return found or pytest.skip(f"Python {minor[0]}.{minor[1]} is not installed")


def built(home: Home, python: str, *pip: str, conda: tuple[str, ...] = (), policy: str = "compatible") -> Built:
    document = {"python": {"condaDependencies": {"dependencies": [f"python={python}", "pip", *conda, {"pip": list(pip)}]}}}
    choice = choose(parse_environment(document), policy, sys.executable, home)
    assert choice.kind == BUILD
    return build(home, choice, policy, lambda: None)


def says(environment: Built, code: str) -> str:
    return subprocess.run([environment.interpreter, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.usefixtures("package_index")
@pytest.mark.parametrize("policy", [pytest.param("exact", marks=pytest.mark.long), "compatible"])
def test_pins_of_2019_on_their_own_python(place, policy):
    installed_python((3, 7))
    pins = ("azureml-sdk", "azureml-dataprep[pandas,fuse]", "scikit-learn==0.20.3", "pandas==0.25.3", "numpy<1.20  # of its time")
    environment = built(place, "3.7", *pins, policy=policy)
    assert says(environment, FIT) == "0.20.3 0.25.3 2.0"
    assert environment.notes == ()
    assert not any(line.startswith("azureml") for line in environment.requirements)


@pytest.mark.long
@pytest.mark.usefixtures("package_index")
def test_a_conda_specification_of_2021(place):
    installed_python((3, 8))
    environment = built(
        place, "3.8.10", "azureml-defaults", conda=("scikit-learn=0.24.2", "conda-forge::pandas>=1.1,<1.3", "cudatoolkit=10.1")
    )
    assert says(environment, FIT).startswith("0.24.2 1.2.")


@pytest.mark.long
@pytest.mark.usefixtures("package_index")
def test_numpy_is_held_back_for_releases_before_its_changes(place):
    installed_python((3, 9))
    assert says(built(place, "3.9", "pandas==1.3.5", "scikit-learn==1.0.2", policy="exact"), FIT) == "1.0.2 1.3.5 2.0"


@pytest.mark.long
@pytest.mark.usefixtures("package_index")
def test_pins_of_2019_on_a_later_python(place):
    installed_python((3, 10))
    environment = built(place, "3.10", "scikit-learn==0.20.3", "pandas==0.25.3", "numpy<1.20")
    assert says(environment, FIT) == "1.0.2 1.3.3 2.0"
    assert len(environment.notes) == 3


@pytest.mark.long
@pytest.mark.usefixtures("package_index")
@pytest.mark.parametrize("minor", [(3, number) for number in range(6, 14)], ids=lambda minor: ".".join(map(str, minor)))
def test_every_python_can_be_built_on(place, minor):
    base = installed_python(minor)
    choice = Choice(BUILD, None, base.text, f"key-{base.number}", {"name": "e"}, (), Plan(base.path, requirements=("six",)))
    environment = build(place, choice, "exact", lambda: None)
    assert says(environment, "import six, pip, sys; print('%d.%d' % sys.version_info[:2])") == ".".join(map(str, minor))
