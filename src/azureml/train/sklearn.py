"""v1's scikit-learn estimator."""

from __future__ import annotations

from azureml.train._framework_estimator import FrameworkEstimator

__all__ = ["SKLearn"]


class SKLearn(FrameworkEstimator):
    """A scikit-learn script. The arguments are those of Estimator, and `framework_version`."""

    FRAMEWORK_NAME = "SKLearn"
    DEFAULT_VERSION = "0.20.3"
    _SUPPORTED = ("0.20.3",)
    _PACKAGE = "scikit-learn"
