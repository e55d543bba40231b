"""Automated machine learning of SDK v1. Its settings can be kept and put into a pipeline; there is no engine that carries them out."""

from __future__ import annotations

from azureml.train.automl.automlconfig import AutoMLConfig

__all__ = ["AutoMLConfig"]
