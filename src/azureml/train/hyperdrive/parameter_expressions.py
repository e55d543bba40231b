"""v1's module of this name."""

from azureml.train.hyperdrive import choice, lognormal, loguniform, normal, qlognormal, qloguniform, qnormal, quniform, randint, uniform

__all__ = ["choice", "lognormal", "loguniform", "normal", "qlognormal", "qloguniform", "qnormal", "quniform", "randint", "uniform"]
