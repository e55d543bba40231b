"""Environments chosen and built for real, with packages made on the spot: no network is needed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.conftest import wait_until
from tests.parts.packages import Index

from penstock.client.home import Home
from penstock.engine.environments import BUILD, CURRENT, GIVEN, Built, Choice, build, choose, find
from penstock.engine.environments.failures import BuildFailed
from penstock.engine.environments.interpreters import describe, list_interpreters
from penstock.model.errors import Invalid, NotFound, Unavailable, Unsupported
from penstock.model.requirements import parse_environment
from penstock.storage import built as places

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER_TAG = "cp27-cp27m-manylinux1_x86_64"
OLD_TAG = "cp37-cp37m-manylinux1_x86_64"

BUILDER = """
import sys
from pathlib import Path
from penstock.client.home import Home
from penstock.engine.environments import build, choose
from penstock.model.requirements import parse_environment
import json
home = Home(Path(sys.argv[1]))
choice = choose(parse_environment(json.loads(sys.argv[2])), "compatible", sys.executable, home)
print(choice.key, flush=True)
print(build(home, choice, "compatible", lambda: None).interpreter, flush=True)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    """A home folder; what still builds in it at the end of the test is ended."""
    home = Home(tmp_path / "home")
    home.create()
    yield home
    for process in builders_in(home):
        with contextlib.suppress(psutil.Error):
            process.kill()


def builders_in(home: Home) -> list[psutil.Process]:
    """Return the processes that work in a home's environments."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and str(home.path) in (process.cwd() + "".join(process.cmdline())):
                found.append(process)
    return found


def processes_of(index: Index) -> list[psutil.Process]:
    """Return what uv started to make the packages of an index."""
    cache = str(index.folder.parent / "uv-cache")
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if cache in " ".join(process.cmdline()):
                found.append(process)
    return found


def document(*pip: str, conda: tuple[str, ...] = (), python: str = HERE, **section) -> dict:
    dependencies = [f"python={python}", *conda, {"pip": list(pip)}]
    return {"name": "e", "python": {"condaDependencies": {"dependencies": dependencies}, **section}}


def chosen(home: Home, *pip: str, policy: str = "compatible", interpreter: str = sys.executable, **words) -> Choice:
    return choose(parse_environment(document(*pip, **words)), policy, interpreter, home)


def built(home: Home, *pip: str, policy: str = "compatible", **words) -> Built:
    return build(home, chosen(home, *pip, policy=policy, **words), policy, lambda: None)


def says(environment: Built, code: str) -> str:
    return subprocess.run([environment.interpreter, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def add_wheel(index: Index, name: str, version: str, tag: str) -> None:
    """Make a wheel for some Pythons only."""
    index.add(name, version)
    plain = index.folder / f"{name}-{version}-py3-none-any.whl"
    target = index.folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.namelist():
            new.writestr(item, old.read(item).replace(b"py3-none-any", tag.encode()))
    plain.unlink()


def keys_of(home: Home) -> set[str]:
    folder = home.path / "environments"
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.exists() else set()


# Choosing


def test_nothing_asked_for_runs_on_the_submitting_interpreter(place):
    for policy in ("exact", "compatible", "current"):
        choice = choose(parse_environment({}), policy, sys.executable, place)
        assert (choice.kind, choice.interpreter, choice.key, choice.notes) == (CURRENT, sys.executable, None, ())
    assert choice.python == f"cpython {sys.version.split()[0]}"


def test_what_the_submitting_interpreter_has_is_not_built(place):
    choice = chosen(place, "psutil>=5", "azureml-sdk", "nosuch; python_version < '3'", conda=("pyyaml",))
    assert (choice.kind, choice.interpreter) == (CURRENT, sys.executable)


def test_the_python_that_v1_fills_in_makes_nobody_wait(place):
    """`CondaDependencies.create(pip_packages=...)` names a Python that its author never wrote."""
    assert chosen(place, "psutil>=5", python="3.10.18").kind == CURRENT
    assert chosen(place, "nosuch-thing", python="3.10.18").python.startswith("cpython 3.10"), "what must be built is built on v1's"
    if sys.version_info[:2] != (3, 10):
        assert chosen(place, "psutil>=5", python="3.10.18", policy="exact").kind == BUILD


@pytest.mark.parametrize("line", ["psutil==0.1", "nosuch-thing", "psutil @ file:///x.whl", "uvicorn[nosuch-extra,standard]>=1000"])
def test_what_it_lacks_is_built(place, line):
    if "file:" in line:
        with pytest.raises(Invalid, match=r"/x\.whl"):
            chosen(place, line)
        return
    choice = chosen(place, line)
    assert (choice.kind, choice.interpreter) == (BUILD, None)


def test_an_extra_that_is_not_there_is_lacking(place):
    assert chosen(place, "moto[nosuch]").kind == CURRENT, "an extra that does not exist brings nothing"
    assert chosen(place, "penstock[gcs]").kind == CURRENT, "our own package is always there"
    lacking = next(extra for extra in ("dynamodb", "cognitoidp", "all") if extra)
    assert chosen(place, f"fsspec[{lacking},hdfs,dropbox]").kind == BUILD


def test_credentials_stay_out_of_notes_and_specifications(place):
    conda = ("https://me:hush@host/channel::nosuch-r-package", f"https://host/t/{'hush' * 6}/channel::r-base")
    choice = chosen(place, "--proxy http://me:hush@host", "nosuch-thing", conda=conda)
    assert choice.kind == BUILD
    assert "hush" not in repr(choice.notes) + json.dumps(choice.specification)


def test_the_policy_current_asks_for_nothing(place):
    assert chosen(place, "nosuch-thing", python="3.5", policy="current").kind == CURRENT


def test_the_key_covers_what_is_built_and_nothing_else(place):
    one = chosen(place, "nosuch==1", "other")
    assert one.key == chosen(place, "other", "nosuch == 1").key
    assert one.key != chosen(place, "nosuch==2", "other").key
    assert one.key != chosen(place, "nosuch==1", "other", policy="exact").key
    assert one.key != chosen(place, "nosuch==1", "other", "--pre").key
    assert len(str(one.key)) == 64


def test_a_wheel_of_other_content_is_another_environment(place, index):
    index.add("probe", "1.0")
    line = f"probe @ file://{index.folder}/probe-1.0-py3-none-any.whl"
    one = chosen(place, line)
    index.add("probe", "1.0", requires="six")
    assert chosen(place, line).key != one.key


def test_credentials_are_in_no_specification(place):
    choice = chosen(place, "x @ git+https://me:secret@h/x.git", "--index-url https://me:secret@h/simple")
    assert "secret" not in json.dumps(choice.specification)
    assert "secret" not in repr(choice)
    assert choice.key == chosen(place, "x @ git+https://me:other@h/x.git", "--index-url https://me:other@h/simple").key


def test_options_without_effect_are_told(place):
    assert chosen(place, "nosuch", "--use-feature=2020-resolver").notes == (
        "pip's option '--use-feature 2020-resolver' has no effect here.",
    )


def test_conda_packages_that_nobody_here_has(place, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (note,) = chosen(place, "nosuch", conda=("nodejs=12", "cudatoolkit=10.1")).notes
    assert "nodejs=12" in note
    with pytest.raises(Unsupported, match=r"nodejs=12.*micromamba.*PENSTOCK_ENVIRONMENT_POLICY"):
        chosen(place, conda=("nodejs=12",), policy="exact")


# Interpreters


def test_a_conda_package_that_is_a_program_on_the_path_needs_no_conda(place, monkeypatch, tmp_path):
    for name in ("curl", "micromamba"):
        (tmp_path / name).write_text("#!/bin/sh\necho 1.5.8\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    choice = chosen(place, "probe", conda=("curl=7.60",))
    assert choice.plan is not None
    assert choice.plan.engine is None
    assert choice.notes == (f"The conda package 'curl=7.60' is left out: {tmp_path}/curl is there.",)
    for changes in ({"conda": ("curl=7.60", "nodejs")}, {"conda": ("curl=7.60",), "policy": "exact"}):
        plan = chosen(place, "probe", **changes).plan
        assert plan is not None
        assert plan.engine == f"{tmp_path}/micromamba"
        assert "curl=7.60" in plan.conda


def test_interpreters_are_found_and_run():
    found = list_interpreters()
    assert all(one.implementation == "cpython" and os.access(one.path, os.X_OK) for one in found)
    assert [one.version for one in found] == sorted((one.version for one in found), reverse=True)


def test_the_python_that_is_asked_for_is_taken(place):
    for one in list_interpreters():
        if one.minor >= (3, 7):
            assert chosen(place, "nosuch", python=one.number).python == one.text


def test_a_missing_python_is_replaced_by_the_nearest(place):
    choice = chosen(place, "nosuch", python="3.99")
    newest = max(one.version for one in [*list_interpreters(), describe(sys.executable)])
    assert choice.python == f"cpython {'.'.join(map(str, newest))}"
    (note,) = choice.notes
    assert "3.99" in note
    with pytest.raises(Unsupported, match=r"Python 3\.99.*PENSTOCK_ENVIRONMENT_POLICY"):
        chosen(place, "nosuch", python="3.99", policy="exact")


def test_a_python_too_old_for_steps_is_told(place):
    choice = chosen(place, "nosuch", python="3.6.2")
    assert not choice.python.startswith("cpython 3.6")
    assert "3.7 or later" in choice.notes[0]
    with pytest.raises(Unsupported, match=r"3\.7 or later"):
        chosen(place, "nosuch", python="3.5", policy="exact")


@pytest.mark.parametrize("asked", [">=3.7", "3", f">={HERE}", "3.7|3.8"])
def test_conditions_on_python(place, asked):
    assert chosen(place, "nosuch", python=asked).kind == BUILD


def test_a_user_managed_environment_runs_on_its_interpreter(place, tmp_path):
    managed = {"userManagedDependencies": True}
    choice = chosen(place, interpreterPath=sys.executable, **managed)
    assert (choice.kind, choice.interpreter) == (GIVEN, sys.executable)
    assert chosen(place, interpreterPath="python", **managed).kind == CURRENT
    choice = chosen(place, interpreterPath="/azureml-envs/x/bin/python", **managed)
    assert choice.kind == CURRENT
    assert "/azureml-envs/x/bin/python" in choice.notes[0]
    with pytest.raises(Unsupported, match="/azureml-envs/x/bin/python"):
        chosen(place, interpreterPath="/azureml-envs/x/bin/python", policy="exact", **managed)
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert chosen(place, interpreterPath=str(broken), **managed).kind == CURRENT


def test_a_submitting_interpreter_that_is_gone(place):
    with pytest.raises(NotFound, match="/gone/python"):
        chosen(place, "nosuch", interpreter="/gone/python")


# Building


def test_an_environment_is_built_once_and_found_again(place, index):
    index.add("probe", "1.5", requires="other>=1")
    index.add("other", "1.1")
    environment = built(place, "probe>=1")
    assert says(environment, "import other, probe; print(probe.VERSION, other.VERSION)") == "1.5 1.1"
    assert {"other==1.1", "probe==1.5"} <= set(environment.requirements)
    assert (environment.notes, environment.python) == ((), f"cpython {sys.version.split()[0]}")
    assert find(place, environment.key) == environment
    log = places.log_path(place, environment.key)
    said = log.read_text()
    assert "probe" in said
    assert built(place, "probe>=1") == environment
    assert log.read_text() == said
    facts = places.read_facts(place, environment.key)
    assert facts is not None
    assert facts["specification"]["requirements"] == ["probe>=1"]


def test_pip_is_there_as_scripts_of_v1s_years_expect(place, index):
    index.add("probe")
    assert "pip" in says(built(place, "probe"), "import pip; print(pip.__name__)")


def test_nothing_of_the_input_stays(place, index):
    index.add("probe")
    environment = built(place, "probe", f"--find-links file://{index.folder}")
    assert {path.name for path in places.folder(place, environment.key).iterdir()} == {"env", "complete"}


def test_a_pin_without_a_fitting_wheel_gives_way_to_the_nearest(place, index):
    add_wheel(index, "probe", "1.0", OLD_TAG)
    for version in ("0.9", "1.2", "1.9", "2.0"):
        index.add("probe", version)
    environment = built(place, "probe==1.0")
    assert "probe==1.2" in environment.requirements
    assert environment.notes == (f"'probe==1.0' can't be met on Python {sys.version.split()[0]}; 1.2 was installed instead.",)


def test_pins_that_exclude_each_other_give_way_one_by_one(place, index):
    index.add("probe", "1.0", requires="other>=2")
    index.add("other", "1.0")
    index.add("other", "2.5")
    index.add("third", "1.0")
    index.add("third", "2.0")
    environment = built(place, "probe==1.0", "other==1.0", "third==1.0")
    assert {"probe==1.0", "other==2.5", "third==1.0"} <= set(environment.requirements)
    (note,) = environment.notes
    assert "other==1.0" in note


def test_a_version_that_was_never_made_gives_way(place, index):
    index.add("probe", "1.0")
    assert "probe==1.0" in built(place, "probe==7").requirements


def test_exact_relaxes_nothing(place, index):
    add_wheel(index, "probe", "1.0", OLD_TAG)
    index.add("probe", "1.2")
    with pytest.raises(BuildFailed, match=r"probe==1\.0.*PENSTOCK_ENVIRONMENT_POLICY"):
        built(place, "probe==1.0", policy="exact")
    assert "probe==1.2" in built(place, "probe==1.2", policy="exact").requirements


@pytest.mark.parametrize("policy", ["exact", "compatible"])
def test_a_package_that_does_not_exist_is_named(place, index, policy):
    index.add("probe")
    with pytest.raises(BuildFailed, match="nosuch-thing") as raised:
        built(place, "probe", "nosuch-thing==1", policy=policy)
    assert raised.value.details["log"]
    assert keys_of(place) == set()
    assert "nosuch-thing" in places.log_path(place, str(chosen(place, "probe", "nosuch-thing==1", policy=policy).key)).read_text()


def test_a_guessed_name_that_does_not_exist_is_left_out(place, index):
    index.add("probe")
    environment = built(place, "probe", conda=("some-conda-library=1.0",))
    assert environment.notes == ("The conda package 'some-conda-library' is left out: no package index knows it.",)
    with pytest.raises(BuildFailed, match="some-conda-library"):
        built(place, "probe", conda=("some-conda-library=1.0",), policy="exact")


def test_plain_source_is_made(place, index):
    index.add_slow("probe", "1.0").open()
    assert says(built(place, "probe==1.0"), "import probe; print(probe.VERSION)") == "1.0"


def test_an_address_that_does_not_answer_is_named(place, index):
    with pytest.raises(BuildFailed, match=r"git\+https://\*\*\*@127\.0\.0\.1:9/x\.git") as raised:
        built(place, "probe @ git+https://me:secret@127.0.0.1:9/x.git")
    assert "secret" not in json.dumps(raised.value.document())
    assert "secret" not in "".join(path.read_text() for path in (place.path / "environments").glob("*.log"))


def test_a_wheel_by_its_address(place, index):
    index.add("probe", "3.0")
    assert "probe==3.0" in built(place, f"file://{index.folder}/probe-3.0-py3-none-any.whl").requirements


def test_conda_packages_go_to_a_conda(place, index, monkeypatch, tmp_path):
    index.add("probe", "1.0")
    engine = tmp_path / "bin" / "micromamba"
    engine.parent.mkdir()
    # A stand-in that makes the environment with Python alone, and writes down what it was asked for.
    engine.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo 1.5.8 && exit\necho "$@" > {tmp_path}/asked\n'
        f"while [ $1 != --prefix ]; do shift; done\nexec {sys.executable} -m venv --without-pip --copies $2\n"
    )
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    environment = built(place, "probe", conda=("nodejs=12", "r-base"))
    assert (tmp_path / "asked").read_text().split()[-5:] == ["--", f"python={HERE}", "pip", "nodejs=12", "r-base"]
    assert says(environment, "import probe; print(probe.VERSION)") == "1.0"


# Trouble


def begin(home: Home, *pip: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILDER, str(home.path), json.dumps(document(*pip))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_builders_in_several_processes_build_once(place, index):
    slow = index.add_slow("probe")
    processes = [begin(place, "probe") for _ in range(3)]
    wait_until(slow.times_begun)
    slow.open()
    answers = [process.communicate()[0].split() for process in processes]
    assert len({tuple(answer) for answer in answers}) == 1
    assert slow.times_begun() == 1


def test_a_killed_builder_leaves_nothing_half_built(place, index):
    slow = index.add_slow("probe")
    process = begin(place, "probe")
    wait_until(slow.times_begun)
    process.kill()
    process.wait()
    assert process.stdout is not None
    key = process.stdout.readline().strip()
    process.stdout.close()
    assert find(place, key) is None
    slow.open()
    environment = built(place, "probe")
    assert environment.key == key
    assert says(environment, "import probe; print(probe.VERSION)") == "1.0"


def test_what_a_killed_builder_left_is_cleared_away(place, index):
    slow = index.add_slow("probe")
    process = begin(place, "probe")
    wait_until(slow.times_begun)
    assert places.remove_unfinished(place) == [], "it is being built"
    process.kill()
    process.communicate()
    for orphan in builders_in(place):
        with contextlib.suppress(psutil.Error):
            orphan.kill()
    wait_until(lambda: not builders_in(place))
    (key,) = keys_of(place)
    assert places.remove_unfinished(place) == [key]
    assert keys_of(place) == set()


def test_a_killed_uv_fails_the_build(place, index):
    slow = index.add_slow("probe")
    ended: list[bool] = []

    def kill_uv() -> None:
        if slow.times_begun() and not ended:
            ended.append(True)
            for process in builders_in(place):
                if process.name() == "uv":
                    process.kill()

    with pytest.raises(BuildFailed, match="SIGKILL"):
        build(place, chosen(place, "probe"), "compatible", kill_uv)
    assert keys_of(place) == set()
    wait_until(lambda: not processes_of(index))
    slow.open()
    assert "probe==1.0" in built(place, "probe").requirements, "nothing holds the lock"


def test_a_build_that_nobody_waits_for_ends_with_its_processes(place, index):
    slow = index.add_slow("probe")

    class Enough(Exception):
        pass

    def check() -> None:
        if slow.times_begun():
            raise Enough

    with pytest.raises(Enough):
        build(place, chosen(place, "probe"), "compatible", check)
    wait_until(lambda: not builders_in(place))
    assert keys_of(place) == set()


def test_an_environment_whose_python_is_gone_is_built_again(place, index):
    index.add("probe")
    environment = built(place, "probe")
    Path(environment.interpreter).unlink()
    Path(environment.interpreter).symlink_to("/gone/python")
    assert find(place, environment.key) is None
    assert says(built(place, "probe"), "print(1)") == "1"


def test_a_spoilt_marker_counts_for_nothing(place, index):
    index.add("probe")
    environment = built(place, "probe")
    (places.folder(place, environment.key) / places.COMPLETE).write_text("{")
    assert find(place, environment.key) is None
    assert built(place, "probe").key == environment.key


def test_environments_are_listed_and_removed(place, index):
    index.add("probe")
    environment = built(place, "probe")
    assert places.list_keys(place) == [environment.key]
    with places.try_lock(place, environment.key) as lock:
        assert lock is not None
        places.remove(place, environment.key)
    assert find(place, environment.key) is None
    assert list((place.path / "environments").iterdir()) == []


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount a small disk there, or skip the test where that is not allowed."""
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_and_leaves_nothing(place, index):
    index.add("probe")
    (index.folder / "ballast").mkdir()
    folder = place.path / "environments"
    folder.mkdir()
    with mounted(folder, "-o", "size=256k"):
        with pytest.raises(Unavailable, match=r"disk is full.*PENSTOCK_HOME"):
            built(place, "probe")
        assert keys_of(place) == set()
    assert "probe==1.0" in built(place, "probe").requirements


def test_a_read_only_home_is_told(place, index):
    index.add("probe")
    folder = place.path / "environments"
    folder.mkdir()
    with mounted(folder, "-o", "ro"), pytest.raises(Unavailable, match=r"[Rr]ead-only.*PENSTOCK_HOME"):
        built(place, "probe")


def test_without_uv_nothing_is_left(place, index, monkeypatch, tmp_path):
    index.add("probe")
    choice = chosen(place, "probe")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildFailed, match="pip install uv"):
        build(place, choice, "compatible", lambda: None)
    assert keys_of(place) == set()


def test_without_a_network_the_cache_is_enough(place, index, monkeypatch, tmp_path):
    index.add("probe", "1.5")
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with served(tmp_path, index) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        assert "probe==1.5" in built(place, "probe").requirements
    second = Home(tmp_path / "second")
    second.create()
    assert "probe==1.5" in built(second, "probe").requirements, "the index is gone, its wheels are in the cache"
    with pytest.raises(BuildFailed, match=r"can't be reached"):
        built(second, "neverseen")
    monkeypatch.setenv("UV_OFFLINE", "1")
    third = Home(tmp_path / "third")
    third.create()
    assert "probe==1.5" in built(third, "probe").requirements
    with pytest.raises(BuildFailed, match=r"can't be reached"):
        built(third, "neverseen")


@contextlib.contextmanager
def served(tmp_path: Path, index: Index) -> Iterator[str]:
    """Serve an index over http."""
    root = tmp_path / "web"
    for wheel in index.folder.glob("*.whl"):
        (root / wheel.name.split("-")[0]).mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, root / wheel.name.split("-")[0])
    code = "import http.server, functools, sys; s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial("
    code += "http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])); print(s.server_port, flush=True); s.serve_forever()"
    server = subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    finally:
        server.send_signal(signal.SIGKILL)
        server.communicate()
