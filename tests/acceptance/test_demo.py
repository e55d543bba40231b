"""What `make demo` runs, as it runs it. The demo checks by itself which steps ran and which were reused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_runs_reuses_and_runs_what_changed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {key: value for key, value in os.environ.items() if key != "PENSTOCK_HOME"}
    done = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 5 steps ran, 5 of 5 were reused." in done.stdout
    assert "2 of 5 steps ran, 3 of 5 were reused." in done.stdout
    assert "Best model:" in done.stdout
