"""The example of single scripts, as its reader runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_in(folder: Path, *command: str) -> str:
    """Run one of the example's scripts; return what it prints."""
    done = subprocess.run([sys.executable, *command], cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_shows_what_it_says(home: Path, tmp_path: Path):
    folder = tmp_path / "single_script"
    shutil.copytree(ROOT / "examples" / "single_script", folder, ignore=shutil.ignore_patterns("__pycache__"))
    first = run_in(folder, "driver.py")
    assert [line.split()[:3] for line in first.splitlines()[:3]] == [["depth", depth, "accuracy"] for depth in ("1", "3", "5")]
    assert "tree version 1 comes from the run of depth" in first
    assert first.rstrip().endswith("tree.pkl")
    assert (folder / "tree.pkl").is_file()
    assert "tree version 2" in run_in(folder, "driver.py"), "each registration is a version"


def test_its_script_runs_by_hand(home: Path, tmp_path: Path):
    folder = tmp_path / "train"
    shutil.copytree(ROOT / "examples" / "single_script" / "train", folder, ignore=shutil.ignore_patterns("__pycache__"))
    printed = run_in(folder, "train.py", "--depth", "2")
    assert printed.count("accuracy by depth") == 2
    assert (folder / "outputs" / "tree.pkl").is_file()
