"""What `make demo` runs: one pipeline three times, in a home folder of its own.

First everything runs. Then nothing has changed, so every step is reused. Then one training gets another parameter, and only
what depends on it runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".demo"
PENSTOCK = Path(sys.executable).parent / "penstock"
DRIVER = HERE / "breast_cancer" / "pipeline.py"
STEPS = {"prepare", "features", "train_linear", "train_forest", "compare"}


def main() -> int:
    """Run the demo; return 0 when every part went as it says."""
    environment = {**os.environ, "PENSTOCK_HOME": str(FOLDER)}
    if FOLDER.exists():
        penstock(environment, "service", "stop", quiet=True)
        shutil.rmtree(FOLDER)
    try:
        show_part(environment, "The first run: every step runs.", [], runs=STEPS)
        show_part(environment, "The same again: nothing has changed, so every step is reused.", [], runs=set())
        show_part(
            environment,
            "Now the forest gets 400 trees: only its training and the comparison run.",
            ["--trees", "400"],
            runs={"train_forest", "compare"},
        )
    finally:
        penstock(environment, "service", "stop", quiet=True)
    place = os.path.relpath(FOLDER)
    print(f"\nLook around:  export PENSTOCK_HOME=$PWD/{place}; .venv/bin/penstock runs; .venv/bin/penstock explain last train_forest")
    return 0


def show_part(environment: dict[str, str], title: str, arguments: list[str], *, runs: set[str]) -> None:
    """Run the pipeline once, print its tree, and check which steps really ran."""
    print(f"\n=== {title}\n", flush=True)
    penstock(environment, "run", str(DRIVER), *arguments)
    print(flush=True)
    penstock(environment, "show", "last")
    steps = json.loads(penstock(environment, "show", "last", "--json", quiet=True))["steps"]
    ran = {step["name"] for step in steps if not step["reused"]}
    if ran != runs:
        sys.exit(f"The demo expected {sorted(runs) or 'no step'} to run, but {sorted(ran) or 'none'} did.")
    print(f"\n{len(ran)} of {len(steps)} steps ran, {len(steps) - len(ran)} of {len(steps)} were reused.", flush=True)


def penstock(environment: dict[str, str], *words: str, quiet: bool = False) -> str:
    """Run one command; show what it prints, or return it. The demo ends where a command fails."""
    done = subprocess.run([str(PENSTOCK), *words], env=environment, stdout=subprocess.PIPE if quiet else None, text=True, check=False)
    if done.returncode:
        sys.exit(f"penstock {' '.join(words)} ended with status {done.returncode}.")
    return done.stdout or ""


if __name__ == "__main__":
    sys.exit(main())
