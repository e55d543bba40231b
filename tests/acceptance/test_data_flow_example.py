"""The example of how data flows, as its reader runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_example(folder: Path, home: Path) -> str:
    environment = {**os.environ, "PENSTOCK_HOME": str(home)}
    command = [sys.executable, "pipeline.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_shows_what_it_says(home: Path, tmp_path: Path):
    folder = tmp_path / "data_flow"
    shutil.copytree(ROOT / "examples" / "data_flow", folder, ignore=shutil.ignore_patterns("__pycache__"))
    first = run_example(folder, home)
    assert "station_means version 1 was made from clean_readings version 1, stations version 1" in first
    assert "Hill" in first
    again = run_example(folder, home)
    assert "station_means version 1 was made from clean_readings version 1" in again, "nothing has changed, so both steps are reused"
    readings = folder / "data" / "readings" / "hill.csv"
    readings.write_text(readings.read_text() + "2024-05-01,hill,30.0\n")
    changed = run_example(folder, home)
    assert "station_means version 2 was made from clean_readings version 2, stations version 3" in changed, (
        "files that were written anew are a new version"
    )
