"""The settings of a search for a model."""

from __future__ import annotations

from typing import Any, Dict, Optional

from azureml.core._experiment_method import experiment_method
from azureml.core._refusal import not_built
from penstock.model.steps import AUTOML_INSTEAD


def _refuse_submission(config: AutoMLConfig, *args: Any, **kwargs: Any) -> Any:
    raise not_built("Automated ML (Experiment.submit(AutoMLConfig))", AUTOML_INSTEAD)


@experiment_method(submit_function=_refuse_submission)
class AutoMLConfig:
    """The settings of a search for a model. They are kept as they are given, for an `AutoMLStep`.

    Args:
        task: classification, regression or forecasting.
        path: The folder of the search's scripts.
        iterations: How many models are tried.
        primary_metric: What is optimised.
        positive_label: The label that counts as positive.
        compute_target: Where the search runs.
        **kwargs: All other settings, by v1's names.

    Attributes:
        user_settings: The settings that were given, by name.

    Raises:
        ConfigException: The task is not a text.
    """

    def __init__(
        self,
        task: str,
        path: Optional[str] = None,
        iterations: Optional[int] = None,
        primary_metric: Optional[str] = None,
        positive_label: Any = None,
        compute_target: Any = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(task, str) or not task:
            from azureml.train.automl.exceptions import ConfigException

            raise ConfigException(f"The task of an AutoMLConfig is a text such as 'classification' or 'regression', not {task!r}.")
        named = {"path": path, "iterations": iterations, "primary_metric": primary_metric, "positive_label": positive_label}
        named["compute_target"] = compute_target
        given = {name: value for name, value in named.items() if value is not None}
        self.user_settings: Dict[str, Any] = {"task": task, **given, **kwargs}

    def __repr__(self) -> str:
        return f"AutoMLConfig(task={self.user_settings['task']!r})"
