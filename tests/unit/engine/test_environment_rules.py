"""The rules by which environments are chosen and built, without building any."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.environments import companions, conda, failures
from penstock.engine.environments.failures import (
    CONFLICT,
    NETWORK,
    NO_SPACE,
    NO_WHEEL,
    NOT_FETCHED,
    NOT_MADE,
    OFFLINE,
    OTHER,
    UNKNOWN,
    Unsolvable,
)
from penstock.engine.environments.indexes import uv_variables
from penstock.engine.environments.mapping import map_to_pip, names_of_azureml, names_of_conda
from penstock.engine.environments.relaxing import ANY, Line, at_least, find_next, give_way
from penstock.engine.environments.uv import find_uv
from penstock.model.requirements import Wanted, normal_name, parse_requirement

# conda's names in pip's


def mapped(*conda: str, pip: tuple[str, ...] = ()):
    return map_to_pip(Wanted("e", conda=conda, requirements=pip))


def lines(requirements) -> list[str]:
    return [one.line() for one in requirements]


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("pytorch=1.6.0", "torch==1.6.0.*"),
        ("py-xgboost=0.90", "xgboost==0.90.*"),
        ("opencv>=3.4", "opencv-python-headless>=3.4"),
        ("conda-forge::lightgbm=3.0.0=py37_0", "lightgbm==3.0.0"),
        ("tensorflow-gpu=2.2.0", "tensorflow==2.2.0.*"),
        ("pytables", "tables"),
        ("msgpack-python", "msgpack"),
        ("dask", "dask[complete]"),
        ("dask-core=2", "dask==2.*"),
        ("faiss-cpu=1.6", "faiss-cpu"),
        ("matplotlib-base", "matplotlib"),
        ("python-graphviz", "graphviz"),
    ],
)
def test_names_that_differ(conda, pip):
    assert lines(mapped(conda).needed) == [pip]


@pytest.mark.parametrize("name", ["cudatoolkit=10.1", "mkl", "_libgcc_mutex=0.1=main", "libgcc", "ca-certificates"])
def test_what_pip_does_not_need_is_left_out_or_guessed(name):
    found = mapped(name)
    assert not found.only_conda
    assert {one.name for one in found.needed} <= found.guessed


def test_what_only_conda_has_is_told():
    assert mapped("nodejs=12", "r-base", "six").only_conda == ("nodejs=12", "r-base")


def test_a_name_taken_over_is_a_guess():
    assert mapped("some-new-thing=1", "pandas").guessed == {"some-new-thing"}


def test_a_version_without_words_in_pip_is_told():
    (note,) = mapped("pandas=1.0|1.2").notes
    assert "pandas" in note


def test_the_table_is_sound():
    assert len(names_of_conda()) >= 150
    for name, target in names_of_conda().items():
        assert name == normal_name(name)
        assert target in (None, False) or parse_requirement(str(target).rstrip("*")).name


# azureml-* means Penstock


def test_our_packages_are_never_installed():
    found = mapped("azureml-sdk", pip=("azureml-defaults==1.5.0", "azureml-core", "azureml-dataprep[pandas,fuse]", "azureml-nonesuch>=2"))
    assert not any(str(one.name).startswith("azureml") for one in (*found.needed, *found.brought))
    assert lines(found.needed) == ["pyarrow", "pandas"]
    assert {"python-dateutil", "pytz", "requests"} <= {one.name for one in found.brought}


def test_what_is_asked_for_with_a_version_is_not_brought_without():
    found = mapped(pip=("azureml-dataprep[pandas]", "azureml-mlflow", "pandas==1.1.5", "pyarrow<1"))
    assert lines(found.needed) == ["pandas==1.1.5", "pyarrow<1", "mlflow-skinny"]
    assert found.brought == ()


def test_all_names_of_azureml_are_ours():
    assert all(name.startswith("azureml-") for name in names_of_azureml())


# Giving way

pins = st.from_regex(r"[a-c](==|>=|<=|<|~=)[1-9]\.[0-9]", fullmatch=True)


@given(pins, st.none() | st.just("7.7"))
def test_a_pin_gives_way_until_nothing_is_left(pin, nearest):
    line = Line(parse_requirement(pin), parse_requirement(pin))
    stages = []
    while line.can_give_way:
        line = give_way(line, nearest)
        stages.append(line.stage)
    assert line.stage == ANY
    assert stages == sorted(set(stages))
    assert not line.now.conditions
    assert line.asked.line() == pin


@pytest.mark.parametrize(
    ("asked", "bound"), [("a==1.2.*", ">=1.2"), ("a<1.2", ">=1.2"), ("a>=1,<2", ">=1"), ("a~=1.4", ">=1.4"), ("a!=1", ""), ("a", "")]
)
def test_what_a_requirement_means_at_least(asked, bound):
    assert at_least(parse_requirement(asked)).condition == bound


def test_the_one_that_was_named_and_gave_way_least_is_next():
    a, b, c = (Line(parse_requirement(text), parse_requirement(text)) for text in ("a==1", "b==1", "c"))
    assert find_next([a, b, c], ["b", "a"]) is b
    assert find_next([a, give_way(b, None), c], ["b", "a"]) is a
    assert find_next([a, b, c], ["c", "d"]) is None


# What old releases could not know


@pytest.mark.parametrize(
    ("solution", "holds"),
    [
        ({"pandas": "1.3.5", "numpy": "2.0.2"}, ["numpy<2"]),
        ({"pandas": "1.3.5", "numpy": "1.26.4"}, []),
        ({"pandas": "2.3.3", "numpy": "2.2.6"}, []),
        ({"scikit-learn": "0.24.2", "numpy": "1.24.4"}, ["numpy<1.24"]),
        ({"tensorflow": "2.5.0", "protobuf": "6.0", "numpy": "1.19.5"}, ["protobuf<3.21"]),
        ({"pandas": "1.3.5", "numpy": "unreadable"}, []),
        ({}, []),
    ],
)
def test_companions(solution, holds):
    assert companions.list_holds(solution) == holds


def test_what_azureml_packages_held_back_is_held_back_too():
    held = mapped(pip=("azureml-defaults",)).held
    assert "numpy<1.24" in held
    assert companions.list_holds({"numpy": "1.26.4"}, held) == ["numpy<1.24"]
    assert companions.list_holds({"numpy": "1.23.5"}, held) == []


# uv's words, of this version and of older ones

NO_SOLUTION = "error: No solution found when resolving dependencies\n  cause: "
FRAMED = "  \u00d7 No solution found when resolving dependencies:\n  \u2570\u2500\u25b6 "
MEANINGS = {
    NO_SOLUTION + "Because nosuch was not found in the package registry and you require nosuch, we can": (UNKNOWN, "nosuch"),
    FRAMED + "Because nosuch was not found in the package\n      registry and you require nosuch==1,": (UNKNOWN, "nosuch"),
    NO_SOLUTION + "Because scikit-learn==0.20.3 has no usable wheels and you require scikit-learn==0.20.3": (NO_WHEEL, "scikit-learn"),
    NO_SOLUTION + "Because tensorflow==1.15.0 has no wheels with a matching Python ABI tag (e.g., `cp310`)": (NO_WHEEL, "tensorflow"),
    NO_SOLUTION + "Because numpy>=1.16.0,<=1.16.6 has no usable wheels and only the following versions": (NO_WHEEL, "numpy"),
    NO_SOLUTION + "Because all versions of fbprophet have no usable wheels and you require fbprophet": (NO_WHEEL, "fbprophet"),
    NO_SOLUTION + "Because pandas==1.5.3 depends on numpy>=1.21.0 and you require numpy<1.20": (CONFLICT, None),
    NO_SOLUTION + "Because there is no version of pandas==99 and you require pandas==99": (CONFLICT, None),
    NO_SOLUTION + "Because torch was not found in the cache and you require torch\nhint: the network was disabled.": (OFFLINE, "torch"),
    "error: Failed to build `pandas==0.25.3`\n  cause: The build backend returned an error\n": (NOT_MADE, "pandas"),
    "  \u00d7 Failed to download and build `pandas==0.25.3`\n  \u2570\u2500\u25b6 The build backend": (NOT_MADE, "pandas"),
    "error: Failed to download and build `x @ git+https://h/x.git`\n  cause: Git operation failed": (NOT_FETCHED, "x"),
    "error: Failed to fetch: `http://h/simple/a/`\n  Caused by: error sending request for url (http://h/simple/a/)": (NETWORK, None),
    "error: Failed to fetch: `https://h/simple/a/`\n  Caused by: HTTP status client error (403 Forbidden)": (OTHER, None),
    "error: Git operation failed\n  cause: failed to clone": (NOT_FETCHED, None),
    "error: Request failed after 3 retries in 8.6s\n  cause: error sending request for url\n  cause: tcp connect error": (NETWORK, None),
    "error: failed to copy file\n cause: No space left on device (os error 28)": (NO_SPACE, None),
}


@pytest.mark.parametrize(("words", "meaning"), MEANINGS.items())
def test_what_uv_means(words, meaning):
    failure = failures.read_failure(words.splitlines())
    assert (failure.meaning, failure.name) == meaning


def test_the_reason_of_a_failed_make_is_its_exception():
    lines = [
        "error: Failed to build `a==1`",
        "  Traceback:",
        "   ImportError: needs numpy",
        "   see the manual",
        "hint: uv says",
        "   much",
    ]
    assert failures.read_failure(lines).reason == "ImportError: needs numpy"


def test_those_that_are_required_are_named_first():
    words = "Because pandas==1.5.3 depends on numpy>=1.21.0 and you require numpy<1.20, and because you require pandas==1.5.3"
    assert failures.list_named(words) == ["numpy", "pandas"]


@given(st.lists(st.text(max_size=60), max_size=6))
def test_whatever_uv_says_has_a_meaning(lines):
    assert failures.read_failure(lines).meaning


# Where packages come from


@pytest.fixture
def users_home(tmp_path: Path) -> Path:
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    return tmp_path


def write_pip_settings(home: Path, text: str) -> None:
    (home / ".config" / "pip" / "pip.conf").write_text(text)


def variables(home: Path, **environment: str) -> dict[str, str]:
    return uv_variables({"HOME": str(home), "XDG_CONFIG_DIRS": "", **environment})


def test_pips_settings_are_uvs(users_home):
    write_pip_settings(
        users_home,
        "[global]\nindex-url = https://me:word@h/simple\nextra-index-url =\n    https://a/simple\n    https://b/simple\n"
        "[install]\nfind-links = /w1 /w2\ntrusted-host = h\n",
    )
    found = variables(users_home)
    assert found["UV_DEFAULT_INDEX"] == "https://me:word@h/simple"
    assert found["UV_INDEX"] == "https://a/simple https://b/simple"
    assert found["UV_FIND_LINKS"] == "/w1,/w2"
    assert found["UV_INSECURE_HOST"] == "h"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_pips_variables_go_before_its_files(users_home):
    write_pip_settings(users_home, "[global]\nindex-url = https://file/simple\nno-index = true\n")
    found = variables(users_home, PIP_INDEX_URL="https://variable/simple", PIP_NO_INDEX="false")
    assert found["UV_DEFAULT_INDEX"] == "https://variable/simple"
    assert "UV_NO_INDEX" not in found


def test_what_uv_is_told_goes_before_pips_settings(users_home):
    write_pip_settings(users_home, "[global]\nindex-url = https://pip/simple\nfind-links = /w\n")
    found = variables(users_home, UV_DEFAULT_INDEX="https://uv/simple", UV_FIND_LINKS="/u", UV_INDEX_STRATEGY="first-index")
    assert not found.keys() & {"UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY"}
    for name in ("UV_INDEX_URL", "UV_INDEX", "UV_NO_INDEX"):
        assert "UV_DEFAULT_INDEX" not in variables(users_home, **{name: "1"})


def test_uvs_own_file_goes_before_pips_settings(users_home):
    write_pip_settings(users_home, "[global]\nindex-url = https://pip/simple\nproxy = http://proxy\n")
    (users_home / ".config" / "uv").mkdir()
    (users_home / ".config" / "uv" / "uv.toml").write_text('[[index]]\nurl = "https://uv/simple"\n')
    found = variables(users_home)
    assert "UV_DEFAULT_INDEX" not in found
    assert found["ALL_PROXY"] == "http://proxy"


def test_a_broken_file_of_pip_counts_for_nothing(users_home):
    write_pip_settings(users_home, "index-url = nowhere\n[glo")
    assert "UV_DEFAULT_INDEX" not in variables(users_home)


def test_without_uv_it_is_said_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsolvable) as raised:
        find_uv()
    assert "pip install uv" in raised.value.reason
    assert "PENSTOCK_ENVIRONMENT_POLICY" in raised.value.reason


# conda's engines


def test_the_quickest_engine_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert conda.find_engine() is None
    for name, script in {"conda": "echo conda 4.9.2", "mamba": "echo 2.0", "micromamba": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    assert conda.find_engine() == str(tmp_path / "mamba"), "the quickest that works"


def test_the_command_of_an_engine():
    command = conda.command_line("/x/mamba", Path("/e"), ("python=3.7", "r-base>=4"), ("conda-forge", "pytorch"))
    assert command == [
        *("/x/mamba", "create", "--yes", "--quiet", "--prefix", "/e/env", "--channel", "conda-forge", "--channel", "pytorch", "--"),
        *("python=3.7", "r-base>=4"),
    ]
    assert conda.command_line("/x/pixi", Path("/e"), ("a",), ())[:5] == ["/x/pixi", "exec", "--spec", "micromamba", "micromamba"]
