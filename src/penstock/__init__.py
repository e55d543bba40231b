"""Penstock runs Azure Machine Learning SDK v1 pipelines anywhere."""

__version__ = "0.1.0"
