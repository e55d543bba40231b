"""Which class stands for a run of which type."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from penstock.model.run_types import PIPELINE_RUN, SCRIPT_RUN, STEP_RUN

if TYPE_CHECKING:
    from azureml.core.run import Run
    from azureml.core.workspace import Workspace

# Called with the experiment and the run's record.
RunFactory = Callable[..., Any]

_PROVIDERS: Dict[str, RunFactory] = {}
# Our own types: the module is imported when the first run of its type is met. It may register a factory of its own.
_HOMES = {
    PIPELINE_RUN: "azureml.pipeline.core.run",
    STEP_RUN: "azureml.pipeline.core.run",
    "azureml.ReusedStepRun": "azureml.pipeline.core.run",
    SCRIPT_RUN: "azureml.core.script_run",
    "hyperdrive": "azureml.train.hyperdrive",
}
_GROUP = "azureml_run_type_providers"


def add_provider(runtype: str, factory: RunFactory) -> None:
    """Let `factory(experiment, record)` make the objects for runs of a type; ValueError when it has a factory already."""
    if runtype in _PROVIDERS:
        raise ValueError(f"Runs of type '{runtype}' have a factory already: {_PROVIDERS[runtype]!r}.")
    _PROVIDERS[runtype] = factory


def rehydrate(workspace: Workspace, record: Dict[str, Any], as_type: bool = True) -> Run:
    """Return the object for a run's record: the class that fits its type, a plain Run for an unknown one."""
    from azureml.core.experiment import Experiment
    from azureml.core.run import Run

    experiment = Experiment(
        workspace, record["experiment_name"], _skip_name_validation=True, _id=record["experiment_id"], _create_in_cloud=False
    )
    kind = record.get("type") or (record.get("properties") or {}).get("azureml.runsource")
    factory = _factory(kind) if as_type and kind else None
    run: Run = factory(experiment, record) if factory else Run(experiment, record["id"], _record=record)
    return run


def _factory(kind: str) -> Optional[RunFactory]:
    if kind in _PROVIDERS:
        return _PROVIDERS[kind]
    if kind in _HOMES:
        try:
            importlib.import_module(_HOMES[kind])
        except ImportError:
            return None
    else:
        _load_entry_point(kind)
    return _PROVIDERS.get(kind) or _BUILT_IN.get(kind)


def _pipeline_run(experiment: Any, record: Dict[str, Any]) -> Any:
    from azureml.pipeline.core.run import PipelineRun

    return PipelineRun(experiment, record["id"], _record=record)


def _step_run(experiment: Any, record: Dict[str, Any]) -> Any:
    from azureml.pipeline.core.run import StepRun

    return StepRun(experiment, record["id"], record["pipeline_run_id"], record["node_id"], _record=record)


def _script_run(experiment: Any, record: Dict[str, Any]) -> Any:
    from azureml.core.script_run import ScriptRun

    return ScriptRun(experiment, record["id"], _record=record)


_BUILT_IN: Dict[str, RunFactory] = {
    PIPELINE_RUN: _pipeline_run,
    STEP_RUN: _step_run,
    "azureml.ReusedStepRun": _step_run,
    SCRIPT_RUN: _script_run,
}


def _load_entry_point(kind: str) -> None:
    """Other distributions name their factories in v1's entry-point group."""
    try:
        from importlib.metadata import entry_points  # novm
    except ImportError:  # Python 3.7
        return
    every: Any = entry_points()
    group = every.select(group=_GROUP) if hasattr(every, "select") else every.get(_GROUP, ())
    for entry in group:
        if entry.name == kind:
            _PROVIDERS[kind] = entry.load()
            return
