"""The command line as a user types it: a process of its own, a real service, a home folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import end_processes

DRIVER = """
import sys
from azureml.core import Experiment, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

ws = Workspace.from_config()
target = ComputeTarget.create(ws, "cpu", AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=2))
words = sys.argv[1:]
steps = [PythonScriptStep("step.py", name=word, arguments=[word], source_directory="steps", compute_target=target) for word in words]
for before, after in zip(steps, steps[1:]):
    after.run_after(before)
run = Experiment(ws, "words").submit(Pipeline(ws, steps=steps))
print("submitted", run.id, flush=True)
run.wait_for_completion(show_output=False)
"""

STEP = """
import sys, time
from azureml.core import Run
word = sys.argv[1]
print("the word is", word)
Run.get_context().log("length", len(word))
if word == "fail":
    raise ValueError("this word is no good")
if word == "forever":
    time.sleep(600)
"""


class Shell:
    """Runs `penstock` in one home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PENSTOCK_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}

    def run(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "penstock", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "penstock", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A home folder in which nothing has run, for commands that need no service."""
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A home folder in which one pipeline of two steps has run."""
    shell = Shell(tmp_path_factory.mktemp("served"))
    (shell.folder / "pipeline.py").write_text(DRIVER)
    (shell.folder / "steps").mkdir()
    (shell.folder / "steps" / "step.py").write_text(STEP)
    try:
        shell.run("run", "pipeline.py", "one", "three")
        yield shell
    finally:
        end_processes(shell.folder / "home")


def first_run(shell: Shell) -> str:
    """Return the id of the pipeline that the fixture ran."""
    return str(shell.json("runs", "--experiment", "words")[-1]["id"])


# Scripts


def test_a_script_runs_as_python_would_run_it(shell: Shell) -> None:
    (shell.folder / "deep").mkdir()
    script = shell.folder / "deep" / "script.py"
    script.write_text("import os, sys\nprint(__name__, __file__, sys.argv, os.getcwd(), sys.path[0])\nsys.exit(7)\n")
    by_python = subprocess.run([sys.executable, "script.py", "a", "--b"], cwd=script.parent, capture_output=True, text=True, check=False)
    ours = shell.run("run", "deep/script.py", "a", "--b", status=7)
    assert ours.stdout == by_python.stdout


def test_a_failing_script_shows_its_own_traceback_only(shell: Shell) -> None:
    (shell.folder / "script.py").write_text("def f():\n    raise KeyError('gone')\nf()\n")
    done = shell.run("run", "script.py", status=1)
    assert "KeyError: 'gone'" in done.stderr
    assert "penstock" not in done.stderr


def test_a_script_may_use_processes_that_import_it(shell: Shell) -> None:
    (shell.folder / "script.py").write_text(
        "import multiprocessing\n"
        "def double(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(double, [21]))\n"
    )
    assert shell.run("run", "script.py").stdout == "[42]\n"


@pytest.mark.parametrize("end", ["sys.stdout.close()", "sys.stdout.detach()", "sys.stdout = None", "sys.stdout.close(); sys.exit(3)"])
def test_a_script_may_close_its_output(shell: Shell, end: str) -> None:
    (shell.folder / "script.py").write_text(f"import sys\nprint('words', flush=True)\n{end}\n")
    by_python = subprocess.run([sys.executable, "script.py"], cwd=shell.folder, capture_output=True, text=True, check=False)
    ours = shell.run("run", "script.py", status=by_python.returncode)
    assert (ours.stdout, ours.stderr) == (by_python.stdout, by_python.stderr)


def test_a_full_disk_is_told_as_python_tells_it(shell: Shell) -> None:
    (shell.folder / "script.py").write_text("print('words')\n")
    words = [sys.executable, "-m", "penstock", "run", "script.py"]
    environment = {name: value for name, value in shell.environment.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, cwd=shell.folder, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 120
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_below_what_penstock_says_is_told_in_a_line(shell: Shell) -> None:
    words, environment = [sys.executable, "-m", "penstock", "version"], {**shell.environment, "PYTHONUNBUFFERED": "1"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "penstock: No space left on device; not all was written.\n")


def test_a_misspelt_file_gets_the_nearest_one(shell: Shell) -> None:
    (shell.folder / "pipeline.py").write_text("")
    assert "Did you mean pipeline.py?" in shell.run("run", "pipelin.py", status=1).stderr


def test_a_misspelt_command_gets_the_nearest_one(shell: Shell) -> None:
    assert "Did you mean 'show'?" in shell.run("shwo", status=2).stderr


@pytest.mark.parametrize(("words", "listed"), [((), "explain"), (("service",), "status")])
def test_without_a_command_the_help_is_printed(shell: Shell, words: tuple[str, ...], listed: str) -> None:
    assert listed in shell.run(*words).stdout


def test_a_word_too_many_gets_the_usage_of_its_command(shell: Shell) -> None:
    errors = shell.run("logs", "last", "a", "b", status=2).stderr
    assert "unrecognized arguments: b\nusage: penstock logs" in errors
    assert "Try 'penstock logs --help'" in errors
    assert "Try 'penstock service stop --help'" in shell.run("service", "stop", "now", status=2).stderr


def test_what_is_missing_or_wrong_is_said_in_the_users_words(shell: Shell) -> None:
    assert "required: SCRIPT_OR_NOTEBOOK\n" in shell.run("run", status=2).stderr
    for given in ("x", "0", "-3"):
        assert f"'{given}' is not a number of runs; give 1 or more" in shell.run("runs", f"--limit={given}", status=2).stderr


def test_an_azureml_that_is_not_ours_is_told_before_the_script_runs(shell: Shell) -> None:
    (shell.folder / "script.py").write_text("print('ran')")
    (shell.folder / "site" / "azureml" / "_base_sdk_common").mkdir(parents=True)
    shell.environment["PYTHONPATH"] = str(shell.folder / "site")
    done = shell.run("run", "script.py", status=1)
    assert f"found azureml-core in {shell.folder / 'site' / 'azureml'}" in done.stderr
    assert done.stdout == ""


# Notebooks


def write_notebook(path: Path, *cells: str) -> bytes:
    shown = [{"cell_type": "code", "metadata": {}, "source": cell, "outputs": [], "execution_count": None} for cell in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": shown}))
    return path.read_bytes()


def test_a_notebook_prints_what_its_cells_print(shell: Shell) -> None:
    write_notebook(shell.folder / "n.ipynb", "x = 20\nprint('hello')", "!echo shell {x}", "x + 1", "x + 2;", "%cd /\nx")
    assert shell.run("run", "n.ipynb").stdout.split("\n") == ["hello", "shell 20", "21", "/", "20", ""]


def test_a_letter_that_a_shell_command_prints_in_two_pieces_is_whole(shell: Shell) -> None:
    write_notebook(shell.folder / "n.ipynb", r"!printf 'caf\303'; sleep 0.3; printf '\251\n'")
    assert shell.run("run", "n.ipynb").stdout == "caf\u00e9\n"


def test_a_notebook_shows_values_where_there_is_no_ipython(shell: Shell) -> None:
    cells = ("from IPython.display import HTML, display\ndisplay(1, HTML('<b>two</b>'))", "import IPython\nprint(IPython.get_ipython())")
    write_notebook(shell.folder / "n.ipynb", *cells, "from IPython.core.display import display\ndisplay('three')")
    assert shell.run("run", "n.ipynb").stdout.split("\n") == ["1", "<b>two</b>", "None", "'three'", ""]


def test_a_notebook_stops_at_the_first_failing_cell(shell: Shell) -> None:
    write_notebook(shell.folder / "n.ipynb", "print('before')", "1 / 0", "print('after')")
    done = shell.run("run", "n.ipynb", status=1)
    assert done.stdout == "before\n"
    assert "ZeroDivisionError" in done.stderr
    assert "code cell 2 of 3 failed" in done.stderr


def test_an_executed_notebook_is_saved_and_the_original_is_not_touched(shell: Shell) -> None:
    original = write_notebook(shell.folder / "n.ipynb", "print('hello')\n6 * 7", "1 / 0")
    shell.run("run", "--save-outputs", "out/executed.ipynb", "n.ipynb", status=1)
    assert (shell.folder / "n.ipynb").read_bytes() == original
    first, second = json.loads((shell.folder / "out" / "executed.ipynb").read_text())["cells"]
    assert [output["output_type"] for output in first["outputs"]] == ["stream", "execute_result"]
    assert first["outputs"][1]["data"]["text/plain"] == "42"
    assert second["outputs"][-1]["ename"] == "ZeroDivisionError"


@pytest.mark.parametrize("words", [("--save-outputs", "o.ipynb"), ("--save-outputs=o.ipynb",)])
def test_the_place_for_outputs_may_follow_the_notebook(shell: Shell, words: tuple[str, ...]) -> None:
    write_notebook(shell.folder / "n.ipynb", "import sys\nprint(sys.argv[1:])")
    assert shell.run("run", "n.ipynb", "a", *words, "-b", "--", "--save-outputs").stdout == "['a', '-b', '--', '--save-outputs']\n"
    assert json.loads((shell.folder / "o.ipynb").read_text())["cells"][0]["outputs"]


def test_options_after_a_script_are_its_own(shell: Shell) -> None:
    (shell.folder / "s.py").write_text("import sys\nprint(sys.argv[1:])")
    assert shell.run("run", "s.py", "--save-outputs", "x", "--help").stdout == "['--save-outputs', 'x', '--help']\n"


def test_the_original_can_not_be_the_place_for_outputs(shell: Shell) -> None:
    write_notebook(shell.folder / "n.ipynb", "1")
    assert "must name another file" in shell.run("run", "--save-outputs", "n.ipynb", "n.ipynb", status=1).stderr


# Runs


def test_runs_lists_the_run_and_show_draws_its_steps(served: Shell) -> None:
    run_id = first_run(served)
    assert run_id[:8] in served.run("runs").stdout
    lines = served.run("show", run_id[:8]).stdout.splitlines()
    assert any(line.startswith("one ") and "Finished" in line for line in lines)
    assert any(line.startswith("└─ three") for line in lines)


def test_show_as_json_holds_ids_names_and_metrics(served: Shell) -> None:
    shown = served.json("show", first_run(served))
    assert [(step["name"], step["after"], step["metrics"]) for step in shown["steps"]] == [
        ("one", [], {"length": 3}),
        ("three", ["one"], {"length": 5}),
    ]


def test_logs_of_all_steps_and_of_one(served: Shell) -> None:
    run_id = first_run(served)
    everything = served.run("logs", run_id).stdout
    assert everything.index("== one ==") < everything.index("the word is one") < everything.index("the word is three")
    assert "the word is one" not in served.run("logs", run_id, "three").stdout
    assert "the word is three" in served.run("logs", run_id, "three", "--follow").stdout


def test_an_unchanged_rerun_says_that_it_is_reused(served: Shell) -> None:
    source = first_run(served)
    served.run("run", "pipeline.py", "one", "three")
    shown = served.json("show", "last")
    assert shown["id"] != source
    assert all(step["reused"] for step in shown["steps"])
    assert "reused from words" in served.run("show", "last").stdout
    assert "one: reused from words" in served.run("explain", "last", "one").stdout


LONG = """
from azureml.core import Experiment, Workspace
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

ws = Workspace.from_config()
steps = [PythonScriptStep("./folder/../long.py", name=f"s{n}", source_directory="steps", allow_reuse=False) for n in range(12)]
for before, after in zip(steps, steps[1:]):
    after.run_after(before)
Experiment(ws, "long").submit(Pipeline(ws, steps=steps)).wait_for_completion(show_output=False)
"""
LONG_STEP = """
import sys
from azureml.core import Run
print("I am", sys.argv[0])
Run.get_context().log("m" * 200, 1)
"""


def test_show_fits_the_terminal_and_a_script_may_be_spelt_freely(served: Shell) -> None:
    (served.folder / "long.py").write_text(LONG)
    (served.folder / "steps" / "folder").mkdir()
    (served.folder / "steps" / "long.py").write_text(LONG_STEP)
    served.run("run", "long.py")
    run_id = served.json("runs", "--experiment", "long")[0]["id"]
    served.environment["COLUMNS"] = "100"
    try:
        lines = served.run("show", run_id).stdout.splitlines()
    finally:
        del served.environment["COLUMNS"]
    assert max(map(len, lines)) <= 100
    assert sum("└─ s" in line and "Finished" in line for line in lines) == 11
    assert served.run("logs", run_id, "s11").stdout == "I am long.py\n"


def test_misspelt_runs_and_steps_get_a_hint(served: Shell) -> None:
    run_id = first_run(served)
    assert "Did you mean 'three'?" in served.run("logs", run_id, "tree", status=1).stderr
    assert "Did you mean 'last'?" in served.run("show", "lst", status=1).stderr
    assert "There is no run 'zzz'" in served.run("show", "zzz", status=1).stderr


def test_a_failed_step_shows_its_error_and_where_its_log_is(served: Shell) -> None:
    done = served.run("run", "pipeline.py", "fail", "later", status=1)
    assert "this word is no good" in done.stderr
    shown = served.run("show", "last").stdout
    assert "step fail failed:" in shown
    assert "this word is no good" in shown
    assert "Traceback" in served.run("logs", "last", "fail").stdout


def wait_for(condition: Any, seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


def test_an_interrupt_leaves_the_run_alone_and_cancel_ends_it(served: Shell) -> None:
    process = served.start("run", "pipeline.py", "forever")
    assert process.stderr is not None
    assert process.stdout is not None
    run_id = next(line.split()[1] for line in process.stdout if line.startswith("submitted"))
    try:
        wait_for(lambda: served.json("show", run_id)["steps"][0]["status"] == "Running")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert f"run {run_id} goes on" in errors
        assert "Traceback" not in errors
        assert served.json("show", run_id)["status"] == "Running"
    finally:
        canceled = served.run("cancel", run_id)
    assert f"Canceled run {run_id}" in canceled.stdout
    assert served.json("show", run_id)["steps"][0]["status"] == "Canceled"
    assert "has ended already: Canceled" in served.run("cancel", run_id).stdout


def test_a_reader_that_goes_away_is_no_error(served: Shell) -> None:
    line = f"{sys.executable} -m penstock runs | true"
    done = subprocess.run(["/bin/sh", "-c", line], env=served.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


# The service


def test_status_does_not_start_the_service(shell: Shell) -> None:
    assert shell.json("service", "status")["running"] is False
    assert shell.json("service", "stop")["running"] is False
    assert not (shell.folder / "home" / "penstock.db").exists()


def test_start_status_stop(shell: Shell) -> None:
    started = shell.json("service", "start")
    assert shell.json("service", "status")["pid"] == started["pid"]
    assert "service.started" in shell.run("service", "logs").stdout
    shell.run("service", "stop")
    assert shell.json("service", "status")["running"] is False


def test_version(shell: Shell) -> None:
    assert shell.run("version").stdout.startswith("penstock ")
    assert "penstock" in shell.json("version")
