"""What an environment asks for: lines for pip, packages for conda, and v1's document around them."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.requirements import Requirement as Packaged
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from azureml.core import Environment
from azureml.core.conda_dependencies import CondaDependencies
from penstock.model.errors import Invalid
from penstock.model.requirements import (
    Requirement,
    conda_condition,
    hide_credentials,
    is_ours,
    parse_conda,
    parse_environment,
    parse_lines,
    parse_requirement,
)

# Words that requirements are made of.

names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,12}[A-Za-z0-9])?", fullmatch=True).filter(
    lambda name: not name.lower().endswith("whl")
)
versions = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?", fullmatch=True)
conditions = st.lists(st.tuples(st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]), versions), max_size=3)
extras = st.lists(names, max_size=2)
markers = st.sampled_from(["", 'python_version < "3.8"', "sys_platform == 'linux' and python_version >= '3.6'"])
gaps = st.sampled_from(["", " ", "  "])


@st.composite
def lines(draw) -> str:
    gap = draw(gaps)
    text = draw(names) + gap
    chosen = draw(extras)
    text += f"[{','.join(chosen)}]" if chosen else ""
    text += gap + f",{gap}".join(f"{operator}{gap}{version}" for operator, version in draw(conditions))
    marker = draw(markers)
    return text + (f"{gap or ' '}; {marker}" if marker else "") + draw(st.sampled_from(["", "  # why", "\t#x"]))


@given(lines())
def test_a_line_means_what_pip_reads(line):
    (text,), options = parse_lines([line])
    theirs = Packaged(line.split("#")[0].strip())
    ours = parse_requirement(text)
    assert ours.name == canonicalize_name(theirs.name)
    assert set(ours.extras) == {canonicalize_name(extra) for extra in theirs.extras}
    assert SpecifierSet(ours.condition) == theirs.specifier
    assert bool(ours.marker) == bool(theirs.marker)
    assert not options


@given(lines())
def test_a_requirement_reads_its_own_line(line):
    (text,), _ = parse_lines([line])
    once = parse_requirement(text)
    assert parse_requirement(once.line()) == once
    Packaged(once.line())


@given(st.text(string.printable, max_size=40))
@example("pandas=1.1.5")
@example("-e")
@example("--index-url")
@example("'")
@example("\\")
@example("a @")
@example("a[")
@example("@ b")
def test_whatever_stands_there_is_read_or_refused_by_name(line):
    with contextlib.suppress(Invalid):
        requirements, options = parse_lines([line])
        assert all(parse_requirement(text).line() == text for text in requirements)
        assert all(option.startswith("-") for option in options)


@given(st.text(string.printable, max_size=30))
def test_conda_packages_are_read_or_refused(text):
    with contextlib.suppress(Invalid):
        SpecifierSet(conda_condition(parse_conda(text).version))


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("scikit-learn==0.20.3", Requirement("scikit-learn", (), (("==", "0.20.3"),))),
        ("Scikit_Learn == 0.20.3", Requirement("scikit-learn", (), (("==", "0.20.3"),))),
        ("pandas (>=1.0, <2)", Requirement("pandas", (), ((">=", "1.0"), ("<", "2")))),
        ("azureml-dataprep[pandas,fuse]~=2.1", Requirement("azureml-dataprep", ("fuse", "pandas"), (("~=", "2.1"),))),
        ("numpy<1.20;python_version<'3.8'", Requirement("numpy", (), (("<", "1.20"),), None, "python_version<'3.8'")),
        ("six==1.15.0 --hash=sha256:abc --hash=sha256:def", Requirement("six", (), (("==", "1.15.0"),))),
        ("x @ https://h/x-1.whl ; os_name=='posix'", Requirement("x", (), (), "https://h/x-1.whl", "os_name=='posix'")),
        ("git+https://h/o/my_pkg.git@v1#egg=My_Pkg[a]", Requirement("my-pkg", ("a",), (), "git+https://h/o/my_pkg.git@v1")),
        ("git+https://h/o/p.git#egg=p&subdirectory=sub", Requirement("p", (), (), "git+https://h/o/p.git#subdirectory=sub")),
        ("git+ssh://git@h/o/p.git", Requirement(None, (), (), "git+ssh://git@h/o/p.git")),
        ("/wheels/x-1.0-py3-none-any.whl", Requirement(None, (), (), "/wheels/x-1.0-py3-none-any.whl")),
        ("file:///wheels/x-1.0-py3-none-any.whl", Requirement(None, (), (), "file:///wheels/x-1.0-py3-none-any.whl")),
    ],
)
def test_lines_of_real_projects(line, means):
    assert parse_requirement(line) == means


def test_options_get_their_long_names_and_comments_go():
    requirements, options = parse_lines(
        [
            "# all",
            "",
            "-i https://h/simple",
            "--extra-index-url=https://e/simple  # more",
            "--pre",
            "-f /wheels",
            "pandas # tables",
            "dask\\",
            ">=2",
        ]
    )
    assert requirements == ("pandas", "dask>=2")
    assert options == ("--index-url https://h/simple", "--extra-index-url https://e/simple", "--pre", "--find-links /wheels")


def test_two_options_on_one_line():
    assert parse_lines(["--index-url https://a --extra-index-url https://b"])[1] == ("--index-url https://a", "--extra-index-url https://b")


def test_an_editable_requirement_is_one():
    assert parse_lines(["-e git+https://h/o/p.git#egg=p"]) == (("p @ git+https://h/o/p.git",), ())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-r requirements.txt", "from_pip_requirements"),
        ("-c constraints.txt", "constraints"),
        ("-e .", "relative path"),
        ("./wheels/x-1.0-py3-none-any.whl", "add_private_pip_wheel"),
        ("pandas=1.1.5", "Did you mean 'pandas==1.1.5'"),
        ("pandas>>1", "pandas==1.1.5"),
        ("--index-url", "lacks its value"),
    ],
)
def test_what_can_not_be_read_is_named(line, words):
    with pytest.raises(Invalid) as raised:
        parse_lines([line])
    assert line.removeprefix("-e ") in raised.value.message
    assert words in raised.value.message


def test_credentials_stay_out_of_messages_and_values():
    address = "git+https://me:secret@h/o/p.git"
    assert hide_credentials(address) == "git+https://***@h/o/p.git"
    assert "secret" not in repr(parse_requirement(address))
    with pytest.raises(Invalid) as raised:
        parse_requirement("pandas>> https://me:secret@h")
    assert "secret" not in raised.value.message
    document = make_document(["pandas", "--index-url https://me:secret@h/simple", address])
    assert "secret" not in repr(parse_environment(document))


HUSH = "ab-0f3c7d52-9a44-4c1e-8f0e-1d2c3b4a5968"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"https://conda.example.com/t/{HUSH}/team", "https://conda.example.com/t/***/team"),
        ("https://me:hush@h:8080/simple", "https://***@h:8080/simple"),
        ("https://h/t/short/x.whl", "https://h/t/short/x.whl"),
    ],
)
def test_what_opens_an_address_is_not_shown(address: str, shown: str) -> None:
    assert hide_credentials(address) == shown


@pytest.mark.parametrize(
    "line", [f"-r https://{HUSH}@h/lines.txt", f"--requirement=https://me:{HUSH}@h/x", f"wheels/x.whl#https://{HUSH}@h"]
)
def test_no_message_shows_what_opens_an_address(line: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_lines([line])
    assert HUSH not in str(caught.value)


def test_nor_does_that_about_a_package_of_conda() -> None:
    with pytest.raises(Invalid) as caught:
        parse_conda(f"https://conda.example.com/t/{HUSH}/team::!")
    assert HUSH not in str(caught.value)


# conda


@pytest.mark.parametrize(
    ("text", "name", "condition"),
    [
        ("pandas", "pandas", ""),
        ("pandas=1.1.5", "pandas", "==1.1.5.*"),
        ("pandas==1.1.5", "pandas", "==1.1.5"),
        ("pandas=1.1.5=py37_0", "pandas", "==1.1.5"),
        ("pandas>=1.0,<2", "pandas", ">=1.0,<2"),
        ("pandas >= 1.0, < 2", "pandas", ">=1.0,<2"),
        ("pandas 1.1.*", "pandas", "==1.1.*"),
        ("pandas 1.1.5 py37_0", "pandas", "==1.1.5"),
        ("pandas=1.1.*", "pandas", "==1.1.*"),
        ("pandas=*", "pandas", ""),
        ("conda-forge::lightgbm>=3", "lightgbm", ">=3"),
        ("defaults/linux-64::lightgbm=3.0", "lightgbm", "==3.0.*"),
        ("pandas[version='>=1.0,<2']", "pandas", ">=1.0,<2"),
        ("pandas=1.0|1.2", "pandas", ""),
        ("_libgcc_mutex=0.1=main", "-libgcc-mutex", "==0.1"),
    ],
)
def test_conda_packages_of_real_projects(text, name, condition):
    package = parse_conda(text)
    assert package.name == name
    assert conda_condition(package.version) == condition


# v1's document


def make_document(pip=(), conda=(), python="3.7"):
    environment = Environment("e")
    environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=[line for line in pip if not line.startswith("-")], conda_packages=list(conda), python_version=python
    )
    for option in (line for line in pip if line.startswith("-")):
        environment.python.conda_dependencies.set_pip_option(option)
    return environment._to_document()


def test_a_document_as_the_sdk_writes_it():
    wanted = parse_environment(make_document(["scikit-learn==0.20.3", "--pre"], ["pip=20.1.1", "conda-forge::lightgbm>=3"], "3.6.2"))
    assert wanted.name == "e"
    assert wanted.python == "3.6.2"
    assert wanted.requirements == ("scikit-learn==0.20.3", "pip==20.1.1.*")
    assert wanted.conda == ("conda-forge::lightgbm>=3",)
    assert wanted.options == ("--pre",)
    assert "conda-forge" in wanted.channels
    assert (wanted.is_default, wanted.is_user_managed, wanted.image, wanted.variables) == (False, False, None, ())


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("python=3.7", "3.7"),
        ("python==3.7.4", "3.7.4"),
        ("python 3.7", "3.7"),
        ("python=3.7.*", "3.7"),
        ("python=3.8=h12_0", "3.8"),
        ("python>=3.6,<3.8", ">=3.6,<3.8"),
        ("conda-forge::python=3.6.2", "3.6.2"),
        ("python", None),
    ],
)
def test_pythons(written, means):
    document = {"python": {"condaDependencies": {"dependencies": [written, {"pip": ["pandas"]}]}}}
    assert parse_environment(document).python == means


@pytest.mark.parametrize(
    "document",
    [
        {},
        Environment("x")._to_document(),
        make_document(["azureml-defaults"], ["pip"], "3.8.13"),
        make_document(["azureml-sdk", "azureml-dataprep[pandas]"], ["pip"], "3.6.2"),
        make_document([], [], "3.10.18"),
    ],
)
def test_nothing_asked_for(document):
    assert parse_environment(document).is_default


@pytest.mark.parametrize(
    "document",
    [
        make_document(["azureml-defaults"], [], "3.7"),
        make_document(["azureml-defaults", "six"], [], "3.8.13"),
        make_document(["azureml-defaults"], ["six"], "3.8.13"),
        make_document(["azureml-defaults", "--pre"], [], "3.8.13"),
    ],
)
def test_something_asked_for(document):
    assert not parse_environment(document).is_default


def test_a_user_managed_environment():
    environment = Environment("u")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = "/opt/python"
    environment.docker.base_image = "team/image:1"
    wanted = parse_environment(environment._to_document())
    assert (wanted.is_user_managed, wanted.interpreter_path, wanted.is_default, wanted.image) == (
        True,
        "/opt/python",
        False,
        "team/image:1",
    )


@pytest.mark.parametrize(
    "image", ["mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20200723.v1", "azureml/base:intelmpi2018.3-ubuntu16.04"]
)
def test_v1s_own_images_mean_none(image):
    assert parse_environment({"docker": {"baseImage": image}}).image is None


@pytest.mark.parametrize(
    ("name", "ours"), [("azureml-core", True), ("azureml", True), ("penstock", True), ("azure-storage-blob", False), (None, False)]
)
def test_whose_packages(name, ours):
    assert is_ours(name) is ours
