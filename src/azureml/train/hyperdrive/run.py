"""Runs of sweeps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class
from azureml.train.hyperdrive.runconfig import PrimaryMetricGoal

HyperDriveRun = refuse_class("azureml.train.hyperdrive.run.HyperDriveRun", "Sweeps come in a later release, and their runs with them.")

__all__ = ["HyperDriveRun", "PrimaryMetricGoal"]
