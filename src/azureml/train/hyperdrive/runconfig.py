"""What a sweep is: a script, the values that its parameters may have, and when to stop."""

from __future__ import annotations

import logging
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Sequence

from azureml.core._deprecation import deprecated
from azureml.core._experiment_method import experiment_method
from azureml.core._nearest import nearest
from azureml.core._refusal import not_built
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException
from azureml.train.hyperdrive.policy import EarlyTerminationPolicy, NoTerminationPolicy
from azureml.train.hyperdrive.sampling import BayesianParameterSampling, HyperParameterSampling

MAX_DURATION_MINUTES = 10080
RECOMMENDED_MIN_RUNS_PER_PARAMETER_BAYESIAN = 20
RECOMMENDED_MAX_CONCURRENT_RUNS_BAYESIAN = 20

_LOGGER = logging.getLogger("penstock")
_INSTEAD = "Sweeps come in a later release. Try the settings in a loop of the script, and log the metrics of each."


class PrimaryMetricGoal(Enum):
    """Whether the metric is to be large or small."""

    MAXIMIZE = "MAXIMIZE"
    MINIMIZE = "MINIMIZE"

    @staticmethod
    def from_str(goal: str) -> PrimaryMetricGoal:
        """Return the goal of a text, in any case.

        Args:
            goal: maximize or minimize.

        Raises:
            ValueError: It is another text.
        """
        found = {known.value: known for known in PrimaryMetricGoal}.get(str(goal).upper())
        if found is None:
            raise ValueError(f"A metric's goal is 'maximize' or 'minimize', not {goal!r}.")
        return found


def _submit(config: HyperDriveConfig, workspace: Any, experiment_name: str, **kwargs: Any) -> Any:
    raise not_built("Submitting a HyperDriveConfig", _INSTEAD)


class HyperDriveConfig:
    """What a sweep is: a script, the values that its parameters may have, and when to stop.

    Args:
        hyperparameter_sampling: How values are chosen, and from what.
        primary_metric_name: The metric that the script logs, and that counts.
        primary_metric_goal: PrimaryMetricGoal.MAXIMIZE or MINIMIZE.
        max_total_runs: The most runs.
        max_concurrent_runs: The most runs at a time; None means all.
        max_duration_minutes: The longest time of the sweep, at most 10080.
        policy: When runs that do badly are stopped; None means never.
        estimator: What runs: an estimator. Exactly one of it and the next two is given.
        run_config: What runs: a ScriptRunConfig.
        resume_from: Earlier sweeps; there are none in this version.
        resume_child_runs: Runs of earlier sweeps; there are none in this version.
        pipeline: What runs: a pipeline, whose parameters are those of the space.
        debug_flag: Kept.
        custom_run_id: The id that the sweep's run shall have.

    Raises:
        HyperDriveConfigException: A value is missing or wrong.
        NotImplementedError: It is to go on from an earlier sweep.
    """

    @experiment_method(submit_function=_submit)
    def __init__(
        self,
        hyperparameter_sampling: HyperParameterSampling,
        primary_metric_name: str,
        primary_metric_goal: PrimaryMetricGoal,
        max_total_runs: int,
        max_concurrent_runs: Optional[int] = None,
        max_duration_minutes: int = MAX_DURATION_MINUTES,
        policy: Optional[EarlyTerminationPolicy] = None,
        estimator: Any = None,
        run_config: Any = None,
        resume_from: Any = None,
        resume_child_runs: Any = None,
        pipeline: Any = None,
        debug_flag: Optional[Mapping[str, Any]] = None,
        custom_run_id: Optional[str] = None,
    ) -> None:
        _check_source(estimator, run_config, pipeline)
        _check_sampling(hyperparameter_sampling, primary_metric_name, primary_metric_goal, policy)
        if resume_from is not None or resume_child_runs is not None:
            raise not_built("Going on from an earlier sweep", "Leave out resume_from and resume_child_runs.")
        self._sampling = hyperparameter_sampling
        self._metric, self._goal = primary_metric_name, primary_metric_goal
        self._total = _count("max_total_runs", max_total_runs)
        self._concurrent = self._total if max_concurrent_runs is None else _count("max_concurrent_runs", max_concurrent_runs)
        self._minutes = _minutes(max_duration_minutes)
        self._policy = policy if policy is not None else NoTerminationPolicy()
        self._estimator, self._pipeline = estimator, pipeline
        self._run_config = run_config
        self._debug_flag, self._custom_run_id = debug_flag, custom_run_id
        if pipeline is not None:
            _check_pipeline(pipeline, self._space)
        if isinstance(hyperparameter_sampling, BayesianParameterSampling):
            _advise(len(self._space), self._total, self._concurrent)

    def __repr__(self) -> str:
        return f"HyperDriveConfig(primary_metric_name={self._metric!r}, max_total_runs={self._total})"

    @property
    def estimator(self) -> Any:
        """Return the estimator, or None."""
        return self._estimator

    @property
    def run_config(self) -> Any:
        """Return what runs: the ScriptRunConfig, or the estimator's RunConfiguration; None for a pipeline."""
        return self._run_config if self._estimator is None else self._estimator.run_config

    @property
    def pipeline(self) -> Any:
        """Return the pipeline, or None."""
        return self._pipeline

    @property
    def source_directory(self) -> Any:
        """Return the folder that travels; None for a pipeline."""
        return getattr(self._estimator or self._run_config, "source_directory", None)

    @property
    def _space(self) -> Mapping[str, Any]:
        return self._sampling._parameter_space or {}

    def _document(self) -> Dict[str, Any]:
        """What the sweep is besides its script, under v1's names."""
        return {
            "hyperparameter_sampling": self._sampling.to_json(),
            "primary_metric_name": self._metric,
            "primary_metric_goal": self._goal.value.lower(),
            "max_total_runs": self._total,
            "max_concurrent_runs": self._concurrent,
            "max_duration_minutes": self._minutes,
            "policy": self._policy.to_json(),
            "debug_flag": self._debug_flag,
            "custom_run_id": self._custom_run_id,
        }

    def _without_space(self, arguments: Sequence[Any]) -> List[Any]:
        """Return an estimator's arguments without those that the sweep sets itself."""
        names = {f"--{name.lstrip('-')}" for name in map(str, self._space)} | set(map(str, self._space))
        kept: List[Any] = []
        skip = False
        for item in arguments:
            is_name = isinstance(item, str) and item.startswith("-")
            if is_name and item in names:
                _LOGGER.warning("The argument '%s' is left out: the sweep sets it.", item)
            elif not skip or is_name:
                kept.append(item)
            skip = is_name and item in names
        return kept


class HyperDriveRunConfig(HyperDriveConfig):
    """v1's old name: it makes a HyperDriveConfig."""

    def __new__(  # type: ignore[misc]
        cls,
        estimator: Any,
        hyperparameter_sampling: HyperParameterSampling,
        primary_metric_name: str,
        primary_metric_goal: PrimaryMetricGoal,
        max_total_runs: int,
        max_concurrent_runs: Optional[int] = None,
        max_duration_minutes: int = MAX_DURATION_MINUTES,
        policy: Optional[EarlyTerminationPolicy] = None,
    ) -> HyperDriveConfig:
        """Return the HyperDriveConfig of an estimator."""
        deprecated("HyperDriveRunConfig is deprecated in SDK v1. Use HyperDriveConfig.")
        return HyperDriveConfig(
            hyperparameter_sampling,
            primary_metric_name,
            primary_metric_goal,
            max_total_runs,
            max_concurrent_runs,
            max_duration_minutes,
            policy,
            estimator,
        )


# Checks


def _check_source(estimator: Any, run_config: Any, pipeline: Any) -> None:
    given = {"estimator": estimator, "run_config": run_config, "pipeline": pipeline}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        found = f"it has {' and '.join(named)}" if named else "it has none"
        raise HyperDriveConfigException(f"A HyperDriveConfig needs exactly one of {', '.join(given)}; {found}.")
    if run_config is not None:
        from azureml.core.script_run_config import ScriptRunConfig

        if not isinstance(run_config, ScriptRunConfig):
            raise HyperDriveConfigException(
                f"run_config of a HyperDriveConfig must be a ScriptRunConfig, not a {type(run_config).__name__}."
            )
    if estimator is not None:
        from azureml.train.estimator import MMLBaseEstimator

        if not isinstance(estimator, MMLBaseEstimator):
            raise HyperDriveConfigException(f"estimator of a HyperDriveConfig must be an Estimator, not a {type(estimator).__name__}.")


def _check_sampling(sampling: Any, metric: Any, goal: Any, policy: Any) -> None:
    if not isinstance(sampling, HyperParameterSampling):
        raise HyperDriveConfigException(f"hyperparameter_sampling must be a RandomParameterSampling or its like, not {_shown(sampling)}.")
    if not isinstance(metric, str) or not metric:
        raise HyperDriveConfigException(f"primary_metric_name must be the name of a metric, a text, not {_shown(metric)}.")
    if not isinstance(goal, PrimaryMetricGoal):
        raise HyperDriveConfigException(f"primary_metric_goal must be PrimaryMetricGoal.MAXIMIZE or MINIMIZE, not {_shown(goal)}.")
    if policy is not None and not isinstance(policy, EarlyTerminationPolicy):
        raise HyperDriveConfigException(f"policy must be a BanditPolicy or its like, not {_shown(policy)}.")


def _check_pipeline(pipeline: Any, space: Mapping[str, Any]) -> None:
    known = pipeline.graph.params
    for name in space:
        if name not in known:
            raise HyperDriveConfigException(
                f"The space names '{name}', which is no parameter of the pipeline.{nearest(str(name), known, 'parameters')}"
            )


def _shown(value: Any) -> str:
    return "None" if value is None else f"{value!r:.60}"


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise HyperDriveConfigException(f"{name} must be a whole number above 0, not {_shown(value)}.")
    return value


def _minutes(value: Any) -> int:
    minutes = _count("max_duration_minutes", value)
    if minutes > MAX_DURATION_MINUTES:
        _LOGGER.warning("max_duration_minutes is cut from %d to %d, a week.", minutes, MAX_DURATION_MINUTES)
    return min(minutes, MAX_DURATION_MINUTES)


def _advise(parameters: int, total: int, concurrent: int) -> None:
    wanted = RECOMMENDED_MIN_RUNS_PER_PARAMETER_BAYESIAN * parameters
    if total < wanted:
        _LOGGER.warning("Bayesian sampling does better with more runs: max_total_runs is %d, and %d is advised.", total, wanted)
    if concurrent > RECOMMENDED_MAX_CONCURRENT_RUNS_BAYESIAN:
        most = RECOMMENDED_MAX_CONCURRENT_RUNS_BAYESIAN
        _LOGGER.warning(
            "Bayesian sampling learns of runs that ended: max_concurrent_runs is %d, and at most %d is advised.", concurrent, most
        )


__all__ = ["HyperDriveConfig", "HyperDriveRunConfig", "PrimaryMetricGoal"]
