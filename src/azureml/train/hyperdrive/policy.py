"""When a sweep stops runs that do badly."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException


class EarlyTerminationPolicy:
    """The base of the policies.

    Args:
        name: The policy's name.
        properties: What it is told.
    """

    def __init__(self, name: str, properties: Optional[Mapping[str, Any]] = None) -> None:
        self._name = name
        self._properties = dict(properties or {})

    def to_json(self) -> Dict[str, Any]:
        """Return the policy as JSON values: its name, and its properties where it has any."""
        return {"name": self._name, **({"properties": dict(self._properties)} if self._properties else {})}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._properties.items())})"


class _Timed(EarlyTerminationPolicy):
    """A policy that is applied now and then: at reports of the metric whose number is a multiple of the interval."""

    def __init__(self, name: str, evaluation_interval: int, delay_evaluation: int, **others: Any) -> None:
        _check_count("evaluation_interval", evaluation_interval, 1)
        _check_count("delay_evaluation", delay_evaluation, 0)
        super().__init__(name, {"evaluation_interval": evaluation_interval, "delay_evaluation": delay_evaluation, **others})

    @property
    def evaluation_interval(self) -> int:
        """Return how many reports of the metric lie between two looks."""
        return int(self._properties["evaluation_interval"])

    @property
    def delay_evaluation(self) -> int:
        """Return how many reports come before the first look."""
        return int(self._properties["delay_evaluation"])


class BanditPolicy(_Timed):
    """Stops a run that is worse than the best by more than a slack.

    Args:
        evaluation_interval: How many reports of the metric lie between two looks.
        slack_factor: The slack as a share of the best.
        slack_amount: The slack itself. One of the two is given.
        delay_evaluation: How many reports come before the first look.

    Raises:
        HyperDriveConfigException: Not exactly one slack is given, or a number is wrong.
    """

    POLICY_NAME = "Bandit"

    def __init__(
        self,
        evaluation_interval: int = 1,
        slack_factor: Optional[float] = None,
        slack_amount: Optional[float] = None,
        delay_evaluation: int = 0,
    ) -> None:
        slack = {name: value for name, value in (("slack_factor", slack_factor), ("slack_amount", slack_amount)) if value is not None}
        if len(slack) != 1:
            raise HyperDriveConfigException("A BanditPolicy needs one of slack_factor and slack_amount.")
        for name, value in slack.items():
            if not isinstance(value, (int, float)) or value < 0:
                raise HyperDriveConfigException(f"{name} of a BanditPolicy must be a number, 0 or above, not {value!r}.")
        super().__init__(self.POLICY_NAME, evaluation_interval, delay_evaluation, **slack)

    @property
    def slack_factor(self) -> Optional[float]:
        """Return the slack as a share of the best, or None."""
        return self._properties.get("slack_factor")

    @property
    def slack_amount(self) -> Optional[float]:
        """Return the slack itself, or None."""
        return self._properties.get("slack_amount")


class MedianStoppingPolicy(_Timed):
    """Stops a run whose best is worse than the median of all runs' means.

    Args:
        evaluation_interval: How many reports of the metric lie between two looks.
        delay_evaluation: How many reports come before the first look.

    Raises:
        HyperDriveConfigException: A number is wrong.
    """

    POLICY_NAME = "MedianStopping"

    def __init__(self, evaluation_interval: int = 1, delay_evaluation: int = 0) -> None:
        super().__init__(self.POLICY_NAME, evaluation_interval, delay_evaluation)


class TruncationSelectionPolicy(_Timed):
    """Stops a share of the runs, the worst ones, at each look.

    Args:
        truncation_percentage: So many of a hundred, from 1 to 99.
        evaluation_interval: How many reports of the metric lie between two looks.
        delay_evaluation: How many reports come before the first look.

    Raises:
        HyperDriveConfigException: A number is wrong.
    """

    POLICY_NAME = "TruncationSelection"

    def __init__(self, truncation_percentage: int, evaluation_interval: int = 1, delay_evaluation: int = 0) -> None:
        if not isinstance(truncation_percentage, int) or not 1 <= truncation_percentage <= 99:
            raise HyperDriveConfigException(f"truncation_percentage must be a whole number from 1 to 99, not {truncation_percentage!r}.")
        super().__init__(self.POLICY_NAME, evaluation_interval, delay_evaluation, truncation_percentage=truncation_percentage)

    @property
    def truncation_percentage(self) -> int:
        """Return how many of a hundred runs are stopped at each look."""
        return int(self._properties["truncation_percentage"])


class NoTerminationPolicy(EarlyTerminationPolicy):
    """Stops no run."""

    POLICY_NAME = "Default"

    def __init__(self) -> None:
        super().__init__(self.POLICY_NAME)


def _check_count(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise HyperDriveConfigException(f"{name} of a policy must be a whole number, at least {least}, not {value!r}.")


__all__ = ["BanditPolicy", "EarlyTerminationPolicy", "MedianStoppingPolicy", "NoTerminationPolicy", "TruncationSelectionPolicy"]
