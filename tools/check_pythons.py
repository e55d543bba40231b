"""Tell whether environments of other Pythons can be built here: `check_pythons.py 3.7 3.8` says what is missing, or nothing.

Run by a Python that has Penstock.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from penstock.engine.environments.interpreters import list_interpreters
from penstock.engine.environments.uv import find_uv, uv_environment

SECONDS = 30


def find_problem(pythons: list[str]) -> str | None:
    """Return what stands in the way as one sentence, or None."""
    here = {".".join(map(str, one.minor)) for one in list_interpreters()}
    missing = [python for python in pythons if python not in here]
    if missing:
        return f"Python {' and '.join(missing)} is not on this machine"
    return None if _index_answers() else "no package index answers"


def _index_answers() -> bool:
    """Tell whether uv finds a small package."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as asked:
        asked.write("six\n")
        asked.flush()
        command = [find_uv(), "pip", "compile", "--quiet", "--no-cache", asked.name]
        try:
            done = subprocess.run(
                command, env=uv_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(find_problem(sys.argv[1:]))
