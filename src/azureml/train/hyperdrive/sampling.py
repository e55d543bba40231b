"""v1's module of this name."""

from azureml.train.hyperdrive import BayesianParameterSampling, GridParameterSampling, HyperParameterSampling, RandomParameterSampling

__all__ = ["BayesianParameterSampling", "GridParameterSampling", "HyperParameterSampling", "RandomParameterSampling"]
