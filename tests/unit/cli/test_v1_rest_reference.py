"""The page of v1's routes has them all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_route_of_v1_is_documented() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "v1_rest_reference.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert (ROOT / "docs" / "reference" / "v1-rest.md").read_text(encoding="utf-8") == made
