"""The kinds of steps that take their place in a pipeline and can't run."""

from __future__ import annotations

from typing import Mapping

SCRIPT_STEP = "ScriptRun"  # the one step of a script's run, which is no pipeline

AUTOML_INSTEAD = "Train in a PythonScriptStep that reads the same data, for instance with FLAML or scikit-learn."

# Step type -> why, and what to do instead. A step of such a type fails when its turn comes; all that it waits for runs before.
CANNOT_RUN: Mapping[str, str] = {
    "AutoMLStep": f"Automated ML is not part of Penstock: its engine is closed. {AUTOML_INSTEAD}",
}
