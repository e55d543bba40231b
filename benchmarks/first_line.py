"""Submit one step, and print how long it took until the step's first line ran.

    python -m benchmarks.first_line FILE workspace|submit

`workspace` counts from the first call that needs the service, `submit` from the call of `submit`.
"""

from __future__ import annotations

import sys
import time

from azureml.core import Experiment, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget  # noqa: F401 - a user's script imports these too
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from benchmarks.pipelines import STEPS

path, since = sys.argv[1:]
began = time.time()
workspace = Workspace.from_config()
step = PythonScriptStep(
    "clock.py", arguments=[path], compute_target=workspace.compute_targets["bench-2"], source_directory=STEPS, allow_reuse=False
)
pipeline = Pipeline(workspace, steps=[step])
experiment = Experiment(workspace, "bench")
if since == "submit":
    began = time.time()
experiment.submit(pipeline).wait_for_completion(show_output=False)
with open(path) as file:
    print(float(file.read()) - began)
