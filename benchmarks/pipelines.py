"""The pipelines that are measured, written through the public API."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from azureml.core import Experiment, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")


def compute_target(workspace: Workspace, nodes: int) -> Any:
    """Return a compute target on which `nodes` steps run at once."""
    configuration = AmlCompute.provisioning_configuration(vm_size="STANDARD_D1_V2", max_nodes=nodes)
    target = ComputeTarget.create(workspace, f"bench-{nodes}", configuration)
    target.wait_for_completion(show_output=False)
    return target


def nothing_step(name: str, target: Any, *, allow_reuse: bool) -> PythonScriptStep:
    """Return a step that does nothing; its name is its argument, so that no two steps are the same."""
    return PythonScriptStep(
        "nothing.py", name=name, arguments=[name], compute_target=target, source_directory=STEPS, allow_reuse=allow_reuse
    )


def chain(workspace: Workspace, target: Any, length: int, *, allow_reuse: bool = False) -> Pipeline:
    """Return a pipeline of `length` steps, one after the other."""
    steps = [nothing_step(f"chain-{number}", target, allow_reuse=allow_reuse) for number in range(length)]
    for before, after in pairwise(steps):
        after.run_after(before)
    return Pipeline(workspace, steps=steps)


def fan(workspace: Workspace, target: Any, width: int, *, allow_reuse: bool = False) -> Pipeline:
    """Return a pipeline of one step, then `width` beside each other, then one."""
    first = nothing_step("first", target, allow_reuse=allow_reuse)
    middle = [nothing_step(f"middle-{number}", target, allow_reuse=allow_reuse) for number in range(width)]
    last = nothing_step("last", target, allow_reuse=allow_reuse)
    for step in middle:
        step.run_after(first)
        last.run_after(step)
    return Pipeline(workspace, steps=[last])


def run_seconds(workspace: Workspace, pipeline: Pipeline) -> tuple[float, Any]:
    """Submit a pipeline and wait; return how long that took, and its run."""
    began = time.perf_counter()
    run = Experiment(workspace, "bench").submit(pipeline)
    run.wait_for_completion(show_output=False)
    return time.perf_counter() - began, run


def engine_seconds(run: Any) -> float:
    """Return how long the engine had a run: from its row to its end."""
    from penstock.client import connect

    about = connect().get_run(run.id)
    begin, end = (datetime.fromisoformat(about[name].replace("Z", "+00:00")) for name in ("created_at", "ended_at"))
    return (end - begin).total_seconds()
